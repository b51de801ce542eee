// SPDX-License-Identifier: Apache-2.0
//
// Says one line to a running QEMU's monitor, as a person at its console would, and prints the
// answer.
//   qemu_monitor QMP_SOCKET LINE
#include <chrono>
#include <cstdio>
#include <string>

#include <nlohmann/json.hpp>

#include "hypervisor/qmp.h"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: qemu_monitor QMP_SOCKET LINE\n");
    return 64;
  }
  using tessera::hypervisor::Qmp;
  const auto deadline = tessera::Deadline::in(std::chrono::seconds(20));
  const auto failed = [](const tessera::Error& error) {
    std::fprintf(stderr, "%s\n", one_line(error).c_str());
    return 1;
  };
  auto qmp = Qmp::connect(argv[1], deadline);
  if (!qmp) return failed(qmp.error());
  auto said = qmp->execute("human-monitor-command", {{"command-line", argv[2]}}, deadline);
  if (!said) return failed(said.error());
  std::fputs(said->get<std::string>().c_str(), stdout);
}
