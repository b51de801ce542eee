// SPDX-License-Identifier: Apache-2.0
#include "lab/spec.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "model/yaml_fields.h"

namespace tessera::lab {
namespace {

using model::YamlDocument;
using model::YamlFields;

// In the order of the enums.
const std::vector<std::string> iommu_names{"none", "vt-d", "amd-vi"};
const std::vector<std::string> model_names{"bochs", "virtio-gpu", "ati", "qxl", "identity"};
const std::vector<std::string> slot_names{"root-port", "root-port-no-acs", "conventional-bridge",
                                          "switch-port", "root-complex"};
const std::vector<std::string> kind_names{"nic", "nvme", "igb", "edu"};

constexpr int igb_vfs = 7;
constexpr int functions_per_slot = 8;

bool small_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/// Reads cards and devices and keeps what must hold across them.
class SpecReader {
 public:
  explicit SpecReader(YamlDocument& document) : document_(document) {}

  LabSpec read(const YAML::Node& node) {
    YamlFields fields(document_, node,
                      {"name", "description", "iommu", "memory_mib", "cpus", "deadline_s",
                       "numa_nodes", "kernel_arguments", "modules", "cards", "devices"});
    LabSpec spec;
    spec.name = id(fields, "name");
    spec.description = fields.required("description");
    spec.iommu = static_cast<Iommu>(fields.choice("iommu", iommu_names, 1));
    spec.memory_mib = fields.number("memory_mib", {512, 65536}, spec.memory_mib);
    spec.cpus = fields.number("cpus", {2, 32}, spec.cpus);
    spec.deadline_s = fields.number("deadline_s", {5, 86400}, spec.deadline_s);
    spec.numa_nodes = fields.number("numa_nodes", {0, 3}, 0);
    spec.kernel_arguments = fields.texts("kernel_arguments");
    for (const std::string& line : fields.texts("modules"))
      spec.modules.push_back(module(line, fields.mark("modules")));
    numa_nodes_ = spec.numa_nodes;
    if (numa_nodes_ > spec.cpus)
      document_.reject(fields.mark("numa_nodes"), "there are more NUMA nodes than CPUs");
    for (const YAML::Node& item : fields.items("cards")) spec.cards.push_back(card(item));
    for (const YAML::Node& item : fields.items("devices")) spec.devices.push_back(device(item));
    return spec;
  }

 private:
  std::string id(YamlFields& fields, const std::string& key) {
    std::string value = fields.required(key);
    auto fits = [](char c) { return small_or_digit(c) || c == '-'; };
    if (!value.empty() && (value[0] < 'a' || value[0] > 'z' ||
                           !std::all_of(value.begin(), value.end(), fits) || value.size() > 40))
      document_.reject(fields.mark(key),
                       fmt::format("'{}' must start with a small letter and go on with small "
                                   "letters, digits and '-'",
                                   key));
    return value;
  }

  std::string unique_id(YamlFields& fields) {
    std::string value = id(fields, "id");
    if (!ids_.insert(value).second)
      document_.reject(fields.mark("id"), fmt::format("the id '{}' is given twice", value));
    return value;
  }

  Placement placement(YamlFields& fields) {
    Placement at;
    at.slot = static_cast<Slot>(fields.choice("slot", slot_names, 0));
    at.numa_node = fields.maybe_number("numa_node", {0, 2});
    if (at.numa_node && *at.numa_node >= numa_nodes_)
      document_.reject(fields.mark("numa_node"),
                       fmt::format("this host has {} NUMA nodes", numa_nodes_),
                       "set numa_nodes above the list of cards");
    int& used = without_acs_[at.numa_node.value_or(-1)];
    if (at.slot == Slot::root_port_no_acs && ++used > functions_per_slot)
      document_.reject(fields.mark("slot"), "a slot without ACS has room for 8 root ports");
    return at;
  }

  // "NAME PARAMETER=VALUE ...". They become words of the kernel's command line, and parts of lists
  // between commas.
  LabModule module(const std::string& line, const YAML::Mark& mark) {
    LabModule module;
    for (std::string_view word : text::words(line)) {
      const bool first = module.name.empty();
      const std::string_view key = word.substr(0, word.find('='));
      auto fits = [](char c) { return small_or_digit(c) || c == '_' || c == '-'; };
      const bool named = !key.empty() && std::ranges::all_of(key, fits);
      if (!named || first != (key.size() == word.size()) ||
          word.find_first_of(",\"'") != std::string_view::npos)
        document_.reject(mark, fmt::format("'{}' is no kernel module with its parameters", line),
                         "as for modprobe: tessera-lab types=gvt");
      if (first)
        module.name = word;
      else
        module.parameters.emplace_back(word);
    }
    if (module.name.empty()) document_.reject(mark, "a module needs a name");
    if (!modules_.insert(module.name).second)
      document_.reject(mark, fmt::format("the module '{}' is given twice", module.name));
    return module;
  }

