// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"
#include "kernel/root.h"
#include "kernel/tools.h"

namespace tessera::fakehost {

namespace fs = std::filesystem;

inline int run(std::vector<std::string> words) {
  std::vector<char*> raw;
  for (auto& word : words) raw.push_back(word.data());
  raw.push_back(nullptr);
  pid_t child = fork();
  if (child == 0) {
    execv(raw[0], raw.data());
    _exit(127);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// A host of its own for each test, played while the test runs.
class PlayedHost : public testing::Test {
 protected:
  explicit PlayedHost(std::string recording) : recording_(std::move(recording)) {}

  void SetUp() override {
    if (access("/dev/fuse", R_OK | W_OK) != 0)
      GTEST_SKIP()
          << "/dev/fuse is missing or closed to this user: the fake host cannot be mounted";
    std::string name = (fs::temp_directory_path() / "fakehost-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
    mount(recording_);
  }

  void TearDown() override {
    if (directory_.empty()) return;
    unmount();
    fs::remove_all(directory_);
  }

  void mount(std::string_view text) {
    std::ofstream(directory_ + "/host.tsv") << text;
    ASSERT_EQ(run({TESSERA_FAKEHOST, directory_ + "/host.tsv", root()}), 0);
  }
  void unmount() { EXPECT_EQ(run({TESSERA_FAKEHOST, "--unmount", root()}), 0); }

  [[nodiscard]] std::string root() const { return directory_ + "/root"; }
  [[nodiscard]] std::string at(const std::string& path) const { return root() + path; }

  /// One write(2), as `echo` does; the errno's name or "ok".
  [[nodiscard]] std::string write(const std::string& path, const std::string& text) const {
    Fd fd(open(at(path).c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
    if (!fd.valid()) return errno_name(errno);
    ssize_t written = ::write(fd.get(), text.data(), text.size());
    return written < 0 ? errno_name(errno) : "ok";
  }
  /// A file's text, or the name of the errno that opening or reading it gave.
  [[nodiscard]] std::string read(const std::string& path) const {
    Fd fd(open(at(path).c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd.valid()) return errno_name(errno);
    std::string all;
    char buffer[4096];
    ssize_t got = 0;
    while ((got = ::read(fd.get(), buffer, sizeof buffer)) > 0)
      all.append(buffer, static_cast<std::size_t>(got));
    return got < 0 ? errno_name(errno) : all;
  }
  [[nodiscard]] bool exists(const std::string& path) const {
    return fs::exists(fs::symlink_status(at(path)));
  }
  [[nodiscard]] std::string driver(const std::string& device) const {
    std::error_code absent;
    return fs::read_symlink(at(device + "/driver"), absent).filename().string();
  }
  [[nodiscard]] std::future<std::string> write_aside(const std::string& path,
                                                     const std::string& text) const {
    return std::async(std::launch::async, [this, path, text] { return write(path, text); });
  }
  [[nodiscard]] Fd events() const {
    return Fd(open(at("/.rehearsal/uevents").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  }
  /// The next uevent with its zero bytes as blanks; empty after a second without one.
  static std::string next_event(const Fd& fd) {
    pollfd waited{fd.get(), POLLIN, 0};
    if (poll(&waited, 1, 1000) != 1) return {};
    char buffer[4096];
    ssize_t got = ::read(fd.get(), buffer, sizeof buffer);
    if (got <= 0) return {};
    std::string record(buffer, static_cast<std::size_t>(got));
    for (char& c : record) c = c == '\0' ? ' ' : c;
    return record;
  }

  /// What a program of the host printed, and its exit code on a last line.
  [[nodiscard]] std::string tool(const std::string& path, const std::string& arguments) const {
    auto opened = kernel::Root::open(root());
    if (!opened) return one_line(opened.error());
    std::vector<std::string> words;
    for (auto word : text::words(arguments)) words.emplace_back(word);
    auto outcome = kernel::run_tool(*opened, path, words, Deadline::in(std::chrono::seconds(30)));
    if (!outcome) return one_line(outcome.error());
    return outcome->output + "exit " + std::to_string(outcome->exit_code);
  }

 private:
  std::string recording_;
  std::string directory_;
};

}  // namespace tessera::fakehost
