// SPDX-License-Identifier: Apache-2.0
#include "plan/slices/owners.h"

#include <gtest/gtest.h>

#include "plan/slices/cut.h"
#include "plan/slices/test_source.h"

namespace tessera::plan::slices {
namespace {

/// A V100 with two slices of 8 GiB, series C.
model::HostSnapshot two_slices() {
  auto source = test::v100();
  test::put(source, "nvidia-113", 2);
  return test::host_with(std::move(source));
}

const std::string first_slice = "00000000-0000-4000-8000-000000000000";
const std::string second_slice = "00000000-0000-4000-8000-000000000001";

ClaimIntent like(const char* wanted, const char* owner) {
  return {{}, parse_request(wanted).value(), owner};
}

TEST(Owners, are_recorded_only_where_nobody_was_and_taken_back) {
  const auto plan = plan_claim(two_slices(), {{first_slice}, {}, "vm1"}).value();
  ASSERT_EQ(plan.operations.size(), 1U);
  const auto& op = plan.operations[0];
  EXPECT_EQ(op.kind, "slice.own");
  EXPECT_EQ(op.subject, first_slice);
  EXPECT_EQ(in_words(op.before.at(0)), "slice " + first_slice + " belongs to nobody");
  EXPECT_EQ(in_words(op.forward.at(0)), "record that slice " + first_slice + " belongs to vm1");
  EXPECT_EQ(in_words(op.undo.at(0)),
            "record that slice " + first_slice + " belongs to vm1 no more");
  EXPECT_EQ(op.after_undo, op.before);
}

TEST(Owners, another_machines_slice_is_refused_with_its_name) {
  auto host = two_slices();
  host.slice_owners[first_slice] = "vm1";
  for (const auto& plan :
       {plan_claim(host, {{first_slice}, {}, "vm2"}), plan_disown(host, {{first_slice}, {}, "vm2"}),
        plan_unslice(host, {{first_slice}, {}, {}})}) {
    ASSERT_FALSE(plan);
    EXPECT_EQ(plan.error().kind, ErrorKind::conflict);
    EXPECT_EQ(plan.error().sentence, "it belongs to vm1");
  }
  EXPECT_TRUE(plan_claim(host, {{first_slice}, {}, "vm1"})->operations.empty()) << "it has it";
}

TEST(Owners, the_last_like_it_goes_to_one_and_the_next_hears_who_has_them) {
  auto host = two_slices();
  host.slice_owners[first_slice] = "vm1";
  const auto plan = plan_claim(host, like("1x8G", "vm2")).value();
  EXPECT_EQ(plan.operations.at(0).subject, second_slice);
  host.slice_owners[second_slice] = "vm2";
  const auto late = plan_claim(host, like("1x8G", "vm3"));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().sentence, "of 1 slices like that none is free: " + first_slice +
                                       " is vm1's, " + second_slice + " is vm2's");
  EXPECT_EQ(plan_claim(host, like("1x4G", "vm3")).error().sentence,
            "of 1 slices like that none is free: there is no slice like that");
}

TEST(Owners, what_is_open_is_neither_given_nor_taken) {
  auto host = two_slices();
  for (auto& slice : host.slice_sources[0].slices) slice.users = {{7, "qemu", "", "/dev/vfio/3"}};
  EXPECT_EQ(plan_claim(host, like("1x8G", "vm1")).error().kind, ErrorKind::conflict);
  host.slice_owners[first_slice] = "vm1";
  EXPECT_EQ(plan_disown(host, {{}, {}, "vm1"}).error().kind, ErrorKind::busy);
}

TEST(Owners, a_slice_that_goes_takes_its_owner_along) {
  auto host = two_slices();
  host.slice_owners[second_slice] = "vm1";
  const auto plan = plan_unslice(host, {{second_slice}, {}, "vm1"}).value();
  ASSERT_EQ(plan.operations.size(), 2U);
  EXPECT_EQ(plan.operations[0].kind, "slice.remove");
  EXPECT_EQ(in_words(plan.operations[1].after.at(0)),
            "slice " + second_slice + " belongs to nobody");
}

TEST(Owners, of_a_slice_that_was_there_before_do_not_get_the_new_one) {
  const auto names = test::uuids(1);
  auto host = test::host_with(test::v100());
  host.slice_owners[names[0]] = "long_gone";
  SliceIntent intent{{}, parse_request("1x8G").value(), names, {}, {}};
  EXPECT_EQ(plan_slices(host, intent)->operations.at(1).after.at(0).value, "");
  intent.owner = "vm1";
  const auto own = plan_slices(host, intent)->operations.at(1);
  EXPECT_EQ(own.forward.size(), 2U) << "taken from the one, given to the other";
  EXPECT_EQ(own.after.at(0).value, "vm1");
}

TEST(Owners, have_names_of_machines) {
  for (const char* owner : {"", "two words", "-x", "a/b"}) {
    EXPECT_EQ(plan_claim(two_slices(), {{first_slice}, {}, owner}).error().kind,
              ErrorKind::invalid);
  }
}

}  // namespace
}  // namespace tessera::plan::slices
