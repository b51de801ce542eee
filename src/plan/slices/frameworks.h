// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "model/plan.h"
#include "model/slice.h"

namespace tessera::plan::slices {

/// One slice to make.
struct NewSlice {
  const model::SliceSource& source;
  const model::SliceParent& parent;
  const model::Profile& profile;
  std::string uuid;                             ///< a fresh one, for mediated devices
  std::map<std::string, std::string> settings;  ///< vgpu_params: "frame_rate_limiter" -> "0"
};

/// One way to cut cards, as far as it is changed. Its counterpart that reads is in probe/slices.
struct FrameworkOperations {
  model::Framework framework;
  /// Makes the slice ("slice.create"); its undo takes it away.
  model::Operation (*create)(const NewSlice& slice);
  /// Takes it away ("slice.remove"), if it is still what it was; its undo makes it anew.
  model::Operation (*remove)(const model::SliceSource& source, const model::Slice& slice);
};

model::Operation create_mdev(const NewSlice& slice);
model::Operation remove_mdev(const model::SliceSource& source, const model::Slice& slice);
model::Operation create_vendor_vfio(const NewSlice& slice);
model::Operation remove_vendor_vfio(const model::SliceSource& source, const model::Slice& slice);

/// The operations of a framework; null where slices come and go with the virtual functions
/// themselves (virtual_functions.h).
const FrameworkOperations* operations_of(model::Framework framework);

/// What identifies a slice that this creates: the UUID, or the virtual function.
std::string identity_of(const NewSlice& slice);

/// Writes settings to a slice's vgpu_params and reads them back.
model::Step settings_step(std::string file, std::string text);

/// "frame_rate_limiter=0,disable_vnc=1", as NVIDIA's vgpu_params takes it.
std::string settings_text(const std::map<std::string, std::string>& settings);

}  // namespace tessera::plan::slices
