// SPDX-License-Identifier: Apache-2.0
// A libnvidia-ml.so whose answers stand in a text file; README.md says how. With TESSERA_NVML_418
// it has the functions of driver 418 only.
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "vendor/nvml_abi.h"

/// The type that users of the library know nothing of.
struct tessera::vendor::nvml_abi::DeviceHandle {
  std::uint32_t index;
};

namespace abi = tessera::vendor::nvml_abi;
using abi::Out;
using abi::Return;

namespace {

using Words = std::vector<std::string>;

struct Answers {
  std::map<std::string, std::string> lines;  ///< "gpu 0 nvmlDeviceGetUUID" to what follows
  std::map<std::uint32_t, abi::DeviceHandle> handles;
  std::uint32_t cards = 0;
  int users = 0;
};
Answers answers;

constexpr Return invalid_argument = 2;
constexpr Return uninitialized = 1;
constexpr Return unknown = 999;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

void log(std::string_view line) {
  if (const auto path = variable("TESSERA_NVML_LOG"); !path.empty()) {
    std::ofstream(path, std::ios::app) << line << '\n';
  }
}

void take_line(const std::string& line) {
  std::istringstream stream(line);
  std::string subject;
  stream >> subject;
  if (subject.empty() || subject.starts_with('#')) return;
  std::string key = subject;
  std::string word;
  if (subject != "lib") {
    stream >> word;
    key += ' ' + word;
    if (subject == "gpu") {
      const auto index = static_cast<std::uint32_t>(std::stoul(word));
      answers.cards = std::max(answers.cards, index + 1);
    }
  }
  stream >> word;
  key += ' ' + word;
  std::string rest;
  std::getline(stream >> std::ws, rest);
  answers.lines[key] = rest;
}

/// The answer's words; a code where it is an error, or there is none.
struct Answer {
  Return code = abi::success;
  std::string text;
  Words words;
};

Answer find(const std::string& subject, const std::string& function) {
  if (answers.users == 0) return {uninitialized, {}, {}};
  const auto line = answers.lines.find(subject + ' ' + function);
  if (line == answers.lines.end()) return {abi::not_supported, {}, {}};
  Answer answer{abi::success, line->second, {}};
  std::istringstream stream(line->second);
  for (std::string word; stream >> word;) answer.words.push_back(word);
  if (answer.words.size() == 2 && answer.words[0] == "error") {
    answer.code = static_cast<Return>(std::stoul(answer.words[1]));
  }
  return answer;
}

std::string gpu(abi::Device device) {
  return "gpu " + std::to_string(device->index);
}
std::string vgpu(abi::VgpuInstance instance) {
  return "vgpu " + std::to_string(instance);
}
std::string type(abi::VgpuTypeId id) {
  return "type " + std::to_string(id);
}

/// Writes the answer's numbers, one for each pointer.
template <typename... Numbers>
Return numbers(const std::string& subject, const std::string& function, Numbers*... out) {
  const Answer answer = find(subject, function);
  if (answer.code != abi::success) return answer.code;
  if (answer.words.size() != sizeof...(Numbers)) return unknown;
  std::size_t next = 0;
  ((*out = static_cast<Numbers>(std::stoull(answer.words[next++], nullptr, 0))), ...);
  return abi::success;
}

Return text(const std::string& subject, const std::string& function, char* buffer,
            std::uint32_t size) {
  const Answer answer = find(subject, function);
  if (answer.code != abi::success) return answer.code;
  if (answer.text.size() + 1 > size) return abi::insufficient_size;
  std::memcpy(buffer, answer.text.c_str(), answer.text.size() + 1);
  return abi::success;
}

/// Writes as many as there is room for, or says how many there are.
template <typename Element>
Return list(const std::string& subject, const std::string& function, Out count, Element* elements) {
  const Answer answer = find(subject, function);
  if (answer.code != abi::success) return answer.code;
  const auto found = static_cast<std::uint32_t>(answer.words.size());
  const bool fits = found <= *count;
  *count = found;
  if (!fits) return abi::insufficient_size;
  if (found > 0 && elements == nullptr) return invalid_argument;
  for (std::uint32_t i = 0; i < found; ++i) {
    elements[i] = static_cast<Element>(std::stoull(answer.words[i], nullptr, 0));
  }
  return abi::success;
}

}  // namespace

