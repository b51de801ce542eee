// SPDX-License-Identifier: Apache-2.0
#include "app/command_line.h"

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

}  // namespace

std::unique_ptr<CLI::App> make_parser(Session& session) {
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
  for (AddVerb add : all_verbs()) add(cli::Verb(parser.get()), session);
  return parser;
}

int run_command_line(int argc, char** argv) {
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
