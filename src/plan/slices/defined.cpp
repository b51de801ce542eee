// SPDX-License-Identifier: Apache-2.0
#include "plan/slices/defined.h"

#include <algorithm>

#include <fmt/format.h>

#include "kernel/files.h"
#include "plan/slices/cut.h"
#include "plan/slices/define.h"

namespace tessera::plan::slices {

using model::HostSlice;
using model::HostSnapshot;
using model::MdevDefinition;

namespace {

DefinedSlice beside_host(const HostSnapshot& host, const MdevDefinition& definition) {
  DefinedSlice defined;
  defined.slice = to_string(definition.uuid);
  defined.type = definition.mdev_type;
  defined.name = definition.mdev_type;
  defined.parent = definition.parent;
  defined.start = definition.start;
  defined.file = file_of(definition);
  for (const auto& source : host.slice_sources) {
    const auto* const profile = source.profile(definition.mdev_type);
    if (profile && source.parent(definition.parent)) defined.name = profile->name;
  }
  const auto* const there = host.slice(defined.slice);
  defined.stands = there && there->type == defined.type && there->parent == defined.parent;
  return defined;
}

DefinedSlice beside_host(const HostSnapshot& host, const HostSlice& entry) {
  DefinedSlice defined;
  defined.slice = fmt::format("{} vf {}", entry.card, entry.vf);
  defined.type = entry.type;
  defined.name = entry.type.empty() ? std::string(to_string(entry.framework)) : entry.type;
  defined.start = entry.start;
  defined.file = file_of(entry);
  const auto source = select_source(host, entry.card);
  const auto index = static_cast<std::size_t>(entry.vf);
  if (source && index < (*source)->parents.size()) {
    defined.slice = (*source)->parents[index].device;
    const auto* const there = host.slice(defined.slice);
    const bool same_type =
        there && (entry.type.empty() || entry.type == there->name || entry.type == there->type);
    defined.stands = same_type && there->framework == entry.framework;
  }
  defined.parent = defined.slice;
  return defined;
}

}  // namespace

const DefinedSlice* Definitions::standing(const std::string& slice) const {
  const auto found = std::ranges::find_if(
      slices, [&](const DefinedSlice& one) { return one.stands && one.slice == slice; });
  return found == slices.end() ? nullptr : &*found;
}

Definitions definitions_on(const HostSnapshot& host, const DefinedSlices& defined) {
  Definitions all;
  for (const auto& file : defined.mdevs) {
    if (file.definition) {
      all.slices.push_back(beside_host(host, *file.definition));
    } else {
      all.broken.push_back(file.definition.error());
    }
  }
  for (const auto& entry : defined.file.slices) all.slices.push_back(beside_host(host, entry));
  return all;
}

}  // namespace tessera::plan::slices
