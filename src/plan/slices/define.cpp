// SPDX-License-Identifier: Apache-2.0
#include "plan/slices/define.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "kernel/files.h"
#include "plan/slices/definitions.h"
#include "plan/slices/quotas.h"

namespace tessera::plan::slices {

using model::HostSlice;
using model::HostSnapshot;
using model::MdevDefinition;

namespace {

/// The attribute that has a vGPU's parameters, in the words of mdevctl's files.
constexpr const char* vgpu_params_attribute = "nvidia/vgpu_params";

bool is_mdev(const model::Slice& slice) {
  return slice.identity != slice.parent;
}

Result<Definition> mdev_of(const model::Slice& slice, MdevDefinition::Start start) {
  TRY_LET(const Uuid uuid, parse_uuid(slice.identity));
  MdevDefinition definition{uuid, slice.parent, slice.type, start, {}};
  const auto settings = slice.settings.value_or("");
  if (!settings.empty()) definition.attrs.push_back({vgpu_params_attribute, settings});
  return definition;
}

/// "a=1, b=2" as vgpu_params reads back.
std::vector<model::SliceSetting> settings_in(std::string_view params) {
  std::vector<model::SliceSetting> settings;
  for (const auto pair : text::split(params, ',')) {
    const auto mark = pair.find('=');
    if (mark == std::string_view::npos) continue;
    settings.push_back({std::string(text::trim(pair.substr(0, mark))),
                        std::string(text::trim(pair.substr(mark + 1)))});
  }
  return settings;
}

/// Why nothing of this type can be made on this parent; empty where the driver offers it.
std::string why_not_offered(const HostSnapshot& host, const MdevDefinition& wanted) {
  for (const auto& source : host.slice_sources) {
    const auto* const parent = source.parent(wanted.parent);
    if (!parent) continue;
    std::vector<std::string> types;
    for (const auto& creatable : parent->creatable) types.push_back(creatable.type);
    if (std::ranges::find(types, wanted.mdev_type) != types.end()) return {};
    return fmt::format("{} offers no type {}; it offers {}", wanted.parent,
                       text::printable(wanted.mdev_type),
                       types.empty() ? "none" : text::join(types, ", "));
  }
  const auto address = model::parse_pci_address(wanted.parent);
  const bool is_there = address && host.function(*address) != nullptr;
  return fmt::format("{} {}", text::printable(wanted.parent),
                     is_there ? "offers no mediated devices now" : "is not on this host now");
}

}  // namespace

Result<Definition> definition_of(const HostSnapshot& host, const FoundSlice& found,
                                 MdevDefinition::Start start) {
  const model::Slice& slice = *found.slice;
  if (is_mdev(slice)) return mdev_of(slice, start);
  HostSlice entry = host_entry_of(host, found);
  entry.start = start;
  return entry;
}

HostSlice host_entry_of(const HostSnapshot& host, const FoundSlice& found) {
  const model::Slice& slice = *found.slice;
  const auto* const card = found.source->card ? host.card_of(*found.source->card) : nullptr;
  const auto& parents = found.source->parents;
  const auto place = std::ranges::find(parents, slice.parent, &model::SliceParent::device);
  HostSlice entry;
  entry.card = card ? card->identity : found.source->device;
  entry.vf = static_cast<int>(place - parents.begin());
  entry.framework = slice.framework;
  entry.quotas = quotas_of(*found.source, entry.vf);
  if (slice.framework == model::Framework::vendor_vfio) {
    entry.type = slice.name;
    entry.settings = settings_in(slice.settings.value_or(""));
  }
  return entry;
}

std::string file_of(const Definition& definition) {
  const auto* const mdev = std::get_if<MdevDefinition>(&definition);
  if (!mdev) return std::string(kernel::files::host_file);
  return kernel::files::mdev_definition(mdev->parent, to_string(mdev->uuid));
}

Result<std::vector<model::Operation>> define(const model::FileState& now,
                                             const Definition& wanted) {
  if (const auto* const mdev = std::get_if<MdevDefinition>(&wanted)) return define_mdev(now, *mdev);
  return define_in_host_file(now, std::get<HostSlice>(wanted));
}

DefinitionFiles files_of(const Uuid& uuid, const DefinitionFiles& all) {
  const auto is_of_it = [&](const model::MdevDefinitionFile& file) {
    return file.definition ? file.definition->uuid == uuid
                           : file.path.ends_with("/" + to_string(uuid));
  };
  DefinitionFiles files;
  std::ranges::copy_if(all, std::back_inserter(files), is_of_it);
  return files;
}

Result<MdevDefinition> mdev_definition_of(const HostSnapshot& host, const DefinitionFiles& all,
                                          const std::string& selector) {
  const auto found = find_slice(host, selector);
  if (found) {
    TRY_LET(auto definition, definition_of(host, *found, MdevDefinition::Start::manual));
    if (auto* const mdev = std::get_if<MdevDefinition>(&definition)) return std::move(*mdev);
    return fail(
        ErrorKind::unsupported, found->slice->identity,
        "it is a virtual function, and no mediated device",
        "a machine gets it as a <hostdev> of type pci; tessera define keeps it over a boot");
  }
  const auto uuid = parse_uuid(selector);
  if (!uuid) return fail(found.error());
  const auto files = files_of(*uuid, all);
  if (files.empty()) return fail(found.error());
  if (files.size() == 1) return files.front().definition;
  return fail(ErrorKind::conflict, to_string(*uuid),
              fmt::format("it is defined on {} and on {}, and stands on neither", files[0].parent,
                          files[1].parent),
              fmt::format("take one away: mdevctl undefine -u {} -p {}", to_string(*uuid),
                          files[1].parent));
}

std::vector<std::string> notes_on(const HostSnapshot& host, const DefinitionFiles& all,
                                  const MdevDefinition& wanted) {
  std::vector<std::string> notes;
  if (auto why = why_not_offered(host, wanted); !why.empty()) {
    notes.push_back(why + ": it cannot be made before that has changed");
  }
  const auto* const standing = host.slice(to_string(wanted.uuid));
  if (standing && (standing->type != wanted.mdev_type || standing->parent != wanted.parent)) {
    notes.push_back(fmt::format("a {} on {} stands under this UUID, and stays as it is",
                                standing->type, standing->parent));
  }
  for (const auto& file : files_of(wanted.uuid, all)) {
    if (file.parent == wanted.parent) continue;
    notes.push_back(
        fmt::format("it is defined on {} as well; only one of them can be made", file.parent));
  }
  return notes;
}

}  // namespace tessera::plan::slices
