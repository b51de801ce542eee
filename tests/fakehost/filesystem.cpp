// SPDX-License-Identifier: Apache-2.0
#define FUSE_USE_VERSION 312
#include "fakehost/filesystem.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <thread>

#include <fuse3/fuse.h>
#include <fuse3/fuse_lowlevel.h>
#include <linux/fuse.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/fd.h"
#include "fakehost/behaviours.h"
#include "fakehost/settings.h"
#include "kernel/files.h"

namespace tessera::fakehost {

namespace {

using kernel::TreeNode;

Host& host() {
  return *static_cast<Host*>(fuse_get_context()->private_data);
}

bool is_uevents(std::string_view path) {
  return path == kernel::files::rehearsal_uevents;
}

mode_t file_mode(std::string_view path) {
  if (is_program(path)) return S_IFREG | 0755;
  if (is_setting(path)) return S_IFREG | 0644;
  const Behaviour* behaviour = find_behaviour(path);
  if (behaviour == nullptr || behaviour->write == nullptr) return S_IFREG | 0444;
  return S_IFREG | (behaviour->readable == Behaviour::Readable::yes ? 0644 : 0200);
}

/// Sizes as Linux gives them: a page in sysfs, nothing in proc, the truth elsewhere.
off_t shown_size(std::string_view path, const TreeNode& node) {
  if (path.starts_with("/proc/") || is_uevents(path)) return 0;
  if (path.starts_with("/sys/")) return 4096;
  return static_cast<off_t>(node.content.size());
}

void fill_stat(std::string_view path, const TreeNode& node, struct stat* out) {
  std::memset(out, 0, sizeof *out);
  out->st_uid = geteuid();
  out->st_gid = getegid();
  out->st_nlink = 1;
  switch (node.kind) {
    case TreeNode::Kind::directory:
      out->st_mode = S_IFDIR | 0755;
      break;
    case TreeNode::Kind::link:
      out->st_mode = S_IFLNK | 0777;
      out->st_size = static_cast<off_t>(node.content.size());
      break;
    case TreeNode::Kind::file:
      out->st_mode = file_mode(path);
      out->st_size = shown_size(path, node);
      break;
  }
}

int get_attributes(const char* path, struct stat* out, fuse_file_info*) {
  Lock lock(host().mutex);
  const auto* node = host().tree.find_no_follow(path);
  if (node == nullptr) return -ENOENT;
  fill_stat(path, *node, out);
  return 0;
}

int read_link(const char* path, char* out, std::size_t size) {
  Lock lock(host().mutex);
  const auto* node = host().tree.find_no_follow(path);
  if (node == nullptr) return -ENOENT;
  if (node->kind != TreeNode::Kind::link) return -EINVAL;
  auto length = std::min(node->content.size(), size - 1);
  std::memcpy(out, node->content.data(), length);
  out[length] = '\0';
  return 0;
}

int read_directory(const char* path, void* buffer, fuse_fill_dir_t fill, off_t, fuse_file_info*,
                   fuse_readdir_flags) {
  Lock lock(host().mutex);
  const auto* node = host().tree.find_no_follow(path);
  if (node == nullptr) return -ENOENT;
  if (node->kind != TreeNode::Kind::directory) return -ENOTDIR;
  auto add = [&](const char* name) {
    return fill(buffer, name, nullptr, 0, static_cast<fuse_fill_dir_flags>(0));
  };
  add(".");
  add("..");
  for (const auto& [name, child] : node->children) {
    if (add(name.c_str()) != 0) return -ENOMEM;
  }
  return 0;
}

int open_file(const char* path, fuse_file_info* info) {
  Lock lock(host().mutex);
  const auto* node = host().tree.find_no_follow(path);
  if (node == nullptr) return -ENOENT;
  auto mode = file_mode(path);
  bool writes = (info->flags & O_ACCMODE) != O_RDONLY;
  bool reads = (info->flags & O_ACCMODE) != O_WRONLY;
  if ((writes && (mode & S_IWUSR) == 0) || (reads && (mode & S_IRUSR) == 0)) return -EACCES;
  info->direct_io = 1;
  if (is_setting(path) && (info->flags & O_TRUNC) != 0) return cut_setting(host(), path, 0);
  if (is_uevents(path)) {
    info->nonseekable = 1;
    info->fh = host().events.open();
  }
  return 0;
}

int release_file(const char* path, fuse_file_info* info) {
  if (path == nullptr || !is_uevents(path)) return 0;
  Lock lock(host().mutex);
  host().events.close(info->fh);
  return 0;
}

int copy_out(std::string_view text, char* out, std::size_t size) {
  auto length = std::min(text.size(), size);
  std::memcpy(out, text.data(), length);
  return static_cast<int>(length);
}

int read_event(char* out, std::size_t size, fuse_file_info* info) {
  Lock lock(host().mutex);
  Events& events = host().events;
  if (!events.waiting(info->fh)) {
    if ((info->flags & O_NONBLOCK) != 0) return -EAGAIN;
    if (!host().wait(lock, [&] { return events.waiting(info->fh); })) return -EINTR;
  }
  return copy_out(events.take(info->fh), out, size);
}

int read_file(const char* path, char* out, std::size_t size, off_t offset, fuse_file_info* info) {
  if (is_uevents(path)) return read_event(out, size, info);
  Lock lock(host().mutex);
  const auto* node = host().tree.find_no_follow(path);
  if (node == nullptr) return -ENODEV;
  std::string worked_out;
  const Behaviour* behaviour = find_behaviour(path);
  const bool computed = behaviour != nullptr && behaviour->read != nullptr;
  if (computed) {
    int error = behaviour->read(host(), path, worked_out);
    if (error != 0) return error;
  }
  std::string_view text = computed ? worked_out : node->content;
  return copy_out(text.substr(std::min(static_cast<std::size_t>(offset), text.size())), out, size);
}

int write_file(const char* path, const char* text, std::size_t size, off_t offset,
               fuse_file_info*) {
  if (is_setting(path)) {
    Lock lock(host().mutex);
    int kept = write_setting(host(), path, {text, size}, static_cast<std::size_t>(offset));
    return kept < 0 ? kept : static_cast<int>(size);
  }
  int answer = host().write(path, {text, size});
  return answer < 0 ? answer : static_cast<int>(size);
}

/// sysfs takes O_TRUNC and does nothing with it; a file on a disk is cut.
int truncate_file(const char* path, off_t size, fuse_file_info*) {
  if (!is_setting(path)) return 0;
  Lock lock(host().mutex);
  return cut_setting(host(), path, static_cast<std::size_t>(size));
}

int create_file(const char* path, mode_t, fuse_file_info* info) {
  Lock lock(host().mutex);
  info->direct_io = 1;
  return make_setting(host(), path);
}

int rename_file(const char* from, const char* to, unsigned flags) {
  if (flags != 0) return -EINVAL;
  Lock lock(host().mutex);
  return rename_setting(host(), from, to);
}

int remove_file(const char* path) {
  Lock lock(host().mutex);
  return remove_setting(host(), path);
}

int make_folder(const char* path, mode_t) {
  Lock lock(host().mutex);
  return make_settings_folder(host(), path);
}

int remove_folder(const char* path) {
  Lock lock(host().mutex);
  return remove_settings_folder(host(), path);
}

int poll_file(const char* path, fuse_file_info* info, fuse_pollhandle* handle, unsigned* ready) {
  if (!is_uevents(path)) {
    if (handle != nullptr) fuse_pollhandle_destroy(handle);
    *ready = POLLIN | POLLOUT;
    return 0;
  }
  Lock lock(host().mutex);
  Events& events = host().events;
  *ready = events.waiting(info->fh) ? POLLIN : 0;
  if (handle == nullptr) return 0;
  std::shared_ptr<fuse_pollhandle> owned(handle, fuse_pollhandle_destroy);
  events.wake_with(info->fh, [owned] { (void)fuse_notify_poll(owned.get()); });
  return 0;
}

/// FUSE_NOTIFY_INC_EPOCH of include/uapi/linux/fuse.h, with which a kernel looks all names up anew.
constexpr int forget_names = 8;
constexpr unsigned takes_forget_names = 44;  ///< protocol 7.44, Linux 6.16

/// A kernel that takes it keeps names between two changes, as it does those of its own sysfs; an
/// older one asks for each piece of a path, each time. Texts and attributes are never kept.
double keep_names(const fuse_conn_info& connection) {
  if (connection.proto_minor < takes_forget_names) return 0;
  constexpr double until_told = 1e6;  // seconds
  host().names_changed = [fd = fuse_session_fd(fuse_get_session(fuse_get_context()->fuse))] {
    const fuse_out_header notice = {.len = sizeof notice, .error = forget_names, .unique = 0};
    (void)!::write(fd, &notice, sizeof notice);  // fails only when nobody can look any more
  };
  return until_told;
}

void* start(fuse_conn_info* connection, fuse_config* config) {
  config->attr_timeout = 0;
  config->entry_timeout = keep_names(*connection);
  config->negative_timeout = 0;
  config->direct_io = 1;
  config->nullpath_ok = 0;
  config->hard_remove = 1;
  return fuse_get_context()->private_data;
}

fuse_operations operations() {
  fuse_operations table{};
  table.getattr = get_attributes;
  table.readlink = read_link;
  table.readdir = read_directory;
  table.open = open_file;
  table.release = release_file;
  table.read = read_file;
  table.write = write_file;
  table.truncate = truncate_file;
  table.create = create_file;
  table.rename = rename_file;
  table.unlink = remove_file;
  table.mkdir = make_folder;
  table.rmdir = remove_folder;
  table.poll = poll_file;
  table.init = start;
  return table;
}

/// Waits for a signal, or for the end of the mount; then nobody may wait for the host any more,
/// or the workers would never end.
class Watcher {
 public:
  Watcher(Host& host, fuse* fuse) : end_(eventfd(0, EFD_CLOEXEC)) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    signals_ = Fd(signalfd(-1, &set, SFD_CLOEXEC));
    thread_ = std::thread([this, &host, fuse] { watch(host, fuse); });
  }
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;
  ~Watcher() {
    (void)eventfd_write(end_.get(), 1);  // cannot fail: the counter is at most 1
    thread_.join();
  }

