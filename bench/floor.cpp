// SPDX-License-Identifier: Apache-2.0
// floor FILE: reads the paths that FILE lists, in order, and does nothing else: what an inventory
// of them has to cost at least. "f PATH" is opened, read to its end and closed, "l PATH" is a link.
#include <array>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

namespace {

bool read_file(const std::string& path) {
  std::array<char, 65536> text;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const ssize_t size = ::read(fd, text.data(), text.size());
  ::close(fd);
  return size >= 0;
}

bool read_link(const std::string& path) {
  std::array<char, 4096> target;
  return ::readlink(path.c_str(), target.data(), target.size()) > 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: floor FILE\n", stderr);
    return 64;
  }
  std::ifstream list(argv[1]);
  std::string line;
  int failed = 0;
  int count = 0;
  while (std::getline(list, line)) {
    const std::string path = line.substr(2);
    failed += line.starts_with('l') ? !read_link(path) : !read_file(path);
    ++count;
  }
  std::printf("%d looks, %d failed\n", count, failed);
  return failed == 0 && count > 0 ? 0 : 1;
}