  std::string driver(YamlFields& fields, const Placement& at) {
    std::string value = fields.text("driver");
    if (value.empty()) return value;
    if (!modules_.contains(value))
      document_.reject(fields.mark("driver"),
                       fmt::format("'{}' is not among this host's modules", value),
                       fmt::format("modules: [{}], above the list of cards", value));
    if (at.slot == Slot::conventional_bridge)
      document_.reject(fields.mark("driver"), "'driver' needs a slot that the kernel can name",
                       "any but conventional-bridge");
    return value;
  }

  LabCard card(const YAML::Node& node) {
    YamlFields fields(
        document_, node,
        {"id", "model", "slot", "numa_node", "audio", "boot_vga", "shows", "driver", "sriov_vfs"});
    LabCard card;
    card.id = unique_id(fields);
    card.model = static_cast<CardModel>(fields.choice("model", model_names, 0));
    card.at = placement(fields);
    card.audio = fields.truth("audio");
    card.boot_vga = fields.truth("boot_vga");
    card.shows = fields.text("shows");
    card.driver = driver(fields, card.at);
    card.sriov_vfs = fields.number("sriov_vfs", {0, functions_per_slot - 1}, 0);
    bool identity = card.model == CardModel::identity;
    if (identity && card.shows.empty())
      document_.reject(node.Mark(), "an identity card needs the key 'shows'",
                       "shows: one of lab/identity/cards, e.g. tesla-v100");
    if (!identity && !card.shows.empty())
      document_.reject(fields.mark("shows"), "'shows' is for the model identity only");
    if (identity && (card.audio || card.boot_vga))
      document_.reject(node.Mark(), "an identity card has neither 'audio' nor 'boot_vga'");
    check_functions(fields, card);
    if (card.boot_vga && has_boot_vga_)
      document_.reject(fields.mark("boot_vga"), "only one card can be the boot VGA");
    has_boot_vga_ |= card.boot_vga;
    return card;
  }

  void check_functions(YamlFields& fields, const LabCard& card) {
    if (card.sriov_vfs == 0) return;
    if (card.model != CardModel::virtio_gpu || card.audio || card.boot_vga)
      document_.reject(fields.mark("sriov_vfs"),
                       "only a virtio-gpu without 'audio' and 'boot_vga' has virtual functions");
    if (card.at.slot == Slot::conventional_bridge)
      document_.reject(fields.mark("slot"), "SR-IOV needs a PCI Express slot");
  }

  LabDevice device(const YAML::Node& node) {
    YamlFields fields(document_, node, {"id", "kind", "slot", "numa_node", "sriov_vfs", "driver"});
    LabDevice device;
    device.id = unique_id(fields);
    fields.required("kind");
    device.kind = static_cast<DeviceKind>(fields.choice("kind", kind_names, 0));
    device.at = placement(fields);
    device.driver = driver(fields, device.at);
    device.sriov_vfs = fields.number("sriov_vfs", {0, 64}, 0);
    if (device.kind == DeviceKind::igb) device.sriov_vfs = igb_vfs;
    if (fields.has("sriov_vfs") && device.kind != DeviceKind::nvme)
      document_.reject(fields.mark("sriov_vfs"), "'sriov_vfs' is for the kind nvme only",
                       "the Linux driver gives an igb 7");
    if (device.sriov_vfs > 0 && device.at.slot == Slot::conventional_bridge)
      document_.reject(fields.mark("slot"), "SR-IOV needs a PCI Express slot");
    return device;
  }

  YamlDocument& document_;
  std::set<std::string> ids_;
  std::set<std::string> modules_;
  std::map<int, int> without_acs_;  // node -> functions used
  int numa_nodes_ = 0;
  bool has_boot_vga_ = false;
};

template <typename Enum>
std::string_view name_of(const std::vector<std::string>& names, Enum value) {
  return names.at(static_cast<std::size_t>(value));
}

}  // namespace

std::string_view to_string(Iommu iommu) {
  return name_of(iommu_names, iommu);
}
std::string_view to_string(CardModel model) {
  return name_of(model_names, model);
}
std::string_view to_string(Slot slot) {
  return name_of(slot_names, slot);
}
std::string_view to_string(DeviceKind kind) {
  return name_of(kind_names, kind);
}

Result<LabSpec> parse_spec(std::string_view yaml, const std::string& file) {
  model::YamlDocument document(file);
  const YAML::Node node = model::load_yaml(document, yaml);
  LabSpec spec = SpecReader(document).read(node);
  if (document.error()) return fail(*document.error());
  return spec;
}

int needed_qemu(const LabSpec& spec) {
  int needed = 702;
  for (const LabDevice& device : spec.devices)
    if (device.kind == DeviceKind::igb) needed = std::max(needed, 800);
  for (const LabCard& card : spec.cards)
    if (card.model == CardModel::identity || card.sriov_vfs > 0) needed = std::max(needed, 1101);
  return needed;
}

}  // namespace tessera::lab
