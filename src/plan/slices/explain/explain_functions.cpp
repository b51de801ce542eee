// SPDX-License-Identifier: Apache-2.0
// Refusals of sriov_numvfs (drivers/pci/{pci-sysfs,iov}.c), of the quotas of xe and i915
// (Documentation/ABI/testing/sysfs-driver-intel-xe-sriov), and what any write can meet.
#include <algorithm>
#include <array>
#include <cerrno>

#include <fmt/format.h>

#include "base/text.h"
#include "plan/slices/explain/explain_support.h"

namespace tessera::plan::slices {

namespace {

bool turns_on(const Refusal& refusal) {
  return refusal.attempt == Attempt::functions_on;
}

bool sets_quota(const Refusal& refusal) {
  return refusal.attempt == Attempt::quota;
}

std::string driver(const Refusal& refusal) {
  const bool known = refusal.source && !refusal.source->driver.empty();
  return known ? refusal.source->driver : "its driver";
}

constexpr auto function_rules = std::to_array<ExplanationRule>({
    {"functions-unbind-lock",
     [](const Refusal& r) { return r.said.find("unbindLock") != std::string::npos; },
     [](const Refusal& r) {
       return Explanation{
           fmt::format("something has {} open (a machine, a display server, nvidia-persistenced, "
                       "dcgm), and NVIDIA's driver gives its unbind lock to nobody meanwhile",
                       card_of(r)),
           fmt::format("tessera show {} names who has it open; end that, then this again",
                       card_of(r))};
     }},
    {"functions-nvidia",
     [](const Refusal& r) {
       return turns_on(r) && r.error_number == ENOENT && driver(r) == "nvidia";
     },
     [](const Refusal& r) {
       return Explanation{
           "NVIDIA's driver does not take this file; its own tool turns virtual "
           "functions on",
           fmt::format("sudo /usr/lib/nvidia/sriov-manage -e {}", card_of(r))};
     }},
    {"functions-no-driver",
     [](const Refusal& r) {
       return turns_on(r) && r.error_number == ENOENT && r.source && r.source->driver.empty();
     },
     [](const Refusal& r) {
       return Explanation{fmt::format("{} has no driver bound, and only a driver can turn virtual "
                                      "functions on",
                                      card_of(r)),
                          fmt::format("tessera assign {} --to host", card_of(r))};
     }},
    {"functions-not-by-driver",
     [](const Refusal& r) { return turns_on(r) && r.error_number == ENOENT; },
     [](const Refusal& r) {
       return Explanation{
           fmt::format("{} cannot turn virtual functions on (it has no sriov_configure)",
                       driver(r)),
           driver(r) == "i915" ? "Intel's own module with i915.max_vfs can, or xe on newer kernels"
                               : "another driver of the card's maker may"};
     }},
    {"functions-driver-not-ready",
     [](const Refusal& r) {
       return turns_on(r) && r.error_number == EBUSY && r.source &&
              r.source->vf_enabled == model::Reading<int>(0);
     },
     [](const Refusal& r) {
       return Explanation{
           fmt::format("none is on, and {} is not ready to make any", driver(r)),
           "the card has to work under it first (virtio-pci waits for the driver of the device "
           "behind it); or somebody turned them on and off again at the same moment"};
     }},
    {"functions-on-already",
     [](const Refusal& r) { return turns_on(r) && r.error_number == EBUSY; },
     [](const Refusal& r) {
       return Explanation{
           fmt::format(
               "virtual functions of {} are on already; their number changes only from none",
               card_of(r)),
           fmt::format("tessera unslice --card {}", card_of(r))};
     }},
    {"functions-too-many", [](const Refusal& r) { return turns_on(r) && r.error_number == ERANGE; },
     [](const Refusal& r) {
       return Explanation{
           fmt::format("{} were asked for, and {} has at most {}", r.text, card_of(r),
                       r.source && r.source->vf_total.has_value()
                           ? std::to_string(r.source->vf_total.value())
                           : "fewer (sriov_totalvfs)"),
           {}};
     }},
    {"functions-no-memory-space",
     [](const Refusal& r) { return turns_on(r) && log_says(r, "not enough MMIO resources"); },
     [](const Refusal& r) {
       return Explanation{
           fmt::format("the firmware left no address space for the virtual functions "
                       "of {}",
                       card_of(r)),
           "switch on Above 4G Decoding and SR-IOV in the firmware setup; failing "
           "that, boot with pci=realloc"};
     }},
    {"functions-no-bus-numbers",
     [](const Refusal& r) { return turns_on(r) && log_says(r, "out of range of"); },
     [](const Refusal& r) {
       return Explanation{
           fmt::format("the firmware left no bus numbers for the virtual functions of "
                       "{}",
                       card_of(r)),
           "boot with pci=assign-busses, or fewer virtual functions"};
     }},
    {"functions-provisioning",
     [](const Refusal& r) {
       return turns_on(r) && (r.error_number == ENOSPC || r.error_number == EIO);
     },
     [](const Refusal& r) {
       return Explanation{fmt::format("{} could not share its resources among {} virtual functions",
                                      driver(r), r.text),
                          "ask for fewer, or lower the quotas"};
     }},
    {"functions-held",
     [](const Refusal& r) {
       return r.attempt == Attempt::functions_off &&
              (r.error_number == EBUSY || r.error_number == ETIMEDOUT);
     },
     [](const Refusal&) {
       return Explanation{"a virtual function is in use, and the kernel waits for it",
                          "tessera list slices names who uses it; shut its machine down"};
     }},
    {"quota-not-applicable",
     [](const Refusal& r) { return sets_quota(r) && r.error_number == EPERM; },
     [](const Refusal& r) {
       return Explanation{fmt::format("this hardware or firmware does not have the quota {}",
                                      r.path.substr(r.path.rfind('/') + 1)),
                          {}};
     }},
    {"quota-firmware", [](const Refusal& r) { return sets_quota(r) && r.error_number == EIO; },
     [](const Refusal& r) {
       return Explanation{
           fmt::format("the card's firmware refused {} for {}", text::printable(r.text),
                       r.path.substr(r.path.rfind('/') + 1)),
           "a smaller value, and a sum over all virtual functions that the card has"};
     }},
    {"quota-beyond", [](const Refusal& r) { return sets_quota(r) && r.error_number == ENOSPC; },
     [](const Refusal& r) {
       return Explanation{
           fmt::format("{} has less left than {} for {}", card_of(r), text::printable(r.text),
                       r.path.substr(r.path.rfind('/') + 1)),
           fmt::format("a smaller value; tessera profiles {} --json lists what functions have",
                       card_of(r))};
     }},
    {"quota-malformed", [](const Refusal& r) { return sets_quota(r) && r.error_number == EINVAL; },
     [](const Refusal& r) {
       return Explanation{fmt::format("'{}' is no value for {}", text::printable(r.text),
                                      r.path.substr(r.path.rfind('/') + 1)),
                          {}};
     }},
    {"quota-in-use", [](const Refusal& r) { return sets_quota(r) && r.error_number == EBUSY; },
     [](const Refusal&) {
       return Explanation{"the virtual function is on, and its memory cannot be changed under it",
                          "turn virtual functions off first: tessera unslice --card"};
     }},
});

constexpr auto common_rules = std::to_array<ExplanationRule>({
    {"not-root", [](const Refusal& r) { return r.error_number == EACCES; },
     [](const Refusal&) {
       return Explanation{"only root may write this file", "run it with sudo"};
     }},
    {"lockdown", [](const Refusal& r) { return r.error_number == EPERM; },
     [](const Refusal&) {
       return Explanation{
           "the kernel does not let this process change the device: a container "
           "without the right, or a kernel that is locked down",
           "run it on the host itself; cat /sys/kernel/security/lockdown"};
     }},
    {"read-only-sysfs", [](const Refusal& r) { return r.error_number == EROFS; },
     [](const Refusal&) {
       return Explanation{"sysfs is mounted read-only here, as in a container",
                          "run it on the host itself"};
     }},
    {"no-memory", [](const Refusal& r) { return r.error_number == ENOMEM; },
     [](const Refusal&) {
       return Explanation{"the host's kernel has no memory left for it", "free"};
     }},
});

}  // namespace

std::span<const ExplanationRule> function_explanations() {
  return function_rules;
}

std::span<const ExplanationRule> common_explanations() {
  return common_rules;
}

}  // namespace tessera::plan::slices
