// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "kernel/files.h"
#include "plan/lint/rules.h"

namespace tessera::plan::linting {

namespace {

/// Goes over the options of all QEMU commands of a text.
template <typename Visit>
void each_option(const LintScope& scope, Visit visit) {
  for (const QemuCommand& command : scope.pieces.qemu) {
    for (const QemuOption& option : command.options) visit(command, option);
  }
}

std::string as_written(const QemuOption& option) {
  return option.value.empty() ? "-" + option.name
                              : fmt::format("-{} {}", option.name, option.value);
}

/// Buses that a machine has by itself, by the beginning of their names.
bool is_own_bus(std::string_view bus) {
  constexpr std::string_view starts[] = {"pci.",   "pcie.", "ide",  "isa.", "usb-bus", "ehci",
                                         "xhci",   "uhci",  "sata", "i2c",  "scsi",    "smbus",
                                         "virtio", "main-", "nvme", "ahci", "pci"};
  return std::ranges::any_of(starts, [&](auto start) { return bus.starts_with(start); });
}

std::set<std::string> created_ids(const QemuCommand& command) {
  std::set<std::string> ids;
  for (const QemuOption* device : command.all("device")) {
    if (auto id = device->property("id")) ids.insert(*id);
  }
  return ids;
}

/// "root.1" of the bus "root.1" or "root.1.0".
bool is_created_bus(const std::string& bus, const std::set<std::string>& ids) {
  return ids.contains(bus) || ids.contains(bus.substr(0, bus.rfind('.')));
}

bool is_number(std::string_view text) {
  return text::to_number(text).has_value();
}

/// Slot and function of "0x7", "1c.0", "07.1".
std::optional<std::pair<unsigned, unsigned>> parse_addr(std::string_view text) {
  const auto dot = std::min(text.find('.'), text.size());
  const auto slot = text::to_number(text.substr(0, dot), 16);
  const auto function = dot == text.size() ? std::optional<std::uint64_t>(0)
                                           : text::to_number(text.substr(dot + 1), 16);
  if (!slot || !function || *slot > 31 || *function > 7) return std::nullopt;
  return std::pair{static_cast<unsigned>(*slot), static_cast<unsigned>(*function)};
}

bool is_everywhere(std::string_view host) {
  return host.empty() || host == "0.0.0.0" || host == "[::]" || host == "::" || host == "*";
}

bool has_ovmf(const QemuCommand& command) {
  return std::ranges::any_of(command.options, [](const QemuOption& option) {
    const std::string value = lower(option.value);
    const bool firmware = option.name == "bios" || option.name == "pflash" ||
                          value.find("pflash") != std::string::npos;
    return firmware && (value.find("ovmf") != std::string::npos ||
                        value.find("edk2") != std::string::npos || option.name == "pflash");
  });
}

/// A socket path that every user of the host may come to first.
bool is_in_tmp(std::string_view value) {
  return value.starts_with("unix:/tmp/") || value.starts_with("unix:/var/tmp/");
}

bool listens_everywhere(std::string_view value) {
  for (std::string_view kind : {"tcp:", "telnet:"}) {
    if (!value.starts_with(kind)) continue;
    value.remove_prefix(kind.size());
    return is_everywhere(value.substr(0, value.find(':')));
  }
  return false;
}

}  // namespace

Hits qemu_comma_blank(const LintScope& scope) {
  Hits hits;
  for (const QemuCommand& command : scope.pieces.qemu) {
    for (const CutValue& cut : command.cut_values) {
      hits.push_back(hit_at(cut.line, cut.before + " " + cut.after, cut.before + cut.after));
    }
  }
  return hits;
}

Hits qemu_option_unknown(const LintScope& scope) {
  Hits hits;
  each_option(scope, [&](const QemuCommand&, const QemuOption& option) {
    if (option.known) return;
    std::string right;
    if (option.name == "sysfsdev") {
      right = "-device vfio-pci,sysfsdev=" + option.value;
    } else if (auto nearest = text::nearest(option.name, qemu_options())) {
      right = "-" + *nearest;
    }
    hits.push_back(hit_at(option.line, "-" + option.name, right));
  });
  return hits;
}

Hits qemu_option_removed(const LintScope& scope) {
  Hits hits;
  each_option(scope, [&](const QemuCommand&, const QemuOption& option) {
    const auto instead = qemu_replacement(option.name);
    if (!instead.empty())
      hits.push_back(hit_at(option.line, "-" + option.name, std::string(instead)));
  });
  return hits;
}

Hits qemu_lone_dash(const LintScope& scope) {
  Hits hits;
  for (const QemuCommand& command : scope.pieces.qemu) {
    for (const Word& dash : command.lone_dashes) {
      std::string right = dash.text.substr(2);
      if (!right.starts_with('-')) right.insert(0, 1, '-');
      hits.push_back(hit_at(dash.line, dash.text, right));
    }
  }
  return hits;
}

Hits qemu_line_end(const LintScope& scope) {
  Hits hits;
  for (const QemuCommand& command : scope.pieces.qemu) {
    for (const Word& last : command.broken_lines) {
      const bool torn = last.text.find(',') != std::string::npos;
      hits.push_back(hit_at(last.line, last.text,
                            torn ? "the rest of the value on the same line" : last.text + " \\"));
    }
  }
  return hits;
}

Hits qemu_bus_missing(const LintScope& scope) {
  Hits hits;
  for (const QemuCommand& command : scope.pieces.qemu) {
    const auto ids = created_ids(command);
    for (const QemuOption* device : command.all("device")) {
      const auto bus = device->property("bus");
      if (!bus || bus->empty() || is_created_bus(*bus, ids) || is_own_bus(*bus)) continue;
      if (!command.whole && !is_number(*bus)) continue;
      hits.push_back(hit_at(device->line, "bus=" + *bus));
    }
  }
  return hits;
}

Hits qemu_port_unused(const LintScope& scope) {
  Hits hits;
  for (const QemuCommand& command : scope.pieces.qemu) {
    if (!command.whole || command.devices("vfio-pci*").empty()) continue;
    std::set<std::string> used;
    for (const QemuOption& option : command.options) {
      if (auto bus = option.property("bus")) used.insert(*bus);
    }
    for (const QemuOption* device : command.all("device")) {
      const auto id = device->property("id");
      const bool port = device->driver == "ioh3420" || device->driver == "pcie-root-port";
      if (!port || !id || used.contains(*id)) continue;
      hits.push_back(
          hit_at(device->line, "id=" + *id, fmt::format("-device vfio-pci,host=...,bus={}", *id)));
    }
  }
  return hits;
}

Hits qemu_addr_clash(const LintScope& scope) {
  Hits hits;
  for (const QemuCommand& command : scope.pieces.qemu) {
    std::map<std::tuple<std::string, unsigned, unsigned>, int> first_lines;
    for (const QemuOption* device : command.all("device")) {
      const auto addr = device->property("addr");
      const auto place = addr ? parse_addr(*addr) : std::nullopt;
      if (!place) continue;
      const auto [first, is_new] = first_lines.emplace(
          std::tuple{device->property("bus").value_or(""), place->first, place->second},
          device->line);
      if (is_new) continue;
      Hit hit = hit_at(device->line, "addr=" + *addr);
      hit.says = fmt::format("two devices at addr={} of one bus, the first on line {}", *addr,
                             first->second);
      hits.push_back(std::move(hit));
    }
  }
  return hits;
}

Hits qemu_vnc_open(const LintScope& scope) {
  Hits hits;
  each_option(scope, [&](const QemuCommand&, const QemuOption& option) {
    std::string value = option.value;
    if (option.name == "display" && value.starts_with("vnc=")) {
      value.erase(0, 4);
    } else if (option.name != "vnc") {
      return;
    }
    const auto place = std::string_view(value).substr(0, value.find(','));
    if (place.starts_with("unix:") || place == "none" || !place.contains(':')) return;
    if (!is_everywhere(place.substr(0, place.rfind(':')))) return;
    for (std::string_view guard : {",password", ",sasl", ",tls-creds"}) {
      if (value.find(guard) != std::string::npos) return;
    }
    hits.push_back(hit_at(option.line, as_written(option),
                          fmt::format("-vnc 127.0.0.1:{}", place.substr(place.rfind(':') + 1))));
  });
  return hits;
}

Hits qemu_spice_open(const LintScope& scope) {
  Hits hits;
  each_option(scope, [&](const QemuCommand&, const QemuOption& option) {
    const bool open = option.name == "spice" &&
                      (option.is_on("disable-ticketing") || option.driver == "disable-ticketing");
    if (!open || option.is_on("unix")) return;
    if (!is_everywhere(option.property("addr").value_or(""))) return;
    hits.push_back(hit_at(option.line, as_written(option)));
  });
  return hits;
}

Hits qemu_monitor_place(const LintScope& scope) {
  Hits hits;
  each_option(scope, [&](const QemuCommand&, const QemuOption& option) {
    const bool monitor =
        option.name == "monitor" || option.name == "qmp" || option.name == "qmp-pretty";
    if (monitor && (is_in_tmp(option.value) || listens_everywhere(option.value))) {
      hits.push_back(hit_at(option.line, as_written(option)));
    }
  });
  return hits;
}

Hits qemu_monitor_not_qmp(const LintScope& scope) {
  Hits hits;
  each_option(scope, [&](const QemuCommand&, const QemuOption& option) {
    if (option.name != "monitor" || lower(option.value).find("qmp") == std::string::npos) return;
    hits.push_back(hit_at(option.line, as_written(option), "-qmp " + option.value));
  });
  return hits;
}

Hits qemu_audio_env(const LintScope& scope) {
  Hits hits;
  for (const QemuCommand& command : scope.pieces.qemu) {
    for (const Word& word : command.environment) {
      if (!word.text.starts_with("QEMU_AUDIO_")) continue;
      const auto driver = word.text.starts_with("QEMU_AUDIO_DRV=") ? word.text.substr(15) : "alsa";
      hits.push_back(hit_at(word.line, word.text,
                            fmt::format("-audiodev {},id=snd0", driver.empty() ? "alsa" : driver)));
    }
  }
  return hits;
}

Hits qemu_x_vga_ovmf(const LintScope& scope) {
  Hits hits;
  for (const QemuCommand& command : scope.pieces.qemu) {
    if (!has_ovmf(command)) continue;
    for (const QemuOption* device : command.devices("vfio-pci*")) {
      if (device->is_on("x-vga")) hits.push_back(hit_at(device->line, "x-vga=on"));
    }
  }
  return hits;
}

Hits qemu_kvm_off(const LintScope& scope) {
  Hits hits;
  each_option(scope, [&](const QemuCommand&, const QemuOption& option) {
    if (option.name != "cpu") return;
    for (const auto& [name, value] : option.properties) {
      const bool hides =
          (name == "kvm" && value == "off") || name == "hv_vendor_id" || name == "hv-vendor-id";
      if (!hides) continue;
      Hit hit = hit_at(option.line, fmt::format("{}={}", name, value));
      if (scope.pieces.mentions("quadro") || scope.pieces.mentions("tesla")) {
        hit.verdict = LintVerdict::obsolete;
        hit.why =
            "The driver of Quadro and Tesla cards never asked for it, and that of GeForce "
            "cards does no more since release 465.";
      }
      hits.push_back(std::move(hit));
    }
  });
  return hits;
}

Hits qemu_ramfb(const LintScope& scope) {
  Hits hits;
  for (const QemuCommand& command : scope.pieces.qemu) {
    int count = 0;
    for (const QemuOption* device : command.all("device")) {
      if (device->driver != "ramfb" && !device->is_on("ramfb")) continue;
      ++count;
      Hit hit = hit_at(device->line, as_written(*device));
      if (device->driver == "vfio-pci") {
        hit.says = "vfio-pci has no ramfb property; vfio-pci-nohotplug has";
      } else if (device->driver != "ramfb" && !device->is_on("display")) {
        hit.says = "ramfb=on without display=on";
      } else if (count > 1) {
        hit.says = "a machine can have one ramfb";
      } else {
        continue;
      }
      hits.push_back(std::move(hit));
    }
  }
  return hits;
}

Hits qemu_mdev_display(const LintScope& scope) {
  Hits hits;
  for (const QemuCommand& command : scope.pieces.qemu) {
    for (const QemuOption* device : command.devices("vfio-pci*")) {
      const bool mediated = device->property("sysfsdev").has_value();
      if (!mediated || !device->is_on("display")) continue;
      if (device->is_on("ramfb") || device->is_on("x-igd-opregion")) continue;
      hits.push_back(hit_at(device->line, "display=on"));
    }
  }
  return hits;
}

Hits qemu_balloon(const LintScope& scope) {
  Hits hits;
  for (const QemuCommand& command : scope.pieces.qemu) {
    const auto given = command.devices("vfio-pci*");
    const bool whole_card = std::ranges::any_of(
        given, [](const QemuOption* device) { return device->property("host").has_value(); });
    if (!whole_card) continue;
    for (const QemuOption* device : command.devices("virtio-balloon*")) {
      hits.push_back(hit_at(device->line, as_written(*device)));
    }
  }
  return hits;
}

}  // namespace tessera::plan::linting
