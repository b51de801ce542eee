// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/result.h"
#include "kernel/root.h"
#include "model/reading.h"

namespace tessera::probe {

// Reading one kernel file into a model::Reading. A file that is not there is absent; one that
// cannot be read, or that holds something else than expected, is unreadable with the reason.

/// The errno's name when the error came from one ("EACCES"), else the kind ("denied").
std::string why_unreadable(const Error& error);

// What was read, or the error, as a reading; the functions below say what each takes.
model::Reading<std::string> text_of(const Result<std::string>& content);
model::Reading<std::uint32_t> hex_of(const Result<std::string>& content, std::uint32_t largest);
model::Reading<int> int_of(const Result<std::string>& content);
model::Reading<bool> bool_of(const Result<std::string>& content);
model::Reading<std::string> link_name_of(const Result<std::string>& target);

/// The file's text without white space around it.
model::Reading<std::string> read_text(const kernel::Root& root, std::string_view path);
/// "0x10de" and "10de" (hexadecimal), at most `largest`.
model::Reading<std::uint32_t> read_hex(const kernel::Root& root, std::string_view path,
                                       std::uint32_t largest);
/// A decimal number that may be negative.
model::Reading<int> read_int(const kernel::Root& root, std::string_view path);
/// "1", "0", and a module parameter's "Y", "N".
model::Reading<bool> read_bool(const kernel::Root& root, std::string_view path);
/// The last piece of a link's target ("vfio-pci" of a driver link).
model::Reading<std::string> read_link_name(const kernel::Root& root, std::string_view path);

/// A whole number as sysfs prints it: decimal, perhaps with a minus. Nothing on other text.
std::optional<int> parse_int(std::string_view text);

}  // namespace tessera::probe
