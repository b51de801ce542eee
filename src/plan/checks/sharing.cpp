// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "kernel/files.h"
#include "model/drivers.h"
#include "plan/checks/checks.h"
#include "plan/checks/support.h"

namespace tessera::plan::checks {

namespace files = kernel::files;
using model::Card;
using model::Finding;
using model::HostSnapshot;
using model::PciFunction;
using model::Severity;

namespace {

constexpr std::uint16_t intel = 0x8086;

std::string file_of(const PciFunction& function, std::string_view name) {
  return files::pci_device(to_string(function.address), name);
}

std::string parameter(const HostSnapshot& host, const std::string& name) {
  auto found = host.kernel.parameters.find(name);
  return found != host.kernel.parameters.end() ? found->second : std::string();
}

/// What stands between an Intel graphics whose driver is bound and GVT-g, each with where it was
/// seen.
std::vector<model::Evidence> in_the_way_of_gvt(const HostSnapshot& host) {
  std::vector<model::Evidence> seen;
  auto option = host.kernel.config.find("CONFIG_DRM_I915_GVT");
  if (option != host.kernel.config.end() && option->second == "n") {
    seen.push_back({files::boot_config(host.kernel.release.value_or("RELEASE")),
                    "# CONFIG_DRM_I915_GVT is not set"});
  }
  if (parameter(host, "i915.enable_gvt") == "N") {
    seen.push_back({files::module_parameter("i915", "enable_gvt"), "N"});
  }
  if (host.kernel.modules.has_value() && !host.kernel.has_module("kvmgt")) {
    seen.push_back({std::string(files::proc_modules), "kvmgt is not loaded"});
  }
  return seen;
}

bool can_be_shared(const PciFunction& function) {
  return function.vf_total.value_or(0) > 0 || !function.mdev_types.empty() || function.vendor_vgpu;
}

}  // namespace

Findings sriov_off(const CheckScope& scope) {
  Findings findings;
  for (const Card* card : scope.cards) {
    const PciFunction* function = scope.host.function(card->address);
    if (function == nullptr || function->vf_total.value_or(0) <= 0) continue;
    if (function->vf_enabled.value_or(1) != 0 || model::is_vfio_driver(function->driver)) continue;
    Finding finding;
    finding.severity = Severity::note;
    finding.card = card->address;
    finding.title = fmt::format("The card can make {} virtual functions, and has made none",
                                function->vf_total.value());
    finding.evidence = {
        {file_of(*function, "sriov_totalvfs"), std::to_string(function->vf_total.value())},
        {file_of(*function, "sriov_numvfs"), "0"}};
    finding.cause = "Nobody asked for them since the host booted; they do not outlive a reboot.";
    finding.consequence = "There are no slices of this card to give to machines.";
    finding.fix =
        "Make as many as machines are to share it, while its host driver has it (NVIDIA's cards: "
        "by the "
        "vendor's sriov-manage).";
    finding.command = fmt::format("echo {} | sudo tee {}", function->vf_total.value(),
                                  file_of(*function, "sriov_numvfs"));
    findings.push_back(std::move(finding));
  }
  return findings;
}

Findings mdev_by_vendor_interface(const CheckScope& scope) {
  Findings findings;
  for (const Card* card : scope.cards) {
    for (const auto& function : scope.host.functions) {
      const bool its_own = card->has(function.address) ||
                           (function.physical_function && card->has(*function.physical_function));
      const bool vendors_way = function.vendor_vgpu && function.mdev_types.empty();
      if (!its_own || !vendors_way) continue;
      Finding finding;
      finding.severity = Severity::note;
      finding.card = card->address;
      finding.title = "The driver makes vGPUs by its own interface, not as mediated devices";
      finding.evidence = {{file_of(function, "nvidia"), "is there"},
                          {file_of(function, "mdev_supported_types"), std::string(is_not_there)}};
      finding.cause =
          "From Linux 6.8 on NVIDIA's vGPU driver has a folder of files for each virtual function "
          "instead of mdev types.";
      finding.consequence =
          "mdevctl and <hostdev type='mdev'> find nothing; guides for mdev do not apply.";
      finding.fix =
          "Write a type's number to nvidia/current_vgpu_type of a virtual function, and give that "
          "function to the machine with managed='no'.";
      finding.command = fmt::format("cat {}", file_of(function, "nvidia/creatable_vgpu_types"));
      findings.push_back(std::move(finding));
      break;
    }
  }
  return findings;
}

Findings gvt_not_ready(const CheckScope& scope) {
  Findings findings;
  for (const Card* card : scope.cards) {
    const PciFunction* function = scope.host.function(card->address);
    const bool candidate = function != nullptr && card->integrated && function->vendor == intel &&
                           function->driver == "i915" && !can_be_shared(*function) &&
                           !parameter(scope.host, "i915.enable_gvt").empty();
    if (!candidate) continue;
    Finding finding;
    finding.evidence = in_the_way_of_gvt(scope.host);
    if (finding.evidence.empty()) continue;
    finding.evidence.push_back(
        {file_of(*function, "mdev_supported_types"), std::string(is_not_there)});
    finding.severity = Severity::note;
    finding.card = card->address;
    finding.title = "The graphics offers no GVT-g slices";
    finding.cause =
        "i915 makes them only with enable_gvt=1 and with the module kvmgt, and only on the "
        "generations that it knows GVT-g for.";
    finding.consequence = "There are no mdev types, so no slices.";
    finding.fix =
        "Set the parameter and load kvmgt at boot, and reboot. If mdev_supported_types is missing "
        "then, this generation has no GVT-g.";
    finding.command = fmt::format(
        "echo 'options i915 enable_gvt=1' | sudo tee {}/gvt.conf && echo kvmgt | sudo tee "
        "{}/gvt.conf",
        files::modprobe_folder, files::modules_load_folder);
    findings.push_back(std::move(finding));
  }
  return findings;
}

Findings cannot_be_shared(const CheckScope& scope) {
  Findings findings;
  for (const Card* card : scope.cards) {
    const PciFunction* function = scope.host.function(card->address);
    // Only where the capabilities were read is their lack a fact.
    if (function == nullptr || !function->capabilities.has_value() || can_be_shared(*function))
      continue;
    if (function->capabilities.value().sr_iov || function->capabilities.value().silent) continue;
    Finding finding;
    finding.severity = Severity::note;
    finding.card = card->address;
    finding.title = "The card offers no slices";
    finding.evidence = {{file_of(*function, "config"), "no SR-IOV capability"},
                        {file_of(*function, "mdev_supported_types"), std::string(is_not_there)}};
    finding.cause = "Neither the card nor the driver that it has now shares it.";
    finding.consequence = "Only one machine at a time can have it.";
    finding.fix =
        "Give it away as a whole; or, if the vendor has a vGPU driver for it, install that and "
        "look again.";
    findings.push_back(std::move(finding));
  }
  return findings;
}

Findings numa_unknown(const CheckScope& scope) {
  if (scope.host.nodes.size() < 2) return {};
  Findings findings;
  for (const Card* card : scope.cards) {
    const PciFunction* function = scope.host.function(card->address);
    if (function == nullptr || function->numa_node != model::Reading<int>(-1)) continue;
    Finding finding;
    finding.severity = Severity::warning;
    finding.card = card->address;
    finding.title = "The firmware does not say which memory node the card is near";
    finding.evidence = {
        {file_of(*function, "numa_node"), "-1"},
        {std::string(files::memory_nodes), fmt::format("{} nodes", scope.host.nodes.size())}};
    finding.cause = "Its tables have no proximity for the card's root bus.";
    finding.consequence =
        "Nothing can place a machine's memory and processors near the card; half of the time "
        "they are far.";
    finding.fix =
        "Look for a firmware update. The board's manual says which socket the slot is wired to; "
        "root may "
        "write that node's number to the file, for this boot.";
    findings.push_back(std::move(finding));
  }
  return findings;
}

Findings acs_override_lies(const CheckScope& scope) {
  const auto arguments = scope.host.kernel.command_line.value_or("");
  const bool unknown = std::ranges::any_of(scope.host.kernel_log, [](const std::string& line) {
    return line.find("Unknown kernel command line") != std::string::npos &&
           line.find("pcie_acs_override") != std::string::npos;
  });
  if (arguments.find("pcie_acs_override=") == std::string::npos || unknown) return {};
  Findings findings;
  for (const Card* card : scope.cards) {
    const PciFunction* below = scope.host.function(card->address);
    Finding finding;
    while (below != nullptr && below->parent) {
      below = scope.host.function(*below->parent);
      if (below == nullptr || !below->capabilities.has_value()) break;
      const auto& capabilities = below->capabilities.value();
      const bool port = capabilities.type == model::ExpressType::root_port ||
                        capabilities.type == model::ExpressType::downstream_port;
      if (!port || (capabilities.acs && capabilities.acs->isolates())) continue;
      finding.evidence.push_back({file_of(*below, "config"), capabilities.acs
                                                                 ? "ACS is not switched on"
                                                                 : "no ACS capability"});
    }
    if (finding.evidence.empty()) continue;
    append(finding.evidence, command_line_evidence(scope.host));
    finding.severity = Severity::warning;
    finding.card = card->address;
    finding.title = "The kernel was told to claim an isolation that the hardware does not give";
    finding.cause =
        "pcie_acs_override makes a patched kernel put devices into groups of their own although "
        "the port "
        "above them has no ACS.";
    finding.consequence =
        "A machine with the card can reach its neighbours' memory and registers past the IOMMU, "
        "those of other machines and of the host.";
    finding.fix = "Take the option out, and give to one machine what is in one group then.";
    findings.push_back(std::move(finding));
  }
  return findings;
}

Findings audio_apart(const CheckScope& scope) {
  Findings findings;
  for (const Card* card : scope.cards) {
    if (card->groups.size() < 2) continue;
    for (const auto* function : functions_of(scope.host, *card)) {
      const bool audio = function->class_code.has_value() &&
                         model::sub_class(function->class_code.value()) == 0x0403;
      const bool elsewhere = function->address.bus != card->address.bus;
      if (!audio || !elsewhere) continue;
      Finding finding;
      finding.severity = Severity::note;
      finding.card = card->address;
      finding.title =
          fmt::format("The card's sound is on another bus, at {}", to_string(function->address));
      finding.evidence = {
          {files::pci_device(to_string(function->address)),
           function->sysfs_path.empty() ? std::string("sound of the card") : function->sysfs_path}};
      finding.cause =
          "The board has a switch of its own, with picture and sound on different ports.";
      finding.consequence =
          "Giving the picture's address away alone leaves the sound with the host.";
      finding.fix = "Give the card away as a whole; its groups all belong to the machine.";
      finding.command = fmt::format("tessera assign {} --to vm", to_string(card->address));
      findings.push_back(std::move(finding));
    }
  }
  return findings;
}

Findings driver_does_not_let_go(const CheckScope& scope) {
  auto lines = log_evidence(scope.host, {"non-zero usage count", "Attempting to remove device"});
  if (lines.empty()) return {};
  Finding finding;
  finding.severity = Severity::warning;
  finding.title = "The host's driver did not let a card go";
  finding.evidence = std::move(lines);
  finding.cause =
      "Somebody had it open when it was to be unbound: nvidia-persistenced, a monitoring exporter, "
      "X or a "
      "container.";
  finding.consequence =
      "The unbind waits for them, perhaps for ever, and with it whoever asked for it.";
  finding.fix = "Stop what has it open; tessera assign names it, and stops it if told so.";
  finding.command = "sudo tessera assign CARD --to vm --stop-holders";
  for (const auto& line : finding.evidence) {
    for (const auto* card : scope.cards) {
      if (line.text.find(to_string(card->address)) != std::string::npos)
        finding.card = card->address;
    }
  }
  if (finding.card) {
    finding.command =
        fmt::format("sudo tessera assign {} --to vm --stop-holders", to_string(*finding.card));
  } else {
    finding.command.clear();
  }
  return {finding};
}

}  // namespace tessera::plan::checks
