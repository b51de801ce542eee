// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target without libFuzzer: over every file of the folders given, over each file cut
// short at many places, and over copies with single bytes changed. The changes are the same in
// every run, so that a failure can be repeated.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include "fuzz.h"

namespace {

void feed(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

/// The bytes that make parsers stumble, and one that is never valid UTF-8.
constexpr unsigned char troublesome[] = {0x00, '\n', '\t', '"', '\\', '-', '0', 'z', 0xff};

int feed_changed(const std::string& seed) {
  constexpr std::size_t places = 96;
  const std::size_t stride = std::max<std::size_t>(1, seed.size() / places);
  int fed = 0;
  for (std::size_t at = 0; at < seed.size(); at += stride) {
    feed(seed.substr(0, at));
    auto changed = seed;
    changed[at] = static_cast<char>(troublesome[(at / stride) % std::size(troublesome)]);
    feed(changed);
    changed.erase(at, 1);
    feed(changed);
    fed += 3;
  }
  return fed;
}

}  // namespace

int main(int argc, char** argv) {
  int files = 0;
  int inputs = 0;
  for (const char* folder : std::span(argv, static_cast<std::size_t>(argc)).subspan(1)) {
    std::vector<std::filesystem::path> paths;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.is_regular_file()) paths.push_back(entry.path());
    }
    std::ranges::sort(paths);
    for (const auto& path : paths) {
      std::ifstream file(path, std::ios::binary);
      std::string seed{std::istreambuf_iterator<char>(file), {}};
      feed(seed);
      inputs += 1 + feed_changed(seed);
      ++files;
    }
  }
  std::printf("%d files and %d inputs made from them\n", files, inputs - files);
  if (files > 0) return 0;
  std::fprintf(stderr, "no corpus: give a folder with at least one file\n");
  return 1;
}
