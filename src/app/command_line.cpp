// SPDX-License-Identifier: Apache-2.0
#include "app/command_line.h"

#include <algorithm>
#include <optional>
#include <span>
#include <string_view>

#include <CLI/CLI.hpp>

#include "app/verbs.h"

namespace tessera::app {

namespace {

constexpr const char* about =
    "Tessera gives virtual machines on Linux/KVM their GPUs: it finds a host's cards, says what\n"
    "stands in the way, hands a card to a machine with a way back, and rehearses all of it on a\n"
    "virtual GPU host.";

constexpr const char* examples =
    "First steps:\n"
    "  tessera list                       the cards of this host\n"
    "  tessera doctor 01:00.0             what stands in the way of giving this one away\n"
    "  tessera assign 01:00.0 --to vm --dry-run\n"
    "  tessera undo                       take the last change back\n";

std::unique_ptr<CLI::App> parser_of(Session& session, std::span<const NamedVerb> verbs) {
  auto parser = std::make_unique<CLI::App>(about, "tessera");
  parser->footer(examples);
  parser->set_version_flag("--version", "tessera " TESSERA_VERSION);
  parser
      ->add_option("--root", session.root,
                   "host to look at: /, a directory that holds another host, or a recording")
      ->capture_default_str()
      ->take_last();
  parser
      ->add_option("--state", session.state_dir,
                   "folder of the journal (default: ROOT/var/lib/tessera)")
      ->take_last();
  parser->add_flag("--json", session.json, "print JSON with a versioned schema");
  parser->require_subcommand(1);
  parser->fallthrough();
  for (const auto& verb : verbs) verb.add(cli::Verb(parser.get()), session);
  return parser;
}

/// The first word that is a verb's name; null where there is none. It may be an option's value:
/// then the verb is missing in its parser, or a word is left over.
const NamedVerb* verb_in(std::span<char*> words) {
  for (const std::string_view word : words) {
    const auto found = std::ranges::find(all_verbs(), word, &NamedVerb::name);
    if (found != all_verbs().end()) return &*found;
  }
  return nullptr;
}

/// The exit code, or nothing where a parser of this verb alone does not take the line: then, and
/// for help, the whole one says what is to be said. To make that is a third of a short command's
/// work.
std::optional<int> run_verb(const NamedVerb& verb, int argc, char** argv) {
  Session session;
  const auto parser = make_parser(session, verb);
  try {
    parser->parse(argc, argv);
  } catch (const CLI::ParseError&) {
    return std::nullopt;
  }
  return session.exit_code;
}

}  // namespace

std::unique_ptr<CLI::App> make_parser(Session& session) {
  return parser_of(session, all_verbs());
}

std::unique_ptr<CLI::App> make_parser(Session& session, const NamedVerb& only) {
  return parser_of(session, {&only, 1});
}

int run_command_line(int argc, char** argv) {
  const std::span words(argv + 1, static_cast<std::size_t>(std::max(argc - 1, 0)));
  const auto* const verb = verb_in(words);
  const bool alone = verb != nullptr && !verb->tells_of_all;
  if (const auto code = alone ? run_verb(*verb, argc, argv) : std::nullopt) return *code;
  Session session;
  auto parser = make_parser(session);
  try {
    parser->parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    int code = parser->exit(error);
    return code == 0 ? exit_ok : exit_usage;
  }
  return session.exit_code;
}

}  // namespace tessera::app
