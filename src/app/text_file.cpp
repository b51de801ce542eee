// SPDX-License-Identifier: Apache-2.0
#include "app/text_file.h"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"

namespace tessera::app {

namespace {

constexpr std::size_t largest = std::size_t{16} << 20U;
constexpr const char* standard_input = "-";

Result<std::string> read_to_end(int fd, const std::string& name) {
  std::string text;
  std::array<char, 65536> piece{};
  for (;;) {
    const ssize_t size = ::read(fd, piece.data(), piece.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return fail(error_from_errno(errno, name, "read"));
    if (size == 0) return text;
    text.append(piece.data(), static_cast<std::size_t>(size));
    if (text.size() > largest) return fail(ErrorKind::invalid, name, "it is larger than 16 MiB");
  }
}

}  // namespace

Result<std::string> read_text_file(const std::string& path) {
  if (path == standard_input) return read_to_end(STDIN_FILENO, text_file_name(path));
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return fail(error_from_errno(errno, path, "open"));
  return read_to_end(file.get(), path);
}

std::string text_file_name(const std::string& path) {
  return path == standard_input ? "<stdin>" : path;
}

Status write_text_file(const std::string& path, std::string_view text) {
  constexpr mode_t mode = 0666;  // less the umask
  const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
  if (!file.valid()) return fail(error_from_errno(errno, path, "open"));
  while (!text.empty()) {
    const ssize_t size = ::write(file.get(), text.data(), text.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return fail(error_from_errno(errno, path, "write"));
    text.remove_prefix(static_cast<std::size_t>(size));
  }
  return {};
}

}  // namespace tessera::app
