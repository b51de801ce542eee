// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "kernel/processes.h"
#include "kernel/root.h"
#include "model/host.h"

namespace tessera::probe::slices {

/// Fills in who has each slice's VFIO device open: its group's file (/dev/vfio/N) or its own
/// (/dev/vfio/devices/vfioN, by the folder vfio-dev below the device). Looks through all
/// processes' open files, so it is not a part of every snapshot.
void find_slice_users(const kernel::Root& root, model::HostSnapshot& host);

}  // namespace tessera::probe::slices
