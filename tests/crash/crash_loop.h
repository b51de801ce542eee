// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "harness/test_host.h"

namespace tessera::crash {

/// A change, and what is done before it to get there.
struct Scenario {
  std::string name;
  std::vector<std::string> before;  ///< commands; "crash" leaves a half-done undo behind
  std::string command;
};

/// What is changed, and how one sees that it is in a known state.
struct Subject {
  std::vector<Scenario> scenarios;
  /// What is wrong with the host now; nothing when it is in a known state.
  std::function<std::optional<std::string>(const harness::TestHost&)> trouble;
  /// On a live host, which is used again: the command that leaves it as it was found.
  std::string clean_up = {};
};

/// Where it is tried; read from the command line.
struct Options {
  std::string recording;
  std::string fakehost;
  std::string tessera;
  std::string card;  ///< for the subject: a slot, an address
  std::string cut;   ///< for slices: "2x8Q"
  bool live = false;
  int every = 1;  ///< try only each K-th crash point
};
Options parse(int argc, char** argv);

/// The host of a scenario: a fresh fake one, or the one we run on.
std::optional<harness::TestHost> fresh_host(const Options& options);

/// Kills the shipped binary at crash point 1, 2, ... of each scenario's command until it ends by
/// itself, runs `tessera recover` after each, and looks. Prints "N crash points, N recovered" and
/// returns the exit code.
int run(const Options& options, const Subject& subject);

}  // namespace tessera::crash
