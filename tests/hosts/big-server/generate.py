#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a recording of a synthetic server with many functions on standard output.

Two sockets; four PCIe switches with two NVIDIA L40S each; 32 virtual functions enabled on every GPU,
so 8 physical and 256 virtual GPU functions; a management display, a network card and two NVMe drives.
Nobody recorded this machine: addresses, paths and capabilities follow what such servers show, names
and ids are those of pci.ids. It is here to be large. It is generated because its lines would say
nothing that these do not.

    tests/hosts/big-server/generate.py > tree.tsv
"""
import sys

CARDS, VFS, VF_OFFSET, VF_STRIDE = 8, 32, 4, 1
SOCKETS, CORES, THREADS = 2, 32, 2
RELEASE = "6.8.0-45-generic"
# What an empty virtual function of a captured L40S lists.
VGPU_TYPES = dict(zip([*range(1145, 1167), 2164], (
    "1B 2B 1Q 2Q 3Q 4Q 6Q 8Q 12Q 16Q 24Q 48Q 1A 2A 3A 4A 6A 8A 12A 16A 24A 48A 3B").split()))
out, groups = [], {}


def put(path, value):
    out.append(f"{path}\t" + value.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t"))


class Config:
    """A configuration space, written at offsets, little-endian."""

    def __init__(self, size=4096):
        self.bytes, self.last, self.last_extended = bytearray(size), None, None

    def put(self, at, value, size):
        self.bytes[at:at + size] = value.to_bytes(size, "little")

    def capability(self, at, number):
        self.put(6, 0x10, 1)
        self.put(0x34 if self.last is None else self.last + 1, at, 1)
        self.put(at, number, 1)
        self.last = at

    def extended(self, at, number, version=1):
        if self.last_extended is not None:
            start = self.last_extended
            self.put(start + 2, int.from_bytes(self.bytes[start + 2:start + 4], "little") | at << 4, 2)
        self.put(at, number | version << 16, 4)
        self.last_extended = at

    def line(self):
        return f"@hex({len(self.bytes)}) " + bytes(self.bytes).rstrip(b"\0").hex()


def config_of(function):
    config = Config()
    vf = function.get("physfn") is not None
    config.put(0, 0xffff if vf else function["vendor"], 2)  # a virtual function has no ids of its own
    config.put(2, 0xffff if vf else function["device"], 2)
    config.put(4, 0x0407, 2)
    config.put(8, function["class"] << 8 | function["revision"], 4)
    config.put(0x0e, 1 if function["bridge"] else 0, 1)
    if function["bridge"]:
        config.put(0x19, function["secondary"], 1)
        config.put(0x1a, function["subordinate"], 1)
    else:
        config.put(0x2c, function["subsystem"][0], 2)
        config.put(0x2e, function["subsystem"][1], 2)
    if function["express"] is None:
        return config
    config.capability(0x60, 0x01)
    config.capability(0x78, 0x10)
    config.put(0x7a, 2 | function["express"] << 4, 2)
    config.put(0x7c, 0x10000000 if function["flr"] else 0, 4)
    config.extended(0x100, 0x01, 2)
    if function["bridge"]:
        config.extended(0x148, 0x0d)
        config.put(0x14c, 0x5f, 2)
        config.put(0x14e, 0x1d, 2)
    elif "vfs" in function:
        config.extended(0x150, 0x0e)
        config.extended(0x160, 0x10)
        for at, value in ((0x168, 0x19), (0x16c, VFS), (0x16e, VFS), (0x170, VFS), (0x174, VF_OFFSET),
                          (0x176, VF_STRIDE), (0x17a, function["device"])):
            config.put(at, value, 2)
        config.extended(0x1a0, 0x15)
        config.put(0x1a4, 0x3ff << 10, 4)
        config.put(0x1a8, 1 | 1 << 5 | 16 << 8, 4)
    elif vf:
        config.extended(0x150, 0x0e)
    return config


def address(bus, device, number):
    return f"0000:{bus:02x}:{device:02x}.{number}"


def function(bdf, path, vendor, device, cls, driver="", subsystem=(0, 0), node=0, bars=(), group=True,
             express=0, flr=False, revision=0, gts="16.0", width=16, **more):
    """One function below /sys/bus/pci/devices; `path` is its parent's below /sys/devices."""
    f = {"vendor": vendor, "device": device, "class": cls, "subsystem": subsystem, "revision": revision,
         "express": express, "flr": flr, "bridge": cls >> 8 == 0x0604, **more}
    here = f"/sys/bus/pci/devices/{bdf}"
    own = f"{path}/{bdf}"
    up = "../" * (own.count("/") + 2)
    put(here, f"-> ../../../devices/{own}")
    for name, value in (("vendor", f"0x{vendor:04x}"), ("device", f"0x{device:04x}"),
                        ("subsystem_vendor", f"0x{subsystem[0]:04x}"),
                        ("subsystem_device", f"0x{subsystem[1]:04x}"), ("class", f"0x{cls:06x}"),
                        ("revision", f"0x{revision:02x}"), ("irq", "0"), ("enable", "1"),
                        ("numa_node", str(node)), ("driver_override", "(null)"),
                        ("power_state", "D0"), ("local_cpulist", cpulist(node))):
        put(f"{here}/{name}", value + "\n")
    put(f"{here}/modalias", f"pci:v{vendor:08X}d{device:08X}sv{subsystem[0]:08X}sd{subsystem[1]:08X}"
        f"bc{cls >> 16:02X}sc{cls >> 8 & 0xff:02X}i{cls & 0xff:02X}\n")
    put(f"{here}/resource", "".join(f"0x{a:016x} 0x{b:016x} 0x{c:016x}\n" for a, b, c in
                                    list(bars) + [(0, 0, 0)] * (13 - len(bars))))
    out.append(f"{here}/config\t{config_of(f).line()}")
    put(f"{here}/subsystem", f"-> {up}bus/pci")
    if driver:
        put(f"{here}/driver", f"-> {up}bus/pci/drivers/{driver}")
    if express is not None:
        for name, value in (("max_link_speed", f"{gts} GT/s PCIe"), ("max_link_width", str(width)),
                            ("current_link_speed", f"{gts} GT/s PCIe"),
                            ("current_link_width", str(width))):
            put(f"{here}/{name}", value + "\n")
    if flr or f["bridge"]:
        put(f"{here}/reset_method", ("flr bus" if flr else "pm bus") + "\n")
    if group:
        number = len(groups)
        groups[number] = bdf
        put(f"{here}/iommu_group", f"-> {up}kernel/iommu_groups/{number}")
        put(f"/sys/kernel/iommu_groups/{number}/devices/{bdf}", f"-> ../../../../devices/{own}")
    return here, own


