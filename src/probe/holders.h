// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "kernel/processes.h"
#include "model/host.h"

namespace tessera::probe {

/// Who has device files of the cards open: one holder for each process and function, sorted by
/// process. A file that several functions of a group share (/dev/vfio/7) counts for the first.
std::vector<model::Holder> find_holders(const model::HostSnapshot& host,
                                        const kernel::OpenDeviceScan& scan);

}  // namespace tessera::probe
