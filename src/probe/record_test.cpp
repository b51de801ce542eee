// SPDX-License-Identifier: Apache-2.0
#include "probe/record.h"

#include <gtest/gtest.h>

#include "probe/inline_host.h"
#include "probe/probe.h"

namespace tessera::probe {
namespace {

constexpr const char* card =
    "/sys/bus/pci/devices/0000:01:00.0\t-> ../../../devices/pci0000:00/0000:01:00.0\n"
    "/sys/bus/pci/devices/0000:01:00.0/modalias\t"
    "pci:v000010DEd00001DB4sv000010DEsd00001214bc03sc02i00\\n\n"
    "/sys/bus/pci/devices/0000:01:00.0/driver\t-> ../../../../bus/pci/drivers/nvidia\n"
    "/sys/bus/pci/devices/0000:01:00.0/drm/card1/dev\t226:1\\n\n"
    "/sys/bus/pci/devices/0000:01:00.0/rom\tnobody reads it\n"
    "/proc/sys/kernel/osrelease\t6.1.0\\n\n";

std::string recorded(const std::string& lines, Ids ids = Ids::scrubbed) {
  auto root = inline_host(std::string(card) + lines);
  auto text = record_host(root, ids);
  EXPECT_TRUE(text.has_value()) << one_line(text.error());
  EXPECT_FALSE(root.is_observed());
  return text.value_or("");
}

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

TEST(record, a_folder_that_was_only_listed_is_kept_and_a_file_that_nobody_read_is_not) {
  const auto text = recorded("");
  EXPECT_TRUE(has_line(text, "/sys/bus/pci/devices/0000:01:00.0/drm/card1\t@dir")) << text;
  EXPECT_EQ(text.find("/rom"), std::string::npos) << text;
}

TEST(record, only_processes_that_have_a_card_open_are_kept_and_only_that_of_their_files) {
  const auto text = recorded(
      "/proc/7/comm\tXorg\\n\n/proc/7/fd/3\t-> /dev/dri/card1\n/proc/7/fd/4\t-> /home/ada/x\n"
      "/proc/8/comm\tsshd\\n\n/proc/8/fd/3\t-> /dev/null\n");
  EXPECT_TRUE(has_line(text, "/proc/7/fd/3\t-> /dev/dri/card1")) << text;
  EXPECT_TRUE(has_line(text, "/proc/7/comm\tXorg\\n")) << text;
  EXPECT_EQ(text.find("/proc/7/fd/4"), std::string::npos) << text;
  EXPECT_EQ(text.find("/proc/8"), std::string::npos) << text;
}

TEST(record, of_the_table_of_aliases_only_what_fits_stays) {
  const auto text = recorded(
      "/lib/modules/6.1.0/modules.alias\t"
      "alias pci:v000010DEd*sv*sd*bc03sc02i00* nouveau\\n"
      "alias pci:v00001002d*sv*sd*bc03sc*i* amdgpu\\n"
      "alias vfio_pci:v*d*sv*sd*bc*sc*i* vfio_pci\\n\n");
  EXPECT_TRUE(has_line(text,
                       "/lib/modules/6.1.0/modules.alias\t"
                       "alias pci:v000010DEd*sv*sd*bc03sc02i00* nouveau\\n"
                       "alias vfio_pci:v*d*sv*sd*bc*sc*i* vfio_pci\\n"))
      << text;
}

TEST(record, the_kernel_s_configuration_becomes_the_options_that_are_asked_for) {
  const auto text = recorded(
      "/boot/config-6.1.0\tCONFIG_SMP=y\\nCONFIG_VFIO_PCI=m\\n# CONFIG_IOMMUFD is not set\\n\n");
  EXPECT_TRUE(
      has_line(text, "/boot/config-6.1.0\t# CONFIG_IOMMUFD is not set\\nCONFIG_VFIO_PCI=m\\n"))
      << text;
}

TEST(record, what_could_not_be_read_and_what_was_missing_stay_apart) {
  const std::string notes =
      "unreadable/sys/bus/pci/devices/0000:01:00.0/numa_node\tEACCES\n"
      "/sys/bus/pci/devices/0000:01:00.0/numa_node\t0\n"
      "absent/sys/kernel/iommu_groups\tyes\n"
      "complete\tyes\n";
  const auto text = recorded(notes);
  EXPECT_TRUE(has_line(text, "unreadable/sys/bus/pci/devices/0000:01:00.0/numa_node\tEACCES"));
  EXPECT_TRUE(has_line(text, "absent/sys/kernel/iommu_groups\tyes")) << text;
  EXPECT_TRUE(has_line(text, "complete\tyes")) << text;
  auto host = take_snapshot(inline_host(text));
  ASSERT_TRUE(host.has_value());
  EXPECT_EQ(host->functions.at(0).numa_node.why(), "EACCES");
  EXPECT_EQ(host->kernel.iommu_groups_present, model::Reading<bool>(false));
  EXPECT_TRUE(host->complete);
  EXPECT_FALSE(host->live);
}

TEST(record, addresses_of_the_kernel_s_modules_are_left_out) {
  const auto text = recorded("/proc/modules\tvfio 45056 1 - Live 0xffffffffc0a31000 (E)\\n\n");
  EXPECT_TRUE(has_line(text, "/proc/modules\tvfio 45056 1 - Live 0x0000000000000000\\n")) << text;
}

TEST(record, the_live_host_answers_the_same_from_its_recording) {
  auto live = kernel::Root::open("/");
  ASSERT_TRUE(live.has_value());
  auto text = record_host(*live, Ids::kept);
  ASSERT_TRUE(text.has_value()) << one_line(text.error());
  const auto seen = take_snapshot(*live, model::Detail::cards);
  const auto read_back = take_snapshot(inline_host(*text), model::Detail::cards);
  ASSERT_TRUE(seen.has_value());
  ASSERT_TRUE(read_back.has_value());
  ASSERT_EQ(seen->functions.size(), read_back->functions.size());
  for (std::size_t i = 0; i < seen->functions.size(); ++i) {
    EXPECT_EQ(seen->functions[i].address, read_back->functions[i].address);
    EXPECT_EQ(seen->functions[i].modalias, read_back->functions[i].modalias);
    EXPECT_EQ(seen->functions[i].sysfs_path, read_back->functions[i].sysfs_path);
  }
  EXPECT_TRUE(read_back->complete);
}

}  // namespace
}  // namespace tessera::probe
