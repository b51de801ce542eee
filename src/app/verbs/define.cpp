// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "app/change.h"
#include "app/verb.h"
#include "base/text.h"
#include "kernel/files.h"
#include "plan/slices/definitions.h"
#include "plan/slices/owners.h"
#include "probe/probe.h"
#include "probe/slices/definitions.h"

namespace tessera::app {

namespace {

using plan::slices::FoundSlice;
using Start = model::MdevDefinition::Start;
using Operations = std::vector<model::Operation>;

struct DefineOptions {
  std::vector<std::string> slices;
  std::string start = "auto";
  ChangeOptions change;
};

bool is_mdev(const model::Slice& slice) {
  return slice.identity != slice.parent;
}

std::string mdev_file(const std::string& parent, const std::string& uuid) {
  return fmt::format("{}/{}/{}", kernel::files::mdev_definitions, parent, uuid);
}

/// The card as the host file names it best, and which of its virtual functions the slice is.
struct FunctionName {
  std::string card;
  int vf = 0;
};

FunctionName function_name(const model::HostSnapshot& host, const FoundSlice& found) {
  const auto* const card = found.source->card ? host.card_of(*found.source->card) : nullptr;
  const auto& parents = found.source->parents;
  const auto place = std::ranges::find(parents, found.slice->parent, &model::SliceParent::device);
  return {card ? card->identity : found.source->device, static_cast<int>(place - parents.begin())};
}

std::vector<model::SliceSetting> settings_of(const model::Slice& slice) {
  std::vector<model::SliceSetting> settings;
  for (const auto pair : text::split(slice.settings.value_or(""), ',')) {
    const auto mark = pair.find('=');
    if (mark == std::string_view::npos) continue;
    settings.push_back({std::string(text::trim(pair.substr(0, mark))),
                        std::string(text::trim(pair.substr(mark + 1)))});
  }
  return settings;
}

Result<Operations> define(const kernel::Root& root, const model::HostSnapshot& host,
                          const FoundSlice& found, Start start) {
  const model::Slice& slice = *found.slice;
  if (is_mdev(slice)) {
    TRY_LET(const Uuid uuid, parse_uuid(slice.identity));
    model::MdevDefinition wanted{uuid, slice.parent, slice.type, start, {}};
    const auto settings = slice.settings.value_or("");
    if (!settings.empty()) wanted.attrs.push_back({"nvidia/vgpu_params", settings});
    TRY_LET(const auto now, probe::read_file_state(root, mdev_file(slice.parent, slice.identity)));
    return plan::define_mdev(now, wanted);
  }
  const auto name = function_name(host, found);
  model::HostSlice wanted;
  wanted.card = name.card;
  wanted.vf = name.vf;
  wanted.framework = slice.framework;
  wanted.start = start;
  if (slice.framework == model::Framework::vendor_vfio) {
    wanted.type = slice.name;
    wanted.settings = settings_of(slice);
  }
  TRY_LET(const auto now, probe::read_file_state(root, kernel::files::host_file));
  return plan::define_in_host_file(now, wanted);
}

/// Definitions of one mediated device may stand below several parents.
Result<Operations> undefine_mdev(const kernel::Root& root, const Uuid& uuid) {
  Operations all;
  const auto files = probe::read_mdev_definitions(root);
  if (!files.has_value()) return all;
  for (const auto& file : files.value()) {
    if (!file.path.ends_with("/" + to_string(uuid))) continue;
    TRY_LET(const auto now, probe::read_file_state(root, file.path));
    TRY_LET(auto operations, plan::undefine_mdev(now, uuid));
    std::ranges::move(operations, std::back_inserter(all));
  }
  return all;
}

Result<Operations> undefine(const kernel::Root& root, const model::HostSnapshot& host,
                            const std::string& selector) {
  if (const auto uuid = parse_uuid(selector)) return undefine_mdev(root, *uuid);
  TRY_LET(const FoundSlice found, plan::slices::find_slice(host, selector));
  const auto name = function_name(host, found);
  TRY_LET(const auto now, probe::read_file_state(root, kernel::files::host_file));
  return plan::undefine_in_host_file(now, name.card, name.vf);
}

using MakeOperations = std::function<Result<Operations>(
    const kernel::Root&, const model::HostSnapshot&, const std::string&)>;

/// The host file is one file for all of its slices, so each further slice is a plan of its own.
Result<model::Plan> plan_for(const kernel::Root& root, const std::string& selector,
                             const std::string& title, const MakeOperations& make) {
  TRY_LET(const auto host, probe::take_snapshot(root, model::Detail::slices));
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

}  // namespace

void add_define(cli::Verb parser, Session& session) {
  auto options = std::make_shared<DefineOptions>();
  auto verb = parser.add_verb("define", "write down a slice, so that it is there after a boot");
  verb.option("slice", options->slices,
              "UUID of a mediated device, or address of a virtual function")
      .required();
  verb.option("--start", options->start, "auto: made at every boot; manual: when somebody asks")
      .one_of({"auto", "manual"})
      .show_default();
  add_change_options(verb, options->change);
  verb.on_call([&session, options] {
    const auto start = options->start == "auto" ? Start::automatic : Start::manual;
    session.exit_code =
        change_each(session, *options, "define",
                    [&](const kernel::Root& root, const model::HostSnapshot& host,
                        const std::string& selector) -> Result<Operations> {
                      TRY_LET(const FoundSlice found, plan::slices::find_slice(host, selector));
                      return define(root, host, found, start);
                    });
  });
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
