// SPDX-License-Identifier: Apache-2.0
// Files that keep what is written to them and do nothing else that a reader could see.
#include <cerrno>

#include <fmt/format.h>

#include "base/text.h"
#include "fakehost/behaviours.h"

namespace tessera::fakehost {

namespace {

int keep(Call& call) {
  auto value = call.word();
  call.host.put_file(call.path, value + "\n");
  return 0;
}

constexpr Behaviour plain_table[] = {
    {"/sys/devices/**/power/control", keep}, {"/sys/devices/**/d3cold_allowed", keep},
    {"/sys/devices/**/reset_method", keep},  {"/sys/devices/**/sriov_drivers_autoprobe", keep},
    {"/sys/module/*/parameters/*", keep},    {"/proc/sys/**", keep},
};

}  // namespace

std::span<const Behaviour> plain_behaviours() {
  return plain_table;
}

int set_number(Call& call) {
  auto number = text::to_number(call.word());
  if (!number || *number > 0xffffffff) return -EINVAL;
  call.host.put_file(call.path, fmt::format("{}\n", *number));
  return 0;
}

}  // namespace tessera::fakehost
