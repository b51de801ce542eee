// SPDX-License-Identifier: Apache-2.0
#include "vendor/nvml.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <dlfcn.h>
#include <fmt/format.h>

#include "vendor/nvidia_words.h"
#include "vendor/nvml_abi.h"

namespace tessera::vendor {

namespace abi = nvml_abi;
using model::GpuHealth;
using model::HealthReport;
using model::Reading;
using model::VgpuHealth;

namespace {

constexpr std::array<std::string_view, 31> error_words = {"SUCCESS",
                                                          "UNINITIALIZED",
                                                          "INVALID_ARGUMENT",
                                                          "NOT_SUPPORTED",
                                                          "NO_PERMISSION",
                                                          "ALREADY_INITIALIZED",
                                                          "NOT_FOUND",
                                                          "INSUFFICIENT_SIZE",
                                                          "INSUFFICIENT_POWER",
                                                          "DRIVER_NOT_LOADED",
                                                          "TIMEOUT",
                                                          "IRQ_ISSUE",
                                                          "LIBRARY_NOT_FOUND",
                                                          "FUNCTION_NOT_FOUND",
                                                          "CORRUPTED_INFOROM",
                                                          "GPU_IS_LOST",
                                                          "RESET_REQUIRED",
                                                          "OPERATING_SYSTEM",
                                                          "LIB_RM_VERSION_MISMATCH",
                                                          "IN_USE",
                                                          "MEMORY",
                                                          "NO_DATA",
                                                          "VGPU_ECC_NOT_SUPPORTED",
                                                          "INSUFFICIENT_RESOURCES",
                                                          "FREQ_NOT_SUPPORTED",
                                                          "ARGUMENT_VERSION_MISMATCH",
                                                          "DEPRECATED",
                                                          "NOT_READY",
                                                          "GPU_NOT_FOUND",
                                                          "INVALID_STATE",
                                                          "RESET_TYPE_NOT_SUPPORTED"};

/// Calls a function that may be missing.
template <typename... Parameters, typename... Arguments>
abi::Return call(abi::Function<Parameters...> function, Arguments... arguments) {
  return function == nullptr ? abi::function_not_found : function(arguments...);
}

/// What a call brought: `value` after success, else why not.
template <typename T>
Reading<T> outcome(abi::Return code, T value) {
  switch (code) {
    case abi::success:
      return value;
    case abi::function_not_found:
    case abi::argument_version_mismatch:
      return {};
    case abi::not_supported:
    case abi::vgpu_ecc_not_supported:
      return Reading<T>::unreadable(std::string(model::not_applicable));
    default:
      return Reading<T>::unreadable(nvml_error_word(code));
  }
}

template <typename T>
Reading<T> senseless(std::uint64_t value) {
  return Reading<T>::unreadable(fmt::format("{} makes no sense", value));
}

Reading<int> small(const Reading<std::uint32_t>& reading) {
  if (reading.is_absent()) return {};
  if (!reading.has_value()) return Reading<int>::unreadable(reading.why());
  if (reading.value() > std::uint32_t{std::numeric_limits<int>::max()}) {
    return senseless<int>(reading.value());
  }
  return static_cast<int>(reading.value());
}

/// `reading`, but N/A where it is the number that stands for none.
Reading<int> small_or_none(const Reading<std::uint32_t>& reading, std::uint32_t none) {
  if (reading.has_value() && reading.value() == none) {
    return Reading<int>::unreadable(std::string(model::not_applicable));
  }
  return small(reading);
}

/// The number that a function writes for `of`.
template <typename Number, typename Of>
Reading<Number> number(abi::Function<Of, Number*> function, Of of) {
  Number value = 0;
  const abi::Return code = call(function, of, &value);
  return outcome(code, value);
}

template <typename Of>
Reading<bool> flag(abi::Function<Of, abi::Out> function, Of of) {
  std::uint32_t value = 0;
  const abi::Return code = call(function, of, &value);
  return outcome(code, value != 0);
}

/// Longer than any string of NVML (NVML_DEVICE_UUID_V2_BUFFER_SIZE).
constexpr std::uint32_t text_size = 96;

template <typename Call>
Reading<std::string> text(Call fill) {
  std::array<char, text_size + 1> buffer{};
  const abi::Return code = fill(buffer.data());
  if (code != abi::success) return outcome(code, std::string());
  return said(std::string_view(buffer.data()));
}

template <typename Of>
Reading<std::string> text(abi::Function<Of, char*, std::uint32_t> function, Of of) {
  return text([&](char* buffer) { return call(function, of, buffer, text_size); });
}

/// A list whose length the library tells with INSUFFICIENT_SIZE; it may grow between two calls.
template <typename Element, typename Ask>
Reading<std::vector<Element>> list(Ask ask) {
  constexpr int tries = 4;
  constexpr std::uint32_t most = 1U << 20U;
  std::vector<Element> elements(64);
  abi::Return code = abi::success;
  for (int i = 0; i < tries; ++i) {
    auto count = static_cast<std::uint32_t>(elements.size());
    code = ask(&count, elements.data());
    if (code == abi::success) {
      elements.resize(std::min<std::size_t>(count, elements.size()));
      return elements;
    }
    if (code != abi::insufficient_size || count > most) break;
    elements.resize(std::max<std::size_t>(count, elements.size() + 1));
  }
  return outcome(code, std::vector<Element>());
}

model::Switch mode(abi::Function<abi::Device, abi::Out, abi::Out> function, abi::Device device) {
  std::uint32_t current = 0;
  std::uint32_t pending = 0;
  const abi::Return code = call(function, device, &current, &pending);
  return {outcome(code, current != 0), outcome(code, pending != 0)};
}

/// `Enumerator`s count from `first`; others make no sense.
template <typename Enumerator>
Reading<Enumerator> enumerator(const Reading<std::uint32_t>& reading, std::uint32_t first,
                               std::uint32_t last) {
  if (reading.is_absent()) return {};
  if (!reading.has_value()) return Reading<Enumerator>::unreadable(reading.why());
  const std::uint32_t value = reading.value();
  if (value < first || value > last) return senseless<Enumerator>(value);
  return static_cast<Enumerator>(value - first);
}

Reading<std::string> architecture_of(const Reading<std::uint32_t>& reading) {
  constexpr std::array<std::string_view, 9> names = {"Kepler",       "Maxwell", "Pascal",
                                                     "Volta",        "Turing",  "Ampere",
                                                     "Ada Lovelace", "Hopper",  "Blackwell"};
  constexpr std::uint32_t kepler = 2;
  if (!reading.has_value()) {
    return reading.is_absent() ? Reading<std::string>{}
                               : Reading<std::string>::unreadable(reading.why());
  }
  const std::uint32_t value = reading.value();
  if (value < kepler || value >= kepler + names.size()) {
    return Reading<std::string>::unreadable(fmt::format("architecture {} has no name here", value));
  }
  return std::string(names[value - kepler]);
}

/// As nvidia-smi writes it. `state` is NVML_GRID_LICENSE_STATE_*.
Reading<std::string> licence_words(const abi::VgpuLicenceInfo& info) {
  constexpr std::array<std::string_view, 6> states = {
      "",           "Uninitialized", "Unlicensed (Unrestricted)", "Unlicensed (Restricted)",
      "Unlicensed", "Licensed"};
  constexpr std::uint8_t valid = 2;
  constexpr std::uint8_t permanent = 4;
  if (info.state == 0) return Reading<std::string>::unreadable(std::string(model::not_applicable));
  if (info.state >= states.size()) return senseless<std::string>(info.state);
  std::string words(states[info.state]);
  const auto& expiry = info.expiry;
  if (expiry.status == permanent) words += " (Expiry: Permanent)";
  if (expiry.status == valid) {
    words += fmt::format(" (Expiry: {}-{}-{} {}:{}:{} GMT)", expiry.year, expiry.month, expiry.day,
                         expiry.hour, expiry.minute, expiry.second);
  }
  return words;
}

/// A percentage in a union whose member `type` names.
Reading<int> percent(const abi::Value& value, std::uint32_t type) {
  constexpr double limit = 1000;
  double number = -1;
  if (type == 0) number = value.as_double;
  if (type == 1) number = value.as_uint;
  if (type == 2 || type == 3) number = static_cast<double>(value.as_ulong);
  if (number >= 0 && number <= limit) return static_cast<int>(std::lround(number));
  return Reading<int>::unreadable(fmt::format("a sample of type {} makes no sense", type));
}

/// The newest sample of each vGPU, or why there is none.
struct Samples {
  std::map<abi::VgpuInstance, abi::VgpuUtilizationSample> newest;
  std::uint32_t type = 0;
  Reading<int> otherwise;

