// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/slice_health.h"

namespace tessera::vendor {

inline constexpr std::string_view nvml_library = "libnvidia-ml.so.1";

/// NVIDIA's management library, opened while the object lives. It comes with the driver, so it is
/// loaded when it is there and never linked. It answers for the cards of this machine and no other
/// host: do not ask it for a recording or a folder.
///
/// Functions come with driver versions: one that this library has not gives absent values, one that
/// the card has no answer for gives model::not_applicable, any other failure NVML's own word
/// ("GPU_IS_LOST", "NO_PERMISSION").
class Nvml {
 public:
  /// Loads `library` (a name that the dynamic linker looks for, or a path) and initializes it.
  /// Errors: not_found: no such library. unsupported: the driver is not loaded, is of another
  /// version than the library, or the library lacks a function without which nothing can be asked.
  /// denied, io: as it says.
  static Result<Nvml> open(const std::string& library = std::string(nvml_library));
  ~Nvml();  ///< shuts the library down and unloads it
  Nvml(Nvml&& other) noexcept;
  Nvml& operator=(Nvml&& other) noexcept;
  Nvml(const Nvml&) = delete;
  Nvml& operator=(const Nvml&) = delete;

  /// All cards and vGPUs. A card that does not say its address is in `unreachable`; where the list
  /// of a card's vGPUs cannot be read, its `vgpu_count` says why. Errors: io, where not even the
  /// number of cards is told.
  [[nodiscard]] Result<model::HealthReport> read() const;

 private:
  class Library;
  explicit Nvml(std::unique_ptr<Library> library);
  std::unique_ptr<Library> library_;
};

/// NVML's word for a return code, without its prefix: "GPU_IS_LOST"; "error 4711" for others.
std::string nvml_error_word(std::uint32_t code);

}  // namespace tessera::vendor
