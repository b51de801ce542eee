// SPDX-License-Identifier: Apache-2.0
// The rules by which NVIDIA's driver places vGPUs: sizes, counts, placement ids, GPU instances.
// They are those of kernel_vgpu_mgr.c in NVIDIA's open kernel modules (595.45.04).
#include "fakehost/nvidia.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.h"
#include "fakehost/host.h"

namespace tessera::fakehost {

namespace {

constexpr int mib_per_gib = 1024;
constexpr int most_vgpus = 32;              // of a GPU without MIG
constexpr int most_vgpus_with_mig = 48;     // of a GPU with MIG
constexpr int most_vgpus_of_instance = 12;  // of one GPU instance

/// PCI device ids of the generations, from pci.ids; what is older has no placements.
struct Generation {
  unsigned first;
  unsigned last;
  Placing placing;
};
constexpr std::array generations = {
    Generation{0x20b0, 0x22ff, Placing::when_mixed}, Generation{0x2300, 0x23ff, Placing::by_size},
    Generation{0x2400, 0x25ff, Placing::when_mixed}, Generation{0x2600, 0x28ff, Placing::by_size},
    Generation{0x2900, 0x3fff, Placing::by_count},
};

Placing placing_of(const Host& host, const std::string& gpu) {
  auto id = text::to_number(host.text("/sys/bus/pci/devices/" + gpu + "/device"), 16);
  auto found = std::ranges::find_if(generations, [&](const auto& entry) {
    return id && *id >= entry.first && *id <= entry.last;
  });
  return found == generations.end() ? Placing::never : found->placing;
}

bool all_digits(std::string_view word) {
  return !word.empty() && word.find_first_not_of("0123456789") == std::string_view::npos;
}

/// "8Q", "5CME", "0B": size in GiB (0 is half of one), series, and what follows.
void take_size(std::string_view word, VgpuType& type) {
  auto digits = std::min(word.find_first_not_of("0123456789"), word.size());
  auto size = text::to_number(word.substr(0, digits));
  if (!size) return;
  type.framebuffer_mib = *size == 0 ? mib_per_gib / 2 : static_cast<int>(*size) * mib_per_gib;
  type.media = word.ends_with("ME");
}

VgpuType parse_type(int id, std::string_view name) {
  VgpuType type;
  type.id = id;
  type.name = name;
  auto pieces = text::split(name, '-');
  if (pieces.size() < 2) return type;
  take_size(pieces.back(), type);
  auto before = pieces[pieces.size() - 2];
  if (pieces.size() >= 3 && all_digits(before))
    type.slices = static_cast<int>(text::to_number(before).value_or(0));
  return type;
}

int gib(const VgpuType& type) {
  return (type.framebuffer_mib + mib_per_gib - 1) / mib_per_gib;
}

/// The framebuffer that vGPUs share: that of the largest type.
int region_gib(const NvidiaGpu& gpu) {
  int region = 0;
  for (const auto& type : gpu.types) {
    if (type.slices == 0) region = std::max(region, gib(type));
  }
  return region;
}

/// Most vGPUs of one type beside each other.
int most_of(const NvidiaGpu& gpu, const VgpuType& type) {
  if (type.framebuffer_mib == 0) return most_vgpus;
  return std::min(region_gib(gpu) * mib_per_gib / type.framebuffer_mib, most_vgpus);
}

/// The region halved until the type just fits, at most to sixteenths. Of two neighbours the first
/// stands at the start of their common part and the second at its end.
std::vector<int> by_halves(int region, int size) {
  constexpr int smallest = 16;
  int parts = 1;
  while (parts < smallest && region >= size * parts * 2) parts *= 2;
  if (parts == 1) return {0};
  std::vector<int> starts;
  for (int pair = 0; pair < parts / 2; ++pair) {
    starts.push_back(region * pair * 2 / parts);
    starts.push_back(region * (pair + 1) * 2 / parts - size);
  }
  return starts;
}

std::vector<int> in_steps(int count, int region, int step) {
  std::vector<int> starts;
  for (int i = 0; i < count; ++i) starts.push_back(step > 0 ? i * step : region * i / count);
  return starts;
}

bool overlap(int a, int a_length, int b, int b_length) {
  return a < b + b_length && b < a + a_length;
}

/// The first start where [start, start + length) meets no other vGPU of `others`.
std::optional<int> free_start(const Host& host, const std::string& gpu_key, const VgpuType& type,
                              const std::vector<int>& starts,
                              const std::vector<const Vgpu*>& others) {
  const auto& gpu = host.nvidia.gpus.at(gpu_key);
  int length = placement_length(host, gpu_key, type);
  for (int start : starts) {
    bool taken = std::ranges::any_of(others, [&](const Vgpu* other) {
      const auto* other_type = gpu.type(other->type);
      return other->placement && other_type != nullptr &&
             overlap(start, length, *other->placement,
                     placement_length(host, gpu_key, *other_type));
    });
    if (!taken) return start;
  }
  return std::nullopt;
}

std::vector<const Vgpu*> others_on(const Host& host, const std::string& gpu) {
  std::vector<const Vgpu*> others;
  for (const auto& name : vgpus_of(host, gpu)) others.push_back(&host.nvidia.vgpus.at(name));
  return others;
}

bool is_graphics(const GpuInstanceProfile& profile) {
  return profile.name.find("+gfx") != std::string::npos;
}

/// A type needs an instance of exactly its kind. Instances with graphics hold several vGPUs of any
/// one size that fits; all others hold one, of their own size.
bool fits(const VgpuType& type, const GpuInstanceProfile& profile) {
  bool media = profile.name.find("+me") != std::string::npos;
  if (type.slices != profile.slices || type.media != media) return false;
  return is_graphics(profile) ? gib(type) <= profile.gib : gib(type) == profile.gib;
}

std::optional<Vgpu> room_in_instance(const Host& host, const std::string& gpu_key,
                                     const VgpuType& type) {
  const auto& gpu = host.nvidia.gpus.at(gpu_key);
  auto all = others_on(host, gpu_key);
  if (all.size() >= most_vgpus_with_mig) return std::nullopt;
  for (const auto& instance : gpu.instances) {
    const auto* profile = gpu.profile(instance.profile);
    if (profile == nullptr || !fits(type, *profile)) continue;
    std::vector<const Vgpu*> inside;
    std::ranges::copy_if(all, std::back_inserter(inside),
                         [&](const Vgpu* other) { return other->gpu_instance == instance.id; });
    if (!is_graphics(*profile)) {
      if (inside.empty()) return Vgpu{type.id, std::nullopt, instance.id};
      continue;
    }
    int most = std::min(profile->gib / std::max(gib(type), 1), most_vgpus_of_instance);
    bool other_size = std::ranges::any_of(inside, [&](const Vgpu* other) {
      const auto* other_type = gpu.type(other->type);
      return other_type == nullptr || other_type->framebuffer_mib != type.framebuffer_mib;
    });
    if (other_size || std::ssize(inside) >= most) continue;
    auto start = free_start(host, gpu_key, type, in_steps(most, profile->gib, gib(type)), inside);
    if (start) return Vgpu{type.id, start, instance.id};
  }
  return std::nullopt;
}

std::optional<Vgpu> room_without_mig(const Host& host, const std::string& gpu_key,
                                     const VgpuType& type) {
  const auto& gpu = host.nvidia.gpus.at(gpu_key);
  auto others = others_on(host, gpu_key);
  if (others.size() >= most_vgpus) return std::nullopt;
  bool other_size = std::ranges::any_of(others, [&](const Vgpu* other) {
    const auto* other_type = gpu.type(other->type);
    return other_type != nullptr && other_type->framebuffer_mib != 0 &&
           other_type->framebuffer_mib != type.framebuffer_mib;
  });
  if (!gpu.mixed && (other_size || std::ssize(others) >= most_of(gpu, type))) return std::nullopt;
  auto starts = placements_of(host, gpu_key, type);
  if (starts.empty()) return Vgpu{type.id, std::nullopt, std::nullopt};
  auto start = free_start(host, gpu_key, type, starts, others);
  if (!start) return std::nullopt;
  return Vgpu{type.id, start, std::nullopt};
}

/// "|   0  MIG 1g.5gb+me     20     1/1        4.75 ..." of `nvidia-smi mig -lgip`.
std::optional<GpuInstanceProfile> parse_profile(std::string_view line, int gpu) {
  auto words = text::words(line);
  if (words.size() < 6 || words[0] != "|" || words[2] != "MIG") return std::nullopt;
  auto id = text::to_number(words[4]);
  auto most = text::to_number(words[5].substr(std::min(words[5].find('/') + 1, words[5].size())));
  if (text::to_number(words[1]) != gpu || !id || !most) return std::nullopt;
  GpuInstanceProfile profile;
  profile.id = static_cast<int>(*id);
  profile.name = words[3];
  profile.most = static_cast<int>(*most);
  auto slices = text::to_number(words[3].substr(0, words[3].find('g')));
  auto size = words[3].substr(std::min(words[3].find('.') + 1, words[3].size()));
  profile.slices = static_cast<int>(slices.value_or(0));
  profile.gib = static_cast<int>(text::to_number(size.substr(0, size.find("gb"))).value_or(0));
  return profile;
}

/// "GPU  0 Profile ID 19 Placements: {0,1,2,3,4,5,6}:1" of `nvidia-smi mig -lgipp`.
void take_placements(std::string_view line, int gpu_index, NvidiaGpu& gpu) {
  auto words = text::words(line);
  auto open = line.find('{');
  auto close = line.find("}:");
  if (words.size() < 5 || words[0] != "GPU" || text::to_number(words[1]) != gpu_index ||
      open == std::string_view::npos || close == std::string_view::npos)
    return;
  auto id = text::to_number(words[4]);
  auto length = text::to_number(text::trim(line.substr(close + 2)));
  for (auto& profile : gpu.profiles) {
    if (!id || !length || profile.id != static_cast<int>(*id)) continue;
    profile.length = static_cast<int>(*length);
    for (auto start : text::split(line.substr(open + 1, close - open - 1), ',')) {
      if (auto number = text::to_number(text::trim(start)))
        profile.starts.push_back(static_cast<int>(*number));
    }
  }
}

void learn_profiles(Host& host, const std::map<std::string, std::string>& notes) {
  auto listing = notes.find("nvidia-smi/mig-lgip");
  auto placements = notes.find("nvidia-smi/mig-lgipp");
  if (listing == notes.end() || placements == notes.end()) return;
  int index = 0;
  for (const auto& name : nvidia_gpus(host)) {
    auto& gpu = host.nvidia.gpus[name];
    gpu.profile_listing = listing->second;
    for (auto line : text::lines(listing->second)) {
      if (auto profile = parse_profile(line, index)) gpu.profiles.push_back(*profile);
    }
    for (auto line : text::lines(placements->second)) take_placements(line, index, gpu);
    ++index;
  }
}

void add_type(NvidiaGpu& gpu, VgpuType type) {
  if (gpu.type(type.id) == nullptr) gpu.types.push_back(std::move(type));
  std::ranges::sort(gpu.types, {}, &VgpuType::id);
}

void add_types(NvidiaGpu& gpu, std::string_view listing) {
  for (auto& type : parse_vgpu_types(listing)) add_type(gpu, std::move(type));
}

/// "mdev_supported_types/nvidia-746/name" says a type's name.
void add_mdev_type(NvidiaGpu& gpu, std::string_view path, std::string_view name) {
  constexpr std::string_view before = "mdev_supported_types/nvidia-";
  if (!path.starts_with(before) || !path.ends_with("/name")) return;
  path.remove_prefix(before.size());
  auto id = text::to_number(path.substr(0, path.find('/')));
  if (id) add_type(gpu, parse_type(static_cast<int>(*id), text::trim(name)));
}

void add_mdev_types(const Host& host, const Device& function, NvidiaGpu& gpu) {
  for (const auto& type : host.names(function.path + "/mdev_supported_types")) {
    auto path = fmt::format("mdev_supported_types/{}/name", type);
    add_mdev_type(gpu, path, host.text(function.path + "/" + path));
  }
}

/// A vGPU that was there when the host was recorded.
void learn_vgpu(Host& host, const Device& function, NvidiaGpu& gpu) {
  auto folder = function.path + "/nvidia/";
  auto type = text::to_number(host.text(folder + "current_vgpu_type"));
  if (!type || *type == 0) return;
  Vgpu vgpu;
  vgpu.gpu = gpu_name(host, function);
  vgpu.type = static_cast<int>(*type);
  if (auto placement = text::to_number(host.text(folder + "placement_id")))
    vgpu.placement = static_cast<int>(*placement);
  if (auto instance = text::to_number(host.text(folder + "gpu_instance_id")))
    vgpu.gpu_instance = static_cast<int>(*instance);
  if (gpu.type(vgpu.type) == nullptr) gpu.types.push_back(parse_type(vgpu.type, ""));
  host.nvidia.vgpus[function.name] = vgpu;
  host.nvidia.vgpu_params[function.name] = host.text(folder + "vgpu_params");
}

}  // namespace

const VgpuType* NvidiaGpu::type(int id) const {
  auto found = std::ranges::find(types, id, &VgpuType::id);
  return found == types.end() ? nullptr : &*found;
}

const GpuInstanceProfile* NvidiaGpu::profile(int id) const {
  auto found = std::ranges::find(profiles, id, &GpuInstanceProfile::id);
  return found == profiles.end() ? nullptr : &*found;
}

std::vector<VgpuType> parse_vgpu_types(std::string_view listing) {
  std::vector<VgpuType> types;
  for (auto line : text::lines(listing)) {
    auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    auto id = text::to_number(text::trim(line.substr(0, colon)));
    if (id) types.push_back(parse_type(static_cast<int>(*id), text::trim(line.substr(colon + 1))));
  }
  return types;
}

std::string gpu_name(const Host& host, const Device& function) {
  auto physical = host.link_name(function.path + "/physfn");
  return physical.empty() ? function.name : physical;
}

std::vector<std::string> nvidia_gpus(const Host& host) {
  std::vector<std::string> names;
  for (const auto& [key, device] : host.devices) {
    bool display = host.text(device.path + "/class").starts_with("0x03");
    if (device.bus == "pci" && display && bound_driver(host, device) == "nvidia" &&
        host.link_name(device.path + "/physfn").empty())
      names.push_back(device.name);
  }
  return names;
}

std::vector<std::string> vgpus_of(const Host& host, const std::string& gpu) {
  std::vector<std::string> names;
  for (const auto& [name, vgpu] : host.nvidia.vgpus) {
    if (vgpu.gpu == gpu) names.push_back(name);
  }
  return names;
}

int most_instances(const NvidiaGpu& gpu, const VgpuType& type) {
  if (type.slices == 0) return most_of(gpu, type);
  for (const auto& profile : gpu.profiles) {
    if (!fits(type, profile)) continue;
    const int in_one = is_graphics(profile)
                           ? std::min(profile.gib / std::max(gib(type), 1), most_vgpus_of_instance)
                           : 1;
    return profile.most * in_one;
  }
  return 0;
}

int placement_length(const Host& host, const std::string& gpu_key, const VgpuType& type) {
  const auto& gpu = host.nvidia.gpus.at(gpu_key);
  bool by_count = gpu.placing == Placing::by_count && !gpu.mig;
  int most = most_of(gpu, type);
  return by_count && most > 0 ? std::max(gib(type), region_gib(gpu) / most) : gib(type);
}

std::vector<int> placements_of(const Host& host, const std::string& gpu_key, const VgpuType& type) {
  const auto& gpu = host.nvidia.gpus.at(gpu_key);
  int most = most_of(gpu, type);
  if (gpu.placing == Placing::never || gib(type) == 0 || most == 0) return {};
  if (gpu.placing == Placing::by_count) return in_steps(most, region_gib(gpu), 0);
  if (gpu.mixed) return by_halves(region_gib(gpu), gib(type));
  if (gpu.placing == Placing::when_mixed) return {};
  return in_steps(most, region_gib(gpu), gib(type));
}

std::optional<Vgpu> room_for(Host& host, const Device& function, const VgpuType& type) {
  if (host.nvidia.vgpus.contains(function.name)) return std::nullopt;
  auto key = gpu_name(host, function);
  const auto& gpu = host.nvidia.gpus[key];
  if (gpu.mig != (type.slices > 0)) return std::nullopt;
  auto vgpu = gpu.mig ? room_in_instance(host, key, type) : room_without_mig(host, key, type);
  if (vgpu) vgpu->gpu = key;
  return vgpu;
}

void learn_nvidia(Host& host, const std::map<std::string, std::string>& notes) {
  for (const auto& [key, device] : host.devices) {
    auto files = host.vf_files.find(id_text(host, device));
    if (files != host.vf_files.end() && gpu_name(host, device) == device.name) {
      auto& gpu = host.nvidia.gpus[device.name];
      auto listing = files->second.find("nvidia/creatable_vgpu_types");
      if (listing != files->second.end()) add_types(gpu, listing->second);
      for (const auto& [path, content] : files->second) add_mdev_type(gpu, path, content);
    }
    if (host.exists(device.path + "/mdev_supported_types"))
      add_mdev_types(host, device, host.nvidia.gpus[gpu_name(host, device)]);
    auto own = host.text(device.path + "/nvidia/creatable_vgpu_types");
    if (!own.empty()) add_types(host.nvidia.gpus[gpu_name(host, device)], own);
  }
  for (const auto& [key, device] : host.devices) {
    if (host.exists(device.path + "/nvidia/current_vgpu_type"))
      learn_vgpu(host, device, host.nvidia.gpus[gpu_name(host, device)]);
  }
  learn_profiles(host, notes);
  for (auto& [name, gpu] : host.nvidia.gpus) gpu.placing = placing_of(host, name);
}

void forget_nvidia(Host& host, const std::string& name) {
  host.nvidia.vgpus.erase(name);
  host.nvidia.vgpu_params.erase(name);
  auto gpu = host.nvidia.gpus.find(name);
  if (gpu == host.nvidia.gpus.end()) return;
  gpu->second.instances.clear();
  gpu->second.mixed = false;
}

}  // namespace tessera::fakehost
