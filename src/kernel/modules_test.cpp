// SPDX-License-Identifier: Apache-2.0
#include "kernel/modules.h"

#include <gtest/gtest.h>

#include "kernel/test_root.h"

namespace tessera::kernel {
namespace {

constexpr std::string_view table =
    "# Aliases extracted from modules themselves.\n"
    "alias pci:v000010DEd*sv*sd*bc03sc00i00* nouveau\n"
    "alias vfio_pci:v*d*sv*sd*bc*sc*i* vfio_pci\n"
    "alias vfio_pci:v000015B3d0000101Esv*sd*bc*sc*i* mlx5_vfio_pci\n"
    "alias vfio_pci:v00008086d0000E20Bsv*sd*bc*sc*i* xe_vfio_pci\n"
    "alias symbol:foo bar\n"
    "alias vfio_pci:broken\n"
    "alias vfio_pci:v00008086d0000E20Bsv*sd*bc*sc*i* second_vfio_pci";

std::vector<ModuleAlias> aliases_of(std::string_view text, const std::string& start) {
  return parse_modules_alias(text, {&start, 1});
}

constexpr std::string_view geforce = "pci:v000010DEd00001B80sv000010DEsd0000119Ebc03sc00i00";
constexpr std::string_view connectx = "pci:v000015B3d0000101Esv000015B3sd00000001bc02sc00i00";
constexpr std::string_view battlemage = "pci:v00008086d0000E20Bsv00008086sd00001100bc03sc00i00\n";

TEST(ModulesAlias, keeps_the_lines_with_the_prefix) {
  auto aliases = aliases_of(table, "vfio_pci:");
  ASSERT_EQ(aliases.size(), 4U);
  EXPECT_EQ(aliases[0].pattern, "vfio_pci:v*d*sv*sd*bc*sc*i*");
  EXPECT_EQ(aliases[0].module, "vfio_pci");
  EXPECT_EQ(aliases[3].module, "second_vfio_pci");
  EXPECT_EQ(aliases_of(table, "pci:").size(), 1U);
  EXPECT_TRUE(aliases_of("", "pci:").empty());
}

TEST(ModulesAlias, keeps_the_order_of_the_file_when_several_starts_are_asked_for) {
  const std::string starts[] = {"vfio_pci:v00008086", "pci:v000010DE"};
  auto aliases = parse_modules_alias(table, starts);
  ASSERT_EQ(aliases.size(), 3U);
  EXPECT_EQ(aliases[0].module, "nouveau");
  EXPECT_EQ(aliases[1].module, "xe_vfio_pci");
  EXPECT_EQ(aliases[2].module, "second_vfio_pci");
}

TEST(ModulesAlias, survives_a_file_of_forty_thousand_lines) {
  std::string large;
  for (int i = 0; i < 40000; ++i) large += "alias pci:v0000FFFFd*sv*sd*bc*sc*i* some\n";
  large += table;
  EXPECT_EQ(aliases_of(large, "vfio_pci:").size(), 4U);
  EXPECT_EQ(aliases_of(large, "pci:").size(), 40001U);
}

TEST(BestVfioModule, is_vfio_pci_where_no_variant_fits) {
  EXPECT_EQ(best_vfio_module(aliases_of(table, "vfio_pci:"), geforce), "vfio_pci");
}

TEST(BestVfioModule, is_the_variant_driver_with_the_fewest_wildcards_and_the_first_of_equals) {
  auto aliases = aliases_of(table, "vfio_pci:");
  EXPECT_EQ(best_vfio_module(aliases, connectx), "mlx5_vfio_pci");
  EXPECT_EQ(best_vfio_module(aliases, battlemage), "xe_vfio_pci");
}

TEST(BestVfioModule, is_empty_where_none_fits) {
  EXPECT_EQ(best_vfio_module({}, geforce), "");
  auto aliases = aliases_of(table, "vfio_pci:");
  EXPECT_EQ(best_vfio_module(aliases, "usb:v1D6Bp0002"), "");
  EXPECT_EQ(best_vfio_module(aliases, ""), "");
  EXPECT_EQ(best_vfio_module(aliases_of(table, "pci:"), geforce), "");
}

TEST(ModulePresent, takes_both_spellings) {
  TestDirectory host;
  host.directory("/sys/module/vfio_pci");
  auto root = open_or_die(host.real());
  EXPECT_TRUE(module_present(root, "vfio-pci"));
  EXPECT_TRUE(module_present(root, "vfio_pci"));
  EXPECT_FALSE(module_present(root, "nouveau"));
  EXPECT_FALSE(module_present(root, "../module/vfio_pci"));
}

TEST(RehearsalModules, are_asked_for_through_the_control_file) {
  TestDirectory host;
  host.file("/.rehearsal/modprobe", "");
  auto root = open_or_die(host.real());
  ASSERT_TRUE(load_module(root, "vfio-pci"));
  EXPECT_EQ(host.content("/.rehearsal/modprobe"), "load vfio_pci\n");
  ASSERT_TRUE(unload_module(root, "vfio_virqfd"));
  EXPECT_EQ(host.content("/.rehearsal/modprobe"), "unload vfio_virqfd\n");
}

TEST(RehearsalModules, stay_while_a_device_is_bound_to_their_driver) {
  // The kernel would unload vfio_pci and leave the card without a driver.
  TestDirectory host;
  host.file("/.rehearsal/modprobe", "");
  host.link("/sys/module/vfio_pci/drivers/pci:vfio-pci", "/sys/bus/pci/drivers/vfio-pci");
  host.link("/sys/bus/pci/drivers/vfio-pci/module", "/sys/module/vfio_pci");
  host.link("/sys/bus/pci/drivers/vfio-pci/0000:02:00.0", "/sys/devices/pci0000:00/0000:02:00.0");
  auto unloaded = unload_module(open_or_die(host.real()), "vfio-pci");
  ASSERT_FALSE(unloaded);
  EXPECT_EQ(unloaded.error().kind, ErrorKind::busy);
  EXPECT_NE(unloaded.error().sentence.find("0000:02:00.0"), std::string::npos);
  EXPECT_EQ(host.content("/.rehearsal/modprobe"), "");
}

TEST(RehearsalModules, are_unsupported_without_a_kernel) {
  TestDirectory host;
  host.file("/tree.tsv", "/sys/a\t1\n");
  for (const auto& location : {host.real(), host.real("/tree.tsv")}) {
    auto status = load_module(open_or_die(location), "vfio-pci");
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind, ErrorKind::unsupported);
    EXPECT_EQ(status.error().subject, "vfio_pci");
  }
}

TEST(LiveModules, a_name_that_no_kernel_has_is_not_found_and_modprobe_is_named) {
  auto status = load_module(open_or_die("/"), "tessera-no-such-module");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::not_found) << one_line(status.error());
  EXPECT_NE(status.error().hint.find("modprobe"), std::string::npos);
  auto unloaded = unload_module(open_or_die("/"), "tessera-no-such-module");
  ASSERT_FALSE(unloaded);
  EXPECT_EQ(unloaded.error().kind, ErrorKind::not_found) << one_line(unloaded.error());
}

TEST(LiveModules, a_name_with_other_characters_is_invalid) {
  for (auto name : {"", "../vfio", "vfio pci", "a\nload b"}) {
    auto status = load_module(open_or_die("/"), name);
    ASSERT_FALSE(status) << name;
    EXPECT_EQ(status.error().kind, ErrorKind::invalid) << name;
  }
}

}  // namespace
}  // namespace tessera::kernel
