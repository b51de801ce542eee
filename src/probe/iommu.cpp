// SPDX-License-Identifier: Apache-2.0
#include "probe/iommu.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "kernel/files.h"
#include "probe/read.h"

namespace tessera::probe {

namespace files = kernel::files;

namespace {

using Members = std::map<int, std::set<model::PciAddress>>;

void add_from_groups(const kernel::Root& root, Members& members) {
  auto groups = root.list(files::iommu_groups);
  if (!groups) return;
  for (const auto& name : *groups) {
    auto number = parse_int(name);
    if (!number || *number < 0) continue;
    auto& group = members[*number];
    auto devices = root.list(files::iommu_group(*number, "devices"));
    if (!devices) continue;
    for (const auto& device : *devices) {
      // Platform devices have groups too; they are no PCI functions.
      if (auto address = model::parse_pci_address(device)) group.insert(*address);
    }
  }
}

void add_from_functions(const std::vector<model::PciFunction>& functions, Members& members) {
  for (const auto& function : functions) {
    if (!function.iommu_group.has_value()) continue;
    members[function.iommu_group.value()].insert(function.address);
  }
}

void fill_in(const Members& members, std::vector<model::PciFunction>& functions) {
  std::map<model::PciAddress, int> group_of;
  for (const auto& [number, addresses] : members) {
    for (const auto& address : addresses) group_of.emplace(address, number);
  }
  for (auto& function : functions) {
    auto found = group_of.find(function.address);
    if (function.iommu_group.is_absent() && found != group_of.end()) {
      function.iommu_group = found->second;
    }
  }
}

}  // namespace

std::vector<model::IommuGroup> read_groups(const kernel::Root& root,
                                           std::vector<model::PciFunction>& functions) {
  Members members;
  add_from_groups(root, members);
  fill_in(members, functions);
  add_from_functions(functions, members);
  std::vector<model::IommuGroup> groups;
  for (const auto& [number, addresses] : members) {
    model::IommuGroup group;
    group.number = number;
    group.members.assign(addresses.begin(), addresses.end());
    group.type = read_text(root, files::iommu_group(number, "type"));
    auto regions = read_text(root, files::iommu_group(number, "reserved_regions"));
    group.reserved_regions = parse_reserved_regions(regions.value_or(""));
    groups.push_back(std::move(group));
  }
  return groups;
}

std::vector<model::ReservedRegion> parse_reserved_regions(std::string_view text) {
  std::vector<model::ReservedRegion> regions;
  for (auto line : text::lines(text)) {
    auto words = text::words(line);
    if (words.size() != 3) continue;
    auto first = text::to_number(words[0], 16);
    auto last = text::to_number(words[1], 16);
    if (first && last) regions.push_back({*first, *last, std::string(words[2])});
  }
  return regions;
}

}  // namespace tessera::probe
