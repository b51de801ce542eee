// SPDX-License-Identifier: Apache-2.0
#include "app/printers/slices.h"

#include <algorithm>

#include <fmt/format.h>

#include "app/printers/table.h"
#include "base/text.h"
#include "model/json_reading.h"
#include "plan/checks/bus_errors.h"
#include "plan/slices/availability.h"
#include "plan/slices/room.h"

namespace tessera::app {

using Json = nlohmann::ordered_json;
using model::HostSnapshot;
using model::Reading;
using model::Slice;
using model::SliceSource;
using plan::slices::Availability;
using plan::slices::DefinedSlice;
using plan::slices::Definitions;
using Rows = std::vector<std::vector<std::string>>;

namespace {

template <typename T>
std::string cell(const Reading<T>& reading) {
  if (reading.is_unreadable()) return "?";
  return reading.has_value() ? fmt::format("{}", reading.value()) : "-";
}

std::string size_cell(const Reading<std::uint64_t>& reading) {
  return reading.has_value() ? text::size(reading.value()) : cell(reading);
}

std::string heading(const SliceSource& source, const ReportStyle& style) {
  std::string text = bold(source.device, style);
  if (source.name != source.device) text += "  " + source.name;
  std::vector<std::string> facts = {plan::slices::in_words(source.framework)};
  const int total = source.vf_total.value_or(0);
  const auto framebuffer = plan::slices::framebuffer_for_slices(source);
  if (framebuffer > 0) facts.push_back(text::size(framebuffer) + " for slices");
  if (total > 0 && source.vf_enabled.has_value()) {
    facts.push_back(fmt::format("{} of {} are on", source.vf_enabled.value(), total));
  } else if (total > 0) {
    facts.push_back(fmt::format("at most {}", total));
  }
  if (source.mixed_sizes == Reading<bool>(true)) facts.emplace_back("mixed sizes");
  if (source.mig == Reading<bool>(true)) {
    facts.push_back(fmt::format("MIG mode, GPU instances: {}", plan::slices::instances_on(source)));
  }
  return fmt::format("{}\n{}; on it now: {}\n\n", text, text::join(facts, ", "),
                     plan::slices::standing_on(source));
}

/// "0 a", with the letter of the reason; reasons are told once each.
class Reasons {
 public:
  std::string mark(const std::string& reason) {
    const auto known = std::ranges::find(reasons_, reason);
    const auto index = static_cast<std::size_t>(known - reasons_.begin());
    if (known == reasons_.end()) reasons_.push_back(reason);
    return letter(index);
  }

  [[nodiscard]] std::string text(const ReportStyle& style) const {
    std::string all;
    for (std::size_t i = 0; i < reasons_.size(); ++i) {
      const auto mark = letter(i) + ": ";
      all += mark + wrapped(reasons_[i], mark.size(), style.width) + "\n";
    }
    return all;
  }

