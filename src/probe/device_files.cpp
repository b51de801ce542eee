// SPDX-License-Identifier: Apache-2.0
#include "probe/device_files.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "kernel/files.h"

namespace tessera::probe {

namespace files = kernel::files;

namespace {

using Paths = std::vector<std::string>;

Paths names_in(const kernel::Root& root, const std::string& directory) {
  auto names = root.list(directory);
  return names ? std::move(*names) : Paths{};
}

bool starts_with_any(std::string_view name, std::initializer_list<std::string_view> prefixes) {
  return std::ranges::any_of(prefixes, [&](auto prefix) { return name.starts_with(prefix); });
}

void add_drm(const kernel::Root& root, const std::string& device, Paths& paths) {
  for (const auto& name : names_in(root, device + "/drm")) {
    if (starts_with_any(name, {"card", "renderD"})) {
      paths.push_back(fmt::format("{}/{}", files::dev_dri, name));
    }
  }
}

void add_sound(const kernel::Root& root, const std::string& device, Paths& paths) {
  for (const auto& card : names_in(root, device + "/sound")) {
    if (!card.starts_with("card")) continue;
    for (const auto& name : names_in(root, fmt::format("{}/sound/{}", device, card))) {
      if (starts_with_any(name, {"control", "pcm", "hw", "midi"})) {
        paths.push_back(fmt::format("{}/{}", files::dev_snd, name));
      }
    }
  }
}

void add_framebuffers(const kernel::Root& root, const std::string& device, Paths& paths) {
  for (const auto& name : names_in(root, device + "/graphics")) {
    if (name.starts_with("fb")) paths.push_back(fmt::format("{}/{}", files::dev_mem_root, name));
  }
}

/// The vendor's driver says in "information" which /dev/nvidiaN is this GPU's; 255 is "none".
void add_nvidia(const kernel::Root& root, const std::string& bdf, Paths& paths) {
  auto information = root.read(fmt::format("{}/{}/information", files::proc_nvidia_gpus, bdf));
  if (!information) return;
  for (auto line : text::lines(*information)) {
    constexpr std::string_view key = "Device Minor:";
    if (!line.starts_with(key)) continue;
    auto minor = text::to_number(text::trim(line.substr(key.size())));
    if (minor && *minor < 255) {
      paths.push_back(fmt::format("{}/nvidia{}", files::dev_mem_root, *minor));
    }
  }
}

void add_vfio(const kernel::Root& root, const std::string& device,
              const model::PciFunction& function, bool has_vfio_device, Paths& paths) {
  if (has_vfio_device) {
    for (const auto& name : names_in(root, device + "/vfio-dev")) {
      paths.push_back(fmt::format("{}/devices/{}", files::dev_vfio, name));
    }
  }
  bool on_vfio = has_vfio_device || function.driver.find("vfio") != std::string::npos;
  if (on_vfio && function.iommu_group.has_value()) {
    paths.push_back(fmt::format("{}/{}", files::dev_vfio, function.iommu_group.value()));
  }
}

}  // namespace

std::vector<std::string> device_files_of(const kernel::Root& root,
                                         const model::PciFunction& function,
                                         const std::vector<std::string>& names) {
  std::string bdf = to_string(function.address);
  std::string device = files::pci_device(bdf);
  auto has = [&](std::string_view name) { return std::ranges::binary_search(names, name); };
  Paths paths;
  if (has("drm")) add_drm(root, device, paths);
  if (has("sound")) add_sound(root, device, paths);
  if (has("graphics")) add_framebuffers(root, device, paths);
  if (function.driver == "nvidia") add_nvidia(root, bdf, paths);
  add_vfio(root, device, function, has("vfio-dev"), paths);
  std::ranges::sort(paths);
  return paths;
}

}  // namespace tessera::probe