 private:
  void watch(Host& host, fuse* fuse) {
    int connection = fuse_session_fd(fuse_get_session(fuse));
    pollfd waited[] = {{connection, 0, 0}, {signals_.get(), POLLIN, 0}, {end_.get(), POLLIN, 0}};
    while (poll(waited, 3, -1) < 0 && errno == EINTR) {
    }
    {
      Lock lock(host.mutex);
      host.stop();
    }
    if (waited[1].revents != 0) {
      fuse_session_exit(fuse_get_session(fuse));
      fuse_unmount(fuse);
    }
  }

  Fd end_;
  Fd signals_;
  std::thread thread_;
};

int serve(Host& host, fuse* fuse) {
  Watcher watcher(host, fuse);
  fuse_loop_config* config = fuse_loop_cfg_create();
  constexpr unsigned threads = 64;  // each hanging write keeps one
  fuse_loop_cfg_set_max_threads(config, threads);
  fuse_loop_cfg_set_clone_fd(config, 0);
  int result = fuse_loop_mt(fuse, config);
  fuse_loop_cfg_destroy(config);
  return result < 0 ? 1 : 0;
}

}  // namespace

int play(Host& host, const std::string& mount_point, Stay stay) {
  fuse_args args = FUSE_ARGS_INIT(0, nullptr);
  fuse_opt_add_arg(&args, "tessera-fakehost");
  fuse_opt_add_arg(&args, "-ofsname=tessera-fakehost");
  auto table = operations();
  fuse* fuse = fuse_new(&args, &table, sizeof table, &host);
  fuse_opt_free_args(&args);
  if (fuse == nullptr) return 1;
  int result = 1;
  if (fuse_mount(fuse, mount_point.c_str()) == 0) {
    if (fuse_daemonize(stay == Stay::foreground ? 1 : 0) == 0) result = serve(host, fuse);
    fuse_unmount(fuse);
  }
  fuse_destroy(fuse);
  return result;
}

}  // namespace tessera::fakehost
