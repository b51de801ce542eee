// SPDX-License-Identifier: Apache-2.0
// Makes machines in KVM one after the other and ends each at once: make_machines COUNT.
#include <cstdio>
#include <cstdlib>

#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <unistd.h>

int main(int argc, char** argv) {
  const long count = argc == 2 ? std::strtol(argv[1], nullptr, 10) : 0;
  for (long made = 0; made < count; ++made) {
    const int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    const int machine = ioctl(kvm, KVM_CREATE_VM, 0);
    if (machine < 0) {
      std::perror("make a machine in KVM");
      return 1;
    }
    close(machine);
    close(kvm);
  }
  std::printf("%ld machines made\n", count);
  return count > 0 ? 0 : 64;
}
