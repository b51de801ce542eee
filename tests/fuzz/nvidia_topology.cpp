// SPDX-License-Identifier: Apache-2.0
// The text of `nvidia-smi topo -m`: a matrix that is understood is square, symmetric and has itself
// on the diagonal only; printed again it reads the same.
#include "vendor/nvidia_topology.h"

#include <algorithm>

#include "fuzz.h"

namespace {

using tessera::fuzz::must;
using tessera::model::Link;
using tessera::model::VendorTopology;

std::string or_none(const std::string& text) {
  return text.empty() ? "N/A" : text;
}

std::string printed(const VendorTopology& topology) {
  std::string text;
  for (const auto& device : topology.devices) text += '\t' + device.name;
  text += "\tCPU Affinity\tNUMA Affinity\n";
  for (std::size_t row = 0; row < topology.devices.size(); ++row) {
    const auto& device = topology.devices[row];
    text += device.name;
    for (const auto& link : topology.links[row]) text += '\t' + to_string(link);
    text += '\t' + or_none(device.cpus) + '\t' + or_none(device.numa_nodes) + '\n';
  }
  text += "\nNIC Legend:\n\n";
  for (const auto& [nic, name] : topology.nic_names) text += "  " + nic + ": " + name + '\n';
  return text;
}

void must_be_a_matrix(const VendorTopology& topology) {
  const std::size_t size = topology.devices.size();
  must(size > 0 && topology.links.size() == size, "each device has a row");
  for (std::size_t row = 0; row < size; ++row) {
    must(topology.links[row].size() == size, "each row has a cell for each device");
    for (std::size_t column = 0; column < size; ++column) {
      const Link& link = topology.links[row][column];
      must((link.kind == Link::Kind::self) == (row == column), "only the diagonal is itself");
      must(link == topology.links[column][row], "the matrix is symmetric");
      must((link.nvlinks > 0) == (link.kind == Link::Kind::nvlink), "NVLinks are counted");
    }
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto topology =
      tessera::vendor::parse_nvidia_topology(tessera::fuzz::text_of(data, size), "input");
  if (!topology) {
    must(topology.error().kind == tessera::ErrorKind::invalid, "a bad text is `invalid`");
    must(topology.error().subject.starts_with("input"), "and named");
    must(!topology.error().sentence.empty(), "with the reason");
    return 0;
  }
  must_be_a_matrix(*topology);
  auto again = tessera::vendor::parse_nvidia_topology(printed(*topology), "again");
  must(again.has_value(), "what is printed is understood");
  must(*again == *topology, "and says the same");
  return 0;
}
