// SPDX-License-Identifier: Apache-2.0
#include "vendor/nvidia_topology.h"

#include <gtest/gtest.h>

namespace tessera::vendor {
namespace {

using model::VendorTopology;

VendorTopology parsed(std::string_view text) {
  auto result = parse_nvidia_topology(text, "smi.txt");
  EXPECT_TRUE(result) << one_line(result.error());
  return result ? std::move(*result) : VendorTopology{};
}

std::string error_of(std::string_view text) {
  auto result = parse_nvidia_topology(text, "smi.txt");
  if (result) return "no error";
  EXPECT_EQ(result.error().kind, ErrorKind::invalid);
  return one_line(result.error());
}

std::string row(const VendorTopology& topology, std::size_t number) {
  std::string words;
  for (const auto& link : topology.links.at(number)) words += to_string(link) + " ";
  return words;
}

// Two GPUs of six and both network controllers of a host with six H100, as driver 535 prints it.
constexpr std::string_view with_nics =
    "\t\x1b[4mGPU0\tGPU1\tNIC0\tNIC1\tCPU Affinity\tNUMA Affinity\tGPU NUMA ID\x1b[0m\n"
    "GPU0\t X \tNV18\tNODE\tSYS\t0-47,96-143\t0\t\tN/A\n"
    "GPU1\tNV18\t X \tSYS\tPIX\t48-95,144-191\t0-1\t\tN/A\n"
    "NIC0\tNODE\tSYS\t X \tSYS\n"
    "NIC1\tSYS\tPIX\tSYS\t X \n"
    "\nLegend:\n\n  X    = Self\n  SYS  = whatever\n\nNIC Legend:\n\n"
    "  NIC0: mlx5_0\n  NIC1: mlx5_1\n";

TEST(NvidiaTopology, is_read_with_its_underlined_heading_and_affinities) {
  auto topology = parsed(with_nics);
  ASSERT_EQ(topology.devices.size(), 4U);
  EXPECT_EQ(topology.devices[0], (VendorTopology::Device{"GPU0", "0-47,96-143", "0"}));
  EXPECT_EQ(topology.devices[1], (VendorTopology::Device{"GPU1", "48-95,144-191", "0-1"}));
  EXPECT_EQ(topology.devices[2], (VendorTopology::Device{"NIC0", "", ""}));
  EXPECT_EQ(row(topology, 0), "X NV18 NODE SYS ");
  EXPECT_EQ(row(topology, 3), "SYS PIX SYS X ");
  EXPECT_EQ(topology.nic_names.at("NIC1"), "mlx5_1");
}

TEST(NvidiaTopology, needs_no_tabs_and_may_have_blank_lines_and_older_words) {
  auto topology = parsed(
      "$ nvidia-smi topo -m\n"
      "GPU0    GPU1   mlx5_0  CPU Affinity\n\n"
      "GPU0     X      NV1 PIX     0-19,40-59\n\n"
      "GPU1    NV1      X SOC     20-39,60-79\r\n"
      "mlx5_0  PIX SOC X\n");
  ASSERT_EQ(topology.devices.size(), 3U);
  EXPECT_EQ(topology.devices[2].name, "mlx5_0");
  EXPECT_EQ(row(topology, 1), "NV1 X SYS ");
  EXPECT_EQ(topology.devices[1].cpus, "20-39,60-79");
  EXPECT_EQ(topology.devices[1].numa_nodes, "");
}

TEST(NvidiaTopology, takes_no_affinity_where_it_is_not_sure_which_column_is_missing) {
  auto topology = parsed("GPU0 CPU Affinity NUMA Affinity\nGPU0 X 0\n");
  EXPECT_EQ(topology.devices.at(0), (VendorTopology::Device{"GPU0", "", ""}));
}

TEST(NvidiaTopology, says_in_which_line_it_does_not_understand_the_text) {
  EXPECT_EQ(error_of(""),
            "smi.txt: no line in it names GPUs (GPU0, GPU1, ...), so there is no matrix");
  EXPECT_EQ(error_of("No devices were found\n"),
            "smi.txt: no line in it names GPUs (GPU0, GPU1, ...), so there is no matrix");
  EXPECT_EQ(error_of("GPU0 GPU1\nGPU0 X NVX\nGPU1 NV1 X\n"),
            "smi.txt: line 2: 'NVX' is no link of GPU0 to GPU1");
  EXPECT_EQ(error_of("GPU0 GPU1\nGPU0 NV1 X\nGPU1 X NV1\n"),
            "smi.txt: line 2: 'NV1' is no link of GPU0 to GPU0");
  EXPECT_EQ(error_of("GPU0 GPU1\nGPU0 X NV1\n"),
            "smi.txt: line 2: the text ends before the row of GPU1");
  EXPECT_EQ(error_of("GPU0 GPU1\nGPU0 X NV1\nLegend:\n"),
            "smi.txt: line 3: the row of GPU1 should be here, not 'Legend:'");
  EXPECT_EQ(error_of("GPU0 GPU1\nGPU0 X NV1 NV2\nGPU1 NV1 X\n"),
            "smi.txt: line 2: the row of GPU0 has 3 columns; the first line names 2 devices");
  EXPECT_EQ(error_of("GPU0 GPU1\nGPU0 X\nGPU1 NV1 X\n"),
            "smi.txt: line 2: the row of GPU0 has 1 columns; the first line names 2 devices");
  EXPECT_EQ(error_of("GPU0 GPU1\nGPU0 X NV1\n\nGPU1 NV2 X\n"),
            "smi.txt: line 4: GPU1 to GPU0 is NV2, and the other way round NV1");
  EXPECT_EQ(error_of("GPU0 GPU0\nGPU0 X NV1\n"), "smi.txt: line 1: 'GPU0' is named twice");
  EXPECT_EQ(error_of("GPU0 CPU Affinity Moon\nGPU0 X 0\n"),
            "smi.txt: line 1: 'Moon' is no column that is known");
  EXPECT_EQ(error_of("GPU0 CPU Affinity\nGPU0 X NV1\n"),
            "smi.txt: line 2: 'NV1' is no list of numbers, and no link either");
}

TEST(NvidiaTopology, ends_an_escape_sequence_that_the_text_cuts_short) {
  EXPECT_EQ(parsed("GPU0\nGPU0 X \x1b[").devices.size(), 1U);
  EXPECT_EQ(error_of("GPU0\nGPU0 \x1b\n"), "smi.txt: line 2: '\\x1b' is no link of GPU0 to GPU0");
}

}  // namespace
}  // namespace tessera::vendor
