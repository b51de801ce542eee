// SPDX-License-Identifier: Apache-2.0
#include "build/qemu.h"

#include <algorithm>

#include <fmt/format.h>

#include "kernel/files.h"
#include "model/drivers.h"

namespace tessera::build {

namespace {

using model::PciAddress;
using model::PciFunction;

std::string on_driver(const PciFunction& function) {
  return function.driver.empty() ? "has no driver" : "is bound to " + function.driver;
}

std::string assign_hint(const model::Card& card) {
  return fmt::format("tessera assign {} --to vm", to_string(card.address));
}

Status check_own_function(const model::HostSnapshot& host, const model::Card& card,
                          const PciAddress& address) {
  const PciFunction* function = host.function(address);
  if (function == nullptr) {
    return fail(ErrorKind::not_found, to_string(address), "the card's function is not there");
  }
  if (!model::is_vfio_driver(function->driver)) {
    return fail(
        ErrorKind::conflict, to_string(address),
        fmt::format("{}; all of card {} must be on a VFIO driver before a machine can have it",
                    on_driver(*function), to_string(card.address)),
        assign_hint(card));
  }
  if (!function->iommu_group.has_value()) {
    return fail(ErrorKind::unsupported, to_string(address),
                "is in no IOMMU group: nothing would keep its transfers inside the machine",
                fmt::format("tessera doctor {}", to_string(card.address)));
  }
  return {};
}

Status check_group(const model::HostSnapshot& host, const model::Card& card, int number) {
  const model::IommuGroup* group = host.group(number);
  if (group == nullptr) return {};
  for (const auto& member : group->members) {
    const PciFunction* function = host.function(member);
    if (function == nullptr || model::shares_group_with_vfio(function->driver)) continue;
    return fail(ErrorKind::conflict, to_string(member),
                fmt::format("is bound to {} and shares IOMMU group {} with card {}: the group "
                            "belongs to one owner as a whole",
                            function->driver, number, to_string(card.address)),
                assign_hint(card));
  }
  return {};
}

Status check_card(const model::HostSnapshot& host, const model::Card& card) {
  for (const auto& address : card.functions) TRY(check_own_function(host, card, address));
  for (int group : card.groups) TRY(check_group(host, card, group));
  return {};
}

/// A card's functions with their numbers in the guest's slot.
struct Placed {
  PciAddress function;
  int number = 0;
};

/// The board's own numbers where its functions share one slot and begin at .0; else 0, 1, 2, ...
/// with the display function first.
std::vector<Placed> place_functions(const model::Card& card) {
  auto functions = card.functions;
  std::ranges::sort(functions);
  bool own_slot = !functions.empty() && functions.front() == card.address &&
                  card.address.function == 0 &&
                  std::ranges::all_of(functions, [&](const PciAddress& one) {
                    return model::slot_name(one) == model::slot_name(card.address);
                  });
  if (!own_slot) {
    std::ranges::stable_partition(functions,
                                  [&](const PciAddress& one) { return one == card.address; });
  }
  std::vector<Placed> placed;
  for (const auto& one : functions) {
    placed.push_back({one, own_slot ? one.function : static_cast<int>(placed.size())});
  }
  return placed;
}

class Arguments {
 public:
  explicit Arguments(MachineBuild& build) : build_(build) {
    build_.argv.emplace_back("qemu-system-x86_64");
  }
  void add(std::string_view option) { build_.argv.emplace_back(option); }
  void add(std::string_view option, std::string value) {
    build_.argv.emplace_back(option);
    build_.argv.push_back(std::move(value));
  }

