// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/host.h"
#include "model/host_file.h"
#include "model/plan.h"
#include "plan/slices/request.h"

namespace tessera::plan::slices {

/// "Cut these slices."
struct SliceIntent {
  std::vector<std::string> devices;  ///< SliceSource::device; empty: any that has what is wanted
  std::vector<Wish> wishes;
  std::vector<std::string> uuids;               ///< fresh names, at least as many as slices wanted
  std::map<std::string, std::string> settings;  ///< vgpu_params of each slice made
  std::string owner = {};          ///< the machine that they are for; empty: nobody's yet
  model::SliceQuotas quotas = {};  ///< of each slice made; xe and i915 only
  bool again = false;              ///< a plan of this same request may have been carried out
};

/// Makes the slices, or says why the cards have no room and what would fit. The layout is exact:
/// where there is one it is found, with the least framebuffer stranded (layout.h).
///
/// Sizes that only NVIDIA's mixed-size mode lets stand side by side take two plans as well, on an
/// empty card that was named: the first turns the mode on (mixed_sizes.h).
///
/// MIG-backed slices take plans of their own as well: for the mode, on an empty card that was
/// named, and for the GPU instances that are missing (mig.h).
///
/// Slices on virtual functions that are off take two plans: this one turns them on and says so in
/// Plan::more; what can be made on them is known when they are there. Where virtual functions are
/// the slices, the second plan gives them to their VFIO drivers, and to their owner.
///
/// A card that HostSnapshot::cordons names gets none: passed over where any will do, else a
/// conflict.
///
/// Errors: not_found (no such source), unsupported (the card has no such profile, or its slices
/// no quotas), conflict (no
/// room: the sentence says by which rule, the hint what fits).
Result<model::Plan> plan_slices(const model::HostSnapshot& host, const SliceIntent& intent);

/// The source that a person means: a card's address or identity, the address of one of its virtual
/// functions, or the name of a virtual mdev parent. Errors: as model::select_card, not_found with
/// the sources there are, unsupported for a card that cannot be cut.
Result<const model::SliceSource*> select_source(const model::HostSnapshot& host,
                                                std::string_view selector);

/// "Take these slices away."
struct UnsliceIntent {
  std::vector<std::string> slices;   ///< UUIDs, or addresses of virtual functions
  std::vector<std::string> devices;  ///< sources of which all slices go
  std::string owner = {};            ///< the machine that they belong to
};

/// Takes slices away, and with them what is recorded of their owners. Errors: not_found, with the
/// slices there are; busy, with who has it open; conflict for a slice of another owner; unsupported
/// for one virtual function of a card whose slices are virtual functions: they go together.
Result<model::Plan> plan_unslice(const model::HostSnapshot& host, const UnsliceIntent& intent);

}  // namespace tessera::plan::slices
