// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "kernel/recording.h"

namespace tessera::probe {

/// Takes out of a recording what names a machine, its owner or its network. Each thing found has
/// one placeholder of the same form, so that what parsed before parses after, and what was the
/// same stays the same:
///
///   UUIDs, everywhere (mdevs, GPUs, LUKS, file systems)  00000001-0000-4000-8000-000000000000,
///                                       counted in their own order
///   MAC addresses, everywhere           02:00:00:00:00:01
///   a Device Serial Number capability   zeros (PCI Express Base Specification 7.9.3)
///   serial numbers that have a file     letters become x, digits 0
///   on the kernel command line, in settings and in the kernel log: IPv4 addresses, machine ids (32
///   hexadecimal digits), the host's name, names in /home, and the values of the words that say
///   where the root file system, keys and network are; comments of settings files become empty
///   a virtual machine's name in a process's unit and its command line
///   in nvidia-smi's reports: values of lines that say a serial number, a machine's name or a
///   program's, and the host's name
void scrub(kernel::Entries& entries, std::string_view host_name);

/// The bytes of a configuration space with the serial number in it set to zero.
std::string without_serial_number(std::string bytes);

/// A kernel command line, or a line of a settings file with such words in it.
std::string scrubbed_words(std::string_view line, std::string_view host_name);

/// `text` with its letters as x and its digits as 0.
std::string blanked(std::string_view text);

}  // namespace tessera::probe