 private:
  MachineBuild& build_;
};

void add_machine(Arguments& arguments, const model::MachineSpec& spec) {
  bool automatic = spec.accelerator == model::Accelerator::automatic;
  arguments.add("-name", spec.name + ",debug-threads=on");
  arguments.add("-machine",
                fmt::format("q35,accel={}", automatic ? "kvm:tcg" : to_string(spec.accelerator)));
  arguments.add("-cpu", spec.accelerator == model::Accelerator::kvm ? "host" : "max");
  arguments.add("-smp", fmt::format("{}", spec.vcpus));
  arguments.add("-m", fmt::format("{}M", spec.memory_mib));
}

void add_surroundings(Arguments& arguments, const model::MachineSpec& spec) {
  arguments.add("-nodefaults");
  arguments.add("-no-user-config");
  arguments.add("-no-reboot");
  arguments.add("-display", "none");
  arguments.add("-monitor", "none");
  if (!spec.qmp_socket.empty()) {
    arguments.add("-qmp", fmt::format("unix:{},server=on,wait=off", spec.qmp_socket));
  }
  if (!spec.serial_log.empty()) arguments.add("-serial", "file:" + spec.serial_log);
  if (!spec.pid_file.empty()) arguments.add("-pidfile", spec.pid_file);
  arguments.add("-kernel", spec.kernel);
  if (!spec.initrd.empty()) arguments.add("-initrd", spec.initrd);
  if (!spec.append.empty()) arguments.add("-append", spec.append);
}

void add_card(Arguments& arguments, MachineBuild& build, const model::Card& card, int index) {
  arguments.add("-device",
                fmt::format("pcie-root-port,id=port{0},bus=pcie.0,chassis={0},slot={0}", index));
  const auto placed = place_functions(card);
  for (const auto& one : placed) {
    bool many = one.number == 0 && placed.size() > 1;
    arguments.add(
        "-device",
        fmt::format("vfio-pci,id=card{}f{},host={},bus=port{},addr=0x0.{:#x}{}", index, one.number,
                    to_string(one.function), index, one.number, many ? ",multifunction=on" : ""));
  }
  build.notes.push_back(fmt::format("card {} ({}): {} function{} in one slot behind root port {}",
                                    to_string(card.address), card.name, placed.size(),
                                    placed.size() == 1 ? "" : "s", index));
}

Status check_slice(const model::HostSnapshot& host, const model::MachineSpec& spec,
                   const model::Slice& slice) {
  const auto owner = host.owner_of(slice.identity);
  if (!owner.empty() && owner != spec.name) {
    return fail(ErrorKind::conflict, slice.identity, fmt::format("it belongs to {}", owner),
                fmt::format("tessera disown {} --owner {}", slice.identity, owner));
  }
  if (!slice.users.empty()) {
    const auto& user = slice.users.front();
    return fail(ErrorKind::busy, slice.identity,
                fmt::format("{} (pid {}) has it open: {}", user.name, user.pid, user.path),
                "shut its machine down first, or take another: tessera list slices");
  }
  if (model::is_whole_function(slice.framework) && !model::is_vfio_driver(slice.driver)) {
    return fail(
        ErrorKind::conflict, slice.identity,
        fmt::format("it {}; a machine can have it on a VFIO driver only",
                    slice.driver.empty() ? "has no driver" : "is bound to " + slice.driver),
        "tessera list slices shows the drivers; tessera unslice --card and tessera slice again "
        "bind all of a card's");
  }
  if (!slice.iommu_group.has_value()) {
    return fail(ErrorKind::unsupported, slice.identity,
                "it is in no IOMMU group: no VFIO driver has taken it",
                "modprobe vfio_mdev, where the kernel has it as a module; tessera list slices");
  }
  return {};
}

void add_slice(Arguments& arguments, MachineBuild& build, const model::Slice& slice, int port,
               int number) {
  arguments.add("-device",
                fmt::format("pcie-root-port,id=port{0},bus=pcie.0,chassis={0},slot={0}", port));
  const bool is_mdev = slice.identity != slice.parent;
  const bool needs_opengl = slice.framework == model::Framework::gvt_g;
  arguments.add("-device",
                fmt::format("vfio-pci,id=slice{},{},bus=port{}{}", number,
                            is_mdev ? "sysfsdev=" + kernel::files::mdev_device(slice.identity)
                                    : "host=" + slice.identity,
                            port, is_mdev && !needs_opengl ? ",display=auto" : ""));
  build.notes.push_back(
      fmt::format("slice {} ({}) behind root port {}", slice.identity, slice.name, port));
}

}  // namespace

Result<MachineBuild> build_machine(const model::HostSnapshot& host,
                                   const model::MachineSpec& spec) {
  TRY(model::check(spec));
  MachineBuild build;
  Arguments arguments(build);
  add_machine(arguments, spec);
  add_surroundings(arguments, spec);
  int index = 0;
  for (const auto& address : spec.cards) {
    const model::Card* card = host.card_of(address);
    if (card == nullptr) {
      return fail(ErrorKind::not_found, to_string(address), "is no card of this host",
                  "tessera list");
    }
    TRY(check_card(host, *card));
    add_card(arguments, build, *card, ++index);
  }
  int number = 0;
  for (const auto& identity : spec.slices) {
    const model::Slice* slice = host.slice(identity);
    if (slice == nullptr) {
      return fail(ErrorKind::not_found, identity, "is no slice of this host",
                  "tessera list slices");
    }
    TRY(check_slice(host, spec, *slice));
    add_slice(arguments, build, *slice, ++index, ++number);
  }
  if (!spec.cards.empty()) {
    build.notes.push_back(fmt::format(
        "all {} MiB stay in memory while it runs: a card may write to any of it", spec.memory_mib));
  }
  return build;
}

namespace {

std::string quoted(const std::string& word) {
  auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_./:,=+@%").find(c) != std::string_view::npos;
  };
  if (!word.empty() && std::ranges::all_of(word, plain)) return word;
  std::string out = "'";
  for (char c : word) {
    if (c == '\'')
      out += "'\\''";
    else
      out += c;
  }
  return out + "'";
}

}  // namespace

std::string as_shell_text(const std::vector<std::string>& argv) {
  std::string out;
  for (std::size_t i = 0; i < argv.size(); i++) {
    if (i > 0) out += argv[i].starts_with('-') ? " \\\n  " : " ";
    out += quoted(argv[i]);
  }
  return out + "\n";
}

}  // namespace tessera::build
