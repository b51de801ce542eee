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

inline constexpr std::uint16_t vendor_nvidia = 0x10de;
inline constexpr std::uint16_t vendor_amd = 0x1002;
inline constexpr std::uint16_t vendor_intel = 0x8086;

/// What a function's file said, as evidence.
model::Evidence seen_in(const model::PciFunction& function, std::string_view file,
                        std::string text);

/// Kernel log lines, oldest first, that name `function` and contain one of `needles`, as evidence.
std::vector<model::Evidence> log_evidence_about(const model::HostSnapshot& host,
                                                const model::PciFunction& function,
                                                const std::vector<std::string_view>& needles);

/// Whether a process runs a virtual machine, by what it has open or, where that is not known, by
/// its name.
bool runs_machine(const model::HostSnapshot& host, int pid, std::string_view process);

/// "machine desk1 (qemu-system-x86, pid 812)", or without a name where none is known.
std::string machine_words(const model::HostSnapshot& host, int pid, std::string_view process);

/// The card's functions and the virtual functions made from them: where mediated devices can be.
std::vector<const model::PciFunction*> slice_parents(const model::HostSnapshot& host,
                                                     const model::Card& card);

/// Whether /proc/modules is known and does not list the module.
bool module_is_missing(const model::HostSnapshot& host, std::string_view name);

/// A line of the kernel's configuration, as evidence: where it was read, and its text there.
model::Evidence option_evidence(const model::HostSnapshot& host, std::string_view option);

/// A function of class 03xx.
bool is_display(const model::PciFunction& function);

}  // namespace tessera::plan::checks
