// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.h"
#include "kernel/root.h"

namespace tessera::probe {

/// What a recording says about the machine's own names.
enum class Ids { scrubbed, kept };

/// A host as text that `--root FILE` reads again (kernel/recording.h has the format): everything
/// that take_snapshot() looks at, because that is what is done here while the looks are noted.
/// Long tables are cut down to the lines that the probe can use, files that were only listed are
/// left out, and probe/scrub.h says what Ids::scrubbed takes out. `root` is observed meanwhile.
/// Errors: those of take_snapshot().
Result<std::string> record_host(kernel::Root& root, Ids ids);

}  // namespace tessera::probe
