// SPDX-License-Identifier: Apache-2.0
#include "lab/qemu_args.h"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace tessera::lab {
namespace {

constexpr int first_free_slot = 2;    // of the root bus; 0 is the host bridge
constexpr int first_lab_slot = 0x19;  // 0x19..0x1b carry the lab's own devices, 0x1f is the chipset

/// Hands out places in the PCI tree and writes down the bridges they need.
class PciTree {
 public:
  explicit PciTree(std::vector<std::string>& arguments) : arguments_(arguments) {}

  void device(const std::string& description) {
    arguments_.emplace_back("-device");
    arguments_.push_back(description);
  }

  /// One extra root bus below each memory node.
  void add_nodes(int count) {
    for (int node = 0; node < count; ++node)
      device(fmt::format("pxb-pcie,id={},bus_nr={},bus=pcie.0,addr={:#x},numa_node={}",
                         root_bus(node), first_bus(node), next_[root_bus(-1)]++, node));
  }

  /// "bus=B,addr=A" for the device `id`, where A lacks the function.
  std::string place(const Placement& at, const std::string& id) {
    int node = at.numa_node.value_or(-1);
    placed_on_root_ = at.slot == Slot::root_complex ? next_address(node) : "";
    switch (at.slot) {
      case Slot::root_port:
        return below(root_port("pcie-root-port", root_bus(node), next(root_bus(node)), id));
      case Slot::root_port_no_acs:
        return below(port_without_acs(node, id));
      case Slot::conventional_bridge:
        return on(bridge(node));
      case Slot::switch_port:
        return below(switch_port(node, id));
      case Slot::root_complex:
        break;
    }
    return on(root_bus(node));
  }

  /// Where the kernel will find function 0 of what was placed last, said without bus numbers that
  /// only the firmware knows: the number of its slot in /sys/bus/pci/slots, or on a root bus its
  /// address. Not for a conventional bridge, whose slots have no numbers.
  [[nodiscard]] std::string last_place() const {
    return placed_on_root_.empty() ? fmt::format("slot{}", chassis_) : placed_on_root_;
  }

 private:
  std::string next_address(int node) {
    return fmt::format("0000:{:02x}:{:02x}.0", first_bus(node), next_[root_bus(node)]);
  }
  static int first_bus(int node) { return node < 0 ? 0 : 0x40 * (node + 1); }
  static std::string root_bus(int node) {
    return node < 0 ? "pcie.0" : fmt::format("node{}", node);
  }
  std::string next(const std::string& bus) { return fmt::format("{:#x}", next_[bus]++); }
  std::string on(const std::string& bus) { return fmt::format("bus={},addr={}", bus, next(bus)); }
  static std::string below(const std::string& port) { return fmt::format("bus={},addr=0x0", port); }

  std::string root_port(const char* model, const std::string& bus, const std::string& address,
                        const std::string& id) {
    std::string name = "port." + id;
    ++chassis_;
    device(fmt::format("{},id={},bus={},addr={},chassis={},slot={}", model, name, bus, address,
                       chassis_, chassis_));
    return name;
  }

  // Functions of one slot, on a port model without ACS: the kernel cannot tell them apart.
  std::string port_without_acs(int node, const std::string& id) {
    auto [shared, fresh] = shared_slots_.try_emplace(node, SharedSlot{});
    if (fresh) shared->second.address = next(root_bus(node));
    std::string address = fmt::format("{}.{}", shared->second.address, shared->second.used++);
    return root_port("ioh3420", root_bus(node), address + ",multifunction=on", id);
  }

  std::string bridge(int node) {
    std::string name = node < 0 ? "bridge" : fmt::format("bridge.node{}", node);
    if (next_.try_emplace(name, 1).second)
      device(fmt::format("pcie-pci-bridge,id={},{}", name, on(root_bus(node))));
    return name;
  }

