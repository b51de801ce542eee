// SPDX-License-Identifier: Apache-2.0
//
// Kills the shipped binary at every journaled step of slicing a card, taking the slices away,
// taking each of these back, and making what is defined, and looks whether `tessera recover` brings
// the card to a known state: its driver bound, virtual functions all on or all off, slices with
// their owner or none.
//
//   slices_crash_test --recording FILE --fakehost BINARY --tessera BINARY --card ADDRESS --cut 2x8Q
//                     [--every K]
#include <cstdio>
#include <set>

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "crash/crash_loop.h"

namespace {

using nlohmann::json;
using tessera::crash::Options;
using tessera::crash::Scenario;
using tessera::harness::TestHost;

std::vector<Scenario> scenarios(const Options& options) {
  const auto slice = fmt::format("tessera slice {} {} --owner vm1", options.card, options.cut);
  const auto unslice = fmt::format("tessera unslice --card {} --owner vm1", options.card);
  const std::string define = "tessera define $(tessera list slices | sed -n '2,$s/ .*//p')";
  const std::string disown = "tessera disown --owner vm1";
  return {
      {"slice", {}, slice},
      {"undo of slice", {slice}, "tessera undo"},
      {"unslice", {slice}, unslice},
      {"undo of unslice", {slice, unslice}, "tessera undo"},
      {"recover", {slice, "crash"}, "tessera recover"},
      {"restore", {slice, define, disown, unslice}, "tessera restore"},
  };
}

/// How many virtual functions there are when they are on: as many as were asked for, where they
/// are the slices ("2xvf"), else all.
std::string functions_when_on(const TestHost& host, const Options& options,
                              const std::string& device) {
  const auto as_slices = options.cut.find("xvf");
  return as_slices == std::string::npos ? host.text(device + "/sriov_totalvfs")
                                        : options.cut.substr(0, as_slices);
}

std::optional<std::string> trouble(const TestHost& host, const Options& options) {
  const std::string device = "/sys/bus/pci/devices/" + options.card;
  if (host.link_name(device + "/driver").empty()) return "the card has no driver";
  const auto on = host.text(device + "/sriov_numvfs");
  if (!on.empty() && on != "0" && on != functions_when_on(host, options, device)) {
    return on + " virtual functions are on";
  }
  const auto listed = host.run("tessera list slices --json");
  const auto slices = json::parse(listed.text, nullptr, false);
  if (slices.is_discarded() || !slices.contains("slices")) return "no list: " + listed.text;
  std::set<std::string> owners;
  for (const auto& slice : slices["slices"]) owners.insert(slice.value("owner", ""));
  if (owners.size() > 1) return "some slices have an owner, some have none: " + listed.text;
  const auto history = json::parse(host.run("tessera history --json").text, nullptr, false);
  if (history.is_discarded() || !history.contains("plans")) return "no history";
  for (const auto& plan : history["plans"]) {
    const std::string state = plan["state"];
    if (state != "applied" && state != "undone") return "a plan is " + state;
  }
  return std::nullopt;
}

}  // namespace

int main(int argc, char** argv) {
  const auto options = tessera::crash::parse(argc, argv);
  if (options.tessera.empty() || options.card.empty() || options.cut.empty()) {
    fmt::print(stderr, "usage: see the top of slices_crash_test.cpp\n");
    return 64;
  }
  return tessera::crash::run(
      options, {scenarios(options), [&](const TestHost& host) { return trouble(host, options); }});
}
