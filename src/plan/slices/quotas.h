// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "model/host_file.h"
#include "model/plan.h"
#include "model/slice.h"

namespace tessera::plan::slices {

// What the virtual functions of an Intel card get of it, written before they are there
// ("quota.set", docs/operations/quota.set.md).

/// What one virtual function shall have; `vf` is the N of virtfnN, from 0.
struct FunctionQuotas {
  int vf = 0;
  model::SliceQuotas quotas;
};

struct QuotaPlan {
  std::vector<model::Operation> operations;
  std::vector<std::string> problems;  ///< "vf 1: 0000:03:00.0 has no file vf2/ggtt_quota"
};

/// For the functions of one card together. i915 is told first to give out nothing by itself. xe's
/// firmware has one priority for all virtual functions, so those that name one have to agree.
QuotaPlan plan_quotas(const model::SliceSource& source, const std::vector<FunctionQuotas>& wanted);

/// The same for each of the first `count` functions; nothing where no quota is named. Errors:
/// unsupported where the framework has no quotas, or the card lacks the file of one.
Result<std::vector<model::Operation>> equal_quotas(const model::SliceSource& source, int count,
                                                   const model::SliceQuotas& quotas);

/// What a function has now, whether it was set or given out by the driver; no quota is 0, which is
/// what the driver has where none was set.
model::SliceQuotas quotas_of(const model::SliceSource& source, int vf);

/// Errors: unsupported, when quotas are named and slices of this framework have none.
Status check_has_quotas(const model::SliceSource& source, const model::SliceQuotas& quotas);

}  // namespace tessera::plan::slices
