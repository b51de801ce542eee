// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "fakehost/drivers.h"
#include "fakehost/events.h"
#include "fakehost/faults.h"
#include "fakehost/nvidia.h"
#include "fakehost/processes.h"
#include "kernel/recording.h"

namespace tessera::fakehost {

using Lock = std::unique_lock<std::mutex>;

/// A kernel module the host knows: recorded, or in its table of aliases.
struct Module {
  std::vector<std::string> needs;    ///< modules loaded before it
  std::vector<std::string> drivers;  ///< "BUS/NAME" it registers
  bool loaded = false;
  bool built_in = false;  ///< cannot be unloaded, not in /proc/modules
};

/// What `remove` took out of the tree and a rescan brings back.
struct RemovedDevice {
  Device device;
  std::unique_ptr<kernel::TreeNode> directory;
};

/// The host being played. The tree is the truth for every reader; what a tree cannot say (which
/// ids a driver has, who holds a node) stands beside it. One lock guards all of it.
///
/// Behaviours are called with the lock held and may wait with it (wait()); anything may have
/// changed when the wait is over.
class Host {
 public:
  explicit Host(kernel::Recording recording);
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;
  ~Host();

  std::mutex mutex;
  kernel::Tree tree;
  Events events;
  Faults faults;
  Processes processes;
  Nvidia nvidia;
  std::map<std::string, Driver> drivers;  ///< "BUS/NAME"
  std::map<std::string, Device> devices;  ///< "BUS/NAME", present ones
  std::map<std::string, Module> modules;
  std::map<std::string, RemovedDevice> removed;
  /// By "VVVV:DDDD" of a card: the files that each of its virtual functions has while its usual
  /// driver is bound, by path below the function.
  std::map<std::string, std::map<std::string, std::string>> vf_files;
  std::map<std::string, std::string> memory;  ///< what behaviours remember, under their own keys

  bool autoprobe = true;  ///< a driver that registers looks for devices

  /// Called with the lock held when entries may have come or gone, before anybody can look.
  std::function<void()> names_changed = [] {};

  /// One write(2) to a file, as a program would do it. Takes the lock; may block.
  /// Returns 0 or a negative errno.
  int write(std::string_view path, std::string_view text);
  /// The same with the lock held, for behaviours that write for somebody else.
  int write(Lock& lock, std::string_view path, std::string_view text);

  /// Waits until `holds`, woken by every change. False when the host is being shut down.
  bool wait(Lock& lock, const std::function<bool()>& holds);
  /// Something that a waiter may look at changed.
  void changed();
  /// Ends every wait, with the lock held; writes that waited fail with EINTR.
  void stop();

  /// Calls `effect` with the lock held after `delay`, unless the host is shut down before.
  void later(std::chrono::milliseconds delay, std::function<void(Lock&)> effect);

  /// A file's text without white space around it; empty when absent.
  [[nodiscard]] std::string text(std::string_view path) const;
  /// A file's decimal number; 0 when it is absent or holds none.
  [[nodiscard]] std::uint64_t number(std::string_view path) const;
  [[nodiscard]] int count(std::string_view path) const { return static_cast<int>(number(path)); }
  [[nodiscard]] bool exists(std::string_view path) const;
  /// The last piece of a link's target; empty when absent.
  [[nodiscard]] std::string link_name(std::string_view path) const;
  void put_file(std::string_view path, std::string content);
  void put_directory(std::string_view path);
  /// Puts a relative link, as sysfs does, from absolute `path` to absolute `target`.
  void put_link(std::string_view path, std::string_view target);
  /// Takes an entry out of its directory; null when absent.
  std::unique_ptr<kernel::TreeNode> take(std::string_view path);
  /// Puts an entry that was taken out back; what a directory in its place holds besides stays.
  void give(std::string_view path, std::unique_ptr<kernel::TreeNode> node);
  [[nodiscard]] std::vector<std::string> names(std::string_view directory) const;

  [[nodiscard]] Device* device(std::string_view bus, std::string_view name);
  /// "/sys/bus/pci/devices/ADDR/FILE" for files of devices; other paths as they are.
  [[nodiscard]] std::string familiar_path(std::string_view canonical) const;
  /// The lowest number N for which "PREFIX<N>" is absent below `directory`.
  [[nodiscard]] int free_number(std::string_view directory, std::string_view prefix) const;

  void log(std::string_view line);
  void uevent(std::string_view action, const Device& device, std::string_view driver = {});
  /// Adds a line to /.rehearsal/writes and returns its number.
  std::size_t log_write(std::string_view path, std::string_view text);
  /// Adds to that line how it ended: an errno's name, "exit 19".
  void log_failure(std::size_t number, std::string_view how);

 private:
  void show_writes();

  std::condition_variable condition_;
  bool stopping_ = false;
  std::uint64_t sequence_ = 0;
  std::vector<std::string> writes_;
  std::vector<std::thread> late_;
};

/// `target` as a link at `link` would say it; both absolute.
std::string relative_target(std::string_view link, std::string_view target);

}  // namespace tessera::fakehost
