// SPDX-License-Identifier: Apache-2.0
// A netlink message of the kernel's device model: what is understood can be sent again.
#include "kernel/uevent.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using tessera::fuzz::must;
  auto message = tessera::fuzz::text_of(data, size);
  auto event = tessera::kernel::parse_uevent(message);
  if (!event) {
    must(event.error().kind == tessera::ErrorKind::invalid, "a bad message is `invalid`");
    return 0;
  }
  must(message.starts_with(event->action + "@" + event->devpath), "the header is believed");
  std::string again = event->action + "@" + event->devpath + '\0' + "ACTION=" + event->action +
                      '\0' + "DRIVER=" + event->driver + '\0';
  auto second = tessera::kernel::parse_uevent(again);
  must(second.has_value(), "a rebuilt message is understood");
  must(second->action == event->action && second->devpath == event->devpath &&
           second->driver == event->driver,
       "and says the same");
  return 0;
}
