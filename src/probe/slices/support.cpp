// SPDX-License-Identifier: Apache-2.0
#include "probe/slices/support.h"

#include <algorithm>
#include <cctype>
#include <tuple>

#include "base/text.h"
#include "kernel/files.h"
#include "probe/read.h"

namespace tessera::probe::slices {

namespace files = kernel::files;
using model::SliceSource;

namespace {

/// "nvidia-160" gives {"nvidia-", 160}: types of one kind go by their number.
std::pair<std::string, std::uint64_t> type_key(const model::Profile& profile) {
  const auto& type = profile.type;
  auto digits = type.size();
  while (digits > 0 && std::isdigit(static_cast<unsigned char>(type[digits - 1])) != 0) --digits;
  return {type.substr(0, digits), text::to_number(type.substr(digits)).value_or(0)};
}

void take_card(const kernel::Root& root, const model::HostSnapshot& host,
               const model::PciAddress& address, SliceSource& source) {
  const model::Card* const card = host.card_of(address);
  source.device = model::to_string(card ? card->address : address);
  if (card) source.card = card->address;
  if (card) source.name = card->name;
  const auto file = [&](std::string_view name) { return files::pci_device(source.device, name); };
  source.driver = read_link_name(root, file("driver")).value_or("");
  source.vf_total = read_int(root, file("sriov_totalvfs"));
  source.vf_enabled = read_int(root, file("sriov_numvfs"));
  source.vf_autoprobe = read_bool(root, file("sriov_drivers_autoprobe"));
}

}  // namespace

std::vector<VirtualFunction> virtual_functions(const kernel::Root& root,
                                               const std::string& physical) {
  constexpr std::string_view prefix = "virtfn";
  std::vector<VirtualFunction> all;
  const auto names = root.list(files::pci_device(physical));
  if (!names) return all;
  for (const auto& name : *names) {
    if (!name.starts_with(prefix)) continue;
    const auto index = parse_int(name.substr(prefix.size()));
    auto address = read_link_name(root, files::pci_device(physical, name));
    if (index && address.has_value()) all.push_back({*index, address.value()});
  }
  std::ranges::sort(all, {}, &VirtualFunction::index);
  return all;
}

std::optional<model::PciAddress> physical_function(const kernel::Root& root,
                                                   const std::string& device) {
  for (const auto& path :
       {files::pci_device(device, "physfn"), files::mdev_parent(device, "physfn")}) {
    const auto name = read_link_name(root, path);
    auto address = model::parse_pci_address(name.value_or(""));
    if (address) return *address;
  }
  return std::nullopt;
}

SliceSource& source_of(const kernel::Root& root, const model::HostSnapshot& host,
                       const std::string& device, model::Framework framework,
                       std::vector<SliceSource>& found) {
  SliceSource fresh;
  fresh.framework = framework;
  fresh.device = device;
  fresh.name = device;
  auto physical = physical_function(root, device);
  const auto own = model::parse_pci_address(device);
  if (physical || own) take_card(root, host, physical ? *physical : *own, fresh);
  auto known = std::ranges::find_if(found, [&](const SliceSource& source) {
    return source.device == fresh.device && source.framework == framework;
  });
  if (known != found.end()) return *known;
  found.push_back(std::move(fresh));
  return found.back();
}

bool is_taken(const std::vector<SliceSource>& found, const model::PciAddress& card) {
  return std::ranges::any_of(found, [&](const auto& source) { return source.card == card; });
}

model::SliceParent parent_at(const kernel::Root& root, std::string device, std::string directory) {
  model::SliceParent parent;
  parent.driver = read_link_name(root, directory + "/driver").value_or("");
  const auto group = read_link_name(root, directory + "/iommu_group");
  if (auto number = parse_int(group.value_or(""))) parent.iommu_group = *number;
  parent.device = std::move(device);
  parent.sysfs_path = std::move(directory);
  return parent;
}

void put_in_order(SliceSource& source) {
  std::ranges::sort(source.profiles, [](const auto& a, const auto& b) {
    return std::tuple(type_key(a), a.name) < std::tuple(type_key(b), b.name);
  });
  std::ranges::sort(source.parents, {}, &model::SliceParent::device);
  std::ranges::sort(source.slices, [](const model::Slice& a, const model::Slice& b) {
    return std::tie(a.parent, a.identity) < std::tie(b.parent, b.identity);
  });
}

}  // namespace tessera::probe::slices