def cpulist(node):
    first, threads = node * CORES, SOCKETS * CORES
    return f"{first}-{first + CORES - 1},{first + threads}-{first + threads + CORES - 1}"


def mask(cpus):
    bits = sum(1 << cpu for cpu in cpus)
    words = SOCKETS * CORES * THREADS // 32
    return ",".join(f"{bits >> 32 * i & 0xffffffff:08x}" for i in reversed(range(words))) + "\n"


MEMORY = 0x40200  # IORESOURCE_MEM | IORESOURCE_SIZEALIGN
WIDE = MEMORY | 0x102000  # and 64 bits wide, prefetchable


def bridge(bdf, path, vendor, device, buses, express, node, driver="pcieport", gts="16.0"):
    return function(bdf, path, vendor, device, 0x060400, driver, node=node, express=express,
                    secondary=buses[0], subordinate=buses[1], gts=gts)[1]


def gpu(index, bus, path, node):
    """An L40S with its virtual functions on the vendor's own VFIO framework."""
    base = 0x200000000000 + index * 0x10000000000
    bdf = address(bus, 0, 0)
    here, own = function(
        bdf, path, 0x10de, 0x26b9, 0x030200, "nvidia", (0x10de, 0x1851), node, express=0, flr=True,
        revision=0xa1, vfs=VFS,
        bars=[(0x90000000 + index * 0x2000000, 0x90ffffff + index * 0x2000000, MEMORY),
              (base, base + (1 << 36) - 1, WIDE), (0, 0, 0),
              (base + (1 << 36), base + (1 << 36) + (1 << 25) - 1, WIDE)])
    for name, value in (("sriov_totalvfs", VFS), ("sriov_numvfs", VFS), ("sriov_offset", VF_OFFSET),
                        ("sriov_stride", VF_STRIDE), ("sriov_vf_device", "26b9"),
                        ("sriov_drivers_autoprobe", 1), ("sriov_vf_total_msix", 0)):
        put(f"{here}/{name}", f"{value}\n")
    put(f"{here}/drm/card{index + 1}/dev", f"226:{index + 1}\n")
    put(f"{here}/drm/renderD{128 + index}/dev", f"226:{128 + index}\n")
    put(f"/proc/driver/nvidia/gpus/{bdf}/information",
        f"Model: \t\t NVIDIA L40S\nIRQ:   \t\t {100 + index}\nBus Location: \t {bdf}\nDevice Minor: \t {index}\n")
    for i in range(VFS):
        routing = VF_OFFSET + VF_STRIDE * i
        vf = address(bus, routing >> 3, routing & 7)
        start = base + (2 << 36) + i * (1 << 31)
        vf_here, _ = function(
            vf, path, 0x10de, 0x26b9, 0x030200, "nvidia", (0x10de, 0x1851), node, express=0, flr=True,
            revision=0xa1, physfn=bdf,
            bars=[(0xa0000000 + (index * VFS + i) * 0x40000,
                   0xa003ffff + (index * VFS + i) * 0x40000, MEMORY),
                  (start, start + (1 << 31) - 1, WIDE)])
        put(f"{here}/virtfn{i}", f"-> ../{vf}")
        put(f"{vf_here}/physfn", f"-> ../{bdf}")
        put(f"{vf_here}/nvidia/current_vgpu_type", "0\n")
        put(f"{vf_here}/nvidia/creatable_vgpu_types", "ID    : vGPU Name\n" + "".join(
            f"{number:<6}: NVIDIA L40S-{name}\n" for number, name in VGPU_TYPES.items()))


