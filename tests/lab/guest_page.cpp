// SPDX-License-Identifier: Apache-2.0
//
// Where a page of a running QEMU's guest lies in this host's memory: prints its physical address.
//   guest_page PID MEMORY_MIB GUEST_ADDRESS      as root; addresses in hexadecimal with 0x
// The guest's memory is the process's mapping of that size (one mapping, below 2 GiB of memory);
// Documentation/admin-guide/mm/pagemap.rst says what an entry of pagemap is.
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include <fcntl.h>
#include <unistd.h>

namespace {

/// The mapping's first address; 0 where there is none of the size.
std::uint64_t mapping_of(const std::string& process, std::uint64_t bytes) {
  std::ifstream maps(process + "/maps");
  std::string line;
  while (std::getline(maps, line)) {
    char* rest = nullptr;
    const std::uint64_t first = std::strtoull(line.c_str(), &rest, 16);
    if (*rest != '-') continue;
    const std::uint64_t end = std::strtoull(rest + 1, nullptr, 16);
    if (end - first == bytes) return first;
  }
  return 0;
}

/// The entry of pagemap for an address; 0 where it cannot be read.
std::uint64_t entry_of(const std::string& process, std::uint64_t address) {
  const int pagemap = open((process + "/pagemap").c_str(), O_RDONLY | O_CLOEXEC);
  std::uint64_t entry = 0;
  const auto offset = static_cast<off_t>(address / 4096 * sizeof entry);
  const bool read = pread(pagemap, &entry, sizeof entry, offset) == sizeof entry;
  close(pagemap);
  return read ? entry : 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: guest_page PID MEMORY_MIB GUEST_ADDRESS\n");
    return 64;
  }
  const std::string process = std::string("/proc/") + argv[1];
  const auto memory = mapping_of(process, std::strtoull(argv[2], nullptr, 10) << 20U);
  const auto entry =
      memory == 0 ? 0 : entry_of(process, memory + std::strtoull(argv[3], nullptr, 0));
  constexpr std::uint64_t present = std::uint64_t{1} << 63U;
  constexpr std::uint64_t frame = (std::uint64_t{1} << 55U) - 1;
  if ((entry & present) == 0 || (entry & frame) == 0) {
    std::fprintf(stderr, "no such page is in memory: mapping %" PRIx64 ", entry %" PRIx64 "\n",
                 memory, entry);
    return 1;
  }
  std::printf("0x%" PRIx64 "\n", (entry & frame) * 4096);
}
