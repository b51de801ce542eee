// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "plan/checks/check_case.h"
#include "plan/checks/test_host.h"

namespace tessera::plan::test {
namespace {

using model::HostSnapshot;

constexpr std::string_view id = "memory-failure";

HostSnapshot host_that_said(std::vector<std::string> lines) {
  HostSnapshot host = good_host();
  host.failed_memory_kib = 4;
  host.kernel_log = std::move(lines);
  return host;
}

const std::vector<std::string> one_machine = {
    "Memory failure: 0x9200: Sending SIGBUS to qemu-system-x86:195 due to hardware memory "
    "corruption",
    "Memory failure: 0x9200: recovery action for dirty LRU page: Recovered"};

TEST(memory_failure, the_machine_that_had_the_page_is_named_while_it_runs) {
  auto host = host_that_said(one_machine);
  host.machines = {{195, "qemu-system-x86", "desk1", ""}, {196, "qemu-system-x86", "desk2", ""}};
  const auto found = findings_with(host, id);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].title, "Memory of machine desk1 (qemu-system-x86, pid 195) failed");
  EXPECT_EQ(evidence_text(found[0]),
            "kernel log: " + one_machine[0] + "\nkernel log: " + one_machine[1] +
                "\n/proc/195/fd: has anon_inode:kvm-vm open: it still runs\n"
                "/proc/meminfo: HardwareCorrupted: 4 kB\n");
  EXPECT_EQ(found[0].fix.find("desk2"), std::string::npos);
}

TEST(memory_failure, one_that_has_ended_is_named_by_its_log) {
  auto host = host_that_said(one_machine);
  host.machine_memory_errors = {{"desk1", "/var/log/libvirt/qemu/desk1.log",
                                 "qemu-system-x86_64: warning: Guest MCE Memory Error at ..."}};
  const auto found = findings_with(host, id);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].title, "Memory of machine desk1 (qemu-system-x86, pid 195) failed");
  EXPECT_NE(evidence_text(found[0]).find("/var/log/libvirt/qemu/desk1.log: qemu-system-x86_64"),
            std::string::npos);
}

TEST(memory_failure, each_process_is_told_of_once_and_pages_of_nobody_by_themselves) {
  const auto host = host_that_said({
      "Memory failure: 0x10: Killing a:b c:77 due to hardware memory corruption",
      "Memory failure: 0x11: forcibly killing a:b c:77 because of failure to unmap corrupted page",
      "Memory failure: 0x10: recovery action for dirty LRU page: Recovered",
      "Memory failure: 0x12: recovery action for clean LRU page: Recovered",
      "EDAC MC0: 1 UE memory read error on CPU_SrcID#0_Ha#0_Chan#1_DIMM#0",
      "EDAC MC: Ver: 3.0.0",
  });
  const auto found = findings_with(host, id);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].title, "Memory of this host failed that no process had");
  EXPECT_EQ(found[1].title, "Memory of a:b c (pid 77) failed");
  EXPECT_NE(evidence_text(found[1]).find("0x10: recovery action"), std::string::npos);
  EXPECT_NE(evidence_text(found[1]).find("Chan#1_DIMM#0"), std::string::npos);
  EXPECT_EQ(evidence_text(found[1]).find("Ver: 3.0.0"), std::string::npos);
}

TEST(memory_failure, the_counter_tells_what_the_log_forgot) {
  auto host = host_that_said({});
  host.failed_memory_kib = 8;
  const auto found = findings_with(host, id);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].title, "2 pages of this host's memory failed");
  host.failed_memory_kib = 0;
  EXPECT_TRUE(findings_with(host, id).empty());
}

TEST(memory_failure, lines_of_other_forms_say_nothing_of_a_process) {
  for (const auto* line :
       {"Memory failure: 0x1: Sending SIGBUS to nobody due to hardware memory corruption",
        "Memory failure: 0x1: Sending SIGBUS to a:0 due to hardware memory corruption",
        "Memory failure: 0x1: Sending SIGBUS to a:99999999999 due to hardware memory corruption",
        "Memory failure: 0x1: due to hardware memory corruption: Killing a:1"}) {
    const auto found = findings_with(host_that_said({line}), id);
    ASSERT_EQ(found.size(), 1U) << line;
    EXPECT_EQ(found[0].title, "Memory of this host failed that no process had") << line;
  }
  const auto found = findings_with(host_that_said({"Memory failure: what"}), id);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].title, "1 page of this host's memory failed");
}

}  // namespace
}  // namespace tessera::plan::test
