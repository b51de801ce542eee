// SPDX-License-Identifier: Apache-2.0
#include "plan/checks/bus_errors.h"

#include <gtest/gtest.h>

#include "plan/checks/check_case.h"
#include "plan/checks/test_host.h"

namespace tessera::plan::test {
namespace {

using model::BusErrors;
using model::Finding;
using model::HostSnapshot;
using model::Severity;
using Kind = BusErrors::Kind;

HostSnapshot host_with(std::vector<BusErrors> errors) {
  HostSnapshot host = good_host();
  edit(host, gpu).bus_errors = std::move(errors);
  return host;
}

Finding only_finding(const HostSnapshot& host) {
  auto found = findings_with(host, bus_errors_id);
  EXPECT_EQ(found.size(), 1U);
  return found.empty() ? Finding{} : found.front();
}

TEST(bus_errors, a_lost_transaction_names_the_machine_and_keeps_slices_away) {
  auto host = host_with({{Kind::nonfatal, "CmpltTO", 2}});
  edit(host, gpu).driver = "vfio-pci";
  host.holders = {{812, "qemu-system-x86", "", gpu, {"/dev/vfio/2"}}};
  host.machines = {{812, "qemu-system-x86", "desk1", ""}};
  host.kernel_log = {"vfio-pci 0000:01:00.0: PCIe Bus Error: severity=Uncorrected (Non-Fatal)",
                     "vfio-pci 0000:01:00.0:    [14] CmpltTO                (First)",
                     "vfio-pci 0000:09:00.0: PCIe Bus Error: severity=Corrected"};
  const auto finding = only_finding(host);
  EXPECT_EQ(finding.severity, Severity::error);
  EXPECT_EQ(evidence_text(finding),
            "/sys/bus/pci/devices/0000:01:00.0/aer_dev_nonfatal: CmpltTO 2\n"
            "kernel log: vfio-pci 0000:01:00.0: PCIe Bus Error: severity=Uncorrected (Non-Fatal)\n"
            "kernel log: vfio-pci 0000:01:00.0:    [14] CmpltTO                (First)\n"
            "/proc/812/fd: machine desk1 (qemu-system-x86, pid 812) has /dev/vfio/2 open\n");
  EXPECT_NE(finding.cause.find("CmpltTO means that a request was never answered."),
            std::string::npos);
  EXPECT_NE(finding.fix.find("End machine desk1"), std::string::npos);
  EXPECT_NE(finding.fix.find("tessera assign 0000:01:00.0 --to host"), std::string::npos);
  EXPECT_TRUE(finding.command.empty()) << "not while a machine has it";
  ASSERT_EQ(bus_error_cordons(host).size(), 1U);
  EXPECT_EQ(bus_error_cordons(host).front().card, gpu);
}

TEST(bus_errors, a_free_card_is_found_anew_by_itself_and_a_port_with_what_is_behind_it) {
  EXPECT_EQ(only_finding(host_with({{Kind::fatal, "SDES", 1}})).command,
            "echo 1 | sudo tee /sys/bus/pci/devices/0000:01:00.0/remove; "
            "echo 1 | sudo tee /sys/bus/pci/rescan");
  auto host = host_with({{Kind::fatal, "SDES", 1}});
  edit(host, root_port).bus_errors = std::vector<BusErrors>{{Kind::fatal, "SDES", 1}};
  EXPECT_EQ(only_finding(host).command,
            "echo 1 | sudo tee /sys/bus/pci/devices/0000:00:01.0/remove; "
            "echo 1 | sudo tee /sys/bus/pci/rescan");
}

TEST(bus_errors, what_loses_nothing_is_a_warning_and_no_cordon) {
  const auto host =
      host_with({{Kind::nonfatal, "UnsupReq", 3}, {Kind::nonfatal, "Unsupported Request", 1}});
  EXPECT_EQ(only_finding(host).severity, Severity::warning);
  EXPECT_TRUE(bus_error_cordons(host).empty());
  const auto fatal = host_with({{Kind::fatal, "UnsupReq", 1}});
  EXPECT_EQ(only_finding(fatal).severity, Severity::error) << "the link is gone all the same";
}

TEST(bus_errors, a_link_may_repair_itself_now_and_then) {
  EXPECT_TRUE(findings_with(host_with({{Kind::corrected, "RxErr", 99}}), bus_errors_id).empty());
  const auto often = host_with({{Kind::corrected, "RxErr", 99}, {Kind::corrected, "BadTLP", 1}});
  EXPECT_EQ(only_finding(often).severity, Severity::warning);
  EXPECT_EQ(only_finding(often).title, "The card's link repaired itself 100 times (RxErr, BadTLP)");
  EXPECT_TRUE(bus_error_cordons(often).empty());
}

TEST(bus_errors, an_error_of_a_virtual_function_is_its_cards) {
  HostSnapshot host = good_host();
  auto slice = function_at(at(1, 0, 4), class_vga, "vfio-pci", 4);
  slice.physical_function = gpu;
  slice.bus_errors = std::vector<BusErrors>{{Kind::nonfatal, "CmpltTO", 1}};
  host.functions.push_back(slice);
  EXPECT_EQ(only_finding(host).card, gpu);
  host.slice_sources.emplace_back();
  host.slice_sources[0].card = gpu;
  host.slice_sources[0].slices.emplace_back();
  host.slice_sources[0].slices[0].identity = "0000:01:00.4";
  host.slice_sources[0].slices[0].users = {{812, "qemu-system-x86", "", "/dev/vfio/4"}};
  EXPECT_NE(evidence_text(only_finding(host))
                .find("the machine of qemu-system-x86 (pid 812) has slice 0000:01:00.4 open"),
            std::string::npos);
}

}  // namespace
}  // namespace tessera::plan::test
