// SPDX-License-Identifier: Apache-2.0
#include "plan/slices/health.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/text.h"
#include "base/units.h"

namespace tessera::plan::slices {

using model::Finding;
using model::GpuHealth;
using model::HealthReport;
using model::Reading;
using model::Severity;
using model::VgpuHealth;

namespace {

constexpr std::uint64_t retirable_pages = 64;

/// A reading without a value, for the same reason as another.
template <typename To, typename From>
Reading<To> missing_like(const Reading<From>& reading) {
  return reading.is_absent() ? Reading<To>{} : Reading<To>::unreadable(reading.why());
}

/// The size of a page that is retired; nothing where the architecture is not one that retires
/// pages.
std::optional<std::uint64_t> retired_page_bytes(std::string_view architecture) {
  constexpr std::array<std::string_view, 3> after_maxwell = {"Pascal", "Volta", "Turing"};
  if (architecture == "Maxwell") return std::uint64_t{64} << 10U;
  if (std::ranges::find(after_maxwell, architecture) != after_maxwell.end()) return 2 * mib;
  return std::nullopt;
}

std::string machine_of(const VgpuHealth& vgpu) {
  if (vgpu.vm_name.has_value()) return vgpu.vm_name.value();
  if (vgpu.vm_uuid.has_value()) return vgpu.vm_uuid.value();
  return "a machine whose name is not known";
}

/// What the findings about one card have in common.
class Card {
 public:
  Card(const HealthReport& report, const GpuHealth& gpu) : report_(report), gpu_(gpu) {
    for (const VgpuHealth& vgpu : report.vgpus) {
      if (vgpu.card == gpu.address) vgpus_.push_back(&vgpu);
    }
  }

  [[nodiscard]] const GpuHealth& gpu() const { return gpu_; }

  [[nodiscard]] Finding begin(std::string id, Severity severity, std::string title,
                              std::string_view seen) const {
    Finding finding;
    finding.id = std::move(id);
    finding.severity = severity;
    finding.card = gpu_.address;
    finding.title = std::move(title);
    finding.evidence.push_back(
        {report_.source, fmt::format("{}: {}", model::to_string(gpu_.address), seen)});
    for (const VgpuHealth* vgpu : vgpus_) {
      finding.evidence.push_back(
          {report_.source,
           fmt::format("vGPU {} ({}) of {} is on the card", vgpu->vgpu_id,
                       vgpu->type_name.value_or("type not known"), machine_of(*vgpu))});
    }
    return finding;
  }

  /// "Make no new slices on the card. Stop or move away the machines a, b. "
  [[nodiscard]] std::string drain() const {
    std::vector<std::string> machines;
    for (const VgpuHealth* vgpu : vgpus_) machines.push_back(machine_of(*vgpu));
    std::ranges::sort(machines);
    machines.erase(std::ranges::unique(machines).begin(), machines.end());
    constexpr std::string_view no_new = "Make no new slices on the card. ";
    if (machines.empty()) return std::string(no_new);
    return fmt::format("{}Stop or move away the machine{} {}. ", no_new,
                       machines.size() == 1 ? "" : "s", text::join(machines, ", "));
  }

  [[nodiscard]] std::string reset_command() const {
    return "sudo nvidia-smi --gpu-reset -i " + model::to_string(gpu_.address);
  }

