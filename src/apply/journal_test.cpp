// SPDX-License-Identifier: Apache-2.0
#include "apply/journal.h"

#include <filesystem>
#include <fstream>
#include <span>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "base/test_directory.h"

namespace tessera::apply {
namespace {

class JournalTest : public ::testing::Test {
 protected:
  static model::Plan two_operations() {
    model::Plan plan;
    plan.title = "assign 0000:01:00.0 to vm";
    plan.subject = "identity";
    for (const char* subject : {"0000:01:00.0", "0000:01:00.1"}) {
      model::Operation op;
      op.kind = "vfio.assign";
      op.subject = subject;
      plan.operations.push_back(op);
    }
    return plan;
  }

  Journal open(Journal::Mode mode = Journal::Mode::write) {
    auto journal = Journal::open(dir_, mode);
    EXPECT_TRUE(journal) << journal.error().sentence;
    return std::move(*journal);
  }

  TestDirectory scratch_;
  std::string dir_ = scratch_.real();
};

TEST_F(JournalTest, a_plan_is_applying_until_it_is_said_to_be_applied) {
  auto journal = open();
  auto id = journal.begin(two_operations());
  ASSERT_TRUE(id);
  EXPECT_EQ(journal.plan(*id)->state, PlanState::applying);
  EXPECT_EQ(journal.unfinished()->size(), 1U);
  ASSERT_TRUE(journal.set_state(*id, PlanState::applied));
  EXPECT_EQ(journal.plan(*id)->state, PlanState::applied);
  EXPECT_TRUE(journal.unfinished()->empty());
}

TEST_F(JournalTest, finds_the_newest_plan_in_effect_that_is_about_a_card) {
  auto journal = open();
  auto other = two_operations();
  other.subject = "another card";
  auto release = two_operations();
  for (auto& operation : release.operations) operation.kind = "vfio.release";
  std::vector<std::int64_t> ids;
  for (const auto& plan : {two_operations(), other, two_operations(), release, two_operations()}) {
    ids.push_back(journal.begin(plan).value());
  }
  for (auto id : std::span(ids).first(4)) {
    ASSERT_TRUE(journal.set_state(id, PlanState::applied));
  }
  EXPECT_EQ(journal.newest_applied()->id, ids[3]);
  EXPECT_EQ(journal.newest_applied(Journal::About{"identity", "vfio.assign"})->id, ids[2]);
  EXPECT_EQ(journal.newest_applied(Journal::About{"another card", "vfio.assign"})->id, ids[1]);
  auto none = journal.newest_applied(Journal::About{"a third", "vfio.assign"});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, ErrorKind::not_found);
  EXPECT_EQ(journal.applied(ids[1])->size(), 2U);
}

TEST_F(JournalTest, survives_being_opened_again_with_the_whole_plan) {
  std::int64_t id = 0;
  {
    auto journal = open();
    id = journal.begin(two_operations()).value();
    ASSERT_TRUE(journal.step_begins({id, 0, Direction::forward, 0}, "(null)"));
    ASSERT_TRUE(journal.step_done({id, 0, Direction::forward, 0}));
  }
  auto record = open().plan(id);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->plan.operations, two_operations().operations);
  EXPECT_EQ(record->operations_begun, 1);
}

TEST_F(JournalTest, newest_plan_comes_first) {
  auto journal = open();
  auto first = journal.begin(two_operations()).value();
  auto second = journal.begin(two_operations()).value();
  auto plans = journal.plans();
  ASSERT_EQ(plans->size(), 2U);
  EXPECT_EQ(plans->at(0).id, second);
  EXPECT_EQ(plans->at(1).id, first);
}

TEST_F(JournalTest, a_slice_has_one_owner_and_another_is_told_whose_it_is) {
  auto journal = open();
  ASSERT_TRUE(journal.claim("0000:26:00.4", "desk-1"));
  EXPECT_TRUE(journal.claim("0000:26:00.4", "desk-1")) << "again by the same is no conflict";
  const auto refused = journal.claim("0000:26:00.4", "desk-2");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
  EXPECT_EQ(refused.error().sentence, "it belongs to desk-1");
  EXPECT_FALSE(journal.release("0000:26:00.4", "desk-2"));
  EXPECT_EQ(journal.owner_of("0000:26:00.4").value(), "desk-1");
  ASSERT_TRUE(journal.release("0000:26:00.4", "desk-1"));
  EXPECT_EQ(journal.owner_of("0000:26:00.4").value(), "");
  EXPECT_TRUE(journal.release("0000:26:00.4", "desk-1")) << "twice is no error";
}

TEST_F(JournalTest, owners_are_kept_and_can_be_read_from_a_journal_of_before_slices) {
  {
    auto journal = open();
    ASSERT_TRUE(journal.claim("b", "desk-2"));
    ASSERT_TRUE(journal.claim("a", "desk-1"));
  }
  EXPECT_EQ(open(Journal::Mode::read).owners().value(),
            (std::map<std::string, std::string>{{"a", "desk-1"}, {"b", "desk-2"}}));
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open((dir_ + "/state.db").c_str(), &db), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(db, "DROP TABLE owner", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(db);
  EXPECT_TRUE(open(Journal::Mode::read).owners().value().empty());
}

TEST_F(JournalTest, reading_where_nothing_was_recorded_is_not_found_and_makes_nothing) {
  auto journal = Journal::open(dir_ + "/none", Journal::Mode::read);
  ASSERT_FALSE(journal);
  EXPECT_EQ(journal.error().kind, ErrorKind::not_found);
  EXPECT_FALSE(std::filesystem::exists(dir_ + "/none"));
}

TEST_F(JournalTest, a_file_that_is_no_database_is_one_clear_error) {
  std::ofstream(dir_ + "/state.db") << std::string(8192, 'x');
  auto journal = Journal::open(dir_, Journal::Mode::write);
  ASSERT_FALSE(journal);
  EXPECT_EQ(journal.error().kind, ErrorKind::io);
  EXPECT_NE(journal.error().hint.find("mv "), std::string::npos);
}

TEST_F(JournalTest, damage_is_told_to_who_reads_the_damaged_page_and_to_who_is_about_to_write) {
  {
    auto journal = open();
    ASSERT_TRUE(journal.claim("a", "desk-1"));
    ASSERT_TRUE(journal.begin(model::Plan{"x", "", {}, {}}));
  }
  constexpr auto page = 4096;  // of the pages behind the first; that one has the tables' places
  const auto size = std::filesystem::file_size(dir_ + "/state.db");
  std::fstream file(dir_ + "/state.db", std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(page);
  file << std::string(size - page, 'x');
  file.close();
  const auto owners = open(Journal::Mode::read).owners();
  ASSERT_FALSE(owners);
  EXPECT_EQ(owners.error().kind, ErrorKind::io);
  EXPECT_NE(owners.error().hint.find("mv "), std::string::npos);
  EXPECT_FALSE(open(Journal::Mode::read).plans());
  const auto written = Journal::open(dir_, Journal::Mode::write);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind, ErrorKind::io);
}

TEST_F(JournalTest, a_plan_that_is_not_there_is_not_found) {
  EXPECT_EQ(open().plan(42).error().kind, ErrorKind::not_found);
}

}  // namespace
}  // namespace tessera::apply