def socket(node):
    """The devices of one socket: a root complex for each switch, its own parts, what is attached."""
    for half in range(2):
        switch = node * 2 + half
        bus = 0x15 + 0x20 * switch if node == 0 else 0x97 + 0x20 * half
        root = f"pci0000:{bus:02x}"
        for number, device, cls in ((0, 0x09a2, 0x088000), (1, 0x09a4, 0x088000), (2, 0x09a3, 0x088000),
                                    (4, 0x0b23, 0x080700)):
            function(address(bus, 0, number), root, 0x8086, device, cls, subsystem=(0x8086, 0x0000),
                     node=node, express=None)
        port = bridge(address(bus, 1, 0), root, 0x8086, 0x352a, (bus + 1, bus + 12), 4, node,
                      gts="32.0")
        up = bridge(address(bus + 1, 0, 0), port, 0x1000, 0xc030, (bus + 2, bus + 12), 5, node)
        for i in range(2):
            first = bus + 3 + 4 * i
            down = bridge(address(bus + 2, i, 0), up, 0x1000, 0xc030, (first, first + 3), 6, node)
            gpu(switch * 2 + i, first, down, node)


def management():
    """The parts that every such server has, on the first root complex."""
    root = "pci0000:00"
    function("0000:00:00.0", root, 0x8086, 0x09a2, 0x088000, subsystem=(0x8086, 0x0000), express=None)
    function("0000:00:1f.0", root, 0x8086, 0x1b81, 0x060100, subsystem=(0x8086, 0x0000), express=None)
    port = bridge("0000:00:1c.0", root, 0x8086, 0x1bb8, (1, 2), 4, 0, gts="5.0")
    under = bridge("0000:01:00.0", port, 0x1a03, 0x1150, (2, 2), 7, 0, driver="", gts="5.0")
    here, _ = function("0000:02:00.0", under, 0x1a03, 0x2000, 0x030000, "ast", (0x1a03, 0x2000),
                       express=None, bars=[(0x8e000000, 0x8effffff, MEMORY)], revision=0x52)
    put(f"{here}/boot_vga", "1\n")
    put(f"{here}/drm/card0/dev", "226:0\n")
    for i, (vendor, device, cls, driver, subsystem) in enumerate((
            (0x8086, 0x1592, 0x020000, "ice", (0x8086, 0x0002)),
            (0x144d, 0xa80a, 0x010802, "nvme", (0x144d, 0xa801)),
            (0x144d, 0xa80a, 0x010802, "nvme", (0x144d, 0xa801)))):
        bus = 3 + i
        port = bridge(f"0000:00:1c.{4 + i}", root, 0x8086, 0x352a, (bus, bus), 4, 0)
        function(address(bus, 0, 0), port, vendor, device, cls, driver, subsystem, express=0, flr=True,
                 bars=[(0x8d000000 + i * 0x100000, 0x8d0fffff + i * 0x100000, WIDE)])