 private:
  const HealthReport& report_;
  const GpuHealth& gpu_;
  std::vector<const VgpuHealth*> vgpus_;
};

constexpr std::string_view then_reset =
    "Then remove its slices and virtual functions, and reset it: a card is reset only while "
    "nothing "
    "uses it.";

std::optional<Finding> row_remapping_failed(const Card& card) {
  if (!card.gpu().remapped_rows.failure.value_or(false)) return std::nullopt;
  auto finding = card.begin("row-remapping-failed", Severity::error,
                            "A bad row of the card's memory could not be replaced",
                            "row remapping failed: yes");
  const auto& used = card.gpu().remapped_rows.uncorrectable;
  if (used.has_value()) {
    finding.evidence.front().text +=
        fmt::format("; {} rows were remapped after uncorrectable errors", used.value());
  }
  finding.cause =
      "Its bank has no spare row left (a bank has 8, a card 512), or the spare row went bad "
      "itself. "
      "The flag stays for the card's life.";
  finding.consequence =
      "The bad row stays in use: the next error in it takes the machine that owns that memory "
      "down, and any vGPU can get that memory.";
  finding.fix = card.drain() +
                "Run NVIDIA's field diagnostic on it: this flag, confirmed by the diagnostic, is "
                "what NVIDIA takes a card back for (RMA).";
  return finding;
}

std::optional<Finding> uncorrected_errors(const Card& card) {
  const auto& count = card.gpu().volatile_errors.uncorrected;
  if (count.value_or(0) == 0) return std::nullopt;
  const bool one = count.value() == 1;
  auto finding = card.begin(
      "uncorrected-errors", Severity::error,
      fmt::format("The card lost data in {} memory error{}", count.value(), one ? "" : "s"),
      fmt::format("volatile uncorrected ECC errors: {}", count.value()));
  finding.cause =
      "Two or more bits of a word changed, which ECC sees and cannot put right. The count is since "
      "the driver was loaded.";
  finding.consequence =
      "What ran in that memory was stopped, and before Ampere everything that ran on the card. The "
      "bad place is taken out of use at the next reset, not before.";
  finding.fix = card.drain() + std::string(then_reset) +
                " If errors come again, run NVIDIA's field diagnostic on it: what it confirms is a "
                "ground for returning the card (RMA).";
  finding.command = card.reset_command();
  return finding;
}

std::optional<Finding> recovery_action(const Card& card) {
  const auto& action = card.gpu().recovery_action;
  if (!action.has_value() || action.value() == "None") return std::nullopt;
  const std::string& words = action.value();
  const bool reboot = words.find("Reboot") != std::string::npos;
  const bool reset = words.find("Reset") != std::string::npos;
  auto finding = card.begin("recovery-action", Severity::error,
                            fmt::format("The driver asks for this after an error: {}", words),
                            "GPU recovery action: " + words);
  finding.cause = "The card or its driver met an error that it cannot leave by itself.";
  finding.consequence = "New machines may fail on it, and those that run may stop working.";
  if (reboot) {
    finding.fix = card.drain() + "Then reboot the host: a reset of the card is not enough.";
    finding.command = "sudo systemctl reboot";
  } else if (reset) {
    finding.fix = card.drain() + std::string(then_reset);
    finding.command = card.reset_command();
  } else {
    finding.fix =
        card.drain() + fmt::format("Then do what the driver asks ({}), and look again.", words);
  }
  return finding;
}

std::optional<Finding> row_remapping_pending(const Card& card) {
  if (!card.gpu().remapped_rows.pending.value_or(false)) return std::nullopt;
  auto finding = card.begin("row-remapping-pending", Severity::warning,
                            "A bad row of the card's memory waits for a reset to be replaced",
                            "row remapping pending: yes");
  finding.cause = "The row had an uncorrectable error, or several that were corrected.";
  finding.consequence =
      "What runs goes on, without that memory. But the reset has to come, and every new machine "
      "puts it off.";
  finding.fix = card.drain() + std::string(then_reset);
  finding.command = card.reset_command();
  return finding;
}

std::optional<Finding> page_retirement_pending(const Card& card) {
  const auto& pages = card.gpu().retired_pages;
  if (!pages.pending.value_or(false)) return std::nullopt;
  auto finding = card.begin("page-retirement-pending", Severity::warning,
                            "Bad pages of the card's memory wait to be retired",
                            "page retirement pending: yes");
  if (pages.single_bit.has_value() && pages.double_bit.has_value()) {
    finding.evidence.front().text += fmt::format(
        "; retired pages: {} after single-bit errors, {} after double-bit errors, of {} at most",
        pages.single_bit.value(), pages.double_bit.value(), retirable_pages);
  }
  finding.cause = "The pages had a double-bit error, or several single-bit errors in one place.";
  finding.consequence =
      "They stay in use until the driver starts anew: the next machine may get them.";
  finding.fix =
      card.drain() +
      "Then remove its slices and reset it, or load the driver's modules anew, or reboot. "
      "A card that retires page after page is one for NVIDIA's field diagnostic (RMA).";
  finding.command = card.reset_command();
  return finding;
}

}  // namespace

Reading<MemoryKind> memory_kind(const GpuHealth& gpu) {
  constexpr int lanes_of_one_stack = 1024;
  if (!gpu.memory_bus_bits.has_value()) return missing_like<MemoryKind>(gpu.memory_bus_bits);
  return gpu.memory_bus_bits.value() >= lanes_of_one_stack ? MemoryKind::hbm : MemoryKind::gddr;
}

Reading<std::uint64_t> ecc_cost_bytes(const GpuHealth& gpu) {
  const auto& ecc = gpu.ecc.current;
  if (model::is_not_applicable(ecc)) return std::uint64_t{0};
  if (!ecc.has_value()) return missing_like<std::uint64_t>(ecc);
  if (!ecc.value()) return std::uint64_t{0};
  const auto kind = memory_kind(gpu);
  if (!kind.has_value()) return missing_like<std::uint64_t>(kind);
  if (kind.value() == MemoryKind::hbm) return std::uint64_t{0};
  if (!gpu.framebuffer_total_bytes.has_value()) return gpu.framebuffer_total_bytes;
  return gpu.framebuffer_total_bytes.value() / 15;
}

Reading<std::uint64_t> framebuffer_after_reset_bytes(const GpuHealth& gpu) {
  const auto& total = gpu.framebuffer_total_bytes;
  const auto& [now, then] = gpu.ecc;
  if (!total.has_value() || model::is_not_applicable(then)) return total;
  if (!now.has_value()) return missing_like<std::uint64_t>(now);
  if (!then.has_value()) return missing_like<std::uint64_t>(then);
  if (now.value() == then.value()) return total;
  const auto kind = memory_kind(gpu);
  if (!kind.has_value()) return missing_like<std::uint64_t>(kind);
  if (kind.value() == MemoryKind::hbm) return total;
  return then.value() ? total.value() - total.value() / 16 : total.value() + total.value() / 15;
}

Reading<std::uint64_t> page_retirement_cost_bytes(const GpuHealth& gpu) {
  if (!gpu.host_vgpu.has_value()) return missing_like<std::uint64_t>(gpu.host_vgpu);
  if (gpu.host_vgpu.value() == model::HostVgpuMode::sriov) return std::uint64_t{0};
  const auto& retired = gpu.retired_pages.double_bit;
  if (model::is_not_applicable(retired)) return std::uint64_t{0};
  if (!retired.has_value()) return missing_like<std::uint64_t>(retired);
  if (!gpu.architecture.has_value()) return missing_like<std::uint64_t>(gpu.architecture);
  const auto page = retired_page_bytes(gpu.architecture.value());
  return page ? Reading<std::uint64_t>(retirable_pages * *page) : Reading<std::uint64_t>{};
}

std::vector<Finding> cordons(const HealthReport& report) {
  constexpr std::array reasons = {row_remapping_failed, uncorrected_errors, recovery_action,
                                  row_remapping_pending, page_retirement_pending};
  std::vector<Finding> findings;
  for (const GpuHealth& gpu : report.gpus) {
    const Card card(report, gpu);
    for (const auto& reason : reasons) {
      if (auto finding = reason(card)) findings.push_back(std::move(*finding));
    }
  }
  return findings;
}

bool is_cordoned(const std::vector<Finding>& cordons, const model::PciAddress& card) {
  return std::ranges::any_of(cordons, [&](const Finding& one) { return one.card == card; });
}

}  // namespace tessera::plan::slices
