// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "model/file_state.h"
#include "model/host.h"
#include "model/host_file.h"
#include "model/mdev_definition.h"
#include "model/plan.h"
#include "plan/slices/owners.h"

namespace tessera::plan::slices {

// What is written down of a slice, and in which file. A mediated device has a file of its own,
// mdevctl's; any other slice is an entry of the host file. The operations that change these files
// are those of definitions.h.

/// A slice as it shall be there after a boot.
using Definition = std::variant<model::MdevDefinition, model::HostSlice>;
using DefinitionFiles = std::vector<model::MdevDefinitionFile>;

/// Of a slice that stands, with the settings and quotas that it has. Errors: invalid when a
/// mediated device's name is no UUID.
Result<Definition> definition_of(const model::HostSnapshot& host, const FoundSlice& found,
                                 model::MdevDefinition::Start start);

/// The same of a slice on a virtual function: the card as the host file names it best, and which of
/// its functions it is.
model::HostSlice host_entry_of(const model::HostSnapshot& host, const FoundSlice& found);

/// The settings file where it belongs.
std::string file_of(const Definition& definition);

/// Writes it down there: plan::define_mdev(), plan::define_in_host_file(). `now` is that file.
Result<std::vector<model::Operation>> define(const model::FileState& now, const Definition& wanted);

/// The files that define this mediated device, below whichever parents; broken ones too.
DefinitionFiles files_of(const Uuid& uuid, const DefinitionFiles& all);

/// One mediated device as another program can take it over: as it stands, else as it is written
/// down. Errors: not_found; unsupported for a virtual function; conflict where several parents have
/// a definition of it; those of its file where that is broken.
Result<model::MdevDefinition> mdev_definition_of(const model::HostSnapshot& host,
                                                 const DefinitionFiles& all,
                                                 const std::string& selector);

/// What keeps a mediated device from being made as it is defined, a sentence each: mdevctl takes
/// such a definition, because the parent may come later, and so do we.
std::vector<std::string> notes_on(const model::HostSnapshot& host, const DefinitionFiles& all,
                                  const model::MdevDefinition& wanted);

}  // namespace tessera::plan::slices
