// SPDX-License-Identifier: Apache-2.0
//
// Kills the shipped binary at every journaled step of assign, release, undo and recover, and looks
// whether `tessera recover` brings the card to a known state.
//
//   crash_test --recording FILE --fakehost BINARY --tessera BINARY --card SLOT     on the fake host
//   crash_test --live --tessera BINARY --card SLOT [--every K]                     inside the lab
#include <cstdio>

#include <fmt/format.h>

#include "crash/crash_loop.h"

namespace {

using tessera::crash::Scenario;
using tessera::harness::TestHost;

constexpr int functions = 2;  // of the card: the display and its audio

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

std::string driver_of(const TestHost& host, const std::string& card, int function) {
  return host.link_name(fmt::format("/sys/bus/pci/devices/{}.{}/driver", card, function));
}

/// Both functions on one side, with the override that belongs to it.
std::optional<std::string> trouble(const TestHost& host, const std::string& card,
                                   const std::vector<std::string>& host_drivers) {
  std::vector<std::string> seen;
  for (int function = 0; function < functions; ++function) {
    const auto driver = driver_of(host, card, function);
    const auto override_text =
        host.text(fmt::format("/sys/bus/pci/devices/{}.{}/driver_override", card, function));
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

/// The drivers before anything is changed; empty when one of the functions has none.
std::vector<std::string> host_drivers(const tessera::crash::Options& options) {
  std::vector<std::string> drivers;
  auto host = tessera::crash::fresh_host(options);
  for (int function = 0; host && function < functions; ++function) {
    drivers.push_back(driver_of(*host, options.card, function));
    if (!drivers.back().empty()) continue;
    fmt::print(stderr, "{}.{} has no driver to begin with\n", options.card, function);
    return {};
  }
  return drivers;
}

}  // namespace

int main(int argc, char** argv) {
  const auto options = tessera::crash::parse(argc, argv);
  if (options.tessera.empty() || options.card.empty()) {
    fmt::print(stderr, "usage: see the top of crash_test.cpp\n");
    return 64;
  }
  const auto drivers = host_drivers(options);
  if (drivers.empty()) return 1;
  return tessera::crash::run(
      options, {scenarios(options.card),
                [&](const TestHost& host) { return trouble(host, options.card, drivers); },
                fmt::format("tessera assign {}.0 --to host", options.card)});
}
