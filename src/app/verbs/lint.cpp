// SPDX-License-Identifier: Apache-2.0
#include "plan/lint.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/printers/lint.h"
#include "app/text_file.h"
#include "app/verb.h"
#include "base/result.h"
#include "kernel/root.h"
#include "probe/probe.h"

namespace tessera::app {

namespace {

struct LintOptions {
  std::vector<std::string> files;
  std::string kind;
  bool list_rules = false;
};

int exit_code_of(const std::vector<LintedText>& texts) {
  int code = exit_ok;
  for (const LintedText& text : texts) {
    for (const plan::Hit& hit : text.hits) {
      const bool grave =
          hit.verdict == plan::LintVerdict::wrong || hit.verdict == plan::LintVerdict::dangerous;
      if (grave) return exit_errors;
      code = exit_warnings;
    }
  }
  return code;
}

Result<int> look_at_files(const Session& session, const LintOptions& options) {
  std::optional<plan::TextKind> forced;
  if (!options.kind.empty()) {
    TRY_LET(forced, plan::parse_text_kind(options.kind));
  }
  TRY_LET(const kernel::Root root, kernel::Root::open(session.root));
  TRY_LET(const model::HostSnapshot host, probe::take_snapshot(root));
  std::vector<LintedText> texts;
  for (const std::string& file : options.files) {
    // The texts are files of the person who asks, not of the host below --root.
    TRY_LET(const std::string text, read_text_file(file));
    const std::string name = text_file_name(file);
    const auto kind = forced ? *forced : plan::recognize_text(text, name);
    texts.push_back({name, kind, plan::lint(text, name, kind, host)});
  }
  if (session.json) {
    fmt::print("{}\n", lint_json(texts).dump(2));
  } else {
    fmt::print("{}", lint_text(texts, stdout_style()));
  }
  return exit_code_of(texts);
}

Result<int> run_lint(const Session& session, const LintOptions& options) {
  if (options.list_rules) {
    if (session.json) {
      fmt::print("{}\n", lint_rules_json().dump(2));
    } else {
      fmt::print("{}", lint_rules_text(stdout_style()));
    }
    return exit_ok;
  }
  if (options.files.empty()) {
    return fail(ErrorKind::invalid, "lint", "no file was named",
                "name one, or - for standard input");
  }
  return look_at_files(session, options);
}

std::vector<std::string> kind_names() {
  std::vector<std::string> names;
  for (const plan::TextKind kind : plan::all_text_kinds()) {
    names.emplace_back(plan::to_string(kind));
  }
  return names;
}

}  // namespace

void add_lint(cli::Verb parser, Session& session) {
  auto options = std::make_shared<LintOptions>();
  auto verb = parser.add_verb(
      "lint", "find known mistakes in settings files, QEMU commands, domains and guides");
  verb.option("file", options->files, "what to look at; - is standard input");
  verb.option("--kind", options->kind, "what the text is, where it is not recognized")
      .one_of(kind_names());
  verb.flag("--list-rules", options->list_rules, "list the mistakes that are known");
  verb.footer(
      "A hit is wrong, obsolete, dangerous or no-op for this host (or that of --root), and comes\n"
      "with the right form.\n"
      "Exit code: 0 nothing found, 1 obsolete or no-op only, 2 wrong or dangerous.\n"
      "Each id has a row in docs/lint.md.");
  verb.on_call([options, &session] {
    auto code = run_lint(session, *options);
    session.exit_code = code ? *code : report(session, code.error());
  });
}

}  // namespace tessera::app
