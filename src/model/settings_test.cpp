// SPDX-License-Identifier: Apache-2.0
#include "model/settings.h"

#include <gtest/gtest.h>

namespace tessera::model {
namespace {

using Words = std::vector<std::string>;

TEST(Settings, modprobe_lines_are_joined_and_comments_left_out) {
  auto lines = modprobe_lines({"/etc/modprobe.d/a.conf",
                               "# a comment\noptions vfio-pci \\\n  ids=10de:1b06,10de:10ef\n\n"
                               "blacklist nouveau\n"});
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].number, 2);
  EXPECT_EQ(lines[0].words, (Words{"options", "vfio-pci", "ids=10de:1b06,10de:10ef"}));
  EXPECT_EQ(lines[1].number, 5);
}

TEST(Settings, a_module_list_keeps_parameters) {
  auto lines = listed_modules({"/etc/modules", "; old\nvfio # needed\nvfio_pci ids=10de:1b06\n"});
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].words, (Words{"vfio"}));
  EXPECT_EQ(lines[1].words, (Words{"vfio_pci", "ids=10de:1b06"}));
  EXPECT_EQ(lines[1].number, 3);
}

TEST(Settings, assignments_lose_their_quotes) {
  auto lines =
      assignments({"/etc/default/grub",
                   "GRUB_TIMEOUT=5\n#GRUB_X=1\nGRUB_CMDLINE_LINUX_DEFAULT=\"quiet iommu=pt\"\n"
                   "if x; then\nadd_drivers+=\" vfio_pci \"\nMODULES=(vfio vfio_pci)\n"});
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[1].words, (Words{"GRUB_CMDLINE_LINUX_DEFAULT=", "quiet iommu=pt"}));
  EXPECT_EQ(lines[2].words, (Words{"add_drivers+=", " vfio_pci "}));
  EXPECT_EQ(lines[3].words, (Words{"MODULES=", "vfio vfio_pci"}));
}

TEST(Settings, kernel_arguments_keep_what_is_quoted_together) {
  auto arguments =
      kernel_arguments("quiet dyndbg=\"file a +p\" vfio-pci.ids=10de:1b06 iommu=pt iommu=off\n");
  EXPECT_EQ(arguments.size(), 5U);
  EXPECT_EQ(arguments[1], "dyndbg=file a +p");
  EXPECT_EQ(argument_value(arguments, "vfio_pci.ids"), "10de:1b06");
  EXPECT_EQ(argument_value(arguments, "iommu"), "off");
  EXPECT_EQ(argument_value(arguments, "quiet"), "");
  EXPECT_FALSE(argument_value(arguments, "iommufd"));
}

TEST(Settings, kinds_follow_the_path) {
  EXPECT_EQ(settings_kind("/etc/modprobe.d/vfio.conf"), SettingsKind::modprobe);
  EXPECT_EQ(settings_kind("/etc/modules-load.d/vfio.conf"), SettingsKind::module_list);
  EXPECT_EQ(settings_kind("/etc/modules"), SettingsKind::module_list);
  EXPECT_EQ(settings_kind("/etc/initramfs-tools/modules"), SettingsKind::initramfs_modules);
  EXPECT_EQ(settings_kind("/etc/default/grub.d/iommu.cfg"), SettingsKind::grub);
  EXPECT_EQ(settings_kind("/etc/kernel/cmdline"), SettingsKind::kernel_command_line);
}

}  // namespace
}  // namespace tessera::model
