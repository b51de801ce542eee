// SPDX-License-Identifier: Apache-2.0
// writes FILE: carries out the lines of FILE, in order, and does nothing else: what a change of the
// kernel's files has to cost at least. "PATH TEXT": PATH is opened, TEXT is written to it in one
// call, it is closed.
#include <cstdio>
#include <fstream>
#include <string>

#include <fcntl.h>
#include <unistd.h>

namespace {

bool write_file(const std::string& path, const std::string& text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const ssize_t size = ::write(fd, text.data(), text.size());
  ::close(fd);
  return size == static_cast<ssize_t>(text.size());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: writes FILE\n", stderr);
    return 64;
  }
  std::ifstream list(argv[1]);
  std::string path;
  std::string text;
  int failed = 0;
  int count = 0;
  while (list >> path >> text) {
    failed += !write_file(path, text);
    ++count;
  }
  std::printf("%d writes, %d failed\n", count, failed);
  return failed == 0 && count > 0 ? 0 : 1;
}
