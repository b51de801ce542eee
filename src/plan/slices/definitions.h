// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/file_state.h"
#include "model/host_file.h"
#include "model/mdev_definition.h"
#include "model/plan.h"

namespace tessera::plan {

// Operations that change what shall be there after a boot: one small file each, replaced as a
// whole. What they undo to is the text that the file had when the plan was made. A file that
// somebody else changed in between is left as they made it, by the plan and by its undo.
// docs/operations/ has a page for each kind.

inline constexpr std::string_view define_kind = "slice.define";
inline constexpr std::string_view undefine_kind = "slice.undefine";

/// What a change of a settings file is called in the plan.
struct SettingsChange {
  std::string kind;     ///< define_kind, undefine_kind
  std::string subject;  ///< the slice: a UUID, a virtual function
  std::string reason;
};

/// The operation that makes `text` the file's text; none when it is that already.
/// Errors: unsupported when the present text cannot be kept for the undo (it is no UTF-8).
Result<std::vector<model::Operation>> write_settings(const model::FileState& now,
                                                     const std::string& text,
                                                     const SettingsChange& change);
/// The operation that removes the file; none when it is not there. Errors: as above.
Result<std::vector<model::Operation>> remove_settings(const model::FileState& now,
                                                      const SettingsChange& change);

/// "slice.define": mdevctl's file of a mediated device, made or replaced. `now` is that file.
/// Errors: as above; invalid when the definition cannot be kept as a file (model::check()).
Result<std::vector<model::Operation>> define_mdev(const model::FileState& now,
                                                  const model::MdevDefinition& wanted);
/// "slice.undefine": that file removed; a device that runs stays.
Result<std::vector<model::Operation>> undefine_mdev(const model::FileState& now, const Uuid& uuid);

/// "slice.define": an entry of the host file, added, or put in the place of the one for the same
/// virtual function of the same card. `now` is that file. Errors: as above; invalid when the file
/// as it stands has a mistake.
Result<std::vector<model::Operation>> define_in_host_file(const model::FileState& now,
                                                          const model::HostSlice& wanted);
/// "slice.undefine": the entry of this virtual function taken away; none when there is none.
Result<std::vector<model::Operation>> undefine_in_host_file(const model::FileState& now,
                                                            std::string_view card, int vf);

}  // namespace tessera::plan
