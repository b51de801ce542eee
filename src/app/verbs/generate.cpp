// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

#include "app/generate/documents.h"
#include "app/verb.h"
#include "probe/probe.h"

namespace tessera::app {

namespace {

using generate::Document;

struct GenerateOptions {
  std::string what;
  std::string folder;
};

std::vector<Document> documents(const std::string& what, const generate::Command& top) {
  if (what == "man") return generate::man_pages(top, TESSERA_VERSION);
  if (what == "bash") return {generate::bash_completion(top)};
  if (what == "zsh") return {generate::zsh_completion(top)};
  if (what == "fish") return {generate::fish_completion(top)};
  return {generate::markdown_reference(top)};
}

Status write_into(const std::filesystem::path& folder, const Document& document) {
  std::error_code ignored;  // the open below tells it better
  std::filesystem::create_directories(folder, ignored);
  auto path = folder / document.name;
  std::ofstream file(path, std::ios::binary);
  file << document.text;
  file.close();
  if (file) return {};
  return fail(error_from_errno(errno, path.string(), "write"));
}

/// One line a card, "0000:01:00.0", TAB, its name; for the completions.
Status print_cards(const Session& session) {
  TRY_LET(const auto root, kernel::Root::open(session.root));
  TRY_LET(const auto host, probe::take_snapshot(root));
  for (const auto& card : host.cards)
    fmt::print("{}\t{}\n", model::to_string(card.address), card.name);
  return {};
}

Status generate_all(cli::Verb parser, const Session& session, const GenerateOptions& options) {
  if (options.what == "cards") return print_cards(session);
  for (const auto& document : documents(options.what, generate::describe(parser.app()))) {
    if (!options.folder.empty()) {
      TRY(write_into(options.folder, document));
    } else {
      fmt::print("{}", document.text);
    }
  }
  return {};
}

}  // namespace

void add_generate(cli::Verb parser, Session& session) {
  auto verb = parser.add_verb(
      "generate", "write manual pages, completions or the reference, made from this parser");
  verb.hidden();  // for packagers; not in the help
  auto options = std::make_shared<GenerateOptions>();
  verb.option("what", options->what, "what to write")
      .required()
      .one_of({"man", "bash", "zsh", "fish", "markdown", "cards"});
  verb.option("folder", options->folder, "where to write it; without: to standard output");
  verb.on_call([parser, &session, options] {
    auto done = generate_all(parser, session, *options);
    if (!done) session.exit_code = report(session, done.error());
  });
}

}  // namespace tessera::app
