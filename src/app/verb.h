// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "app/cli.h"
#include "base/result.h"
#include "model/finding.h"

namespace tessera::app {

/// What every verb gets: the options given before or after its name, and where its result goes.
struct Session {
  std::string root = "/";  ///< --root: "/", a directory, or a recording
  std::string state_dir;   ///< --state: journal and lock; default ROOT/var/lib/tessera
  bool json = false;       ///< --json
  int exit_code = 0;       ///< set by the verb's callback
};

// Exit codes, documented in docs/exit-codes.md and in the man page.
inline constexpr int exit_ok = 0;
inline constexpr int exit_warnings = 1;  ///< doctor: warnings, no errors; lint: obsolete, no-op
inline constexpr int exit_errors = 2;    ///< doctor: errors; lint: wrong, dangerous
inline constexpr int exit_usage = 64;    ///< the command line is wrong

/// The exit code of an error of this kind.
constexpr int exit_code_of(ErrorKind kind) {
  return 10 + static_cast<int>(kind);
}

/// exit_errors where one of the findings is an error, exit_warnings where one is a warning.
int exit_code_of(const std::vector<model::Finding>& findings);

/// Prints an error for people on stderr (sentence, then "hint: ..."), or with --json as
/// tessera/error/1 on stdout, and returns the exit code of its kind (10 + the kind's place in
/// ErrorKind: not_found 10, denied 11, busy 12, stale 13, timeout 14, unsupported 15, invalid 16,
/// conflict 17, io 18).
int report(const Session& session, const Error& error);

/// Each verb is one file in app/verbs/ with one function that adds its subcommand to the parser;
/// the callback does the work and sets session.exit_code. src/app/verbs.cpp lists them all.
using AddVerb = void (*)(cli::Verb parser, Session& session);

void add_list(cli::Verb parser, Session& session);
void add_show(cli::Verb parser, Session& session);
void add_topo(cli::Verb parser, Session& session);
void add_doctor(cli::Verb parser, Session& session);
void add_health(cli::Verb parser, Session& session);
void add_record(cli::Verb parser, Session& session);
void add_lint(cli::Verb parser, Session& session);
void add_assign(cli::Verb parser, Session& session);
void add_profiles(cli::Verb parser, Session& session);
void add_slice(cli::Verb parser, Session& session);
void add_unslice(cli::Verb parser, Session& session);
void add_define(cli::Verb parser, Session& session);
void add_undefine(cli::Verb parser, Session& session);
void add_restore(cli::Verb parser, Session& session);
void add_claim(cli::Verb parser, Session& session);
void add_disown(cli::Verb parser, Session& session);
void add_undo(cli::Verb parser, Session& session);
void add_history(cli::Verb parser, Session& session);
void add_recover(cli::Verb parser, Session& session);
void add_framebuffer(cli::Verb parser, Session& session);
void add_module(cli::Verb parser, Session& session);
void add_run(cli::Verb parser, Session& session);
void add_lab(cli::Verb parser, Session& session);
void add_generate(cli::Verb parser, Session& session);

}  // namespace tessera::app
