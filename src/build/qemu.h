// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "model/host.h"
#include "model/machine.h"

namespace tessera::build {

/// What QEMU gets for a machine on a host.
struct MachineBuild {
  std::vector<std::string> argv;   ///< argv[0] is the program, looked for in PATH
  std::vector<std::string> notes;  ///< what was decided and why, for people
};

/// Makes the QEMU command line of `spec` on `host`. Pure: no file is opened.
///
/// Each card gets a PCIe root port of its own, and all its functions sit in one guest slot, as on
/// the board: guest drivers look for a GPU's audio at the same slot. The display function comes
/// first.
///
/// A slice gets a root port too. Its screen can be looked at where the slice draws into a region of
/// its own (VFIO_DEVICE_QUERY_GFX_PLANE); those of GVT-g hand out DMA buffers, which need OpenGL.
///
/// Errors: invalid (the spec itself, see model::check); not_found (no such card or slice in the
/// snapshot); unsupported (no IOMMU group: the IOMMU is off, or no VFIO driver has the slice);
/// conflict (a function of the card is on no VFIO driver, or a stranger in its group is on a host
/// driver: the kernel would call the group not viable; a slice is another machine's); busy (a slice
/// is open in another process).
Result<MachineBuild> build_machine(const model::HostSnapshot& host, const model::MachineSpec& spec);

/// The command line for reading and pasting: one option a line, quoted for a shell.
std::string as_shell_text(const std::vector<std::string>& argv);

/// What QEMU meant when it gave up: its own words, joined with the causes we know.
/// `output` is all it wrote on standard error. The kind is `unsupported` only where KVM is to
/// blame: the same machine can still be emulated.
Error explain_qemu_failure(const model::MachineSpec& spec, const std::string& output);

}  // namespace tessera::build
