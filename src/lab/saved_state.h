// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "lab/instance.h"
#include "lab/qemu_args.h"
#include "lab/spec.h"

namespace tessera::lab {

// A booted host is saved once, at the point where its agent waits to be entered (drivers loaded,
// nothing of the machine outside mounted, so that it holds nothing that could have changed), and
// resumed from then on: a second instead of ten. docs/designs/lab-resume.md tells more.

/// Where a host's state is kept, and what it is a state of.
struct SavedState {
  std::string file;  ///< CACHE/states/HOST-HASH.zst, QEMU's migration stream
  /// Everything that has to be the same for it to fit, as text: QEMU, its options, kernel, initrd.
  /// Kept beside the file (.txt) and compared in full.
  std::string description;
};

/// The state of this host, which may not be there yet. Nothing where it can have none: QEMU cannot
/// save every device (identity cards, nvme, edu, ati, AMD-Vi), and under KVM a boot is fast.
std::optional<SavedState> state_of(const Places& places, const LabSpec& spec,
                                   const Outside& outside);

/// Whether it is there; then it counts as used now.
bool is_saved(const SavedState& state);

/// The words that make QEMU start with it instead of booting.
std::vector<std::string> resume_arguments(const SavedState& state);

/// Saves a running host over its QMP socket; it stands still at the end of it and goes on
/// afterwards. Old states beyond the twenty last used are removed.
/// Errors: invalid with QEMU's words when a device cannot be saved, io, timeout.
Status save_state(const SavedState& state, const std::string& qmp_socket, Deadline deadline);

/// Removes one that did not work.
void forget_state(const SavedState& state);

}  // namespace tessera::lab
