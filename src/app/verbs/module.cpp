// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "app/change.h"
#include "app/verb.h"
#include "kernel/modules.h"
#include "plan/operations.h"

namespace tessera::app {

namespace {

struct ModuleOptions {
  std::string name;
  ChangeOptions change;
};

model::Plan plan_load(const kernel::Root& root, const std::string& name) {
  model::Plan plan;
  plan.title = fmt::format("load module {}", name);
  plan.subject = name;
  if (kernel::module_present(root, name)) {
    plan.notes.push_back(fmt::format("{} is there already", name));
  } else {
    plan.operations.push_back(plan::module_load(name, "asked for by name"));
  }
  return plan;
}

}  // namespace

void add_module(cli::Verb parser, Session& session) {
  auto verb = parser.add_verb("module", "kernel modules");
  verb.needs_verb();
  auto load = verb.add_verb("load", "load a kernel module, with a way back");
  auto options = std::make_shared<ModuleOptions>();
  load.option("name", options->name, "the module's name").required();
  add_change_options(load, options->change);
  load.on_call([&session, options] {
    session.exit_code = change_host(session, options->change, [&](const kernel::Root& root) {
      return Result<model::Plan>(plan_load(root, options->name));
    });
  });
}

}  // namespace tessera::app
