// SPDX-License-Identifier: Apache-2.0
// Whatever a peer sends in QEMU's place: a value or an error, no crash, no waiting for more after
// it hung up.
#include "hypervisor/qmp.h"

#include <sys/socket.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using tessera::fuzz::must;
  using namespace std::chrono_literals;
  constexpr std::size_t fits_a_socket = 64UZ * 1024;
  if (size > fits_a_socket) return 0;
  int ends[2];
  must(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0, "a socket pair");
  tessera::Fd ours(ends[0]);
  tessera::Fd theirs(ends[1]);
  must(::write(theirs.get(), data, size) == static_cast<ssize_t>(size), "the input fits");
  ::shutdown(theirs.get(), SHUT_WR);

  auto deadline = tessera::Deadline::in(5s);
  auto qmp = tessera::hypervisor::Qmp::over(std::move(ours), "fuzz", deadline);
  for (int i = 0; qmp && i < 4; ++i) {
    auto answer = qmp->execute("query-status", nlohmann::json::object(), deadline);
    if (answer) continue;
    must(!answer.error().sentence.empty(), "a failure says what happened");
    if (answer.error().kind != tessera::ErrorKind::invalid) break;
  }
  must(!deadline.passed(), "a peer that hung up is not waited for");
  return 0;
}