  [[nodiscard]] model::Utilization of(abi::VgpuInstance instance) const {
    const auto found = newest.find(instance);
    if (found == newest.end()) return {otherwise, otherwise, otherwise, otherwise};
    const auto& sample = found->second;
    return {percent(sample.sm, type), percent(sample.memory, type), percent(sample.encoder, type),
            percent(sample.decoder, type)};
  }
};

Error load_failure(const std::string& library, const char* why) {
  return {ErrorKind::not_found, library,
          fmt::format("NVIDIA's management library cannot be loaded: {}", why ? why : "no reason"),
          "install NVIDIA's driver (for vGPUs its vGPU manager), which brings it"};
}

Error init_failure(const std::string& library, abi::Return code) {
  const std::string word = nvml_error_word(code);
  if (code == abi::driver_not_loaded) {
    return {ErrorKind::unsupported, library, "NVIDIA's driver is not loaded (" + word + ")",
            "load it: sudo modprobe nvidia"};
  }
  if (code == abi::lib_rm_version_mismatch) {
    return {ErrorKind::unsupported, library,
            "the library is of another version than the driver that is loaded (" + word + ")",
            "reboot, or unload the driver's modules and load them again"};
  }
  if (code == abi::no_permission) {
    return {ErrorKind::denied, library,
            "the driver's device files may not be opened (" + word + ")", "run it as root"};
  }
  return {ErrorKind::io, library, "the library cannot be initialized (" + word + ")",
          "see what the driver wrote: sudo dmesg | grep NVRM"};
}

}  // namespace

std::string nvml_error_word(std::uint32_t code) {
  constexpr std::uint32_t unknown = 999;
  if (code < error_words.size()) return std::string(error_words[code]);
  return code == unknown ? "UNKNOWN" : fmt::format("error {}", code);
}

/// The loaded library with its functions.
class Nvml::Library {
 public:
  Library(std::string name, void* handle) : name_(std::move(name)), handle_(handle) {
    find_library_functions();
    find_card_functions();
    find_vgpu_functions();
  }
  ~Library() {
    if (initialized_) (void)call(functions_.nvmlShutdown);  // nothing to do about a failure
    ::dlclose(handle_);
  }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  Status initialize() {
    const bool whole =
        functions_.nvmlInit_v2 && functions_.nvmlShutdown && functions_.nvmlDeviceGetCount_v2 &&
        functions_.nvmlDeviceGetHandleByIndex_v2 && functions_.nvmlDeviceGetPciInfo_v3;
    if (!whole) {
      return fail(ErrorKind::unsupported, name_,
                  "it lacks functions that every driver since 390 has",
                  "update NVIDIA's driver, or see that this is its library");
    }
    const abi::Return code = call(functions_.nvmlInit_v2);
    if (code != abi::success) return fail(init_failure(name_, code));
    initialized_ = true;
    return {};
  }

