// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kernel/root.h"
#include "model/host.h"

namespace tessera::probe {

/// Every PCI function of /sys/bus/pci/devices, sorted by address. What other subjects fill in
/// (vfio_module, usual_driver) is left empty. A host without that directory has no functions.
/// Errors: denied or io when the directory is there and cannot be listed.
Result<std::vector<model::PciFunction>> read_functions(const kernel::Root& root);

/// One of them.
model::PciFunction read_function_at(const kernel::Root& root, const model::PciAddress& address);

/// The same with Detail::cards: address, ids, class and path of every function; names, driver,
/// group and node of the cards' functions only. Of each other function one file and one link are
/// read; of a card's virtual functions nothing, where its own files say which they are: these have
/// address, path and physical function only.
Result<std::vector<model::PciFunction>> read_card_functions(const kernel::Root& root);

/// The key of the note in which a recording keeps a device's names: "pci-name/10de:1db4".
std::string pci_name_note(std::uint16_t vendor, std::uint16_t device);

/// What a modalias file says, "pci:v000010DEd00001DB4sv000010DEsd00001214bc03sc02i00".
struct ModaliasIds {
  std::uint16_t vendor = 0;
  std::uint16_t device = 0;
  std::uint16_t subsystem_vendor = 0;
  std::uint16_t subsystem_device = 0;
  std::uint32_t class_code = 0;
  bool operator==(const ModaliasIds&) const = default;
};
/// Nothing on a text of another form.
std::optional<ModaliasIds> parse_modalias(std::string_view text);

/// "/sys/devices/pci0000:00/..." from the target of a link in /sys/bus/pci/devices
/// ("../../../devices/pci0000:00/..."); empty for a link that leads elsewhere.
std::string sysfs_path_of_link(std::string_view target);

using model::addresses_in_path;

}  // namespace tessera::probe
