// SPDX-License-Identifier: Apache-2.0
//
// A user of a card that a look through /proc does not find: it opens the card as a virtual machine
// does (group, container, device), then closes the files with names and keeps only the device's,
// which is an anonymous inode. The kernel will not let vfio-pci go while it lives.
//
//   vfio_holder GROUP ADDRESS    prints "holding", and ends when its input does
#include <cstdio>
#include <string>

#include <fcntl.h>
#include <linux/vfio.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace {

int give_up(const char* doing) {
  std::perror(doing);
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: vfio_holder GROUP ADDRESS\n");
    return 64;
  }
  const std::string path = std::string("/dev/vfio/") + argv[1];
  const int container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
  if (container < 0) return give_up("open /dev/vfio/vfio");
  const int group = open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (group < 0) return give_up(path.c_str());
  if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) != 0) return give_up("set the container");
  if (ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) != 0) return give_up("set the IOMMU");
  const int device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, argv[2]);
  if (device < 0) return give_up("get the device");
  close(group);
  close(container);
  std::puts("holding");
  std::fflush(stdout);
  char byte = 0;
  while (read(STDIN_FILENO, &byte, 1) > 0) continue;
  return 0;
}