  [[nodiscard]] Result<HealthReport> read() const {
    HealthReport report;
    report.source = name_;
    std::uint32_t count = 0;
    if (const abi::Return code = call(functions_.nvmlDeviceGetCount_v2, &count);
        code != abi::success) {
      return fail(
          ErrorKind::io, name_,
          fmt::format("it does not tell how many cards there are ({})", nvml_error_word(code)));
    }
    const auto driver = text([&](char* buffer) {
      return call(functions_.nvmlSystemGetDriverVersion, buffer, text_size);
    });
    for (std::uint32_t index = 0; index < count; ++index) read_card(index, driver, report);
    return report;
  }

 private:
  template <typename Pointer>
  void find(Pointer& function, const char* name) {
    function = reinterpret_cast<Pointer>(::dlsym(handle_, name));
  }

  void find_library_functions() {
    find(functions_.nvmlInit_v2, "nvmlInit_v2");
    find(functions_.nvmlShutdown, "nvmlShutdown");
    find(functions_.nvmlSystemGetDriverVersion, "nvmlSystemGetDriverVersion");
    find(functions_.nvmlDeviceGetCount_v2, "nvmlDeviceGetCount_v2");
    find(functions_.nvmlDeviceGetHandleByIndex_v2, "nvmlDeviceGetHandleByIndex_v2");
  }

