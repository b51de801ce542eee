// SPDX-License-Identifier: Apache-2.0
// The quotas of virtual functions on Intel cards with i915 of Intel's own kernels or the module for
// others: drm/cardN/prelim_iov or iov, with a folder gt (Flex) or gt0 (Max, and the module).
#include <algorithm>
#include <array>
#include <cerrno>

#include <fmt/format.h>

#include "base/text.h"
#include "fakehost/behaviours.h"

namespace tessera::fakehost {

namespace {

/// What functions have quotas of: "lmem_quota" of a function is taken from the card's "lmem_free".
constexpr std::array resources = {"ggtt", "lmem", "contexts", "doorbells"};
constexpr std::uint64_t most_contexts = 1024;  // that automatic provisioning gives a function

/// ".../drm/card1/prelim_iov" of a path in it; empty for a path that is in none.
std::string iov_of(std::string_view path) {
  for (std::string_view name : {"/iov/", "/prelim_iov/"}) {
    auto at = path.find(name);
    if (at != std::string_view::npos) return std::string(path.substr(0, at + name.size() - 1));
  }
  return {};
}

/// A card's iov folder; empty when it has none.
std::string iov_of(const Host& host, const Device& pf) {
  for (const auto& node : host.names(pf.path + "/drm")) {
    for (const char* name : {"iov", "prelim_iov"}) {
      auto folder = fmt::format("{}/drm/{}/{}", pf.path, node, name);
      if (host.exists(folder)) return folder;
    }
  }
  return {};
}

/// "gt" or "gt0".
std::string gt_of(const Host& host, const std::string& iov) {
  return host.exists(iov + "/pf/gt") ? "gt" : "gt0";
}

std::vector<std::string> vf_folders(const Host& host, const std::string& iov) {
  auto names = host.names(iov);
  std::erase_if(names, [](const auto& name) { return !name.starts_with("vf"); });
  return names;
}

std::string quota_file(const Host& host, const std::string& iov, std::string_view function,
                       std::string_view resource) {
  return fmt::format("{}/{}/{}/{}_quota", iov, function, gt_of(host, iov), resource);
}

/// What the card has of a resource beside the quotas given. Its file keeps what was recorded of
/// the card without quotas; nothing where that was not recorded.
std::optional<std::uint64_t> free_of(const Host& host, const std::string& iov,
                                     std::string_view resource, std::string_view beside = {}) {
  auto recorded = text::to_number(
      host.text(fmt::format("{}/pf/{}/available/{}_free", iov, gt_of(host, iov), resource)));
  if (!recorded) return std::nullopt;
  std::uint64_t taken = 0;
  for (const auto& function : vf_folders(host, iov)) {
    if (function != beside) taken += host.number(quota_file(host, iov, function, resource));
  }
  return *recorded - std::min(*recorded, taken);
}

int read_free(Host& host, const std::string& path, std::string& text) {
  auto file = path.substr(path.rfind('/') + 1);
  auto left = free_of(host, iov_of(path), file.substr(0, file.find('_')));
  text = left ? fmt::format("{}\n", *left) : host.text(path) + "\n";
  return 0;
}

/// A quota by hand ends automatic provisioning.
int set_quota(Call& call) {
  Host& host = call.host;
  auto iov = iov_of(call.path);
  auto value = text::to_number(call.word());
  if (!value || iov.empty()) return -EINVAL;
  auto file = call.path.substr(call.path.rfind('/') + 1);
  auto left = free_of(host, iov, file.substr(0, file.find('_')), call.stars[3]);
  if (left && *value > *left) return -ENOSPC;
  host.put_file(call.path, fmt::format("{}\n", *value));
  if (host.exists(iov + "/pf/auto_provisioning"))
    host.put_file(iov + "/pf/auto_provisioning", "0\n");
  return 0;
}

int set_switch(Call& call) {
  auto word = call.word();
  if (word != "0" && word != "1") return -EINVAL;
  call.host.put_file(call.path, word + "\n");
  return 0;
}

int control(Call& call) {
  constexpr std::array words = {"stop", "pause", "resume", "clear"};
  return std::ranges::find(words, call.word()) == words.end() ? -EINVAL : 0;
}

constexpr auto readable = Behaviour::Readable::yes;
constexpr auto unreadable = Behaviour::Readable::no;
constexpr Behaviour i915_iov_table[] = {
    {"/sys/devices/**/drm/*/*/pf/*/available/*", nullptr, readable, read_free},
    {"/sys/devices/**/drm/*/*/pf/auto_provisioning", set_switch},
    {"/sys/devices/**/drm/*/*/*/*/ggtt_quota", set_quota},
    {"/sys/devices/**/drm/*/*/*/*/lmem_quota", set_quota},
    {"/sys/devices/**/drm/*/*/*/*/contexts_quota", set_quota},
    {"/sys/devices/**/drm/*/*/*/*/doorbells_quota", set_quota},
    {"/sys/devices/**/drm/*/*/*/*/exec_quantum_ms", set_number},
    {"/sys/devices/**/drm/*/*/*/*/preempt_timeout_us", set_number},
    {"/sys/devices/**/drm/*/iov/*/control", control, unreadable},
    {"/sys/devices/**/drm/*/prelim_iov/*/control", control, unreadable},
};

}  // namespace

std::span<const Behaviour> i915_iov_behaviours() {
  return i915_iov_table;
}

int i915_provision(Host& host, const Device& pf, int count) {
  auto iov = iov_of(host, pf);
  if (iov.empty()) return 0;
  if (host.text(iov + "/pf/auto_provisioning") == "0") {
    for (int i = 1; i <= count; ++i) {
      if (host.number(quota_file(host, iov, fmt::format("vf{}", i), "ggtt")) > 0) continue;
      host.log(
          fmt::format("i915 {}: Failed to enable {} VFs: VF{} has no GGTT", pf.name, count, i));
      return -EIO;
    }
    return 0;
  }
  for (std::string_view resource : resources) {
    auto left = free_of(host, iov, resource);
    if (!left) continue;
    auto share = *left / static_cast<std::uint64_t>(count);
    if (resource == "contexts") share = std::min(share, most_contexts);
    for (int i = 1; i <= count; ++i)
      host.put_file(quota_file(host, iov, fmt::format("vf{}", i), resource),
                    fmt::format("{}\n", share));
  }
  return 0;
}

void i915_disabled(Host& host, const Device& pf) {
  auto iov = iov_of(host, pf);
  if (iov.empty() || host.text(iov + "/pf/auto_provisioning") == "0") return;
  for (const auto& function : vf_folders(host, iov)) {
    for (std::string_view resource : resources) {
      auto file = quota_file(host, iov, function, resource);
      if (host.exists(file)) host.put_file(file, "0\n");
    }
  }
}

}  // namespace tessera::fakehost
