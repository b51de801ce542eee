// SPDX-License-Identifier: Apache-2.0
// The quotas of virtual functions on Intel cards with xe: sriov_admin.
// Documentation/ABI/testing/sysfs-driver-intel-xe-sriov (Linux 6.19; vram_quota from 7.0).
#include <algorithm>
#include <array>
#include <cerrno>

#include <fmt/format.h>

#include "base/text.h"
#include "fakehost/behaviours.h"

namespace tessera::fakehost {

namespace {

constexpr std::uint64_t vram_step = 2ULL << 20;  // what the driver rounds quotas up to
constexpr std::array priorities = {"low", "normal", "high"};

std::string admin_of(const Device& pf) {
  return pf.path + "/sriov_admin";
}

std::string xe_quota_file(const Device& pf, std::string_view function) {
  return fmt::format("{}/{}/profile/vram_quota", admin_of(pf), function);
}

/// vf1, vf2, ...: there for each that the card could have, enabled or not.
std::vector<std::string> vf_folders(const Host& host, const Device& pf) {
  auto names = host.names(admin_of(pf));
  std::erase_if(names, [](const auto& name) { return !name.starts_with("vf"); });
  return names;
}

/// The card whose sriov_admin holds the file.
Device* card_of(Call& call) {
  auto path = call.path.substr(0, call.path.find("/sriov_admin/"));
  auto found = std::ranges::find_if(call.host.devices,
                                    [&](const auto& entry) { return entry.second.path == path; });
  return found == call.host.devices.end() ? nullptr : &found->second;
}

/// What all functions can have together; the recording's note says it, or it is not known.
std::optional<std::uint64_t> vram_for_functions(const Host& host, const Device& pf) {
  auto found = host.memory.find("xe-vram-for-vfs/" + id_text(host, pf));
  return found == host.memory.end() ? std::nullopt : text::to_number(text::trim(found->second));
}

std::uint64_t quotas_beside(const Host& host, const Device& pf, std::string_view function) {
  std::uint64_t sum = 0;
  for (const auto& other : vf_folders(host, pf)) {
    if (other != function) sum += host.number(xe_quota_file(pf, other));
  }
  return sum;
}

int put_quota(Host& host, const Device& pf, const std::string& function, std::uint64_t bytes) {
  bytes = (bytes + vram_step - 1) / vram_step * vram_step;
  auto all = vram_for_functions(host, pf);
  if (all && bytes + quotas_beside(host, pf, function) > *all) {
    host.log(fmt::format("xe {}: [drm] *ERROR* PF: Failed to provision {} with {} of VRAM", pf.name,
                         function, bytes));
    return -EIO;
  }
  host.put_file(xe_quota_file(pf, function), fmt::format("{}\n", bytes));
  return 0;
}

int set_xe_quota(Call& call) {
  auto bytes = text::to_number(call.word());
  Device* pf = card_of(call);
  if (!bytes) return -EINVAL;
  if (pf == nullptr) return -ENODEV;
  return put_quota(call.host, *pf, call.stars[1], *bytes);
}

int set_quota_of_all(Call& call) {
  auto bytes = text::to_number(call.word());
  Device* pf = card_of(call);
  if (!bytes) return -EINVAL;
  if (pf == nullptr) return -ENODEV;
  for (const auto& function : vf_folders(call.host, *pf)) {
    if (int error = put_quota(call.host, *pf, function, *bytes); error != 0) return error;
  }
  return 0;
}

/// "low" is written, "[low] normal high" is read.
int set_priority(Call& call) {
  auto word = call.word();
  if (std::ranges::find(priorities, word) == priorities.end()) return -EINVAL;
  std::vector<std::string> shown;
  for (std::string name : priorities) shown.push_back(name == word ? "[" + name + "]" : name);
  call.host.put_file(call.path, text::join(shown, " ") + "\n");
  return 0;
}

/// A bulk file writes to the file of its name of the card and of all functions.
int set_of_all(Call& call, Write one) {
  Device* pf = card_of(call);
  if (pf == nullptr) return -ENODEV;
  auto file = call.path.substr(call.path.rfind('/') + 1);
  auto folders = vf_folders(call.host, *pf);
  folders.emplace_back("pf");
  for (const auto& folder : folders) {
    auto path = fmt::format("{}/{}/profile/{}", admin_of(*pf), folder, file);
    if (!call.host.exists(path)) continue;
    Call single{call.host, call.lock, path, {}, call.text};
    if (int error = one(single); error != 0) return error;
  }
  return 0;
}

int set_number_of_all(Call& call) {
  return set_of_all(call, set_number);
}

/// The firmware gives "high" to the card itself only, and no virtual function one of its own
/// (sched_priority_high_allowed(), sched_priority_change_allowed() of the kernel).
int set_priority_of_all(Call& call) {
  if (call.word() == "high") return -EINVAL;
  return set_of_all(call, set_priority);
}

/// "1" stops a function until it is reset.
int stop(Call& call) {
  Device* pf = card_of(call);
  auto word = call.word();
  if (word != "0" && word != "1") return -EINVAL;
  if (pf == nullptr) return -ENODEV;
  if (!call.host.exists(fmt::format("{}/{}/device", admin_of(*pf), call.stars[1]))) return -EPERM;
  if (word == "1")
    call.host.log(fmt::format("xe {}: [drm] PF: {} stopped", pf->name, call.stars[1]));
  return 0;
}

constexpr auto unreadable = Behaviour::Readable::no;
constexpr Behaviour xe_table[] = {
    {"/sys/devices/**/sriov_admin/.bulk_profile/exec_quantum_ms", set_number_of_all, unreadable},
    {"/sys/devices/**/sriov_admin/.bulk_profile/preempt_timeout_us", set_number_of_all, unreadable},
    {"/sys/devices/**/sriov_admin/.bulk_profile/sched_priority", set_priority_of_all, unreadable},
    {"/sys/devices/**/sriov_admin/.bulk_profile/vram_quota", set_quota_of_all, unreadable},
    {"/sys/devices/**/sriov_admin/*/profile/exec_quantum_ms", set_number},
    {"/sys/devices/**/sriov_admin/*/profile/preempt_timeout_us", set_number},
    {"/sys/devices/**/sriov_admin/pf/profile/sched_priority", set_priority},
    {"/sys/devices/**/sriov_admin/*/profile/vram_quota", set_xe_quota},
    {"/sys/devices/**/sriov_admin/*/stop", stop, unreadable},
};

}  // namespace

std::span<const Behaviour> xe_behaviours() {
  return xe_table;
}

void complete_xe(Host& host, const Device& pf) {
  auto folders = vf_folders(host, pf);
  if (folders.empty()) return;
  for (const auto& folder : folders)
    host.put_file(fmt::format("{}/{}/stop", admin_of(pf), folder), "");
  for (const auto& file : host.names(fmt::format("{}/{}/profile", admin_of(pf), folders.front())))
    host.put_file(fmt::format("{}/.bulk_profile/{}", admin_of(pf), file), "");
  host.put_link(admin_of(pf) + "/pf/device", pf.path);
}

int xe_provision(Host& host, const Device& pf, int count) {
  bool by_hand = quotas_beside(host, pf, "") > 0;
  auto all = vram_for_functions(host, pf);
  if (by_hand || !all || !host.exists(xe_quota_file(pf, "vf1"))) return 0;
  auto share = *all / static_cast<std::uint64_t>(count) / vram_step * vram_step;
  for (int i = 1; i <= count; ++i) {
    if (int error = put_quota(host, pf, fmt::format("vf{}", i), share); error != 0) return error;
  }
  return 0;
}

void xe_enabled(Host& host, const Device& pf, int count) {
  for (int i = 1; i <= count; ++i) {
    auto folder = fmt::format("{}/vf{}", admin_of(pf), i);
    auto vf = host.tree.canonical(fmt::format("{}/virtfn{}", pf.path, i - 1));
    if (host.exists(folder) && !vf.empty()) host.put_link(folder + "/device", vf);
  }
}

void xe_disabled(Host& host, const Device& pf) {
  for (const auto& folder : vf_folders(host, pf)) {
    host.tree.remove(fmt::format("{}/{}/device", admin_of(pf), folder));
    auto profile = fmt::format("{}/{}/profile/", admin_of(pf), folder);
    for (const char* file : {"vram_quota", "exec_quantum_ms", "preempt_timeout_us"}) {
      if (host.exists(profile + file)) host.put_file(profile + file, "0\n");
    }
    if (host.exists(profile + "sched_priority"))
      host.put_file(profile + "sched_priority", "[low] normal high\n");
  }
}

}  // namespace tessera::fakehost
