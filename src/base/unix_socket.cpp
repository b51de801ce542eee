// SPDX-License-Identifier: Apache-2.0
#include "base/unix_socket.h"

#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <sys/socket.h>

namespace tessera {

Result<sockaddr_un> unix_address(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return fail(ErrorKind::invalid, path,
                fmt::format("a socket's path has at most {} bytes", sizeof address.sun_path - 1),
                "choose a shorter directory");
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

Result<Fd> unix_socket(const std::string& path) {
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return fail(error_from_errno(errno, path, "make a socket for"));
  return fd;
}

Result<Fd> connect_unix(const std::string& path, std::string_view nobody) {
  TRY_LET(const sockaddr_un address, unix_address(path));
  TRY_LET(Fd fd, unix_socket(path));
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    return fd;
  }
  if (errno == ENOENT || errno == ECONNREFUSED) {
    return fail(ErrorKind::not_found, path, std::string(nobody));
  }
  return fail(error_from_errno(errno, path, "connect to"));
}

Result<Fd> listen_unix(const std::string& path, int backlog) {
  TRY_LET(const sockaddr_un address, unix_address(path));
  TRY_LET(Fd fd, unix_socket(path));
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(fd.get(), backlog) != 0) {
    return fail(error_from_errno(errno, path, "listen on"));
  }
  return fd;
}

}  // namespace tessera
