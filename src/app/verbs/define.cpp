// SPDX-License-Identifier: Apache-2.0
#include "plan/slices/define.h"

#include <algorithm>
#include <memory>

#include "app/change.h"
#include "app/text_file.h"
#include "app/verb.h"
#include "build/nodedev_xml.h"
#include "kernel/files.h"
#include "plan/slices/definitions.h"
#include "plan/slices/owners.h"
#include "probe/probe.h"
#include "probe/slices/definitions.h"
#include "probe/slices/nvidia_driver.h"

namespace tessera::app {

namespace {

using Start = model::MdevDefinition::Start;
using Operations = std::vector<model::Operation>;

struct DefineOptions {
  std::vector<std::string> slices;
  std::vector<std::string> node_devices;
  std::string start = "auto";
  ChangeOptions change;

  [[nodiscard]] Start start_kind() const {
    return start == "auto" ? Start::automatic : Start::manual;
  }
};

Result<Operations> define(const kernel::Root& root, const model::HostSnapshot& host,
                          const std::string& selector, Start start) {
  TRY_LET(const auto found, plan::slices::find_slice(host, selector));
  TRY_LET(const auto wanted, plan::slices::definition_of(host, found, start));
  TRY_LET(const auto now, probe::read_file_state(root, plan::slices::file_of(wanted)));
  return plan::slices::define(now, wanted);
}

/// Definitions of one mediated device may stand below several parents.
Result<Operations> undefine_mdev(const kernel::Root& root, const Uuid& uuid) {
  Operations all;
  TRY_LET(const auto defined, probe::mdev_definitions(root));
  for (const auto& file : plan::slices::files_of(uuid, defined)) {
    TRY_LET(const auto now, probe::read_file_state(root, file.path));
    TRY_LET(auto operations, plan::undefine_mdev(now, uuid));
    std::ranges::move(operations, std::back_inserter(all));
  }
  return all;
}

Result<Operations> undefine(const kernel::Root& root, const model::HostSnapshot& host,
                            const std::string& selector) {
  if (const auto uuid = parse_uuid(selector)) return undefine_mdev(root, *uuid);
  TRY_LET(const auto found, plan::slices::find_slice(host, selector));
  const auto entry = plan::slices::host_entry_of(host, found);
  TRY_LET(const auto now, probe::read_file_state(root, kernel::files::host_file));
  return plan::undefine_in_host_file(now, entry.card, entry.vf);
}

using MakeOperations = std::function<Result<Operations>(
    const kernel::Root&, const model::HostSnapshot&, const std::string&)>;

/// The host file is one file for all of its slices, so each further slice is a plan of its own.
Result<model::Plan> plan_for(const kernel::Root& root, const std::string& selector,
                             const std::string& title, const MakeOperations& make) {
  TRY_LET(auto host, probe::take_snapshot(root, model::Detail::slices));
  // A type's name is the same under the next driver, its number need not be.
  probe::slices::name_nvidia_slices(root, host);
  model::Plan plan;
  plan.title = title + " " + selector;
  plan.subject = selector;
  TRY_LET(plan.operations, make(root, host, selector));
  if (plan.operations.empty()) plan.notes.push_back(selector + ": nothing to change");
  return plan;
}

int change_each(const Session& session, const DefineOptions& options, const std::string& title,
                const MakeOperations& make) {
  for (const auto& selector : options.slices) {
    const int code = change_host(session, options.change, [&](const kernel::Root& root) {
      return plan_for(root, selector, title, make);
    });
    if (code != exit_ok) return code;
  }
  return exit_ok;
}

Result<model::MdevDefinition> read_node_device(const std::string& path, Start start) {
  TRY_LET(const auto text, read_text_file(path));
  TRY_LET(const Uuid fresh, random_uuid());
  TRY_LET(auto definition, build::parse_node_device_xml(text, text_file_name(path), fresh));
  definition.start = start;
  return definition;
}

Result<model::Plan> plan_node_device(const kernel::Root& root,
                                     const model::MdevDefinition& wanted) {
  TRY_LET(const auto host, probe::take_snapshot(root, model::Detail::slices));
  TRY_LET(const auto now, probe::read_file_state(root, plan::slices::file_of(wanted)));
  model::Plan plan;
  plan.subject = to_string(wanted.uuid);
  plan.title = "define " + plan.subject;
  TRY_LET(plan.operations, plan::define_mdev(now, wanted));
  TRY_LET(const auto defined, probe::mdev_definitions(root));
  plan.notes = plan::slices::notes_on(host, defined, wanted);
  return plan;
}

/// All files are read before anything is changed: standard input comes only once.
int define_node_devices(const Session& session, const DefineOptions& options) {
  std::vector<model::MdevDefinition> definitions;
  for (const auto& path : options.node_devices) {
    auto definition = read_node_device(path, options.start_kind());
    if (!definition) return report(session, definition.error());
    definitions.push_back(std::move(*definition));
  }
  for (const auto& wanted : definitions) {
    const int code = change_host(session, options.change, [&](const kernel::Root& root) {
      return plan_node_device(root, wanted);
    });
    if (code != exit_ok) return code;
  }
  return exit_ok;
}

int define_slices(const Session& session, const DefineOptions& options) {
  return change_each(
      session, options, "define",
      [&](const kernel::Root& root, const model::HostSnapshot& host, const std::string& selector) {
        return define(root, host, selector, options.start_kind());
      });
}

int define_either(const Session& session, const DefineOptions& options) {
  if (options.slices.empty() == options.node_devices.empty()) {
    return report(session, {ErrorKind::invalid, "define",
                            "either slices that stand are named, or files with --nodedev-xml",
                            "tessera define SLICE, or tessera define --nodedev-xml FILE"});
  }
  return options.slices.empty() ? define_node_devices(session, options)
                                : define_slices(session, options);
}

}  // namespace

void add_define(cli::Verb parser, Session& session) {
  auto options = std::make_shared<DefineOptions>();
  auto verb = parser.add_verb("define", "write down a slice, so that it is there after a boot");
  verb.option("slice", options->slices,
              "UUID of a mediated device, or address of a virtual function");
  verb.option("--nodedev-xml", options->node_devices,
              "mediated devices that need not be there: XML as virsh nodedev-dumpxml prints it; "
              "- is standard input");
  verb.option("--start", options->start, "auto: made at every boot; manual: when somebody asks")
      .one_of({"auto", "manual"})
      .show_default();
  add_change_options(verb, options->change);
  verb.on_call([&session, options] { session.exit_code = define_either(session, *options); });
}

void add_undefine(cli::Verb parser, Session& session) {
  auto options = std::make_shared<DefineOptions>();
  auto verb = parser.add_verb("undefine", "forget that a slice shall be there; it stays for now");
  verb.option("slice", options->slices,
              "UUID of a mediated device, or address of a virtual function")
      .required();
  add_change_options(verb, options->change);
  verb.on_call([&session, options] {
    session.exit_code = change_each(session, *options, "undefine", undefine);
  });
}

}  // namespace tessera::app
