// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::fakehost {

class Host;
struct Device;

/// A vGPU type as NVIDIA's driver lists it. What it takes is said by its name.
struct VgpuType {
  int id = 0;
  std::string name;         ///< "NVIDIA L40S-8Q", "GRID A100-1-5CME"
  int framebuffer_mib = 0;  ///< 0: the name does not say
  int slices = 0;           ///< MIG-backed: compute slices of its GPU instance; else 0
  bool media = false;       ///< MIG-backed: of the instance with the media engines ("ME")
};
/// "1145  : NVIDIA L40S-1B" lines; the header and everything else is passed over.
std::vector<VgpuType> parse_vgpu_types(std::string_view listing);

/// A kind of GPU instance that MIG can make.
struct GpuInstanceProfile {
  int id = 0;        ///< nvidia-smi's number: 19, 14, 9, ...
  std::string name;  ///< "1g.5gb+me"
  int slices = 0;
  int gib = 0;
  int most = 0;             ///< instances of it on an empty card
  int length = 0;           ///< memory slices
  std::vector<int> starts;  ///< where it may begin
};

struct GpuInstance {
  int id = 0;
  int profile = 0;  ///< GpuInstanceProfile::id
  int start = 0;
  bool has_compute_instance = false;
};

/// A vGPU on a virtual function.
struct Vgpu {
  int type = 0;
  std::optional<int> placement;
  std::optional<int> gpu_instance;
  std::string gpu = {};  ///< the GPU it is on
};

/// How a generation of GPUs gives placement ids.
enum class Placing {
  never,
  when_mixed,  ///< Ampere: in mixed mode only, by halves
  by_size,     ///< Ada and Hopper: equal sizes one after the other; in mixed mode by halves
  by_count,    ///< Blackwell: the region through the number of vGPUs, in both modes
};

/// A physical GPU, as far as its files do not say it.
struct NvidiaGpu {
  std::vector<VgpuType> types;  ///< all that the card can have, MIG-backed ones too
  std::vector<GpuInstanceProfile> profiles;
  std::string profile_listing;  ///< what `nvidia-smi mig -lgip` printed for the empty card
  std::vector<GpuInstance> instances;
  Placing placing = Placing::never;
  bool mig = false;
  bool mixed = false;                    ///< vGPUs of different sizes may stand side by side
  std::uint64_t uncorrected_errors = 0;  ///< memory errors since the driver was loaded

  [[nodiscard]] const VgpuType* type(int id) const;
  [[nodiscard]] const GpuInstanceProfile* profile(int id) const;
};

/// What NVIDIA's driver knows, by PCI name.
struct Nvidia {
  std::map<std::string, NvidiaGpu> gpus;
  std::map<std::string, Vgpu> vgpus;               ///< by virtual function
  std::map<std::string, std::string> vgpu_params;  ///< likewise, as they were written
};

/// The name of the GPU that a function belongs to: its own, for one that is none's virtual
/// function.
std::string gpu_name(const Host& host, const Device& function);
/// The physical GPUs that the nvidia driver has, in nvidia-smi's order.
std::vector<std::string> nvidia_gpus(const Host& host);
/// The functions of a GPU that hold a vGPU.
std::vector<std::string> vgpus_of(const Host& host, const std::string& gpu);

/// Whether the GPU gives its vGPUs placement ids now, and which ones a type can have: ascending,
/// in GiB from the start of the framebuffer. Empty: the GPU places by itself.
std::vector<int> placements_of(const Host& host, const std::string& gpu, const VgpuType& type);
/// Most vGPUs of one type on an empty card: MIG-backed ones in instances of their kind only.
int most_instances(const NvidiaGpu& gpu, const VgpuType& type);
/// How long a type's placement is, in GiB.
int placement_length(const Host& host, const std::string& gpu, const VgpuType& type);
/// Where a vGPU of this type would go on `function`; nothing when no rule of the card allows one.
std::optional<Vgpu> room_for(Host& host, const Device& function, const VgpuType& type);

/// Takes types, GPU instances and vGPUs from what was recorded. `notes` by key.
void learn_nvidia(Host& host, const std::map<std::string, std::string>& notes);
/// The driver let a function or a GPU go: its vGPU, its GPU instances and mixed sizes are gone.
void forget_nvidia(Host& host, const std::string& name);

}  // namespace tessera::fakehost
