// SPDX-License-Identifier: Apache-2.0
#include "kernel/tools.h"

#include <chrono>
#include <filesystem>

#include <gtest/gtest.h>

#include "kernel/test_root.h"

namespace tessera::kernel {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* tool = "/usr/bin/tool";

/// A rehearsal host with one program.
class Tools : public testing::Test {
 protected:
  void install(const std::string& script, const std::string& path = tool) const {
    directory.file(path, "#!/bin/sh\n" + script);
    std::filesystem::permissions(directory.real(path), std::filesystem::perms::owner_all);
  }
  [[nodiscard]] Root rehearsal() const {
    directory.directory("/.rehearsal");
    return open_or_die(directory.real());
  }
  TestDirectory directory;
};

TEST_F(Tools, gives_what_the_program_said_and_its_exit_code) {
  install("echo \"said $1, $2\"; echo to stderr >&2; exit 19");
  auto outcome = run_tool(rehearsal(), tool, {"one", "two words"}, Deadline::in(seconds(20)));
  ASSERT_TRUE(outcome) << one_line(outcome.error());
  EXPECT_EQ(outcome->exit_code, 19);
  EXPECT_EQ(outcome->output, "said one, two words\nto stderr\n");
}

TEST_F(Tools, the_program_of_a_rehearsal_host_is_told_where_its_root_is) {
  install("cat \"$TESSERA_ROOT/etc/name\"");
  directory.file("/etc/name", "played\n");
  auto outcome = run_tool(rehearsal(), tool, {}, Deadline::in(seconds(20)));
  ASSERT_TRUE(outcome) << one_line(outcome.error());
  EXPECT_EQ(outcome->output, "played\n");
}

TEST_F(Tools, an_absolute_link_leads_to_the_rehearsal_hosts_program) {
  install("echo \"the host's own\"", "/opt/echo");
  directory.link("/usr/bin/echo", "/opt/echo");
  auto outcome =
      run_tool(rehearsal(), "/usr/bin/echo", {"this machine's"}, Deadline::in(seconds(20)));
  ASSERT_TRUE(outcome) << one_line(outcome.error());
  EXPECT_EQ(outcome->output, "the host's own\n");
}

TEST_F(Tools, runs_this_machines_program_on_the_live_root) {
  auto outcome =
      run_tool(open_or_die("/"), "/bin/sh", {"-c", "echo live; exit 3"}, Deadline::in(seconds(20)));
  ASSERT_TRUE(outcome) << one_line(outcome.error());
  EXPECT_EQ(outcome->output, "live\n");
  EXPECT_EQ(outcome->exit_code, 3);
}

TEST_F(Tools, says_that_there_is_no_such_program) {
  auto outcome = run_tool(rehearsal(), tool, {}, Deadline::in(seconds(20)));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::not_found);
  EXPECT_EQ(outcome.error().subject, tool);
  EXPECT_FALSE(can_run_tool(rehearsal(), tool));
}

TEST_F(Tools, says_that_a_file_is_no_program) {
  directory.file(tool, "text");
  auto outcome = run_tool(rehearsal(), tool, {}, Deadline::in(seconds(20)));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::denied);
}

TEST_F(Tools, runs_nothing_of_a_directory_that_plays_no_host) {
  install("echo no");
  const auto root = open_or_die(directory.real());
  auto outcome = run_tool(root, tool, {}, Deadline::in(seconds(20)));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::unsupported);
  EXPECT_FALSE(can_run_tool(root, tool));
}

TEST_F(Tools, runs_nothing_of_a_recording) {
  directory.file("/host.tsv", "/usr/bin/tool\ttext\n");
  auto outcome =
      run_tool(open_or_die(directory.real("/host.tsv")), tool, {}, Deadline::in(seconds(20)));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::unsupported);
}

TEST_F(Tools, a_program_that_does_not_end_is_killed_with_its_children) {
  install("echo started; sleep 600 & echo $! > \"$TESSERA_ROOT/child\"; wait");
  auto outcome = run_tool(rehearsal(), tool, {}, Deadline::in(milliseconds(500)));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::timeout);
  EXPECT_NE(outcome.error().sentence.find("started"), std::string::npos);
  const auto child = std::stoi(directory.content("/child"));
  const auto deadline = Deadline::in(seconds(10));
  auto state = [&] {  // a zombie that init has not reaped yet has ended, too
    std::ifstream status("/proc/" + std::to_string(child) + "/stat");
    std::string number;
    std::string name;
    std::string letter;
    status >> number >> name >> letter;
    return letter;
  };
  while (!state().empty() && state() != "Z" && !deadline.passed()) {
  }
  EXPECT_TRUE(state().empty() || state() == "Z") << state();
}

TEST_F(Tools, a_child_that_is_left_behind_with_the_output_does_not_keep_us) {
  install("sleep 5 & echo done");
  const auto deadline = Deadline::in(seconds(4));
  auto outcome = run_tool(rehearsal(), tool, {}, deadline);
  ASSERT_TRUE(outcome) << one_line(outcome.error());
  EXPECT_EQ(outcome->output, "done\n");
  EXPECT_FALSE(deadline.passed());
}

TEST_F(Tools, output_beyond_the_limit_is_dropped_and_the_program_still_ends) {
  install("head -c 6000000 /dev/zero; exit 4");
  auto outcome = run_tool(rehearsal(), tool, {}, Deadline::in(seconds(30)));
  ASSERT_TRUE(outcome) << one_line(outcome.error());
  EXPECT_EQ(outcome->output.size(), 4U << 20);
  EXPECT_EQ(outcome->exit_code, 4);
}

TEST_F(Tools, a_program_that_a_signal_ended_has_a_shells_exit_code) {
  install("kill -KILL $$");
  auto outcome = run_tool(rehearsal(), tool, {}, Deadline::in(seconds(20)));
  ASSERT_TRUE(outcome) << one_line(outcome.error());
  EXPECT_EQ(outcome->exit_code, 128 + 9);
}

}  // namespace
}  // namespace tessera::kernel
