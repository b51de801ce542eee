// SPDX-License-Identifier: Apache-2.0
#include "kernel/small_files.h"

#include <cerrno>
#include <cstdio>
#include <optional>
#include <string>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "kernel/in_root.h"

namespace tessera::kernel {

namespace {

constexpr mode_t new_file_mode = 0644;  // less the umask, as with every program
constexpr mode_t new_folder_mode = 0755;

/// A path and its last piece.
struct Place {
  std::string folder;  ///< "/etc/mdevctl.d/mdpy"
  std::string name;

  /// Where the new text is written before it takes the file's name; hidden, so that nobody takes
  /// it for a settings file, and one for each file, so that what a crash left is found again.
  [[nodiscard]] std::string unfinished_name() const { return fmt::format(".{}.unfinished", name); }
};

Result<Place> split(std::string_view path) {
  const auto slash = path.rfind('/');
  Place place{std::string(path.substr(0, slash)), std::string(path.substr(slash + 1))};
  if (place.folder.empty()) place.folder = "/";
  if (!place.name.empty() && place.name != "." && place.name != "..") return place;
  return fail(ErrorKind::invalid, std::string(path), "it does not end with the name of a file");
}

std::unexpected<Error> failed(std::string_view path, std::string_view doing) {
  Error error = error_from_errno(errno, path, doing);
  if (error.kind == ErrorKind::denied && ::geteuid() != 0) error.hint = "be root: use sudo";
  return fail(std::move(error));
}

Fd open_folder_here(int root_fd, const std::string& folder) {
  return Fd(open_in_root(root_fd, folder.c_str(), O_RDONLY | O_DIRECTORY));
}

Result<Fd> open_folder(int root_fd, const std::string& folder) {
  Fd fd = open_folder_here(root_fd, folder);
  if (fd.valid()) return fd;
  return failed(folder, "open");
}

/// Opens a folder; one that is not there is made, and those above it.
Result<Fd> open_or_make_folder(int root_fd, const std::string& folder) {
  Fd fd = open_folder_here(root_fd, folder);
  if (fd.valid()) return fd;
  if (errno != ENOENT || folder == "/") return failed(folder, "open");
  TRY_LET(const Place place, split(folder));
  TRY_LET(const Fd above, open_or_make_folder(root_fd, place.folder));
  if (::mkdirat(above.get(), place.name.c_str(), new_folder_mode) != 0 && errno != EEXIST) {
    return failed(folder, "make");
  }
  if (::fsync(above.get()) != 0) return failed(place.folder, "bring to the disk");
  return open_folder(root_fd, folder);
}

/// What stands at the place now; nothing where there is nothing. Errors: unsupported when it is no
/// plain file: a link may be somebody's own arrangement, and replacing it would end that.
Result<std::optional<struct stat>> plain_file(const Fd& folder, const Place& place,
                                              std::string_view path) {
  struct stat it = {};
  if (::fstatat(folder.get(), place.name.c_str(), &it, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return std::optional<struct stat>();
    return failed(path, "look at");
  }
  if (S_ISREG(it.st_mode)) return std::optional(it);
  return fail(
      ErrorKind::unsupported, std::string(path),
      S_ISLNK(it.st_mode) ? "it is a symbolic link; only a plain file is replaced or removed"
                          : "it is no plain file",
      S_ISLNK(it.st_mode) ? "put the file itself there, or change what the link leads to" : "");
}

Status write_all(const Fd& file, std::string_view text, std::string_view path) {
  while (!text.empty()) {
    const ssize_t size = ::write(file.get(), text.data(), text.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return failed(path, "write");
    text.remove_prefix(static_cast<std::size_t>(size));
  }
  return {};
}

/// The new file gets the owner and the rights of the one that it replaces.
Status take_over(const Fd& file, const std::optional<struct stat>& former, std::string_view path) {
  struct stat now = {};
  if (!former) return {};
  if (::fstat(file.get(), &now) != 0) return failed(path, "look at");
  const bool same_owner = now.st_uid == former->st_uid && now.st_gid == former->st_gid;
  if (!same_owner && ::fchown(file.get(), former->st_uid, former->st_gid) != 0) {
    return failed(path, "keep the owner of");
  }
  constexpr mode_t rights = 07777;
  if ((now.st_mode & rights) != (former->st_mode & rights) &&
      ::fchmod(file.get(), former->st_mode & rights) != 0) {
    return failed(path, "keep the rights of");
  }
  return {};
}

Status write_unfinished(const Fd& folder, const Place& place, std::string_view text,
                        const std::optional<struct stat>& former, std::string_view path) {
  Fd file(::openat(folder.get(), place.unfinished_name().c_str(),
                   O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, new_file_mode));
  if (!file.valid()) return failed(path, "make a new file beside");
  TRY(write_all(file, text, path));
  TRY(take_over(file, former, path));
  if (::fsync(file.get()) != 0) return failed(path, "bring to the disk");
  return {};
}

Status remove_unfinished(const Fd& folder, const Place& place, std::string_view path) {
  const auto name = place.unfinished_name();
  if (::unlinkat(folder.get(), name.c_str(), 0) == 0 || errno == ENOENT) return {};
  return failed(path, "clear away a new file beside");
}

}  // namespace

Status write_small_file(int root_fd, std::string_view path, std::string_view text) {
  TRY_LET(const Place place, split(path));
  TRY_LET(const Fd folder, open_or_make_folder(root_fd, place.folder));
  TRY_LET(const auto former, plain_file(folder, place, path));
  TRY(remove_unfinished(folder, place, path));
  auto written = write_unfinished(folder, place, text, former, path);
  const auto unfinished = place.unfinished_name();
  if (written &&
      ::renameat(folder.get(), unfinished.c_str(), folder.get(), place.name.c_str()) != 0)
    written = failed(path, "put the new file in the place of");
  if (!written) {
    (void)remove_unfinished(folder, place,
                            path);  // best effort: the first error is the one to tell
    return written;
  }
  if (::fsync(folder.get()) != 0) return failed(place.folder, "bring to the disk");
  return {};
}

Status discard_unfinished_file(int root_fd, std::string_view path) {
  TRY_LET(const Place place, split(path));
  const Fd folder = open_folder_here(root_fd, place.folder);
  if (!folder.valid() && (errno == ENOENT || errno == ENOTDIR)) return {};
  if (!folder.valid()) return failed(place.folder, "open");
  return remove_unfinished(folder, place, path);
}

Status remove_small_file(int root_fd, std::string_view path) {
  TRY_LET(const Place place, split(path));
  TRY_LET(const Fd folder, open_folder(root_fd, place.folder));
  TRY(plain_file(folder, place, path));
  if (::unlinkat(folder.get(), place.name.c_str(), 0) != 0) return failed(path, "remove");
  if (::fsync(folder.get()) != 0) return failed(place.folder, "bring to the disk");
  return {};
}

Status remove_empty_folder(int root_fd, std::string_view path) {
  TRY_LET(const Place place, split(path));
  const Fd above = open_folder_here(root_fd, place.folder);
  if (!above.valid() && errno == ENOENT) return {};
  if (!above.valid()) return failed(place.folder, "open");
  if (::unlinkat(above.get(), place.name.c_str(), AT_REMOVEDIR) != 0) {
    if (errno == ENOENT || errno == ENOTEMPTY || errno == EEXIST) return {};
    return failed(path, "remove");
  }
  if (::fsync(above.get()) != 0) return failed(place.folder, "bring to the disk");
  return {};
}

}  // namespace tessera::kernel