def processors():
    cpu_root, count = "/sys/devices/system/cpu", SOCKETS * CORES * THREADS
    for name in ("possible", "present", "online"):
        put(f"{cpu_root}/{name}", f"0-{count - 1}\n")
    for cpu in range(count):
        core = cpu % (SOCKETS * CORES)
        package = core // CORES
        threads = [core, core + SOCKETS * CORES]
        mates = [c for c in range(count) if c % (SOCKETS * CORES) // CORES == package]
        here = f"{cpu_root}/cpu{cpu}"
        for name, value in (("core_id", f"{core % CORES}\n"), ("physical_package_id", f"{package}\n"),
                            ("thread_siblings", mask(threads)), ("core_siblings", mask(mates)),
                            ("core_cpus", mask(threads)), ("package_cpus", mask(mates))):
            put(f"{here}/topology/{name}", value)
        for name, value in (("level", "3\n"), ("type", "Unified\n"), ("size", "61440K\n"),
                            ("shared_cpu_map", mask(mates))):
            put(f"{here}/cache/index3/{name}", value)
    for node in range(SOCKETS):
        here = f"/sys/devices/system/node/node{node}"
        put(f"{here}/cpulist", cpulist(node) + "\n")
        put(f"{here}/cpumap", mask([c for c in range(count) if c % (SOCKETS * CORES) // CORES == node]))
        put(f"{here}/distance", " ".join("10" if n == node else "21" for n in range(SOCKETS)) + "\n")
        put(f"{here}/meminfo", f"Node {node} MemTotal:       528280000 kB\nNode {node} MemFree:        500000000 kB\n")
        for size in (2048, 1048576):
            for name in ("nr_hugepages", "free_hugepages"):
                put(f"{here}/hugepages/hugepages-{size}kB/{name}", "0\n")


def system():
    put("/proc/sys/kernel/osrelease", RELEASE + "\n")
    put("/proc/cmdline", "BOOT_IMAGE=/vmlinuz root=/dev/nvme0n1p2 ro intel_iommu=on iommu=pt pci=realloc\n")
    put("/proc/cpuinfo", "processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: fpu vmx ht ept\n")
    put("/proc/meminfo", "MemTotal:       1056560000 kB\nMemFree:        1000000000 kB\n")
    put("/proc/self/limits", "Max locked memory         unlimited            unlimited            bytes     \n")
    put("/proc/iomem", "00000000-00000fff : Reserved\n")
    put("/proc/modules", "nvidia_vgpu_vfio 118784 0 - Live 0x0000000000000000\n"
        "nvidia 8605696 1 nvidia_vgpu_vfio, Live 0x0000000000000000\n"
        "ice 2011136 0 - Live 0x0000000000000000\nast 69632 0 - Live 0x0000000000000000\n")
    put(f"/lib/modules/{RELEASE}/modules.alias",
        "alias vfio_pci:v*d*sv*sd*bc*sc*i* vfio_pci\nalias pci:v000010DEd*sv*sd*bc03sc02i00* nvidia\n"
        "alias pci:v00001A03d00002000sv*sd*bc*sc*i* ast\nalias pci:v00008086d00001592sv*sd*bc*sc*i* ice\n")
    put("/etc/os-release", 'PRETTY_NAME="Ubuntu 24.04.1 LTS"\nID=ubuntu\nID_LIKE=debian\nVERSION_ID="24.04"\n')
    put("/dev/kvm", "")
    for unit in range(6):
        put(f"/sys/class/iommu/dmar{unit}", f"-> ../../devices/virtual/iommu/dmar{unit}")
        put(f"/sys/devices/virtual/iommu/dmar{unit}/intel-iommu/ecap", "f000000f0da\n")
    for number in groups:
        put(f"/sys/kernel/iommu_groups/{number}/type", "identity\n")
        put(f"/sys/kernel/iommu_groups/{number}/reserved_regions",
            "0x00000000fee00000 0x00000000feefffff msi\n")
    for vendor, device, vendor_name, name in (
            (0x10de, 0x26b9, "NVIDIA Corporation", "AD102GL [L40S]"),
            (0x1a03, 0x2000, "ASPEED Technology, Inc.", "ASPEED Graphics Family"),
            (0x1a03, 0x1150, "ASPEED Technology, Inc.", "AST1150 PCI-to-PCI Bridge"),
            (0x1000, 0xc030, "Broadcom / LSI", "PEX890xx PCIe Gen 5 Switch"),
            (0x8086, 0x352a, "Intel Corporation", ""), (0x8086, 0x1bb8, "Intel Corporation", ""),
            (0x8086, 0x09a2, "Intel Corporation", "Ice Lake Memory Map/VT-d"),
            (0x8086, 0x09a3, "Intel Corporation", "Ice Lake RAS"),
            (0x8086, 0x09a4, "Intel Corporation", "Ice Lake UPI Misc"),
            (0x8086, 0x0b23, "Intel Corporation", ""), (0x8086, 0x1b81, "Intel Corporation", ""),
            (0x8086, 0x1592, "Intel Corporation", "Ethernet Controller E810-C for QSFP"),
            (0x144d, 0xa80a, "Samsung Electronics Co Ltd", "NVMe SSD Controller PM9A1/PM9A3/980PRO")):
        put(f"pci-name/{vendor:04x}:{device:04x}", f"{vendor_name}\t{name}")
    put("dmesg", "DMAR: IOMMU enabled")


management()
for number in range(SOCKETS):
    socket(number)
processors()
system()
sys.stdout.write("# Written by tests/hosts/big-server/generate.py\n" + "\n".join(out) + "\n")
