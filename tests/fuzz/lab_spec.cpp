// SPDX-License-Identifier: Apache-2.0
// The YAML of a virtual GPU host: an accepted one is within its limits and can be written down
// again; a refused one says where.
#include <set>

#include <yaml-cpp/yaml.h>

#include "fuzz.h"
#include "lab/spec.h"

namespace {

using tessera::fuzz::must;
namespace lab = tessera::lab;

std::string quoted(const std::string& text) {
  YAML::Emitter out;
  out << YAML::DoubleQuoted << text;
  return out.c_str();
}

std::string place(const lab::Placement& at) {
  auto out = ", slot: " + std::string(lab::to_string(at.slot));
  if (at.numa_node) out += ", numa_node: " + std::to_string(*at.numa_node);
  return out;
}

std::string write_down(const lab::LabSpec& spec) {
  std::string out = "name: " + quoted(spec.name) + "\ndescription: " + quoted(spec.description) +
                    "\niommu: " + std::string(lab::to_string(spec.iommu)) +
                    "\nmemory_mib: " + std::to_string(spec.memory_mib) +
                    "\ncpus: " + std::to_string(spec.cpus) +
                    "\ndeadline_s: " + std::to_string(spec.deadline_s) +
                    "\nnuma_nodes: " + std::to_string(spec.numa_nodes) + "\nkernel_arguments:\n";
  for (const auto& argument : spec.kernel_arguments) out += "  - " + quoted(argument) + "\n";
  if (spec.kernel_arguments.empty()) out += "  []\n";
  out += spec.cards.empty() ? "cards: []\n" : "cards:\n";
  for (const auto& card : spec.cards) {
    out += "  - {id: " + quoted(card.id) + ", model: " + std::string(lab::to_string(card.model)) +
           place(card.at) + ", audio: " + (card.audio ? "true" : "false") +
           ", boot_vga: " + (card.boot_vga ? "true" : "false");
    if (!card.shows.empty()) out += ", shows: " + quoted(card.shows);
    out += "}\n";
  }
  out += spec.devices.empty() ? "devices: []\n" : "devices:\n";
  for (const auto& device : spec.devices) {
    out += "  - {id: " + quoted(device.id) + ", kind: " + std::string(lab::to_string(device.kind)) +
           place(device.at);
    if (device.kind == lab::DeviceKind::nvme)
      out += ", sriov_vfs: " + std::to_string(device.sriov_vfs);
    out += "}\n";
  }
  return out;
}

void within_limits(const lab::LabSpec& spec) {
  must(!spec.name.empty() && !spec.description.empty(), "a host has a name and a description");
  must(spec.cpus >= 2 && spec.memory_mib >= 512 && spec.deadline_s > 0, "it can boot");
  std::set<std::string> ids;
  int boot_cards = 0;
  for (const auto& card : spec.cards) {
    must(ids.insert(card.id).second, "an id is given once");
    boot_cards += card.boot_vga ? 1 : 0;
  }
  for (const auto& device : spec.devices) must(ids.insert(device.id).second, "an id is given once");
  must(boot_cards <= 1, "one card at most is the boot VGA");
  auto needed = lab::needed_qemu(spec);
  must(needed == 702 || needed == 800 || needed == 1101, "it needs a QEMU that there is");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto spec = lab::parse_spec(tessera::fuzz::text_of(data, size), "host.yaml");
  if (!spec) {
    must(spec.error().kind == tessera::ErrorKind::invalid, "a bad spec is `invalid`");
    must(spec.error().subject.starts_with("host.yaml"), "the error says where");
    must(!spec.error().sentence.empty(), "and what");
    return 0;
  }
  within_limits(*spec);
  auto text = write_down(*spec);
  auto again = lab::parse_spec(text, "again.yaml");
  must(again.has_value(), "what was accepted can be written down");
  must(write_down(*again) == text, "and reads the same");
  return 0;
}
