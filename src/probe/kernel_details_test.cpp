// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "probe/inline_host.h"
#include "probe/memory.h"
#include "probe/probe.h"
#include "probe/settings.h"
#include "probe/system.h"

namespace tessera::probe {
namespace {

using Names = std::vector<std::string>;

TEST(KernelDetails, only_options_that_matter_are_kept) {
  auto config = parse_kernel_config(
      "# Automatically generated\nCONFIG_64BIT=y\nCONFIG_IOMMUFD=m\n# CONFIG_VFIO_PCI_VGA is not "
      "set\n");
  EXPECT_EQ(config, (model::KernelConfig{{"CONFIG_IOMMUFD", "m"}, {"CONFIG_VFIO_PCI_VGA", "n"}}));
}

TEST(KernelDetails, a_configuration_says_where_it_was_read) {
  auto host =
      take_snapshot(inline_host("/proc/sys/kernel/osrelease\t6.12.1\n"
                                "/boot/config-6.12.1\t# CONFIG_IOMMUFD is not set\\n\n"));
  ASSERT_TRUE(host);
  EXPECT_EQ(host->kernel.option("CONFIG_IOMMUFD"), "n");
  EXPECT_EQ(host->kernel.option("CONFIG_VFIO_PCI"), "");
  EXPECT_EQ(host->kernel.config_path, "/boot/config-6.12.1");
}

TEST(KernelDetails, a_module_is_known_by_its_file_or_as_built_in) {
  EXPECT_EQ(modules_without_file({"vfio_pci", "loop", "vfio_virqfd"},
                                 "kernel/drivers/vfio/pci/vfio-pci.ko.xz: kernel/x.ko\n",
                                 "kernel/drivers/block/loop.ko\n"),
            Names{"vfio_virqfd"});
}

TEST(KernelDetails, the_lockdown_mode_is_the_one_in_brackets) {
  EXPECT_EQ(parse_lockdown("none [integrity] confidentiality\n"), "integrity");
  EXPECT_EQ(parse_lockdown("none integrity"), "");
}

TEST(KernelDetails, limits_and_capabilities_of_a_process) {
  EXPECT_EQ(parse_memlock_limit("Max stack size 8388608 unlimited bytes\nMax locked memory         "
                                "8388608              8388608              bytes\n"),
            "8388608");
  EXPECT_EQ(parse_memlock_limit("nothing"), "");
  EXPECT_EQ(parse_ipc_lock("Name:\tx\nCapEff:\t000001ffffffffff\n"), true);
  EXPECT_EQ(parse_ipc_lock("CapEff:\t0000000000000000\n"), false);
  EXPECT_TRUE(parse_ipc_lock("CapEff:\tsomething\n").is_absent());
}

TEST(KernelDetails, os_release_values_lose_their_quotes) {
  EXPECT_EQ(os_release_value("ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n", "PRETTY_NAME"),
            "Debian GNU/Linux 12");
  EXPECT_EQ(os_release_value("ID=debian\n", "ID_LIKE"), "");
}

TEST(KernelDetails, a_host_tells_how_it_boots) {
  auto root = inline_host(
      "/etc/os-release\tID=linuxmint\\nID_LIKE=\"ubuntu debian\"\\n\n"
      "/etc/initramfs-tools/modules\tvfio\\nvfio_virqfd\\n\n"
      "/proc/sys/kernel/osrelease\t6.12.1\n"
      "/lib/modules/6.12.1/modules.dep\tkernel/drivers/vfio/vfio.ko:\\n\n"
      "/sys/firmware/efi\t@dir\n"
      "/etc/modprobe.d/b.conf\tblacklist nouveau\\n\n"
      "/etc/modprobe.d/a.conf\toptions vfio-pci ids=1:2\\n\n"
      "/etc/modprobe.d/a.conf.bak\tnot read\n");
  auto host = take_snapshot(root);
  ASSERT_TRUE(host);
  EXPECT_EQ(host->boot.flow, "debian");
  EXPECT_EQ(host->boot.initramfs, "initramfs-tools");
  EXPECT_EQ(host->kernel.unknown_modules, Names{"vfio_virqfd"});
  EXPECT_TRUE(host->kernel.secure_boot.is_absent()) << "a recording without the variable";
  Names paths;
  for (const auto& file : host->settings) paths.push_back(file.path);
  EXPECT_EQ(paths, (Names{"/etc/initramfs-tools/modules", "/etc/modprobe.d/a.conf",
                          "/etc/modprobe.d/b.conf"}));
}

TEST(KernelDetails, secure_boot_is_the_fifth_byte) {
  constexpr auto variable =
      "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c\t@hex(5) "
      "06000000";
  auto on = take_snapshot(inline_host(std::string(variable) + "01\n"));
  auto off = take_snapshot(inline_host(std::string(variable) + "00\n"));
  ASSERT_TRUE(on && off);
  EXPECT_EQ(on->kernel.secure_boot, true);
  EXPECT_EQ(off->kernel.secure_boot, false);
}

TEST(Memory, nodes_have_their_pages_and_distances) {
  auto root = inline_host(
      "/sys/devices/system/node/node1/cpulist\t8-15\n"
      "/sys/devices/system/node/node1/meminfo\tNode 1 MemTotal:       1024 kB\\nNode 1 MemFree:   "
      "512 kB\\n\n"
      "/sys/devices/system/node/node1/distance\t21 10\n"
      "/sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages\t4\n"
      "/sys/devices/system/node/node0/cpulist\t\n"
      "/sys/devices/system/node/has_cpu\t1\n");
  auto nodes = read_memory_nodes(root);
  ASSERT_EQ(nodes.size(), 2U);
  EXPECT_EQ(nodes[0].cpus, std::string());
  EXPECT_TRUE(nodes[0].memory_kib.is_absent());
  EXPECT_EQ(nodes[1].memory_kib, std::uint64_t{1024});
  EXPECT_EQ(nodes[1].free_kib, std::uint64_t{512});
  EXPECT_EQ(nodes[1].distances, (std::vector<int>{21, 10}));
  ASSERT_EQ(nodes[1].huge_pages.size(), 1U);
  EXPECT_EQ(nodes[1].huge_pages[0].total, std::uint64_t{4});
  EXPECT_TRUE(nodes[1].huge_pages[0].free.is_absent());
}

TEST(Memory, processor_lists_are_numbers) {
  EXPECT_EQ(parse_cpu_list("0-2,8\n"), (std::vector<int>{0, 1, 2, 8}));
  EXPECT_EQ(parse_cpu_list(""), std::vector<int>{});
  EXPECT_FALSE(parse_cpu_list("3-1"));
  EXPECT_FALSE(parse_cpu_list("0-99999999"));
}

TEST(Memory, hwloc_sees_a_recorded_hosts_packages_cores_and_threads) {
  auto root = kernel::Root::open(TESSERA_TESTS_DIR "/hosts/healthy-nvidia-server/tree.tsv");
  ASSERT_TRUE(root);
  auto processors = read_processors(*root);
  ASSERT_TRUE(processors.has_value());
  EXPECT_EQ(processors.value().packages, 2);
  EXPECT_EQ(processors.value().cores.size(), 16U);
  EXPECT_EQ(processors.value().threads(), 32);
  ASSERT_EQ(processors.value().last_level_caches.size(), 2U);
  EXPECT_EQ(processors.value().last_level_caches[1].size_kib, 36864U);
}

TEST(Detail, a_list_of_cards_reads_no_configuration_space) {
  auto root = kernel::Root::open(TESSERA_TESTS_DIR "/hosts/healthy-nvidia-server/tree.tsv");
  ASSERT_TRUE(root);
  auto cards = take_snapshot(*root, model::Detail::cards);
  auto all = take_snapshot(*root);
  ASSERT_TRUE(cards && all);
  ASSERT_EQ(cards->cards.size(), all->cards.size());
  for (std::size_t i = 0; i < all->cards.size(); ++i) {
    EXPECT_EQ(cards->cards[i].identity, all->cards[i].identity);
    EXPECT_EQ(cards->cards[i].name, all->cards[i].name);
    EXPECT_EQ(cards->cards[i].groups, all->cards[i].groups);
  }
  for (const auto& function : cards->functions) EXPECT_TRUE(function.capabilities.is_absent());
}

}  // namespace
}  // namespace tessera::probe
