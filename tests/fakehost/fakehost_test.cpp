// SPDX-License-Identifier: Apache-2.0
// Drives the mounted fake host with plain file I/O, as a shell would.
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>

#include "fakehost/played_host.h"

namespace tessera::fakehost {
namespace {

using namespace std::chrono_literals;

/// Two identical cards with audio behind one port each, a NIC with VFs, a vGPU card, a boot
/// framebuffer.
constexpr const char* recording = R"(# a host for these tests
dmesg	DMAR: IOMMU enabled
/proc/sys/kernel/osrelease	6.1.0-56-amd64\n
/proc/iomem	e0000000-efffffff : PCI Bus 0000:01\n  e0000000-e07fffff : BOOTFB\n    e0000000-e07fffff : simpledrm\n
/sys/bus/pci/devices/0000:00:01.0/class	0x060400\n
/sys/bus/pci/devices/0000:00:01.0/vendor	0x8086\n
/sys/bus/pci/devices/0000:00:01.0/device	0x1901\n
/sys/bus/pci/devices/0000:00:01.0/driver	-> /sys/bus/pci/drivers/pcieport
/sys/bus/pci/devices/0000:00:01.0/iommu_group	-> /sys/kernel/iommu_groups/1
/sys/bus/pci/devices/0000:01:00.0	-> ../../../devices/pci0000:00/0000:00:1c.0/0000:01:00.0
/sys/bus/pci/devices/0000:01:00.0/class	0x030000\n
/sys/bus/pci/devices/0000:01:00.0/vendor	0x10de\n
/sys/bus/pci/devices/0000:01:00.0/device	0x13f1\n
/sys/bus/pci/devices/0000:01:00.0/driver	-> /sys/bus/pci/drivers/nouveau
/sys/bus/pci/devices/0000:01:00.0/iommu_group	-> /sys/kernel/iommu_groups/2
/sys/bus/pci/devices/0000:01:00.1	-> ../../../devices/pci0000:00/0000:00:1c.0/0000:01:00.1
/sys/bus/pci/devices/0000:01:00.1/class	0x040300\n
/sys/bus/pci/devices/0000:01:00.1/vendor	0x10de\n
/sys/bus/pci/devices/0000:01:00.1/device	0x0fbb\n
/sys/bus/pci/devices/0000:01:00.1/driver	-> /sys/bus/pci/drivers/snd_hda_intel
/sys/bus/pci/devices/0000:01:00.1/iommu_group	-> /sys/kernel/iommu_groups/2
/sys/bus/pci/devices/0000:02:00.0/class	0x030000\n
/sys/bus/pci/devices/0000:02:00.0/vendor	0x10de\n
/sys/bus/pci/devices/0000:02:00.0/device	0x13f1\n
/sys/bus/pci/devices/0000:02:00.0/driver	-> /sys/bus/pci/drivers/nouveau
/sys/bus/pci/devices/0000:02:00.0/iommu_group	-> /sys/kernel/iommu_groups/3
/sys/bus/pci/devices/0000:03:00.0/class	0x020000\n
/sys/bus/pci/devices/0000:03:00.0/vendor	0x8086\n
/sys/bus/pci/devices/0000:03:00.0/device	0x10c9\n
/sys/bus/pci/devices/0000:03:00.0/driver	-> /sys/bus/pci/drivers/igb
/sys/bus/pci/devices/0000:03:00.0/sriov_totalvfs	4\n
/sys/bus/pci/devices/0000:03:00.0/sriov_vf_device	10ca\n
/sys/bus/pci/devices/0000:03:00.0/iommu_group	-> /sys/kernel/iommu_groups/4
/sys/bus/pci/devices/0000:04:00.0/class	0x030200\n
/sys/bus/pci/devices/0000:04:00.0/vendor	0x10de\n
/sys/bus/pci/devices/0000:04:00.0/device	0x1db4\n
/sys/bus/pci/devices/0000:04:00.0/driver	-> /sys/bus/pci/drivers/nvidia
/sys/bus/pci/devices/0000:04:00.0/mdev_supported_types/nvidia-105/available_instances	4\n
/sys/bus/pci/devices/0000:04:00.0/mdev_supported_types/nvidia-105/description	num_heads=4, framebuffer=4096M, max_instance=4\n
/sys/bus/pci/devices/0000:04:00.0/mdev_supported_types/nvidia-106/available_instances	2\n
/sys/bus/pci/devices/0000:04:00.0/mdev_supported_types/nvidia-106/description	num_heads=4, framebuffer=8192M, max_instance=2\n
/sys/bus/pci/devices/0000:04:00.0/iommu_group	-> /sys/kernel/iommu_groups/5
)";

constexpr const char* card = "/sys/bus/pci/devices/0000:01:00.0";
constexpr const char* twin = "/sys/bus/pci/devices/0000:02:00.0";
constexpr const char* nic = "/sys/bus/pci/devices/0000:03:00.0";
constexpr const char* types = "/sys/bus/pci/devices/0000:04:00.0/mdev_supported_types";
constexpr const char* uuid_a = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001";
constexpr const char* uuid_b = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1002";

class FakeHostTest : public PlayedHost {
 protected:
  FakeHostTest() : PlayedHost(recording) {}

