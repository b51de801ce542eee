// SPDX-License-Identifier: Apache-2.0
// What a list of cards needs of a host's functions, with few looks: a server has hundreds of them.
#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "kernel/files.h"
#include "probe/cards.h"
#include "probe/pci.h"
#include "probe/pci_files.h"

namespace tessera::probe {

using model::PciAddress;
using model::PciFunction;
namespace files = kernel::files;

namespace {

/// Opens functions' directories with short walks: a function's link is read in the one folder of
/// links, and its directory is opened below the one that is open and nearest above it. In the order
/// of addresses a bridge comes before what is below it.
class NearbyDirectories {
 public:
  explicit NearbyDirectories(const kernel::Root& root)
      : links_(root.open_directory(files::pci_devices)) {
    if (auto devices = root.open_directory(files::devices)) way_.push_back(std::move(*devices));
  }

  /// Fills in the function's path where it has none. The directory stays open until the next call;
  /// null where its files are read by their whole paths: in a recording, where directories stand in
  /// the place of links, or when the function is gone.
  const kernel::OpenDirectory* open(PciFunction& function) {
    if (!links_ || way_.empty()) return nullptr;
    const auto name = to_string(function.address);
    if (function.sysfs_path.empty()) take_path(links_->read_link(name), function);
    return function.sysfs_path.ends_with("/" + name) ? go_to(function.sysfs_path) : nullptr;
  }

 private:
  const kernel::OpenDirectory* go_to(std::string_view path) {
    while (way_.size() > 1 && !is_on_way(way_.back(), path)) way_.pop_back();
    if (!is_on_way(way_.back(), path)) return nullptr;
    const auto& nearest = way_.back();
    if (nearest.path() == path) return &nearest;
    auto opened = nearest.open(std::string(path.substr(nearest.path().size() + 1)));
    if (!opened) return nullptr;
    return &way_.emplace_back(std::move(*opened));
  }

  static bool is_on_way(const kernel::OpenDirectory& directory, std::string_view path) {
    if (!path.starts_with(directory.path())) return false;
    path.remove_prefix(directory.path().size());
    return path.empty() || path.starts_with('/');
  }

  Result<kernel::OpenDirectory> links_;
  std::vector<kernel::OpenDirectory> way_;  ///< each below the one before
};

bool is_cards(const PciFunction& function) {
  return function.class_code.has_value() && model::is_gpu_class(function.class_code.value());
}

/// The virtual function that a link of its physical one leads to ("../0000:18:00.4").
std::optional<PciAddress> linked_function(const FunctionDirectory& directory, std::int64_t index) {
  constexpr std::string_view beside = "../";
  const auto target = directory.target(fmt::format("virtfn{}", index));
  if (!target || !target->starts_with(beside)) return std::nullopt;
  const auto address = model::parse_pci_address(target->substr(beside.size()));
  return address ? std::optional(*address) : std::nullopt;
}

/// The `count` virtual functions of a card's function, with a look at two of its links and at none
/// of them: the kernel counts their addresses off in equal steps (drivers/pci/iov.c), so that the
/// first and the last tell all. Empty where they do not.
std::vector<PciAddress> virtual_functions_of(const FunctionDirectory& directory,
                                             std::int64_t count) {
  const auto first = linked_function(directory, 0);
  const auto last = count == 1 ? first : linked_function(directory, count - 1);
  if (!first || !last || first->domain != last->domain) return {};
  const std::int64_t steps = count - 1;
  const std::int64_t way = model::functions_between(*first, *last);
  if (way < steps || (steps > 0 && way % steps != 0)) return {};
  std::vector<PciAddress> all = {*first};
  for (std::int64_t i = 1; i <= steps; ++i) {
    if (const auto next = function_after(*first, way / steps * i)) all.push_back(*next);
  }
  return all;
}

/// Reads of each function what tells whether it belongs to a card, in the order of addresses.
class Outlines {
 public:
  Outlines(const kernel::Root& root, std::size_t count) : root_(root), nearby_(root) {
    functions_.reserve(count);
  }

  void add(const PciAddress& address) {
    PciFunction& function = functions_.emplace_back();
    function.address = address;
    if (const auto found = counted_.find(address); found != counted_.end()) {
      return take_place(functions_[found->second], function);
    }
    const auto directory = open(function);
    if (function.sysfs_path.empty()) read_path(root_, function);
    read_ids(directory, function);
    if (!is_cards(function)) return;
    const auto enabled = directory.number("sriov_numvfs");  // a virtual function has no such file
    if (enabled.is_absent()) read_physical_function(directory, function);
    if (enabled.value_or(0) <= 0 || function.sysfs_path.empty()) return;
    for (const auto& one : virtual_functions_of(directory, enabled.value())) {
      counted_.emplace(one, functions_.size() - 1);
    }
  }

  /// Good until the next function is looked at.
  FunctionDirectory open(PciFunction& function) {
    const auto* const opened = nearby_.open(function);
    return {root_, to_string(function.address), opened};
  }

  [[nodiscard]] std::vector<PciFunction>& functions() { return functions_; }

 private:
  /// The kernel puts virtual functions beside their physical one.
  static void take_place(const PciFunction& physical, PciFunction& function) {
    const auto folder = physical.sysfs_path.substr(0, physical.sysfs_path.rfind('/') + 1);
    function.sysfs_path = folder + to_string(function.address);
    function.parent = physical.parent;
    function.physical_function = physical.address;
  }

  const kernel::Root& root_;
  NearbyDirectories nearby_;
  std::vector<PciFunction> functions_;
  std::map<PciAddress, std::size_t> counted_;  ///< a virtual function's physical one, by its index
};

}  // namespace

Result<std::vector<PciFunction>> read_card_functions(const kernel::Root& root) {
  TRY_LET(const auto addresses, list_addresses(root));
  Outlines outlines(root, addresses.size());
  for (const auto& address : addresses) outlines.add(address);
  auto& functions = outlines.functions();
  const kernel::PciNameTable names;
  for (const auto& card : find_cards(functions)) {
    for (const auto& address : card.functions) {
      auto function = std::ranges::lower_bound(functions, address, {}, &PciFunction::address);
      const auto directory = outlines.open(*function);
      read_names(root, names, *function);
      read_card_function(directory, *function);
      // Whether a recording knows that there is no driver; a live kernel always does.
      const bool may_not_be_known = root.kind() != kernel::Root::Kind::live;
      if (may_not_be_known && function->driver.empty()) read_driver_override(directory, *function);
    }
  }
  return std::move(functions);
}

}  // namespace tessera::probe
