// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/finding.h"
#include "model/host.h"

/// What several checks need.
namespace tessera::plan::checks {

/// Who made the platform, by the vendor id of the host bridge; decides which firmware option and
/// which kernel parameter are named.
enum class Platform { intel, amd, other };
Platform platform_of(const model::HostSnapshot& host);

/// At most `limit` kernel log lines that contain one of `needles`, as evidence.
std::vector<model::Evidence> log_evidence(const model::HostSnapshot& host,
                                          const std::vector<std::string_view>& needles,
                                          std::size_t limit = 3);

/// Whether `word` stands alone on the kernel's command line.
bool on_command_line(const model::HostSnapshot& host, std::string_view word);

/// The command line as evidence; nothing when it is not known.
std::vector<model::Evidence> command_line_evidence(const model::HostSnapshot& host);

/// A note that something could not be read, so that the check decided nothing.
model::Finding not_readable(std::string path, const std::string& why, std::string_view what);

/// "`function` is not there", for the text of an evidence.
inline constexpr std::string_view is_not_there = "is not there";

/// Appends `more` to `to`.
void append(std::vector<model::Evidence>& to, std::vector<model::Evidence> more);

}  // namespace tessera::plan::checks
