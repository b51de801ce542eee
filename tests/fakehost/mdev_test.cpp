// SPDX-License-Identifier: Apache-2.0
// How the played host makes mediated devices: on functions, recorded ones, GVT-g's.
#include <chrono>
#include <fstream>
#include <iterator>
#include <string>

#include <fmt/format.h>

#include "fakehost/cut_card.h"
#include "fakehost/played_host.h"

namespace tessera::fakehost {
namespace {

using namespace std::chrono_literals;

constexpr const char* uuids[] = {
    "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001", "83b8f4f2-509f-382f-3c1e-e6bfe0fa1002",
    "83b8f4f2-509f-382f-3c1e-e6bfe0fa1003", "83b8f4f2-509f-382f-3c1e-e6bfe0fa1004",
    "83b8f4f2-509f-382f-3c1e-e6bfe0fa1005", "83b8f4f2-509f-382f-3c1e-e6bfe0fa1006"};

std::string type_file(std::string_view parent, std::string_view type, std::string_view file) {
  return device(parent, fmt::format("mdev_supported_types/{}/{}", type, file));
}

std::string nvidia_mdev_types(std::string_view prefix, std::string_view available) {
  std::string lines;
  struct Type {
    int id;
    const char* name;
    int mib;
    int most;
  };
  for (const auto& type :
       {Type{746, "NVIDIA A2-4Q", 4096, 4}, Type{751, "NVIDIA A2-4A", 4096, 4},
        Type{747, "NVIDIA A2-8Q", 8192, 2}, Type{748, "NVIDIA A2-16Q", 16384, 1}})
    lines += fmt::format(
        "{0}/mdev_supported_types/nvidia-{1}/name\t{2}\\n\n"
        "{0}/mdev_supported_types/nvidia-{1}/device_api\tvfio-pci\\n\n"
        "{0}/mdev_supported_types/nvidia-{1}/available_instances\t{5}\\n\n"
        "{0}/mdev_supported_types/nvidia-{1}/description\tnum_heads=4, frl_config=60, "
        "framebuffer={3}M, max_resolution=7680x4320, max_instance={4}\\n\n",
        prefix, type.id, type.name, type.mib, type.most, available);
  return lines;
}

class MdevOnFunctions : public PlayedHost {
 protected:
  MdevOnFunctions()
      : PlayedHost(function(card, "10de:25b6", "nvidia", 10) +
                   fmt::format("{}\t16\\n\n{}\t4\\n\n", device(card, "sriov_totalvfs"),
                               device(card, "sriov_offset")) +
                   nvidia_mdev_types("vf-files/10de:25b6", "1")) {}
  void SetUp() override {
    PlayedHost::SetUp();
    if (IsSkipped()) return;
    ASSERT_NE(tool(manage, "-e ALL").find("exit 0"), std::string::npos);
  }
  [[nodiscard]] std::string create(int index, std::string_view type, int uuid) const {
    return write(type_file(vf(index), type, "create"), uuids[uuid]);
  }
  [[nodiscard]] std::string left(int index, std::string_view type) const {
    return read(type_file(vf(index), type, "available_instances"));
  }
};

TEST_F(MdevOnFunctions, every_function_is_a_parent_that_takes_one) {
  EXPECT_TRUE(exists("/sys/class/mdev_bus/" + vf(15)));
  EXPECT_FALSE(exists(std::string("/sys/class/mdev_bus/") + card));
  EXPECT_EQ(left(0, "nvidia-746"), "1\n");
  EXPECT_EQ(create(0, "nvidia-746", 0), "ok");
  EXPECT_EQ(left(0, "nvidia-746"), "0\n");
  EXPECT_EQ(create(0, "nvidia-746", 1), "EUSERS");
}

TEST_F(MdevOnFunctions, sizes_are_equal_over_all_functions_of_the_card) {
  ASSERT_EQ(create(0, "nvidia-746", 0), "ok");
  EXPECT_EQ(left(9, "nvidia-747"), "0\n");
  EXPECT_EQ(create(9, "nvidia-747", 1), "EUSERS");
  EXPECT_EQ(left(9, "nvidia-751"), "1\n");
  EXPECT_EQ(create(9, "nvidia-751", 1), "ok");
  EXPECT_EQ(create(3, "nvidia-746", 2), "ok");
  EXPECT_EQ(create(4, "nvidia-746", 3), "ok");
  EXPECT_EQ(left(5, "nvidia-746"), "0\n");
  for (int i = 0; i < 4; ++i)
    EXPECT_EQ(write(fmt::format("/sys/bus/mdev/devices/{}/remove", uuids[i]), "1"), "ok");
  EXPECT_EQ(left(9, "nvidia-747"), "1\n");
}

TEST_F(MdevOnFunctions, an_mdev_has_parameters_that_cannot_change_while_it_is_open) {
  ASSERT_EQ(create(0, "nvidia-746", 0), "ok");
  auto params = fmt::format("/sys/bus/mdev/devices/{}/nvidia/vgpu_params", uuids[0]);
  EXPECT_EQ(read(params), "\n");
  EXPECT_EQ(write(params, "frame_rate_limiter=0"), "ok");
  auto group = fs::read_symlink(at(fmt::format("/sys/bus/mdev/devices/{}/iommu_group", uuids[0])));
  ASSERT_EQ(write("/.rehearsal/faults", "hold 93 qemu /dev/vfio/" + group.filename().string()),
            "ok");
  EXPECT_EQ(write(params, "frame_rate_limiter=1"), "EBUSY");
  EXPECT_EQ(read(params), "frame_rate_limiter=0\n");
  EXPECT_EQ(tool(manage, "-d ALL"), "Cannot obtain unbindLock for 0000:41:00.0\nexit 1");
}

TEST_F(MdevOnFunctions, mdevs_go_with_the_functions) {
  ASSERT_EQ(create(0, "nvidia-746", 0), "ok");
  EXPECT_NE(tool(manage, "-d ALL").find("exit 0"), std::string::npos);
  EXPECT_FALSE(exists(fmt::format("/sys/bus/mdev/devices/{}", uuids[0])));
  ASSERT_NE(tool(manage, "-e ALL").find("exit 0"), std::string::npos);
  EXPECT_EQ(left(0, "nvidia-748"), "1\n");
}

/// As the captured A2: one function, on whose card others hold 4 GB vGPUs.
class CapturedFunction : public PlayedHost {
 protected:
  CapturedFunction() : PlayedHost(text_of("/hosts/nvidia-a2-sriov-mdev/tree.tsv")) {}
  static std::string text_of(const std::string& file) {
    std::ifstream stream(TESSERA_TESTS_DIR + file);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  const std::string function = "0000:08:01.7";
};

TEST_F(CapturedFunction, takes_one_of_the_types_that_it_showed) {
  EXPECT_EQ(read(type_file(function, "nvidia-746", "available_instances")), "1\n");
  EXPECT_EQ(write(type_file(function, "nvidia-747", "create"), uuids[0]), "EUSERS");
  EXPECT_EQ(write(type_file(function, "nvidia-754", "create"), uuids[0]), "ok");
  EXPECT_EQ(read(type_file(function, "nvidia-746", "available_instances")), "0\n");
  EXPECT_EQ(read(type_file(function, "nvidia-754", "available_instances")), "0\n");
  EXPECT_EQ(write(fmt::format("/sys/bus/mdev/devices/{}/remove", uuids[0]), "1"), "ok");
  EXPECT_EQ(read(type_file(function, "nvidia-746", "available_instances")), "1\n");
}

/// A V100 that held two mdevs when it was recorded.
class RecordedMdevs : public PlayedHost {
 protected:
  RecordedMdevs() : PlayedHost(recording()) {}
  static std::string recording() {
    auto text = function(card, "10de:1db4", "nvidia", 10) + nvidia_mdev_types(device(card), "0");
    for (int i = 0; i < 2; ++i)
      text += fmt::format(
          "/sys/bus/mdev/devices/{0}\t-> ../../../devices/pci0000:40/0000:40:01.0/{1}/{0}\n"
          "/sys/devices/pci0000:40/0000:40:01.0/{1}/{0}/mdev_type\t"
          "-> ../mdev_supported_types/nvidia-746\n",
          uuids[i], card);
    return text;
  }
};

TEST_F(RecordedMdevs, are_there_count_and_can_be_removed) {
  EXPECT_EQ(read(type_file(card, "nvidia-746", "available_instances")), "2\n");
  EXPECT_EQ(read(type_file(card, "nvidia-747", "available_instances")), "0\n");
  EXPECT_EQ(write(fmt::format("/sys/bus/mdev/devices/{}/remove", uuids[0]), "1"), "ok");
  EXPECT_EQ(read(type_file(card, "nvidia-746", "available_instances")), "3\n");
  EXPECT_EQ(write(fmt::format("/sys/bus/mdev/devices/{}/remove", uuids[1]), "1"), "ok");
  EXPECT_EQ(read(type_file(card, "nvidia-747", "available_instances")), "2\n");
}

class GvtG : public PlayedHost {
 protected:
  GvtG() : PlayedHost(CapturedGvt()) {}
  static std::string CapturedGvt() {
    std::ifstream stream(TESSERA_TESTS_DIR "/hosts/intel-guide3-gvtg-aperture1024/tree.tsv");
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  [[nodiscard]] std::string create(std::string_view type, int uuid) const {
    return write(type_file(igpu, type, "create"), uuids[uuid]);
  }
  [[nodiscard]] std::string left() const {
    std::string all;
    for (int share : {1, 2, 4, 8})
      all += read(type_file(igpu, fmt::format("i915-GVTg_V5_{}", share), "available_instances"));
    return all;
  }
  const std::string igpu = "0000:00:02.0";
};

TEST_F(GvtG, types_share_aperture_hidden_memory_and_fences) {
  EXPECT_EQ(left(), "1\n2\n5\n7\n");  // 896 MB, 2688 MB, 28
  ASSERT_EQ(create("i915-GVTg_V5_4", 0), "ok");
  EXPECT_EQ(left(), "1\n2\n4\n5\n");  // 768 MB, 2176 MB, 24
  ASSERT_EQ(create("i915-GVTg_V5_2", 1), "ok");
  EXPECT_EQ(left(), "0\n1\n2\n3\n");  // 512 MB, 1152 MB, 20
  EXPECT_EQ(create("i915-GVTg_V5_1", 2), "EUSERS");
  ASSERT_EQ(create("i915-GVTg_V5_8", 2), "ok");
  ASSERT_EQ(create("i915-GVTg_V5_8", 3), "ok");
  EXPECT_EQ(left(), "0\n0\n0\n1\n");  // 384 MB, 384 MB, 12
  EXPECT_EQ(write(fmt::format("/sys/bus/mdev/devices/{}/remove", uuids[1]), "1"), "ok");
  EXPECT_EQ(left(), "0\n1\n2\n3\n");
}

}  // namespace
}  // namespace tessera::fakehost
