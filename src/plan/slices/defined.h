// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "model/host.h"
#include "plan/slices/restore.h"

namespace tessera::plan::slices {

/// A slice that is written down, beside what is on the host.
struct DefinedSlice {
  std::string slice;   ///< a UUID; a virtual function's address, "CARD vf N" where it has none now
  std::string type;    ///< as the definition names it; empty where it names none
  std::string name;    ///< of its profile; the type where that is not known
  std::string parent;  ///< where it is made: a mediated device's parent, else as `slice`
  model::MdevDefinition::Start start = model::MdevDefinition::Start::manual;
  std::string file;
  bool stands = false;  ///< on the host now, as it is defined
  bool operator==(const DefinedSlice&) const = default;
};

/// All that are written down, whoever wrote it (mdevctl and libvirt keep theirs in the same files),
/// and what is wrong with definitions that cannot be read.
struct Definitions {
  std::vector<DefinedSlice> slices;
  std::vector<Error> broken;

  /// The one that stands under this name; null where what stands there is not defined.
  [[nodiscard]] const DefinedSlice* standing(const std::string& slice) const;
};
Definitions definitions_on(const model::HostSnapshot& host, const DefinedSlices& defined);

}  // namespace tessera::plan::slices
