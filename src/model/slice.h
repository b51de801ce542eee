// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/pci.h"
#include "model/reading.h"

namespace tessera::model {

/// The kernel interface that a card's slices are made with. Which one a card has is probed from the
/// files it shows; its name, its driver and the kernel's version decide nothing.
enum class Framework {
  mdev,         ///< mediated devices on the card itself: NVIDIA Volta to Turing, kernel samples
  gvt_g,        ///< mediated devices of Intel GVT-g: types share aperture, hidden memory, fences
  mdev_on_vf,   ///< mediated devices on virtual functions: NVIDIA Ampere on, older kernels
  vendor_vfio,  ///< NVIDIA's own files on virtual functions (nvidia/current_vgpu_type)
  xe,           ///< virtual functions with quotas in xe's sriov_admin
  i915,         ///< virtual functions with quotas in i915's iov or prelim_iov
  sriov,        ///< virtual functions as they come: AMD, and drivers without quotas
};
/// "mdev", "gvt-g", "mdev-on-vf", "vendor-vfio", "xe", "i915", "sriov".
std::string_view to_string(Framework framework);
/// Whether a slice is a virtual function as such, which a machine gets through a VFIO driver of the
/// kernel's; of other frameworks the vendor's driver gives slices out.
bool is_whole_function(Framework framework);

/// What one vGPU of a GVT-g type takes of its card (drivers/gpu/drm/i915/gvt/vgpu.c).
struct GvtShare {
  std::uint64_t low_bytes = 0;   ///< of the aperture, low_gm_size
  std::uint64_t high_bytes = 0;  ///< of hidden graphics memory, high_gm_size
  int fences = 0;
  int weight = 0;
  bool operator==(const GvtShare&) const = default;
};

/// One kind of slice that a card can be cut into. What the driver does not say is absent.
struct Profile {
  std::string type;    ///< the interface's own word: "nvidia-300", "i915-GVTg_V5_4", "1145", "vf"
  std::string name;    ///< "GRID V100-8C"; the type where the driver gives no name
  std::string series;  ///< NVIDIA's "Q", "C", "A", "B"; empty elsewhere
  Reading<std::uint64_t> framebuffer_bytes;
  Reading<int> heads;
  Reading<std::string> max_resolution;  ///< "7680x4320"
  Reading<int> frame_rate_limit;        ///< frames per second
  Reading<int> max_instances;           ///< on a card that holds nothing else
  int gpu_instance_slices = 0;          ///< MIG-backed: compute slices of its GPU instance; else 0
  std::optional<GvtShare> gvt;
  std::string device_api;   ///< "vfio-pci", "vfio-ccw"
  std::string description;  ///< the driver's own words, lines joined with ", "
  bool operator==(const Profile&) const = default;
};

/// NVIDIA's series letter and framebuffer, as a type's name ends: "NVIDIA L40S-8Q", "A100-1-5CME",
/// "GRID P100-2B4", "T4-0B" (half a GiB).
struct NvidiaTypeName {
  std::string board;  ///< "L40S"
  int gpu_instance_slices = 0;
  std::uint64_t framebuffer_bytes = 0;
  std::string series;  ///< one letter
  std::string suffix;  ///< "ME", "4"; usually empty
};
std::optional<NvidiaTypeName> parse_nvidia_type_name(std::string_view name);

/// Takes a type's name and what it says; a framebuffer that the profile has already stays.
void take_nvidia_name(std::string_view name, Profile& profile);

/// What an mdev type's description says: NVIDIA's one line, GVT-g's lines. Unknown words are passed
/// over; what is not said stays absent in the profile.
void take_description(std::string_view text, Profile& profile);

/// How many of a type can be made at one place now.
struct Creatable {
  std::string type;
  Reading<int> available;  ///< available_instances; 1 where the interface only lists it
  bool operator==(const Creatable&) const = default;
};

/// A device that slices are made on: the card, a virtual function, or a virtual mdev parent.
struct SliceParent {
  std::string device;                ///< "0000:3b:00.0", "0000:26:00.4", "mdpy"
  std::string sysfs_path;            ///< of that device
  std::string driver;                ///< bound to it
  std::vector<Creatable> creatable;  ///< every type listed here, those with 0 left too
  /// Vendor-VFIO: current_vgpu_type; 0 where there is no vGPU.
  Reading<int> current_type;
  Reading<int> iommu_group;
};

/// A process that has a slice's VFIO device open: its machine, as a rule.
struct SliceUser {
  int pid = 0;
  std::string name;
  std::string unit;  ///< systemd unit; empty when it has none
  std::string path;  ///< "/dev/vfio/12", "/dev/vfio/devices/vfio3"
  bool operator==(const SliceUser&) const = default;
};

/// A slice that exists on the host now.
struct Slice {
  std::string identity;  ///< the mdev's UUID; the VF's address, "0000:26:00.4"
  std::string parent;    ///< SliceParent::device
  Framework framework = Framework::mdev;
  std::string type;
  std::string name;    ///< of its profile; the type where that is not known
  std::string driver;  ///< bound to it: "vfio_mdev", "vfio-pci", "nvidia-vgpu-vfio"
  Reading<int> iommu_group;
  Reading<int> placement_id;      ///< vendor-VFIO
  Reading<int> gpu_instance;      ///< vendor-VFIO, MIG-backed
  Reading<std::string> settings;  ///< vgpu_params as they read back
  std::vector<SliceUser> users;   ///< only where they were looked for (probe::find_slice_users)
  bool operator==(const Slice&) const = default;
};

/// What a quota file of a virtual function says ("vram_quota", "exec_quantum_ms", ...).
struct Quota {
  std::string path;
  std::string name;
  Reading<std::string> value;
};

/// One kind of GPU instance that a card can be divided into in MIG mode. Places are counted in
/// memory slices (eighths of the card on A100 and H100).
struct GpuInstanceProfile {
  int id = 0;                           ///< nvidia-smi's number, "19"; NVML counts its own way
  std::string name;                     ///< "1g.5gb", "1g.5gb+me", "1g.24gb+gfx"
  int slices = 0;                       ///< of the processors, as the name says
  std::uint64_t framebuffer_bytes = 0;  ///< as the name says, rounded to whole GiB there
  int max_instances = 0;                ///< on a card that holds no others
  int length = 0;                       ///< memory slices that one covers
  std::vector<int> starts;              ///< where one may begin, ascending
  bool operator==(const GpuInstanceProfile&) const = default;
};

/// A GPU instance that exists. It gets its number when it is made; what it is and where it stands
/// can be chosen.
struct GpuInstance {
  int id = 0;
  int profile = 0;  ///< GpuInstanceProfile::id
  int start = 0;
  bool operator==(const GpuInstance&) const = default;
};

/// Something that slices can be cut from: a card, or a virtual device that is an mdev parent (the
/// kernel's samples, vfio_ap). A plain value; availability in it is true of the moment it was read,
/// and every slice that is made changes it.
struct SliceSource {
  Framework framework = Framework::mdev;
  std::optional<PciAddress> card;    ///< the card's address; none for a virtual parent
  std::string device;                ///< the card's address as text, or the virtual parent's name
  std::string name;                  ///< for people
  std::string driver;                ///< of the card
  std::vector<Profile> profiles;     ///< by number in the type's name, then by name
  std::vector<SliceParent> parents;  ///< by device; the VFs where slices are made on those
  std::vector<Slice> slices;         ///< that exist, by parent, then identity
  /// That all slices together can have, where the vendor's tool tells.
  Reading<std::uint64_t> framebuffer_bytes;
  Reading<int> vf_total;  ///< sriov_totalvfs of the card
  Reading<int> vf_enabled;
  Reading<bool> vf_autoprobe;  ///< sriov_drivers_autoprobe: the host's driver takes new VFs
  /// Slices of different sizes may stand side by side (NVIDIA's heterogeneous mode).
  Reading<bool> mixed_sizes;
  Reading<bool> mig;  ///< MIG mode is on
  /// Of a card in MIG mode, where the vendor's tool tells. Each has places.
  std::vector<GpuInstanceProfile> gpu_instance_profiles;
  /// That exist, each of one of these kinds.
  std::vector<GpuInstance> gpu_instances;
  std::vector<Quota> quotas;

  [[nodiscard]] const Profile* profile(std::string_view type) const;
  [[nodiscard]] const SliceParent* parent(std::string_view wanted) const;
  /// What a GPU instance is: there is one for each of gpu_instances.
  [[nodiscard]] const GpuInstanceProfile& kind_of(const GpuInstance& instance) const;
  /// How many of a type can still be made, over all its parents.
  [[nodiscard]] int available(std::string_view type) const;
};

}  // namespace tessera::model
