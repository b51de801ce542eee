// SPDX-License-Identifier: Apache-2.0
#include "model/machine.h"

#include <gtest/gtest.h>

namespace tessera::model {
namespace {

MachineSpec good_spec() {
  MachineSpec spec;
  spec.name = "walk";
  spec.kernel = "guest.elf";
  return spec;
}

TEST(machine_spec, a_small_one_with_a_name_and_a_kernel_is_fine) {
  EXPECT_TRUE(check(good_spec()).has_value());
}

TEST(machine_spec, names_that_could_lead_out_of_a_folder_are_invalid) {
  for (auto name : {"", ".", "..", "../etc", "a/b", "a,b", "-x", "a b"}) {
    auto spec = good_spec();
    spec.name = name;
    auto checked = check(spec);
    ASSERT_FALSE(checked.has_value()) << name;
    EXPECT_EQ(checked.error().kind, ErrorKind::invalid);
  }
}

TEST(machine_spec, absurd_memory_and_processors_are_invalid) {
  auto spec = good_spec();
  spec.memory_mib = 0;
  EXPECT_FALSE(check(spec).has_value());
  spec.memory_mib = 1ULL << 40;
  EXPECT_FALSE(check(spec).has_value());
  spec.memory_mib = 128;
  spec.vcpus = 0;
  EXPECT_FALSE(check(spec).has_value());
}

TEST(machine_spec, a_card_named_twice_is_invalid) {
  auto spec = good_spec();
  PciAddress card;
  card.bus = 1;
  spec.cards = {card, card};
  auto checked = check(spec);
  ASSERT_FALSE(checked.has_value());
  EXPECT_EQ(checked.error().subject, "0000:01:00.0");
}

TEST(machine_spec, accelerators_are_read_as_they_are_written) {
  for (auto one : {Accelerator::automatic, Accelerator::kvm, Accelerator::tcg}) {
    auto read = parse_accelerator(to_string(one));
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(*read, one);
  }
  EXPECT_FALSE(parse_accelerator("xen").has_value());
}

}  // namespace
}  // namespace tessera::model
