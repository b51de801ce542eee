// SPDX-License-Identifier: Apache-2.0
#include "model/json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace tessera::model {
namespace {

PciAddress at(const char* text) {
  return *parse_pci_address(text);
}

Operation full_operation() {
  Expectation bound{Expectation::What::link_name, "/d/driver", "nouveau"};
  Expectation not_vfio{Expectation::What::link_name_is_not, "/d/driver", ""};
  Operation operation;
  operation.kind = "vfio.assign";
  operation.subject = "0000:01:00.0";
  operation.reason = "a \"quoted\" reason\nwith a second line and \xc3\xa9";
  operation.before = {bound};
  for (auto action :
       {Step::Action::write, Step::Action::load_module, Step::Action::unload_module,
        Step::Action::stop_process, Step::Action::stop_unit, Step::Action::start_unit,
        Step::Action::write_file, Step::Action::remove_file, Step::Action::remove_folder,
        Step::Action::run_tool, Step::Action::claim, Step::Action::disown}) {
    Step step;
    step.action = action;
    step.path = "/d/unbind";
    step.text = "0000:01:00.0\n";
    step.reason = "why";
    step.only_if = {bound, not_vfio};
    step.then = {{Expectation::What::module, "vfio_pci", "yes"},
                 {Expectation::What::process, "4711", "no"},
                 {Expectation::What::file, "/etc/x", "yes"},
                 {Expectation::What::file_text, "/etc/x", "whole\ntext\n"},
                 {Expectation::What::file_text_is_not, "/etc/x", ""},
                 {Expectation::What::owner, "0000:26:00.4", "vm1"}};
    step.late = {{"/d/driver_override", "\n"}};
    step.deadline_ms = 2500;
    operation.forward.push_back(step);
  }
  operation.after = {{Expectation::What::text, "/d/driver_override", ""}};
  operation.undo = {Step{}};
  operation.after_undo = {{Expectation::What::unit, "x.service", "yes"}};
  return operation;
}

Plan full_plan() {
  return {"assign 0000:01:00.0 to vm",
          "10de:1db4@0000/03.0/00.0",
          {full_operation(), Operation{}},
          {"bridge left alone"}};
}

TEST(PlanJson, comes_back_exactly_as_it_was) {
  Plan plan = full_plan();
  auto back = plan_from_json(to_json(plan).dump());
  ASSERT_TRUE(back) << one_line(back.error());
  EXPECT_EQ(back->title, plan.title);
  EXPECT_EQ(back->subject, plan.subject);
  EXPECT_EQ(back->operations, plan.operations);
  EXPECT_EQ(back->notes, plan.notes);
  auto operation = operation_from_json(to_json(full_operation()).dump(2));
  ASSERT_TRUE(operation) << one_line(operation.error());
  EXPECT_EQ(*operation, full_operation());
}

TEST(PlanJson, starts_with_its_schema) {
  auto json = to_json(full_plan());
  EXPECT_EQ(json.begin().key(), "schema");
  EXPECT_EQ(json.begin().value(), plan_schema);
}

TEST(PlanJson, names_the_key_that_is_wrong) {
  using Pointer = nlohmann::ordered_json::json_pointer;
  struct Case {
    const char* pointer;
    nlohmann::ordered_json value;
    const char* where;
  };
  for (const Case& c : {
           Case{"/schema", "tessera/plan/2", "schema"},
           Case{"/title", 7, "title"},
           Case{"/operations", "none", "operations"},
           Case{"/operations/0", 1, "operations[0]"},
           Case{"/operations/0/forward/1/action", "explode", "operations[0].forward[1].action"},
           Case{"/operations/0/before/0/what", nullptr, "operations[0].before[0].what"},
           Case{"/operations/0/forward/0/late/0/text", 1, "operations[0].forward[0].late[0].text"},
           Case{"/operations/0/undo/0/deadline_ms", -1, "operations[0].undo[0].deadline_ms"},
           Case{"/operations/0/undo/0/deadline_ms", 4e9, "operations[0].undo[0].deadline_ms"},
           Case{"/operations/0/undo/0/deadline_ms", 18446744073709551615U,
                "operations[0].undo[0].deadline_ms"},
           Case{"/notes/0", false, "notes[0]"},
       }) {
    auto json = to_json(full_plan());
    json[Pointer(c.pointer)] = c.value;
    auto plan = plan_from_json(json.dump());
    ASSERT_FALSE(plan) << c.pointer;
    EXPECT_EQ(plan.error().kind, ErrorKind::invalid) << c.pointer;
    EXPECT_EQ(plan.error().subject, c.where) << c.pointer;
  }
}

TEST(PlanJson, misses_no_key) {
  auto whole = to_json(full_plan());
  for (const auto& item : whole.items()) {
    auto json = whole;
    json.erase(item.key());
    auto plan = plan_from_json(json.dump());
    ASSERT_FALSE(plan) << item.key();
    EXPECT_EQ(plan.error().subject, item.key());
  }
}

TEST(PlanJson, survives_what_is_no_plan) {
  for (const char* text : {"", "{", "[]", "7", "null", "\"\xff\"", "{\"schema\":{}}", "[[[[[[",
                           "{\"schema\":\"tessera/plan/1\",\"title\":\"\\ud800\"}"}) {
    EXPECT_FALSE(plan_from_json(text)) << text;
    EXPECT_FALSE(operation_from_json(text)) << text;
  }
}

TEST(HostJson, tells_absent_and_unreadable_and_zero_apart) {
  HostSnapshot host;
  PciFunction function;
  function.address = at("0000:01:00.0");
  function.vendor = std::uint16_t{0x10de};
  function.vf_total = 0;
  function.numa_node = Reading<int>::unreadable("EACCES");
  function.reset_methods = std::vector<std::string>{};
  host.functions = {function};
  auto json = to_json(host).at("functions").at(0);
  EXPECT_EQ(json.at("vendor"), "10de");
  EXPECT_EQ(json.at("vf_total"), 0);
  EXPECT_EQ(json.at("numa_node").dump(), R"({"unreadable":"EACCES"})");
  EXPECT_EQ(json.at("reset_methods").dump(), "[]");
  EXPECT_FALSE(json.contains("device"));
  EXPECT_FALSE(json.contains("driver"));
}

TEST(HostJson, starts_with_its_schema_and_holds_every_part) {
  HostSnapshot host;
  host.source = "here";
  host.cards = {Card{"id", at("0000:01:00.0"), "name", {at("0000:01:00.0")}, {3}, true}};
  host.groups = {
      IommuGroup{3, {at("0000:01:00.0")}, std::string("DMA"), {{0xfee00000, 0xfeefffff, "msi"}}}};
  host.framebuffers = {BootFramebuffer{"simple-framebuffer.0", "", 0, 0, "", std::nullopt}};
  host.holders = {Holder{7, "Xorg", "gdm.service", at("0000:01:00.0"), {"/dev/dri/card0"}}};
  auto json = to_json(host);
  EXPECT_EQ(json.begin().key(), "schema");
  EXPECT_EQ(json["cards"][0]["groups"].dump(), "[3]");
  EXPECT_EQ(json["groups"][0]["reserved_regions"][0]["last"], "0xfeefffff");
  EXPECT_EQ(json["framebuffers"][0].dump(), R"({"device":"simple-framebuffer.0"})");
  EXPECT_EQ(json["holders"][0]["unit"], "gdm.service");
}

TEST(HostJson, can_always_be_printed_whatever_bytes_were_read) {
  HostSnapshot host;
  host.kernel_log = {"bad \xff\xfe bytes"};
  host.holders = {Holder{7, "\xc3", "", {}, {}}};
  EXPECT_NO_THROW((void)to_json(host).dump());
  Error error{ErrorKind::io, "\x80", "\x81", ""};
  EXPECT_NO_THROW((void)to_json(error).dump());
  Plan plan{"\xf0", "", {}, {}};
  EXPECT_NO_THROW((void)to_json(plan).dump());
}

TEST(FindingsJson, keeps_order_and_leaves_out_what_is_empty) {
  Finding finding;
  finding.id = "group-shared";
  finding.severity = Severity::error;
  finding.card = at("0000:01:00.0");
  finding.title = "shared";
  finding.evidence = {{"/sys/x", "y"}};
  auto json = to_json(std::vector<Finding>{finding});
  EXPECT_EQ(json.begin().key(), "schema");
  EXPECT_EQ(json["findings"][0].dump(),
            R"({"id":"group-shared","severity":"error","card":"0000:01:00.0","title":"shared",)"
            R"("evidence":[{"path":"/sys/x","text":"y"}]})");
}

TEST(ErrorJson, has_the_kind_that_callers_branch_on) {
  auto json = to_json(Error{ErrorKind::stale, "x", "moved", "probe again"});
  EXPECT_EQ(json.dump(), R"({"schema":"tessera/error/1","kind":"stale","subject":"x",)"
                         R"("sentence":"moved","hint":"probe again"})");
}

}  // namespace
}  // namespace tessera::model
