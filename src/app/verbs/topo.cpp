// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/printers/topology.h"
#include "app/printers/topology_svg.h"
#include "app/text_file.h"
#include "app/verb.h"
#include "kernel/files.h"
#include "kernel/root.h"
#include "plan/topology.h"
#include "probe/probe.h"
#include "vendor/nvidia_topology.h"

namespace tessera::app {

namespace {

struct TopoOptions {
  std::string vendor_file;
  std::string svg;
};

struct VendorText {
  std::string text;
  std::string source;
};

/// The file that was given; without one, what the recording has; else nothing.
Result<std::optional<VendorText>> vendor_text(const kernel::Root& root,
                                              const TopoOptions& options) {
  if (!options.vendor_file.empty()) {
    TRY_LET(std::string text, read_text_file(options.vendor_file));
    return VendorText{std::move(text), options.vendor_file};
  }
  auto note = root.note(kernel::files::note_nvidia_topology);
  if (!note) return std::nullopt;
  return VendorText{std::move(*note),
                    fmt::format("{} ({})", root.location(), kernel::files::note_nvidia_topology)};
}

Status show_topology(const Session& session, const TopoOptions& options) {
  TRY_LET(const kernel::Root root, kernel::Root::open(session.root));
  TRY_LET(const model::HostSnapshot host, probe::take_snapshot(root));
  auto topology = plan::topology_of(host);
  TRY_LET(const auto told, vendor_text(root, options));
  if (told) {
    TRY_LET(const auto vendor, vendor::parse_nvidia_topology(told->text, told->source));
    TRY(plan::add_vendor_links(host, vendor, told->source, topology));
  }
  if (!options.svg.empty()) TRY(write_text_file(options.svg, topology_svg(host, topology)));
  if (session.json) {
    fmt::print("{}\n", to_json(topology).dump(2));
  } else if (options.svg.empty()) {
    fmt::print("{}", topology_text(host, topology, stdout_style()));
  }
  return {};
}

}  // namespace

void add_topo(cli::Verb parser, Session& session) {
  auto options = std::make_shared<TopoOptions>();
  auto verb = parser.add_verb("topo", "show how near cards and network controllers are");
  verb.option("--vendor-file", options->vendor_file,
              "text of `nvidia-smi topo -m`, taken on this host, for its NVLinks");
  verb.option("--svg", options->svg, "draw it into this file instead");
  verb.footer(
      "The matrix has the words of `nvidia-smi topo -m`; below it is the way from the root\n"
      "complexes to each card (C0, C1, ...) and network controller (N0, N1, ...). '?' and '-' are\n"
      "not known. Changes nothing on the host.");
  verb.on_call([options, &session] {
    auto done = show_topology(session, *options);
    session.exit_code = done ? exit_ok : report(session, done.error());
  });
}

}  // namespace tessera::app
