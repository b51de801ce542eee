// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "app/verb.h"
#include "app/verbs.h"

namespace tessera::app {

/// The whole command line: global options and every verb. `session` must outlive the parser.
std::unique_ptr<CLI::App> make_parser(Session& session);
/// The same with one of the verbs only.
std::unique_ptr<CLI::App> make_parser(Session& session, const NamedVerb& only);

/// Parses argv, runs the verb, returns the exit code (docs/exit-codes.md).
int run_command_line(int argc, char** argv);

}  // namespace tessera::app
