// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "model/host.h"
#include "model/plan.h"
#include "plan/slices/request.h"

namespace tessera::plan::slices {

// Whose a slice is. The kernel does not know: a slice's first user is whoever opens it first. So
// the journal keeps the name of the machine beside each slice, and every change of it is an
// operation of a plan, done under the one lock: of two machines that race for the last slice, the
// second finds none when it plans again.

/// A slice and what it was cut from; both point into the snapshot.
struct FoundSlice {
  const model::SliceSource* source = nullptr;
  const model::Slice* slice = nullptr;
};

/// The slice that a person means: a UUID in either case, or a virtual function's address with or
/// without its domain. Errors: not_found, with the slices there are.
Result<FoundSlice> find_slice(const model::HostSnapshot& host, const std::string& selector);

/// Errors: busy, with who has the slice open.
Status check_not_used(const model::Slice& slice);

/// Errors: conflict when a slice is another machine's than `owner`. One without an owner passes.
Status check_owner(const model::HostSnapshot& host, const std::string& slice,
                   const std::string& owner);

/// Adds the operation that makes a slice `owner`'s ("slice.own"), or nobody's where that is empty;
/// none where it is so already.
void set_owner(const model::HostSnapshot& host, const std::string& slice, const std::string& owner,
               model::Plan& plan);

/// "These slices are for this machine."
struct ClaimIntent {
  std::vector<std::string> slices;  ///< by name
  std::vector<Wish> wishes;         ///< or so many of such, of those that are nobody's and not open
  std::string owner;                ///< 1 to 64 letters, digits, "-", "_", "."
};

/// Gives slices that exist to a machine. `users` of the slices have to be looked for before.
/// Errors: not_found; invalid for an owner that is no name; conflict when a slice is another
/// machine's, or when too few are free: the sentence says whose the others are.
Result<model::Plan> plan_claim(const model::HostSnapshot& host, const ClaimIntent& intent);

/// Takes slices from the machine that has them; they stay as they are. With no slices named, all
/// that are the machine's. Errors: not_found, busy (still open), conflict (another machine's).
Result<model::Plan> plan_disown(const model::HostSnapshot& host, const ClaimIntent& intent);

}  // namespace tessera::plan::slices
