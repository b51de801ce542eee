// SPDX-License-Identifier: Apache-2.0
// How the played host cuts cards: NVIDIA's vGPUs, mediated devices, quotas, and vendors' tools.
#include <chrono>
#include <fstream>
#include <iterator>
#include <string>

#include <fmt/format.h>

#include "fakehost/played_host.h"

namespace tessera::fakehost {
namespace {

using namespace std::chrono_literals;

constexpr const char* header = "ID    : vGPU Name\n";

std::string device(std::string_view address, std::string_view file = {}) {
  return fmt::format("/sys/bus/pci/devices/{}{}{}", address, file.empty() ? "" : "/", file);
}

/// Lines of a recording: a function with what every one has.
std::string function(std::string_view address, std::string_view id, std::string_view driver,
                     int group, std::string_view device_class = "0x030200") {
  auto at = device(address);
  return fmt::format(
      "{0}\t-> ../../../devices/pci0000:40/0000:40:01.0/{1}\n"
      "{0}/class\t{2}\\n\n{0}/vendor\t0x{3}\\n\n{0}/device\t0x{4}\\n\n"
      "{0}/driver\t-> /sys/bus/pci/drivers/{5}\n"
      "{0}/iommu_group\t-> /sys/kernel/iommu_groups/{6}\n",
      at, address, device_class, id.substr(0, 4), id.substr(5), driver, group);
}

constexpr const char* card = "0000:41:00.0";

std::string vf(int index) {
  constexpr int first = 4;
  constexpr int functions = 8;
  int number = first + index;
  return fmt::format("0000:41:{:02x}.{}", number / functions, number % functions);
}

std::string vendor_file(int index, std::string_view file) {
  return device(vf(index), fmt::format("nvidia/{}", file));
}

/// A card with `count` virtual functions that list `types` ("1147  : NVIDIA L40S-1Q\n...").
std::string vendor_host(std::string_view id, int count, std::string_view types) {
  auto text = function(card, id, "nvidia", 10) + fmt::format("{}\t32\\n\n{}\t{}\\n\n",
                                                             device(card, "sriov_totalvfs"),
                                                             device(card, "sriov_numvfs"), count);
  for (int i = 0; i < count; ++i) {
    text += function(vf(i), id, "nvidia", 11 + i);
    text += fmt::format("{}\t-> ../{}\n", device(vf(i), "physfn"), card);
    text += fmt::format("{}\t-> ../{}\n", device(card, fmt::format("virtfn{}", i)), vf(i));
    text += fmt::format("{}\t0\\n\n", vendor_file(i, "current_vgpu_type"));
    text +=
        fmt::format("{}\tID    : vGPU Name\\n{}\n", vendor_file(i, "creatable_vgpu_types"), types);
  }
  return text;
}

constexpr const char* l40s_types =
    "1147  : NVIDIA L40S-1Q\\n1149  : NVIDIA L40S-3Q\\n1152  : NVIDIA L40S-8Q\\n"
    "1153  : NVIDIA L40S-12Q\\n1155  : NVIDIA L40S-24Q\\n1156  : NVIDIA L40S-48Q\\n"
    "1162  : NVIDIA L40S-8A\\n";

class VendorVfio : public PlayedHost {
 protected:
  VendorVfio() : PlayedHost(vendor_host("10de:26b9", 8, l40s_types)) {}