  void find_card_functions() {
    auto& f = functions_;
    find(f.nvmlDeviceGetPciInfo_v3, "nvmlDeviceGetPciInfo_v3");
    find(f.nvmlDeviceGetUUID, "nvmlDeviceGetUUID");
    find(f.nvmlDeviceGetName, "nvmlDeviceGetName");
    find(f.nvmlDeviceGetArchitecture, "nvmlDeviceGetArchitecture");
    find(f.nvmlDeviceGetMemoryBusWidth, "nvmlDeviceGetMemoryBusWidth");
    find(f.nvmlDeviceGetMigMode, "nvmlDeviceGetMigMode");
    find(f.nvmlDeviceGetVirtualizationMode, "nvmlDeviceGetVirtualizationMode");
    find(f.nvmlDeviceGetHostVgpuMode, "nvmlDeviceGetHostVgpuMode");
    find(f.nvmlDeviceGetVgpuHeterogeneousMode, "nvmlDeviceGetVgpuHeterogeneousMode");
    find(f.nvmlDeviceGetMemoryInfo_v2, "nvmlDeviceGetMemoryInfo_v2");
    find(f.nvmlDeviceGetMemoryInfo, "nvmlDeviceGetMemoryInfo");
    find(f.nvmlDeviceGetEccMode, "nvmlDeviceGetEccMode");
    find(f.nvmlDeviceGetTotalEccErrors, "nvmlDeviceGetTotalEccErrors");
    find(f.nvmlDeviceGetRetiredPages, "nvmlDeviceGetRetiredPages");
    find(f.nvmlDeviceGetRetiredPagesPendingStatus, "nvmlDeviceGetRetiredPagesPendingStatus");
    find(f.nvmlDeviceGetRemappedRows, "nvmlDeviceGetRemappedRows");
    find(f.nvmlDeviceGetUtilizationRates, "nvmlDeviceGetUtilizationRates");
    find(f.nvmlDeviceGetEncoderUtilization, "nvmlDeviceGetEncoderUtilization");
    find(f.nvmlDeviceGetDecoderUtilization, "nvmlDeviceGetDecoderUtilization");
    find(f.nvmlDeviceGetVgpuSchedulerState, "nvmlDeviceGetVgpuSchedulerState");
    find(f.nvmlDeviceGetActiveVgpus, "nvmlDeviceGetActiveVgpus");
    find(f.nvmlDeviceGetVgpuUtilization, "nvmlDeviceGetVgpuUtilization");
  }

  void find_vgpu_functions() {
    auto& f = functions_;
    find(f.nvmlVgpuInstanceGetUUID, "nvmlVgpuInstanceGetUUID");
    find(f.nvmlVgpuInstanceGetMdevUUID, "nvmlVgpuInstanceGetMdevUUID");
    find(f.nvmlVgpuInstanceGetVmID, "nvmlVgpuInstanceGetVmID");
    find(f.nvmlVgpuInstanceGetVmDriverVersion, "nvmlVgpuInstanceGetVmDriverVersion");
    find(f.nvmlVgpuInstanceGetType, "nvmlVgpuInstanceGetType");
    find(f.nvmlVgpuInstanceGetFbUsage, "nvmlVgpuInstanceGetFbUsage");
    find(f.nvmlVgpuInstanceGetFrameRateLimit, "nvmlVgpuInstanceGetFrameRateLimit");
    find(f.nvmlVgpuInstanceGetLicenseInfo_v2, "nvmlVgpuInstanceGetLicenseInfo_v2");
    find(f.nvmlVgpuInstanceGetLicenseStatus, "nvmlVgpuInstanceGetLicenseStatus");
    find(f.nvmlVgpuInstanceGetEccMode, "nvmlVgpuInstanceGetEccMode");
    find(f.nvmlVgpuInstanceGetEncoderStats, "nvmlVgpuInstanceGetEncoderStats");
    find(f.nvmlVgpuInstanceGetEncoderCapacity, "nvmlVgpuInstanceGetEncoderCapacity");
    find(f.nvmlVgpuInstanceGetGpuInstanceId, "nvmlVgpuInstanceGetGpuInstanceId");
    find(f.nvmlVgpuInstanceGetPlacementId, "nvmlVgpuInstanceGetPlacementId");
    find(f.nvmlVgpuTypeGetName, "nvmlVgpuTypeGetName");
    find(f.nvmlVgpuTypeGetFramebufferSize, "nvmlVgpuTypeGetFramebufferSize");
  }

