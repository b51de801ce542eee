// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kernel/root.h"

namespace tessera::kernel {

/// One line of modules.alias that can claim a PCI device: "alias PATTERN MODULE".
struct ModuleAlias {
  std::string pattern;  ///< e.g. "vfio_pci:v*d*sv*sd*bc*sc*i*"
  std::string module;
};

/// The lines of a modules.alias file whose pattern starts with one of `starts` ("vfio_pci:",
/// "pci:v000010DE"), in the file's order. Lines of another shape are skipped: the file is depmod's,
/// not a user's. Ask for what is needed only: a table has 25 000 lines.
std::vector<ModuleAlias> parse_modules_alias(std::string_view text,
                                             std::span<const std::string> starts);

/// The module whose vfio_pci: alias fits `modalias` (a PCI function's modalias file, "pci:v...")
/// best: libvirt's rule since 10.0, the pattern with the fewest wildcards wins, so a variant
/// driver (mlx5_vfio_pci, xe_vfio_pci, nvgrace_gpu_vfio_pci) beats vfio_pci. Empty if none fits.
std::string best_vfio_module(const std::vector<ModuleAlias>& aliases, std::string_view modalias);

/// Whether `name` (with '-' or '_') is loaded or built in.
bool module_present(const Root& root, std::string_view name);

/// Loads a module and what it needs, as modprobe does (blacklists apply to aliases only).
/// On the live system through libkmod, on a rehearsal host through its control file.
/// Errors: not_found, denied (lockdown, signature), unsupported on a recording.
Status load_module(const Root& root, std::string_view name);

/// Removes a module if nothing uses it: no other module, no open file, and no device that one of
/// its drivers is bound to (the kernel would remove the driver under it, and leave it without one).
/// Errors: busy when it is in use, not_found, denied.
Status unload_module(const Root& root, std::string_view name);

}  // namespace tessera::kernel
