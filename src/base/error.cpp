// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

namespace tessera {

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::not_found:
      return "not_found";
    case ErrorKind::denied:
      return "denied";
    case ErrorKind::busy:
      return "busy";
    case ErrorKind::stale:
      return "stale";
    case ErrorKind::timeout:
      return "timeout";
    case ErrorKind::unsupported:
      return "unsupported";
    case ErrorKind::invalid:
      return "invalid";
    case ErrorKind::conflict:
      return "conflict";
    case ErrorKind::io:
      return "io";
  }
  return "io";
}

namespace {

ErrorKind kind_from_errno(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
    case ENOTDIR:
    case ESRCH:
      return ErrorKind::not_found;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorKind::denied;
    case EBUSY:
    case EAGAIN:
    case ETXTBSY:
      return ErrorKind::busy;
    case ETIMEDOUT:
      return ErrorKind::timeout;
    case EINVAL:
    case ENAMETOOLONG:
    case ELOOP:
      return ErrorKind::invalid;
    case ENOSYS:
    case EOPNOTSUPP:
    case ENOTTY:
      return ErrorKind::unsupported;
    default:
      return ErrorKind::io;
  }
}

}  // namespace

std::string errno_name(int error_number) {
  const char* name = strerrorname_np(error_number);
  return name != nullptr ? name : fmt::format("errno {}", error_number);
}

Error error_from_errno(int error_number, std::string_view subject, std::string_view doing) {
  const char* meaning = strerrordesc_np(error_number);
  return {.kind = kind_from_errno(error_number),
          .subject = std::string(subject),
          .sentence =
              fmt::format("cannot {} it: {} ({})", doing,
                          meaning != nullptr ? meaning : "unknown error", errno_name(error_number)),
          .hint = {},
          .error_number = error_number};
}

std::string one_line(const Error& error) {
  if (error.subject.empty()) return error.sentence;
  return fmt::format("{}: {}", error.subject, error.sentence);
}

}  // namespace tessera