  void read_card(std::uint32_t index, const Reading<std::string>& driver,
                 HealthReport& report) const {
    abi::Device device = nullptr;
    abi::PciInfo pci{};
    abi::Return code = call(functions_.nvmlDeviceGetHandleByIndex_v2, index, &device);
    if (code == abi::success) code = call(functions_.nvmlDeviceGetPciInfo_v3, device, &pci);
    if (code != abi::success) {
      report.unreachable.push_back(fmt::format("GPU{}: {}", index, nvml_error_word(code)));
      return;
    }
    const std::string bus_id(pci.bus_id, std::find(pci.bus_id, std::end(pci.bus_id), '\0'));
    const auto address = model::parse_pci_address(bus_id);
    if (!address) {
      report.unreachable.push_back(fmt::format("GPU{}: {}", index, one_line(address.error())));
      return;
    }
    GpuHealth gpu;
    gpu.address = *address;
    gpu.driver_version = driver;
    read_identity(device, gpu);
    read_memory(device, gpu);
    read_repairs(device, gpu);
    read_use(device, gpu);
    read_vgpus(device, gpu, report);
    report.gpus.push_back(std::move(gpu));
  }

  void read_identity(abi::Device device, GpuHealth& gpu) const {
    gpu.uuid = text(functions_.nvmlDeviceGetUUID, device);
    gpu.name = text(functions_.nvmlDeviceGetName, device);
    gpu.architecture = architecture_of(number(functions_.nvmlDeviceGetArchitecture, device));
    gpu.mig = mode(functions_.nvmlDeviceGetMigMode, device);
    gpu.virtualization = enumerator<model::VirtualizationMode>(
        number(functions_.nvmlDeviceGetVirtualizationMode, device), 0, 4);
    gpu.host_vgpu =
        enumerator<model::HostVgpuMode>(number(functions_.nvmlDeviceGetHostVgpuMode, device), 0, 1);
    abi::VgpuHeterogeneousMode mixed{.version = abi::vgpu_heterogeneous_mode_v1, .mode = 0};
    const abi::Return code = call(functions_.nvmlDeviceGetVgpuHeterogeneousMode, device, &mixed);
    gpu.mixed_sizes = outcome(code, mixed.mode != 0);
  }

  void read_memory(abi::Device device, GpuHealth& gpu) const {
    gpu.memory_bus_bits = small(number(functions_.nvmlDeviceGetMemoryBusWidth, device));
    abi::MemoryV2 memory{};
    memory.version = abi::memory_v2;
    const abi::Return code = call(functions_.nvmlDeviceGetMemoryInfo_v2, device, &memory);
    gpu.framebuffer_total_bytes = outcome(code, memory.total);
    gpu.framebuffer_reserved_bytes = outcome(code, memory.reserved);
    // Manuals disagree whether `used` holds what is reserved; what is left over does not.
    const bool adds_up =
        memory.reserved <= memory.total && memory.free <= memory.total - memory.reserved;
    gpu.framebuffer_used_bytes = adds_up
                                     ? outcome(code, memory.total - memory.reserved - memory.free)
                                     : senseless<std::uint64_t>(memory.free);
    if (!gpu.framebuffer_total_bytes.is_absent()) return;
    abi::Memory before_510{};
    const abi::Return older = call(functions_.nvmlDeviceGetMemoryInfo, device, &before_510);
    gpu.framebuffer_total_bytes = outcome(older, before_510.total);
    gpu.framebuffer_used_bytes = outcome(older, before_510.used);
  }

  [[nodiscard]] Reading<std::uint64_t> ecc_errors(abi::Device device, std::uint32_t error_type,
                                                  std::uint32_t counter) const {
    std::uint64_t count = 0;
    const abi::Return code =
        call(functions_.nvmlDeviceGetTotalEccErrors, device, error_type, counter, &count);
    return outcome(code, count);
  }

  [[nodiscard]] Reading<std::uint64_t> retired_pages(abi::Device device,
                                                     std::uint32_t cause) const {
    const auto pages = list<std::uint64_t>([&](abi::Out count, std::uint64_t* addresses) {
      return call(functions_.nvmlDeviceGetRetiredPages, device, cause, count, addresses);
    });
    if (pages.has_value()) return std::uint64_t{pages.value().size()};
    return pages.is_absent() ? Reading<std::uint64_t>{}
                             : Reading<std::uint64_t>::unreadable(pages.why());
  }

