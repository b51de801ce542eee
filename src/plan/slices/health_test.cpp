// SPDX-License-Identifier: Apache-2.0
#include "plan/slices/health.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "base/units.h"

namespace tessera::plan::slices {
namespace {

using model::GpuHealth;
using model::HealthReport;
using model::Reading;
using Bytes = Reading<std::uint64_t>;

GpuHealth card(int memory_bus_bits, bool ecc, std::uint64_t total_mib) {
  GpuHealth gpu;
  gpu.address = model::parse_pci_address("0000:3b:00.0").value();
  gpu.memory_bus_bits = memory_bus_bits;
  gpu.ecc = {ecc, ecc};
  gpu.framebuffer_total_bytes = total_mib * mib;
  return gpu;
}

TEST(SliceHealth, counts_a_sixteenth_of_gddr_for_ecc_and_nothing_of_hbm) {
  EXPECT_EQ(ecc_cost_bytes(card(256, true, 15360)), Bytes(1024 * mib)) << "a T4 of 16 GiB";
  EXPECT_EQ(ecc_cost_bytes(card(256, false, 16384)), Bytes(0U));
  EXPECT_EQ(ecc_cost_bytes(card(4096, true, 16384)), Bytes(0U)) << "a P100";
  EXPECT_EQ(memory_kind(card(512, true, 1)), MemoryKind::gddr);
  EXPECT_EQ(memory_kind(card(3072, true, 1)), MemoryKind::hbm);
}

TEST(SliceHealth, does_not_guess_what_ecc_takes) {
  GpuHealth gpu = card(256, true, 15360);
  gpu.memory_bus_bits = {};
  EXPECT_TRUE(ecc_cost_bytes(gpu).is_absent());
  gpu.memory_bus_bits = Reading<int>::unreadable("GPU_IS_LOST");
  EXPECT_EQ(ecc_cost_bytes(gpu).why(), "GPU_IS_LOST");
  gpu.ecc.current = Reading<bool>::unreadable("N/A");
  EXPECT_EQ(ecc_cost_bytes(gpu), Bytes(0U)) << "a card without ECC";
  gpu.ecc.current = {};
  EXPECT_TRUE(ecc_cost_bytes(gpu).is_absent());
  EXPECT_TRUE(ecc_cost_bytes(GpuHealth{}).is_absent());
}

TEST(SliceHealth, knows_how_the_framebuffer_changes_when_a_pending_mode_comes_true) {
  GpuHealth gpu = card(256, true, 15360);
  EXPECT_EQ(framebuffer_after_reset_bytes(gpu), Bytes(15360 * mib));
  gpu.ecc.pending = false;
  EXPECT_EQ(framebuffer_after_reset_bytes(gpu), Bytes(16384 * mib));
  gpu = card(256, false, 16384);
  gpu.ecc.pending = true;
  EXPECT_EQ(framebuffer_after_reset_bytes(gpu), Bytes(15360 * mib));
  gpu.memory_bus_bits = 4096;
  EXPECT_EQ(framebuffer_after_reset_bytes(gpu), Bytes(16384 * mib));
  gpu.memory_bus_bits = {};
  EXPECT_TRUE(framebuffer_after_reset_bytes(gpu).is_absent());
}

TEST(SliceHealth, keeps_pages_back_where_vgpus_are_made_on_the_card_itself) {
  GpuHealth gpu = card(256, false, 16384);
  EXPECT_TRUE(page_retirement_cost_bytes(gpu).is_absent());
  gpu.host_vgpu = model::HostVgpuMode::non_sriov;
  EXPECT_TRUE(page_retirement_cost_bytes(gpu).is_absent()) << "retirement is not told";
  gpu.retired_pages.double_bit = 0U;
  EXPECT_TRUE(page_retirement_cost_bytes(gpu).is_absent()) << "the architecture is not told";
  gpu.architecture = std::string("Turing");
  EXPECT_EQ(page_retirement_cost_bytes(gpu), Bytes(128 * mib)) << "with ECC off too";
  gpu.architecture = std::string("Maxwell");
  EXPECT_EQ(page_retirement_cost_bytes(gpu), Bytes(4 * mib));
  gpu.architecture = std::string("Tomorrow");
  EXPECT_TRUE(page_retirement_cost_bytes(gpu).is_absent());
  gpu.retired_pages.double_bit = Bytes::unreadable("N/A");
  EXPECT_EQ(page_retirement_cost_bytes(gpu), Bytes(0U));
  gpu.host_vgpu = model::HostVgpuMode::sriov;
  EXPECT_EQ(page_retirement_cost_bytes(gpu), Bytes(0U));
}

HealthReport report_of(GpuHealth gpu) {
  HealthReport report;
  report.source = "nvidia-smi -q -x";
  report.gpus = {std::move(gpu)};
  return report;
}

model::VgpuHealth vgpu_of(const char* machine, std::uint32_t id) {
  model::VgpuHealth vgpu;
  vgpu.card = model::parse_pci_address("0000:3b:00.0").value();
  vgpu.vgpu_id = id;
  vgpu.type_name = std::string("GRID P100-4Q");
  vgpu.vm_name = std::string(machine);
  return vgpu;
}

std::vector<std::string> ids(const std::vector<model::Finding>& findings) {
  std::vector<std::string> all;
  for (const auto& finding : findings) all.push_back(finding.id);
  return all;
}

TEST(SliceHealth, cordons_no_card_of_which_nothing_bad_is_known) {
  GpuHealth well = card(256, true, 15360);
  well.volatile_errors = {7U, 0U};
  well.aggregate_errors = {90U, 12U};
  well.retired_pages = {2U, 1U, false};
  well.remapped_rows = {0U, 3U, false, false};
  well.recovery_action = std::string("None");
  EXPECT_TRUE(cordons(report_of(well)).empty()) << "old errors are history";
  EXPECT_TRUE(cordons(report_of(GpuHealth{})).empty());
  GpuHealth silent;
  silent.volatile_errors.uncorrected = Bytes::unreadable("N/A");
  silent.remapped_rows.failure = Reading<bool>::unreadable("NO_PERMISSION");
  silent.recovery_action = Reading<std::string>::unreadable("N/A");
  EXPECT_TRUE(cordons(report_of(silent)).empty());
}

TEST(SliceHealth, cordons_for_each_reason_and_the_worst_first) {
  GpuHealth sick = card(384, true, 46068);
  sick.volatile_errors.uncorrected = 7U;
  sick.remapped_rows = {0U, 9U, true, true};
  sick.retired_pages.pending = true;
  sick.recovery_action = std::string("Reset");
  const auto findings = cordons(report_of(sick));
  EXPECT_EQ(ids(findings), (std::vector<std::string>{"row-remapping-failed", "uncorrected-errors",
                                                     "recovery-action", "row-remapping-pending",
                                                     "page-retirement-pending"}));
  EXPECT_TRUE(is_cordoned(findings, sick.address));
  EXPECT_FALSE(is_cordoned(findings, model::parse_pci_address("0000:3c:00.0").value()));
  for (const auto& finding : findings) {
    EXPECT_FALSE(finding.title.empty() || finding.evidence.empty() || finding.cause.empty() ||
                 finding.consequence.empty() || finding.fix.empty())
        << finding.id;
  }
}

TEST(SliceHealth, says_what_was_read_which_machines_are_hit_and_what_to_do) {
  GpuHealth sick = card(4096, true, 16384);
  sick.retired_pages = {5U, 1U, true};
  HealthReport report = report_of(sick);
  report.vgpus = {vgpu_of("web", 11), vgpu_of("build", 12), vgpu_of("web", 13)};
  report.vgpus.push_back(vgpu_of("elsewhere", 14));
  report.vgpus.back().card = model::parse_pci_address("0000:3c:00.0").value();
  const auto findings = cordons(report);
  ASSERT_EQ(findings.size(), 1U);
  const auto& finding = findings.front();
  EXPECT_EQ(finding.severity, model::Severity::warning);
  ASSERT_EQ(finding.evidence.size(), 4U);
  EXPECT_EQ(finding.evidence[0].path, "nvidia-smi -q -x");
  EXPECT_EQ(finding.evidence[0].text,
            "0000:3b:00.0: page retirement pending: yes; retired pages: 5 after single-bit errors, "
            "1 after double-bit errors, of 64 at most");
  EXPECT_EQ(finding.evidence[2].text, "vGPU 12 (GRID P100-4Q) of build is on the card");
  EXPECT_TRUE(
      finding.fix.starts_with("Make no new slices on the card. Stop or move away the "
                              "machines build, web. "))
      << finding.fix;
  EXPECT_EQ(finding.command, "sudo nvidia-smi --gpu-reset -i 0000:3b:00.0");
}

TEST(SliceHealth, names_a_machine_by_its_uuid_where_there_is_no_name) {
  GpuHealth sick = card(4096, true, 16384);
  sick.volatile_errors.uncorrected = 1U;
  HealthReport report = report_of(sick);
  report.vgpus = {vgpu_of("web", 11)};
  report.vgpus[0].vm_name = {};
  report.vgpus[0].vm_uuid = std::string("11111111-0a3c");
  EXPECT_NE(cordons(report).at(0).fix.find("the machine 11111111-0a3c."), std::string::npos);
  EXPECT_EQ(cordons(report).at(0).title, "The card lost data in 1 memory error");
  report.vgpus[0].vm_uuid = Reading<std::string>::unreadable("empty");
  EXPECT_NE(cordons(report).at(0).fix.find("a machine whose name is not known"), std::string::npos);
}

TEST(SliceHealth, does_as_the_driver_asks_after_an_error) {
  const auto asked = [](const char* words) {
    GpuHealth gpu = card(4096, true, 16384);
    gpu.recovery_action = std::string(words);
    return cordons(report_of(gpu)).at(0);
  };
  EXPECT_EQ(asked("Reboot").command, "sudo systemctl reboot");
  EXPECT_EQ(asked("Drain and Reset").command, "sudo nvidia-smi --gpu-reset -i 0000:3b:00.0");
  EXPECT_EQ(asked("Drain P2P").command, "");
  EXPECT_NE(asked("Drain P2P").fix.find("(Drain P2P)"), std::string::npos);
}

}  // namespace
}  // namespace tessera::plan::slices
