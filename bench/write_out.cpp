// SPDX-License-Identifier: Apache-2.0
// write_out RECORDING DIR: writes a recorded host out as plain files and links below DIR, which a
// reader walks at the speed of the kernel's own file systems.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "base/error.h"
#include "kernel/recording.h"

namespace {

namespace fs = std::filesystem;
using tessera::kernel::TreeNode;

void write_out(const TreeNode& node, const fs::path& path) {
  switch (node.kind) {
    case TreeNode::Kind::file:
      std::ofstream(path, std::ios::binary) << node.content;
      return;
    case TreeNode::Kind::link:
      fs::create_symlink(node.content, path);
      return;
    case TreeNode::Kind::directory:
      fs::create_directories(path);
      for (const auto& [name, child] : node.children) write_out(*child, path / name);
      return;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: write_out RECORDING DIR\n", stderr);
    return 64;
  }
  std::ifstream stream(argv[1], std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  const auto recording = tessera::kernel::parse_recording(text, argv[1]);
  if (!recording) {
    std::fprintf(stderr, "%s\n", one_line(recording.error()).c_str());
    return 1;
  }
  write_out(*recording->tree.find("/"), argv[2]);
  return 0;
}
