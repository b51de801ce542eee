// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/mdev_definition.h"
#include "model/slice.h"

namespace tessera::model {

/// What a virtual function of an Intel card gets of it. What is not named is left to the driver.
/// xe names the files vram_quota, exec_quantum_ms, ...; i915 lmem_quota, ggtt_quota, ....
struct SliceQuotas {
  std::optional<std::uint64_t> vram_bytes;  ///< memory on the card
  std::optional<std::uint64_t> ggtt_bytes;  ///< i915: of the global address table
  std::optional<int> contexts;              ///< i915
  std::optional<int> doorbells;             ///< i915
  std::optional<int> exec_quantum_ms;       ///< how long it may run in a row; 0: no limit
  std::optional<int> preempt_timeout_us;    ///< how long it may take to stop then; 0: no limit
  std::string sched_priority;               ///< xe: "low", "normal"; empty: not named
  bool operator==(const SliceQuotas&) const = default;
};

/// A parameter of a vGPU: {"frame_rate_limiter", "0"}.
struct SliceSetting {
  std::string name;
  std::string value;
  bool operator==(const SliceSetting&) const = default;
};

/// A slice on a virtual function, as /etc/tessera/host.yaml defines it. The function is named by
/// its number among those of its card, because its address is another one on another boot.
struct HostSlice {
  using Start = MdevDefinition::Start;
  std::string card;  ///< its identity, or an address of it
  Framework framework = Framework::vendor_vfio;
  int vf = 0;                          ///< N of the card's virtfnN: from 0
  std::string type;                    ///< vendor-VFIO: a profile's name or number; else empty
  std::vector<SliceSetting> settings;  ///< vendor-VFIO: vgpu_params, in this order
  SliceQuotas quotas;                  ///< xe and i915
  Start start = Start::automatic;
  bool operator==(const HostSlice&) const = default;
};

/// /etc/tessera/host.yaml: what shall be on this host after a boot and has no home elsewhere
/// (docs/host-file.md). Mediated devices have one: mdevctl's files.
struct HostFile {
  std::vector<HostSlice> slices;
  bool operator==(const HostFile&) const = default;
};

/// Reads the file. The schema is strict. Errors: invalid with subject "file:line:column": no YAML,
/// an unknown key (with the nearest known one), a key that the framework has no use for, a wrong
/// type, a size without its unit, a number out of its range, a virtual function given twice.
Result<HostFile> parse_host_file(std::string_view yaml, const std::string& file);

/// The file as we write it; parse_host_file() reads the same. Only what is not the default is said.
std::string to_yaml(const HostFile& host);

/// `text`, which reads as some host file, changed so that it reads as `wanted`. Entries that stay
/// keep their lines and people's comments with them; new ones come last. Where that cannot be done
/// line by line (a list in one line, another order), and of an empty text, all is written anew.
/// Errors: invalid, when `text` is no host file.
Result<std::string> edited_host_file(std::string_view text, const HostFile& wanted,
                                     const std::string& file);

/// The value of NVIDIA's vgpu_params: "frame_rate_limiter=0,disable_vnc=1".
std::string vgpu_params(const std::vector<SliceSetting>& settings);

}  // namespace tessera::model
