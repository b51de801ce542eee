// SPDX-License-Identifier: Apache-2.0
#include "lab/qemu_args.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace tessera::lab {
namespace {

namespace fs = std::filesystem;

Outside outside() {
  Outside outside;
  outside.kernel = "/cache/vmlinuz";
  outside.initrd = "/cache/initrd.gz";
  outside.kernel_folder = "/cache/kernel";
  outside.root = "/";
  outside.xfer = "/state/xfer";
  outside.serial_log = "/state/serial.log";
  outside.sockets = "/state";
  outside.functions = {{"gpu0", 4}, {"gpu1", 4}};
  return outside;
}

std::string read(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// One option a line, with its value.
std::string rendered(const std::vector<std::string>& arguments) {
  std::string text = arguments.front();
  for (std::size_t i = 1; i < arguments.size(); ++i)
    text += (arguments[i].starts_with('-') && arguments[i].size() > 1 ? "\n" : " ") + arguments[i];
  return text + "\n";
}

// TESSERA_UPDATE_GOLDEN=1 writes the files anew; look at the difference before you commit it.
TEST(QemuArguments, every_host_gives_its_golden_command_line) {
  int seen = 0;
  for (const auto& entry : fs::directory_iterator(TESSERA_TESTS_DIR "/../lab/hosts")) {
    if (entry.path().extension() != ".yaml") continue;
    auto spec = parse_spec(read(entry.path()), entry.path().filename());
    ASSERT_TRUE(spec) << one_line(spec.error());
    fs::path golden = fs::path(TESSERA_TESTS_DIR "/golden/lab") / (spec->name + ".args");
    std::string now = rendered(qemu_arguments(*spec, outside()));
    if (std::getenv("TESSERA_UPDATE_GOLDEN") != nullptr) std::ofstream(golden) << now;
    EXPECT_EQ(now, read(golden)) << golden;
    ++seen;
  }
  EXPECT_GE(seen, 8);
}

std::vector<std::string> arguments_of(const std::string& cards) {
  auto spec = parse_spec("name: a\ndescription: d\nnuma_nodes: 2\n" + cards, "a.yaml");
  EXPECT_TRUE(spec) << one_line(spec.error());
  return qemu_arguments(*spec, outside());
}

std::vector<std::string> devices(const std::string& cards) {
  auto arguments = arguments_of(cards);
  std::vector<std::string> found;
  for (std::size_t i = 0; i + 1 < arguments.size(); ++i)
    if (arguments[i] == "-device") found.push_back(arguments[i + 1]);
  return found;
}

bool has(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

TEST(QemuArguments, cards_without_acs_share_one_slot_function_by_function) {
  auto found = devices(
      "cards: [{id: a, slot: root-port-no-acs, audio: true}, {id: b, slot: root-port-no-acs}]\n");
  EXPECT_TRUE(
      has(found, "ioh3420,id=port.a,bus=pcie.0,addr=0x4.0,multifunction=on,chassis=1,slot=1"));
  EXPECT_TRUE(
      has(found, "ioh3420,id=port.b,bus=pcie.0,addr=0x4.1,multifunction=on,chassis=2,slot=2"));
  EXPECT_TRUE(has(found, "bochs-display,id=a,bus=port.a,addr=0x0.0,multifunction=on"));
  EXPECT_TRUE(has(found, "ich9-intel-hda,id=audio.a,bus=port.a,addr=0x0.1"));
}

TEST(QemuArguments, cards_behind_a_conventional_bridge_share_one_bridge_per_node) {
  auto found = devices(
      "cards: [{id: a, slot: conventional-bridge}, {id: b, slot: conventional-bridge},"
      " {id: c, slot: conventional-bridge, numa_node: 1}]\n");
  EXPECT_TRUE(has(found, "pcie-pci-bridge,id=bridge,bus=pcie.0,addr=0x4"));
  EXPECT_TRUE(has(found, "bochs-display,id=a,bus=bridge,addr=0x1"));
  EXPECT_TRUE(has(found, "bochs-display,id=b,bus=bridge,addr=0x2"));
  EXPECT_TRUE(has(found, "pcie-pci-bridge,id=bridge.node1,bus=node1,addr=0x0"));
  EXPECT_TRUE(has(found, "bochs-display,id=c,bus=bridge.node1,addr=0x1"));
}

TEST(QemuArguments, a_virtio_card_uses_the_iommu) {
  auto found = devices("cards: [{id: a, model: virtio-gpu}]\n");
  EXPECT_TRUE(has(found, "virtio-gpu-pci,id=a,bus=port.a,addr=0x0,iommu_platform=on,aer=on"));
}

TEST(QemuArguments, virtual_functions_come_before_their_card) {
  auto found = devices("cards: [{id: a, model: virtio-gpu, sriov_vfs: 2}]\n");
  auto at = [&](const std::string& one) { return std::ranges::find(found, one) - found.begin(); };
  const auto first =
      at("virtio-net-pci,id=vf1.a,bus=port.a,addr=0x0.1,sriov-pf=a,netdev=net.vf1.a,iommu_platform="
         "on");
  const auto second =
      at("virtio-net-pci,id=vf2.a,bus=port.a,addr=0x0.2,sriov-pf=a,netdev=net.vf2.a,iommu_platform="
         "on");
  const auto card = at("virtio-gpu-pci,id=a,bus=port.a,addr=0x0,iommu_platform=on,aer=on");
  EXPECT_LT(first, second);
  EXPECT_LT(second, card);
  EXPECT_LT(card, static_cast<std::ptrdiff_t>(found.size()));
}

// Of the firmware's bus numbers nothing is known here: a slot has a number, a root bus too.
TEST(QemuArguments, the_kernel_is_told_which_modules_to_load_and_what_their_drivers_take) {
  const std::string line = arguments_of(
                               "modules: [tessera-lab types=gvt, mdpy]\ncards:\n"
                               "- {id: a}\n"
                               "- {id: b, driver: tessera-lab}\n"
                               "- {id: c, slot: root-complex, driver: tessera-lab}\n"
                               "- {id: d, slot: root-complex, numa_node: 1, driver: tessera-lab}\n"
                               "- {id: e, slot: switch-port, driver: tessera-lab}\n")
                               .back();
  EXPECT_NE(line.find(" tessera_lab.types=gvt tessera.load=tessera_lab,mdpy "
                      "tessera.bind=slot2=tessera_lab,0000:00:06.0=tessera_lab,"
                      "0000:80:00.0=tessera_lab,slot4=tessera_lab"),
            std::string::npos)
      << line;
}

TEST(QemuArguments, kvm_takes_the_machines_own_processor) {
  auto spec = parse_spec("name: a\ndescription: d\n", "a.yaml");
  ASSERT_TRUE(spec);
  Outside with_kvm = outside();
  with_kvm.accelerator = Accelerator::kvm;
  auto arguments = qemu_arguments(*spec, with_kvm);
  EXPECT_TRUE(has(arguments, "kvm"));
  for (const auto& word : arguments) EXPECT_EQ(word.find("maxcpus"), std::string::npos) << word;
  EXPECT_TRUE(has(arguments, "host"));
  EXPECT_FALSE(has(arguments, "max,-erms,-fsrm"));
}

}  // namespace
}  // namespace tessera::lab
