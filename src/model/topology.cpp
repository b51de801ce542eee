// SPDX-License-Identifier: Apache-2.0
#include "model/topology.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "model/json_text.h"

namespace tessera::model {

using Json = nlohmann::ordered_json;
using Kind = Link::Kind;

namespace {

struct KindWords {
  Kind kind;
  std::string_view word;
  std::string_view meaning;
};

constexpr std::array all_kinds = {
    KindWords{Kind::self, "X", "the device itself"},
    KindWords{Kind::nvlink, "NVn", "n NVLinks, taken together"},
    KindWords{Kind::pix, "PIX", "at most one PCIe switch between them"},
    KindWords{Kind::pxb, "PXB", "several PCIe switches, no host bridge"},
    KindWords{Kind::phb, "PHB", "through one PCIe host bridge"},
    KindWords{Kind::node, "NODE", "through two host bridges of one NUMA node"},
    KindWords{Kind::sys, "SYS", "through the interconnect between NUMA nodes"},
    KindWords{Kind::unknown, "?", "a place in the PCI tree or a NUMA node is not known"},
};

const KindWords& words_of(Kind kind) {
  return *std::ranges::find(all_kinds, kind, &KindWords::kind);
}

/// A count of links with its limit: the largest known is 18, and a broken text may say anything.
std::optional<int> parse_count(std::string_view digits) {
  constexpr std::uint64_t most = 999;
  auto count = text::to_number(digits);
  if (!count || *count == 0 || *count > most || digits.front() == '0') return std::nullopt;
  return static_cast<int>(*count);
}

Json matrix_json(const Topology::Matrix& matrix) {
  Json rows = Json::array();
  for (const auto& row : matrix) {
    Json cells = Json::array();
    for (const auto& link : row) cells.push_back(to_string(link));
    rows.push_back(std::move(cells));
  }
  return rows;
}

Json device_json(const TopologyDevice& device) {
  Json json = {{"label", device.label},
               {"kind", to_string(device.kind)},
               {"address", to_string(device.address)}};
  if (!device.identity.empty()) json["identity"] = json_text(device.identity);
  json["name"] = json_text(device.name);
  if (!device.path.empty()) json["path"] = json_texts(device.path);
  if (device.numa_node.has_value()) json["numa_node"] = device.numa_node.value();
  if (device.local_cpus.has_value()) json["local_cpus"] = json_text(device.local_cpus.value());
  if (!device.vendor_label.empty()) json["nvidia_smi"] = json_text(device.vendor_label);
  return json;
}

}  // namespace

std::string to_string(const Link& link) {
  if (link.kind == Kind::nvlink) return fmt::format("NV{}", link.nvlinks);
  return std::string(words_of(link.kind).word);
}

std::optional<Link> parse_link(std::string_view word) {
  if (word == "SOC") return Link{Kind::sys};
  if (word.starts_with("NV")) {
    auto count = parse_count(word.substr(2));
    if (!count) return std::nullopt;
    return Link{Kind::nvlink, *count};
  }
  for (const auto& known : all_kinds) {
    if (word == known.word) return Link{known.kind};
  }
  return std::nullopt;
}

std::string_view in_words(Kind kind) {
  return words_of(kind).meaning;
}

std::string_view to_string(TopologyDevice::Kind kind) {
  return kind == TopologyDevice::Kind::card ? "card" : "nic";
}

nlohmann::ordered_json to_json(const Topology& topology) {
  Json json = {
      {"schema", topology_schema}, {"source", json_text(topology.source)}, {"live", topology.live}};
  if (!topology.vendor_source.empty()) json["vendor_source"] = json_text(topology.vendor_source);
  json["devices"] = Json::array();
  for (const auto& device : topology.devices) json["devices"].push_back(device_json(device));
  json["links"] = matrix_json(topology.links);
  json["pci_links"] = matrix_json(topology.pci_links);
  if (!topology.notes.empty()) json["notes"] = json_texts(topology.notes);
  return json;
}

bool is_gpu_name(std::string_view name) {
  return name.starts_with("GPU") && text::to_number(name.substr(3)).has_value();
}

}  // namespace tessera::model
