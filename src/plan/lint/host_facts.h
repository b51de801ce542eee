// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/host.h"

/// What several rules ask of a host. Each answer is "no" where the snapshot does not tell.
namespace tessera::plan::linting {

/// Whether what the snapshot does not list is not there: it is this machine, or a recording that
/// goes down to the host bridge.
bool lists_every_device(const model::HostSnapshot& host);

/// "0000:01:00.0, 0000:02:00.0".
std::string addresses_of(const std::vector<const model::PciFunction*>& functions);

/// Major and minor of the kernel's release; nothing where it is not known.
std::optional<std::pair<int, int>> kernel_version(const model::HostSnapshot& host);

/// Whether the kernel log has a line with all of `words`.
bool log_says(const model::HostSnapshot& host, std::initializer_list<std::string_view> words);

/// The kernel booted with GRUB's own "BOOT_IMAGE=": true or false; nothing where it is not known.
std::optional<bool> booted_by_grub(const model::HostSnapshot& host);

/// Whether any function makes mediated devices, or has some.
bool has_mdev(const model::HostSnapshot& host);
/// Whether any function has the vendor's own vGPU files, as kernels from 6.8 have them.
bool has_vendor_vgpu(const model::HostSnapshot& host);

}  // namespace tessera::plan::linting
