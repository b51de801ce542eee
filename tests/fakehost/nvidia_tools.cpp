// SPDX-License-Identifier: Apache-2.0
// NVIDIA's programs of the played host. Each is a small script that hands its words to a file below
// /.rehearsal/nvidia and prints the answer; what it does is here. Exit codes are those of
// nvidia-smi's manual: 2 wrong use, 3 not supported, 6 not found; 19 in use and 23 no room are
// NVML's numbers for the same.
#include <algorithm>
#include <cctype>
#include <cerrno>

#include <fmt/format.h>

#include "base/text.h"
#include "fakehost/behaviours.h"
#include "kernel/files.h"

namespace tessera::fakehost {

namespace {

namespace files = kernel::files;

constexpr int wrong_use = 2;
constexpr int not_supported = 3;
constexpr int not_found = 6;
constexpr int no_driver = 9;
constexpr int in_use = 19;
constexpr int no_room = 23;

using Words = std::vector<std::string>;

struct Answer {
  int exit_code = 0;
  std::string text;
};

// --- words ---

bool has(const Words& words, std::string_view option) {
  return std::ranges::find(words, option) != words.end();
}

/// The word after an option; empty when there is none.
std::string after(const Words& words, std::string_view option) {
  auto found = std::ranges::find(words, option);
  return found == words.end() || found + 1 == words.end() ? "" : *(found + 1);
}

std::string upper(std::string word) {
  std::ranges::transform(word, word.begin(), [](unsigned char c) { return std::toupper(c); });
  return word;
}

std::string lower(std::string word) {
  std::ranges::transform(word, word.begin(), [](unsigned char c) { return std::tolower(c); });
  return word;
}

/// "00000000:41:00.0", as nvidia-smi writes "0000:41:00.0".
std::string long_address(const std::string& name) {
  return "0000" + upper(name);
}

/// A GPU as people name it: its index, or its address with a domain of four or eight digits.
std::string find_gpu(const Host& host, const std::string& word) {
  constexpr std::size_t long_size = 16;
  auto gpus = nvidia_gpus(host);
  if (auto index = text::to_number(word); index && *index < gpus.size()) return gpus[*index];
  auto name = lower(word.size() == long_size ? word.substr(4) : word);
  return std::ranges::find(gpus, name) == gpus.end() ? "" : name;
}

std::size_t index_of(const Host& host, const std::string& gpu) {
  auto gpus = nvidia_gpus(host);
  return static_cast<std::size_t>(std::ranges::find(gpus, gpu) - gpus.begin());
}

/// The GPUs that "-i" names, or all.
std::vector<std::string> chosen(const Host& host, const Words& words) {
  if (!has(words, "-i")) return nvidia_gpus(host);
  auto gpu = find_gpu(host, after(words, "-i"));
  return gpu.empty() ? std::vector<std::string>() : std::vector{gpu};
}

// --- the host ---

std::string gpu_file(const std::string& gpu, std::string_view file) {
  return files::pci_device(gpu, file);
}

int enabled_vfs(const Host& host, const std::string& gpu) {
  return host.count(gpu_file(gpu, "sriov_numvfs"));
}

bool has_mdevs(const Host& host, const Device& parent) {
  return std::ranges::any_of(host.devices, [&](const auto& entry) {
    return entry.second.bus == "mdev" && entry.second.path.starts_with(parent.path + "/");
  });
}

std::vector<const Device*> functions_of(const Host& host, const std::string& gpu) {
  std::vector<const Device*> functions;
  for (const auto& [key, device] : host.devices) {
    if (device.bus == "pci" && gpu_name(host, device) == gpu) functions.push_back(&device);
  }
  return functions;
}

bool has_vgpus(const Host& host, const std::string& gpu) {
  return std::ranges::any_of(functions_of(host, gpu), [&](const Device* function) {
    return host.nvidia.vgpus.contains(function->name) || has_mdevs(host, *function);
  });
}

/// Whether a process has the GPU, a function of it, or an mdev on those open.
bool is_open(const Host& host, const std::string& gpu) {
  return std::ranges::any_of(functions_of(host, gpu), [&](const Device* function) {
    return is_held(host, *function) || std::ranges::any_of(host.devices, [&](const auto& entry) {
             return entry.second.path.starts_with(function->path + "/") &&
                    is_held(host, entry.second);
           });
  });
}

// --- sriov-manage ---

/// The driver leaves the GPU and takes it again: what it had set up is gone.
void rebind(Host& host, const std::string& gpu) {
  Device* device = host.device("pci", gpu);
  auto driver = host.drivers.find("pci/nvidia");
  if (device == nullptr || driver == host.drivers.end()) return;
  detach(host, *device);
  (void)attach(host, *device, driver->second);  // it had this driver a moment ago
}

Answer switch_functions(Call& call, const std::string& gpu, bool on) {
  Host& host = call.host;
  int total = host.count(gpu_file(gpu, "sriov_totalvfs"));
  if (total == 0) return {1, fmt::format("{} has no SR-IOV capability.\n", gpu)};
  bool are_on = enabled_vfs(host, gpu) > 0;
  if (on == are_on)
    return {0, fmt::format("{}: virtual functions are {} already.\n", gpu, on ? "on" : "off")};
  if (is_open(host, gpu)) return {1, fmt::format("Cannot obtain unbindLock for {}\n", gpu)};
  if (!on) {
    if (int error = remove_virtual_functions(call, gpu); error != 0)
      return {1, fmt::format("Cannot disable the virtual functions of {}\n", gpu)};
  }
  rebind(host, gpu);
  if (on && enable_virtual_functions(call, gpu, total) != 0)
    return {1, fmt::format("Cannot enable the virtual functions of {}\n", gpu)};
  return {0, fmt::format("{} virtual functions on {}\n", on ? "Enabled" : "Disabled", gpu)};
}

Answer sriov_manage(Call& call, const Words& words) {
  if (words.size() != 2 || (words[0] != "-e" && words[0] != "-d"))
    return {1, "Usage: sriov-manage -e|-d <GPU address>|ALL\n"};
  std::vector<std::string> gpus;
  for (const auto& gpu : nvidia_gpus(call.host)) {
    bool can = call.host.count(gpu_file(gpu, "sriov_totalvfs")) > 0;
    if (words[1] == "ALL" ? can : gpu == find_gpu(call.host, words[1])) gpus.push_back(gpu);
  }
  if (gpus.empty()) return {1, fmt::format("{} is no GPU of the nvidia driver.\n", words[1])};
  Answer all;
  for (const auto& gpu : gpus) {
    auto answer = switch_functions(call, gpu, words[0] == "-e");
    all.text += answer.text;
    all.exit_code = std::max(all.exit_code, answer.exit_code);
  }
  return all;
}

// --- nvidia-smi: MIG ---

const GpuInstanceProfile* find_profile(const NvidiaGpu& gpu, std::string_view word) {
  auto id = text::to_number(word);
  auto found = std::ranges::find_if(gpu.profiles, [&](const auto& profile) {
    return id ? profile.id == static_cast<int>(*id) : profile.name == word;
  });
  return found == gpu.profiles.end() ? nullptr : &*found;
}

bool is_free(const NvidiaGpu& gpu, const GpuInstanceProfile& profile, int start) {
  return std::ranges::none_of(gpu.instances, [&](const auto& other) {
    int length = gpu.profile(other.profile)->length;
    return start < other.start + length && other.start < start + profile.length;
  });
}

/// Starts where one more instance could stand; none when the card has all it can have.
std::vector<int> free_starts(const NvidiaGpu& gpu, const GpuInstanceProfile& profile) {
  auto present = std::ranges::count(gpu.instances, profile.id, &GpuInstance::profile);
  std::vector<int> starts;
  if (present >= profile.most) return starts;
  std::ranges::copy_if(profile.starts, std::back_inserter(starts),
                       [&](int start) { return is_free(gpu, profile, start); });
  return starts;
}

/// How many more instances of a profile fit beside each other.
int free_instances(NvidiaGpu gpu, const GpuInstanceProfile& profile) {
  int count = 0;
  for (auto starts = free_starts(gpu, profile); !starts.empty();
       starts = free_starts(gpu, profile)) {
    gpu.instances.push_back({-1, profile.id, starts.front(), false});
    ++count;
  }
  return count;
}

int free_id(const NvidiaGpu& gpu) {
  int id = 1;
  while (std::ranges::find(gpu.instances, id, &GpuInstance::id) != gpu.instances.end()) ++id;
  return id;
}

/// "19", "1g.5gb", "MIG 1g.5gb", with ":START" for a place of its own.
Answer create_instance(NvidiaGpu& gpu, std::size_t index, std::string_view word, bool compute) {
  if (word.starts_with("MIG ")) word.remove_prefix(4);
  auto colon = word.find(':');
  const auto* profile = find_profile(gpu, word.substr(0, colon));
  if (profile == nullptr)
    return {wrong_use, fmt::format("Unable to create a GPU instance on GPU {:2} using profile {}: "
                                   "Invalid Argument\n",
                                   index, word)};
  auto starts = free_starts(gpu, *profile);
  if (colon != std::string_view::npos) {
    auto wanted = text::to_number(word.substr(colon + 1));
    std::erase_if(starts, [&](int start) { return wanted != static_cast<std::uint64_t>(start); });
  }
  if (starts.empty())
    return {no_room, fmt::format("Unable to create a GPU instance on GPU {:2} using profile {}: "
                                 "Insufficient Resources\n",
                                 index, profile->id)};
  gpu.instances.push_back({free_id(gpu), profile->id, starts.front(), compute});
  const auto& made = gpu.instances.back();
  auto text = fmt::format(
      "Successfully created GPU instance ID {:2} on GPU {:2} using profile MIG {} (ID {:2})\n",
      made.id, index, profile->name, profile->id);
  if (compute)
    text += fmt::format(
        "Successfully created compute instance ID  0 on GPU {:2} GPU instance ID {:2}\n", index,
        made.id);
  return {0, text};
}

Answer create_instances(Host& host, const std::string& name, const Words& words) {
  NvidiaGpu& gpu = host.nvidia.gpus[name];
  Answer all;
  auto profiles = after(words, "-cgi");
  for (auto word : text::split(profiles, ',')) {
    auto answer = create_instance(gpu, index_of(host, name), text::trim(word), has(words, "-C"));
    all.text += answer.text;
    all.exit_code = answer.exit_code;
    if (answer.exit_code == 0) continue;
    all.text += "Failed to create GPU instances\n";
    break;
  }
  return all;
}

bool is_used(const Host& host, const std::string& gpu, const GpuInstance& instance) {
  return std::ranges::any_of(vgpus_of(host, gpu), [&](const auto& name) {
    return host.nvidia.vgpus.at(name).gpu_instance == instance.id;
  });
}

/// The instances that "-gi 1,2" names, or all.
bool is_named(const Words& words, const GpuInstance& instance) {
  if (!has(words, "-gi")) return true;
  auto list = after(words, "-gi");
  return std::ranges::any_of(text::split(list, ','), [&](auto word) {
    return text::to_number(word) == static_cast<std::uint64_t>(instance.id);
  });
}

Answer destroy_compute_instances(Host& host, const std::string& name, const Words& words) {
  Answer all;
  auto index = index_of(host, name);
  for (auto& instance : host.nvidia.gpus[name].instances) {
    if (!instance.has_compute_instance || !is_named(words, instance)) continue;
    if (is_used(host, name, instance))
      return {in_use,
              all.text + fmt::format("Unable to destroy compute instance ID  0 from GPU "
                                     "{:2} GPU instance ID {:2}: In use by another client\n",
                                     index, instance.id)};
    instance.has_compute_instance = false;
    all.text += fmt::format(
        "Successfully destroyed compute instance ID  0 from GPU {:2} GPU instance ID {:2}\n", index,
        instance.id);
  }
  if (all.text.empty()) return {not_found, "No compute instances found: Not Found\n"};
  return all;
}

Answer destroy_instances(Host& host, const std::string& name, const Words& words) {
  Answer all;
  auto index = index_of(host, name);
  auto& instances = host.nvidia.gpus[name].instances;
  for (auto instance = instances.begin(); instance != instances.end();) {
    if (!is_named(words, *instance)) {
      ++instance;
      continue;
    }
    if (instance->has_compute_instance || is_used(host, name, *instance))
      return {in_use,
              all.text + fmt::format("Unable to destroy GPU instance ID {:2} from GPU {:2}: "
                                     "In use by another client\n",
                                     instance->id, index)};
    all.text += fmt::format("Successfully destroyed GPU instance ID {:2} from GPU {:2}\n",
                            instance->id, index);
    instance = instances.erase(instance);
  }
  if (all.text.empty()) return {not_found, "No GPU instances found: Not Found\n"};
  return all;
}

/// `nvidia-smi mig -lgi`, in the layout of a captured one.
Answer list_instances(const Host& host, const std::vector<std::string>& gpus) {
  constexpr const char* rule = "+-------------------------------------------------------+\n";
  std::string rows;
  for (const auto& name : gpus) {
    const auto& gpu = host.nvidia.gpus.at(name);
    for (const auto& instance : gpu.instances) {
      const auto* profile = gpu.profile(instance.profile);
      auto place = fmt::format("{}:{}", instance.start, profile->length);
      rows += fmt::format("| {:3}  {:<18} {:3}      {:3}          {:<7} |\n", index_of(host, name),
                          "MIG " + profile->name, profile->id, instance.id, place) +
              rule;
    }
  }
  if (rows.empty()) return {not_found, "No GPU instances found: Not Found\n"};
  return {0, std::string(rule) +
                 "| GPU instances:                                        |\n"
                 "| GPU   Name             Profile  Instance   Placement  |\n"
                 "|                          ID       ID       Start:Size |\n"
                 "|=======================================================|\n" +
                 rows};
}

/// The recorded list of profiles, with what is free now.
Answer list_profiles(const Host& host, const std::vector<std::string>& gpus) {
  Answer all;
  for (const auto& name : gpus) {
    const auto& gpu = host.nvidia.gpus.at(name);
    for (auto line : text::lines(gpu.profile_listing)) {
      auto words = text::words(line);
      std::string shown(line);
      if (words.size() > 5 && words[2] == "MIG") {
        const auto* profile = find_profile(gpu, words[4]);
        auto at = line.find(words[5], line.find(words[3]) + words[3].size() + words[4].size());
        if (profile != nullptr)
          shown.replace(at, words[5].size(),
                        fmt::format("{}/{}", free_instances(gpu, *profile), profile->most));
      }
      all.text += shown + "\n";
    }
  }
  if (all.text.empty()) return {not_supported, "No MIG-supported devices found.\n"};
  return all;
}

Answer list_placements(const Host& host, const std::vector<std::string>& gpus) {
  Answer all;
  for (const auto& name : gpus) {
    for (const auto& profile : host.nvidia.gpus.at(name).profiles)
      all.text +=
          fmt::format("GPU {:2} Profile ID {:2} {} {{{}}}:{}\n", index_of(host, name), profile.id,
                      profile.starts.size() == 1 ? "Placement :" : "Placements:",
                      fmt::join(profile.starts, ","), profile.length);
  }
  if (all.text.empty()) return {not_supported, "No MIG-supported devices found.\n"};
  return all;
}

Answer mig(Host& host, const Words& words, const std::vector<std::string>& gpus) {
  std::vector<std::string> with_mig;
  std::ranges::copy_if(gpus, std::back_inserter(with_mig),
                       [&](const auto& name) { return host.nvidia.gpus[name].mig; });
  if (has(words, "-lgip")) return list_profiles(host, gpus);
  if (has(words, "-lgipp")) return list_placements(host, gpus);
  if (with_mig.empty()) return {not_found, "No MIG-enabled devices found.\n"};
  if (has(words, "-lgi")) return list_instances(host, with_mig);
  Answer all;
  for (const auto& name : with_mig) {
    Answer answer = {wrong_use, "Option is not recognized.\n"};
    if (has(words, "-cgi")) answer = create_instances(host, name, words);
    if (has(words, "-dci")) answer = destroy_compute_instances(host, name, words);
    if (has(words, "-dgi")) answer = destroy_instances(host, name, words);
    all.text += answer.text;
    all.exit_code = std::max(all.exit_code, answer.exit_code);
  }
  return all;
}

/// "-mig 0|1". It is left only without virtual functions, and nobody may use the GPU.
Answer switch_mig(Host& host, const Words& words, const std::vector<std::string>& gpus) {
  auto value = after(words, "-mig");
  if (value != "0" && value != "1") return {wrong_use, "Invalid argument of -mig.\n"};
  bool on = value == "1";
  Answer all;
  for (const auto& name : gpus) {
    auto& gpu = host.nvidia.gpus[name];
    auto refuse = [&](int code, std::string_view why) {
      all.exit_code = code;
      all.text += fmt::format("Unable to {} MIG Mode for GPU {}: {}\n", on ? "enable" : "disable",
                              long_address(name), why);
    };
    bool used = has_vgpus(host, name) || is_open(host, name) || !gpu.instances.empty() ||
                (!on && enabled_vfs(host, name) > 0);
    if (gpu.profiles.empty()) {
      refuse(not_supported, "Not Supported");
    } else if (gpu.mig != on && used) {
      refuse(in_use, "In use by another client");
    } else {
      gpu.mig = on;
      if (on) gpu.mixed = false;
      all.text +=
          fmt::format("{} MIG Mode for GPU {}\n", on ? "Enabled" : "Disabled", long_address(name));
    }
  }
  if (all.exit_code == 0) all.text += "All done.\n";
  return all;
}

// --- nvidia-smi: the rest ---

/// `vgpu -s`, with -v a block for each type. Layout and keys as NVIDIA's documentation shows them.
Answer supported_types(const Host& host, const std::vector<std::string>& gpus, bool verbose) {
  Answer all;
  for (const auto& name : gpus) {
    const auto& gpu = host.nvidia.gpus.at(name);
    if (gpu.types.empty()) continue;
    all.text += fmt::format("GPU {}\n", long_address(name));
    for (const auto& type : gpu.types) {
      if (!verbose) {
        all.text += fmt::format("    {}\n", type.name);
        continue;
      }
      all.text += fmt::format(
          "    vGPU Type ID                    : {:#x}\n        Name                        : {}\n"
          "        Max Instances               : {}\n"
          "        FB Memory                   : {} MiB\n",
          type.id, type.name, most_instances(gpu, type), type.framebuffer_mib);
    }
  }
  if (all.text.empty()) return {not_found, "No supported devices in vGPU mode\n"};
  return all;
}

/// `vgpu -i GPU -shm 0|1`: vGPUs of different sizes. Not under MIG, and not while there are vGPUs.
Answer vgpu(Host& host, const Words& words, const std::vector<std::string>& gpus) {
  if (has(words, "-s")) return supported_types(host, gpus, has(words, "-v"));
  auto value = after(words, "-shm");
  if (value != "0" && value != "1") return {wrong_use, "Option is not recognized.\n"};
  Answer all;
  for (const auto& name : gpus) {
    auto& gpu = host.nvidia.gpus[name];
    bool can = host.count(gpu_file(name, "sriov_totalvfs")) > 0 && !gpu.mig;
    bool used = has_vgpus(host, name);
    if (!can || used) {
      all.exit_code = can ? in_use : not_supported;
      all.text +=
          fmt::format("Unable to set vGPU heterogeneous mode for GPU {}: {}\n", long_address(name),
                      can ? "In use by another client" : "Not Supported");
      continue;
    }
    gpu.mixed = value == "1";
    all.text += fmt::format("{} vGPU heterogeneous mode for GPU {}\n",
                            gpu.mixed ? "Enabled" : "Disabled", long_address(name));
  }
  return all;
}

std::string product_name(const Host& host, const std::string& gpu) {
  auto information = host.text(fmt::format("{}/{}/information", files::proc_nvidia_gpus, gpu));
  for (auto line : text::lines(information)) {
    if (line.starts_with("Model:")) return std::string(text::trim(line.substr(6)));
  }
  const auto& types = host.nvidia.gpus.at(gpu).types;
  if (types.empty()) return "NVIDIA Graphics Device";
  const auto& name = types.front().name;
  return name.substr(0, name.find('-'));
}

std::string xml_mig_devices(const NvidiaGpu& gpu) {
  std::string devices;
  int index = 0;
  for (const auto& instance : gpu.instances) {
    if (!instance.has_compute_instance) continue;
    devices += fmt::format(
        "\t\t\t<mig_device>\n\t\t\t\t<index>{}</index>\n"
        "\t\t\t\t<gpu_instance_id>{}</gpu_instance_id>\n"
        "\t\t\t\t<compute_instance_id>0</compute_instance_id>\n\t\t\t</mig_device>\n",
        index++, instance.id);
  }
  if (devices.empty()) return "\t\t<mig_devices>\n\t\t\tNone\n\t\t</mig_devices>\n";
  return "\t\t<mig_devices>\n" + devices + "\t\t</mig_devices>\n";
}

/// The largest type is as large as the card.
std::string framebuffer(const NvidiaGpu& gpu) {
  int largest = 0;
  for (const auto& type : gpu.types) largest = std::max(largest, type.framebuffer_mib);
  return largest == 0 ? "N/A" : fmt::format("{} MiB", largest);
}

std::string xml_gpu(const Host& host, const std::string& name) {
  const auto& gpu = host.nvidia.gpus.at(name);
  const bool can_mig = !gpu.profiles.empty();
  const bool has_vfs = host.count(gpu_file(name, "sriov_totalvfs")) > 0;
  const std::string_view mig_mode = !can_mig ? "N/A" : gpu.mig ? "Enabled" : "Disabled";
  const std::string_view mixed = !has_vfs || gpu.mig ? "N/A" : gpu.mixed ? "Enabled" : "Disabled";
  const std::string_view ecc =
      host.text(gpu_file(name, "class")).starts_with("0x0302") ? "Enabled" : "N/A";
  const auto id = upper(host.text(gpu_file(name, "device")).substr(2)) +
                  upper(host.text(gpu_file(name, "vendor")).substr(2));
  return fmt::format(
             "\t<gpu id=\"{0}\">\n\t\t<product_name>{1}</product_name>\n\t\t<mig_mode>\n"
             "\t\t\t<current_mig>{2}</current_mig>\n\t\t\t<pending_mig>{2}</pending_mig>\n"
             "\t\t</mig_mode>\n",
             long_address(name), product_name(host, name), mig_mode) +
         xml_mig_devices(gpu) +
         fmt::format(
             "\t\t<gpu_virtualization_mode>\n"
             "\t\t\t<virtualization_mode>Host VGPU</virtualization_mode>\n"
             "\t\t\t<host_vgpu_mode>{0}</host_vgpu_mode>\n"
             "\t\t\t<vgpu_heterogeneous_mode>{1}</vgpu_heterogeneous_mode>\n"
             "\t\t</gpu_virtualization_mode>\n"
             "\t\t<pci>\n\t\t\t<pci_device_id>{2}</pci_device_id>\n"
             "\t\t\t<pci_bus_id>{3}</pci_bus_id>\n\t\t</pci>\n"
             "\t\t<fb_memory_usage>\n\t\t\t<total>{4}</total>\n\t\t</fb_memory_usage>\n"
             "\t\t<ecc_mode>\n\t\t\t<current_ecc>{5}</current_ecc>\n"
             "\t\t\t<pending_ecc>{5}</pending_ecc>\n\t\t</ecc_mode>\n"
             "\t\t<ecc_errors>\n\t\t\t<volatile>\n"
             "\t\t\t\t<dram_uncorrectable>{6}</dram_uncorrectable>\n"
             "\t\t\t</volatile>\n\t\t</ecc_errors>\n\t</gpu>\n",
             has_vfs ? "SR-IOV" : "Non SR-IOV", mixed, id, long_address(name), framebuffer(gpu),
             ecc, gpu.uncorrected_errors);
}

Answer query(const Host& host, const std::vector<std::string>& gpus) {
  auto version = host.text(files::module("nvidia", "version"));
  std::string shown;
  for (const auto& gpu : gpus) shown += xml_gpu(host, gpu);
  return {0, fmt::format("<?xml version=\"1.0\" ?>\n"
                         "<!DOCTYPE nvidia_smi_log SYSTEM \"nvsmi_device_v12.dtd\">\n"
                         "<nvidia_smi_log>\n\t<driver_version>{}</driver_version>\n"
                         "\t<attached_gpus>{}</attached_gpus>\n{}</nvidia_smi_log>\n",
                         version.empty() ? "N/A" : version, nvidia_gpus(host).size(), shown)};
}

Answer nvidia_smi(Call& call, const Words& words) {
  Host& host = call.host;
  for (const auto& name : nvidia_gpus(host)) (void)host.nvidia.gpus[name];  // each has an entry
  auto gpus = chosen(host, words);
  if (gpus.empty()) return {not_found, "No devices were found\n"};
  if (!words.empty() && words[0] == "mig") return mig(host, words, gpus);
  if (!words.empty() && words[0] == "vgpu") return vgpu(host, words, gpus);
  if (has(words, "-mig")) return switch_mig(host, words, gpus);
  if (has(words, "-q") && has(words, "-x")) return query(host, gpus);
  return {wrong_use,
          "Invalid combination of input arguments. Please run 'nvidia-smi -h' for help.\n"};
}

// --- how a script is served ---

struct Program {
  std::string_view path;
  std::string_view control;
  Answer (*run)(Call& call, const Words& words);
  Answer (*failed)(int error);  ///< what it says when a fault is in force for its path
};

Answer failed_manage(int) {
  return {1, "Cannot obtain unbindLock\n"};
}

Answer failed_smi(int error) {
  if (error == EBUSY) return {in_use, "In use by another client\n"};
  return {no_driver,
          "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n"};
}

constexpr Program programs[] = {
    {files::sriov_manage, "/.rehearsal/nvidia/sriov-manage", sriov_manage, failed_manage},
    {files::nvidia_smi, "/.rehearsal/nvidia/nvidia-smi", nvidia_smi, failed_smi},
};

Words words_of(std::string_view line) {
  Words words;
  for (auto word : text::split(line, '\n')) {
    if (!word.empty()) words.emplace_back(word);
  }
  return words;
}

std::string answer_file(std::string_view caller) {
  return fmt::format("{}/answer.{}", files::rehearsal_nvidia, caller);
}

const Program* program_at(std::string_view path) {
  for (const auto& program : programs) {
    if (program.control == path || program.path == path) return &program;
  }
  return nullptr;
}

/// The effect of a run that a fault delays; nobody hears what it says.
int run_late(Call& call) {
  (void)program_at(call.path)->run(call, words_of(call.text));
  return 0;
}

/// A script writes its number and its words, a line each. A run counts as a write to the program's
/// own path: it is listed in /.rehearsal/writes, and faults for that path hold for it.
int run_program(Call& call) {
  Host& host = call.host;
  const Program& program = *program_at(call.path);
  auto words = words_of(call.text);
  if (words.empty() || !text::to_number(words[0])) return -EINVAL;
  const auto caller = words[0];
  words.erase(words.begin());
  const auto number = host.log_write(program.path, text::join(words, " "));
  Call as_write{host, call.lock, std::string(program.path), {}, text::join(words, "\n")};
  const Behaviour late = {program.path, run_late};
  const auto fault = apply_faults(as_write, late);
  Answer answer;
  if (!fault.done) answer = program.run(call, words);
  if (fault.done && fault.value != 0) answer = program.failed(-fault.value);
  if (answer.exit_code != 0) host.log_failure(number, fmt::format("exit {}", answer.exit_code));
  host.put_file(answer_file(caller), fmt::format("{}\n{}", answer.exit_code, answer.text));
  host.changed();
  return 0;
}

/// A script has read its answer.
int forget_answer(Call& call) {
  if (!text::to_number(call.word())) return -EINVAL;
  call.host.tree.remove(answer_file(call.word()));
  return 0;
}

/// "ADDRESS COUNT": so many memory errors that ECC could not put right.
int count_errors(Call& call) {
  const auto words = text::words(call.text);
  const auto count = words.size() == 2 ? text::to_number(words[1]) : std::nullopt;
  const auto gpu = words.empty() ? std::string() : find_gpu(call.host, std::string(words[0]));
  if (!count || gpu.empty()) return -EINVAL;
  call.host.nvidia.gpus[gpu].uncorrected_errors = *count;
  call.host.changed();
  return 0;
}

constexpr Behaviour nvidia_tools_table[] = {
    {"/.rehearsal/nvidia/sriov-manage", run_program, Behaviour::Readable::no},
    {"/.rehearsal/nvidia/nvidia-smi", run_program, Behaviour::Readable::no},
    {"/.rehearsal/nvidia/forget", forget_answer, Behaviour::Readable::no},
    {"/.rehearsal/nvidia/errors", count_errors, Behaviour::Readable::no},
};

}  // namespace

std::span<const Behaviour> nvidia_tool_behaviours() {
  return nvidia_tools_table;
}

bool is_program(std::string_view path) {
  const auto* program = program_at(path);
  return program != nullptr && program->path == path;
}

void install_nvidia_tools(Host& host) {
  if (!host.drivers.contains("pci/nvidia")) return;
  host.put_file(fmt::format("{}/forget", files::rehearsal_nvidia), "");
  host.put_file(fmt::format("{}/errors", files::rehearsal_nvidia), "");
  for (const auto& program : programs) {
    host.put_file(program.control, "");
    host.put_file(program.path, fmt::format(R"(#!/bin/sh
# The played host's own: it tells the host what it was asked, and prints the answer.
control="${{TESSERA_ROOT:-${{0%{0}}}}}{1}"
text=$(echo $$; for word in "$@"; do printf '%s\n' "$word"; done)
printf '%s\n' "$text" > "$control" || exit 1
answer="${{control%/*}}/answer.$$"
{{ read -r code; cat; }} < "$answer"
echo $$ > "${{control%/*}}/forget"
exit "$code"
)",
                                            program.path, program.control));
  }
}

}  // namespace tessera::fakehost
