// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "fakehost/host.h"

namespace tessera::fakehost {

enum class Stay { foreground, background };

/// Mounts the host at `mount_point` and plays it until it is unmounted or gets SIGTERM or SIGINT.
/// In the background the caller's process ends with 0 as soon as the mount is there.
/// Returns the exit status.
int play(Host& host, const std::string& mount_point, Stay stay);

}  // namespace tessera::fakehost