// The names and parameters are NVIDIA's.
// NOLINTBEGIN(readability-identifier-naming,readability-non-const-parameter)
extern "C" {

Return nvmlInit_v2() {
  log("init");
  if (answers.users == 0) {
    std::ifstream file(variable("TESSERA_NVML_VALUES"));
    if (!file) return abi::driver_not_loaded;
    for (std::string line; std::getline(file, line);) take_line(line);
  }
  ++answers.users;
  const Answer answer = find("lib", "nvmlInit_v2");
  if (answer.code == abi::not_supported) return abi::success;
  --answers.users;
  answers.lines.clear();
  return answer.code;
}

Return nvmlShutdown() {
  log("shutdown");
  if (answers.users == 0) return uninitialized;
  if (--answers.users == 0) answers = {};
  return abi::success;
}

Return nvmlSystemGetDriverVersion(char* version, std::uint32_t size) {
  return text("lib", "nvmlSystemGetDriverVersion", version, size);
}

Return nvmlDeviceGetCount_v2(Out count) {
  const Answer answer = find("lib", "nvmlDeviceGetCount_v2");
  if (answer.code != abi::not_supported) return answer.code;
  *count = answers.cards;
  return abi::success;
}

Return nvmlDeviceGetHandleByIndex_v2(std::uint32_t index, abi::Device* device) {
  const auto subject = "gpu " + std::to_string(index);
  const Answer answer = find(subject, "nvmlDeviceGetHandleByIndex_v2");
  if (answer.code != abi::not_supported) return answer.code;
  *device = &answers.handles.try_emplace(index, abi::DeviceHandle{index}).first->second;
  return abi::success;
}

Return nvmlDeviceGetPciInfo_v3(abi::Device device, abi::PciInfo* pci) {
  *pci = {};
  return text(gpu(device), "nvmlDeviceGetPciInfo_v3", pci->bus_id, sizeof(pci->bus_id));
}

Return nvmlDeviceGetUUID(abi::Device device, char* uuid, std::uint32_t size) {
  return text(gpu(device), "nvmlDeviceGetUUID", uuid, size);
}

Return nvmlDeviceGetName(abi::Device device, char* name, std::uint32_t size) {
  return text(gpu(device), "nvmlDeviceGetName", name, size);
}

Return nvmlDeviceGetVirtualizationMode(abi::Device device, Out mode) {
  return numbers(gpu(device), "nvmlDeviceGetVirtualizationMode", mode);
}

Return nvmlDeviceGetMemoryInfo(abi::Device device, abi::Memory* memory) {
  return numbers(gpu(device), "nvmlDeviceGetMemoryInfo", &memory->total, &memory->free,
                 &memory->used);
}

Return nvmlDeviceGetEccMode(abi::Device device, Out current, Out pending) {
  return numbers(gpu(device), "nvmlDeviceGetEccMode", current, pending);
}

Return nvmlDeviceGetTotalEccErrors(abi::Device device, std::uint32_t error, std::uint32_t counter,
                                   std::uint64_t* count) {
  const auto function =
      "nvmlDeviceGetTotalEccErrors/" + std::to_string(error) + '/' + std::to_string(counter);
  return numbers(gpu(device), function, count);
}

Return nvmlDeviceGetRetiredPages(abi::Device device, std::uint32_t cause, Out count,
                                 std::uint64_t* addresses) {
  return list(gpu(device), "nvmlDeviceGetRetiredPages/" + std::to_string(cause), count, addresses);
}

Return nvmlDeviceGetRetiredPagesPendingStatus(abi::Device device, Out pending) {
  return numbers(gpu(device), "nvmlDeviceGetRetiredPagesPendingStatus", pending);
}

Return nvmlDeviceGetUtilizationRates(abi::Device device, abi::Utilization* rates) {
  return numbers(gpu(device), "nvmlDeviceGetUtilizationRates", &rates->gpu, &rates->memory);
}

Return nvmlDeviceGetEncoderUtilization(abi::Device device, Out percent, Out period_us) {
  return numbers(gpu(device), "nvmlDeviceGetEncoderUtilization", percent, period_us);
}

Return nvmlDeviceGetDecoderUtilization(abi::Device device, Out percent, Out period_us) {
  return numbers(gpu(device), "nvmlDeviceGetDecoderUtilization", percent, period_us);
}

Return nvmlDeviceGetActiveVgpus(abi::Device device, Out count, abi::VgpuInstance* instances) {
  return list(gpu(device), "nvmlDeviceGetActiveVgpus", count, instances);
}

// "TYPE then ID TIME SM MEMORY ENCODER DECODER for each sample", values as unsigned integers.
Return nvmlDeviceGetVgpuUtilization(abi::Device device, std::uint64_t /*since_us*/, Out value_type,
                                    Out count, abi::VgpuUtilizationSample* samples) {
  const Answer answer = find(gpu(device), "nvmlDeviceGetVgpuUtilization");
  if (answer.code != abi::success) return answer.code;
  constexpr std::size_t words_of_one = 6;
  const auto found = static_cast<std::uint32_t>((answer.words.size() - 1) / words_of_one);
  const bool fits = found <= *count;
  *count = found;
  *value_type = static_cast<std::uint32_t>(std::stoul(answer.words[0]));
  if (!fits) return abi::insufficient_size;
  for (std::uint32_t i = 0; i < found; ++i) {
    const auto word = [&](std::size_t at) {
      return std::stoull(answer.words[1 + i * words_of_one + at]);
    };
    const auto value = [&](std::size_t at) {
      return abi::Value{.as_ulong = word(at)};  // on this machine the low half is as_uint
    };
    samples[i] = {
        static_cast<std::uint32_t>(word(0)), word(1), value(2), value(3), value(4), value(5)};
  }
  return abi::success;
}

Return nvmlVgpuInstanceGetUUID(abi::VgpuInstance instance, char* uuid, std::uint32_t size) {
  return text(vgpu(instance), "nvmlVgpuInstanceGetUUID", uuid, size);
}

// "KIND ID".
Return nvmlVgpuInstanceGetVmID(abi::VgpuInstance instance, char* id, std::uint32_t size, Out kind) {
  const Answer answer = find(vgpu(instance), "nvmlVgpuInstanceGetVmID");
  if (answer.code != abi::success) return answer.code;
  *kind = static_cast<std::uint32_t>(std::stoul(answer.words.at(0)));
  const std::string word = answer.words.size() > 1 ? answer.words[1] : "";
  if (word.size() + 1 > size) return abi::insufficient_size;
  std::memcpy(id, word.c_str(), word.size() + 1);
  return abi::success;
}

Return nvmlVgpuInstanceGetVmDriverVersion(abi::VgpuInstance instance, char* version,
                                          std::uint32_t size) {
  return text(vgpu(instance), "nvmlVgpuInstanceGetVmDriverVersion", version, size);
}

Return nvmlVgpuInstanceGetType(abi::VgpuInstance instance, abi::VgpuTypeId* id) {
  return numbers(vgpu(instance), "nvmlVgpuInstanceGetType", id);
}

Return nvmlVgpuInstanceGetFbUsage(abi::VgpuInstance instance, std::uint64_t* bytes) {
  return numbers(vgpu(instance), "nvmlVgpuInstanceGetFbUsage", bytes);
}

Return nvmlVgpuInstanceGetFrameRateLimit(abi::VgpuInstance instance, Out limit) {
  return numbers(vgpu(instance), "nvmlVgpuInstanceGetFrameRateLimit", limit);
}

Return nvmlVgpuInstanceGetLicenseStatus(abi::VgpuInstance instance, Out licensed) {
  return numbers(vgpu(instance), "nvmlVgpuInstanceGetLicenseStatus", licensed);
}

Return nvmlVgpuInstanceGetEccMode(abi::VgpuInstance instance, Out mode) {
  return numbers(vgpu(instance), "nvmlVgpuInstanceGetEccMode", mode);
}

Return nvmlVgpuInstanceGetEncoderStats(abi::VgpuInstance instance, Out sessions, Out fps,
                                       Out latency_us) {
  return numbers(vgpu(instance), "nvmlVgpuInstanceGetEncoderStats", sessions, fps, latency_us);
}

Return nvmlVgpuInstanceGetEncoderCapacity(abi::VgpuInstance instance, Out percent) {
  return numbers(vgpu(instance), "nvmlVgpuInstanceGetEncoderCapacity", percent);
}

Return nvmlVgpuTypeGetName(abi::VgpuTypeId id, char* name, Out size) {
  return text(type(id), "nvmlVgpuTypeGetName", name, *size);
}

Return nvmlVgpuTypeGetFramebufferSize(abi::VgpuTypeId id, std::uint64_t* bytes) {
  return numbers(type(id), "nvmlVgpuTypeGetFramebufferSize", bytes);
}

#ifndef TESSERA_NVML_418

Return nvmlDeviceGetArchitecture(abi::Device device, Out architecture) {
  return numbers(gpu(device), "nvmlDeviceGetArchitecture", architecture);
}

Return nvmlDeviceGetMemoryBusWidth(abi::Device device, Out bits) {
  return numbers(gpu(device), "nvmlDeviceGetMemoryBusWidth", bits);
}

Return nvmlDeviceGetMigMode(abi::Device device, Out current, Out pending) {
  return numbers(gpu(device), "nvmlDeviceGetMigMode", current, pending);
}

Return nvmlDeviceGetHostVgpuMode(abi::Device device, Out mode) {
  return numbers(gpu(device), "nvmlDeviceGetHostVgpuMode", mode);
}

Return nvmlDeviceGetVgpuHeterogeneousMode(abi::Device device, abi::VgpuHeterogeneousMode* mode) {
  if (mode->version != 0x1000008) return abi::argument_version_mismatch;
  return numbers(gpu(device), "nvmlDeviceGetVgpuHeterogeneousMode", &mode->mode);
}

Return nvmlDeviceGetMemoryInfo_v2(abi::Device device, abi::MemoryV2* memory) {
  if (memory->version != 0x2000028) return abi::argument_version_mismatch;
  return numbers(gpu(device), "nvmlDeviceGetMemoryInfo_v2", &memory->total, &memory->reserved,
                 &memory->free, &memory->used);
}

Return nvmlDeviceGetRemappedRows(abi::Device device, Out corrected, Out uncorrected, Out pending,
                                 Out failure) {
  return numbers(gpu(device), "nvmlDeviceGetRemappedRows", corrected, uncorrected, pending,
                 failure);
}

// "POLICY MODE FIRST SECOND".
Return nvmlDeviceGetVgpuSchedulerState(abi::Device device, abi::VgpuSchedulerState* state) {
  return numbers(gpu(device), "nvmlDeviceGetVgpuSchedulerState", &state->policy,
                 &state->adaptive_round_robin, &state->parameters[0], &state->parameters[1]);
}

Return nvmlVgpuInstanceGetMdevUUID(abi::VgpuInstance instance, char* uuid, std::uint32_t size) {
  return text(vgpu(instance), "nvmlVgpuInstanceGetMdevUUID", uuid, size);
}

// "LICENSED STATE EXPIRY-STATUS YEAR MONTH DAY HOUR MINUTE SECOND".
Return nvmlVgpuInstanceGetLicenseInfo_v2(abi::VgpuInstance instance, abi::VgpuLicenceInfo* info) {
  auto& expiry = info->expiry;
  return numbers(vgpu(instance), "nvmlVgpuInstanceGetLicenseInfo_v2", &info->is_licensed,
                 &info->state, &expiry.status, &expiry.year, &expiry.month, &expiry.day,
                 &expiry.hour, &expiry.minute, &expiry.second);
}

Return nvmlVgpuInstanceGetGpuInstanceId(abi::VgpuInstance instance, Out id) {
  return numbers(vgpu(instance), "nvmlVgpuInstanceGetGpuInstanceId", id);
}

Return nvmlVgpuInstanceGetPlacementId(abi::VgpuInstance instance, abi::VgpuPlacementId* place) {
  if (place->version != 0x1000008) return abi::argument_version_mismatch;
  return numbers(vgpu(instance), "nvmlVgpuInstanceGetPlacementId", &place->placement_id);
}

#endif
}  // extern "C"
// NOLINTEND(readability-identifier-naming,readability-non-const-parameter)
