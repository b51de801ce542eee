// SPDX-License-Identifier: Apache-2.0
// Mediated devices: create, remove, available_instances.
// Documentation/ABI/testing/sysfs-bus-vfio-mdev; drivers/vfio/mdev of Linux 6.1.
#include <algorithm>
#include <cctype>
#include <cerrno>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "fakehost/behaviours.h"

namespace tessera::fakehost {

namespace {

constexpr std::string_view types_directory = "mdev_supported_types";

bool is_uuid(std::string_view word) {
  constexpr std::size_t length = 36;
  if (word.size() != length) return false;
  for (std::size_t i = 0; i < length; ++i) {
    bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    bool fine = dash ? word[i] == '-' : std::isxdigit(static_cast<unsigned char>(word[i])) != 0;
    if (!fine) return false;
  }
  return true;
}

/// "framebuffer=4096M" of a type's description; empty when it says none.
std::string framebuffer(const Host& host, const std::string& type) {
  auto text = host.text(type + "/description");
  auto start = text.find("framebuffer=");
  if (start == std::string::npos) return {};
  return text.substr(start, text.find(',', start) - start);
}

/// How many of a type the parent takes when it is empty. The file itself keeps what was recorded;
/// what it shows is worked out (read_available()).
int capacity(const Host& host, const std::string& type) {
  return static_cast<int>(text::to_number(host.text(type + "/available_instances")).value_or(0));
}

/// The types of the mdevs on a parent.
std::vector<std::string> types_in_use(const Host& host, const Device& parent) {
  std::vector<std::string> types;
  for (const auto& [key, device] : host.devices) {
    if (device.bus == "mdev" && device.path.starts_with(parent.path + "/"))
      types.push_back(host.tree.canonical(device.path + "/mdev_type"));
  }
  return types;
}

/// What GVT-g's types share: megabytes of aperture, megabytes of hidden memory, fences.
struct GvtShare {
  int low = 0;
  int high = 0;
  int fences = 0;

