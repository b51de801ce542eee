// SPDX-License-Identifier: Apache-2.0
#include "apply/executor.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "kernel/test_root.h"

namespace tessera::apply {
namespace {

using model::Operation;
using model::Step;
using What = model::Expectation::What;

constexpr const char* first = "/etc/tessera/first";
constexpr const char* second = "/etc/tessera/second";

Step step(Step::Action action, const std::string& path, const std::string& text = {}) {
  Step made;
  made.action = action;
  made.path = path;
  made.text = text;
  return made;
}

/// Makes a file that was not there.
Operation make(const std::string& path, const std::string& text) {
  Operation op;
  op.kind = "slice.define";
  op.subject = path;
  op.before = {{What::file, path, "no"}};
  op.forward = {step(Step::Action::write_file, path, text)};
  op.after = {{What::file_text, path, text}};
  op.undo = {step(Step::Action::remove_file, path)};
  op.undo[0].only_if = op.after;
  op.after_undo = {{What::file_text_is_not, path, text}};
  return op;
}

class Silent : public Progress {
 public:
  void operation_begins(const Operation& operation, Direction) override {
    begun.push_back(operation.subject);
  }
  void step_done(const Step&, Milliseconds) override {}
  void step_skipped(const Step&) override {}
  std::vector<std::string> begun;
};

class SettingsTest : public ::testing::Test {
 protected:
  Result<std::int64_t> apply(const std::vector<Operation>& operations) {
    return executor_.apply({"settings", "", operations, {}});
  }
  [[nodiscard]] bool there(const std::string& path) const {
    return std::filesystem::exists(host_.real(path));
  }

  TestDirectory host_;
  TestDirectory state_;
  kernel::Root root_ = kernel::open_or_die(host_.real());
  Journal journal_ = std::move(Journal::open(state_.real(), Journal::Mode::write).value());
  Lock lock_ =
      std::move(Lock::take(state_.real(), "a test", Deadline::in(Milliseconds(0))).value());
  Silent silent_;
  Executor executor_ = std::move(Executor::create(root_, journal_, lock_, silent_).value());
};

TEST_F(SettingsTest, an_undo_that_is_refused_as_a_whole_leaves_the_plan_in_effect) {
  auto stays = make(first, "one");
  stays.undo = {step(Step::Action::run_tool, "/usr/bin/no-such-tool", "-d")};
  const auto id = apply({stays});
  ASSERT_TRUE(id) << one_line(id.error());
  const auto undone = executor_.undo(*id);
  ASSERT_FALSE(undone);
  EXPECT_NE(undone.error().sentence.find("is still in effect"), std::string::npos);
  EXPECT_EQ(journal_.plan(*id)->state, PlanState::applied);
  auto untold = make(second, "two");
  untold.after.clear();
  untold.undo[0].only_if.clear();
  const auto both = apply({untold, make("/etc/tessera/third", "three")});
  ASSERT_TRUE(both) << one_line(both.error());
  std::filesystem::remove(host_.real(second));
  std::filesystem::create_directories(host_.real(second) + "/full");  // it cannot be removed so
  ASSERT_FALSE(executor_.undo(*both));
  EXPECT_EQ(journal_.plan(*both)->state, PlanState::failed) << "nothing tells what still holds";
}

TEST_F(SettingsTest, are_written_whole_and_taken_back) {
  const std::string text = "two\nlines, and no newline at the end";
  auto id = apply({make(first, text)});
  ASSERT_TRUE(id) << one_line(id.error());
  EXPECT_EQ(host_.content(first), text);
  ASSERT_TRUE(executor_.undo(*id));
  EXPECT_FALSE(there(first));
  EXPECT_EQ(journal_.plan(*id)->state, PlanState::undone);
}

TEST_F(SettingsTest, that_somebody_else_made_meanwhile_are_left_alone) {
  host_.file(second, "theirs");
  auto id = apply({make(first, "ours"), make(second, "ours")});
  ASSERT_FALSE(id);
  EXPECT_EQ(id.error().kind, ErrorKind::stale);
  EXPECT_EQ(id.error().subject, second);
  EXPECT_EQ(host_.content(second), "theirs");
  EXPECT_FALSE(there(first)) << "what was done before it was taken back";
  EXPECT_EQ(silent_.begun, (std::vector<std::string>{first, second, first}));
  EXPECT_TRUE(journal_.unfinished()->empty());
}

TEST_F(SettingsTest, that_somebody_else_changed_later_stay_as_they_made_them) {
  auto id = apply({make(first, "ours"), make(second, "ours")});
  ASSERT_TRUE(id);
  host_.file(first, "theirs");
  ASSERT_TRUE(executor_.undo(*id));
  EXPECT_EQ(host_.content(first), "theirs");
  EXPECT_FALSE(there(second));
}

TEST_F(SettingsTest, that_cannot_be_written_take_the_plan_back) {
  host_.directory(second);
  auto blocked = make(second, "ours");
  blocked.before = {};
  auto id = apply({make(first, "ours"), blocked});
  ASSERT_FALSE(id);
  EXPECT_EQ(id.error().kind, ErrorKind::unsupported);
  EXPECT_TRUE(id.error().sentence.starts_with("it is no plain file")) << id.error().sentence;
  EXPECT_FALSE(there(first));
}

TEST_F(SettingsTest, undo_clears_away_what_a_cut_off_write_left) {
  auto id = apply({make(first, "ours")});
  ASSERT_TRUE(id);
  host_.file("/etc/tessera/.first.unfinished", "half of a te");
  ASSERT_TRUE(executor_.undo(*id));
  EXPECT_FALSE(there("/etc/tessera/.first.unfinished"));
}

TEST_F(SettingsTest, expectation_that_fails_says_what_is_there_instead) {
  auto op = make(first, "ours");
  op.before = {{What::file_text, first, "former"}};
  auto absent = apply({op});
  ASSERT_FALSE(absent);
  EXPECT_TRUE(absent.error().sentence.contains("has the 6 bytes that the plan names, but"))
      << absent.error().sentence;
  host_.file(first, "a\nb");
  auto other = apply({op});
  ASSERT_FALSE(other);
  EXPECT_TRUE(other.error().sentence.contains("but it has these 3 bytes: 'a\\nb'"))
      << other.error().sentence;
}

}  // namespace
}  // namespace tessera::apply
