// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plan/lint/words.h"

namespace tessera::plan::linting {

/// An element of an XML text, as far as it could be read.
struct XmlElement {
  std::string name;
  int line = 0;
  std::vector<std::pair<std::string, std::string>> attributes;
  std::string text;  ///< its own text, trimmed
  std::vector<XmlElement> children;

  [[nodiscard]] std::optional<std::string> attribute(std::string_view key) const;
  [[nodiscard]] const XmlElement* child(std::string_view tag) const;
};

/// One XML text or piece of one. `root` has no name; its children are the outermost elements.
struct XmlPiece {
  int first_line = 0;
  XmlElement root;
  std::vector<Word> nesting;   ///< tags that are not closed, or that close what is not open
  std::optional<Word> broken;  ///< where the parser gave up, and what it says
};

/// Reads an XML text whose first line has the number `first_line`. Typographic signs are read as
/// the signs that they stand for. What follows a mistake in the nesting may be missing.
XmlPiece read_xml(std::string_view text, int first_line);

/// Whether libvirt's domain format has an element of this name that pieces of it begin with
/// (<source> and <address> are HTML's too, and stand inside others).
bool is_domain_element(std::string_view name);

/// Calls `visit` for each element below `root`, outer ones first, with those above it (the
/// outermost first; without the nameless root).
void walk_xml(const XmlElement& root,
              const std::function<void(const XmlElement& element,
                                       const std::vector<const XmlElement*>& above)>& visit);

}  // namespace tessera::plan::linting