  std::string switch_port(int node, const std::string& id) {
    std::string name = node < 0 ? "switch" : fmt::format("switch.node{}", node);
    if (next_.try_emplace(name, 0).second) {
      std::string bus = root_bus(node);
      device(fmt::format("x3130-upstream,id={},{}", name,
                         below(root_port("pcie-root-port", bus, next(bus), name))));
    }
    return root_port("xio3130-downstream", name, next(name), id);
  }

  struct SharedSlot {
    std::string address;
    int used = 0;
  };

  std::vector<std::string>& arguments_;
  std::map<std::string, int> next_{{"pcie.0", first_free_slot}};
  std::map<int, SharedSlot> shared_slots_;
  int chassis_ = 0;
  std::string placed_on_root_;
};

std::string display_model(const LabCard& card) {
  switch (card.model) {
    case CardModel::bochs:
      return card.boot_vga ? "VGA" : "bochs-display";
    case CardModel::virtio_gpu:
      return card.boot_vga ? "virtio-vga" : "virtio-gpu-pci";
    case CardModel::ati:
      return "ati-vga";
    case CardModel::qxl:
      return card.boot_vga ? "qxl-vga" : "qxl";
    case CardModel::identity:
      break;
  }
  return "vfio-user-pci";
}

std::string display_options(const LabCard& card) {
  // Without iommu_platform a virtio device's DMA goes round the IOMMU: passed on, it hits wrong
  // memory. With aer it reports errors on PCI Express, where it stands on that.
  if (card.model == CardModel::virtio_gpu) return ",iommu_platform=on,aer=on";
  if (card.model == CardModel::ati) return ",model=rv100";
  return "";
}

// JSON, because the socket's address is a structure of its own.
void add_identity(PciTree& tree, const LabCard& card, const std::string& place,
                  const Outside& outside) {
  auto known = outside.functions.find(card.id);
  int functions = known == outside.functions.end() ? 1 : known->second;
  auto comma = place.find(',');
  for (int function = 0; function < functions; ++function)
    tree.device(nlohmann::json{
        {"driver", "vfio-user-pci"},
        {"id", function == 0 ? card.id : fmt::format("function{}.{}", function, card.id)},
        {"bus", place.substr(4, comma - 4)},
        {"addr", fmt::format("{}.{}", place.substr(comma + 6), function)},
        {"multifunction", functions > 1},
        {"socket", {{"type", "unix"}, {"path", identity_socket(outside, card.id, function)}}}}
                    .dump());
}

// Virtual functions come before their card: QEMU wants it so.
void add_functions(std::vector<std::string>& arguments, PciTree& tree, const LabCard& card,
                   const std::string& place) {
  for (int function = 1; function <= card.sriov_vfs; ++function) {
    const std::string id = fmt::format("vf{}.{}", function, card.id);
    arguments.insert(arguments.end(), {"-netdev", fmt::format("user,id=net.{},restrict=on", id)});
    tree.device(
        fmt::format("virtio-net-pci,id={},{}.{},sriov-pf={},netdev=net.{},iommu_platform=on", id,
                    place, function, card.id, id));
  }
}

void add_card(std::vector<std::string>& arguments, PciTree& tree, const LabCard& card,
              const Outside& outside) {
  std::string place = tree.place(card.at, card.id);
  if (card.model == CardModel::identity) return add_identity(tree, card, place, outside);
  std::string options = display_options(card);
  add_functions(arguments, tree, card, place);
  if (!card.audio) {
    tree.device(fmt::format("{},id={},{}{}", display_model(card), card.id, place, options));
    return;
  }
  tree.device(fmt::format("{},id={},{}.0,multifunction=on{}", display_model(card), card.id, place,
                          options));
  tree.device(fmt::format("ich9-intel-hda,id=audio.{},{}.1", card.id, place));
}

void add_device(std::vector<std::string>& arguments, PciTree& tree, const LabDevice& device) {
  std::string place = tree.place(device.at, device.id);
  const std::string& id = device.id;
  if (device.kind == DeviceKind::edu) return tree.device(fmt::format("edu,id={},{}", id, place));
  if (device.kind == DeviceKind::nic || device.kind == DeviceKind::igb) {
    arguments.insert(arguments.end(), {"-netdev", fmt::format("user,id=net.{},restrict=on", id)});
    const char* model = device.kind == DeviceKind::igb ? "igb" : "e1000e";
    return tree.device(fmt::format("{},id={},netdev=net.{},{}", model, id, id, place));
  }
  int vfs = device.sriov_vfs;
  if (vfs == 0) return tree.device(fmt::format("nvme,id={},serial={},{}", id, id, place));
  // Each VF takes two queues and a vector; the PF keeps two of each (QEMU
  // docs/system/devices/nvme).
  tree.device(fmt::format("nvme-subsys,id=subsys.{}", id));
  tree.device(
      fmt::format("nvme,id={},serial={},{},subsys=subsys.{},sriov_max_vfs={},"
                  "sriov_vq_flexible={},sriov_vi_flexible={},max_ioqpairs={},msix_qsize={}",
                  id, id, place, id, vfs, 2 * vfs, vfs, 2 * vfs + 2, vfs + 2));
}

bool shares_memory(const LabSpec& spec) {
  for (const LabCard& card : spec.cards)
    if (card.model == CardModel::identity) return true;
  return false;
}

void add_memory(std::vector<std::string>& arguments, const LabSpec& spec) {
  const char* backend =
      shares_memory(spec) ? "memory-backend-memfd,share=on" : "memory-backend-ram";
  int nodes = spec.numa_nodes == 0 ? 1 : spec.numa_nodes;
  int share_mib = spec.memory_mib / nodes;
  arguments.insert(arguments.end(), {"-m", fmt::format("{}M", share_mib * nodes)});
  if (spec.numa_nodes == 0) {
    arguments.insert(arguments.end(),
                     {"-object", fmt::format("{},id=memory,size={}M", backend, share_mib),
                      "-machine", "memory-backend=memory"});
    return;
  }
  for (int node = 0; node < nodes; ++node) {
    int first = spec.cpus * node / nodes;
    int last = spec.cpus * (node + 1) / nodes - 1;
    std::string cpus = first == last ? fmt::format("{}", first) : fmt::format("{}-{}", first, last);
    arguments.insert(
        arguments.end(),
        {"-object", fmt::format("{},id=memory{},size={}M", backend, node, share_mib), "-numa",
         fmt::format("node,nodeid={},cpus={},memdev=memory{}", node, cpus, node)});
  }
}

void add_shares_and_agent(std::vector<std::string>& arguments, const Outside& outside) {
  auto add = [&](std::string option, std::string value) {
    arguments.push_back(std::move(option));
    arguments.push_back(std::move(value));
  };
  add("-fsdev", fmt::format("local,id=host,path={},security_model=none,readonly=on,multidevs=remap",
                            outside.root));
  add("-device",
      fmt::format("virtio-9p-pci,fsdev=host,mount_tag=host,bus=pcie.0,addr={:#x}", first_lab_slot));
  add("-fsdev",
      fmt::format("local,id=xfer,path={},security_model=none,multidevs=remap", outside.xfer));
  add("-device", fmt::format("virtio-9p-pci,fsdev=xfer,mount_tag=xfer,bus=pcie.0,addr={:#x}",
                             first_lab_slot + 1));
  add("-device",
      fmt::format("virtio-serial-pci,id=agents,bus=pcie.0,addr={:#x}", first_lab_slot + 2));
  add("-chardev", fmt::format("socket,id=agent,fd={},server=on,wait=off", agent_socket_fd));
  add("-device", fmt::format("virtserialport,bus=agents.0,chardev=agent,name={}", agent_port_name));
  add("-chardev", fmt::format("socket,id=qmp,fd={},server=on,wait=off", qmp_socket_fd));
  add("-mon", "chardev=qmp,mode=control");
  add("-serial", fmt::format("file:{}", outside.serial_log));
}

/// A memory node to a socket: the kernel warns of processors that share a cache over two nodes.
std::string processors(const LabSpec& spec) {
  const bool even = spec.numa_nodes > 1 && spec.cpus % spec.numa_nodes == 0;
  return even ? fmt::format("{},sockets={}", spec.cpus, spec.numa_nodes)
              : fmt::format("{}", spec.cpus);
}

/// As the kernel names it: '-' and '_' are the same to modprobe, but not in /sys/module.
std::string kernel_name(std::string module) {
  std::ranges::replace(module, '-', '_');
  return module;
}

/// What lab/init/init loads and binds. Parameters are given as to a module that is built in:
/// modprobe reads them off the command line.
std::vector<std::string> module_words(const LabSpec& spec, const std::vector<std::string>& bound) {
  std::vector<std::string> names, words;
  for (const LabModule& module : spec.modules) {
    const std::string name = kernel_name(module.name);
    names.push_back(name);
    for (const std::string& parameter : module.parameters)
      words.push_back(fmt::format("{}.{}", name, parameter));
  }
  if (!names.empty()) words.push_back("tessera.load=" + text::join(names, ","));
  if (!bound.empty()) words.push_back("tessera.bind=" + text::join(bound, ","));
  return words;
}

std::string kernel_command_line(const LabSpec& spec, const Outside& outside,
                                const std::vector<std::string>& bound) {
  std::vector<std::string> words{"console=ttyS0", "panic=-1", "loglevel=4",
                                 "tessera.host=" + spec.name,
                                 "tessera.kernel=" + outside.kernel_folder};
  // The agent wakes the others: docs/designs/lab-one-processor.md.
  if (outside.accelerator == Accelerator::tcg) words.emplace_back("maxcpus=1");
  const auto of_modules = module_words(spec, bound);
  words.insert(words.end(), of_modules.begin(), of_modules.end());
  words.insert(words.end(), spec.kernel_arguments.begin(), spec.kernel_arguments.end());
  return text::join(words, " ");
}

}  // namespace

