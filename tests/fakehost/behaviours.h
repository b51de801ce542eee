// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fakehost/host.h"

namespace tessera::fakehost {

/// One write to a file that behaves.
struct Call {
  Host& host;
  Lock& lock;                      ///< held; see Host::wait()
  std::string path;                ///< link-free
  std::vector<std::string> stars;  ///< what the pattern's '*' and '**' stood for
  std::string text;                ///< as written, at most one page

  /// The text without its last newline, as sysfs_streq() compares it.
  [[nodiscard]] std::string word() const;
  /// The device whose file it is: the directory above the file.
  [[nodiscard]] Device* device() const;
};

/// How the file at `pattern` answers a write: 0, or a negative errno.
using Write = int (*)(Call& call);
/// How a file that is worked out at each read answers it: 0 and its text, or a negative errno.
using Read = int (*)(Host& host, const std::string& path, std::string& text);

struct Behaviour {
  std::string_view pattern;  ///< '*' one piece of a path, '**' one or more
  Write write;               ///< null: it cannot be written
  enum class Readable { yes, no } readable = Readable::yes;
  Read read = nullptr;  ///< null: what stands in the tree is read
};

/// A new kind of file is one new .cpp with a span like these, and one line in behaviours.cpp.
std::span<const Behaviour> driver_core_behaviours();
std::span<const Behaviour> pci_hotplug_behaviours();
std::span<const Behaviour> mdev_behaviours();
std::span<const Behaviour> vendor_vfio_behaviours();
std::span<const Behaviour> nvidia_tool_behaviours();
std::span<const Behaviour> xe_behaviours();
std::span<const Behaviour> i915_iov_behaviours();
std::span<const Behaviour> sriov_behaviours();
std::span<const Behaviour> modprobe_behaviours();
std::span<const Behaviour> process_behaviours();
std::span<const Behaviour> fault_behaviours();
std::span<const Behaviour> plain_behaviours();

/// The first behaviour whose pattern fits; null when the file is read-only.
const Behaviour* find_behaviour(std::string_view path, std::vector<std::string>* stars = nullptr);

/// Makes a module's driver and loads it (modprobe.cpp); 0 or a negative errno.
int load_module(Host& host, std::string name);

/// Writes to files that keep a whole number of 32 bits (plain.cpp).
int set_number(Call& call);

/// These take names by value: a device may go, and its name with it, while they wait.
/// Takes the driver off, waiting for those who hold its device (driver_core.cpp).
int unbind(Call& call, std::string bus, std::string name);
/// Takes a device out of the tree (pci_hotplug.cpp); `keep` for a later rescan.
enum class Keep { for_rescan, no };
int remove_device(Call& call, std::string bus, std::string name, Keep keep);
/// Makes `count` SR-IOV VFs of a PF that has none, whatever its driver says (sriov.cpp).
int enable_virtual_functions(Call& call, const std::string& pf, int count);
/// What Intel's drivers do with quotas: before `count` VFs are made, when they are there, and when
/// they are gone. The first answers 0 or a negative errno.
int xe_provision(Host& host, const Device& pf, int count);
void xe_enabled(Host& host, const Device& pf, int count);
void xe_disabled(Host& host, const Device& pf);
int i915_provision(Host& host, const Device& pf, int count);
void i915_disabled(Host& host, const Device& pf);
/// Adds the write-only files of a recorded sriov_admin.
void complete_xe(Host& host, const Device& pf);
/// Ends all SR-IOV VFs of a PF, one mdev, all mdevs of a parent; waits for those who hold them.
int remove_virtual_functions(Call& call, std::string pf);
int remove_mediated_device(Call& call, std::string uuid);
int remove_mediated_devices(Call& call, std::string parent);

/// Makes devices of the mdevs that were recorded, and empty-card counts of what their parents say.
void adopt_mediated_devices(Host& host);

/// What a fault does to a write that arrived (faults.cpp). `done` is set when the write's answer
/// is `return value` already.
struct FaultAnswer {
  bool done = false;
  int value = 0;
};
FaultAnswer apply_faults(Call& call, const Behaviour& behaviour);

/// Puts the programs of NVIDIA's driver where they belong, on a host that has the driver.
void install_nvidia_tools(Host& host);
/// Whether the file is one of those.
bool is_program(std::string_view path);

/// Fills what a live kernel has beside a recording (completion.cpp).
void complete(Host& host, const kernel::Recording& recording);

}  // namespace tessera::fakehost