  [[nodiscard]] std::string make(int index, int type) const {
    return write(vendor_file(index, "current_vgpu_type"), std::to_string(type));
  }
  [[nodiscard]] std::string creatable(int index) const {
    return read(vendor_file(index, "creatable_vgpu_types"));
  }
  [[nodiscard]] std::string placement(int index) const {
    return read(vendor_file(index, "placement_id"));
  }
};

TEST_F(VendorVfio, a_function_without_vgpu_lists_all_types_and_has_no_placement) {
  EXPECT_EQ(read(vendor_file(0, "current_vgpu_type")), "0\n");
  EXPECT_EQ(creatable(0).find(std::string(header) + "1147  : NVIDIA L40S-1Q\n"), 0U);
  EXPECT_EQ(placement(0), "ENXIO");
  EXPECT_EQ(read(vendor_file(0, "gpu_instance_id")), "ENXIO");
  EXPECT_EQ(read(vendor_file(0, "vgpu_params")), "\n");
  EXPECT_EQ(write(vendor_file(0, "creatable_vgpu_types"), "1"), "EACCES");
}

TEST_F(VendorVfio, writing_a_type_makes_a_vgpu_and_0_takes_it_away) {
  EXPECT_FALSE(exists("/dev/vfio/11"));
  EXPECT_EQ(make(0, 1152), "ok");
  EXPECT_EQ(read(vendor_file(0, "current_vgpu_type")), "1152\n");
  EXPECT_TRUE(exists("/dev/vfio/11"));
  EXPECT_EQ(make(0, 0), "ok");
  EXPECT_EQ(read(vendor_file(0, "current_vgpu_type")), "0\n");
  EXPECT_FALSE(exists("/dev/vfio/11"));
  EXPECT_EQ(make(0, 0), "ok");
}

TEST_F(VendorVfio, a_function_holds_one_vgpu) {
  ASSERT_EQ(make(0, 1152), "ok");
  EXPECT_EQ(creatable(0), header);
  EXPECT_EQ(make(0, 1162), "EIO");
  EXPECT_EQ(read(vendor_file(0, "current_vgpu_type")), "1152\n");
}

TEST_F(VendorVfio, the_first_vgpu_leaves_types_of_its_size_to_the_whole_card) {
  ASSERT_EQ(make(0, 1152), "ok");
  EXPECT_EQ(creatable(5), std::string(header) + "1152  : NVIDIA L40S-8Q\n1162  : NVIDIA L40S-8A\n");
  EXPECT_EQ(make(5, 1155), "EIO");
  EXPECT_NE(read("/.rehearsal/kmsg").find("NVRM: Failed to add vgpu create request: 0x38"),
            std::string::npos);
  EXPECT_EQ(make(5, 1162), "ok");
  ASSERT_EQ(make(0, 0), "ok");
  ASSERT_EQ(make(5, 0), "ok");
  EXPECT_EQ(make(5, 1155), "ok");
}

TEST_F(VendorVfio, a_card_is_full_when_its_framebuffer_is) {
  for (int i = 0; i < 6; ++i) EXPECT_EQ(make(i, 1152), "ok") << i;
  EXPECT_EQ(creatable(6), header);
  EXPECT_EQ(make(6, 1152), "EIO");
}

TEST_F(VendorVfio, a_type_that_the_card_does_not_know_is_invalid) {
  EXPECT_EQ(make(0, 9999), "EINVAL");
  EXPECT_EQ(write(vendor_file(0, "current_vgpu_type"), "nvidia-1152"), "EINVAL");
}

TEST_F(VendorVfio, equal_vgpus_stand_one_after_the_other_and_gaps_are_filled) {
  for (int i = 0; i < 3; ++i) ASSERT_EQ(make(i, 1152), "ok");
  EXPECT_EQ(placement(0), "0\n");
  EXPECT_EQ(placement(1), "8\n");
  EXPECT_EQ(placement(2), "16\n");
  ASSERT_EQ(make(1, 0), "ok");
  ASSERT_EQ(make(7, 1162), "ok");
  EXPECT_EQ(placement(7), "8\n");
}

TEST_F(VendorVfio, a_placement_can_be_changed_to_a_free_one) {
  ASSERT_EQ(make(0, 1152), "ok");
  ASSERT_EQ(make(1, 1152), "ok");
  std::string file = vendor_file(0, "placement_id");
  EXPECT_EQ(write(file, "8"), "EBUSY");
  EXPECT_EQ(write(file, "4"), "EINVAL");
  EXPECT_EQ(write(file, "40"), "ok");
  EXPECT_EQ(placement(0), "40\n");
  EXPECT_EQ(write(vendor_file(3, "placement_id"), "0"), "ENXIO");
}

TEST_F(VendorVfio, a_vgpu_that_a_machine_has_open_stays) {
  ASSERT_EQ(make(0, 1152), "ok");
  ASSERT_EQ(write(vendor_file(0, "vgpu_params"), "frame_rate_limiter=0,disable_vnc=1\n"), "ok");
  ASSERT_EQ(write("/.rehearsal/faults", "hold 90 qemu /dev/vfio/11\n"), "ok");
  EXPECT_EQ(make(0, 0), "EBUSY");
  EXPECT_EQ(write(vendor_file(0, "vgpu_params"), "enable_uvm=1"), "EBUSY");
  EXPECT_EQ(write(vendor_file(0, "placement_id"), "40"), "EBUSY");
  ASSERT_EQ(write("/.rehearsal/signal", "TERM 90"), "ok");
  EXPECT_EQ(read(vendor_file(0, "vgpu_params")), "frame_rate_limiter=0,disable_vnc=1\n");
  EXPECT_EQ(make(0, 0), "ok");
  EXPECT_EQ(read(vendor_file(0, "vgpu_params")), "\n");
}

TEST_F(VendorVfio, parameters_are_pairs_and_need_a_vgpu) {
  EXPECT_EQ(write(vendor_file(0, "vgpu_params"), "enable_uvm=1"), "ENXIO");
  ASSERT_EQ(make(0, 1152), "ok");
  EXPECT_EQ(write(vendor_file(0, "vgpu_params"), "enable_uvm"), "EINVAL");
  EXPECT_EQ(write(vendor_file(0, "vgpu_params"), "a=" + std::string(1024, 'x')), "EINVAL");
  EXPECT_EQ(write(vendor_file(0, "vgpu_params"), "enable_uvm=1\n"), "ok");
}

TEST_F(VendorVfio, a_vgpu_is_gone_when_its_function_loses_the_driver) {
  ASSERT_EQ(make(0, 1152), "ok");
  ASSERT_EQ(write("/sys/bus/pci/drivers/nvidia/unbind", vf(0)), "ok");
  EXPECT_FALSE(exists(vendor_file(0, "current_vgpu_type")));
  EXPECT_FALSE(exists("/dev/vfio/11"));
  ASSERT_EQ(write("/sys/bus/pci/drivers/nvidia/bind", vf(0)), "ok");
  EXPECT_EQ(read(vendor_file(0, "current_vgpu_type")), "0\n");
}

/// One GiB vGPUs: more would fit than a GPU takes.
class ManyVgpus : public PlayedHost {
 protected:
  ManyVgpus() : PlayedHost(vendor_host("10de:26b9", 33, l40s_types)) {}
};

TEST_F(ManyVgpus, a_gpu_takes_32_at_most) {
  for (int i = 0; i < 32; ++i)
    ASSERT_EQ(write(vendor_file(i, "current_vgpu_type"), "1147"), "ok") << i;
  EXPECT_EQ(read(vendor_file(31, "placement_id")), "31\n");
  EXPECT_EQ(write(vendor_file(32, "current_vgpu_type"), "1147"), "EIO");
}

class Blackwell : public PlayedHost {
 protected:
  Blackwell()
      : PlayedHost(vendor_host("10de:2bb5", 3,
                               "1518  : NVIDIA RTX Pro 6000 Blackwell DC-2Q\\n"
                               "1530  : NVIDIA RTX Pro 6000 Blackwell DC-96Q\\n")) {}
};

TEST_F(Blackwell, a_2_gib_vgpu_covers_3_so_that_32_fill_the_card) {
  for (int i = 0; i < 3; ++i) ASSERT_EQ(write(vendor_file(i, "current_vgpu_type"), "1518"), "ok");
  EXPECT_EQ(read(vendor_file(1, "placement_id")), "3\n");
  EXPECT_EQ(read(vendor_file(2, "placement_id")), "6\n");
}

class Ampere : public PlayedHost {
 protected:
  Ampere()
      : PlayedHost(vendor_host("10de:25b6", 2, "746   : NVIDIA A2-4Q\\n748   : NVIDIA A2-16Q\\n")) {
  }
};

TEST_F(Ampere, has_no_placements_among_equal_sizes) {
  ASSERT_EQ(write(vendor_file(0, "current_vgpu_type"), "746"), "ok");
  EXPECT_EQ(read(vendor_file(0, "placement_id")), "ENXIO");
}

// --- NVIDIA's programs ---

constexpr const char* manage = "/usr/lib/nvidia/sriov-manage";
constexpr const char* smi = "/usr/bin/nvidia-smi";

/// A card without virtual functions, and what they will have.
std::string card_with_functions_off(std::string_view id, std::string_view types) {
  return function(card, id, "nvidia", 10) +
         fmt::format(
             "{0}\t32\\n\n{1}\t4\\n\n{2}\t1\\n\n"
             "vf-files/{3}/nvidia/current_vgpu_type\t0\\n\n"
             "vf-files/{3}/nvidia/warm_update\t0\\n\n"
             "vf-files/{3}/nvidia/creatable_vgpu_types\tID    : vGPU Name\\n{4}\n",
             device(card, "sriov_totalvfs"), device(card, "sriov_offset"),
             device(card, "sriov_stride"), id, types);
}

class NvidiaTools : public PlayedHost {
 protected:
  explicit NvidiaTools(std::string recording) : PlayedHost(std::move(recording)) {}
  NvidiaTools() : NvidiaTools(card_with_functions_off("10de:26b9", l40s_types)) {}

