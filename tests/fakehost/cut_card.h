// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include <fmt/format.h>

/// Lines of recordings for the tests of cards that are cut: a card at 0000:41:00.0 and its virtual
/// functions.
namespace tessera::fakehost {

inline constexpr const char* header = "ID    : vGPU Name\n";

inline std::string device(std::string_view address, std::string_view file = {}) {
  return fmt::format("/sys/bus/pci/devices/{}{}{}", address, file.empty() ? "" : "/", file);
}

/// Lines of a recording: a function with what every one has.
inline std::string function(std::string_view address, std::string_view id, std::string_view driver,
                            int group, std::string_view device_class = "0x030200") {
  auto at = device(address);
  return fmt::format(
      "{0}\t-> ../../../devices/pci0000:40/0000:40:01.0/{1}\n"
      "{0}/class\t{2}\\n\n{0}/vendor\t0x{3}\\n\n{0}/device\t0x{4}\\n\n"
      "{0}/driver\t-> /sys/bus/pci/drivers/{5}\n"
      "{0}/iommu_group\t-> /sys/kernel/iommu_groups/{6}\n",
      at, address, device_class, id.substr(0, 4), id.substr(5), driver, group);
}

inline constexpr const char* card = "0000:41:00.0";

inline std::string vf(int index) {
  constexpr int first = 4;
  constexpr int functions = 8;
  int number = first + index;
  return fmt::format("0000:41:{:02x}.{}", number / functions, number % functions);
}

inline std::string vendor_file(int index, std::string_view file) {
  return device(vf(index), fmt::format("nvidia/{}", file));
}

/// A card with `count` virtual functions that list `types` ("1147  : NVIDIA L40S-1Q\n...").
inline std::string vendor_host(std::string_view id, int count, std::string_view types) {
  auto text = function(card, id, "nvidia", 10) + fmt::format("{}\t32\\n\n{}\t{}\\n\n",
                                                             device(card, "sriov_totalvfs"),
                                                             device(card, "sriov_numvfs"), count);
  for (int i = 0; i < count; ++i) {
    text += function(vf(i), id, "nvidia", 11 + i);
    text += fmt::format("{}\t-> ../{}\n", device(vf(i), "physfn"), card);
    text += fmt::format("{}\t-> ../{}\n", device(card, fmt::format("virtfn{}", i)), vf(i));
    text += fmt::format("{}\t0\\n\n", vendor_file(i, "current_vgpu_type"));
    text +=
        fmt::format("{}\tID    : vGPU Name\\n{}\n", vendor_file(i, "creatable_vgpu_types"), types);
  }
  return text;
}

inline constexpr const char* l40s_types =
    "1147  : NVIDIA L40S-1Q\\n1149  : NVIDIA L40S-3Q\\n1152  : NVIDIA L40S-8Q\\n"
    "1153  : NVIDIA L40S-12Q\\n1155  : NVIDIA L40S-24Q\\n1156  : NVIDIA L40S-48Q\\n"
    "1162  : NVIDIA L40S-8A\\n";

/// A card without virtual functions, and what they will have.
inline std::string card_with_functions_off(std::string_view id, std::string_view types) {
  return function(card, id, "nvidia", 10) +
         fmt::format(
             "{0}\t32\\n\n{1}\t4\\n\n{2}\t1\\n\n"
             "vf-files/{3}/nvidia/current_vgpu_type\t0\\n\n"
             "vf-files/{3}/nvidia/warm_update\t0\\n\n"
             "vf-files/{3}/nvidia/creatable_vgpu_types\tID    : vGPU Name\\n{4}\n",
             device(card, "sriov_totalvfs"), device(card, "sriov_offset"),
             device(card, "sriov_stride"), id, types);
}

inline constexpr const char* manage = "/usr/lib/nvidia/sriov-manage";
inline constexpr const char* numvfs = "/sys/bus/pci/devices/0000:41:00.0/sriov_numvfs";

}  // namespace tessera::fakehost
