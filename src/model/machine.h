// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/pci.h"

namespace tessera::model {

/// What runs the guest's processor.
enum class Accelerator {
  automatic,  ///< KVM where it works, else emulation
  kvm,        ///< the processor itself, through /dev/kvm
  tcg,        ///< QEMU's translator: works everywhere, many times slower
};

/// "auto", "kvm", "tcg".
std::string_view to_string(Accelerator accelerator);
/// The other way round. Errors: invalid, with the known words.
Result<Accelerator> parse_accelerator(std::string_view text);

/// What the user wants of a virtual machine.
struct MachineSpec {
  std::string
      name;  ///< 1 to 64 of letters, digits, '-', '_' and '.'; starts with a letter or digit
  std::uint64_t memory_mib = 128;
  int vcpus = 1;
  std::string kernel;             ///< file that QEMU starts directly (Linux, or a multiboot file)
  std::string initrd;             ///< empty: none
  std::string append;             ///< the kernel's command line; empty: none
  std::vector<PciAddress> cards;  ///< each card by its primary function, as in the snapshot
  /// Slices by their identity: a mediated device's UUID, a virtual function's address.
  std::vector<std::string> slices;
  std::string serial_log;  ///< file that gets the first serial port; empty: no serial port
  std::string pid_file;    ///< QEMU keeps it locked while it runs; empty: none
  /// Socket for QEMU's machine protocol, through which its screens are looked at; empty: none.
  std::string qmp_socket;
  Accelerator accelerator = Accelerator::automatic;
};

/// Whether it can name a machine: 1 to 64 letters, digits, "-", "_" or ".", the first a letter or
/// digit.
bool is_machine_name(std::string_view name);

/// What is wrong with the spec itself, whatever the host: names, sizes, missing files' names.
/// Errors: invalid, naming the field.
Status check(const MachineSpec& spec);

}  // namespace tessera::model
