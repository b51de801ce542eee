// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "base/text.h"
#include "build/qemu.h"

namespace tessera::build {

namespace {

/// A phrase that QEMU or the kernel says, and what it comes from.
struct KnownFailure {
  std::string_view phrase;
  std::string_view second_phrase;  ///< must be there too; empty: no second one
  ErrorKind kind;
  std::string_view meaning;
  std::string_view hint;
};

// The first row that fits is taken; rows that name more come before rows that name less.
constexpr KnownFailure known_failures[] = {
    {"is not viable", "", ErrorKind::conflict,
     "another function of the card's IOMMU group is still on a host driver",
     "tessera assign CARD --to vm"},
    {"/vfio/", "Permission denied", ErrorKind::denied,
     "the user who runs QEMU may not open the group's device file",
     "run as root, or give the group's file in /dev/vfio to this user by a udev rule"},
    {"/vfio/", "Device or resource busy", ErrorKind::busy,
     "another machine has a function of this IOMMU group open", "tessera show CARD"},
    {"/vfio/", "No such file or directory", ErrorKind::conflict,
     "the card is on no VFIO driver (any more)", "tessera assign CARD --to vm"},
    {"dma_map", "-12", ErrorKind::denied,
     "the limit of locked memory is too small: with a card all of the machine's memory is locked",
     "raise it (ulimit -l, LimitMEMLOCK= of the unit) above the machine's memory, or run as root"},
    {"dma_map", "Cannot allocate memory", ErrorKind::denied,
     "the limit of locked memory is too small: with a card all of the machine's memory is locked",
     "raise it (ulimit -l, LimitMEMLOCK= of the unit) above the machine's memory, or run as root"},
    {"KVM kernel module", "Permission denied", ErrorKind::denied,
     "the user who runs QEMU may not use KVM", "join the group kvm, or use --accel tcg"},
    {"KVM kernel module", "", ErrorKind::unsupported, "KVM does not work on this host",
     "load kvm_intel or kvm_amd, or use --accel tcg"},
    {"failed to set MSR", "", ErrorKind::unsupported,
     "KVM is here, but cannot run the processor that QEMU asks it for", "use --accel tcg"},
    {"ioctl(KVM_", "", ErrorKind::unsupported, "KVM is here, but does not work", "use --accel tcg"},
    {"Cannot lock pid file", "", ErrorKind::busy, "a machine of this name runs already",
     "tessera run --stop NAME"},
    {"cannot set up guest memory", "", ErrorKind::io, "the host has not that much free memory",
     "give the machine less with --memory"},
    {"could not load kernel", "", ErrorKind::not_found,
     "the file for --kernel is not there or is no kernel that QEMU can start", ""},
    {"could not open kernel", "", ErrorKind::not_found, "the file for --kernel cannot be opened",
     ""},
};

const KnownFailure* recognise(std::string_view output) {
  for (const auto& one : known_failures) {
    if (output.find(one.phrase) != std::string_view::npos &&
        output.find(one.second_phrase) != std::string_view::npos) {
      return &one;
    }
  }
  return nullptr;
}

/// QEMU's last few lines in one, without its own name in front of each.
std::string own_words(std::string_view output) {
  constexpr std::size_t most_lines = 4;
  auto lines = text::lines(output);
  std::vector<std::string> kept;
  for (auto line : lines) {
    auto words = text::trim(line);
    constexpr std::string_view name = "qemu-system-x86_64: ";
    if (words.starts_with(name)) words.remove_prefix(name.size());
    if (!words.empty()) kept.push_back(text::printable(words));
  }
  if (kept.size() > most_lines) kept.erase(kept.begin(), kept.end() - most_lines);
  return text::join(kept, "; ");
}

/// The hint with this machine's own card and name in it.
std::string filled_in(std::string_view hint, const model::MachineSpec& spec) {
  std::string out(hint);
  auto put = [&out](std::string_view word, const std::string& value) {
    if (auto at = out.find(word); at != std::string::npos) out.replace(at, word.size(), value);
  };
  if (!spec.cards.empty()) put("CARD", to_string(spec.cards.front()));
  put("NAME", spec.name);
  return out;
}

}  // namespace

Error explain_qemu_failure(const model::MachineSpec& spec, const std::string& output) {
  auto words = own_words(output);
  if (words.empty()) return {ErrorKind::io, spec.name, "QEMU ended without a word", ""};
  const KnownFailure* known = recognise(output);
  if (known == nullptr) return {ErrorKind::io, spec.name, "QEMU ended: " + words, ""};
  return {known->kind, spec.name, fmt::format("{}; QEMU said: {}", known->meaning, words),
          filled_in(known->hint, spec)};
}

}  // namespace tessera::build
