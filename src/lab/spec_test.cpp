// SPDX-License-Identifier: Apache-2.0
#include "lab/spec.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace tessera::lab {
namespace {

const std::string head = "name: a\ndescription: d\n";

Error rejected(const std::string& yaml) {
  auto spec = parse_spec(yaml, "a.yaml");
  EXPECT_FALSE(spec) << yaml;
  return spec ? Error{} : spec.error();
}

TEST(LabSpec, reads_every_key) {
  auto spec = parse_spec(R"(
name: big-host
description: all of it
iommu: amd-vi
memory_mib: 4096
cpus: 8
deadline_s: 60
numa_nodes: 2
kernel_arguments: [iommu.strict=1, quiet]
modules: [tessera-lab types=gvt aperture_mib=512, mdpy]
cards:
  - {id: gpu0, model: ati, slot: switch-port, audio: true, numa_node: 1}
  - {id: gpu1, model: identity, shows: flex-170, slot: root-port}
  - {id: gpu2, model: virtio-gpu, slot: root-complex, boot_vga: true}
  - {id: gpu3, model: virtio-gpu, sriov_vfs: 3, driver: tessera-lab}
devices:
  - {id: disk0, kind: nvme, sriov_vfs: 4}
  - {id: nic0, kind: nic, slot: conventional-bridge}
)",
                         "big-host.yaml");
  ASSERT_TRUE(spec) << one_line(spec.error());
  EXPECT_EQ(spec->name, "big-host");
  EXPECT_EQ(spec->iommu, Iommu::amd_vi);
  EXPECT_EQ(spec->memory_mib, 4096);
  EXPECT_EQ(spec->cpus, 8);
  EXPECT_EQ(spec->deadline_s, 60);
  EXPECT_EQ(spec->kernel_arguments, (std::vector<std::string>{"iommu.strict=1", "quiet"}));
  ASSERT_EQ(spec->modules.size(), 2U);
  EXPECT_EQ(spec->modules[0].name, "tessera-lab");
  EXPECT_EQ(spec->modules[0].parameters,
            (std::vector<std::string>{"types=gvt", "aperture_mib=512"}));
  EXPECT_EQ(spec->modules[1].name, "mdpy");
  ASSERT_EQ(spec->cards.size(), 4U);
  EXPECT_EQ(spec->cards[0].model, CardModel::ati);
  EXPECT_EQ(spec->cards[0].at.slot, Slot::switch_port);
  EXPECT_EQ(spec->cards[0].at.numa_node, 1);
  EXPECT_TRUE(spec->cards[0].audio);
  EXPECT_EQ(spec->cards[1].shows, "flex-170");
  EXPECT_TRUE(spec->cards[2].boot_vga);
  EXPECT_EQ(spec->cards[2].at.numa_node, std::nullopt);
  EXPECT_EQ(spec->cards[2].driver, "");
  EXPECT_EQ(spec->cards[3].driver, "tessera-lab");
  EXPECT_EQ(spec->cards[3].sriov_vfs, 3);
  ASSERT_EQ(spec->devices.size(), 2U);
  EXPECT_EQ(spec->devices[0].sriov_vfs, 4);
  EXPECT_EQ(spec->devices[1].at.slot, Slot::conventional_bridge);
}

TEST(LabSpec, has_sensible_defaults) {
  auto spec = parse_spec(head, "a.yaml");
  ASSERT_TRUE(spec) << one_line(spec.error());
  EXPECT_EQ(spec->iommu, Iommu::vt_d);
  EXPECT_EQ(spec->cpus, 2);
  EXPECT_EQ(spec->numa_nodes, 0);
  EXPECT_TRUE(spec->cards.empty());
}

TEST(LabSpec, an_unknown_key_is_named_with_its_place_and_the_nearest_known_one) {
  Error error = rejected(head + "cards:\n  - {id: gpu0, slott: root-port}\n");
  EXPECT_EQ(error.kind, ErrorKind::invalid);
  EXPECT_EQ(error.subject, "a.yaml:4:16");
  EXPECT_EQ(error.sentence, "unknown key 'slott'");
  EXPECT_EQ(error.hint, "did you mean 'slot'?");
}

TEST(LabSpec, a_key_without_its_unit_is_led_to_the_one_with_it) {
  Error error = rejected(head + "memory: 2048\n");
  EXPECT_EQ(error.subject, "a.yaml:3:1");
  EXPECT_EQ(error.sentence, "unknown key 'memory'");
  EXPECT_NE(error.hint.find("memory_mib"), std::string::npos);
}

TEST(LabSpec, a_wrong_value_is_named_with_its_place_and_the_nearest_known_one) {
  Error error = rejected(head + "iommu: vtd\n");
  EXPECT_EQ(error.subject, "a.yaml:3:8");
  EXPECT_EQ(error.sentence, "'iommu' cannot be 'vtd'");
  EXPECT_EQ(error.hint, "did you mean 'vt-d'?");
}

TEST(LabSpec, wrong_types_and_ranges_are_refused) {
  EXPECT_EQ(rejected(head + "cpus: many\n").sentence,
            "'cpus' must be a whole number from 2 to 32, not 'many'");
  EXPECT_EQ(rejected(head + "cpus: 1\n").sentence,
            "'cpus' must be a whole number from 2 to 32, not '1'");
  EXPECT_EQ(rejected(head + "cpus: 99999999999999999999\n").subject, "a.yaml:3:7");
  EXPECT_EQ(rejected(head + "cards: gpu0\n").sentence, "'cards' must be a list");
  EXPECT_EQ(rejected(head + "cards: [gpu0]\n").sentence, "here must be keys with values");
  EXPECT_EQ(rejected(head + "cards: [{id: gpu0, audio: yes}]\n").sentence,
            "'audio' must be true or false, not 'yes'");
  EXPECT_EQ(rejected(head + "kernel_arguments: [{a: b}]\n").sentence,
            "'kernel_arguments' must be a list of texts");
  EXPECT_EQ(rejected("description: d\n").sentence, "the key 'name' is missing");
  EXPECT_EQ(rejected("name: a/b\ndescription: d\n").subject, "a.yaml:1:7");
}

