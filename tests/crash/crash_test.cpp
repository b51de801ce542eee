// SPDX-License-Identifier: Apache-2.0
//
// Kills the shipped binary at every journaled step of assign, release, undo and recover, and looks
// whether `tessera recover` brings the host to a known state. Prints "N crash points, N recovered".
//
//   crash_test --recording FILE --fakehost BINARY --tessera BINARY --card SLOT     on the fake host
//   crash_test --live --tessera BINARY --card SLOT [--every K]                     inside the lab
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "harness/test_host.h"

namespace {

using tessera::harness::Output;
using tessera::harness::TestHost;

struct Options {
  std::string recording;
  std::string fakehost;
  std::string tessera;
  std::string card;  ///< slot, "0000:01:00"; functions .0 and .1
  bool live = false;
  int every = 1;  ///< try only each K-th crash point
};

/// A change, and what is done before it to get there.
struct Scenario {
  std::string name;
  std::vector<std::string> before;
  std::string command;
};

std::vector<Scenario> scenarios(const std::string& card) {
  const std::string assign = fmt::format("tessera assign {}.0 --to vm", card);
  const std::string release = fmt::format("tessera assign {}.0 --to host", card);
  return {
      {"assign", {}, assign},
      {"release", {assign}, release},
      {"undo of assign", {assign}, "tessera undo"},
      {"undo of release", {assign, release}, "tessera undo"},
      // The second death: recover itself is killed, and run again.
      {"recover", {assign, "crash"}, "tessera recover"},
  };
}

/// Both functions on one side, with the override that belongs to it.
std::optional<std::string> trouble(const TestHost& host, const std::string& card,
                                   const std::vector<std::string>& host_drivers) {
  std::vector<std::string> seen;
  for (int function = 0; function < 2; ++function) {
    const std::string device = fmt::format("/sys/bus/pci/devices/{}.{}", card, function);
    const auto driver = host.link_name(device + "/driver");
    const auto override_text = host.text(device + "/driver_override");
    if (driver.empty()) return fmt::format("{}.{} has no driver", card, function);
    const bool vfio = driver == "vfio-pci";
    if (!vfio && driver != host_drivers[static_cast<std::size_t>(function)]) {
      return fmt::format("{}.{} is on {}", card, function, driver);
    }
    if (override_text != (vfio ? "vfio-pci" : "(null)")) {
      return fmt::format("{}.{} is on {}, but driver_override reads '{}'", card, function, driver,
                         override_text);
    }
    seen.emplace_back(vfio ? "vm" : "host");
  }
  if (seen[0] != seen[1]) return "the card is split between host and vm";
  return std::nullopt;
}

class CrashTest {
 public:
  explicit CrashTest(Options options) : options_(std::move(options)) {}

  int run() {
    for (const auto& scenario : scenarios(options_.card)) {
      const int before = points_;
      if (!run_scenario(scenario)) return 1;
      fmt::print("{}: {} crash points\n", scenario.name, points_ - before);
      (void)std::fflush(stdout);
    }
    fmt::print("{} crash points, {} recovered\n", points_, recovered_);
    return points_ == recovered_ && points_ > 0 ? 0 : 1;
  }

 private:
  std::optional<TestHost> fresh_host() const {
    if (options_.live) return TestHost::live(options_.tessera);
    auto host = TestHost::fake(options_.recording, options_.fakehost, options_.tessera);
    if (!host) {
      fmt::print(stderr, "{}\n", tessera::one_line(host.error()));
      return std::nullopt;
    }
    return std::optional<TestHost>(std::move(*host));
  }

  /// Dies at crash point 1, 2, ... until the command ends by itself.
  bool run_scenario(const Scenario& scenario) {
    for (int point = 1;; point += options_.every) {
      auto host = fresh_host();
      if (!host) return false;
      if (host_drivers_.empty() && !learn_drivers(*host)) return false;
      if (!prepare(*host, scenario)) return false;
      const Output crashed = host->run(scenario.command, std::to_string(point));
      if (!crashed.killed && crashed.exit_code != 137) {
        return finish(*host, scenario, crashed);
      }
      ++points_;
      const Output recovery = host->run("tessera recover");
      auto wrong = trouble(*host, options_.card, host_drivers_);
      if (recovery.exit_code == 0 && !wrong) {
        ++recovered_;
      } else {
        fmt::print(stderr, "{}, crash point {}: {}\nrecover: exit {}\n{}\n", scenario.name, point,
                   wrong.value_or("recover failed"), recovery.exit_code, recovery.text);
      }
      if (options_.live && !back_to_host(*host)) return false;
    }
  }

  bool learn_drivers(const TestHost& host) {
    for (int function = 0; function < 2; ++function) {
      host_drivers_.push_back(host.link_name(
          fmt::format("/sys/bus/pci/devices/{}.{}/driver", options_.card, function)));
      if (!host_drivers_.back().empty()) continue;
      fmt::print(stderr, "{}.{} has no driver to begin with\n", options_.card, function);
      return false;
    }
    return true;
  }

  bool prepare(const TestHost& host, const Scenario& scenario) {
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
    auto wrong = trouble(host, options_.card, host_drivers_);
    if (output.exit_code != 0 || wrong) {
      fmt::print(stderr, "{} without a crash: exit {}, {}\n{}\n", scenario.name, output.exit_code,
                 wrong.value_or(""), output.text);
      return false;
    }
    return !options_.live || back_to_host(host);
  }

  /// The live host is used again: leave it as it was found.
  bool back_to_host(const TestHost& host) {
    const Output output = host.run(fmt::format("tessera assign {}.0 --to host", options_.card));
    if (output.exit_code == 0) return true;
    fmt::print(stderr, "the card did not go back to the host:\n{}\n", output.text);
    return false;
  }

  Options options_;
  std::vector<std::string> host_drivers_;
  int points_ = 0;
  int recovered_ = 0;
};

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
    if (name == "--every") options.every = std::stoi(argv[i + 1]);
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  Options options = parse(argc, argv);
  if (options.tessera.empty() || options.card.empty()) {
    fmt::print(stderr, "usage: see the top of crash_test.cpp\n");
    return 64;
  }
  return CrashTest(std::move(options)).run();
}