 private:
  static std::string letter(std::size_t index) {
    constexpr std::size_t letters = 26;
    std::string text;
    if (index >= letters) text += static_cast<char>('a' + index / letters - 1);
    return text + static_cast<char>('a' + index % letters);
  }
  std::vector<std::string> reasons_;
};

std::string source_text(const SliceSource& source, const ReportStyle& style) {
  Rows rows = {{"TYPE", "NAME", "FRAMEBUFFER", "HEADS", "RESOLUTION", "FPS", "MOST", "NOW"}};
  Reasons reasons;
  for (const Availability& one : plan::slices::availability_of(source)) {
    const auto& profile = *one.profile;
    auto now = std::to_string(one.now);
    if (!one.why_not.empty()) now += " " + reasons.mark(one.why_not);
    rows.push_back({profile.type, profile.name, size_cell(profile.framebuffer_bytes),
                    cell(profile.heads), cell(profile.max_resolution),
                    cell(profile.frame_rate_limit), cell(profile.max_instances), now});
  }
  auto text = heading(source, style);
  if (rows.size() > 1) return text + table_text(rows, style) + reasons.text(style);
  return text + (source.slices.empty()
                     ? "No profiles are shown.\n"
                     : "The card lists what can still be made, and lists nothing: it is full.\n");
}

Json profile_json(const Availability& one) {
  const auto& profile = *one.profile;
  Json json = {{"type", model::json_text(profile.type)}, {"name", model::json_text(profile.name)}};
  if (!profile.series.empty()) json["series"] = profile.series;
  model::put(json, "framebuffer_bytes", profile.framebuffer_bytes);
  model::put(json, "heads", profile.heads);
  model::put(json, "max_resolution", profile.max_resolution);
  model::put(json, "frame_rate_limit", profile.frame_rate_limit);
  model::put(json, "max_instances", profile.max_instances);
  if (profile.gpu_instance_slices > 0) json["gpu_instance_slices"] = profile.gpu_instance_slices;
  if (!profile.device_api.empty()) json["device_api"] = model::json_text(profile.device_api);
  if (!profile.description.empty()) json["description"] = model::json_text(profile.description);
  json["available"] = one.now;
  json["possible"] = one.possible;
  if (!one.why_not.empty()) json["why_not"] = one.why_not;
  return json;
}

Json gpu_instances_json(const SliceSource& source) {
  Json instances = Json::array();
  for (const auto& instance : source.gpu_instances) {
    instances.push_back({{"id", instance.id},
                         {"name", model::json_text(source.kind_of(instance).name)},
                         {"profile", instance.profile},
                         {"start", instance.start}});
  }
  return instances;
}

Json source_json(const HostSnapshot& host, const SliceSource& source) {
  Json json = {{"device", model::json_text(source.device)}};
  if (source.card) json["card"] = model::to_string(*source.card);
  json["name"] = model::json_text(source.name);
  json["framework"] = to_string(source.framework);
  const auto framebuffer = plan::slices::framebuffer_for_slices(source);
  if (framebuffer > 0) json["framebuffer_bytes"] = framebuffer;
  model::put(json, "vf_total", source.vf_total);
  model::put(json, "vf_enabled", source.vf_enabled);
  model::put(json, "mixed_sizes", source.mixed_sizes);
  model::put(json, "mig", source.mig);
  json["gpu_instances"] = gpu_instances_json(source);
  json["profiles"] = Json::array();
  for (const auto& one : plan::slices::availability_of(source)) {
    json["profiles"].push_back(profile_json(one));
  }
  json["cordons"] = Json::array();
  for (const auto& cordon : host.cordons) {
    if (source.card && cordon.card == source.card) json["cordons"].push_back(cordon.id);
  }
  json["quotas"] = Json::array();
  for (const auto& quota : source.quotas) {
    Json entry = {{"name", quota.name}};
    model::put(entry, "value", quota.value);
    json["quotas"].push_back(std::move(entry));
  }
  return json;
}

std::string users_text(const Slice& slice) {
  std::vector<std::string> users;
  for (const auto& user : slice.users) {
    users.push_back(fmt::format("{} ({})", user.name, user.pid));
  }
  return users.empty() ? "-" : text::join(users, ", ");
}

Json slice_json(const SliceSource& source, const Slice& slice, const std::string& owner) {
  Json json = {
      {"slice", model::json_text(slice.identity)}, {"source", model::json_text(source.device)},
      {"parent", model::json_text(slice.parent)},  {"framework", to_string(slice.framework)},
      {"type", model::json_text(slice.type)},      {"name", model::json_text(slice.name)}};
  if (!slice.driver.empty()) json["driver"] = model::json_text(slice.driver);
  model::put(json, "iommu_group", slice.iommu_group);
  model::put(json, "placement_id", slice.placement_id);
  model::put(json, "gpu_instance", slice.gpu_instance);
  model::put(json, "settings", slice.settings);
  if (!owner.empty()) json["owner"] = model::json_text(owner);
  json["users"] = Json::array();
  for (const auto& user : slice.users) {
    Json entry = {{"pid", user.pid}, {"name", model::json_text(user.name)}};
    if (!user.unit.empty()) entry["unit"] = model::json_text(user.unit);
    entry["path"] = user.path;
    json["users"].push_back(std::move(entry));
  }
  return json;
}

/// What is defined and does not stand, and definitions that cannot be read. Empty for none.
std::string missing_text(const Definitions& definitions, const ReportStyle& style) {
  Rows rows = {{"DEFINED ONLY", "PROFILE", "ON", "START"}};
  for (const auto& one : definitions.slices) {
    if (one.stands) continue;
    rows.push_back({text::printable(one.slice), text::printable(one.name),
                    text::printable(one.parent), std::string(to_string(one.start))});
  }
  std::string all = rows.size() > 1 ? "\n" + table_text(rows, style) : std::string();
  for (const auto& error : definitions.broken) {
    all += fmt::format("\nA definition cannot be read: {}\n", text::printable(one_line(error)));
  }
  return all;
}

Json defined_json(const DefinedSlice& defined) {
  Json json = {{"slice", model::json_text(defined.slice)},
               {"parent", model::json_text(defined.parent)}};
  if (!defined.type.empty()) json["type"] = model::json_text(defined.type);
  json["name"] = model::json_text(defined.name);
  json["start"] = to_string(defined.start);
  json["stands"] = defined.stands;
  json["file"] = model::json_text(defined.file);
  return json;
}

}  // namespace

std::string profiles_text(const HostSnapshot& host, const Sources& sources,
                          const ReportStyle& style) {
  if (sources.empty()) {
    return fmt::format(
        "Nothing on {} can be cut into slices.\n`tessera doctor --for slices` says what is "
        "missing.\n",
        host.source);
  }
  std::string text;
  for (const SliceSource* source : sources) {
    if (!text.empty()) text += "\n";
    text += source_text(*source, style);
    for (const auto& cordon : host.cordons) {
      if (!source->card || cordon.card != source->card) continue;
      text += fmt::format("It gets no new slices: {} [{}]; see {}\n", cordon.title, cordon.id,
                          plan::shown_by(cordon));
    }
  }
  return text;
}

Json profiles_json(const HostSnapshot& host, const Sources& sources) {
  Json json = {{"schema", profiles_schema}, {"source", model::json_text(host.source)}};
  json["sources"] = Json::array();
  for (const SliceSource* source : sources) json["sources"].push_back(source_json(host, *source));
  return json;
}

std::string slices_text(const HostSnapshot& host, const Definitions& definitions,
                        const ReportStyle& style) {
  const auto missing = missing_text(definitions, style);
  Rows rows = {{"SLICE", "PROFILE", "ON", "DRIVER", "GROUP", "START", "OWNER", "USED BY"}};
  for (const auto& source : host.slice_sources) {
    for (const auto& slice : source.slices) {
      const auto owner = host.owner_of(slice.identity);
      const auto* const defined = definitions.standing(slice.identity);
      rows.push_back({slice.identity, slice.name, slice.parent,
                      slice.driver.empty() ? "-" : slice.driver, cell(slice.iommu_group),
                      defined ? std::string(to_string(defined->start)) : "-",
                      owner.empty() ? "-" : owner, users_text(slice)});
    }
  }
  if (rows.size() > 1) return table_text(rows, style) + missing;
  return (host.slice_sources.empty()
              ? fmt::format("No slices: nothing on {} can be cut into slices.\n", host.source)
              : "No slices. `tessera profiles` shows what can be cut.\n") +
         missing;
}

Json slices_json(const HostSnapshot& host, const Definitions& definitions) {
  Json json = {{"schema", slices_schema}, {"source", model::json_text(host.source)}};
  json["slices"] = Json::array();
  for (const auto& source : host.slice_sources) {
    for (const auto& slice : source.slices) {
      json["slices"].push_back(slice_json(source, slice, host.owner_of(slice.identity)));
    }
  }
  json["defined"] = Json::array();
  for (const auto& defined : definitions.slices) {
    json["defined"].push_back(defined_json(defined));
  }
  json["broken_definitions"] = Json::array();
  for (const auto& error : definitions.broken) {
    json["broken_definitions"].push_back({{"subject", model::json_text(error.subject)},
                                          {"sentence", model::json_text(error.sentence)}});
  }
  return json;
}

}  // namespace tessera::app
