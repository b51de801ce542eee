// SPDX-License-Identifier: Apache-2.0
#include "app/printers/list.h"

#include <memory>

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/change.h"
#include "app/printers/slices.h"
#include "app/printers/topology.h"
#include "app/printers/topology_svg.h"
#include "app/text_file.h"
#include "app/verb.h"
#include "build/nodedev_xml.h"
#include "kernel/root.h"
#include "plan/slices/define.h"
#include "plan/slices/defined.h"
#include "probe/probe.h"
#include "probe/slices/definitions.h"
#include "probe/slices/nvidia_driver.h"
#include "probe/slices/users.h"

namespace tessera::app {

namespace {

struct ListOptions {
  std::string what = "cards";
  bool tree = false;
  std::string svg;
  std::string node_device;
};

/// One mediated device for `virsh nodedev-define`.
Status print_node_device(const Session& session, const ListOptions& options) {
  if (options.what != "slices" || session.json) {
    return fail(ErrorKind::invalid, "--nodedev-xml", "it prints a slice as XML, and nothing else",
                "tessera list slices --nodedev-xml " + options.node_device);
  }
  TRY_LET(const kernel::Root root, kernel::Root::open(session.root));
  TRY_LET(const auto host, probe::take_snapshot(root, model::Detail::slices));
  TRY_LET(const auto defined, probe::mdev_definitions(root));
  TRY_LET(const auto definition,
          plan::slices::mdev_definition_of(host, defined, options.node_device));
  TRY_LET(const auto xml, build::node_device_xml(definition));
  fmt::print("{}", xml);
  return {};
}

/// What is written down. One who may not read it, or a mistake in it, is told beside the slices.
plan::slices::Definitions definitions_on(const kernel::Root& root,
                                         const model::HostSnapshot& host) {
  auto mdevs = probe::mdev_definitions(root);
  auto file = probe::read_host_file(root);
  plan::slices::DefinedSlices defined;
  if (mdevs) defined.mdevs = std::move(*mdevs);
  if (file && *file) defined.file = std::move(**file);
  auto definitions = plan::slices::definitions_on(host, defined);
  if (!mdevs) definitions.broken.push_back(std::move(mdevs.error()));
  if (!file) definitions.broken.push_back(std::move(file.error()));
  return definitions;
}

Status list_slices(const Session& session) {
  TRY_LET(const kernel::Root root, kernel::Root::open(session.root));
  TRY_LET(model::HostSnapshot host, probe::take_snapshot(root, model::Detail::slices));
  probe::slices::find_slice_users(root, host);
  TRY(add_owners(session, host));
  probe::slices::name_nvidia_slices(root, host);
  const auto definitions = definitions_on(root, host);
  if (session.json) {
    fmt::print("{}\n", slices_json(host, definitions).dump(2));
  } else {
    fmt::print("{}", slices_text(host, definitions, stdout_style()));
  }
  return {};
}

Status list_cards(const Session& session, const ListOptions& options) {
  TRY_LET(const kernel::Root root, kernel::Root::open(session.root));
  // The tree also shows the bridges' groups and what kinds of ports they are.
  const bool with_bridges = options.tree || !options.svg.empty();
  TRY_LET(
      const model::HostSnapshot host,
      probe::take_snapshot(root, with_bridges ? model::Detail::everything : model::Detail::cards));
  if (!options.svg.empty()) TRY(write_text_file(options.svg, card_tree_svg(host)));
  if (session.json) {
    fmt::print("{}\n", list_json(host).dump(2));
  } else if (options.tree) {
    fmt::print("{}", card_tree_text(host, stdout_style()));
  } else if (options.svg.empty()) {
    fmt::print("{}", list_text(host, stdout_style()));
  }
  return {};
}

Status run_list(const Session& session, const ListOptions& options) {
  if (!options.node_device.empty()) return print_node_device(session, options);
  return options.what == "slices" ? list_slices(session) : list_cards(session, options);
}

}  // namespace

void add_list(cli::Verb parser, Session& session) {
  auto options = std::make_shared<ListOptions>();
  auto verb = parser.add_verb("list", "list the cards of this host and who has them");
  verb.option("what", options->what, "cards, or the slices that were cut from them")
      .one_of({"cards", "slices"})
      .show_default();
  verb.flag("--tree", options->tree, "show where the cards are below the root complexes");
  verb.option("--svg", options->svg, "draw that tree into this file");
  verb.option("--nodedev-xml", options->node_device,
              "with slices: print this mediated device as XML for virsh nodedev-define");
  verb.footer(
      "A card is a whole board: the indented lines are its other functions. GROUP is the IOMMU\n"
      "group, NUMA the memory node; '-' is not known. `list slices` looks through the processes "
      "for\n"
      "those that have a slice open. Changes nothing on the host.");
  verb.on_call([options, &session] {
    auto done = run_list(session, *options);
    session.exit_code = done ? exit_ok : report(session, done.error());
  });
}

}  // namespace tessera::app
