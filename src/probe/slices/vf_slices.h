// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "kernel/root.h"
#include "model/slice.h"

namespace tessera::probe::slices {

/// The one profile of frameworks in which a slice is a virtual function.
inline constexpr std::string_view vf_type = "vf";

/// Fills in that profile, and a parent and a slice for each virtual function that is enabled.
void add_vf_slices(const kernel::Root& root, model::SliceSource& source);

/// Reads a quota file, if it is there.
void add_quota(const kernel::Root& root, const std::string& path, std::string_view name,
               model::SliceSource& source);

/// The chosen word of a file that shows all of them: "normal" of "low [normal] high"; the whole
/// text where none is marked.
std::string marked_word(std::string_view text);

}  // namespace tessera::probe::slices
