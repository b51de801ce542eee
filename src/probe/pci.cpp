// SPDX-License-Identifier: Apache-2.0
#include "probe/pci.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "base/text.h"
#include "kernel/files.h"
#include "kernel/pci_names.h"
#include "probe/device_files.h"
#include "probe/read.h"

namespace tessera::probe {

using model::PciFunction;
using model::Reading;
namespace files = kernel::files;

namespace {

/// One function's directory: it is listed once, and only files that are there are read.
class FunctionDirectory {
 public:
  FunctionDirectory(const kernel::Root& root, std::string bdf) : root_(root), bdf_(std::move(bdf)) {
    auto names = root.list(files::pci_device(bdf_));
    listed_ = names.has_value();
    if (names) names_ = std::move(*names);
  }

  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  [[nodiscard]] bool has(std::string_view name) const {
    return !listed_ || std::ranges::binary_search(names_, name);
  }
  [[nodiscard]] Reading<std::string> text(std::string_view name) const {
    return has(name) ? read_text(root_, path(name)) : Reading<std::string>{};
  }
  [[nodiscard]] Reading<std::uint16_t> id(std::string_view name) const {
    auto value = has(name) ? read_hex(root_, path(name), 0xffff) : Reading<std::uint32_t>{};
    if (value.has_value()) return static_cast<std::uint16_t>(value.value());
    return value.is_absent() ? Reading<std::uint16_t>{}
                             : Reading<std::uint16_t>::unreadable(value.why());
  }
  [[nodiscard]] Reading<std::uint32_t> class_code() const {
    return has("class") ? read_hex(root_, path("class"), 0xffffff) : Reading<std::uint32_t>{};
  }
  [[nodiscard]] Reading<int> number(std::string_view name) const {
    return has(name) ? read_int(root_, path(name)) : Reading<int>{};
  }
  [[nodiscard]] Reading<bool> flag(std::string_view name) const {
    return has(name) ? read_bool(root_, path(name)) : Reading<bool>{};
  }
  [[nodiscard]] Reading<std::string> link(std::string_view name) const {
    return has(name) ? read_link_name(root_, path(name)) : Reading<std::string>{};
  }

 private:
  [[nodiscard]] std::string path(std::string_view name) const {
    return files::pci_device(bdf_, name);
  }

  const kernel::Root& root_;
  std::string bdf_;
  bool listed_ = false;
  std::vector<std::string> names_;
};

void read_ids(const FunctionDirectory& directory, PciFunction& function) {
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
  if (auto note = root.note(fmt::format("pci-name/{:04x}:{:04x}", vendor, device))) {
    auto tab = std::min(note->find('\t'), note->size());
    names = {note->substr(0, tab), note->substr(std::min(tab + 1, note->size()))};
  } else {
    names = table.names(vendor, device);
  }
  function.vendor_name = std::move(names.vendor);
  if (function.device.has_value()) function.device_name = std::move(names.device);
}

void read_driver(const FunctionDirectory& directory, PciFunction& function) {
  function.driver = directory.link("driver").value_or("");
  function.driver_override = directory.text("driver_override");
  if (function.driver_override == Reading<std::string>("(null)"))
    function.driver_override = std::string{};
  function.modalias = directory.text("modalias").value_or("");
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

void read_place(const FunctionDirectory& directory, const kernel::Root& root,
                PciFunction& function) {
  auto target = root.read_link(files::pci_device(to_string(function.address)));
  if (target) function.sysfs_path = sysfs_path_of_link(*target);
  auto chain = addresses_in_path(function.sysfs_path);
  if (chain.size() >= 2) function.parent = chain[chain.size() - 2];
  auto group = directory.link("iommu_group");
  if (group.has_value()) {
    if (auto number = parse_int(group.value())) function.iommu_group = *number;
  } else if (group.is_unreadable()) {
    function.iommu_group = Reading<int>::unreadable(group.why());
  }
  function.numa_node = directory.number("numa_node");
  function.boot_vga = directory.flag("boot_vga");
  // A recording may have left the file out; only a live system's silence means conventional PCI.
  bool has_link = std::ranges::binary_search(directory.names(), "max_link_speed");
  if (has_link) function.express = true;
  if (!has_link && root.kind() == kernel::Root::Kind::live) function.express = false;
}

void read_virtual_functions(const FunctionDirectory& directory, PciFunction& function) {
  auto physical = directory.link("physfn");
  if (physical.has_value()) {
    auto address = model::parse_pci_address(physical.value());
    if (address) function.physical_function = *address;
  }
  function.vf_total = directory.number("sriov_totalvfs");
  function.vf_enabled = directory.number("sriov_numvfs");
  for (const auto& name : directory.names()) {
    if (is_uuid(name)) function.mdevs.push_back(name);
  }
}

PciFunction read_function(const kernel::Root& root, const kernel::PciNameTable& names,
                          const model::PciAddress& address) {
  PciFunction function;
  function.address = address;
  FunctionDirectory directory(root, to_string(address));
  read_ids(directory, function);
  read_names(root, names, function);
  read_driver(directory, function);
  read_reset_methods(directory, function);
  read_place(directory, root, function);
  read_virtual_functions(directory, function);
  function.device_files = device_files_of(root, function, directory.names());
  return function;
}

}  // namespace

Result<std::vector<PciFunction>> read_functions(const kernel::Root& root) {
  auto names = root.list(files::pci_devices);
  if (!names && names.error().kind == ErrorKind::not_found) return std::vector<PciFunction>{};
  if (!names) return fail(std::move(names.error()));
  const kernel::PciNameTable name_table;
  std::vector<PciFunction> functions;
  for (const auto& name : *names) {
    auto address = model::parse_pci_address(name);
    if (address && to_string(*address) == name) {
      functions.push_back(read_function(root, name_table, *address));
    }
  }
  std::ranges::sort(functions, {}, &PciFunction::address);
  return functions;
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

std::vector<model::PciAddress> addresses_in_path(std::string_view sysfs_path) {
  std::vector<model::PciAddress> chain;
  for (auto piece : text::split(sysfs_path, '/')) {
    auto address = model::parse_pci_address(piece);
    if (address && to_string(*address) == piece) chain.push_back(*address);
  }
  return chain;
}

bool is_uuid(std::string_view name) {
  if (name.size() != 36) return false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? name[i] != '-' : std::isxdigit(static_cast<unsigned char>(name[i])) == 0) {
      return false;
    }
  }
  return true;
}

}  // namespace tessera::probe
