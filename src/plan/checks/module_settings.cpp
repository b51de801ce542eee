// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "kernel/files.h"
#include "model/drivers.h"
#include "model/settings.h"
#include "plan/checks/boot_words.h"
#include "plan/checks/checks.h"
#include "plan/checks/support.h"

namespace tessera::plan::checks {

namespace files = kernel::files;
using model::Card;
using model::DeviceId;
using model::Evidence;
using model::Finding;
using model::HostSnapshot;
using model::PciFunction;
using model::SettingsLine;
using model::Severity;

namespace {

constexpr std::string_view ids_key = "ids=";

Evidence evidence_of(const SettingsLine& line) {
  return {fmt::format("{}:{}", line.path, line.number), text::printable(line.text)};
}

bool is_vfio_pci(std::string_view module) {
  return model::module_name(module) == "vfio_pci";
}

/// "options vfio-pci ..." lines.
std::vector<SettingsLine> vfio_options(const HostSnapshot& host) {
  auto lines = model::all_modprobe_lines(host.settings);
  std::erase_if(lines, [](const SettingsLine& line) {
    return line.words.size() < 3 || line.words[0] != "options" || !is_vfio_pci(line.words[1]);
  });
  return lines;
}

/// One vendor:device of an ids= option.
struct TakenId {
  DeviceId id;
  Evidence where;
};

void add_ids(std::string_view list, const Evidence& where, std::vector<TakenId>& taken) {
  for (auto piece : text::split(list, ',')) {
    if (auto id = model::parse_device_id(piece)) taken.push_back({*id, where});
  }
}

/// Every id that vfio-pci is told to take: by modprobe.d and by the running kernel's command line.
std::vector<TakenId> ids_given_away(const HostSnapshot& host) {
  std::vector<TakenId> ids;
  for (const auto& line : vfio_options(host)) {
    for (std::string_view word : line.words) {
      if (word.starts_with(ids_key)) add_ids(word.substr(ids_key.size()), evidence_of(line), ids);
    }
  }
  const auto arguments = model::kernel_arguments(host.kernel.command_line.value_or(""));
  if (auto list = model::argument_value(arguments, "vfio_pci.ids")) {
    for (const auto& seen : command_line_evidence(host)) add_ids(*list, seen, ids);
  }
  return ids;
}

/// The module that modprobe.d would call the function's driver: "bochs" for bochs-drm.
std::string module_of(const PciFunction& function) {
  return model::module_name(function.driver_module.empty() ? function.driver
                                                           : function.driver_module);
}

/// Whether a softdep or an install line brings vfio-pci in before `driver`.
bool comes_after_vfio(const HostSnapshot& host, std::string_view module) {
  return std::ranges::any_of(model::all_modprobe_lines(host.settings), [&](const auto& line) {
    const bool about_it = line.words.size() > 1 && model::module_name(line.words[1]) == module;
    const bool names_vfio = line.text.find("vfio") != std::string::npos;
    return about_it && names_vfio && (line.words[0] == "softdep" || line.words[0] == "install");
  });
}

std::vector<std::string_view> wrong_ids(const SettingsLine& line) {
  std::vector<std::string_view> wrong;
  for (std::string_view word : line.words) {
    if (!word.starts_with(ids_key)) continue;
    for (auto piece : text::split(word.substr(ids_key.size()), ',')) {
      if (!piece.empty() && !model::parse_device_id(piece)) wrong.push_back(piece);
    }
  }
  return wrong;
}

/// The options line written right: one ids= list without blanks.
std::string joined_options(const SettingsLine& line) {
  std::string joined;
  for (const auto& word : line.words) {
    const bool goes_on = joined.ends_with(',');
    if (!joined.empty() && !goes_on) joined += ' ';
    joined += word;
  }
  return joined;
}

std::string replace_line(const SettingsLine& line, const std::string& right) {
  return fmt::format("sudo sed -i '{}s|.*|{}|' {}", line.number, right, line.path);
}

}  // namespace

Findings ids_with_blank(const CheckScope& scope) {
  Findings findings;
  for (const auto& line : vfio_options(scope.host)) {
    const bool torn = std::ranges::any_of(line.words, [](const std::string& word) {
      return word.starts_with(ids_key) && word.ends_with(',');
    });
    if (!torn) continue;
    const std::string right = joined_options(line);
    const Step renew = renew_initramfs(scope.host);
    Finding finding;
    finding.severity = Severity::error;
    finding.title = "A blank after a comma ends the ids= list of vfio-pci";
    finding.evidence = {evidence_of(line)};
    append(finding.evidence, log_evidence(scope.host, {"vfio_pci: unknown parameter"}));
    finding.cause =
        "modprobe takes what follows the blank for another option; vfio-pci does not know it, says "
        "so in the kernel log only, and loads all the same.";
    finding.consequence =
        "The devices after the blank stay on their host drivers, usually a card's audio function.";
    finding.fix = fmt::format("Write the line as \"{}\", {} and reboot.", right, renew.words);
    finding.command = both(replace_line(line, right), renew);
    findings.push_back(std::move(finding));
  }
  return findings;
}

Findings ids_of_wrong_form(const CheckScope& scope) {
  Findings findings;
  for (const auto& line : vfio_options(scope.host)) {
    const std::vector<std::string_view> wrong = wrong_ids(line);
    if (wrong.empty()) continue;
    Finding finding;
    finding.severity = Severity::error;
    finding.title = fmt::format("\"{}\" in vfio-pci's ids= is no vendor:device",
                                text::printable(wrong.front()));
    finding.evidence = {evidence_of(line)};
    finding.cause = "ids= wants vendor:device in hexadecimal, with commas between devices.";
    finding.consequence = "vfio-pci passes it over, and the device stays on its host driver.";
    finding.fix = fmt::format(
        "Write it as ids=10de:1b06,10de:10ef with the numbers that tessera show CARD gives in {}, "
        "{} and reboot.",
        line.path, renew_initramfs(scope.host).words);
    findings.push_back(std::move(finding));
  }
  return findings;
}

Findings ids_take_twins(const CheckScope& scope) {
  Findings findings;
  for (const auto& [id, where] : ids_given_away(scope.host)) {
    std::vector<const Card*> cards;
    for (const auto& card : scope.host.cards) {
      const PciFunction* main = scope.host.function(card.address);
      const bool same = main != nullptr && main->vendor == id.vendor && main->device == id.device;
      if (same) cards.push_back(&card);
    }
    if (cards.size() < 2) continue;
    Finding finding;
    finding.severity = Severity::warning;
    finding.title = fmt::format("vfio-pci's ids= takes {} cards at once: they all are {}",
                                cards.size(), to_string(id));
    finding.evidence = {where};
    for (const auto* card : cards) {
      finding.evidence.push_back(
          {files::pci_device(model::to_string(card->address), "device"), to_string(id)});
    }
    finding.cause = "ids= knows models, not cards.";
    finding.consequence = "No card of this model is left for the host, also not for its display.";
    finding.fix = fmt::format(
        "Take {} out of the option, {} and reboot; then give away one card by "
        "its address.",
        to_string(id), renew_initramfs(scope.host).words);
    finding.command =
        fmt::format("sudo tessera assign {} --to vm", to_string(cards.back()->address));
    findings.push_back(std::move(finding));
  }
  return findings;
}

Findings ids_fit_nothing(const CheckScope& scope) {
  // Of a host whose functions are not all known, nothing can be said.
  if (!scope.host.complete) return {};
  Findings findings;
  for (const auto& [id, where] : ids_given_away(scope.host)) {
    if (!functions_with(scope.host, id).empty()) continue;
    Finding finding;
    finding.severity = Severity::warning;
    finding.title =
        fmt::format("vfio-pci is told to take {}, which this host does not have", to_string(id));
    finding.evidence = {where,
                        {std::string(files::pci_devices),
                         fmt::format("none of {} functions is it", scope.host.functions.size())}};
    finding.cause = "The number is mistyped, is another machine's, or the card was taken out.";
    finding.consequence = "The card that was meant stays on its host driver.";
    finding.fix = "Compare the number with the ids that tessera show CARD gives, and correct it.";
    findings.push_back(std::move(finding));
  }
  return findings;
}

Findings ids_too_late(const CheckScope& scope) {
  Findings findings;
  for (const auto& [id, where] : ids_given_away(scope.host)) {
    for (const auto* function : functions_with(scope.host, id)) {
      const bool late = !function->driver.empty() && !model::is_vfio_driver(function->driver) &&
                        !comes_after_vfio(scope.host, module_of(*function));
      if (!late) continue;
      const Step renew = renew_initramfs(scope.host);
      const std::string line = fmt::format("softdep {} pre: vfio-pci", module_of(*function));
      const std::string path = fmt::format("{}/vfio.conf", files::modprobe_folder);
      Finding finding;
      finding.severity = Severity::warning;
      if (const Card* card = scope.host.card_of(function->address)) finding.card = card->address;
      finding.title = fmt::format("{} was to go to vfio-pci, but {} took it first",
                                  model::to_string(function->address), function->driver);
      finding.evidence = {where,
                          {files::pci_device(model::to_string(function->address), "driver"),
                           "-> " + function->driver}};
      finding.cause = "Nothing makes vfio-pci load before that driver; the first one there wins.";
      finding.consequence = "The card is the host's, against what the option says.";
      finding.fix = fmt::format(
          "Add \"{}\" to {}, {} and reboot; or give the card away while the "
          "host runs.",
          line, path, renew.words);
      finding.command = both(fmt::format("echo '{}' | sudo tee -a {}", line, path), renew);
      findings.push_back(std::move(finding));
    }
  }
  return findings;
}

Findings blacklist_without_effect(const CheckScope& scope) {
  Findings findings;
  std::set<std::string> told;
  for (const auto& line : model::all_modprobe_lines(scope.host.settings)) {
    if (line.words.size() < 2 || line.words[0] != "blacklist") continue;
    const std::string module = model::module_name(line.words[1]);
    const auto holder =
        std::ranges::find_if(scope.host.functions, [&](const PciFunction& function) {
          return !function.driver.empty() && module_of(function) == module &&
                 scope.host.card_of(function.address) != nullptr;
        });
    if (holder == scope.host.functions.end() || !told.insert(module).second) continue;
    const Step renew = renew_initramfs(scope.host);
    Finding finding;
    finding.severity = Severity::warning;
    finding.card = scope.host.card_of(holder->address)->address;
    finding.title = fmt::format("{} is blacklisted and has the card all the same", module);
    finding.evidence = {
        evidence_of(line),
        {files::pci_device(model::to_string(holder->address), "driver"), "-> " + holder->driver}};
    finding.cause =
        "A blacklist keeps a module from being loaded for a device it finds; not from being asked "
        "for by name, by another module, or by an initramfs that was made before the line.";
    finding.consequence = "The driver holds the card.";
    finding.fix = fmt::format(
        "Let vfio-pci come first instead: \"softdep {} pre: vfio-pci\" in {}, {} "
        "and reboot; or give the card away while the host runs.",
        line.words[1], line.path, renew.words);
    finding.command =
        fmt::format("sudo tessera assign {} --to vm", model::to_string(*finding.card));
    findings.push_back(std::move(finding));
  }
  return findings;
}

Findings unknown_module(const CheckScope& scope) {
  const auto& unknown = scope.host.kernel.unknown_modules;
  Findings findings;
  for (const auto& name : unknown.value_or({})) {
    const bool virqfd = name == "vfio_virqfd";
    const Step renew = renew_initramfs(scope.host);
    Finding finding;
    finding.severity = virqfd ? Severity::note : Severity::warning;
    finding.title = virqfd ? "vfio_virqfd is no module of this kernel any more"
                           : fmt::format("This kernel has no module {}", text::printable(name));
    for (const auto& file : scope.host.settings) {
      for (const auto& line : model::listed_modules(file)) {
        const bool names_it = model::module_name(line.words.front()) == name;
        const auto kind = model::settings_kind(file.path);
        const bool lists = kind == model::SettingsKind::module_list ||
                           kind == model::SettingsKind::initramfs_modules;
        if (!names_it || !lists) continue;
        finding.evidence.push_back(evidence_of(line));
        if (!finding.command.empty()) continue;
        finding.command = fmt::format("sudo sed -i '{}d' {}", line.number, line.path);
        if (kind == model::SettingsKind::initramfs_modules)
          finding.command += " && " + renew.command;
      }
    }
    finding.evidence.push_back(
        {files::module_table(scope.host.kernel.release.value_or("RELEASE"), "modules.dep"),
         "no line for it"});
    finding.cause = virqfd ? "Linux 6.2 made it a part of vfio."
                           : "It is misspelled, belongs to another kernel, or was never built "
                             "for this one (a DKMS module that failed).";
    finding.consequence = virqfd ? "A message at boot, nothing else."
                                 : "What it was to do is not done; the boot goes on without it.";
    finding.fix = virqfd
                      ? "Take the line out."
                      : "Correct the name, build the module for this kernel, or take the line out.";
    findings.push_back(std::move(finding));
  }
  return findings;
}

}  // namespace tessera::plan::checks
