// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"

namespace tessera::kernel {

class Observer;

/// A directory of a root, kept open for those who read many files below it: their paths are walked
/// from here and not from the root again. What is read is read now, as with Root.
class OpenDirectory {
 public:
  // `name` is of what is below it, and no link leads anywhere from here: one on the way is an
  // error.
  /// Inside the root, as it was opened.
  [[nodiscard]] const std::string& path() const { return path_; }
  /// The whole text of a file in it. Errors: as Root::read().
  [[nodiscard]] Result<std::string> read(const std::string& name) const;
  /// The target of a link in it.
  [[nodiscard]] Result<std::string> read_link(const std::string& name) const;
  /// A directory in it.
  [[nodiscard]] Result<OpenDirectory> open(const std::string& name) const;

 private:
  friend class Root;
  OpenDirectory(Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  Fd fd_;
  std::string path_;
};

/// The door to a host's files: the live system ("/"), a directory that holds another one
/// (a fake host, an image), or a recording. All paths are absolute inside that root.
///
/// A directory is opened with openat2(RESOLVE_IN_ROOT): no link inside it, absolute or with too
/// many "..", can lead to the machine we run on. A recording lives in memory and refuses writes.
///
/// Everything read is read now; nothing is cached.
class Root {
 public:
  enum class Kind { live, directory, recording };

  /// Opens "/" (live), another directory, or a recording file.
  /// Errors: not_found; invalid when a recording does not parse; unsupported without openat2.
  static Result<Root> open(const std::string& location);

  Root(Root&&) noexcept;
  Root& operator=(Root&&) noexcept;
  Root(const Root&) = delete;
  Root& operator=(const Root&) = delete;
  ~Root();

  [[nodiscard]] Kind kind() const;
  /// What open() was given.
  [[nodiscard]] const std::string& location() const;
  /// Whether what is not in it is not on the host: the live system, and a recording of one that
  /// `tessera record` took (Recording says which note tells). Other roots show a part only.
  [[nodiscard]] bool is_complete() const;

  /// From now on `observer` is told of every look; null ends that. Borrowed.
  void set_observer(Observer* observer);
  [[nodiscard]] bool is_observed() const;

  /// The whole text of a file, at most 4 MiB. Errors: not_found, denied, io, ...
  [[nodiscard]] Result<std::string> read(std::string_view path) const;
  /// A link's target as stored.
  [[nodiscard]] Result<std::string> read_link(std::string_view path) const;
  /// Names in a directory, sorted, without "." and "..".
  [[nodiscard]] Result<std::vector<std::string>> list(std::string_view path) const;
  [[nodiscard]] bool exists(std::string_view path) const;
  /// Whether it is known that `path` is not there: seen on the live system, noted in a recording.
  /// A root that shows a part of a host never knows.
  [[nodiscard]] bool is_surely_absent(std::string_view path) const;
  /// Opens a file for those who wait on it or hand it on (uevents, device nodes): open(2)'s
  /// `flags`, without O_CREAT; O_CLOEXEC is added. Errors: unsupported on a recording.
  [[nodiscard]] Result<Fd> open_file(std::string_view path, int flags) const;

  /// Errors: unsupported on a recording, and while an observer has to be told of each look.
  [[nodiscard]] Result<OpenDirectory> open_directory(std::string_view path) const;

  /// Writes `text` with one write(2), as sysfs wants it, in a child process (one for all writes,
  /// until one hangs), because a write to sysfs can block until a user of the device lets go
  /// (vfio's unbind; measured: for ever). Texts of sysfs have a page; far longer ones are refused.
  /// If the kernel has not answered at `deadline`, the error is `timeout` and the child stays
  /// behind in the kernel; should the write come back later, the child carries out
  /// `if_it_comes_late` (more writes, in order), so that no device is left unbound and forgotten.
  struct LateWrite {
    std::string path;
    std::string text;
  };
  [[nodiscard]] Status write(std::string_view path, std::string_view text, Deadline deadline,
                             const std::vector<LateWrite>& if_it_comes_late = {}) const;

  // --- settings files, on a disk: replaced as a whole, where a file of sysfs is written to

  /// `text` becomes the whole file `path`, made or replaced: written beside it, brought to the disk
  /// and renamed, so that after any crash there is the old text or the new one. Folders above it
  /// are made. A file that is replaced keeps its owner and rights; what refers to the old one (a
  /// hard link, an open descriptor) goes on having that.
  /// Errors: unsupported on a recording, and where a link or another special file stands.
  [[nodiscard]] Status write_file(std::string_view path, std::string_view text) const;
  /// Clears away what a write_file() that was cut off may have left beside `path`.
  [[nodiscard]] Status discard_unfinished(std::string_view path) const;
  /// Removes the plain file `path`. Errors: not_found; as write_file().
  [[nodiscard]] Status remove_file(std::string_view path) const;
  /// Removes the folder `path` if it is there and empty.
  [[nodiscard]] Status remove_folder(std::string_view path) const;

  /// Lines that the kernel logged, oldest first, without their time stamps: /dev/kmsg of the live
  /// system, a recording's dmesg notes, a rehearsal host's log. Empty where it cannot be read.
  [[nodiscard]] std::vector<std::string> kernel_log() const;

  /// The text of a recording's first note with this key (Recording says which there are); nothing
  /// where there is none, or on another kind of root.
  [[nodiscard]] std::optional<std::string> note(std::string_view key) const;

 private:
  struct State;
  enum class Presence { absent, directory, other };
  [[nodiscard]] Result<std::string> read_unobserved(std::string_view path) const;
  [[nodiscard]] Result<std::string> read_link_unobserved(std::string_view path) const;
  [[nodiscard]] Result<std::vector<std::string>> list_unobserved(std::string_view path) const;
  [[nodiscard]] Presence presence(std::string_view path) const;
  [[nodiscard]] Status check_that_it_was_readable(std::string_view path) const;
  [[nodiscard]] Status check_changeable(std::string_view path) const;
  explicit Root(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tessera::kernel
