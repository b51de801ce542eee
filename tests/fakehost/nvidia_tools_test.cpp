// SPDX-License-Identifier: Apache-2.0
// How the played host's sriov-manage and nvidia-smi behave, and MIG with them.
#include <chrono>
#include <fstream>
#include <iterator>
#include <string>

#include <fmt/format.h>

#include "fakehost/cut_card.h"
#include "fakehost/played_host.h"

namespace tessera::fakehost {
namespace {

using namespace std::chrono_literals;

constexpr const char* smi = "/usr/bin/nvidia-smi";

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

}  // namespace
}  // namespace tessera::fakehost
