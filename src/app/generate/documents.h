// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "app/generate/command.h"

namespace tessera::app::generate {

/// A text made from the command tree, and the file name under which others look for it.
struct Document {
  std::string name;  ///< "tessera-assign.1", "_tessera"
  std::string text;
};

/// tessera.1 and a tessera-VERB.1 for each verb, in man(7).
std::vector<Document> man_pages(const Command& top, const std::string& version);

/// Completion scripts. Cards are completed by asking `tessera generate cards`.
Document bash_completion(const Command& top);
Document zsh_completion(const Command& top);
Document fish_completion(const Command& top);

/// All commands and options on one page, commands.md.
Document markdown_reference(const Command& top);

}  // namespace tessera::app::generate