  void read_repairs(abi::Device device, GpuHealth& gpu) const {
    gpu.ecc = mode(functions_.nvmlDeviceGetEccMode, device);
    gpu.volatile_errors = {ecc_errors(device, 0, 0), ecc_errors(device, 1, 0)};
    gpu.aggregate_errors = {ecc_errors(device, 0, 1), ecc_errors(device, 1, 1)};
    gpu.retired_pages = {retired_pages(device, 0), retired_pages(device, 1),
                         flag(functions_.nvmlDeviceGetRetiredPagesPendingStatus, device)};
    std::uint32_t corrected = 0;
    std::uint32_t uncorrected = 0;
    std::uint32_t pending = 0;
    std::uint32_t failure = 0;
    const abi::Return code = call(functions_.nvmlDeviceGetRemappedRows, device, &corrected,
                                  &uncorrected, &pending, &failure);
    gpu.remapped_rows = {outcome(code, std::uint64_t{corrected}),
                         outcome(code, std::uint64_t{uncorrected}), outcome(code, pending != 0),
                         outcome(code, failure != 0)};
  }

  void read_use(abi::Device device, GpuHealth& gpu) const {
    abi::Utilization rates{};
    abi::Return code = call(functions_.nvmlDeviceGetUtilizationRates, device, &rates);
    gpu.utilization.gpu = small(outcome(code, rates.gpu));
    gpu.utilization.memory = small(outcome(code, rates.memory));
    std::uint32_t busy = 0;
    std::uint32_t period_us = 0;
    code = call(functions_.nvmlDeviceGetEncoderUtilization, device, &busy, &period_us);
    gpu.utilization.encoder = small(outcome(code, busy));
    code = call(functions_.nvmlDeviceGetDecoderUtilization, device, &busy, &period_us);
    gpu.utilization.decoder = small(outcome(code, busy));
    abi::VgpuSchedulerState state{};
    code = call(functions_.nvmlDeviceGetVgpuSchedulerState, device, &state);
    gpu.scheduler = enumerator<model::SchedulerPolicy>(outcome(code, state.policy), 1, 3);
    // Where adaptive round robin is on the time slice stands second; where it is off, first, and
    // the second stays 0. Whether 1 means on or off changed between drivers.
    const bool second = state.adaptive_round_robin != 0 && state.parameters[1] != 0;
    gpu.time_slice_ns = outcome(code, std::uint64_t{state.parameters[second ? 1 : 0]});
  }

  void read_vgpus(abi::Device device, GpuHealth& gpu, HealthReport& report) const {
    const auto active = list<abi::VgpuInstance>([&](abi::Out count, abi::VgpuInstance* instances) {
      return call(functions_.nvmlDeviceGetActiveVgpus, device, count, instances);
    });
    if (!active.has_value()) {
      if (!active.is_absent()) gpu.vgpu_count = Reading<int>::unreadable(active.why());
      return;
    }
    gpu.vgpu_count = static_cast<int>(active.value().size());
    if (active.value().empty()) return;
    const Samples samples = read_samples(device);
    for (const abi::VgpuInstance instance : active.value()) {
      VgpuHealth vgpu = read_vgpu(instance);
      vgpu.card = gpu.address;
      vgpu.utilization = samples.of(instance);
      report.vgpus.push_back(std::move(vgpu));
    }
  }

  [[nodiscard]] Samples read_samples(abi::Device device) const {
    Samples samples;
    const auto all =
        list<abi::VgpuUtilizationSample>([&](abi::Out count, abi::VgpuUtilizationSample* into) {
          return call(functions_.nvmlDeviceGetVgpuUtilization, device, std::uint64_t{0},
                      &samples.type, count, into);
        });
    if (!all.has_value()) {
      if (!all.is_absent()) samples.otherwise = Reading<int>::unreadable(all.why());
      return samples;
    }
    samples.otherwise = Reading<int>::unreadable("NO_DATA");
    for (const auto& sample : all.value()) {
      const auto [place, fresh] = samples.newest.emplace(sample.instance, sample);
      if (!fresh && place->second.time_us < sample.time_us) place->second = sample;
    }
    return samples;
  }

