// SPDX-License-Identifier: Apache-2.0
#include "probe/machines.h"

#include <gtest/gtest.h>

#include "probe/bus_errors.h"
#include "probe/inline_host.h"
#include "probe/probe.h"
#include "probe/record.h"

namespace tessera::probe {
namespace {

using Kind = model::BusErrors::Kind;

std::string command_line(std::initializer_list<std::string_view> words) {
  std::string line;
  for (const auto word : words) line += std::string(word) + '\0';
  return line;
}

TEST(machines, a_machine_has_the_name_that_qemu_was_given) {
  EXPECT_EQ(machine_name(command_line({"qemu", "-name", "desk1,debug-threads=on"})), "desk1");
  EXPECT_EQ(machine_name(command_line({"qemu", "-name", "guest=desk,,1,debug-threads=on"})),
            "desk,1");
  EXPECT_EQ(machine_name(command_line({"qemu", "-name", "process=x,guest=desk1"})), "desk1");
  EXPECT_EQ(machine_name(command_line({"qemu", "-name", "process=x"})), "");
  EXPECT_EQ(machine_name(command_line({"qemu", "-name"})), "");
  EXPECT_EQ(machine_name(""), "");
}

constexpr std::string_view host_lines =
    "/sys/bus/pci/devices/0000:01:00.0\t-> ../../../devices/pci0000:00/0000:00:01.0/0000:01:00.0\n"
    "/sys/bus/pci/devices/0000:00:01.0\t-> ../../../devices/pci0000:00/0000:00:01.0\n"
    "/sys/devices/pci0000:00/0000:00:01.0/class\t0x060400\n"
    "/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0/class\t0x030000\n"
    "/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0/vendor\t0x10de\n"
    "/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0/device\t0x1db4\n"
    "/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0/aer_dev_correctable\tRxErr "
    "5\\nTOTAL_ERR_COR 5\\n\n"
    "/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0/aer_dev_nonfatal\tCmpltTO 1\\nUnsupReq "
    "0\\nTOTAL_ERR_NONFATAL 1\\n\n"
    "/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0/aer_dev_fatal\tTOTAL_ERR_FATAL 0\\n\n"
    "/proc/812/comm\tqemu-system-x86\n"
    "/proc/812/cmdline\t@hex(28) 71656d75002d6e616d650067756573743d6465736b3100782d6b6579\n"
    "/proc/812/fd/3\t-> anon_inode:kvm-vm\n"
    "/proc/meminfo\tMemTotal: 4096 kB\\nHardwareCorrupted:     4 kB\\n\n"
    "/var/log/libvirt/qemu/desk1.log\tstarted\\nqemu: warning: Guest MCE Memory Error at QEMU addr "
    "0x7f9df8200000 and GUEST addr 0x400000 of type BUS_MCEERR_AO injected\\n\n"
    "/var/log/libvirt/qemu/desk2.log\tstarted\\n\n";

TEST(machines, a_host_tells_its_machines_and_what_failed_under_them) {
  auto root = inline_host(host_lines);
  const auto host = take_snapshot(root);
  ASSERT_TRUE(host) << one_line(host.error());
  ASSERT_EQ(host->machines.size(), 1U);
  EXPECT_EQ(host->machines[0].name, "desk1");
  EXPECT_EQ(host->machines[0].process, "qemu-system-x86");
  EXPECT_EQ(host->failed_memory_kib, model::Reading<std::uint64_t>(4));
  ASSERT_EQ(host->machine_memory_errors.size(), 1U);
  EXPECT_EQ(host->machine_memory_errors[0].machine, "desk1");
  const auto& errors = host->functions[1].bus_errors;
  ASSERT_TRUE(errors.has_value());
  EXPECT_EQ(errors.value(), (std::vector<model::BusErrors>{{Kind::nonfatal, "CmpltTO", 1},
                                                           {Kind::corrected, "RxErr", 5}}));
  EXPECT_TRUE(host->functions[0].bus_errors.is_absent());

  const auto kept = record_host(root, Ids::kept);
  ASSERT_TRUE(kept);
  EXPECT_NE(kept->find("6465736b31"), std::string::npos) << "the name";
  EXPECT_EQ(kept->find("782d6b6579"), std::string::npos) << "nothing else of the command line";
  EXPECT_EQ(kept->find("/var/log/libvirt"), std::string::npos) << "logs hold command lines";
  const auto scrubbed = record_host(root, Ids::scrubbed);
  ASSERT_TRUE(scrubbed);
  EXPECT_EQ(scrubbed->find("6465736b31"), std::string::npos) << "not even the name";
  EXPECT_NE(scrubbed->find("anon_inode:kvm-vm"), std::string::npos);
}

TEST(bus_error_counters, names_may_have_blanks_and_what_is_not_counted_is_left_out) {
  EXPECT_EQ(parse_bus_errors("Receiver Error 2\nBad TLP 0\nTOTAL_ERR_COR 2\n", Kind::corrected),
            (std::vector<model::BusErrors>{{Kind::corrected, "Receiver Error", 2}}));
  EXPECT_TRUE(parse_bus_errors("what\n\nDLP -1\nDLP x\n 3\n", Kind::fatal).empty());
}

}  // namespace
}  // namespace tessera::probe
