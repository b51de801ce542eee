// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

namespace tessera {

/// For tests: a directory of its own, removed at the end. It may stand for the "/" of a host.
class TestDirectory {
 public:
  TestDirectory() {
    auto pattern = (std::filesystem::temp_directory_path() / "tessera-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp: " + pattern);
    top_ = pattern;
  }
  ~TestDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(top_, ignored);
  }
  TestDirectory(const TestDirectory&) = delete;
  TestDirectory& operator=(const TestDirectory&) = delete;

  /// The real path of `path` ("/sys/..."), or of the directory itself.
  [[nodiscard]] std::string real(const std::string& path = {}) const { return top_ + path; }

  void file(const std::string& path, const std::string& content) const {
    make_parent(path);
    std::ofstream(real(path), std::ios::binary) << content;
  }
  void directory(const std::string& path) const { std::filesystem::create_directories(real(path)); }
  void link(const std::string& path, const std::string& target) const {
    make_parent(path);
    std::filesystem::create_symlink(target, real(path));
  }
  [[nodiscard]] std::string content(const std::string& path) const {
    std::ifstream stream(real(path), std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

 private:
  void make_parent(const std::string& path) const {
    std::filesystem::create_directories(std::filesystem::path(real(path)).parent_path());
  }
  std::string top_;
};

}  // namespace tessera