  [[nodiscard]] VgpuHealth read_vgpu(abi::VgpuInstance instance) const {
    VgpuHealth vgpu;
    vgpu.vgpu_id = instance;
    vgpu.uuid = text(functions_.nvmlVgpuInstanceGetUUID, instance);
    vgpu.mdev_uuid = text(functions_.nvmlVgpuInstanceGetMdevUUID, instance);
    vgpu.vm_uuid = machine_uuid(instance);
    vgpu.guest_driver_version = text(functions_.nvmlVgpuInstanceGetVmDriverVersion, instance);
    vgpu.framebuffer_used_bytes = number(functions_.nvmlVgpuInstanceGetFbUsage, instance);
    vgpu.frame_rate_limit = small(number(functions_.nvmlVgpuInstanceGetFrameRateLimit, instance));
    vgpu.licence = licence(instance);
    vgpu.ecc = flag(functions_.nvmlVgpuInstanceGetEccMode, instance);
    std::uint32_t sessions = 0;
    std::uint32_t fps = 0;
    std::uint32_t latency_us = 0;
    const abi::Return code =
        call(functions_.nvmlVgpuInstanceGetEncoderStats, instance, &sessions, &fps, &latency_us);
    vgpu.encoder_sessions = small(outcome(code, sessions));
    vgpu.encoder_capacity_percent =
        small(number(functions_.nvmlVgpuInstanceGetEncoderCapacity, instance));
    read_type(instance, vgpu);
    read_place(instance, vgpu);
    return vgpu;
  }

  [[nodiscard]] Reading<std::string> machine_uuid(abi::VgpuInstance instance) const {
    constexpr std::uint32_t is_uuid = 1;  // else a number that only some hypervisors have
    std::uint32_t kind = is_uuid;
    auto id = text([&](char* buffer) {
      return call(functions_.nvmlVgpuInstanceGetVmID, instance, buffer, text_size, &kind);
    });
    return kind == is_uuid ? id : Reading<std::string>{};
  }

  [[nodiscard]] Reading<std::string> licence(abi::VgpuInstance instance) const {
    abi::VgpuLicenceInfo info{};
    const abi::Return code = call(functions_.nvmlVgpuInstanceGetLicenseInfo_v2, instance, &info);
    if (code == abi::success) return licence_words(info);
    if (code != abi::function_not_found) return outcome(code, std::string());
    std::uint32_t licensed = 0;
    const abi::Return older =
        call(functions_.nvmlVgpuInstanceGetLicenseStatus, instance, &licensed);
    return outcome(older, std::string(licensed != 0 ? "Licensed" : "Unlicensed"));
  }

  void read_type(abi::VgpuInstance instance, VgpuHealth& vgpu) const {
    vgpu.type_id = number(functions_.nvmlVgpuInstanceGetType, instance);
    if (!vgpu.type_id.has_value()) return;
    const abi::VgpuTypeId type = vgpu.type_id.value();
    vgpu.type_name = text([&](char* buffer) {
      std::uint32_t size = text_size;
      return call(functions_.nvmlVgpuTypeGetName, type, buffer, &size);
    });
    vgpu.framebuffer_total_bytes = number(functions_.nvmlVgpuTypeGetFramebufferSize, type);
  }

  void read_place(abi::VgpuInstance instance, VgpuHealth& vgpu) const {
    vgpu.gpu_instance = small_or_none(number(functions_.nvmlVgpuInstanceGetGpuInstanceId, instance),
                                      abi::invalid_gpu_instance);
    abi::VgpuPlacementId place{.version = abi::vgpu_placement_id_v1, .placement_id = 0};
    const abi::Return code = call(functions_.nvmlVgpuInstanceGetPlacementId, instance, &place);
    vgpu.placement_id = small_or_none(outcome(code, place.placement_id), abi::invalid_placement_id);
  }

  std::string name_;
  void* handle_;
  abi::Functions functions_;
  bool initialized_ = false;
};

Result<Nvml> Nvml::open(const std::string& library) {
  void* handle = ::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return fail(load_failure(library, ::dlerror()));
  auto loaded = std::make_unique<Library>(library, handle);
  TRY(loaded->initialize());
  return Nvml(std::move(loaded));
}

Nvml::Nvml(std::unique_ptr<Library> library) : library_(std::move(library)) {}
Nvml::~Nvml() = default;
Nvml::Nvml(Nvml&& other) noexcept = default;
Nvml& Nvml::operator=(Nvml&& other) noexcept = default;

Result<HealthReport> Nvml::read() const {
  return library_->read();
}

}  // namespace tessera::vendor
