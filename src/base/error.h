// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace tessera {

/// What callers branch on. Words for people live in `Error::sentence` and `Error::hint`.
enum class ErrorKind {
  not_found,    ///< the file, device, card or plan is not there
  denied,       ///< permission: not root, read-only file system, a lockdown
  busy,         ///< somebody uses it now (a holder, the lock); trying later can work
  stale,        ///< the world moved since it was read: probe and plan again
  timeout,      ///< the kernel did not answer before the deadline
  unsupported,  ///< this kernel, driver or host cannot do it
  invalid,      ///< the input is wrong; trying again cannot work
  conflict,     ///< what was asked would break isolation or another owner
  io,           ///< the kernel or disk failed
};

/// The kind's name as printed in JSON ("not_found", "denied", ...).
std::string_view to_string(ErrorKind kind);

/// One failure, told once and completely. Layers on the way up may add to it, never replace it.
struct Error {
  ErrorKind kind = ErrorKind::io;
  std::string subject;   ///< the file or device it is about, e.g. "0000:01:00.0"
  std::string sentence;  ///< what happened, naming errno's meaning and what the kernel said
  std::string hint;      ///< the next command or change; empty when there is none
  int error_number = 0;  ///< the errno it came from; 0 when it came from none

  bool operator==(const Error&) const = default;
};

/// The one place that turns an errno into a kind. `subject` is the path or device,
/// `doing` a phrase that fits "cannot ...", e.g. "open" or "write '0000:01:00.0' to".
Error error_from_errno(int error_number, std::string_view subject, std::string_view doing);

/// The symbolic name, e.g. "EBUSY"; "errno 4711" for one without a name.
std::string errno_name(int error_number);

/// "subject: sentence" on one line, without the hint.
std::string one_line(const Error& error);

}  // namespace tessera
