// SPDX-License-Identifier: Apache-2.0
#include "crash/crash_loop.h"

#include <cstdio>

#include <fmt/format.h>

namespace tessera::crash {

using harness::Output;
using harness::TestHost;

namespace {

class Loop {
 public:
  Loop(const Options& options, const Subject& subject) : options_(options), subject_(subject) {}

  int run() {
    for (const auto& scenario : subject_.scenarios) {
      const int before = points_;
      if (!run_scenario(scenario)) return 1;
      fmt::print("{}: {} crash points\n", scenario.name, points_ - before);
      (void)std::fflush(stdout);
    }
    fmt::print("{} crash points, {} recovered\n", points_, recovered_);
    return points_ == recovered_ && points_ > 0 ? 0 : 1;
  }

 private:
  bool run_scenario(const Scenario& scenario) {
    for (int point = 1;; point += options_.every) {
      auto host = fresh_host(options_);
      if (!host || !prepare(*host, scenario)) return false;
      const Output crashed = host->run(scenario.command, std::to_string(point));
      if (!crashed.killed && crashed.exit_code != 137) return finish(*host, scenario, crashed);
      ++points_;
      const Output recovery = host->run("tessera recover");
      auto wrong = subject_.trouble(*host);
      if (recovery.exit_code == 0 && !wrong) {
        ++recovered_;
      } else {
        fmt::print(stderr, "{}, crash point {}: {}\nrecover: exit {}\n{}\n", scenario.name, point,
                   wrong.value_or("recover failed"), recovery.exit_code, recovery.text);
      }
      if (!clean_up(*host)) return false;
    }
  }

  static bool prepare(const TestHost& host, const Scenario& scenario) {
    for (const auto& command : scenario.before) {
      if (command == "crash") {  // leave a half-done plan for recover to find
        (void)host.run("tessera undo", "3");
        continue;
      }
      const Output output = host.run(command);
      if (output.exit_code == 0) continue;
      fmt::print(stderr, "{}: '{}' failed with {}\n{}\n", scenario.name, command, output.exit_code,
                 output.text);
      return false;
    }
    return true;
  }

  bool finish(const TestHost& host, const Scenario& scenario, const Output& output) {
    auto wrong = subject_.trouble(host);
    if (output.exit_code != 0 || wrong) {
      fmt::print(stderr, "{} without a crash: exit {}, {}\n{}\n", scenario.name, output.exit_code,
                 wrong.value_or(""), output.text);
      return false;
    }
    return clean_up(host);
  }

  bool clean_up(const TestHost& host) {
    if (!options_.live || subject_.clean_up.empty()) return true;
    const Output output = host.run(subject_.clean_up);
    if (output.exit_code == 0) return true;
    fmt::print(stderr, "'{}' failed:\n{}\n", subject_.clean_up, output.text);
    return false;
  }

  const Options& options_;
  const Subject& subject_;
  int points_ = 0;
  int recovered_ = 0;
};

}  // namespace

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--live") options.live = true;
    if (i + 1 >= argc) break;
    if (name == "--recording") options.recording = argv[i + 1];
    if (name == "--fakehost") options.fakehost = argv[i + 1];
    if (name == "--tessera") options.tessera = argv[i + 1];
    if (name == "--card") options.card = argv[i + 1];
    if (name == "--cut") options.cut = argv[i + 1];
    if (name == "--every") options.every = std::stoi(argv[i + 1]);
  }
  return options;
}

std::optional<TestHost> fresh_host(const Options& options) {
  if (options.live) return TestHost::live(options.tessera);
  auto host = TestHost::fake(options.recording, options.fakehost, options.tessera);
  if (host) return std::optional<TestHost>(std::move(*host));
  fmt::print(stderr, "{}\n", one_line(host.error()));
  return std::nullopt;
}

int run(const Options& options, const Subject& subject) {
  return Loop(options, subject).run();
}

}  // namespace tessera::crash
