// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kernel/root.h"
#include "model/file_state.h"
#include "model/host_file.h"
#include "model/mdev_definition.h"
#include "model/reading.h"

namespace tessera::probe {

/// The mediated devices that mdevctl's files define, by parent, then by the file's name. A file
/// that is broken, cannot be read, or has a name that is no UUID is there with its error and stops
/// none of the others (it stops mdevctl, which then lists nothing). Hidden files and the folders of
/// mdevctl's scripts are passed over. Absent where /etc/mdevctl.d is: on a live host there are no
/// definitions then; a recording may just not have the folder.
model::Reading<std::vector<model::MdevDefinitionFile>> read_mdev_definitions(
    const kernel::Root& root);

/// The same for those who change definitions or make what they say: none where there is no such
/// folder. Errors: denied where it cannot be read.
Result<std::vector<model::MdevDefinitionFile>> mdev_definitions(const kernel::Root& root);

/// /etc/tessera/host.yaml; nothing where there is no such file. Errors: as
/// model::parse_host_file(), and as kernel::Root::read().
Result<std::optional<model::HostFile>> read_host_file(const kernel::Root& root);

/// A settings file as it is before a change: its text, and which folders above it are not there.
/// Errors: as kernel::Root::read(), but not `not_found`.
Result<model::FileState> read_file_state(const kernel::Root& root, std::string_view path);

}  // namespace tessera::probe