std::string_view to_string(Accelerator accelerator) {
  return accelerator == Accelerator::kvm ? "kvm" : "tcg";
}

std::string identity_socket(const Outside& outside, const std::string& card, int function) {
  return fmt::format("{}/{}.{}.sock", outside.sockets, card, function);
}

std::vector<std::string> qemu_arguments(const LabSpec& spec, const Outside& outside) {
  bool kvm = outside.accelerator == Accelerator::kvm;
  std::vector<std::string> arguments{outside.qemu,
                                     "-name",
                                     "tessera-lab-" + spec.name,
                                     "-M",
                                     "q35,kernel-irqchip=split",
                                     "-accel",
                                     kvm ? "kvm" : "tcg",
                                     "-cpu",
                                     kvm ? "host" : "max,-erms,-fsrm",
                                     "-smp",
                                     processors(spec),
                                     "-nodefaults",
                                     "-display",
                                     "none",
                                     "-no-reboot"};
  add_memory(arguments, spec);
  PciTree tree(arguments);
  // With it QEMU takes hot-plug away from the ports, and the kernel, which may reset a bus only
  // where it can hide the link's fall from hot-plug, answers ENOTTY.
  arguments.insert(arguments.end(),
                   {"-global", "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off"});
  if (spec.iommu == Iommu::vt_d) tree.device("intel-iommu,intremap=on,caching-mode=on");
  if (spec.iommu == Iommu::amd_vi) tree.device("amd-iommu,intremap=on");
  tree.add_nodes(spec.numa_nodes);
  std::vector<std::string> bound;  // PLACE=MODULE
  auto bind = [&](const std::string& driver) {
    if (!driver.empty()) bound.push_back(tree.last_place() + "=" + kernel_name(driver));
  };
  for (const LabCard& card : spec.cards) {
    add_card(arguments, tree, card, outside);
    bind(card.driver);
  }
  for (const LabDevice& device : spec.devices) {
    add_device(arguments, tree, device);
    bind(device.driver);
  }
  add_shares_and_agent(arguments, outside);
  arguments.insert(arguments.end(), {"-kernel", outside.kernel, "-initrd", outside.initrd,
                                     "-append", kernel_command_line(spec, outside, bound)});
  return arguments;
}

}  // namespace tessera::lab
