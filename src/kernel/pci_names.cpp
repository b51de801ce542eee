// SPDX-License-Identifier: Apache-2.0
#include "kernel/pci_names.h"

#include <fmt/format.h>
#include <libudev.h>

namespace tessera::kernel {

namespace {

std::string value_of(udev_list_entry* properties, const char* name) {
  udev_list_entry* found = ::udev_list_entry_get_by_name(properties, name);
  const char* value = found != nullptr ? ::udev_list_entry_get_value(found) : nullptr;
  return value != nullptr ? value : "";
}

}  // namespace

void PciNameTable::Close::operator()(udev_hwdb* table) const {
  ::udev_hwdb_unref(table);
}

PciNameTable::PciNameTable() {
  udev* context = ::udev_new();
  if (context == nullptr) return;
  table_.reset(::udev_hwdb_new(context));
  ::udev_unref(context);
}

PciNames PciNameTable::names(std::uint16_t vendor, std::uint16_t device) const {
  if (!table_) return {};
  const std::string modalias = fmt::format("pci:v{:08X}d{:08X}", vendor, device);
  udev_list_entry* properties =
      ::udev_hwdb_get_properties_list_entry(table_.get(), modalias.c_str(), 0);
  return {.vendor = value_of(properties, "ID_VENDOR_FROM_DATABASE"),
          .device = value_of(properties, "ID_MODEL_FROM_DATABASE")};
}

}  // namespace tessera::kernel
