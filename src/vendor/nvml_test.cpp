// SPDX-License-Identifier: Apache-2.0
#include "vendor/nvml.h"

#include <cstdlib>

#include <gtest/gtest.h>

#include "base/test_directory.h"
#include "base/units.h"

namespace tessera::vendor {
namespace {

using namespace std::string_literals;
using model::GpuHealth;
using model::HealthReport;
using model::Reading;
using model::VgpuHealth;

template <typename T>
Reading<T> not_there() {
  return Reading<T>::unreadable("N/A");
}

void answer_from(const std::string& path) {
  ::setenv("TESSERA_NVML_VALUES", path.c_str(), 1);
}

HealthReport read_from(const std::string& library) {
  auto nvml = Nvml::open(library);
  EXPECT_TRUE(nvml) << one_line(nvml.error());
  if (!nvml) return {};
  auto report = nvml->read();
  EXPECT_TRUE(report) << one_line(report.error());
  return report ? std::move(*report) : HealthReport{};
}

HealthReport host_with_driver_580() {
  answer_from(TESSERA_TESTS_DIR "/nvml/rtx-pro-6000-580.txt");
  return read_from(TESSERA_NVML_STAND_IN);
}

HealthReport host_with_driver_418() {
  answer_from(TESSERA_TESTS_DIR "/nvml/p100-418.txt");
  return read_from(TESSERA_NVML_STAND_IN_418);
}

/// A host whose answers are `lines`.
HealthReport host_that_says(const std::string& lines) {
  TestDirectory directory;
  directory.file("/values", lines);
  answer_from(directory.real("/values"));
  return read_from(TESSERA_NVML_STAND_IN);
}

std::string open_error(const std::string& lines) {
  TestDirectory directory;
  directory.file("/values", lines);
  answer_from(directory.real("/values"));
  auto nvml = Nvml::open(TESSERA_NVML_STAND_IN);
  return nvml ? "no error" : nvml.error().sentence;
}

TEST(Nvml, reads_a_card_that_makes_vgpus) {
  const auto report = host_with_driver_580();
  EXPECT_EQ(report.source, TESSERA_NVML_STAND_IN);
  ASSERT_EQ(report.gpus.size(), 2U);
  const GpuHealth& gpu = report.gpus[0];
  EXPECT_EQ(model::to_string(gpu.address), "0001:c8:00.0");
  EXPECT_EQ(gpu.uuid, "GPU-00000000-a575-72c7-d51d-3e726232cfd1"s);
  EXPECT_EQ(gpu.name, "NVIDIA RTX PRO 6000 Blackwell Server Edition"s);
  EXPECT_EQ(gpu.architecture, "Blackwell"s);
  EXPECT_EQ(gpu.driver_version, "580.105.06"s);
  EXPECT_EQ(gpu.mig, (model::Switch{false, true}));
  EXPECT_EQ(gpu.virtualization, model::VirtualizationMode::host_vgpu);
  EXPECT_EQ(gpu.host_vgpu, model::HostVgpuMode::sriov);
  EXPECT_EQ(gpu.mixed_sizes, true);
  EXPECT_EQ(gpu.memory_bus_bits, 512);
  EXPECT_EQ(gpu.framebuffer_total_bytes, 97887 * mib);
  EXPECT_EQ(gpu.framebuffer_reserved_bytes, 2288 * mib);
  EXPECT_EQ(gpu.framebuffer_used_bytes, 5952 * mib);
  EXPECT_EQ(gpu.vgpu_count, 2);
  EXPECT_EQ(gpu.scheduler, model::SchedulerPolicy::equal_share);
  EXPECT_EQ(gpu.time_slice_ns, 2083333U);
}

TEST(Nvml, tells_zero_from_not_supported_and_from_a_failure) {
  const auto report = host_with_driver_580();
  const GpuHealth& gpu = report.gpus.at(0);
  EXPECT_EQ(gpu.volatile_errors, (model::EccCounts{0U, 7U}));
  EXPECT_EQ(gpu.aggregate_errors, (model::EccCounts{3U, 12U}));
  EXPECT_EQ(gpu.remapped_rows, (model::RemappedRows{0U, 9U, true, false}));
  EXPECT_EQ(gpu.retired_pages.double_bit, not_there<std::uint64_t>());
  EXPECT_EQ(gpu.retired_pages.pending, not_there<bool>());
  EXPECT_EQ(gpu.utilization.encoder, 4);
  EXPECT_EQ(gpu.utilization.decoder, Reading<int>::unreadable("NO_PERMISSION"));
  EXPECT_TRUE(gpu.recovery_action.is_absent());
  const GpuHealth& other = report.gpus.at(1);
  EXPECT_EQ(other.ecc.current, Reading<bool>::unreadable("GPU_IS_LOST"));
  EXPECT_EQ(other.name, not_there<std::string>());
  EXPECT_TRUE(other.mixed_sizes.is_absent()) << "this library has another version of the struct";
  EXPECT_EQ(other.vgpu_count, 0);
}

TEST(Nvml, believes_no_number_that_makes_no_sense) {
  const auto report = host_with_driver_580();
  const GpuHealth& gpu = report.gpus.at(1);
  EXPECT_EQ(gpu.architecture.why(), "architecture 77 has no name here");
  EXPECT_EQ(gpu.virtualization.why(), "9 makes no sense");
  EXPECT_EQ(gpu.framebuffer_total_bytes, 100U);
  EXPECT_TRUE(gpu.framebuffer_used_bytes.is_unreadable()) << "60 reserved and 50 free of 100";
}

TEST(Nvml, lists_a_card_that_cannot_be_opened_apart) {
  const auto report = host_with_driver_580();
  ASSERT_EQ(report.unreachable.size(), 1U);
  EXPECT_EQ(report.unreachable[0], "GPU2: GPU_IS_LOST");
}

TEST(Nvml, reads_vgpus) {
  const auto report = host_with_driver_580();
  ASSERT_EQ(report.vgpus.size(), 2U);
  const VgpuHealth& first = report.vgpus[0];
  EXPECT_EQ(first.card, report.gpus[0].address);
  EXPECT_EQ(first.vgpu_id, 3251637554U);
  EXPECT_EQ(first.uuid, "22222222-859f-11f1-84fe-7572c7d51d3e"s);
  EXPECT_EQ(first.vm_uuid, "11111111-0a3c-4647-9bb4-27f905b7d7bb"s);
  EXPECT_TRUE(first.vm_name.is_absent());
  EXPECT_EQ(first.type_id, 1519U);
  EXPECT_EQ(first.type_name, "NVIDIA RTX Pro 6000 Blackwell DC-3Q"s);
  EXPECT_EQ(first.framebuffer_total_bytes, 3072 * mib);
  EXPECT_EQ(first.framebuffer_used_bytes, 128 * mib);
  EXPECT_EQ(first.guest_driver_version, not_there<std::string>());
  EXPECT_EQ(first.licence, not_there<std::string>());
  EXPECT_EQ(first.gpu_instance, not_there<int>());
  EXPECT_EQ(first.placement_id, 0);
  EXPECT_EQ(first.ecc, not_there<bool>());
  EXPECT_EQ(first.frame_rate_limit, not_there<int>());
  EXPECT_EQ(first.utilization.gpu, Reading<int>::unreadable("NO_DATA")) << "no sample of it";
  const VgpuHealth& second = report.vgpus[1];
  EXPECT_EQ(second.uuid, Reading<std::string>::unreadable("empty"));
  EXPECT_EQ(second.licence, "Licensed (Expiry: 2027-3-9 8:5:0 GMT)"s);
  EXPECT_EQ(second.guest_driver_version, "580.105.08"s);
  EXPECT_EQ(second.frame_rate_limit, 60);
  EXPECT_EQ(second.ecc, true);
  EXPECT_EQ(second.encoder_sessions, 2);
  EXPECT_EQ(second.encoder_capacity_percent, 100);
  EXPECT_EQ(second.gpu_instance, 3);
  EXPECT_EQ(second.placement_id, not_there<int>());
  EXPECT_EQ(second.utilization, (model::Utilization{12, 7, 0, 3})) << "the newest sample";
}

TEST(Nvml, leaves_absent_what_an_old_library_has_no_function_for) {
  const auto report = host_with_driver_418();
  ASSERT_EQ(report.gpus.size(), 1U);
  const GpuHealth& gpu = report.gpus[0];
  EXPECT_EQ(gpu.name, "Tesla P100-PCIE-16GB"s);
  EXPECT_TRUE(gpu.architecture.is_absent());
  EXPECT_TRUE(gpu.memory_bus_bits.is_absent());
  EXPECT_TRUE(gpu.mig.current.is_absent());
  EXPECT_TRUE(gpu.host_vgpu.is_absent());
  EXPECT_TRUE(gpu.mixed_sizes.is_absent());
  EXPECT_TRUE(gpu.framebuffer_reserved_bytes.is_absent());
  EXPECT_TRUE(gpu.remapped_rows.failure.is_absent());
  EXPECT_TRUE(gpu.scheduler.is_absent());
  EXPECT_EQ(gpu.framebuffer_total_bytes, 17071734784U);
  EXPECT_EQ(gpu.framebuffer_used_bytes, 4096 * mib);
  EXPECT_EQ(gpu.retired_pages, (model::RetiredPages{2U, 0U, true}));
  EXPECT_EQ(gpu.ecc, (model::Switch{true, false}));
  ASSERT_EQ(report.vgpus.size(), 1U);
  const VgpuHealth& vgpu = report.vgpus[0];
  EXPECT_EQ(vgpu.licence, "Licensed"s) << "by the older function";
  EXPECT_TRUE(vgpu.mdev_uuid.is_absent());
  EXPECT_TRUE(vgpu.placement_id.is_absent());
  EXPECT_TRUE(vgpu.vm_uuid.is_absent()) << "the machine has a number, not a UUID";
  EXPECT_EQ(vgpu.utilization.gpu, Reading<int>::unreadable("NOT_FOUND"));
  EXPECT_EQ(vgpu.type_id, not_there<std::uint32_t>());
  EXPECT_TRUE(vgpu.type_name.is_absent());
}

TEST(Nvml, asks_again_when_there_are_more_vgpus_than_there_was_room_for) {
  std::string lines =
      "gpu 0 nvmlDeviceGetPciInfo_v3 00000000:01:00.0\n"
      "gpu 0 nvmlDeviceGetActiveVgpus";
  for (int id = 1; id <= 200; ++id) lines += ' ' + std::to_string(id);
  const auto report = host_that_says(lines + "\n");
  EXPECT_EQ(report.gpus.at(0).vgpu_count, 200);
  ASSERT_EQ(report.vgpus.size(), 200U);
  EXPECT_EQ(report.vgpus.back().vgpu_id, 200U);
}

TEST(Nvml, does_not_take_a_list_that_cannot_be_read_for_an_empty_one) {
  const auto report = host_that_says(
      "gpu 0 nvmlDeviceGetPciInfo_v3 00000000:01:00.0\n"
      "gpu 0 nvmlDeviceGetActiveVgpus error 4\n"
      "gpu 1 nvmlDeviceGetPciInfo_v3 00000000:02:00.0\n");
  EXPECT_EQ(report.gpus.at(0).vgpu_count, Reading<int>::unreadable("NO_PERMISSION"));
  EXPECT_EQ(report.gpus.at(1).vgpu_count, not_there<int>()) << "it makes no vGPUs";
}

TEST(Nvml, finds_the_time_slice_whatever_the_driver_means_by_one) {
  const auto slice = [](const std::string& state) {
    return host_that_says(
               "gpu 0 nvmlDeviceGetPciInfo_v3 00000000:01:00.0\n"
               "gpu 0 nvmlDeviceGetVgpuSchedulerState " +
               state + "\n")
        .gpus.at(0);
  };
  EXPECT_EQ(slice("1 0 2000000 0").time_slice_ns, 2000000U);
  EXPECT_EQ(slice("3 1 33 4000000").time_slice_ns, 4000000U) << "1 is on: an average factor first";
  EXPECT_EQ(slice("3 1 4000000 0").time_slice_ns, 4000000U) << "1 is off";
  EXPECT_EQ(slice("2 2 33 1000000").time_slice_ns, 1000000U);
  EXPECT_EQ(slice("3 0 1 0").scheduler, model::SchedulerPolicy::fixed_share);
  EXPECT_EQ(slice("0 0 1 0").scheduler.why(), "0 makes no sense");
}

TEST(Nvml, says_why_it_cannot_be_opened) {
  auto nothing = Nvml::open("/nonexistent/libnvidia-ml.so.1");
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().kind, ErrorKind::not_found);
  EXPECT_FALSE(nothing.error().hint.empty());
  auto other = Nvml::open("libc.so.6");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind, ErrorKind::unsupported);
  EXPECT_EQ(open_error("lib nvmlInit_v2 error 9\n"),
            "NVIDIA's driver is not loaded (DRIVER_NOT_LOADED)");
  EXPECT_EQ(open_error("lib nvmlInit_v2 error 18\n"),
            "the library is of another version than the driver that is loaded "
            "(LIB_RM_VERSION_MISMATCH)");
  EXPECT_EQ(open_error("lib nvmlInit_v2 error 4\n"),
            "the driver's device files may not be opened (NO_PERMISSION)");
  EXPECT_EQ(open_error("lib nvmlInit_v2 error 999\n"),
            "the library cannot be initialized (UNKNOWN)");
}

