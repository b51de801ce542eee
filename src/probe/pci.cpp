// SPDX-License-Identifier: Apache-2.0
#include "probe/pci.h"

#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>

#include "base/text.h"
#include "base/uuid.h"
#include "kernel/files.h"
#include "kernel/recording.h"
#include "probe/cards.h"
#include "probe/config_space.h"
#include "probe/device_files.h"
#include "probe/pci_files.h"
#include "probe/read.h"

namespace tessera::probe {

using model::PciFunction;
using model::Reading;
namespace files = kernel::files;

namespace {

/// One read of modalias tells all five; false where it has another form, or there is none.
bool take_ids(PciFunction& function) {
  const auto ids = parse_modalias(function.modalias);
  if (!ids) return false;
  function.vendor = ids->vendor;
  function.device = ids->device;
  function.subsystem_vendor = ids->subsystem_vendor;
  function.subsystem_device = ids->subsystem_device;
  function.class_code = ids->class_code;
  return true;
}

void read_driver(const FunctionDirectory& directory, PciFunction& function) {
  function.driver = directory.link("driver").value_or("");
}

void read_reset_methods(const FunctionDirectory& directory, PciFunction& function) {
  auto text = directory.text("reset_method");
  if (text.is_unreadable()) {
    function.reset_methods = Reading<std::vector<std::string>>::unreadable(text.why());
  } else if (text.has_value()) {
    std::vector<std::string> methods;
    for (auto word : text::words(text.value())) methods.emplace_back(word);
    function.reset_methods = std::move(methods);
  }
}

void read_group(const FunctionDirectory& directory, PciFunction& function) {
  auto group = directory.link("iommu_group");
  if (group.has_value()) {
    if (auto number = parse_int(group.value())) function.iommu_group = *number;
  } else if (group.is_unreadable()) {
    function.iommu_group = Reading<int>::unreadable(group.why());
  }
}

void take_physical_function(std::string_view name, PciFunction& function) {
  auto address = model::parse_pci_address(name);
  if (address) function.physical_function = *address;
}

void read_sharing(const FunctionDirectory& directory, const kernel::Root& root,
                  PciFunction& function) {
  function.vf_total = directory.number("sriov_totalvfs");
  function.vf_enabled = directory.number("sriov_numvfs");
  for (const auto& name : directory.names()) {
    if (is_uuid(name)) function.mdevs.push_back(name);
  }
  function.vendor_vgpu = std::ranges::binary_search(directory.names(), "nvidia");
  if (!std::ranges::binary_search(directory.names(), "mdev_supported_types")) return;
  auto types = root.list(files::pci_device(to_string(function.address), "mdev_supported_types"));
  if (types) function.mdev_types = std::move(*types);
}

/// "8.0 GT/s PCIe" gives 8; "Unknown" (a link that is down) is unreadable with that word.
Reading<double> speed_of(const Reading<std::string>& text) {
  if (!text.has_value()) {
    return text.is_absent() ? Reading<double>{} : Reading<double>::unreadable(text.why());
  }
  auto words = text::words(text.value());
  const auto dot = words.empty() ? 0 : std::min(words.front().find('.'), words.front().size());
  auto whole = words.empty() ? std::nullopt : text::to_number(words.front().substr(0, dot));
  if (!whole) return Reading<double>::unreadable(text.value());
  return static_cast<double>(*whole) + (words.front().substr(dot) == ".5" ? 0.5 : 0.0);
}

/// The kernel's 255 stands for a width that it does not know (PCIE_LNK_WIDTH_UNKNOWN).
Reading<int> width_of(const Reading<int>& lanes) {
  constexpr int unknown = 255;
  return lanes == Reading<int>(unknown) ? Reading<int>::unreadable("unknown") : lanes;
}

void read_link(const FunctionDirectory& directory, const kernel::Root& root,
               PciFunction& function) {
  // A recording may have left the file out; only where it is known to be missing is this
  // conventional PCI.
  constexpr std::string_view file = "max_link_speed";
  const bool has_link = std::ranges::binary_search(directory.names(), file);
  if (has_link) function.express = true;
  if (!has_link && root.is_surely_absent(files::pci_device(to_string(function.address), file))) {
    function.express = false;
  }
  function.link.speed_gt = speed_of(directory.text("current_link_speed"));
  function.link.max_speed_gt = speed_of(directory.text("max_link_speed"));
  function.link.width = width_of(directory.number("current_link_width"));
  function.link.max_width = width_of(directory.number("max_link_width"));
}

void read_details(const FunctionDirectory& directory, const kernel::Root& root,
                  PciFunction& function) {
  if (!function.driver.empty()) {
    function.driver_module =
        read_link_name(root, files::pci_driver(function.driver, "module")).value_or("");
  }
  read_driver_override(directory, function);
  read_reset_methods(directory, function);
  read_link(directory, root, function);
  read_sharing(directory, root, function);  // of a virtual function too: vGPUs are made on it
  if (function.physical_function) return;   // the rest is its physical function's
  auto revision = directory.small_hex("revision");
  if (revision.has_value()) function.revision = static_cast<std::uint8_t>(revision.value());
  auto resource = directory.text("resource");
  if (resource.has_value()) function.bars = parse_resource(resource.value());
  function.power_state = directory.text("power_state");
  function.local_cpus = directory.text("local_cpulist");
}

PciFunction read_function(const kernel::Root& root, const kernel::PciNameTable& names,
                          const model::PciAddress& address) {
  PciFunction function;
  function.address = address;
  const auto directory = FunctionDirectory::listed(root, to_string(address));
  read_ids(directory, function);
  read_names(root, names, function);
  read_path(root, function);
  read_card_function(directory, function);
  function.boot_vga = directory.flag("boot_vga");
  read_physical_function(directory, function);
  read_details(directory, root, function);
  function.device_files = device_files_of(root, function, directory.names());
  return function;
}

}  // namespace

Result<std::vector<model::PciAddress>> list_addresses(const kernel::Root& root) {
  std::vector<model::PciAddress> addresses;
  auto names = root.list(files::pci_devices);
  if (!names && names.error().kind == ErrorKind::not_found) return addresses;
  if (!names) return fail(std::move(names.error()));
  for (const auto& name : *names) {
    auto address = model::parse_pci_address(name);
    if (address && to_string(*address) == name) addresses.push_back(*address);
  }
  std::ranges::sort(addresses);
  return addresses;
}

/// A recording may have the files of the ids only.
void read_ids(const FunctionDirectory& directory, PciFunction& function) {
  function.modalias = directory.text("modalias").value_or("");
  if (take_ids(function)) return;
  function.vendor = directory.id("vendor");
  function.device = directory.id("device");
  function.subsystem_vendor = directory.id("subsystem_vendor");
  function.subsystem_device = directory.id("subsystem_device");
  function.class_code = directory.class_code();
}

/// A recording's own names come first: it was taken where they are known, or told apart by tests.
void read_names(const kernel::Root& root, const kernel::PciNameTable& table,
                PciFunction& function) {
  if (!function.vendor.has_value()) return;
  const auto vendor = function.vendor.value();
  const auto device = function.device.value_or(0);
  kernel::PciNames names;
  if (auto note = root.note(pci_name_note(vendor, device))) {
    auto tab = std::min(note->find('\t'), note->size());
    names = {note->substr(0, tab), note->substr(std::min(tab + 1, note->size()))};
  } else {
    names = table.names(vendor, device);
  }
  function.vendor_name = std::move(names.vendor);
  if (function.device.has_value()) function.device_name = std::move(names.device);
}

void read_driver_override(const FunctionDirectory& directory, PciFunction& function) {
  function.driver_override = directory.text("driver_override");
  if (function.driver_override == Reading<std::string>("(null)"))
    function.driver_override = std::string{};
}

void take_path(const Result<std::string>& target, PciFunction& function) {
  if (target) function.sysfs_path = sysfs_path_of_link(*target);
  auto chain = addresses_in_path(function.sysfs_path);
  if (chain.size() >= 2) function.parent = chain[chain.size() - 2];
}

void read_path(const kernel::Root& root, PciFunction& function) {
  take_path(root.read_link(files::pci_device(to_string(function.address))), function);
}

void read_physical_function(const FunctionDirectory& directory, PciFunction& function) {
  auto physical = directory.link("physfn");
  if (physical.has_value()) take_physical_function(physical.value(), function);
}

void read_card_function(const FunctionDirectory& directory, PciFunction& function) {
  read_driver(directory, function);
  read_group(directory, function);
  function.numa_node = directory.number("numa_node");
}

Result<std::vector<PciFunction>> read_functions(const kernel::Root& root) {
  TRY_LET(const auto addresses, list_addresses(root));
  const kernel::PciNameTable names;
  std::vector<PciFunction> functions;
  functions.reserve(addresses.size());
  for (const auto& address : addresses) functions.push_back(read_function(root, names, address));
  return functions;
}

PciFunction read_function_at(const kernel::Root& root, const model::PciAddress& address) {
  return read_function(root, kernel::PciNameTable(), address);
}

std::string pci_name_note(std::uint16_t vendor, std::uint16_t device) {
  return fmt::format("{}{:04x}:{:04x}", kernel::Recording::name_note, vendor, device);
}

std::optional<ModaliasIds> parse_modalias(std::string_view text) {
  // "pci:v%08Xd%08Xsv%08Xsd%08Xbc%02Xsc%02Xi%02X" (drivers/pci/pci-sysfs.c, modalias_show)
  struct Piece {
    std::string_view key;
    std::size_t digits;
  };
  constexpr Piece pieces[] = {{"pci:v", 8}, {"d", 8},  {"sv", 8}, {"sd", 8},
                              {"bc", 2},    {"sc", 2}, {"i", 2}};
  std::array<std::uint32_t, std::size(pieces)> values = {};
  for (std::size_t i = 0; i < std::size(pieces); ++i) {
    const auto& [key, digits] = pieces[i];
    if (!text.starts_with(key) || text.size() < key.size() + digits) return std::nullopt;
    auto number = text::to_number(text.substr(key.size(), digits), 16);
    if (!number) return std::nullopt;
    values.at(i) = static_cast<std::uint32_t>(*number);
    text.remove_prefix(key.size() + digits);
  }
  const auto id = [&](std::size_t i) { return static_cast<std::uint16_t>(values.at(i)); };
  if (!text.empty()) return std::nullopt;
  return ModaliasIds{.vendor = id(0),
                     .device = id(1),
                     .subsystem_vendor = id(2),
                     .subsystem_device = id(3),
                     .class_code = values[4] << 16 | values[5] << 8 | values[6]};
}

std::string sysfs_path_of_link(std::string_view target) {
  constexpr std::string_view devices = "/devices/";
  auto start = target.find(devices);
  if (start == std::string_view::npos) return {};
  std::string_view above = target.substr(0, start);
  bool relative = std::ranges::all_of(text::split(above, '/'),
                                      [](std::string_view piece) { return piece == ".."; });
  std::string sys(files::modules.substr(0, files::modules.find('/', 1)));
  if (!relative && above != sys) return {};
  std::string path = sys + std::string(target.substr(start));
  return addresses_in_path(path).empty() ? std::string{} : path;
}

}  // namespace tessera::probe
