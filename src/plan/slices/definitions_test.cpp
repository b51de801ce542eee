// SPDX-License-Identifier: Apache-2.0
#include "plan/slices/definitions.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "model/json.h"

namespace tessera::plan {
namespace {

using model::Expectation;
using model::FileState;
using What = model::Expectation::What;
using Action = model::Step::Action;
using Expectations = std::vector<Expectation>;

const Uuid uuid = *parse_uuid("83c32df7-d52e-4ec1-9668-1f3c7e4df107");
const std::string path = "/etc/mdevctl.d/mdpy/83c32df7-d52e-4ec1-9668-1f3c7e4df107";

model::MdevDefinition wanted() {
  return {uuid, "mdpy", "mdpy-hd", model::MdevDefinition::Start::automatic, {{"x", "1"}}};
}

model::Operation only(const Result<std::vector<model::Operation>>& operations) {
  EXPECT_TRUE(operations && operations->size() == 1);
  return operations && !operations->empty() ? operations->front() : model::Operation{};
}

TEST(DefineMdev, makes_the_file_and_undo_removes_it_with_the_folders_that_were_not_there) {
  const FileState nothing{path, std::nullopt, {"/etc/mdevctl.d/mdpy", "/etc/mdevctl.d"}};
  const auto text = mdevctl_file(wanted());
  const auto op = only(define_mdev(nothing, wanted()));
  EXPECT_EQ(op.kind, "slice.define");
  EXPECT_EQ(op.subject, to_string(uuid));
  EXPECT_EQ(op.reason, "a mdpy-hd on mdpy, made again at every boot");
  EXPECT_EQ(op.before, (Expectations{{What::file, path, "no"}}));
  ASSERT_EQ(op.forward.size(), 1U);
  EXPECT_EQ(op.forward[0].action, Action::write_file);
  EXPECT_EQ(op.forward[0].text, text);
  EXPECT_EQ(op.after, (Expectations{{What::file_text, path, text}}));
  ASSERT_EQ(op.undo.size(), 3U);
  EXPECT_EQ(op.undo[0].action, Action::remove_file);
  EXPECT_EQ(op.undo[0].only_if, op.after);
  EXPECT_EQ(op.undo[1].path, "/etc/mdevctl.d/mdpy");
  EXPECT_EQ(op.undo[2].path, "/etc/mdevctl.d");
  EXPECT_EQ(op.undo[2].action, Action::remove_folder);
  EXPECT_EQ(op.after_undo, (Expectations{{What::file_text_is_not, path, text}}));
}

TEST(DefineMdev, replaces_another_text_even_a_broken_one_and_undo_puts_it_back) {
  const auto op = only(define_mdev({path, "{broken\n", {}}, wanted()));
  EXPECT_EQ(op.before, (Expectations{{What::file_text, path, "{broken\n"}}));
  ASSERT_EQ(op.undo.size(), 1U);
  EXPECT_EQ(op.undo[0].action, Action::write_file);
  EXPECT_EQ(op.undo[0].text, "{broken\n");
  EXPECT_EQ(op.undo[0].only_if, (Expectations{{What::file_text, path, mdevctl_file(wanted())}}));
}

TEST(DefineMdev, has_nothing_to_do_where_the_file_says_so_already) {
  auto operations = define_mdev({path, mdevctl_file(wanted()), {}}, wanted());
  ASSERT_TRUE(operations);
  EXPECT_TRUE(operations->empty());
}

TEST(DefineMdev, is_refused_where_it_could_not_be_undone_or_kept) {
  auto no_undo = define_mdev({path, "\xff", {}}, wanted());
  ASSERT_FALSE(no_undo);
  EXPECT_EQ(no_undo.error().kind, ErrorKind::unsupported);
  EXPECT_EQ(no_undo.error().subject, path);
  auto climbing = wanted();
  climbing.parent = "..";
  EXPECT_FALSE(define_mdev({path, std::nullopt, {}}, climbing));
}

TEST(UndefineMdev, removes_the_file_and_undo_writes_it_again) {
  const auto op = only(undefine_mdev({path, "text\n", {}}, uuid));
  EXPECT_EQ(op.kind, "slice.undefine");
  EXPECT_EQ(op.before, (Expectations{{What::file_text, path, "text\n"}}));
  ASSERT_EQ(op.forward.size(), 1U);
  EXPECT_EQ(op.forward[0].action, Action::remove_file);
  EXPECT_EQ(op.after, (Expectations{{What::file, path, "no"}}));
  ASSERT_EQ(op.undo.size(), 1U);
  EXPECT_EQ(op.undo[0].text, "text\n");
  EXPECT_EQ(op.undo[0].only_if, op.after);
  EXPECT_EQ(op.after_undo, (Expectations{{What::file, path, "yes"}}));
}

TEST(UndefineMdev, has_nothing_to_do_where_there_is_no_file) {
  auto operations = undefine_mdev({path, std::nullopt, {}}, uuid);
  ASSERT_TRUE(operations);
  EXPECT_TRUE(operations->empty());
}

const std::string host_path = "/etc/tessera/host.yaml";
const std::string host_text =
    "# by hand\nslices:\n  - {card: c, framework: xe, vf: 0}\n  - {card: c, framework: xe, vf: "
    "1}\n";

model::HostSlice function(int vf) {
  model::HostSlice slice;
  slice.card = "c";
  slice.framework = model::Framework::xe;
  slice.vf = vf;
  return slice;
}

TEST(DefineInHostFile, makes_the_file_or_adds_an_entry) {
  const auto made =
      only(define_in_host_file({host_path, std::nullopt, {"/etc/tessera"}}, function(2)));
  EXPECT_EQ(made.kind, "slice.define");
  EXPECT_EQ(made.subject, "c vf 2");
  EXPECT_EQ(made.reason, "xe on virtual function 2 of c, made again at every boot");
  EXPECT_EQ(made.forward.at(0).text, model::to_yaml({{function(2)}}));
  EXPECT_EQ(made.undo.size(), 2U);
  const auto added = only(define_in_host_file({host_path, host_text, {}}, function(2)));
  EXPECT_EQ(added.forward.at(0).text, host_text + "  - card: c\n    framework: xe\n    vf: 2\n");
  EXPECT_EQ(added.undo.at(0).text, host_text);
}

TEST(DefineInHostFile, replaces_the_entry_of_the_same_function) {
  auto wanted = function(1);
  wanted.quotas.exec_quantum_ms = 20;
  const auto op = only(define_in_host_file({host_path, host_text, {}}, wanted));
  auto host = model::parse_host_file(op.forward.at(0).text, host_path);
  ASSERT_TRUE(host);
  EXPECT_EQ(host->slices, (std::vector{function(0), wanted}));
  EXPECT_TRUE(define_in_host_file({host_path, host_text, {}}, function(1))->empty());
}

TEST(UndefineInHostFile, takes_the_entry_away_and_nothing_else) {
  const auto op = only(undefine_in_host_file({host_path, host_text, {}}, "c", 0));
  EXPECT_EQ(op.kind, "slice.undefine");
  EXPECT_EQ(op.forward.at(0).text, "# by hand\nslices:\n  - {card: c, framework: xe, vf: 1}\n");
  EXPECT_TRUE(undefine_in_host_file({host_path, host_text, {}}, "c", 7)->empty());
  EXPECT_TRUE(undefine_in_host_file({host_path, std::nullopt, {}}, "c", 0)->empty());
}

TEST(UndefineInHostFile, of_a_file_with_a_mistake_is_refused_with_its_place) {
  auto broken = undefine_in_host_file({host_path, "slices: 7\n", {}}, "c", 0);
  ASSERT_FALSE(broken);
  EXPECT_EQ(one_line(broken.error()), "/etc/tessera/host.yaml:1:9: 'slices' must be a list");
}

TEST(SettingsOperations, come_back_from_the_journal_as_they_were) {
  const FileState now{path, "a \"text\"\n\tof \xc3\xa9 two lines\n", {}};
  for (const auto& op : {only(define_mdev(now, wanted())), only(undefine_mdev(now, uuid))}) {
    auto back = model::operation_from_json(to_json(op).dump());
    ASSERT_TRUE(back) << one_line(back.error());
    EXPECT_EQ(*back, op);
  }
}

}  // namespace
}  // namespace tessera::plan
