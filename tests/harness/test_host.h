// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.h"
#include "harness/command.h"

namespace tessera::harness {

/// A host to drive the shipped binary on: the behaving fake host that plays a recording, or the
/// machine we run on (inside the lab). Commands are written as a person types them ("tessera
/// list").
class TestHost {
 public:
  /// Plays `recording` in a fresh folder. `fakehost` and `tessera` are the built binaries.
  static Result<TestHost> fake(const std::string& recording, const std::string& fakehost,
                               const std::string& tessera);
  /// The machine itself, as root. Its state folder is made fresh.
  static TestHost live(const std::string& tessera);

  TestHost(TestHost&& other) noexcept;
  TestHost& operator=(TestHost&&) = delete;
  TestHost(const TestHost&) = delete;
  TestHost& operator=(const TestHost&) = delete;
  ~TestHost();

  /// Runs a shell command in which `tessera` is the binary under test and looks at this host, and
  /// $ROOT is the host's root folder ("" on the live one).
  Output run(const std::string& command, const std::string& crash_point = {}) const;
  /// The last piece of a link, e.g. of ".../driver"; empty when there is none.
  [[nodiscard]] std::string link_name(const std::string& path) const;
  /// A file's text without white space at its ends; empty when it cannot be read.
  [[nodiscard]] std::string text(const std::string& path) const;
  [[nodiscard]] bool is_fake() const { return !root_.empty(); }
  [[nodiscard]] const std::string& root() const { return root_; }

 private:
  TestHost(std::string work, std::string root, std::string fakehost);
  std::string work_;      ///< scratch folder with the `tessera` wrapper
  std::string root_;      ///< "" on the live host
  std::string fakehost_;  ///< to unmount with
};

}  // namespace tessera::harness
