// SPDX-License-Identifier: Apache-2.0
#include "kernel/orphan.h"

#include <cerrno>
#include <csignal>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/child_process.h"

namespace tessera::kernel {

namespace {

void let_go_of_the_caller(const Orphan& orphan) {
  ::setsid();
  [[maybe_unused]] auto ignored = ::chdir("/");
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  ::signal(SIGPIPE, SIG_IGN);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::prctl(PR_SET_NAME, orphan.name);
  close_all_but(orphan.kept);
}

[[noreturn]] void be_the_orphan(const Orphan& orphan) {
  let_go_of_the_caller(orphan);
  orphan.body(orphan.argument);
  ::_exit(0);
}

[[noreturn]] void be_the_middle(const Orphan& orphan) {
  pid_t pid = ::fork();
  if (pid == 0) be_the_orphan(orphan);
  ::_exit(pid > 0 ? 0 : errno);
}

/// All signals wait while we fork, so that none of our handlers runs in a child.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_ = {};
};

}  // namespace

int start_orphan(const Orphan& orphan) {
  SignalsBlocked blocked;
  pid_t middle = ::fork();
  if (middle < 0) return errno;
  if (middle == 0) be_the_middle(orphan);
  int status = 0;
  while (::waitpid(middle, &status, 0) < 0) {
    if (errno != EINTR) return 0;  // ECHILD: the program ignores SIGCHLD; the orphan is there
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

}  // namespace tessera::kernel
