// SPDX-License-Identifier: Apache-2.0
#include "probe/holders.h"

#include <algorithm>
#include <map>
#include <string>

namespace tessera::probe {

std::vector<model::Holder> find_holders(const model::HostSnapshot& host,
                                        const kernel::OpenDeviceScan& scan) {
  std::map<std::string, model::PciAddress> owner_of;
  for (const auto& card : host.cards) {
    for (const auto& address : card.functions) {
      const model::PciFunction* function = host.function(address);
      if (function == nullptr) continue;
      for (const auto& path : function->device_files) owner_of.emplace(path, address);
    }
  }
  std::vector<model::Holder> holders;
  for (const auto& process : scan.processes) {
    std::map<model::PciAddress, std::vector<std::string>> held;
    for (const auto& path : process.paths) {
      auto owner = owner_of.find(path);
      if (owner != owner_of.end()) held[owner->second].push_back(path);
    }
    for (auto& [address, paths] : held) {
      holders.push_back({process.pid, process.name, process.unit, address, std::move(paths)});
    }
  }
  std::ranges::sort(holders, {},
                    [](const model::Holder& h) { return std::pair(h.pid, h.function); });
  return holders;
}

}  // namespace tessera::probe