  /// How often `need` fits.
  [[nodiscard]] int times(const GvtShare& need) const {
    return std::max(std::min({low / need.low, high / need.high, fences / need.fences}), 0);
  }
  [[nodiscard]] GvtShare without(const GvtShare& used) const {
    return {low - used.low, high - used.high, fences - used.fences};
  }
};

/// "low_gm_size: 128MB\nhigh_gm_size: 512MB\nfence: 4\n..."; nothing for another kind of type.
std::optional<GvtShare> gvt_need(const Host& host, const std::string& type) {
  GvtShare need;
  auto description = host.text(type + "/description");
  for (auto line : text::lines(description)) {
    auto words = text::words(line);
    if (words.size() != 2) continue;
    auto digits = words[1].substr(0, words[1].find("MB"));
    auto value = static_cast<int>(text::to_number(digits).value_or(0));
    if (words[0] == "low_gm_size:") need.low = value;
    if (words[0] == "high_gm_size:") need.high = value;
    if (words[0] == "fence:") need.fences = value;
  }
  bool whole = need.low > 0 && need.high > 0 && need.fences > 0;
  return whole ? std::optional(need) : std::nullopt;
}

GvtShare gvt_used(const Host& host, const Device& parent) {
  GvtShare used;
  for (const auto& type : types_in_use(host, parent)) {
    auto need = gvt_need(host, type).value_or(GvtShare{});
    used = {used.low + need.low, used.high + need.high, used.fences + need.fences};
  }
  return used;
}

/// The budget that explains every type's count beside what is `used`: the host keeps 128 MB of the
/// aperture, 384 MB of hidden memory (what is left of 4 GB) and 4 fences for itself
/// (drivers/gpu/drm/i915/gvt/vgpu.c).
std::optional<GvtShare> gvt_budget(const Host& host, const std::string& directory,
                                   const GvtShare& used = {}) {
  constexpr int all_mb = 4096;
  for (int fences : {32, 16}) {
    for (int aperture = 256; aperture < all_mb; aperture *= 2) {
      GvtShare budget{aperture - 128, all_mb - aperture - 384, fences - 4};
      bool explains = true;
      for (const auto& name : host.names(directory)) {
        auto need = gvt_need(host, directory + "/" + name);
        if (!need) return std::nullopt;
        explains =
            explains && budget.without(used).times(*need) == capacity(host, directory + "/" + name);
      }
      if (explains) return budget;
    }
  }
  return std::nullopt;
}

/// The number in "nvidia-746"; 0 for another driver's type.
int nvidia_type(std::string_view name) {
  constexpr std::string_view prefix = "nvidia-";
  if (!name.starts_with(prefix)) return 0;
  return static_cast<int>(text::to_number(name.substr(prefix.size())).value_or(0));
}

std::string name_of(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

/// A virtual function takes one vGPU, by the rules of its whole GPU. What was recorded as 0 on an
/// empty function was so because of vGPUs that were not recorded, and stays 0.
int left_on_function(Host& host, const Device& function, const std::string& type) {
  const auto* known = host.nvidia.gpus[gpu_name(host, function)].type(nvidia_type(name_of(type)));
  if (known == nullptr || !room_for(host, function, *known)) return 0;
  return std::min(capacity(host, type), 1);
}

/// NVIDIA's default is equal sizes: after the first, types of another framebuffer size show 0.
/// Everywhere else, and among equal sizes, what is left of the parent decides.
int left_by_share(const Host& host, const Device& parent, const std::string& type) {
  double share = 0;  // of the parent that all its mdevs take, 1 is all
  bool other_size = false;
  for (const auto& used : types_in_use(host, parent)) {
    int most = capacity(host, used);
    share += most > 0 ? 1.0 / most : 1.0;
    other_size = other_size || framebuffer(host, used) != framebuffer(host, type);
  }
  if (nvidia_type(name_of(type)) != 0 && other_size) return 0;
  constexpr double rounding = 1e-9;
  return std::max(static_cast<int>((1.0 - share) * capacity(host, type) + rounding), 0);
}

int available(Host& host, const Device& parent, const std::string& type) {
  if (nvidia_type(name_of(type)) != 0 && host.exists(parent.path + "/physfn"))
    return left_on_function(host, parent, type);
  auto budget = gvt_budget(host, type.substr(0, type.rfind('/')));
  if (budget) return budget->without(gvt_used(host, parent)).times(*gvt_need(host, type));
  return left_by_share(host, parent, type);
}

/// The device whose types these are.
Device* parent_of(Host& host, const std::string& type) {
  auto path = type.substr(0, type.find(fmt::format("/{}/", types_directory)));
  auto found = std::ranges::find_if(host.devices,
                                    [&](const auto& entry) { return entry.second.path == path; });
  return found == host.devices.end() ? nullptr : &found->second;
}

int read_available(Host& host, const std::string& path, std::string& text) {
  auto type = path.substr(0, path.rfind('/'));
  const Device* parent = parent_of(host, type);
  if (parent == nullptr) return -ENODEV;
  text = fmt::format("{}\n", available(host, *parent, type));
  return 0;
}

/// On a virtual function an mdev is the function's vGPU.
void count_vgpu(Host& host, const Device& parent, const std::string& type) {
  if (!host.exists(parent.path + "/physfn")) return;
  const auto* known = host.nvidia.gpus[gpu_name(host, parent)].type(nvidia_type(name_of(type)));
  if (known == nullptr) return;
  auto vgpu = room_for(host, parent, *known).value_or(Vgpu{known->id, {}, {}, {}});
  vgpu.gpu = gpu_name(host, parent);
  host.nvidia.vgpus[parent.name] = vgpu;
}

void put_mdev(Host& host, Device& parent, const std::string& type, const std::string& uuid) {
  Device device;
  device.bus = "mdev";
  device.name = uuid;
  device.path = parent.path + "/" + uuid;
  device.usual_driver = "vfio_mdev";
  device.group = host.link_name(device.path + "/iommu_group");  // of one that was recorded
  if (device.group.empty())
    device.group = std::to_string(host.free_number("/sys/kernel/iommu_groups", ""));
  host.put_directory(device.path);
  host.put_file(device.path + "/remove", "");
  host.put_file(device.path + "/uevent", "");
  if (nvidia_type(name_of(type)) != 0) host.put_file(device.path + "/nvidia/vgpu_params", "");
  host.put_link(device.path + "/mdev_type", type);
  host.put_link(device.path + "/subsystem", "/sys/bus/mdev");
  host.put_link("/sys/bus/mdev/devices/" + uuid, device.path);
  host.put_link(type + "/devices/" + uuid, device.path);
  auto group = "/sys/kernel/iommu_groups/" + device.group;
  host.put_link(group + "/devices/" + uuid, device.path);
  host.put_file(group + "/type", "unmanaged\n");
  host.put_link(device.path + "/iommu_group", group);
  Device& present = host.devices["mdev/" + uuid] = std::move(device);
  host.put_file("/dev/vfio/" + present.group, "");
  present.nodes.push_back("/dev/vfio/" + present.group);
  count_vgpu(host, parent, type);
  host.log(fmt::format("vfio_mdev {}: Adding to iommu group {}", uuid, present.group));
  host.uevent("add", present);
}

int create(Call& call) {
  Host& host = call.host;
  auto type = call.path.substr(0, call.path.rfind('/'));
  Device* parent = parent_of(host, type);
  auto uuid = call.word();
  std::ranges::transform(uuid, uuid.begin(), [](unsigned char c) { return std::tolower(c); });
  if (!is_uuid(uuid)) return -EINVAL;
  if (parent == nullptr) return -ENODEV;
  if (host.device("mdev", uuid) != nullptr) return -EEXIST;
  if (available(host, *parent, type) == 0) return -EUSERS;
  put_mdev(host, *parent, type, uuid);
  return 0;
}

constexpr Behaviour mdev_table[] = {
    {"/sys/devices/**/mdev_supported_types/*/create", create, Behaviour::Readable::no},
    {"/sys/devices/**/mdev_supported_types/*/available_instances", nullptr,
     Behaviour::Readable::yes, read_available},
};

}  // namespace

std::span<const Behaviour> mdev_behaviours() {
  return mdev_table;
}

int remove_mediated_device(Call& call, std::string uuid) {
  Host& host = call.host;
  Device* device = host.device("mdev", uuid);
  if (device != nullptr && is_held(host, *device)) {
    host.log(fmt::format("vfio_mdev {}: Relaying device request to user (#0)", uuid));
    auto released = [&] {
      device = host.device("mdev", uuid);
      return device == nullptr || !is_held(host, *device);
    };
    if (!host.wait(call.lock, released)) return -EINTR;
  }
  if (device == nullptr) return -ENODEV;
  for (const auto& node : device->nodes) host.tree.remove(node);
  auto type = host.tree.canonical(device->path + "/mdev_type");
  if (const Device* parent = parent_of(host, type); parent != nullptr)
    host.nvidia.vgpus.erase(parent->name);
  forget_nvidia(host, uuid);
  host.tree.remove(type + "/devices/" + uuid);
  return remove_device(call, "mdev", uuid, Keep::no);
}

namespace {

/// "max_instance=4" of a type's description.
std::optional<int> max_instance(const Host& host, const std::string& type) {
  constexpr std::string_view word = "max_instance=";
  auto description = host.text(type + "/description");
  auto start = description.find(word);
  if (start == std::string::npos) return std::nullopt;
  auto value = text::to_number(description.substr(start + word.size()));
  return value ? std::optional(static_cast<int>(*value)) : std::nullopt;
}

/// What was recorded is what was left beside `parent`'s mdevs; the file keeps what an empty card
/// has. Of a type that says nothing of it, the recorded number stands.
void count_as_empty(Host& host, const Device& parent, const GvtShare& used) {
  auto directory = fmt::format("{}/{}", parent.path, types_directory);
  auto budget = gvt_budget(host, directory, used);
  bool function = host.exists(parent.path + "/physfn");
  for (const auto& name : host.names(directory)) {
    auto type = directory + "/" + name;
    auto most =
        budget ? std::optional(budget->times(*gvt_need(host, type))) : max_instance(host, type);
    if (nvidia_type(name) != 0 && function) most = 1;
    if (most) host.put_file(type + "/available_instances", fmt::format("{}\n", *most));
  }
}

}  // namespace

void adopt_mediated_devices(Host& host) {
  std::set<std::string> with_mdevs;
  for (const auto& uuid : host.names("/sys/bus/mdev/devices")) {
    auto path = host.tree.canonical("/sys/bus/mdev/devices/" + uuid);
    auto type = host.tree.canonical(path + "/mdev_type");
    Device* parent = type.empty() ? nullptr : parent_of(host, type);
    if (parent == nullptr || path != parent->path + "/" + uuid) continue;
    auto params = host.text(path + "/nvidia/vgpu_params");
    if (!params.empty()) host.nvidia.vgpu_params[uuid] = params;
    put_mdev(host, *parent, type, uuid);
    with_mdevs.insert(gpu_name(host, *parent));
  }
  for (const auto& [key, device] : host.devices) {
    bool has_types = host.exists(fmt::format("{}/{}", device.path, types_directory));
    if (has_types && with_mdevs.contains(gpu_name(host, device)))
      count_as_empty(host, device, gvt_used(host, device));
  }
}

// A copy: the name may be the device's own, which goes away. NOLINTNEXTLINE(performance-*)
int remove_mediated_devices(Call& call, std::string parent) {
  Host& host = call.host;
  Device* owner = host.device("pci", parent);
  if (owner == nullptr) return 0;
  auto path = owner->path + "/";
  std::vector<std::string> uuids;
  for (const auto& [key, device] : host.devices) {
    if (device.bus == "mdev" && device.path.starts_with(path)) uuids.push_back(device.name);
  }
  for (const auto& uuid : uuids) {
    if (int error = remove_mediated_device(call, uuid); error != 0 && error != -ENODEV)
      return error;
  }
  return 0;
}

}  // namespace tessera::fakehost