  void give_to_vfio(const std::string& device) const {
    auto address = fs::path(device).filename().string();
    ASSERT_EQ(write("/.rehearsal/modprobe", "load vfio-pci\n"), "ok");
    ASSERT_EQ(write(device + "/driver_override", "vfio-pci\n"), "ok");
    ASSERT_EQ(write(device + "/driver/unbind", address + "\n"), "ok");
    ASSERT_EQ(write("/sys/bus/pci/drivers_probe", address + "\n"), "ok");
    ASSERT_EQ(driver(device), "vfio-pci");
  }
};

TEST_F(FakeHostTest, a_recorded_directory_becomes_a_link_to_a_device) {
  EXPECT_EQ(fs::read_symlink(at(twin)).string(), "../../../devices/pci0000:02/0000:02:00.0");
  EXPECT_EQ(read(std::string(twin) + "/vendor"), "0x10de\n");
  EXPECT_EQ(fs::read_symlink(at(card)).string(),
            "../../../devices/pci0000:00/0000:00:1c.0/0000:01:00.0");
}

TEST_F(FakeHostTest, it_has_what_a_live_kernel_has_beside_the_recording) {
  EXPECT_EQ(read(std::string(card) + "/driver_override"), "(null)\n");
  EXPECT_EQ(read(std::string(card) + "/modalias"),
            "pci:v000010DEd000013F1sv00000000sd00000000bc03sc00i00\n");
  EXPECT_TRUE(exists("/sys/bus/pci/drivers/nouveau/unbind"));
  EXPECT_TRUE(exists("/sys/bus/pci/drivers/nouveau/0000:01:00.0"));
  EXPECT_TRUE(exists("/sys/kernel/iommu_groups/2/devices/0000:01:00.1"));
  EXPECT_EQ(read("/sys/kernel/iommu_groups/2/type"), "DMA-FQ\n");
  EXPECT_EQ(read("/proc/cmdline"), "\n");
  EXPECT_FALSE(exists("/sys/module/vfio_pci"));
  EXPECT_NE(read("/lib/modules/6.1.0-56-amd64/modules.alias").find("vfio_pci:v*d*"),
            std::string::npos);
}

TEST_F(FakeHostTest, absolute_links_resolve_inside_the_root) {
  Fd directory(open(root().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT;
  std::string path = std::string(card) + "/iommu_group/devices/0000:01:00.1/vendor";
  Fd file;
  do {  // openat2(2): EAGAIN when a mount elsewhere raced with a "..", to be tried again
    file =
        Fd(static_cast<int>(syscall(SYS_openat2, directory.get(), path.c_str(), &how, sizeof how)));
  } while (!file.valid() && errno == EAGAIN);
  ASSERT_TRUE(file.valid()) << std::strerror(errno);
}

TEST_F(FakeHostTest, files_without_behaviour_are_read_only) {
  EXPECT_EQ(write(std::string(card) + "/vendor", "0x1\n"), "EACCES");
  EXPECT_EQ(read("/sys/bus/pci/drivers/nouveau/unbind"), "EACCES");
  EXPECT_EQ(write("/sys/absent", "1"), "ENOENT");
}

TEST_F(FakeHostTest, unbind_takes_link_and_nodes_away_and_says_so) {
  auto listener = events();
  ASSERT_TRUE(exists("/dev/dri/card0"));
  EXPECT_EQ(write("/sys/bus/pci/drivers/nouveau/unbind", "0000:01:00.0\n"), "ok");
  EXPECT_FALSE(exists(std::string(card) + "/driver"));
  EXPECT_FALSE(exists("/sys/bus/pci/drivers/nouveau/0000:01:00.0"));
  EXPECT_FALSE(exists("/dev/dri/card0"));
  EXPECT_TRUE(exists("/dev/dri/card1"));
  auto event = next_event(listener);
  EXPECT_EQ(
      event.find("unbind@/devices/pci0000:00/0000:00:1c.0/0000:01:00.0 ACTION=unbind DEVPATH="), 0U)
      << event;
  EXPECT_NE(event.find(" SUBSYSTEM=pci "), std::string::npos);
}

TEST_F(FakeHostTest, unbind_from_another_driver_is_enodev) {
  EXPECT_EQ(write("/sys/bus/pci/drivers/nvidia/unbind", "0000:01:00.0\n"), "ENODEV");
  EXPECT_EQ(write("/sys/bus/pci/drivers/nouveau/unbind", "0000:ff:00.0\n"), "ENODEV");
  EXPECT_EQ(driver(card), "nouveau");
}

TEST_F(FakeHostTest, bind_wants_a_match_and_a_free_device) {
  EXPECT_EQ(write("/sys/bus/pci/drivers/nouveau/bind", "0000:01:00.0"), "EBUSY");
  EXPECT_EQ(write("/sys/bus/pci/drivers/nvidia/bind", "0000:01:00.0"), "ENODEV");
  ASSERT_EQ(write("/sys/bus/pci/drivers/nouveau/unbind", "0000:01:00.0"), "ok");
  EXPECT_EQ(write("/sys/bus/pci/drivers/nouveau/bind", "0000:01:00.0"), "ok");
  EXPECT_EQ(driver(card), "nouveau");
  EXPECT_TRUE(exists("/dev/dri/card0"));
}

TEST_F(FakeHostTest, writing_an_override_binds_nothing_and_newline_clears_it) {
  std::string file = std::string(card) + "/driver_override";
  EXPECT_EQ(write(file, "vfio-pci\n"), "ok");
  EXPECT_EQ(read(file), "vfio-pci\n");
  EXPECT_EQ(driver(card), "nouveau");
  EXPECT_EQ(write(file, "a\nb"), "ok");
  EXPECT_EQ(read(file), "a\n");
  EXPECT_EQ(write(file, "\n"), "ok");
  EXPECT_EQ(read(file), "(null)\n");
  EXPECT_EQ(write(file, std::string(4095, 'x')), "EINVAL");
}

TEST_F(FakeHostTest, probe_with_an_override_takes_exactly_one_of_two_identical_cards) {
  give_to_vfio(card);
  EXPECT_EQ(driver(twin), "nouveau");
  EXPECT_TRUE(exists("/dev/vfio/2"));
  EXPECT_TRUE(exists("/dev/vfio/vfio"));
}

TEST_F(FakeHostTest, probe_with_an_override_to_an_absent_driver_binds_nothing) {
  ASSERT_EQ(write(std::string(card) + "/driver_override", "vfio-pci"), "ok");
  ASSERT_EQ(write(std::string(card) + "/driver/unbind", "0000:01:00.0"), "ok");
  EXPECT_EQ(write("/sys/bus/pci/drivers_probe", "0000:01:00.0"), "ok");
  EXPECT_EQ(driver(card), "");
  EXPECT_EQ(write("/sys/bus/pci/drivers_probe", "0000:ff:00.0"), "ENODEV");
}

TEST_F(FakeHostTest, clearing_the_override_while_bound_leaves_the_device_with_vfio) {
  give_to_vfio(card);
  ASSERT_EQ(write(std::string(card) + "/driver_override", "\n"), "ok");
  EXPECT_EQ(driver(card), "vfio-pci");
  ASSERT_EQ(write("/sys/bus/pci/drivers/vfio-pci/unbind", "0000:01:00.0"), "ok");
  EXPECT_FALSE(exists("/dev/vfio/2"));
  ASSERT_EQ(write("/sys/bus/pci/drivers_probe", "0000:01:00.0"), "ok");
  EXPECT_EQ(driver(card), "nouveau");
}

TEST_F(FakeHostTest, new_id_wants_blanks_refuses_doubles_and_takes_every_free_twin) {
  ASSERT_EQ(write("/.rehearsal/modprobe", "load vfio_pci"), "ok");
  const char* new_id = "/sys/bus/pci/drivers/vfio-pci/new_id";
  EXPECT_EQ(write(new_id, "10de:13f1"), "EINVAL");
  EXPECT_EQ(write("/sys/bus/pci/drivers/nouveau/new_id", "10de 13f1"), "EEXIST");
  for (const char* address : {"0000:01:00.0", "0000:02:00.0"})
    ASSERT_EQ(write("/sys/bus/pci/drivers/nouveau/unbind", address), "ok");
  EXPECT_EQ(write(new_id, "10de 13f1\n"), "ok");
  EXPECT_EQ(driver(card), "vfio-pci");
  EXPECT_EQ(driver(twin), "vfio-pci");
  EXPECT_EQ(write(new_id, "10de 13f1\n"), "EEXIST");
  EXPECT_EQ(write("/sys/bus/pci/drivers/vfio-pci/remove_id", "10de 13f1\n"), "ok");
  EXPECT_EQ(write("/sys/bus/pci/drivers/vfio-pci/remove_id", "10de 13f1\n"), "ENODEV");
  EXPECT_EQ(driver(card), "vfio-pci");
}

TEST_F(FakeHostTest, vfio_refuses_a_bridge) {
  ASSERT_EQ(write("/.rehearsal/modprobe", "load vfio-pci"), "ok");
  std::string bridge = "/sys/bus/pci/devices/0000:00:01.0";
  ASSERT_EQ(write(bridge + "/driver/unbind", "0000:00:01.0"), "ok");
  ASSERT_EQ(write(bridge + "/driver_override", "vfio-pci"), "ok");
  EXPECT_EQ(write("/sys/bus/pci/drivers/vfio-pci/bind", "0000:00:01.0"), "EINVAL");
  EXPECT_NE(read("/.rehearsal/kmsg").find("probe of 0000:00:01.0 failed with error -22"),
            std::string::npos);
}

TEST_F(FakeHostTest, remove_and_rescan_bring_the_card_back_with_its_group_and_driver) {
  EXPECT_EQ(write(std::string(card) + "/remove", "x"), "EINVAL");
  EXPECT_EQ(write(std::string(card) + "/remove", "1\n"), "ok");
  EXPECT_FALSE(exists(card));
  EXPECT_FALSE(exists("/sys/bus/pci/drivers/nouveau/0000:01:00.0"));
  EXPECT_FALSE(exists("/sys/kernel/iommu_groups/2/devices/0000:01:00.0"));
  EXPECT_EQ(write("/sys/bus/pci/rescan", "1\n"), "ok");
  EXPECT_EQ(driver(card), "nouveau");
  EXPECT_TRUE(exists("/sys/kernel/iommu_groups/2/devices/0000:01:00.0"));
  EXPECT_TRUE(exists("/dev/dri/card0"));
}

TEST_F(FakeHostTest, unbinding_a_held_vfio_device_waits_for_its_user) {
  give_to_vfio(card);
  ASSERT_EQ(write("/.rehearsal/faults", "hold 4711 qemu /dev/vfio/2 machine.service\n"), "ok");
  EXPECT_EQ(read("/proc/4711/comm"), "qemu\n");
  EXPECT_EQ(read("/proc/4711/cgroup"), "0::/system.slice/machine.service\n");
  EXPECT_EQ(fs::read_symlink(at("/proc/4711/fd/3")).string(), "/dev/vfio/2");
  auto answer = write_aside("/sys/bus/pci/drivers/vfio-pci/unbind", "0000:01:00.0");
  EXPECT_EQ(answer.wait_for(200ms), std::future_status::timeout);
  EXPECT_EQ(driver(card), "vfio-pci");
  EXPECT_EQ(write("/.rehearsal/signal", "TERM 4711\n"), "ok");
  EXPECT_EQ(answer.get(), "ok");
  EXPECT_EQ(driver(card), "");
  EXPECT_FALSE(exists("/proc/4711"));
  EXPECT_NE(read("/.rehearsal/kmsg").find("vfio-pci 0000:01:00.0: Relaying device request to user"),
            std::string::npos);
}

TEST_F(FakeHostTest, a_unit_stops_and_starts_with_its_processes) {
  ASSERT_EQ(write("/.rehearsal/faults", "hold 8 Xorg /dev/dri/card0 gdm.service\n"), "ok");
  EXPECT_EQ(write("/.rehearsal/signal", "STOP gdm.service"), "ok");
  EXPECT_FALSE(exists("/proc/8"));
  EXPECT_EQ(write("/.rehearsal/signal", "STOP gdm.service"), "ESRCH");
  EXPECT_EQ(write("/.rehearsal/signal", "START gdm.service"), "ok");
  EXPECT_EQ(read("/proc/8/comm"), "Xorg\n");
  EXPECT_EQ(write("/.rehearsal/signal", "TERM 9"), "ESRCH");
}

TEST_F(FakeHostTest, modules_load_with_what_they_need_and_unload_when_free) {
  EXPECT_EQ(write("/.rehearsal/modprobe", "load nothing_known"), "ENOENT");
  EXPECT_EQ(write("/.rehearsal/modprobe", "load vfio-pci"), "ok");
  EXPECT_TRUE(exists("/sys/module/vfio_pci"));
  EXPECT_TRUE(exists("/sys/bus/pci/drivers/vfio-pci/bind"));
  EXPECT_NE(read("/proc/modules").find("vfio_iommu_type1 "), std::string::npos);
  EXPECT_EQ(write("/.rehearsal/modprobe", "unload vfio"), "EBUSY");
  EXPECT_EQ(write("/.rehearsal/modprobe", "unload vfio_pci"), "ok");
  EXPECT_FALSE(exists("/sys/bus/pci/drivers/vfio-pci"));
  EXPECT_EQ(write("/.rehearsal/modprobe", "unload vfio_pci"), "ENOENT");
}

TEST_F(FakeHostTest, a_driver_module_unloads_and_its_return_takes_the_cards_again) {
  ASSERT_EQ(write("/.rehearsal/faults", "hold 8 Xorg /dev/dri/card0\n"), "ok");
  EXPECT_EQ(write("/.rehearsal/modprobe", "unload nouveau"), "EBUSY");
  ASSERT_EQ(write("/.rehearsal/signal", "TERM 8"), "ok");
  EXPECT_EQ(write("/.rehearsal/modprobe", "unload nouveau"), "ok");
  EXPECT_EQ(driver(card), "");
  EXPECT_EQ(write("/.rehearsal/modprobe", "load nouveau"), "ok");
  EXPECT_EQ(driver(card), "nouveau");
  EXPECT_EQ(driver(twin), "nouveau");
}

TEST_F(FakeHostTest, a_platform_framebuffer_lets_go_of_its_memory) {
  std::string device = "/sys/bus/platform/devices/simple-framebuffer.0";
  ASSERT_EQ(driver(device), "simple-framebuffer");
  EXPECT_EQ(write("/sys/bus/platform/drivers/simple-framebuffer/unbind", "simple-framebuffer.0"),
            "ok");
  EXPECT_EQ(driver(device), "");
  EXPECT_EQ(read("/proc/iomem").find("simpledrm"), std::string::npos);
  EXPECT_NE(read("/proc/iomem").find("BOOTFB"), std::string::npos);
  EXPECT_EQ(write("/sys/bus/platform/drivers/simple-framebuffer/bind", "simple-framebuffer.0"),
            "ok");
  EXPECT_NE(read("/proc/iomem").find("simpledrm"), std::string::npos);
}

TEST_F(FakeHostTest, an_mdev_takes_an_instance_and_gives_it_back) {
  std::string create = std::string(types) + "/nvidia-105/create";
  std::string left = std::string(types) + "/nvidia-105/available_instances";
  EXPECT_EQ(write(create, "not-a-uuid"), "EINVAL");
  EXPECT_EQ(write(create, uuid_a), "ok");
  EXPECT_EQ(read(left), "3\n");
  EXPECT_EQ(write(create, uuid_a), "EEXIST");
  std::string device = std::string("/sys/bus/mdev/devices/") + uuid_a;
  EXPECT_EQ(fs::read_symlink(at(device + "/mdev_type")).filename(), "nvidia-105");
  EXPECT_EQ(write(device + "/remove", "1"), "ok");
  EXPECT_FALSE(exists(device));
  EXPECT_EQ(read(left), "4\n");
}

TEST_F(FakeHostTest, after_the_first_nvidia_mdev_other_sizes_have_none_left) {
  ASSERT_EQ(write(std::string(types) + "/nvidia-106/create", uuid_a), "ok");
  EXPECT_EQ(read(std::string(types) + "/nvidia-106/available_instances"), "1\n");
  EXPECT_EQ(read(std::string(types) + "/nvidia-105/available_instances"), "0\n");
  EXPECT_EQ(write(std::string(types) + "/nvidia-105/create", uuid_b), "EUSERS");
}

TEST_F(FakeHostTest, virtual_functions_come_and_go) {
  std::string numvfs = std::string(nic) + "/sriov_numvfs";
  EXPECT_EQ(read(numvfs), "0\n");
  EXPECT_EQ(write(numvfs, "5"), "ERANGE");
  EXPECT_EQ(write(numvfs, "2"), "ok");
  EXPECT_EQ(write(numvfs, "3"), "EBUSY");
  EXPECT_EQ(write(numvfs, "2"), "ok");
  EXPECT_EQ(read(std::string(nic) + "/virtfn1/device"), "0x10ca\n");
  EXPECT_EQ(fs::read_symlink(at(std::string(nic) + "/virtfn0/physfn")).filename(), "0000:03:00.0");
  EXPECT_NE(fs::read_symlink(at(std::string(nic) + "/virtfn0/iommu_group")).filename(),
            fs::read_symlink(at(std::string(nic) + "/virtfn1/iommu_group")).filename());
  EXPECT_EQ(write(numvfs, "0"), "ok");
  EXPECT_FALSE(exists(std::string(nic) + "/virtfn0"));
  EXPECT_FALSE(exists("/sys/bus/pci/devices/0000:03:00.1"));
}

TEST_F(FakeHostTest, virtual_functions_need_a_driver_that_makes_them) {
  std::string numvfs = std::string(nic) + "/sriov_numvfs";
  ASSERT_EQ(write("/sys/bus/pci/drivers/igb/unbind", "0000:03:00.0"), "ok");
  EXPECT_EQ(write(numvfs, "2"), "ENOENT");
}

TEST_F(FakeHostTest, a_write_can_be_told_to_fail_a_number_of_times) {
  std::string file = std::string(card) + "/driver_override";
  EXPECT_EQ(write("/.rehearsal/faults", "fail " + file + " EIO 2\n"), "ok");
  EXPECT_EQ(read("/.rehearsal/faults"), "fail " + file + " EIO 2\n");
  EXPECT_EQ(write(file, "a"), "EIO");
  EXPECT_EQ(write(file, "a"), "EIO");
  EXPECT_EQ(write(file, "a"), "ok");
  EXPECT_EQ(read("/.rehearsal/faults"), "");
}

TEST_F(FakeHostTest, bad_fault_lines_are_refused) {
  for (const char* line : {"fail /x ENOTHING", "fail /x EIO 0", "explode", "delay /x soon",
                           "hold x y z", "before /a put /b", "release /sys"})
    EXPECT_NE(write("/.rehearsal/faults", line), "ok") << line;
}

TEST_F(FakeHostTest, a_hanging_write_blocks_nobody_else_and_ends_when_released) {
  const char* unbind = "/sys/bus/pci/drivers/nouveau/unbind";
  ASSERT_EQ(write("/.rehearsal/faults", std::string("hang ") + unbind), "ok");
  auto answer = write_aside(unbind, "0000:01:00.0");
  EXPECT_EQ(answer.wait_for(200ms), std::future_status::timeout);
  EXPECT_EQ(write(std::string(twin) + "/driver_override", "x"), "ok");
  EXPECT_EQ(driver(card), "nouveau");
  EXPECT_EQ(write("/.rehearsal/faults", std::string("release ") + unbind), "ok");
  EXPECT_EQ(answer.get(), "ok");
  EXPECT_EQ(driver(card), "");
}

TEST_F(FakeHostTest, a_hanging_write_does_not_keep_the_mount_alive) {
  const char* unbind = "/sys/bus/pci/drivers/nouveau/unbind";
  ASSERT_EQ(write("/.rehearsal/faults", std::string("hang ") + unbind), "ok");
  auto answer = write_aside(unbind, "0000:01:00.0");
  EXPECT_EQ(answer.wait_for(100ms), std::future_status::timeout);
  unmount();
  EXPECT_EQ(answer.get(), "EINTR");
  mount(recording);
}

TEST_F(FakeHostTest, a_delayed_effect_comes_later_with_its_uevent) {
  const char* unbind = "/sys/bus/pci/drivers/nouveau/unbind";
  ASSERT_EQ(write("/.rehearsal/faults", std::string("delay ") + unbind + " 200"), "ok");
  auto listener = events();
  EXPECT_EQ(write(unbind, "0000:01:00.0"), "ok");
  EXPECT_EQ(driver(card), "nouveau");
  EXPECT_EQ(next_event(listener).find("unbind@"), 0U);
  EXPECT_EQ(driver(card), "");
}

TEST_F(FakeHostTest, somebody_else_can_write_just_before_us) {
  const char* unbind = "/sys/bus/pci/drivers/nouveau/unbind";
  std::string file = std::string(card) + "/driver_override";
  ASSERT_EQ(write("/.rehearsal/faults", "before " + file + " do " + unbind + " 0000:01:00.0\n"),
            "ok");
  EXPECT_EQ(write(file, "vfio-pci"), "ok");
  EXPECT_EQ(driver(card), "");
  EXPECT_EQ(write(unbind, "0000:01:00.0"), "ENODEV");
}

TEST_F(FakeHostTest, every_kernel_write_is_listed_in_order_with_its_failure) {
  ASSERT_EQ(write(std::string(card) + "/driver_override", "vfio-pci\n"), "ok");
  ASSERT_EQ(write("/sys/bus/pci/drivers/nvidia/unbind", "0000:01:00.0"), "ENODEV");
  EXPECT_EQ(read("/.rehearsal/writes"),
            "/sys/bus/pci/devices/0000:01:00.0/driver_override\tvfio-pci\\n\n"
            "/sys/bus/pci/drivers/nvidia/unbind\t0000:01:00.0\tENODEV\n");
}

TEST_F(FakeHostTest, each_listener_hears_only_what_happens_after_it_opened) {
  auto early = events();
  ASSERT_EQ(write("/sys/bus/pci/drivers/nouveau/unbind", "0000:01:00.0"), "ok");
  auto late = events();
  ASSERT_EQ(write("/sys/bus/pci/drivers/nouveau/bind", "0000:01:00.0"), "ok");
  EXPECT_EQ(next_event(early).find("unbind@"), 0U);
  EXPECT_EQ(next_event(early).find("bind@"), 0U);
  auto event = next_event(late);
  EXPECT_EQ(event.find("bind@"), 0U);
  EXPECT_NE(event.find(" DRIVER=nouveau "), std::string::npos);
}

TEST_F(FakeHostTest, the_kernel_log_starts_with_what_was_recorded) {
  EXPECT_EQ(read("/.rehearsal/kmsg"), "DMAR: IOMMU enabled\n");
}

TEST_F(FakeHostTest, every_recorded_host_can_be_played) {
  for (const auto& host : fs::directory_iterator(TESSERA_TESTS_DIR "/hosts")) {
    if (!fs::exists(host.path() / "tree.tsv")) continue;  // written when it is needed
    unmount();
    std::ifstream stream(host.path() / "tree.tsv");
    mount(std::string{std::istreambuf_iterator<char>(stream), {}});
    int devices = 0;
    for (const auto& device : fs::directory_iterator(at("/sys/bus/pci/devices"))) {
      EXPECT_TRUE(fs::is_directory(device.path())) << device.path();
      EXPECT_TRUE(fs::exists(device.path() / "driver_override")) << device.path();
      ++devices;
    }
    EXPECT_GT(devices, 0) << host.path();
  }
}

TEST_F(FakeHostTest, settings_are_files_on_a_disk) {
  const std::string folder = "/etc/mdevctl.d/0000:04:00.0";
  ASSERT_TRUE(fs::create_directories(at(folder)));
  std::ofstream(at(folder + "/new")) << std::string(10000, 'x') << "end";
  EXPECT_EQ(read(folder + "/new"), std::string(10000, 'x') + "end");
  std::ofstream(at(folder + "/new")) << "shorter";
  EXPECT_EQ(read(folder + "/new"), "shorter");
  std::ofstream(at(folder + "/old")) << "former";
  fs::rename(at(folder + "/new"), at(folder + "/old"));
  EXPECT_EQ(read(folder + "/old"), "shorter");
  EXPECT_FALSE(exists(folder + "/new"));
  EXPECT_EQ(rmdir(at(folder).c_str()), -1);
  EXPECT_EQ(errno, ENOTEMPTY);
  EXPECT_TRUE(fs::remove(at(folder + "/old")));
  EXPECT_TRUE(fs::remove(at(folder)));
  EXPECT_FALSE(exists(folder));
}

TEST_F(FakeHostTest, files_of_the_kernel_are_neither_made_nor_removed) {
  std::error_code refused;
  EXPECT_FALSE(fs::remove(at("/sys/bus/pci/rescan"), refused));
  EXPECT_TRUE(exists("/sys/bus/pci/rescan"));
  EXPECT_FALSE(fs::create_directory(at("/sys/kernel/own"), refused));
  EXPECT_LT(open(at("/proc/own").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644), 0);
  fs::rename(at("/proc/cmdline"), at("/etc/cmdline"), refused);
  EXPECT_TRUE(exists("/proc/cmdline"));
}

TEST(fakehost_program, a_broken_recording_is_one_clear_error) {
  EXPECT_EQ(run({TESSERA_FAKEHOST, "/absent", "/tmp/never"}), 1);
  EXPECT_EQ(run({TESSERA_FAKEHOST}), 2);
}

/// Whether there is such a name. O_PATH asks for the names on the way only, so that what the kernel
/// kept of them would show; a look at the file itself always gets to the host.
bool is_named(const std::string& path) {
  return Fd(open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC)).valid();
}

TEST_F(FakeHostTest, names_that_were_seen_are_gone_with_the_change_that_takes_them) {
  const std::string numvfs = std::string(nic) + "/sriov_numvfs";
  const std::string function = "/sys/bus/pci/devices/0000:03:00.1";
  for (int round = 0; round < 20; ++round) {
    ASSERT_FALSE(is_named(at(function))) << round;
    ASSERT_EQ(write(numvfs, "2\n"), "ok");
    const auto canonical = fs::canonical(at(function)).string();
    ASSERT_TRUE(is_named(at(function))) << round;
    ASSERT_TRUE(is_named(canonical + "/vendor")) << round;
    ASSERT_EQ(write(numvfs, "0\n"), "ok");
    ASSERT_FALSE(is_named(at(function))) << round;
    ASSERT_FALSE(is_named(canonical + "/vendor")) << round;
    ASSERT_FALSE(is_named(canonical)) << round;
  }
}

TEST_F(FakeHostTest, names_that_were_seen_are_gone_while_the_write_that_took_them_still_waits) {
  const std::string numvfs = std::string(nic) + "/sriov_numvfs";
  const std::string first = "/sys/bus/pci/devices/0000:03:00.1";
  const std::string second = "/sys/bus/pci/devices/0000:03:00.2";
  ASSERT_EQ(write(numvfs, "2"), "ok");
  ASSERT_EQ(write("/.rehearsal/modprobe", "load vfio-pci\n"), "ok");
  ASSERT_EQ(write(second + "/driver_override", "vfio-pci\n"), "ok");
  ASSERT_EQ(write("/sys/bus/pci/drivers_probe", "0000:03:00.2\n"), "ok");
  ASSERT_EQ(driver(second), "vfio-pci");
  const auto group = fs::read_symlink(at(second + "/iommu_group")).filename().string();
  ASSERT_EQ(write("/.rehearsal/faults", "hold 4711 qemu /dev/vfio/" + group + "\n"), "ok");
  const auto canonical = fs::canonical(at(first)).string();
  ASSERT_TRUE(is_named(at(first)));
  ASSERT_TRUE(is_named(canonical + "/vendor"));
  const Fd removals = events();
  auto answer = write_aside(numvfs, "0");
  std::string event = next_event(removals);  // handed out when the write lets go of the host
  while (!event.empty() && !event.starts_with("remove@")) event = next_event(removals);
  EXPECT_NE(event.find("0000:03:00.1"), std::string::npos) << event;
  EXPECT_FALSE(is_named(at(first)));
  EXPECT_FALSE(is_named(canonical + "/vendor"));
  EXPECT_FALSE(is_named(canonical));
  EXPECT_TRUE(is_named(at(second)));
  EXPECT_EQ(write("/.rehearsal/signal", "TERM 4711\n"), "ok");
  EXPECT_EQ(answer.get(), "ok");
  EXPECT_FALSE(exists(second));
}

}  // namespace
}  // namespace tessera::fakehost
