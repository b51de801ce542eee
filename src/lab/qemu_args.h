// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lab/spec.h"

namespace tessera::lab {

/// How the host's processors run: translated by QEMU, or by the machine's own KVM.
enum class Accelerator { tcg, kvm };
std::string_view to_string(Accelerator accelerator);

/// Descriptors that QEMU inherits, so that both sockets listen before it starts.
inline constexpr int agent_socket_fd = 3;
inline constexpr int qmp_socket_fd = 4;

/// The name of the agent's virtio-serial port inside the host; lab/init/init looks for it.
inline constexpr std::string_view agent_port_name = "tessera.agent";

/// Everything of the machine outside that the command line names. All paths are absolute and
/// free of blanks and commas.
struct Outside {
  std::string qemu = "qemu-system-x86_64";
  int qemu_version = 0;  ///< major * 100 + minor
  Accelerator accelerator = Accelerator::tcg;
  std::string kernel;  ///< vmlinuz
  std::string initrd;
  std::string kernel_folder;             ///< with the modules of that kernel in lib/modules
  std::string root;                      ///< what the host sees as "/"
  std::string xfer;                      ///< what it sees, writable, as /xfer
  std::string serial_log;                ///< where its console goes
  std::string sockets;                   ///< where identity cards listen: SOCKETS/ID.FUNCTION.sock
  std::map<std::string, int> functions;  ///< of each identity card, by its id
};

/// Where the server of one function of an identity card listens.
std::string identity_socket(const Outside& outside, const std::string& card, int function);

/// QEMU's command line for a host. Pure: the same values give the same words.
///
/// The host gets `-cpu max,-erms,-fsrm` under TCG (it runs "rep stosb" a byte at a time), and never
/// "boot once more": a panic or a power-off ends QEMU.
std::vector<std::string> qemu_arguments(const LabSpec& spec, const Outside& outside);

}  // namespace tessera::lab
