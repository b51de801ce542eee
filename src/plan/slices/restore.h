// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "model/host.h"
#include "model/host_file.h"
#include "model/mdev_definition.h"
#include "model/plan.h"

namespace tessera::plan::slices {

/// What shall be on the host: mdevctl's definitions and those of /etc/tessera/host.yaml.
struct DefinedSlices {
  std::vector<model::MdevDefinitionFile> mdevs;
  model::HostFile file;
};

/// What is missing of it, and why what cannot be made cannot.
struct Restore {
  /// One for each slice, or for a card's virtual functions together, each with its own title: one
  /// that fails takes none of the others back.
  std::vector<model::Plan> plans;
  std::vector<std::string> problems;  ///< a sentence each
};

/// Plans what is defined to be there by itself ("auto") and is not, and nothing else: what stands
/// on the host is left alone, and what stands in the place of something defined is a problem.
/// Virtual functions that are off are turned on first; NVIDIA's types show only then, so the host
/// is looked at and planned for again after each plan. So it is with MIG mode and GPU instances,
/// where what is defined needs them (mig.h). Quotas are set before the virtual functions
/// come. A definition that is broken, or whose card or type is not there, is a problem and stops
/// none of the others.
Restore plan_restore(const model::HostSnapshot& host, const DefinedSlices& defined);

}  // namespace tessera::plan::slices
