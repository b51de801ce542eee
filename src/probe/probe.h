// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.h"
#include "kernel/root.h"
#include "model/host.h"

namespace tessera::probe {

/// Reads a host, live or recorded, into one plain value. Nothing is written, no device is woken up
/// (with Detail::cards no configuration space is read at all), and nothing is made up: a file that
/// is not there leaves its value absent, one that may not be read leaves it unreadable with the
/// reason. Errors: not_found when `root` shows neither PCI devices nor processes (it is no host);
/// denied or io when the list of PCI devices itself cannot be read.
Result<model::HostSnapshot> take_snapshot(const kernel::Root& root,
                                          model::Detail detail = model::Detail::everything);

}  // namespace tessera::probe