TEST(Nvml, fails_where_not_even_the_number_of_cards_is_told) {
  TestDirectory directory;
  directory.file("/values", "lib nvmlDeviceGetCount_v2 error 17\n");
  answer_from(directory.real("/values"));
  auto nvml = Nvml::open(TESSERA_NVML_STAND_IN);
  ASSERT_TRUE(nvml);
  auto report = nvml->read();
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().sentence,
            "it does not tell how many cards there are (OPERATING_SYSTEM)");
}

TEST(Nvml, shuts_the_library_down_once_and_only_when_it_was_initialized) {
  TestDirectory directory;
  directory.file("/values", "lib nvmlSystemGetDriverVersion 580\n");
  ::setenv("TESSERA_NVML_LOG", directory.real("/log").c_str(), 1);
  answer_from(directory.real("/values"));
  {
    auto nvml = Nvml::open(TESSERA_NVML_STAND_IN);
    ASSERT_TRUE(nvml);
    const Nvml moved = std::move(*nvml);
    EXPECT_TRUE(moved.read());
  }
  EXPECT_EQ(directory.content("/log"), "init\nshutdown\n");
  answer_from(directory.real("/not-there"));
  EXPECT_FALSE(Nvml::open(TESSERA_NVML_STAND_IN));
  EXPECT_EQ(directory.content("/log"), "init\nshutdown\ninit\n");
  ::unsetenv("TESSERA_NVML_LOG");
}

TEST(Nvml, has_a_word_for_every_code) {
  EXPECT_EQ(nvml_error_word(0), "SUCCESS");
  EXPECT_EQ(nvml_error_word(15), "GPU_IS_LOST");
  EXPECT_EQ(nvml_error_word(25), "ARGUMENT_VERSION_MISMATCH");
  EXPECT_EQ(nvml_error_word(30), "RESET_TYPE_NOT_SUPPORTED");
  EXPECT_EQ(nvml_error_word(999), "UNKNOWN");
  EXPECT_EQ(nvml_error_word(4711), "error 4711");
}

}  // namespace
}  // namespace tessera::vendor
