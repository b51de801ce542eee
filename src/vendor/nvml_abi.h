// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

/// The binary interface of libnvidia-ml.so.1, as far as it is used: NVML's C types by the names
/// that they have there, so that its reference manual can be read beside them. Versioned structs
/// carry their size and version in their first member; the library refuses others
/// (ARGUMENT_VERSION_MISMATCH).
namespace tessera::vendor::nvml_abi {

struct DeviceHandle;                 ///< opaque
using Device = DeviceHandle*;        ///< nvmlDevice_t
using VgpuInstance = std::uint32_t;  ///< nvmlVgpuInstance_t
using VgpuTypeId = std::uint32_t;    ///< nvmlVgpuTypeId_t

/// nvmlReturn_t; nvml_error_word() gives the names.
using Return = std::uint32_t;
inline constexpr Return success = 0;
inline constexpr Return not_supported = 3;
inline constexpr Return no_permission = 4;
inline constexpr Return insufficient_size = 7;
inline constexpr Return driver_not_loaded = 9;
inline constexpr Return function_not_found = 13;
inline constexpr Return lib_rm_version_mismatch = 18;
inline constexpr Return vgpu_ecc_not_supported = 22;
inline constexpr Return argument_version_mismatch = 25;

/// NVML_STRUCT_VERSION: the size, and the version in the upper byte.
constexpr std::uint32_t struct_version(std::size_t size, std::uint32_t version) {
  return static_cast<std::uint32_t>(size) | version << 24U;
}

struct PciInfo {  ///< nvmlPciInfo_t of nvmlDeviceGetPciInfo_v3
  char bus_id_legacy[16];
  std::uint32_t domain;
  std::uint32_t bus;
  std::uint32_t device;
  std::uint32_t pci_device_id;
  std::uint32_t pci_sub_system_id;
  char bus_id[32];  ///< "00000000:3B:00.0"
};
static_assert(sizeof(PciInfo) == 68);

struct Memory {  ///< nvmlMemory_t, bytes; used holds what is reserved too
  std::uint64_t total;
  std::uint64_t free;
  std::uint64_t used;
};

struct MemoryV2 {  ///< nvmlMemory_v2_t, bytes
  std::uint32_t version;
  std::uint64_t total;
  std::uint64_t reserved;
  std::uint64_t free;
  std::uint64_t used;
};
inline constexpr std::uint32_t memory_v2 = struct_version(sizeof(MemoryV2), 2);
static_assert(memory_v2 == 0x2000028 && offsetof(MemoryV2, total) == 8);

struct Utilization {  ///< nvmlUtilization_t, percent
  std::uint32_t gpu;
  std::uint32_t memory;
};

struct VgpuHeterogeneousMode {  ///< nvmlVgpuHeterogeneousMode_v1_t
  std::uint32_t version;
  std::uint32_t mode;
};
inline constexpr std::uint32_t vgpu_heterogeneous_mode_v1 =
    struct_version(sizeof(VgpuHeterogeneousMode), 1);
static_assert(vgpu_heterogeneous_mode_v1 == 0x1000008);

struct VgpuPlacementId {  ///< nvmlVgpuPlacementId_v1_t
  std::uint32_t version;
  std::uint32_t placement_id;
};
inline constexpr std::uint32_t vgpu_placement_id_v1 = struct_version(sizeof(VgpuPlacementId), 1);
static_assert(vgpu_placement_id_v1 == 0x1000008);
inline constexpr std::uint32_t invalid_placement_id = 0xffff;
inline constexpr std::uint32_t invalid_gpu_instance = 0xffffffff;

/// nvmlVgpuSchedulerGetState_t. `parameters` is a union: {time slice}, or {average factor, time
/// slice} with adaptive round robin; time slices in ns.
struct VgpuSchedulerState {
  std::uint32_t policy;
  std::uint32_t adaptive_round_robin;  ///< not 0: on (to 525); a mode, where 1 is off (later)
  std::uint32_t parameters[2];
};
static_assert(sizeof(VgpuSchedulerState) == 16);

struct VgpuLicenceExpiry {  ///< nvmlVgpuLicenseExpiry_t
  std::uint32_t year;
  std::uint16_t month;
  std::uint16_t day;
  std::uint16_t hour;
  std::uint16_t minute;
  std::uint16_t second;
  std::uint8_t status;  ///< 2: valid, 4: permanent
};
struct VgpuLicenceInfo {  ///< nvmlVgpuLicenseInfo_t of nvmlVgpuInstanceGetLicenseInfo_v2
  std::uint8_t is_licensed;
  VgpuLicenceExpiry expiry;
  std::uint32_t state;
};
static_assert(sizeof(VgpuLicenceExpiry) == 16 && sizeof(VgpuLicenceInfo) == 24);

union Value {              ///< nvmlValue_t; a nvmlValueType_t says which member
  double as_double;        ///< 0
  std::uint32_t as_uint;   ///< 1
  std::uint64_t as_ulong;  ///< 2, and 3 (unsigned long long)
};
struct VgpuUtilizationSample {  ///< nvmlVgpuInstanceUtilizationSample_t
  VgpuInstance instance;
  std::uint64_t time_us;
  Value sm;
  Value memory;
  Value encoder;
  Value decoder;
};
static_assert(sizeof(VgpuUtilizationSample) == 48);

/// A function of the library; null where this library has none of that name.
template <typename... Arguments>
using Function = Return (*)(Arguments...);

// C enums are passed as 32 bits.
using Out = std::uint32_t*;

/// The functions that are used, by their names. A number is that of the driver that brought one.
struct Functions {
  // The library.
  Function<> nvmlInit_v2 = nullptr;
  Function<> nvmlShutdown = nullptr;
  Function<char*, std::uint32_t> nvmlSystemGetDriverVersion = nullptr;
  Function<Out> nvmlDeviceGetCount_v2 = nullptr;
  Function<std::uint32_t, Device*> nvmlDeviceGetHandleByIndex_v2 = nullptr;
  // A card.
  Function<Device, PciInfo*> nvmlDeviceGetPciInfo_v3 = nullptr;
  Function<Device, char*, std::uint32_t> nvmlDeviceGetUUID = nullptr;
  Function<Device, char*, std::uint32_t> nvmlDeviceGetName = nullptr;
  Function<Device, Out> nvmlDeviceGetArchitecture = nullptr;    ///< 450
  Function<Device, Out> nvmlDeviceGetMemoryBusWidth = nullptr;  ///< 510
  Function<Device, Out, Out> nvmlDeviceGetMigMode = nullptr;    ///< current, pending; 450
  Function<Device, Out> nvmlDeviceGetVirtualizationMode = nullptr;
  Function<Device, Out> nvmlDeviceGetHostVgpuMode = nullptr;                              ///< 450
  Function<Device, VgpuHeterogeneousMode*> nvmlDeviceGetVgpuHeterogeneousMode = nullptr;  ///< 550
  Function<Device, MemoryV2*> nvmlDeviceGetMemoryInfo_v2 = nullptr;                       ///< 510
  Function<Device, Memory*> nvmlDeviceGetMemoryInfo = nullptr;
  Function<Device, Out, Out> nvmlDeviceGetEccMode = nullptr;  ///< current, pending
  /// 0 corrected, 1 uncorrected; 0 volatile, 1 aggregate.
  Function<Device, std::uint32_t, std::uint32_t, std::uint64_t*> nvmlDeviceGetTotalEccErrors =
      nullptr;
  /// 0 after single-bit errors, 1 after a double-bit error; count in and out; addresses.
  Function<Device, std::uint32_t, Out, std::uint64_t*> nvmlDeviceGetRetiredPages = nullptr;
  Function<Device, Out> nvmlDeviceGetRetiredPagesPendingStatus = nullptr;
  /// Correctable, uncorrectable, pending, failure; 450.
  Function<Device, Out, Out, Out, Out> nvmlDeviceGetRemappedRows = nullptr;
  Function<Device, Utilization*> nvmlDeviceGetUtilizationRates = nullptr;
  Function<Device, Out, Out> nvmlDeviceGetEncoderUtilization = nullptr;  ///< percent, period in us
  Function<Device, Out, Out> nvmlDeviceGetDecoderUtilization = nullptr;
  Function<Device, VgpuSchedulerState*> nvmlDeviceGetVgpuSchedulerState = nullptr;  ///< 525
  Function<Device, Out, VgpuInstance*> nvmlDeviceGetActiveVgpus = nullptr;
  /// Since when in us, type of the values, count in and out, samples.
  Function<Device, std::uint64_t, Out, Out, VgpuUtilizationSample*> nvmlDeviceGetVgpuUtilization =
      nullptr;
  // A vGPU.
  Function<VgpuInstance, char*, std::uint32_t> nvmlVgpuInstanceGetUUID = nullptr;
  Function<VgpuInstance, char*, std::uint32_t> nvmlVgpuInstanceGetMdevUUID = nullptr;
  Function<VgpuInstance, char*, std::uint32_t, Out> nvmlVgpuInstanceGetVmID = nullptr;
  Function<VgpuInstance, char*, std::uint32_t> nvmlVgpuInstanceGetVmDriverVersion = nullptr;
  Function<VgpuInstance, VgpuTypeId*> nvmlVgpuInstanceGetType = nullptr;
  Function<VgpuInstance, std::uint64_t*> nvmlVgpuInstanceGetFbUsage = nullptr;
  Function<VgpuInstance, Out> nvmlVgpuInstanceGetFrameRateLimit = nullptr;
  Function<VgpuInstance, VgpuLicenceInfo*> nvmlVgpuInstanceGetLicenseInfo_v2 = nullptr;  ///< 510
  Function<VgpuInstance, Out> nvmlVgpuInstanceGetLicenseStatus = nullptr;
  Function<VgpuInstance, Out> nvmlVgpuInstanceGetEccMode = nullptr;
  /// Sessions, average frames per second, average latency in us.
  Function<VgpuInstance, Out, Out, Out> nvmlVgpuInstanceGetEncoderStats = nullptr;
  Function<VgpuInstance, Out> nvmlVgpuInstanceGetEncoderCapacity = nullptr;
  Function<VgpuInstance, Out> nvmlVgpuInstanceGetGpuInstanceId = nullptr;             ///< 450
  Function<VgpuInstance, VgpuPlacementId*> nvmlVgpuInstanceGetPlacementId = nullptr;  ///< 550
  // A type.
  Function<VgpuTypeId, char*, Out> nvmlVgpuTypeGetName = nullptr;
  Function<VgpuTypeId, std::uint64_t*> nvmlVgpuTypeGetFramebufferSize = nullptr;
};

}  // namespace tessera::vendor::nvml_abi
