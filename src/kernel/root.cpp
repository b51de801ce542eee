// SPDX-License-Identifier: Apache-2.0
#include "kernel/root.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "kernel/files.h"
#include "kernel/in_root.h"
#include "kernel/observer.h"
#include "kernel/read_child.h"
#include "kernel/recording.h"
#include "kernel/small_files.h"
#include "kernel/write_child.h"

namespace tessera::kernel {

struct Root::State {
  Kind kind = Kind::directory;
  std::string location;
  Fd directory;                                           ///< O_PATH; live and directory only
  Recording recording;                                    ///< recording only
  std::map<std::string, std::string, std::less<>> notes;  ///< its notes, the first of each key
  ReadChild patient;  ///< live only; what it keeps is a process, nothing of the host's
  WriteChild writer;  ///< live and directory only; likewise
  Observer* observer = nullptr;
};

namespace {

constexpr std::size_t read_limit = std::size_t{4} << 20;
constexpr std::size_t recording_limit = std::size_t{256} << 20;
constexpr Milliseconds read_patience = std::chrono::seconds(2);
constexpr std::string_view what_root_takes =
    "--root takes a directory that holds a host's /sys and /proc, or a recording of one "
    "(a text file: path, TAB, value)";

Status check_path(std::string_view path) {
  if (path.starts_with('/') && path.find('\0') == std::string_view::npos) return {};
  return fail(ErrorKind::invalid, text::printable(path),
              "a path inside a root starts with \"/\" and has no NUL byte");
}

/// sysfs gives a file's text in one read, and bytes at least a page at a time while there are more
/// (fs/kernfs/file.c): after less than a page there is nothing to come.
constexpr ssize_t least_of_sysfs = 4096;
constexpr std::string_view sysfs = "/sys/";

Result<std::string> read_all(int fd, std::string_view path, std::size_t limit) {
  std::string content;
  std::array<char, 65536> piece;
  for (;;) {
    ssize_t size = ::read(fd, piece.data(), piece.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return fail(error_from_errno(errno, path, "read"));
    content.append(piece.data(), static_cast<std::size_t>(size));
    const bool ends = size < least_of_sysfs && path.starts_with(sysfs);
    if (size == 0 || ends) return content;
    if (content.size() > limit) {
      return fail(
          ErrorKind::invalid, std::string(path),
          fmt::format("it is longer than the {} MiB that are read of one file", limit >> 20));
    }
  }
}

constexpr int largest_errno = 134;  // include/uapi/asm-generic/errno.h

std::unexpected<Error> not_recorded(std::string_view path) {
  return fail(ErrorKind::not_found, std::string(path), "it is not in the recording");
}

std::unexpected<Error> wrong_kind(std::string_view path, std::string_view is);

/// readlinkat(2); an empty `name` is the link `fd` itself.
Result<std::string> link_target(int fd, const std::string& name, std::string_view path) {
  std::array<char, 4097> target;
  ssize_t size = ::readlinkat(fd, name.c_str(), target.data(), target.size());
  if (size >= 0) return std::string(target.data(), static_cast<std::size_t>(size));
  if (errno == EINVAL || (errno == ENOENT && name.empty())) {
    return wrong_kind(path, "not a symbolic link");
  }
  return fail(error_from_errno(errno, path, "read the link"));
}

std::unexpected<Error> wrong_kind(std::string_view path, std::string_view is) {
  return fail(ErrorKind::invalid, std::string(path), fmt::format("it is {}", is));
}

Result<std::vector<std::string>> list_directory(Fd fd, std::string_view path) {
  DIR* directory = ::fdopendir(fd.get());
  if (directory == nullptr) return fail(error_from_errno(errno, path, "list"));
  (void)fd.release();  // closedir() owns it now
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(directory)) {
    std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
    errno = 0;
  }
  int problem = errno;
  ::closedir(directory);
  if (problem != 0) return fail(error_from_errno(problem, path, "list"));
  std::sort(names.begin(), names.end());
  return names;
}

bool is_the_real_root(const struct stat& it) {
  struct stat real = {};
  return ::stat("/", &real) == 0 && real.st_dev == it.st_dev && real.st_ino == it.st_ino;
}

/// Cuts "[   12.345678] " off.
std::string_view without_time_stamp(std::string_view line) {
  if (!line.starts_with('[')) return line;
  auto end = line.find(']');
  if (end == std::string_view::npos) return line;
  auto stamp = line.substr(1, end - 1);
  if (stamp.find_first_not_of(" .0123456789") != std::string_view::npos) return line;
  line.remove_prefix(end + 1);
  if (line.starts_with(' ')) line.remove_prefix(1);
  return line;
}

/// One record a read, "PRIORITY,SEQUENCE,TIME,FLAGS;TEXT\n KEY=VALUE\n..." (ABI/testing/dev-kmsg).
std::vector<std::string> read_kmsg(int fd) {
  std::vector<std::string> log;
  std::array<char, 8192> record;
  for (;;) {
    ssize_t size = ::read(fd, record.data(), record.size());
    if (size < 0 && (errno == EPIPE || errno == EINTR)) continue;  // EPIPE: overwritten, go on
    if (size <= 0) return log;
    std::string_view line(record.data(), static_cast<std::size_t>(size));
    line = line.substr(0, line.find('\n'));
    if (auto begin = line.find(';'); begin != std::string_view::npos) {
      log.emplace_back(line.substr(begin + 1));
    }
  }
}

}  // namespace

Root::Root(std::unique_ptr<State> state) : state_(std::move(state)) {}
Root::Root(Root&&) noexcept = default;
Root& Root::operator=(Root&&) noexcept = default;
Root::~Root() = default;

Root::Kind Root::kind() const {
  return state_->kind;
}

const std::string& Root::location() const {
  return state_->location;
}

bool Root::is_complete() const {
  return kind() == Kind::live || note(Recording::complete_note).has_value();
}

void Root::set_observer(Observer* observer) {
  state_->observer = observer;
}

bool Root::is_observed() const {
  return state_->observer != nullptr;
}

Result<Root> Root::open(const std::string& location) {
  auto state = std::make_unique<State>();
  state->location = location;
  // O_NONBLOCK: a FIFO given by mistake must not hang us.
  Fd fd(::open(location.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  struct stat it = {};
  if (!fd.valid() || ::fstat(fd.get(), &it) != 0) {
    auto error = error_from_errno(errno, location, "open");
    if (error.kind == ErrorKind::not_found) error.hint = what_root_takes;
    return fail(std::move(error));
  }
  if (S_ISREG(it.st_mode)) {
    state->kind = Kind::recording;
    TRY_LET(std::string content, read_all(fd.get(), location, recording_limit));
    TRY_LET(state->recording, parse_recording(content, location));
    for (const auto& note : state->recording.notes) state->notes.emplace(note.key, note.text);
    return Root(std::move(state));
  }
  if (!S_ISDIR(it.st_mode)) {
    return fail(ErrorKind::invalid, location, "it is neither a directory nor a file",
                std::string(what_root_takes));
  }
  state->kind = is_the_real_root(it) ? Kind::live : Kind::directory;
  state->directory = std::move(fd);
  Fd probe(open_in_root(state->directory.get(), "/", O_PATH | O_DIRECTORY));
  if (!probe.valid()) {
    auto error = error_from_errno(errno, location, "use openat2(RESOLVE_IN_ROOT) on");
    if (error.kind == ErrorKind::unsupported) error.hint = "Linux 5.6 or newer is needed";
    return fail(std::move(error));
  }
  return Root(std::move(state));
}

Result<Fd> Root::open_file(std::string_view path, int flags) const {
  TRY(check_path(path));
  if (kind() == Kind::recording) {
    return fail(ErrorKind::unsupported, std::string(path),
                fmt::format("{} is a recording: it has no files to open", location()));
  }
  int more = (flags & O_PATH) == 0 ? O_NOCTTY : 0;  // openat2 refuses what O_PATH ignores
  Fd fd(open_in_root(state_->directory.get(), std::string(path).c_str(), flags | more));
  if (fd.valid()) return fd;
  auto error = error_from_errno(errno, path, "open");
  if (error.kind == ErrorKind::denied && ::geteuid() != 0) error.hint = "be root: use sudo";
  return fail(std::move(error));
}

Result<std::string> Root::read(std::string_view path) const {
  auto text = read_unobserved(path);
  if (is_observed()) state_->observer->saw_text(path, text);
  return text;
}

Result<std::string> Root::read_link(std::string_view path) const {
  auto target = read_link_unobserved(path);
  if (is_observed()) state_->observer->saw_link(path, target);
  return target;
}

Result<std::vector<std::string>> Root::list(std::string_view path) const {
  auto names = list_unobserved(path);
  if (is_observed()) state_->observer->saw_directory(path, names);
  return names;
}

bool Root::exists(std::string_view path) const {
  const Presence seen = presence(path);
  if (is_observed() && seen != Presence::absent) {
    state_->observer->saw_entry(path, seen == Presence::directory);
  }
  return seen != Presence::absent;
}

bool Root::is_surely_absent(std::string_view path) const {
  bool absent = false;
  if (kind() == Kind::live) {
    auto fd = open_file(path, O_PATH);
    absent = !fd && fd.error().kind == ErrorKind::not_found;
  } else if (kind() == Kind::recording) {
    absent = note(fmt::format("{}{}", Recording::absent_note, path)).has_value();
  }
  if (absent && is_observed()) state_->observer->saw_absence(path);
  return absent;
}

/// What a recording says of a file that its maker could not read: the error they had.
Status Root::check_that_it_was_readable(std::string_view path) const {
  auto name = note(fmt::format("{}{}", Recording::unreadable_note, path));
  if (!name) return {};
  for (int number = 1; number < largest_errno; ++number) {
    if (errno_name(number) == *name) return fail(error_from_errno(number, path, "read"));
  }
  return fail(ErrorKind::io, std::string(path), "it could not be read where it was recorded");
}

Result<std::string> Root::read_unobserved(std::string_view path) const {
  TRY(check_path(path));
  if (kind() == Kind::recording) {
    TRY(check_that_it_was_readable(path));
    const TreeNode* node = state_->recording.tree.find(path);
    if (node == nullptr) return not_recorded(path);
    if (node->kind != TreeNode::Kind::file) return wrong_kind(path, "a directory, not a file");
    return node->content;
  }
  if (kind() == Kind::live && read_may_block(path)) {
    return state_->patient.read(state_->directory.get(), path, Deadline::in(read_patience));
  }
  TRY_LET(Fd fd, open_file(path, O_RDONLY | O_NONBLOCK));
  return read_all(fd.get(), path, read_limit);
}

Result<std::string> Root::read_link_unobserved(std::string_view path) const {
  TRY(check_path(path));
  if (kind() == Kind::recording) {
    TRY(check_that_it_was_readable(path));
    const TreeNode* node = state_->recording.tree.find_no_follow(path);
    if (node == nullptr) return not_recorded(path);
    if (node->kind != TreeNode::Kind::link) return wrong_kind(path, "not a symbolic link");
    return node->content;
  }
  const std::string file(path);
  if (kind() == Kind::live) return link_target(AT_FDCWD, file, path);
  TRY_LET(Fd fd, open_file(path, O_PATH | O_NOFOLLOW));
  return link_target(fd.get(), "", path);
}

Result<std::vector<std::string>> Root::list_unobserved(std::string_view path) const {
  TRY(check_path(path));
  if (kind() == Kind::recording) {
    TRY(check_that_it_was_readable(path));
    const TreeNode* node = state_->recording.tree.find(path);
    if (node == nullptr) return not_recorded(path);
    if (node->kind != TreeNode::Kind::directory) return wrong_kind(path, "not a directory");
    std::vector<std::string> names;  // a map's keys: sorted already
    for (const auto& [name, child] : node->children) names.push_back(name);
    return names;
  }
  TRY_LET(Fd fd, open_file(path, O_RDONLY | O_DIRECTORY));
  return list_directory(std::move(fd), path);
}

Root::Presence Root::presence(std::string_view path) const {
  if (!check_path(path)) return Presence::absent;
  if (kind() == Kind::recording) {
    const TreeNode* node = state_->recording.tree.find(path);
    if (node == nullptr) return Presence::absent;
    return node->kind == TreeNode::Kind::directory ? Presence::directory : Presence::other;
  }
  auto fd = open_file(path, O_PATH);
  if (!fd) return Presence::absent;
  struct stat it = {};
  const bool directory = is_observed() && ::fstat(fd->get(), &it) == 0 && S_ISDIR(it.st_mode);
  return directory ? Presence::directory : Presence::other;
}

Result<OpenDirectory> Root::open_directory(std::string_view path) const {
  if (is_observed()) {
    return fail(ErrorKind::unsupported, std::string(path), "each look at it is to be told");
  }
  TRY_LET(Fd fd, open_file(path, O_PATH | O_DIRECTORY));
  return OpenDirectory(std::move(fd), std::string(path));
}

Result<std::string> OpenDirectory::read(const std::string& name) const {
  const auto path = fmt::format("{}/{}", path_, name);
  Fd fd(open_below(fd_.get(), name.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY));
  if (fd.valid()) return read_all(fd.get(), path, read_limit);
  return fail(error_from_errno(errno, path, "open"));
}

Result<std::string> OpenDirectory::read_link(const std::string& name) const {
  return link_target(fd_.get(), name, fmt::format("{}/{}", path_, name));
}

Result<OpenDirectory> OpenDirectory::open(const std::string& name) const {
  auto path = fmt::format("{}/{}", path_, name);
  Fd fd(open_below(fd_.get(), name.c_str(), O_PATH | O_DIRECTORY));
  if (!fd.valid()) return fail(error_from_errno(errno, path, "open"));
  return OpenDirectory(std::move(fd), std::move(path));
}

Status Root::check_changeable(std::string_view path) const {
  TRY(check_path(path));
  if (kind() != Kind::recording) return {};
  return fail(ErrorKind::unsupported, std::string(path),
              fmt::format("{} is a recording: it can be read, never changed", location()));
}

Status Root::write(std::string_view path, std::string_view text, Deadline deadline,
                   const std::vector<LateWrite>& if_it_comes_late) const {
  TRY(check_changeable(path));
  for (const auto& late : if_it_comes_late) TRY(check_path(late.path));
  if (text.empty()) {
    return fail(ErrorKind::invalid, std::string(path),
                "a write of no bytes never reaches the kernel; \"\\n\" clears a sysfs file");
  }
  TRY_LET(Fd target, open_file(path, O_WRONLY));
  return state_->writer.write({.target_fd = target.get(),
                               .root_fd = state_->directory.get(),
                               .path = path,
                               .text = text,
                               .if_it_comes_late = if_it_comes_late},
                              deadline);
}

Status Root::write_file(std::string_view path, std::string_view text) const {
  TRY(check_changeable(path));
  return write_small_file(state_->directory.get(), path, text);
}

Status Root::discard_unfinished(std::string_view path) const {
  TRY(check_changeable(path));
  return discard_unfinished_file(state_->directory.get(), path);
}

Status Root::remove_file(std::string_view path) const {
  TRY(check_changeable(path));
  return remove_small_file(state_->directory.get(), path);
}

Status Root::remove_folder(std::string_view path) const {
  TRY(check_changeable(path));
  return remove_empty_folder(state_->directory.get(), path);
}

std::vector<std::string> Root::kernel_log() const {
  std::vector<std::string> log;
  if (kind() == Kind::live) {
    auto fd = open_file(files::dev_kmsg, O_RDONLY | O_NONBLOCK);
    return fd ? read_kmsg(fd->get()) : log;
  }
  auto add_lines = [&log](std::string_view block) {
    for (auto line : text::lines(block)) log.emplace_back(without_time_stamp(line));
  };
  if (kind() == Kind::directory) {
    auto content = read(files::rehearsal_kmsg);
    if (content) add_lines(*content);
    return log;
  }
  for (const auto& note : state_->recording.notes) {
    if (note.key.starts_with(Recording::log_note)) add_lines(note.text);
  }
  return log;
}

std::optional<std::string> Root::note(std::string_view key) const {
  auto found = state_->notes.find(key);
  return found != state_->notes.end() ? std::optional(found->second) : std::nullopt;
}

}  // namespace tessera::kernel
