// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "base/result.h"
#include "model/topology.h"

namespace tessera::vendor {

/// The matrix in the text of `nvidia-smi topo -m`: a line with the devices' names, a row for each
/// of them in the same order, then legends.
///
/// Cells are told apart by white space of any kind, since copies of the text have lost their tabs,
/// and the tool itself prints two before "GPU NUMA ID". Escape sequences (it underlines the first
/// line, into a pipe too) and blank lines are left out, and so are lines before the matrix. After a
/// GPU's links come up to three columns, whichever the driver has: CPU Affinity, NUMA Affinity and
/// GPU NUMA ID; where a row has fewer, it is not known which, and none is taken.
///
/// `name` is the text's name for messages. Errors: invalid, naming the line: no such matrix, a word
/// that is no link, a row missing or of another length, a matrix that is not symmetric.
Result<model::VendorTopology> parse_nvidia_topology(std::string_view text, std::string_view name);

}  // namespace tessera::vendor
