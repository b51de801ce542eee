// SPDX-License-Identifier: Apache-2.0
#include "vendor/nvidia_smi_xml.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "base/units.h"

namespace tessera::vendor {
namespace {

using namespace std::string_literals;
using model::GpuHealth;
using model::HealthReport;
using model::Reading;
using model::VgpuHealth;

std::string text_of(const std::string& file) {
  std::ifstream stream(std::string(TESSERA_TESTS_DIR "/smi/") + file);
  EXPECT_TRUE(stream) << file;
  return {std::istreambuf_iterator<char>(stream), {}};
}

HealthReport parsed(const std::string& text) {
  auto report = parse_nvidia_smi_xml(text, "smi.xml");
  EXPECT_TRUE(report) << one_line(report.error());
  return report ? std::move(*report) : HealthReport{};
}

GpuHealth only_gpu(const std::string& file) {
  const auto report = parsed(text_of(file));
  EXPECT_EQ(report.gpus.size(), 1U);
  return report.gpus.empty() ? GpuHealth{} : report.gpus.front();
}

std::string error_of(const std::string& text) {
  auto report = parse_nvidia_smi_xml(text, "smi.xml");
  return report ? "no error" : one_line(report.error());
}

template <typename T>
Reading<T> not_there() {
  return Reading<T>::unreadable("N/A");
}

TEST(NvidiaSmiXml, tells_no_errors_from_no_such_counter) {
  const auto gpu = only_gpu("t4-pass-through-515.xml");
  EXPECT_EQ(model::to_string(gpu.address), "0000:00:1e.0");
  EXPECT_EQ(gpu.name, "Tesla T4"s);
  EXPECT_EQ(gpu.architecture, "Turing"s);
  EXPECT_EQ(gpu.driver_version, "515.105.01"s);
  EXPECT_EQ(gpu.virtualization, model::VirtualizationMode::pass_through);
  EXPECT_EQ(gpu.host_vgpu, not_there<model::HostVgpuMode>());
  EXPECT_TRUE(gpu.mixed_sizes.is_absent()) << "this driver has no such element";
  EXPECT_EQ(gpu.framebuffer_total_bytes, 15360 * mib);
  EXPECT_EQ(gpu.framebuffer_reserved_bytes, 388 * mib);
  EXPECT_EQ(gpu.framebuffer_used_bytes, 1032 * mib);
  EXPECT_EQ(gpu.ecc, (model::Switch{true, true}));
  EXPECT_EQ(gpu.volatile_errors, (model::EccCounts{0U, 0U}));
  EXPECT_EQ(gpu.retired_pages, (model::RetiredPages{0U, 0U, false}));
  EXPECT_EQ(gpu.remapped_rows.correctable, not_there<std::uint64_t>());
  EXPECT_EQ(gpu.remapped_rows.failure, not_there<bool>());
  EXPECT_EQ(gpu.utilization, (model::Utilization{0, 0, 0, 0}));
  EXPECT_TRUE(gpu.scheduler.is_absent()) << "the XML does not tell it";
}

TEST(NvidiaSmiXml, takes_nothing_from_the_blocks_of_mig_devices) {
  const auto gpu = only_gpu("a100-mig-535.xml");
  EXPECT_EQ(gpu.mig, (model::Switch{true, true}));
  EXPECT_EQ(gpu.framebuffer_total_bytes, 81920 * mib);
  EXPECT_EQ(gpu.framebuffer_used_bytes, 50 * mib);
  EXPECT_EQ(gpu.utilization.gpu, not_there<int>());
  EXPECT_EQ(gpu.remapped_rows.pending, not_there<bool>()) << "the whole element says N/A";
  EXPECT_EQ(gpu.retired_pages.pending, not_there<bool>());
  EXPECT_EQ(gpu.volatile_errors, (model::EccCounts{0U, 0U}));
}

TEST(NvidiaSmiXml, reads_cards_without_ecc_and_cards_that_have_it_off) {
  const auto game = only_gpu("rtx3080-595.xml");
  EXPECT_EQ(game.ecc.current, not_there<bool>());
  EXPECT_EQ(game.volatile_errors.uncorrected, not_there<std::uint64_t>());
  EXPECT_EQ(game.recovery_action, "None"s);
  EXPECT_EQ(game.utilization.gpu, 65);
  const auto work = only_gpu("rtx4000-ada-595.xml");
  EXPECT_EQ(work.ecc, (model::Switch{false, false}));
  EXPECT_EQ(work.volatile_errors.corrected, not_there<std::uint64_t>());
  EXPECT_EQ(work.remapped_rows, (model::RemappedRows{0U, 0U, false, false}));
}

TEST(NvidiaSmiXml, leaves_absent_what_an_old_driver_does_not_tell) {
  const auto gpu = only_gpu("gtx1070-old.xml");
  EXPECT_EQ(gpu.name, "GeForce GTX 1070 Ti"s);
  EXPECT_TRUE(gpu.driver_version.is_absent());
  EXPECT_TRUE(gpu.ecc.current.is_absent());
  EXPECT_TRUE(gpu.volatile_errors.corrected.is_absent());
  EXPECT_TRUE(gpu.retired_pages.pending.is_absent());
  EXPECT_TRUE(gpu.remapped_rows.failure.is_absent());
  EXPECT_TRUE(gpu.framebuffer_reserved_bytes.is_absent());
  EXPECT_TRUE(gpu.utilization.encoder.is_absent());
  EXPECT_EQ(gpu.framebuffer_total_bytes, 4096 * mib);
}

TEST(NvidiaSmiXml, reads_single_and_double_bit_counts_and_pending_retirement) {
  const auto gpu = only_gpu("p100-sick-418.xml");
  EXPECT_EQ(gpu.virtualization, model::VirtualizationMode::host_vgpu);
  EXPECT_EQ(gpu.host_vgpu, model::HostVgpuMode::non_sriov);
  EXPECT_EQ(gpu.ecc, (model::Switch{true, false}));
  EXPECT_EQ(gpu.volatile_errors, (model::EccCounts{4U, 2U}));
  EXPECT_EQ(gpu.aggregate_errors, (model::EccCounts{19U, 2U}));
  EXPECT_EQ(gpu.retired_pages, (model::RetiredPages{5U, 1U, true}));
  EXPECT_TRUE(gpu.remapped_rows.pending.is_absent());
  EXPECT_EQ(gpu.utilization.encoder, Reading<int>::unreadable("Unknown Error"));
}

TEST(NvidiaSmiXml, adds_up_the_parts_that_the_card_counts) {
  const auto gpu = only_gpu("l40s-sick-580.xml");
  EXPECT_EQ(model::to_string(gpu.address), "0001:26:00.0") << "domain 1, with eight digits";
  EXPECT_EQ(gpu.host_vgpu, model::HostVgpuMode::sriov);
  EXPECT_EQ(gpu.mixed_sizes, true);
  EXPECT_EQ(gpu.volatile_errors, (model::EccCounts{1U, 7U}));
  EXPECT_EQ(gpu.aggregate_errors, (model::EccCounts{1U, 12U}));
  EXPECT_EQ(gpu.remapped_rows, (model::RemappedRows{0U, 9U, true, true}));
  EXPECT_EQ(gpu.recovery_action, "Reset"s);
}

TEST(NvidiaSmiXml, quotes_a_value_that_makes_no_sense) {
  auto text = text_of("t4-pass-through-515.xml");
  const std::string total = "15360 MiB";
  text.replace(text.find(total), total.size(), "12 bananas");
  const auto report = parsed(text);
  EXPECT_EQ(report.gpus.at(0).framebuffer_total_bytes.why(), "'12 bananas' is no size");
  EXPECT_EQ(report.gpus.at(0).framebuffer_reserved_bytes, 388 * mib) << "the others stand";
}

TEST(NvidiaSmiXml, knows_the_words_that_are_said_in_place_of_a_report) {
  EXPECT_TRUE(parsed("No devices were found\n").gpus.empty());
  EXPECT_EQ(error_of("NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA "
                     "driver. Make sure that the latest NVIDIA driver is installed and running.\n"),
            "smi.xml: nvidia-smi found no NVIDIA driver that answers");
  EXPECT_EQ(error_of("Failed to initialize NVML: Driver/library version mismatch\n"),
            "smi.xml: nvidia-smi is of another version than the driver that is loaded");
  auto denied = parse_nvidia_smi_xml("Failed to initialize NVML: Insufficient Permissions", "x");
  ASSERT_FALSE(denied);
  EXPECT_EQ(denied.error().kind, ErrorKind::denied);
}

TEST(NvidiaSmiXml, lists_cards_that_do_not_answer_beside_those_that_do) {
  const auto report =
      parsed("Unable to determine the device handle for GPU3: 0000:5F:00.0: Unknown Error\n" +
             text_of("rtx3080-595.xml"));
  ASSERT_EQ(report.unreachable.size(), 1U);
  EXPECT_EQ(report.unreachable[0], "GPU3: 0000:5F:00.0: Unknown Error");
  EXPECT_EQ(report.gpus.size(), 1U);
  EXPECT_EQ(parsed("Unable to determine the device handle for GPU 0000:3B:00.0: GPU is lost.\n"
                   "No devices were found\n")
                .unreachable.size(),
            1U);
}

TEST(NvidiaSmiXml, says_in_which_line_it_does_not_understand_the_text) {
  EXPECT_EQ(error_of(""),
            "smi.xml: no line of it begins the XML of nvidia-smi (<?xml or <nvidia_smi_log>)");
  EXPECT_EQ(error_of("<?xml version=\"1.0\" ?>\n<nvidia_smi_log>\n<gpu id=\"00000000:01:00.0\">\n"
                     "</nvidia_smi_log>\n"),
            "smi.xml: line 4: the XML is broken (Start-end tags mismatch)");
  EXPECT_EQ(error_of("warning\n<?xml version=\"1.0\" ?>\n<log/>\n"),
            "smi.xml: line 2: the root of the XML is <log>, not <nvidia_smi_log>");
  EXPECT_EQ(error_of("<nvidia_smi_log>\n\n<gpu id=\"7\"/></nvidia_smi_log>"),
            "smi.xml: line 3: '7' is no card's address");
  EXPECT_EQ(error_of("<nvidia_smi_log>\n<gpu id=\"00000000:01:00.0\"/>\n"
                     "<gpu id=\"0000:01:00.0\"/></nvidia_smi_log>"),
            "smi.xml: line 3: 0000:01:00.0 is there twice");
}

VgpuReport parsed_vgpus(const std::string& text) {
  auto report = parse_nvidia_smi_vgpus(text, "vgpu.txt");
  EXPECT_TRUE(report) << one_line(report.error());
  return report ? std::move(*report) : VgpuReport{};
}

std::string vgpu_error_of(const std::string& text) {
  auto report = parse_nvidia_smi_vgpus(text, "vgpu.txt");
  return report ? "no error" : one_line(report.error());
}

TEST(NvidiaSmiVgpus, reads_580_and_its_card_without_vgpus) {
  const auto report = parsed_vgpus(text_of("vgpu-q-580.txt"));
  ASSERT_EQ(report.cards.size(), 2U);
  EXPECT_EQ(model::to_string(report.cards[0]), "0001:04:00.0");
  ASSERT_EQ(report.vgpus.size(), 2U);
  const VgpuHealth& first = report.vgpus[0];
  EXPECT_EQ(model::to_string(first.card), "0001:c8:00.0");
  EXPECT_EQ(first.vgpu_id, 3251637554U);
  EXPECT_EQ(first.vm_name, "instance-00000004"s);
  EXPECT_EQ(first.vm_uuid, "11111111-0a3c-4647-9bb4-27f905b7d7bb"s);
  EXPECT_EQ(first.uuid, "22222222-859f-11f1-84fe-7572c7d51d3e"s);
  EXPECT_EQ(first.type_id, 1519U);
  EXPECT_EQ(first.type_name, "NVIDIA RTX Pro 6000 Blackwell DC-3Q"s);
  EXPECT_EQ(first.licence, not_there<std::string>());
  EXPECT_EQ(first.guest_driver_version, not_there<std::string>());
  EXPECT_EQ(first.placement_id, 0);
  EXPECT_EQ(first.gpu_instance, not_there<int>());
  EXPECT_TRUE(first.mdev_uuid.is_absent());
  EXPECT_TRUE(first.frame_rate_limit.is_absent());
  EXPECT_EQ(first.framebuffer_total_bytes, 3072 * mib);
  EXPECT_EQ(first.framebuffer_used_bytes, 128 * mib);
  const VgpuHealth& second = report.vgpus[1];
  EXPECT_EQ(second.licence, "Unlicensed (Unrestricted)"s);
  EXPECT_EQ(second.guest_driver_version, "580.105.08"s);
  EXPECT_EQ(second.placement_id, 3);
  EXPECT_EQ(second.utilization, (model::Utilization{12, 7, 0, 0}));
}

TEST(NvidiaSmiVgpus, reads_525_with_empty_uuids_and_qemus_options_in_the_name) {
  const auto report = parsed_vgpus(text_of("vgpu-q-525.txt"));
  ASSERT_EQ(report.vgpus.size(), 1U);
  const VgpuHealth& vgpu = report.vgpus[0];
  EXPECT_EQ(vgpu.vm_name, "win10test"s);
  EXPECT_EQ(vgpu.vm_uuid, Reading<std::string>::unreadable("empty"));
  EXPECT_EQ(vgpu.uuid, Reading<std::string>::unreadable("empty"));
  EXPECT_EQ(vgpu.mdev_uuid, "00000000-0000-0000-0000-000000000101"s);
  EXPECT_EQ(vgpu.frame_rate_limit, not_there<int>());
  EXPECT_EQ(vgpu.ecc, not_there<bool>());
  EXPECT_EQ(vgpu.utilization, (model::Utilization{0, 0, 0, 0}));
  EXPECT_EQ(vgpu.encoder_sessions, 0) << "not the 7 of frame capture";
  EXPECT_EQ(vgpu.framebuffer_used_bytes, 0U);
}

TEST(NvidiaSmiVgpus, reads_a_mig_backed_one_whose_utilization_is_not_known) {
  const auto report = parsed_vgpus(text_of("vgpu-q-580-mig.txt"));
  ASSERT_EQ(report.vgpus.size(), 1U);
  EXPECT_EQ(report.vgpus[0].gpu_instance, 3);
  EXPECT_EQ(report.vgpus[0].utilization.gpu, not_there<int>());
  EXPECT_TRUE(report.vgpus[0].placement_id.is_absent());
  EXPECT_TRUE(report.vgpus[0].licence.is_absent());
}

std::string one_vgpu(const std::string& lines) {
  return "GPU 00000000:3B:00.0\n    Active vGPUs : 1\n    vGPU ID : 5\n" + lines;
}

TEST(NvidiaSmiVgpus, cuts_a_machines_name_at_the_first_single_comma) {
  const auto name_of = [](const std::string& name) {
    return parsed_vgpus(one_vgpu("        VM Name : " + name + "\n")).vgpus.at(0).vm_name;
  };
  EXPECT_EQ(name_of("guest=win:10,debug-threads=on"), "win:10"s);
  EXPECT_EQ(name_of("a,,b,process=qemu"), "a,b"s);
  EXPECT_EQ(name_of("plain"), "plain"s);
  EXPECT_EQ(name_of(",debug-threads=on"), Reading<std::string>::unreadable("empty"));
}

TEST(NvidiaSmiVgpus, ends_a_section_where_the_indentation_does) {
  const auto report =
      parsed_vgpus(one_vgpu("        FB Memory Usage\n            Total : 1024 MiB\n"
                            "        Frame Rate Limit : 60 FPS\n        Total : 7 MiB\n"
                            "        License Status : Licensed (Expiry: 2026-8-2 10:0:0 GMT)\n"));
  EXPECT_EQ(report.vgpus.at(0).framebuffer_total_bytes, 1024 * mib);
  EXPECT_EQ(report.vgpus.at(0).frame_rate_limit, 60);
  EXPECT_EQ(report.vgpus.at(0).licence, "Licensed (Expiry: 2026-8-2 10:0:0 GMT)"s);
}

TEST(NvidiaSmiVgpus, knows_the_words_that_are_said_in_place_of_a_report) {
  EXPECT_TRUE(parsed_vgpus("No supported devices in vGPU mode\n").cards.empty());
  EXPECT_TRUE(parsed_vgpus("No devices were found\n").cards.empty());
  EXPECT_EQ(vgpu_error_of("Failed to initialize NVML: Unknown Error\n"),
            "vgpu.txt: nvidia-smi could not open the driver's library");
  EXPECT_EQ(parsed_vgpus(one_vgpu("        VM Name : No devices were found\n")).vgpus.size(), 1U)
      << "a machine may be called anything";
}

TEST(NvidiaSmiVgpus, says_in_which_line_it_does_not_understand_the_text) {
  EXPECT_EQ(vgpu_error_of(""), "vgpu.txt: no line in it names a card (GPU 00000000:3B:00.0)");
  EXPECT_EQ(vgpu_error_of("\nGPU 3B:00\n"), "vgpu.txt: line 2: '3B:00' is no card's address");
  EXPECT_EQ(vgpu_error_of("GPU 00000000:3B:00.0\nGPU 0000:3b:00.0\n"),
            "vgpu.txt: line 2: 0000:3b:00.0 is there twice");
  EXPECT_EQ(vgpu_error_of("GPU 00000000:3B:00.0\n    Active vGPUs : many\n"),
            "vgpu.txt: line 2: 'many' is no number of vGPUs");
  EXPECT_EQ(vgpu_error_of("GPU 00000000:3B:00.0\n    vGPU ID : 99999999999\n"),
            "vgpu.txt: line 2: '99999999999' is no vGPU's id");
  EXPECT_EQ(vgpu_error_of(one_vgpu("    vGPU ID : 5\n")),
            "vgpu.txt: line 4: vGPU 5 is there twice");
  EXPECT_EQ(vgpu_error_of("GPU 00000000:3B:00.0\n    Active vGPUs : 2\n    vGPU ID : 5\n"),
            "vgpu.txt: line 3: 2 vGPUs of 0000:3b:00.0 were announced, and 1 are listed");
}

}  // namespace
}  // namespace tessera::vendor