  [[nodiscard]] std::string make(int index, int type) const {
    return write(vendor_file(index, "current_vgpu_type"), std::to_string(type));
  }
  [[nodiscard]] std::string placement(int index) const {
    return read(vendor_file(index, "placement_id"));
  }
};

TEST_F(NvidiaTools, are_programs_of_the_host) {
  EXPECT_EQ(fs::status(at(manage)).permissions(), static_cast<fs::perms>(0755));
  EXPECT_EQ(fs::status(at(smi)).permissions(), static_cast<fs::perms>(0755));
}

TEST_F(NvidiaTools, sriov_manage_makes_all_functions_and_takes_them_away) {
  auto listener = events();
  EXPECT_EQ(tool(manage, std::string("-e ") + card),
            "Enabled virtual functions on 0000:41:00.0\nexit 0");
  EXPECT_EQ(read(device(card, "sriov_numvfs")), "32\n");
  EXPECT_EQ(fs::read_symlink(at(device(card, "virtfn0"))).filename(), "0000:41:00.4");
  EXPECT_EQ(fs::read_symlink(at(device(card, "virtfn31"))).filename(), "0000:41:04.3");
  EXPECT_EQ(driver(device(vf(31))), "nvidia");
  EXPECT_EQ(read(vendor_file(31, "current_vgpu_type")), "0\n");
  EXPECT_EQ(read(vendor_file(31, "placement_id")), "ENXIO");
  EXPECT_EQ(next_event(listener).find("unbind@"), 0U);  // the driver lets the card go, and takes it
  EXPECT_EQ(next_event(listener).find("bind@"), 0U);
  EXPECT_EQ(make(3, 1152), "ok");
  EXPECT_EQ(tool(manage, "-d ALL"), "Disabled virtual functions on 0000:41:00.0\nexit 0");
  EXPECT_EQ(read(device(card, "sriov_numvfs")), "0\n");
  EXPECT_FALSE(exists(device(vf(3))));
  EXPECT_EQ(driver(device(card)), "nvidia");
}

TEST_F(NvidiaTools, a_number_of_functions_cannot_be_written) {
  EXPECT_EQ(write(device(card, "sriov_numvfs"), "4"), "ENOENT");
  EXPECT_EQ(read(device(card, "sriov_numvfs")), "0\n");
  EXPECT_NE(
      read("/.rehearsal/kmsg")
          .find("nvidia 0000:41:00.0: driver does not support SR-IOV configuration via sysfs"),
      std::string::npos);
  ASSERT_EQ(tool(manage, "-e ALL").find("Enabled"), 0U);
  EXPECT_EQ(write(device(card, "sriov_numvfs"), "0"), "ENOENT");
  EXPECT_EQ(read(device(card, "sriov_numvfs")), "32\n");
}

TEST_F(NvidiaTools, functions_stay_while_a_machine_has_one) {
  ASSERT_EQ(tool(manage, "-e ALL").find("Enabled"), 0U);
  ASSERT_EQ(make(0, 1152), "ok");
  auto group = fs::read_symlink(at(device(vf(0), "iommu_group"))).filename().string();
  ASSERT_EQ(write("/.rehearsal/faults", "hold 92 qemu /dev/vfio/" + group + "\n"), "ok");
  EXPECT_EQ(tool(manage, "-d ALL"), "Cannot obtain unbindLock for 0000:41:00.0\nexit 1");
  EXPECT_EQ(read(vendor_file(0, "current_vgpu_type")), "1152\n");
}

TEST_F(NvidiaTools, sriov_manage_changes_nothing_the_second_time) {
  ASSERT_EQ(tool(manage, "-e ALL").find("Enabled"), 0U);
  ASSERT_EQ(make(0, 1152), "ok");
  EXPECT_EQ(tool(manage, "-e ALL"), "0000:41:00.0: virtual functions are on already.\nexit 0");
  EXPECT_EQ(read(vendor_file(0, "current_vgpu_type")), "1152\n");
}

TEST_F(NvidiaTools, sriov_manage_needs_a_card_that_nobody_uses) {
  ASSERT_EQ(write("/.rehearsal/faults", "hold 91 app /dev/nvidia0\n"), "ok");
  EXPECT_EQ(tool(manage, "-e ALL"), "Cannot obtain unbindLock for 0000:41:00.0\nexit 1");
  EXPECT_EQ(read(device(card, "sriov_numvfs")), "0\n");
  ASSERT_EQ(write("/.rehearsal/signal", "TERM 91"), "ok");
  EXPECT_EQ(tool(manage, "-e ALL").find("Enabled"), 0U);
}

TEST_F(NvidiaTools, sriov_manage_can_be_told_to_fail_once) {
  ASSERT_EQ(write("/.rehearsal/faults", std::string("fail ") + manage + " EBUSY 1\n"), "ok");
  EXPECT_EQ(tool(manage, "-e ALL"), "Cannot obtain unbindLock\nexit 1");
  EXPECT_EQ(tool(manage, "-e ALL"), "Enabled virtual functions on 0000:41:00.0\nexit 0");
}

TEST_F(NvidiaTools, a_run_that_waits_in_the_kernel_is_given_up) {
  ASSERT_EQ(write("/.rehearsal/faults", std::string("hang ") + manage), "ok");
  auto root_of_host = kernel::Root::open(root());
  ASSERT_TRUE(root_of_host);
  auto outcome = kernel::run_tool(*root_of_host, manage, {"-e", "ALL"}, Deadline::in(300ms));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::timeout);
  EXPECT_EQ(read(device(card, "sriov_numvfs")), "0\n");
  ASSERT_EQ(write("/.rehearsal/faults", std::string("release ") + manage), "ok");
}

TEST_F(NvidiaTools, sriov_manage_wants_to_be_used_rightly) {
  EXPECT_EQ(tool(manage, "ALL"), "Usage: sriov-manage -e|-d <GPU address>|ALL\nexit 1");
  EXPECT_EQ(tool(manage, "-e 0000:99:00.0"),
            "0000:99:00.0 is no GPU of the nvidia driver.\nexit 1");
}

TEST_F(NvidiaTools, runs_are_listed_among_the_writes) {
  (void)tool(manage, "-e ALL");
  (void)tool(smi, "-i 5 -mig 1");
  EXPECT_EQ(read("/.rehearsal/writes"),
            "/usr/lib/nvidia/sriov-manage\t-e ALL\n/usr/bin/nvidia-smi\t-i 5 -mig 1\texit 6\n");
}

TEST_F(NvidiaTools, mixed_sizes_stand_side_by_side_by_halves) {
  ASSERT_EQ(tool(manage, "-e ALL").find("Enabled"), 0U);
  EXPECT_EQ(tool(smi, "vgpu -i 0000:41:00.0 -shm 1"),
            "Enabled vGPU heterogeneous mode for GPU 00000000:41:00.0\nexit 0");
  EXPECT_EQ(make(0, 1155), "ok");
  EXPECT_EQ(make(1, 1152), "ok");
  EXPECT_EQ(make(2, 1153), "ok");
  EXPECT_EQ(placement(0), "0\n");
  EXPECT_EQ(placement(1), "24\n");
  EXPECT_EQ(placement(2), "36\n");
  EXPECT_EQ(read(vendor_file(3, "creatable_vgpu_types")),
            std::string(header) + "1147  : NVIDIA L40S-1Q\n1149  : NVIDIA L40S-3Q\n");
  EXPECT_EQ(make(3, 1152), "EIO");
  EXPECT_EQ(make(3, 1149), "ok");
  EXPECT_EQ(placement(3), "33\n");
}

TEST_F(NvidiaTools, the_mode_of_sizes_cannot_change_under_vgpus_and_is_lost_with_the_functions) {
  ASSERT_EQ(tool(manage, "-e ALL").find("Enabled"), 0U);
  ASSERT_EQ(make(0, 1152), "ok");
  EXPECT_NE(tool(smi, "vgpu -i 0 -shm 1").find("In use by another client\nexit 19"),
            std::string::npos);
  ASSERT_EQ(make(0, 0), "ok");
  ASSERT_EQ(tool(smi, "vgpu -i 0 -shm 1").find("Enabled"), 0U);
  EXPECT_NE(tool(smi, "-q -x").find("<vgpu_heterogeneous_mode>Enabled<"), std::string::npos);
  ASSERT_EQ(tool(manage, "-d ALL").find("Disabled"), 0U);
  EXPECT_NE(tool(smi, "-q -x").find("<vgpu_heterogeneous_mode>Disabled<"), std::string::npos);
}

TEST_F(NvidiaTools, nvidia_smi_tells_of_the_gpu) {
  auto output = tool(smi, "-q -x");
  EXPECT_EQ(output.find("<?xml"), 0U);
  for (const char* part :
       {"<gpu id=\"00000000:41:00.0\">", "<product_name>NVIDIA L40S<", "<current_mig>N/A<",
        "<pci_device_id>26B910DE<", "<pci_bus_id>00000000:41:00.0<", "<total>49152 MiB<",
        "<host_vgpu_mode>SR-IOV<", "<current_ecc>Enabled<"})
    EXPECT_NE(output.find(part), std::string::npos) << part << "\n" << output;
}

TEST_F(NvidiaTools, nvidia_smi_knows_no_other_gpus) {
  EXPECT_EQ(tool(smi, "vgpu -i 0000:99:00.0 -shm 1"), "No devices were found\nexit 6");
  EXPECT_NE(tool(smi, "-i 0 -mig 1").find("Not Supported\nexit 3"), std::string::npos);
  EXPECT_EQ(tool(smi, "mig -lgi"), "No MIG-enabled devices found.\nexit 6");
  ASSERT_EQ(write("/sys/bus/pci/drivers/nvidia/unbind", card), "ok");
  EXPECT_EQ(tool(smi, "-q -x"), "No devices were found\nexit 6");
}

/// What `nvidia-smi mig -lgip` and -lgipp print of an A100 with 40 GB.
constexpr const char* mig_notes =
    "nvidia-smi/mig-lgip\t"
    "|   0  MIG 1g.5gb        19     7/7        4.75       No     14     0     0   |\\n"
    "|   0  MIG 1g.5gb+me     20     1/1        4.75       No     14     1     0   |\\n"
    "|   0  MIG 2g.10gb       14     3/3        9.75       No     28     1     0   |\\n"
    "|   0  MIG 3g.20gb        9     2/2        19.62      No     42     2     0   |\\n\n"
    "nvidia-smi/mig-lgipp\t"
    "GPU  0 Profile ID 19 Placements: {0,1,2,3,4,5,6}:1\\n"
    "GPU  0 Profile ID 20 Placements: {0,1,2,3,4,5,6}:1\\n"
    "GPU  0 Profile ID 14 Placements: {0,2,4}:2\\n"
    "GPU  0 Profile ID  9 Placements: {0,4}:4\\n\n";

class Mig : public NvidiaTools {
 protected:
  Mig()
      : NvidiaTools(card_with_functions_off("10de:20f1",
                                            "474   : GRID A100-1-5C\\n706   : GRID A100-1-5CME\\n"
                                            "476   : GRID A100-3-20C\\n470   : GRID A100-20C\\n") +
                    mig_notes) {}
  void turn_on() const {
    ASSERT_EQ(tool(smi, "-i 0 -mig 1"),
              "Enabled MIG Mode for GPU 00000000:41:00.0\nAll done.\nexit 0");
    ASSERT_EQ(tool(manage, "-e ALL").find("Enabled"), 0U);
  }
};

TEST_F(Mig, a_backed_type_needs_a_gpu_instance_of_its_kind) {
  turn_on();
  EXPECT_EQ(read(vendor_file(0, "creatable_vgpu_types")), header);
  EXPECT_EQ(make(0, 476), "EIO");
  EXPECT_NE(read("/.rehearsal/kmsg").find("NVRM: Failed to add vgpu create request: 0x38"),
            std::string::npos);
  EXPECT_NE(tool(smi, "mig -i 0 -cgi 9,19 -C").find("exit 0"), std::string::npos);
  EXPECT_EQ(read(vendor_file(0, "creatable_vgpu_types")),
            std::string(header) + "474   : GRID A100-1-5C\n476   : GRID A100-3-20C\n");
  EXPECT_EQ(make(0, 476), "ok");
  EXPECT_EQ(read(vendor_file(0, "gpu_instance_id")), "1\n");
  EXPECT_EQ(make(1, 476), "EIO");
  EXPECT_EQ(make(1, 474), "ok");
  EXPECT_EQ(make(2, 706), "EIO");
  EXPECT_EQ(make(2, 470), "EIO");
}

TEST_F(Mig, instances_are_listed_with_their_places_and_what_is_left) {
  turn_on();
  ASSERT_NE(tool(smi, "mig -i 0 -cgi 3g.20gb,2g.10gb -C").find("exit 0"), std::string::npos);
  auto listing = tool(smi, "mig -lgi");
  EXPECT_NE(listing.find("|   0  MIG 3g.20gb          9        1          0:4     |"),
            std::string::npos)
      << listing;
  EXPECT_NE(listing.find("|   0  MIG 2g.10gb         14        2          4:2     |"),
            std::string::npos)
      << listing;
  auto profiles = tool(smi, "mig -lgip");
  EXPECT_NE(profiles.find("MIG 1g.5gb        19     1/7 "), std::string::npos) << profiles;
  EXPECT_NE(profiles.find("MIG 3g.20gb        9     0/2 "), std::string::npos) << profiles;
  EXPECT_NE(tool(smi, "mig -lgipp").find("GPU  0 Profile ID  9 Placements: {0,4}:4\n"),
            std::string::npos);
  EXPECT_NE(tool(smi, "mig -i 0 -cgi 9 -C").find("Insufficient Resources"), std::string::npos);
  EXPECT_NE(tool(smi, "-q -x").find("<gpu_instance_id>2<"), std::string::npos);
}

TEST_F(Mig, what_is_used_cannot_be_destroyed) {
  turn_on();
  ASSERT_NE(tool(smi, "mig -i 0 -cgi 9 -C").find("exit 0"), std::string::npos);
  ASSERT_EQ(make(0, 476), "ok");
  EXPECT_NE(tool(smi, "mig -i 0 -dci").find("exit 19"), std::string::npos);
  EXPECT_NE(tool(smi, "mig -i 0 -dgi").find("exit 19"), std::string::npos);
  ASSERT_EQ(make(0, 0), "ok");
  EXPECT_NE(tool(smi, "mig -i 0 -dgi").find("exit 19"), std::string::npos);
  EXPECT_NE(tool(smi, "mig -i 0 -dci").find("exit 0"), std::string::npos);
  EXPECT_NE(tool(smi, "mig -i 0 -dgi").find("exit 0"), std::string::npos);
  EXPECT_EQ(tool(smi, "mig -i 0 -lgi"), "No GPU instances found: Not Found\nexit 6");
}

TEST_F(Mig, the_mode_is_left_only_without_functions_and_they_wipe_instances) {
  turn_on();
  ASSERT_NE(tool(smi, "mig -i 0 -cgi 9 -C").find("exit 0"), std::string::npos);
  EXPECT_NE(tool(smi, "-i 0 -mig 0").find("In use by another client\nexit 19"), std::string::npos);
  ASSERT_EQ(tool(manage, "-d ALL").find("Disabled"), 0U);
  EXPECT_EQ(tool(smi, "mig -i 0 -lgi"), "No GPU instances found: Not Found\nexit 6");
  EXPECT_EQ(tool(smi, "-i 0 -mig 0").find("Disabled MIG Mode"), 0U);
}

TEST_F(Mig, sizes_cannot_be_mixed_under_it) {
  turn_on();
  EXPECT_NE(tool(smi, "vgpu -i 0 -shm 1").find("Not Supported\nexit 3"), std::string::npos);
  EXPECT_NE(tool(smi, "-q -x").find("<vgpu_heterogeneous_mode>N/A<"), std::string::npos);
}

// --- mediated devices ---

constexpr const char* uuids[] = {
    "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001", "83b8f4f2-509f-382f-3c1e-e6bfe0fa1002",
    "83b8f4f2-509f-382f-3c1e-e6bfe0fa1003", "83b8f4f2-509f-382f-3c1e-e6bfe0fa1004",
    "83b8f4f2-509f-382f-3c1e-e6bfe0fa1005", "83b8f4f2-509f-382f-3c1e-e6bfe0fa1006"};

std::string type_file(std::string_view parent, std::string_view type, std::string_view file) {
  return device(parent, fmt::format("mdev_supported_types/{}/{}", type, file));
}

std::string nvidia_mdev_types(std::string_view prefix, std::string_view available) {
  std::string lines;
  struct Type {
    int id;
    const char* name;
    int mib;
    int most;
  };
  for (const auto& type :
       {Type{746, "NVIDIA A2-4Q", 4096, 4}, Type{751, "NVIDIA A2-4A", 4096, 4},
        Type{747, "NVIDIA A2-8Q", 8192, 2}, Type{748, "NVIDIA A2-16Q", 16384, 1}})
    lines += fmt::format(
        "{0}/mdev_supported_types/nvidia-{1}/name\t{2}\\n\n"
        "{0}/mdev_supported_types/nvidia-{1}/device_api\tvfio-pci\\n\n"
        "{0}/mdev_supported_types/nvidia-{1}/available_instances\t{5}\\n\n"
        "{0}/mdev_supported_types/nvidia-{1}/description\tnum_heads=4, frl_config=60, "
        "framebuffer={3}M, max_resolution=7680x4320, max_instance={4}\\n\n",
        prefix, type.id, type.name, type.mib, type.most, available);
  return lines;
}

class MdevOnFunctions : public PlayedHost {
 protected:
  MdevOnFunctions()
      : PlayedHost(function(card, "10de:25b6", "nvidia", 10) +
                   fmt::format("{}\t16\\n\n{}\t4\\n\n", device(card, "sriov_totalvfs"),
                               device(card, "sriov_offset")) +
                   nvidia_mdev_types("vf-files/10de:25b6", "1")) {}
  void SetUp() override {
    PlayedHost::SetUp();
    if (IsSkipped()) return;
    ASSERT_NE(tool(manage, "-e ALL").find("exit 0"), std::string::npos);
  }
  [[nodiscard]] std::string create(int index, std::string_view type, int uuid) const {
    return write(type_file(vf(index), type, "create"), uuids[uuid]);
  }
  [[nodiscard]] std::string left(int index, std::string_view type) const {
    return read(type_file(vf(index), type, "available_instances"));
  }
};

TEST_F(MdevOnFunctions, every_function_is_a_parent_that_takes_one) {
  EXPECT_TRUE(exists("/sys/class/mdev_bus/" + vf(15)));
  EXPECT_FALSE(exists(std::string("/sys/class/mdev_bus/") + card));
  EXPECT_EQ(left(0, "nvidia-746"), "1\n");
  EXPECT_EQ(create(0, "nvidia-746", 0), "ok");
  EXPECT_EQ(left(0, "nvidia-746"), "0\n");
  EXPECT_EQ(create(0, "nvidia-746", 1), "EUSERS");
}

TEST_F(MdevOnFunctions, sizes_are_equal_over_all_functions_of_the_card) {
  ASSERT_EQ(create(0, "nvidia-746", 0), "ok");
  EXPECT_EQ(left(9, "nvidia-747"), "0\n");
  EXPECT_EQ(create(9, "nvidia-747", 1), "EUSERS");
  EXPECT_EQ(left(9, "nvidia-751"), "1\n");
  EXPECT_EQ(create(9, "nvidia-751", 1), "ok");
  EXPECT_EQ(create(3, "nvidia-746", 2), "ok");
  EXPECT_EQ(create(4, "nvidia-746", 3), "ok");
  EXPECT_EQ(left(5, "nvidia-746"), "0\n");
  for (int i = 0; i < 4; ++i)
    EXPECT_EQ(write(fmt::format("/sys/bus/mdev/devices/{}/remove", uuids[i]), "1"), "ok");
  EXPECT_EQ(left(9, "nvidia-747"), "1\n");
}

TEST_F(MdevOnFunctions, an_mdev_has_parameters_that_cannot_change_while_it_is_open) {
  ASSERT_EQ(create(0, "nvidia-746", 0), "ok");
  auto params = fmt::format("/sys/bus/mdev/devices/{}/nvidia/vgpu_params", uuids[0]);
  EXPECT_EQ(read(params), "\n");
  EXPECT_EQ(write(params, "frame_rate_limiter=0"), "ok");
  auto group = fs::read_symlink(at(fmt::format("/sys/bus/mdev/devices/{}/iommu_group", uuids[0])));
  ASSERT_EQ(write("/.rehearsal/faults", "hold 93 qemu /dev/vfio/" + group.filename().string()),
            "ok");
  EXPECT_EQ(write(params, "frame_rate_limiter=1"), "EBUSY");
  EXPECT_EQ(read(params), "frame_rate_limiter=0\n");
  EXPECT_EQ(tool(manage, "-d ALL"), "Cannot obtain unbindLock for 0000:41:00.0\nexit 1");
}

TEST_F(MdevOnFunctions, mdevs_go_with_the_functions) {
  ASSERT_EQ(create(0, "nvidia-746", 0), "ok");
  EXPECT_NE(tool(manage, "-d ALL").find("exit 0"), std::string::npos);
  EXPECT_FALSE(exists(fmt::format("/sys/bus/mdev/devices/{}", uuids[0])));
  ASSERT_NE(tool(manage, "-e ALL").find("exit 0"), std::string::npos);
  EXPECT_EQ(left(0, "nvidia-748"), "1\n");
}

/// As the captured A2: one function, on whose card others hold 4 GB vGPUs.
class CapturedFunction : public PlayedHost {
 protected:
  CapturedFunction() : PlayedHost(text_of("/hosts/nvidia-a2-sriov-mdev/tree.tsv")) {}
  static std::string text_of(const std::string& file) {
    std::ifstream stream(TESSERA_TESTS_DIR + file);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  const std::string function = "0000:08:01.7";
};

TEST_F(CapturedFunction, takes_one_of_the_types_that_it_showed) {
  EXPECT_EQ(read(type_file(function, "nvidia-746", "available_instances")), "1\n");
  EXPECT_EQ(write(type_file(function, "nvidia-747", "create"), uuids[0]), "EUSERS");
  EXPECT_EQ(write(type_file(function, "nvidia-754", "create"), uuids[0]), "ok");
  EXPECT_EQ(read(type_file(function, "nvidia-746", "available_instances")), "0\n");
  EXPECT_EQ(read(type_file(function, "nvidia-754", "available_instances")), "0\n");
  EXPECT_EQ(write(fmt::format("/sys/bus/mdev/devices/{}/remove", uuids[0]), "1"), "ok");
  EXPECT_EQ(read(type_file(function, "nvidia-746", "available_instances")), "1\n");
}

/// A V100 that held two mdevs when it was recorded.
class RecordedMdevs : public PlayedHost {
 protected:
  RecordedMdevs() : PlayedHost(recording()) {}
  static std::string recording() {
    auto text = function(card, "10de:1db4", "nvidia", 10) + nvidia_mdev_types(device(card), "0");
    for (int i = 0; i < 2; ++i)
      text += fmt::format(
          "/sys/bus/mdev/devices/{0}\t-> ../../../devices/pci0000:40/0000:40:01.0/{1}/{0}\n"
          "/sys/devices/pci0000:40/0000:40:01.0/{1}/{0}/mdev_type\t"
          "-> ../mdev_supported_types/nvidia-746\n",
          uuids[i], card);
    return text;
  }
};

TEST_F(RecordedMdevs, are_there_count_and_can_be_removed) {
  EXPECT_EQ(read(type_file(card, "nvidia-746", "available_instances")), "2\n");
  EXPECT_EQ(read(type_file(card, "nvidia-747", "available_instances")), "0\n");
  EXPECT_EQ(write(fmt::format("/sys/bus/mdev/devices/{}/remove", uuids[0]), "1"), "ok");
  EXPECT_EQ(read(type_file(card, "nvidia-746", "available_instances")), "3\n");
  EXPECT_EQ(write(fmt::format("/sys/bus/mdev/devices/{}/remove", uuids[1]), "1"), "ok");
  EXPECT_EQ(read(type_file(card, "nvidia-747", "available_instances")), "2\n");
}

class GvtG : public PlayedHost {
 protected:
  GvtG() : PlayedHost(CapturedGvt()) {}
  static std::string CapturedGvt() {
    std::ifstream stream(TESSERA_TESTS_DIR "/hosts/intel-guide3-gvtg-aperture1024/tree.tsv");
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  [[nodiscard]] std::string create(std::string_view type, int uuid) const {
    return write(type_file(igpu, type, "create"), uuids[uuid]);
  }
  [[nodiscard]] std::string left() const {
    std::string all;
    for (int share : {1, 2, 4, 8})
      all += read(type_file(igpu, fmt::format("i915-GVTg_V5_{}", share), "available_instances"));
    return all;
  }
  const std::string igpu = "0000:00:02.0";
};

TEST_F(GvtG, types_share_aperture_hidden_memory_and_fences) {
  EXPECT_EQ(left(), "1\n2\n5\n7\n");  // 896 MB, 2688 MB, 28
  ASSERT_EQ(create("i915-GVTg_V5_4", 0), "ok");
  EXPECT_EQ(left(), "1\n2\n4\n5\n");  // 768 MB, 2176 MB, 24
  ASSERT_EQ(create("i915-GVTg_V5_2", 1), "ok");
  EXPECT_EQ(left(), "0\n1\n2\n3\n");  // 512 MB, 1152 MB, 20
  EXPECT_EQ(create("i915-GVTg_V5_1", 2), "EUSERS");
  ASSERT_EQ(create("i915-GVTg_V5_8", 2), "ok");
  ASSERT_EQ(create("i915-GVTg_V5_8", 3), "ok");
  EXPECT_EQ(left(), "0\n0\n0\n1\n");  // 384 MB, 384 MB, 12
  EXPECT_EQ(write(fmt::format("/sys/bus/mdev/devices/{}/remove", uuids[1]), "1"), "ok");
  EXPECT_EQ(left(), "0\n1\n2\n3\n");
}

// --- quotas on Intel's cards ---

constexpr const char* numvfs = "/sys/bus/pci/devices/0000:41:00.0/sriov_numvfs";

std::string admin(std::string_view file) {
  return device(card, fmt::format("sriov_admin/{}", file));
}

class Xe : public PlayedHost {
 protected:
  Xe() : PlayedHost(recording()) {}
  static std::string recording() {
    auto text = function(card, "8086:e212", "xe", 10, "0x030000") +
                fmt::format("{}\t3\\n\nxe-vram-for-vfs/8086:e212\t16911433728\n",
                            device(card, "sriov_totalvfs"));
    for (const char* folder : {"pf", "vf1", "vf2", "vf3"}) {
      auto profile = admin(fmt::format("{}/profile", folder));
      text += fmt::format(
          "{0}/exec_quantum_ms\t0\\n\n{0}/preempt_timeout_us\t0\\n\n"
          "{0}/sched_priority\t[low] normal high\\n\n",
          profile);
      if (std::string(folder) != "pf") text += profile + "/vram_quota\t0\\n\n";
    }
    return text;
  }
  const std::string quota = admin("vf1/profile/vram_quota");
};

TEST_F(Xe, without_quotas_functions_get_equal_parts_until_they_are_gone) {
  ASSERT_EQ(write(numvfs, "3"), "ok");
  EXPECT_EQ(read(quota), "5637144576\n");
  EXPECT_EQ(read(admin("vf3/profile/vram_quota")), "5637144576\n");
  EXPECT_EQ(fs::read_symlink(at(admin("vf1/device"))).filename(), "0000:41:00.1");
  ASSERT_EQ(write(numvfs, "0"), "ok");
  EXPECT_EQ(read(quota), "0\n");
  EXPECT_FALSE(exists(admin("vf1/device")));
}

TEST_F(Xe, one_quota_that_was_set_ends_the_automatic_ones) {
  EXPECT_EQ(write(quota, "4294967296"), "ok");
  ASSERT_EQ(write(numvfs, "2"), "ok");
  EXPECT_EQ(read(quota), "4294967296\n");
  EXPECT_EQ(read(admin("vf2/profile/vram_quota")), "0\n");
  ASSERT_EQ(write(numvfs, "0"), "ok");
  EXPECT_EQ(read(quota), "0\n");
}

TEST_F(Xe, quotas_are_numbers_of_whole_steps_within_the_card) {
  EXPECT_EQ(write(quota, "4G"), "EINVAL");
  EXPECT_EQ(write(quota, "1"), "ok");
  EXPECT_EQ(read(quota), "2097152\n");
  EXPECT_EQ(write(admin("vf2/profile/vram_quota"), "16911433728"), "EIO");
  EXPECT_EQ(read(admin("vf2/profile/vram_quota")), "0\n");
  EXPECT_EQ(write(admin("pf/profile/exec_quantum_ms"), "20\n"), "ok");
  EXPECT_EQ(read(admin("pf/profile/exec_quantum_ms")), "20\n");
  EXPECT_EQ(write(admin("vf1/profile/preempt_timeout_us"), "-1"), "EINVAL");
}

TEST_F(Xe, a_priority_is_a_word_of_three) {
  EXPECT_EQ(write(admin("vf1/profile/sched_priority"), "normal\n"), "ok");
  EXPECT_EQ(read(admin("vf1/profile/sched_priority")), "low [normal] high\n");
  EXPECT_EQ(write(admin("vf1/profile/sched_priority"), "urgent"), "EINVAL");
}

TEST_F(Xe, bulk_files_write_to_all) {
  EXPECT_EQ(read(admin(".bulk_profile/vram_quota")), "EACCES");
  EXPECT_EQ(write(admin(".bulk_profile/vram_quota"), "2147483648"), "ok");
  EXPECT_EQ(read(admin("vf3/profile/vram_quota")), "2147483648\n");
  EXPECT_EQ(write(admin(".bulk_profile/sched_priority"), "high"), "ok");
  EXPECT_EQ(read(admin("pf/profile/sched_priority")), "low normal [high]\n");
  EXPECT_EQ(read(admin("vf2/profile/sched_priority")), "low normal [high]\n");
  EXPECT_EQ(write(admin(".bulk_profile/exec_quantum_ms"), "x"), "EINVAL");
}

TEST_F(Xe, only_a_function_that_is_enabled_can_be_stopped) {
  EXPECT_EQ(write(admin("vf1/stop"), "1"), "EPERM");
  ASSERT_EQ(write(numvfs, "1"), "ok");
  EXPECT_EQ(write(admin("vf1/stop"), "yes"), "EINVAL");
  EXPECT_EQ(write(admin("vf1/stop"), "1"), "ok");
  EXPECT_NE(read("/.rehearsal/kmsg").find("vf1 stopped"), std::string::npos);
}

TEST_F(Xe, the_files_go_with_the_driver) {
  ASSERT_EQ(write("/sys/bus/pci/drivers/xe/unbind", card), "ok");
  EXPECT_FALSE(exists(admin("")));
  ASSERT_EQ(write("/sys/bus/pci/drivers/xe/bind", card), "ok");
  EXPECT_TRUE(exists(quota));
}

/// The folders' names differ between Intel's kernels.
struct IovNames {
  const char* iov;
  const char* gt;
};

class I915 : public PlayedHost, public testing::WithParamInterface<IovNames> {
 protected:
  I915() : PlayedHost(recording()) {}
  static std::string file(std::string_view function, std::string_view name) {
    return device(
        card, fmt::format("drm/card0/{}/{}/{}/{}", GetParam().iov, function, GetParam().gt, name));
  }
  static std::string automatic() {
    return device(card, fmt::format("drm/card0/{}/pf/auto_provisioning", GetParam().iov));
  }
  static std::string recording() {
    auto text = function(card, "8086:56c0", "i915", 10, "0x038000") +
                fmt::format("/sys/module/i915/parameters/max_vfs\t31\\n\n{}\t31\\n\n{}\t1\\n\n",
                            device(card, "sriov_totalvfs"), automatic());
    text += file("pf", "available/lmem_free") + "\t16777216000\\n\n";
    text += file("pf", "available/ggtt_free") + "\t4026531840\\n\n";
    text += file("pf", "available/doorbells_free") + "\t240\\n\n";
    for (const char* vf_name : {"vf1", "vf2"}) {
      for (const char* name : {"lmem_quota", "ggtt_quota", "doorbells_quota", "exec_quantum_ms"})
        text += file(vf_name, name) + "\t0\\n\n";
    }
    return text;
  }
};

TEST_P(I915, gives_equal_parts_by_itself_and_takes_them_back) {
  ASSERT_EQ(write(numvfs, "2"), "ok");
  EXPECT_EQ(read(file("vf1", "lmem_quota")), "8388608000\n");
  EXPECT_EQ(read(file("vf2", "doorbells_quota")), "120\n");
  EXPECT_EQ(read(file("pf", "available/lmem_free")), "0\n");
  ASSERT_EQ(write(numvfs, "0"), "ok");
  EXPECT_EQ(read(file("vf1", "lmem_quota")), "0\n");
  EXPECT_EQ(read(file("pf", "available/lmem_free")), "16777216000\n");
}

TEST_P(I915, a_quota_by_hand_ends_automatic_provisioning_and_stays) {
  EXPECT_EQ(write(file("vf1", "lmem_quota"), "4194304000"), "ok");
  EXPECT_EQ(read(automatic()), "0\n");
  EXPECT_EQ(read(file("pf", "available/lmem_free")), "12582912000\n");
  EXPECT_EQ(write(numvfs, "1"), "EIO");
  EXPECT_EQ(write(file("vf1", "ggtt_quota"), "1006632960"), "ok");
  EXPECT_EQ(write(numvfs, "1"), "ok");
  EXPECT_EQ(write(numvfs, "0"), "ok");
  EXPECT_EQ(read(file("vf1", "lmem_quota")), "4194304000\n");
}

TEST_P(I915, a_quota_beyond_what_is_free_is_refused) {
  EXPECT_EQ(write(file("vf1", "lmem_quota"), "16777216001"), "ENOSPC");
  EXPECT_EQ(write(file("vf1", "lmem_quota"), "much"), "EINVAL");
  EXPECT_EQ(write(file("vf1", "lmem_quota"), "16777216000"), "ok");
  EXPECT_EQ(write(file("vf2", "lmem_quota"), "4096"), "ENOSPC");
  EXPECT_EQ(write(file("vf1", "lmem_quota"), "8388608000"), "ok");
  EXPECT_EQ(write(file("vf2", "lmem_quota"), "4096"), "ok");
  EXPECT_EQ(write(file("vf1", "exec_quantum_ms"), "64"), "ok");
  EXPECT_EQ(read(file("vf1", "exec_quantum_ms")), "64\n");
}

INSTANTIATE_TEST_SUITE_P(Names, I915,
                         testing::Values(IovNames{"prelim_iov", "gt"}, IovNames{"iov", "gt0"}));

}  // namespace
}  // namespace tessera::fakehost
