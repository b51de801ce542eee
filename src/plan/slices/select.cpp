// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "plan/slices/cut.h"

namespace tessera::plan::slices {

using model::HostSnapshot;
using model::SliceSource;

namespace {

bool is_called(const SliceSource& source, std::string_view name) {
  return source.device == name || source.parent(name) != nullptr;
}

const SliceSource* by_name(const HostSnapshot& host, std::string_view name) {
  const auto found = std::ranges::find_if(
      host.slice_sources, [&](const SliceSource& source) { return is_called(source, name); });
  return found == host.slice_sources.end() ? nullptr : &*found;
}

std::string names_of(const HostSnapshot& host) {
  std::vector<std::string> names;
  for (const auto& source : host.slice_sources) names.push_back(source.device);
  return names.empty() ? "nothing on this host can be cut into slices"
                       : "slices can be cut from: " + text::join(names, ", ");
}

}  // namespace

Result<const SliceSource*> select_source(const HostSnapshot& host, std::string_view selector) {
  if (const SliceSource* const source = by_name(host, selector)) return source;
  const auto address = model::parse_pci_address(selector);
  if (address) {
    if (const SliceSource* const source = by_name(host, model::to_string(*address))) return source;
  }
  const bool other_form = !address && selector.find(':') == std::string_view::npos;
  if (other_form) {
    return fail(ErrorKind::not_found, text::printable(selector),
                "there is no card and no mdev parent of this name", names_of(host));
  }
  TRY_LET(const model::Card* const card, model::select_card(host, selector));
  if (const SliceSource* const source = by_name(host, model::to_string(card->address))) {
    return source;
  }
  return fail(
      ErrorKind::unsupported, model::to_string(card->address),
      fmt::format("{} shows none of the files that slices are made with: no mediated device "
                  "types, no vGPU files on virtual functions, no virtual functions",
                  card->name),
      "tessera doctor " + model::to_string(card->address) + " --for slices says what is missing");
}

}  // namespace tessera::plan::slices
