// SPDX-License-Identifier: Apache-2.0
// The agent's program, apart from tessera: it lives in the lab's initrd, so that a rebuild outside
// never pulls a running host's agent away. lab/init/init starts it.
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/fd.h"
#include "kernel/child_process.h"
#include "kernel/files.h"
#include "lab/agent.h"

namespace tessera::lab {
namespace {

constexpr const char* new_root = "/new";

Status set_clock(std::chrono::system_clock::time_point now) {
  const auto since = now.time_since_epoch();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since);
  timespec time{};
  time.tv_sec = seconds.count();
  time.tv_nsec = std::chrono::nanoseconds(since - seconds).count();
  if (::clock_settime(CLOCK_REALTIME, &time) == 0) return {};
  return fail(error_from_errno(errno, "clock", "set"));
}

Status run_enter_script() {
  TRY_LET(auto script, kernel::spawn({.argv = {"/bin/sh", "/enter"}, .error_fd = 2}));
  if (kernel::reap(script.pidfd).as_shell_code() == 0) return {};
  return fail(ErrorKind::io, "/enter", "its script failed; its console says why");
}

/// As switch_root(8), which leaves nothing of the old root in sight.
Status move_to_new_root() {
  const bool moved = ::chdir(new_root) == 0 && ::mount(".", "/", nullptr, MS_MOVE, nullptr) == 0 &&
                     ::chroot(".") == 0;
  if (!moved) return fail(error_from_errno(errno, new_root, "make the root of"));
  if (::chdir("/root") != 0 && ::chdir("/") != 0)
    return fail(error_from_errno(errno, "/", "go to"));
  return {};
}

/// A machine that never runs, as KVM sees it; it lives as long as its descriptors.
struct IdleMachine {
  Fd kvm;
  Fd machine;
  Fd processor;
};

/// Nothing in it where this host has no KVM.
IdleMachine make_idle_machine() {
  IdleMachine idle;
  idle.kvm = Fd(::open(std::string(kernel::files::dev_kvm).c_str(), O_RDWR | O_CLOEXEC));
  if (!idle.kvm.valid()) return idle;
  idle.machine = Fd(::ioctl(idle.kvm.get(), KVM_CREATE_VM, 0));
  if (!idle.machine.valid() || ::ioctl(idle.machine.get(), KVM_CREATE_IRQCHIP, 0) != 0) return idle;
  idle.processor = Fd(::ioctl(idle.machine.get(), KVM_CREATE_VCPU, 0));
  return idle;
}

/// The processors that the kernel left out at its boot (maxcpus=1), as the files to wake them with.
std::vector<Fd> sleeping_processors() {
  std::vector<Fd> sleeping;
  for (int number = 1;; ++number) {
    const auto file =
        std::string(kernel::files::processors) + "/cpu" + std::to_string(number) + "/online";
    Fd online(::open(file.c_str(), O_RDWR | O_CLOEXEC));
    if (!online.valid()) return sleeping;
    char state = '1';
    if (::read(online.get(), &state, 1) == 1 && state == '0') sleeping.push_back(std::move(online));
  }
}

/// Has the kernel do with one processor what it would do at the first guest's start with all of
/// them: patch its own code, which an emulated processor can miss
/// (docs/designs/lab-one-processor.md). The machine must stay: the kernel patches everything back
/// when the last one goes.
IdleMachine wake_processors() {
  const auto sleeping = sleeping_processors();
  if (sleeping.empty()) return {};
  IdleMachine idle = make_idle_machine();
  for (const Fd& online : sleeping) {
    if (::pwrite(online.get(), "1", 1, 0) != 1) std::perror("lab: a processor does not wake");
  }
  return idle;
}

Status enter(std::chrono::system_clock::time_point now) {
  TRY(set_clock(now));
  TRY(run_enter_script());
  return move_to_new_root();
}

Status serve(const char* port_name) {
  const IdleMachine idle = wake_processors();
  Fd port(::open(port_name, O_RDWR | O_CLOEXEC));
  if (!port.valid()) return fail(error_from_errno(errno, port_name, "open"));
  return serve_agent(std::move(port), WhenGone::wait_for_next, enter);
}

}  // namespace
}  // namespace tessera::lab

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: tessera-lab-agent PORT (started inside a lab host by its init)\n");
    return 64;
  }
  auto served = tessera::lab::serve(argv[1]);
  if (served) return 0;
  std::fprintf(stderr, "tessera-lab-agent: %s\n", one_line(served.error()).c_str());
  return 1;
}