TEST(LabSpec, repeats_are_refused) {
  EXPECT_EQ(rejected(head + "cpus: 2\ncpus: 4\n").sentence, "'cpus' is given twice");
  EXPECT_EQ(rejected(head + "cards: [{id: x}]\ndevices: [{id: x, kind: edu}]\n").sentence,
            "the id 'x' is given twice");
}

TEST(LabSpec, hosts_that_cannot_be_are_refused) {
  EXPECT_EQ(rejected(head + "cards: [{id: x, numa_node: 0}]\n").sentence,
            "this host has 0 NUMA nodes");
  EXPECT_EQ(rejected(head + "numa_nodes: 3\n").sentence, "there are more NUMA nodes than CPUs");
  EXPECT_EQ(rejected(head + "cards: [{id: x, boot_vga: true}, {id: y, boot_vga: true}]\n").sentence,
            "only one card can be the boot VGA");
  EXPECT_EQ(rejected(head + "cards: [{id: x, model: identity}]\n").sentence,
            "an identity card needs the key 'shows'");
  EXPECT_EQ(rejected(head + "cards: [{id: x, shows: flex-170}]\n").sentence,
            "'shows' is for the model identity only");
  EXPECT_EQ(rejected(head + "devices: [{id: x, kind: edu, sriov_vfs: 2}]\n").sentence,
            "'sriov_vfs' is for the kind nvme only");
  EXPECT_EQ(rejected(head + "devices: [{id: x, kind: igb, slot: conventional-bridge}]\n").sentence,
            "SR-IOV needs a PCI Express slot");
}

TEST(LabSpec, a_module_is_a_name_and_its_parameters) {
  for (const char* line : {"a b", "a=b", "a.b", "Caps", "a B=c", "a b=c,d", "a b='c'", "a =b"}) {
    EXPECT_EQ(rejected(head + "modules: [\"" + line + "\"]\n").sentence,
              "'" + std::string(line) + "' is no kernel module with its parameters");
  }
  EXPECT_EQ(rejected(head + "modules: [' ']\n").sentence, "a module needs a name");
  EXPECT_EQ(rejected(head + "modules: [mdpy, mdpy]\n").sentence,
            "the module 'mdpy' is given twice");
  EXPECT_EQ(rejected(head + "modules: mdpy\n").sentence, "'modules' must be a list");
}

TEST(LabSpec, a_driver_is_of_a_module_and_needs_a_slot_with_a_number) {
  EXPECT_EQ(rejected(head + "cards: [{id: x, driver: tessera-lab}]\n").sentence,
            "'tessera-lab' is not among this host's modules");
  EXPECT_EQ(rejected(head + "modules: [mdpy]\n" +
                     "cards: [{id: x, driver: mdpy, slot: conventional-bridge}]\n")
                .sentence,
            "'driver' needs a slot that the kernel can name");
}

TEST(LabSpec, virtual_functions_are_for_a_virtio_gpu) {
  const std::string sentence =
      "only a virtio-gpu without 'audio' and 'boot_vga' has virtual functions";
  EXPECT_EQ(rejected(head + "cards: [{id: x, sriov_vfs: 1}]\n").sentence, sentence);
  EXPECT_EQ(
      rejected(head + "cards: [{id: x, model: virtio-gpu, sriov_vfs: 1, audio: true}]\n").sentence,
      sentence);
  EXPECT_EQ(rejected(head + "cards: [{id: x, model: virtio-gpu, sriov_vfs: 8}]\n").sentence,
            "'sriov_vfs' must be a whole number from 0 to 7, not '8'");
}

TEST(LabSpec, text_that_is_no_yaml_is_refused_with_its_place) {
  Error error = rejected("name: [a\n");
  EXPECT_EQ(error.kind, ErrorKind::invalid);
  EXPECT_EQ(error.subject.substr(0, 7), "a.yaml:");
  EXPECT_EQ(rejected("").sentence, "here must be keys with values");
}

TEST(LabSpec, says_which_qemu_a_host_needs) {
  EXPECT_EQ(needed_qemu(*parse_spec(head, "a")), 702);
  EXPECT_EQ(needed_qemu(*parse_spec(head + "devices: [{id: x, kind: igb}]\n", "a")), 800);
  EXPECT_EQ(needed_qemu(*parse_spec(head + "cards: [{id: x, model: identity, shows: y}]\n", "a")),
            1101);
  EXPECT_EQ(
      needed_qemu(*parse_spec(head + "cards: [{id: x, model: virtio-gpu, sriov_vfs: 1}]\n", "a")),
      1101);
}

TEST(LabSpec, every_host_that_we_ship_is_valid_and_named_as_its_file) {
  int seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(TESSERA_TESTS_DIR "/../lab/hosts")) {
    if (entry.path().extension() != ".yaml") continue;
    std::ifstream file(entry.path());
    std::string yaml(std::istreambuf_iterator<char>(file), {});
    auto spec = parse_spec(yaml, entry.path().filename());
    ASSERT_TRUE(spec) << one_line(spec.error());
    EXPECT_EQ(spec->name, entry.path().stem());
    ++seen;
  }
  EXPECT_GE(seen, 8);
}

}  // namespace
}  // namespace tessera::lab
