// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/pci.h"
#include "model/reading.h"

namespace tessera::model {

// What a vendor says of the health of a card and of the vGPUs on it. Each value is in one of four
// states, and they are not alike:
//
//   a value           0 is one: "no errors" is something that was counted
//   absent            this source does not tell it: an older driver, a shorter report
//   unreadable "N/A"  the driver answered that the card has no such value now (not_applicable)
//   unreadable, why   the driver failed to answer ("GPU_IS_LOST", "NO_PERMISSION"), said nothing
//                     where a value belongs ("empty"), or said something that makes no sense

/// Reading::why() where the vendor says that there is no such value: nvidia-smi's "N/A" and
/// "[Not Supported]", NVML's NOT_SUPPORTED. A card without ECC memory has no ECC mode, a card in
/// MIG mode no utilization of its own.
inline constexpr std::string_view not_applicable = "N/A";

template <typename T>
bool is_not_applicable(const Reading<T>& reading) {
  return reading.why() == not_applicable;
}

/// A mode that changes with the next reset only: what is, and what is asked for.
struct Switch {
  Reading<bool> current;
  Reading<bool> pending;
  bool operator==(const Switch&) const = default;
};

/// Memory errors that ECC saw, in all memories of the card together (where the driver counts only
/// some of them, in those).
struct EccCounts {
  Reading<std::uint64_t> corrected;    ///< single-bit
  Reading<std::uint64_t> uncorrected;  ///< double-bit; SRAM's parity errors too
  bool operator==(const EccCounts&) const = default;
};

/// Pages of framebuffer that are not used any more, up to 64: before Ampere.
struct RetiredPages {
  Reading<std::uint64_t> single_bit;  ///< after several corrected errors in one page
  Reading<std::uint64_t> double_bit;  ///< after one that could not be corrected
  Reading<bool> pending;              ///< takes effect when the driver is loaded anew
  bool operator==(const RetiredPages&) const = default;
};

/// Memory rows that spare ones stand in for, up to 512: Ampere and later.
struct RemappedRows {
  Reading<std::uint64_t> correctable;
  Reading<std::uint64_t> uncorrectable;
  Reading<bool> pending;  ///< takes effect with the next reset of the card
  Reading<bool> failure;  ///< a row could not be remapped, now or ever
  bool operator==(const RemappedRows&) const = default;
};

/// Percent of the last sample period (at most a second) in which a part was busy.
struct Utilization {
  Reading<int> gpu;
  Reading<int> memory;
  Reading<int> encoder;
  Reading<int> decoder;
  bool operator==(const Utilization&) const = default;
};

/// NVML_GPU_VIRTUALIZATION_MODE_*: what the driver that answers has to do with machines.
enum class VirtualizationMode {
  none,
  pass_through,  ///< it runs in a machine that owns the card
  vgpu,          ///< it runs in a machine that has a vGPU
  host_vgpu,     ///< it makes vGPUs
  host_vsga,     ///< the card draws for machines through a hypervisor's own device
};
/// "none", "pass-through", "vgpu", "host-vgpu", "host-vsga".
std::string_view to_string(VirtualizationMode mode);

/// NVML_HOST_VGPU_MODE_*: how a host_vgpu card makes them.
enum class HostVgpuMode {
  non_sriov,  ///< on the card itself: before Ampere
  sriov,      ///< on virtual functions
};
/// "non-sriov", "sriov".
std::string_view to_string(HostVgpuMode mode);

/// NVML_VGPU_SCHEDULER_POLICY_*: how vGPUs on one card share its time.
enum class SchedulerPolicy {
  best_effort,
  equal_share,  ///< among the vGPUs that are there
  fixed_share,  ///< among as many as the card could hold
};
/// "best-effort", "equal-share", "fixed-share".
std::string_view to_string(SchedulerPolicy policy);

struct GpuHealth {
  PciAddress address;
  Reading<std::string> uuid;          ///< "GPU-513536b6-..."
  Reading<std::string> name;          ///< "NVIDIA A100-SXM4-80GB"
  Reading<std::string> architecture;  ///< "Pascal", "Ada Lovelace"
  Reading<std::string> driver_version;
  Switch mig;
  Reading<VirtualizationMode> virtualization;
  Reading<HostVgpuMode> host_vgpu;
  Reading<bool> mixed_sizes;  ///< heterogeneous mode: vGPUs of different sizes side by side
  /// What the driver can give out and what it keeps; what ECC takes is not in it any more.
  Reading<std::uint64_t> framebuffer_total_bytes;
  /// Given out. Where `framebuffer_reserved_bytes` is absent (drivers before 510), it is in here.
  Reading<std::uint64_t> framebuffer_used_bytes;
  Reading<std::uint64_t> framebuffer_reserved_bytes;  ///< the driver's and the firmware's own
  Reading<int> memory_bus_bits;  ///< thousands with HBM, at most 512 with GDDR; NVML only
  Switch ecc;
  EccCounts volatile_errors;   ///< since the driver was loaded
  EccCounts aggregate_errors;  ///< in the card's life
  RetiredPages retired_pages;
  RemappedRows remapped_rows;
  /// What the driver asks for after an error: "None", "Reset", "Reboot", "Drain P2P", "Drain and
  /// Reset"; nvidia-smi of 565 and later.
  Reading<std::string> recovery_action;
  Utilization utilization;
  Reading<int> vgpu_count;               ///< that it carries; NVML only
  Reading<SchedulerPolicy> scheduler;    ///< NVML only
  Reading<std::uint64_t> time_slice_ns;  ///< of the scheduler; NVML only
  bool operator==(const GpuHealth&) const = default;
};

struct VgpuHealth {
  PciAddress card;                 ///< that it is on
  std::uint32_t vgpu_id = 0;       ///< NVML's handle, 3251637554; another one after each start
  Reading<std::string> uuid;       ///< the vGPU's own
  Reading<std::string> mdev_uuid;  ///< mdev interface only
  Reading<std::string> vm_uuid;
  Reading<std::string> vm_name;    ///< nvidia-smi only
  Reading<std::uint32_t> type_id;  ///< 1519
  Reading<std::string> type_name;  ///< "NVIDIA RTX Pro 6000 Blackwell DC-3Q"
  Reading<std::uint64_t> framebuffer_total_bytes;
  Reading<std::uint64_t> framebuffer_used_bytes;
  Reading<int> frame_rate_limit;  ///< frames per second; N/A where nothing limits it
  Reading<std::string> licence;   ///< "Licensed (Expiry: ...)", "Unlicensed (Unrestricted)"
  Reading<std::string> guest_driver_version;  ///< N/A while no driver runs in the machine
  Reading<bool> ecc;
  Reading<int> encoder_sessions;
  Reading<int> encoder_capacity_percent;  ///< of the card's encoders that it may use; NVML only
  Utilization utilization;                ///< of the whole card
  Reading<int> placement_id;              ///< inside the GPU instance where there is one
  Reading<int> gpu_instance;              ///< MIG-backed
  bool operator==(const VgpuHealth&) const = default;
};

/// All that one source said.
struct HealthReport {
  std::string source;  ///< "nvidia-smi -q -x", "libnvidia-ml.so.1": for evidence
  std::vector<GpuHealth> gpus;
  std::vector<VgpuHealth> vgpus;
  /// Cards that the driver counts and cannot open, in its words: "GPU3: 0000:5F:00.0: Unknown
  /// Error". They are in no other list.
  std::vector<std::string> unreachable;

  [[nodiscard]] const GpuHealth* gpu(const PciAddress& address) const;
};

}  // namespace tessera::model
