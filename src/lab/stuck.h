// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.h"
#include "lab/instance.h"

namespace tessera::lab {

/// Writes down what a running host that answers no more is doing, for whoever looks into it: each
/// processor's registers twice, a moment apart (the same place: it waits; others: it runs in
/// circles), the interrupts that wait, and the end of its console. Returns the file
/// (InstanceFiles::stuck). What QEMU does not answer within seconds is told in the file instead.
/// Errors: not_found when the host does not run any more.
Result<std::string> describe_stuck_host(const Places& places, const std::string& host);

}  // namespace tessera::lab
