// SPDX-License-Identifier: Apache-2.0
// A PCI address as people and files write it: what is read is in range and prints canonically.
#include "fuzz.h"
#include "model/pci.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using tessera::fuzz::must;
  using tessera::model::parse_pci_address;
  auto address = parse_pci_address(tessera::fuzz::text_of(data, size));
  if (!address) {
    must(address.error().kind == tessera::ErrorKind::invalid, "a bad address is `invalid`");
    must(!address.error().sentence.empty(), "and says which part is wrong");
    return 0;
  }
  must(address->device < 32 && address->function < 8, "device and function are in range");
  auto text = tessera::model::to_string(*address);
  must(text.starts_with(tessera::model::slot_name(*address) + "."), "a slot is an address's start");
  auto again = parse_pci_address(text);
  must(again.has_value() && *again == *address, "what is printed reads as the same address");
  must(tessera::model::to_string(*again) == text, "and prints the same");
  return 0;
}
