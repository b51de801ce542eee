// SPDX-License-Identifier: Apache-2.0
#include "model/host_file.h"

#include <algorithm>
#include <limits>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "base/utf8.h"
#include "model/yaml_fields.h"

namespace tessera::model {

namespace {

constexpr int any_number = std::numeric_limits<int>::max();
constexpr int most_functions = 65534;              // TotalVFs has 16 bits, and the card is one
constexpr std::size_t longest_vgpu_params = 1023;  // NVIDIA's driver keeps 1024 bytes, with a NUL

/// The key that says for which frameworks it is there.
struct KeyUse {
  const char* key;
  std::vector<Framework> frameworks;
};

const std::vector<KeyUse>& uses_of_slice_keys() {
  static const std::vector<KeyUse> uses{{"type", {Framework::vendor_vfio}},
                                        {"settings", {Framework::vendor_vfio}},
                                        {"quotas", {Framework::xe, Framework::i915}}};
  return uses;
}

const std::vector<KeyUse>& uses_of_quotas() {
  static const std::vector<KeyUse> uses{{"ggtt", {Framework::i915}},
                                        {"contexts", {Framework::i915}},
                                        {"doorbells", {Framework::i915}},
                                        {"sched_priority", {Framework::xe}}};
  return uses;
}

bool is_setting_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

/// In a list that is parted by commas, of names and values that are parted by '='.
bool is_setting_value(std::string_view value) {
  return !value.empty() && std::ranges::all_of(value, [](char c) {
    return c > ' ' && c < '\x7f' && c != ',' && c != '=';
  });
}

/// Reads slices and keeps what must hold across them.
class HostFileReader {
 public:
  explicit HostFileReader(YamlDocument& document) : document_(document) {}

  HostFile read(const YAML::Node& node) {
    HostFile host;
    if (node.IsNull()) return host;  // nothing but comments
    YamlFields fields(document_, node, {"slices"});
    const YAML::Node slices = fields.node("slices");
    if (!slices.IsDefined() || slices.IsNull()) return host;
    for (const YAML::Node& item : fields.items("slices")) host.slices.push_back(slice(item));
    return host;
  }

 private:
  HostSlice slice(const YAML::Node& node) {
    YamlFields fields(document_, node,
                      {"card", "framework", "vf", "type", "settings", "quotas", "start"});
    HostSlice slice;
    slice.card = words(fields, "card");
    slice.framework = framework(fields);
    slice.vf = function(fields, slice);
    check_uses(fields, slice.framework, uses_of_slice_keys());
    if (slice.framework == Framework::vendor_vfio) slice.type = words(fields, "type");
    slice.settings = settings(fields);
    slice.quotas = quotas(fields, slice.framework);
    const std::vector<std::string> starts{"manual", "auto"};  // in the order of the enum
    slice.start = static_cast<HostSlice::Start>(fields.choice("start", starts, 1));
    return slice;
  }

  /// A name that can be shown, compared and written again as it is.
  std::string words(YamlFields& fields, const std::string& key) {
    std::string value = fields.required(key);
    const bool shown = text::is_utf8(value) && std::ranges::none_of(value, [](char c) {
                         return static_cast<unsigned char>(c) < ' ' || c == '\x7f';
                       });
    if (!shown) {
      document_.reject(fields.mark(key), fmt::format("'{}' has bytes that are no text", key));
    }
    return value;
  }

  Framework framework(YamlFields& fields) {
    (void)fields.required("framework");
    std::vector<std::string> names;
    for (int i = 0; i <= static_cast<int>(Framework::sriov); ++i) {
      names.emplace_back(to_string(static_cast<Framework>(i)));
    }
    const auto found = static_cast<Framework>(fields.choice("framework", names, 3));
    if (found == Framework::mdev || found == Framework::gvt_g || found == Framework::mdev_on_vf) {
      document_.reject(fields.mark("framework"),
                       fmt::format("'{}' makes mediated devices, which this file does not keep",
                                   to_string(found)),
                       "their definitions are mdevctl's files, in /etc/mdevctl.d");
    }
    return found;
  }

  int function(YamlFields& fields, const HostSlice& slice) {
    (void)fields.required("vf");
    const int number = fields.number("vf", {0, most_functions - 1}, 0);
    if (!functions_.insert({slice.card, number}).second) {
      document_.reject(fields.mark("vf"), fmt::format("virtual function {} of {} is given twice",
                                                      number, text::printable(slice.card)));
    }
    return number;
  }

  void check_uses(YamlFields& fields, Framework framework, const std::vector<KeyUse>& uses) {
    for (const auto& [key, frameworks] : uses) {
      if (!fields.has(key) || std::ranges::find(frameworks, framework) != frameworks.end()) {
        continue;
      }
      std::vector<std::string> names;
      for (const Framework one : frameworks) names.emplace_back(to_string(one));
      document_.reject(fields.mark(key),
                       fmt::format("'{}' is for {} only, and this is {}", key,
                                   text::join(names, " and "), to_string(framework)));
    }
  }

  std::vector<SliceSetting> settings(YamlFields& fields) {
    std::vector<SliceSetting> all;
    const YAML::Node map = fields.node("settings");
    if (!map.IsDefined()) return all;
    if (!map.IsMap()) {
      document_.reject(map.Mark(), "'settings' must be names with values");
      return all;
    }
    for (const auto& entry : map) {
      if (auto one = setting(entry.first, entry.second)) all.push_back(std::move(*one));
    }
    for (auto one = all.begin(); one != all.end(); ++one) {
      if (std::ranges::find(all.begin(), one, one->name, &SliceSetting::name) == one) continue;
      document_.reject(map.Mark(), fmt::format("the setting '{}' is given twice", one->name));
    }
    if (vgpu_params(all).size() > longest_vgpu_params) {
      document_.reject(map.Mark(), fmt::format("the settings are longer than the {} bytes that "
                                               "the driver takes",
                                               longest_vgpu_params));
    }
    return all;
  }

  std::optional<SliceSetting> setting(const YAML::Node& name, const YAML::Node& value) {
    if (!name.IsScalar() || !is_setting_name(name.Scalar())) {
      document_.reject(name.Mark(), "a setting's name has letters, digits and '_'");
      return std::nullopt;
    }
    if (!value.IsScalar() || !is_setting_value(value.Scalar())) {
      document_.reject(
          value.Mark(),
          fmt::format("the value of '{}' must be one word without ',' and '='", name.Scalar()));
      return std::nullopt;
    }
    return SliceSetting{name.Scalar(), value.Scalar()};
  }

  SliceQuotas quotas(YamlFields& above, Framework framework) {
    SliceQuotas quotas;
    const YAML::Node map = above.node("quotas");
    if (!map.IsDefined()) return quotas;
    YamlFields fields(document_, map,
                      {"vram", "ggtt", "contexts", "doorbells", "exec_quantum_ms",
                       "preempt_timeout_us", "sched_priority"});
    check_uses(fields, framework, uses_of_quotas());
    quotas.vram_bytes = fields.maybe_size("vram");
    quotas.ggtt_bytes = fields.maybe_size("ggtt");
    quotas.contexts = fields.maybe_number("contexts", {0, any_number});
    quotas.doorbells = fields.maybe_number("doorbells", {0, any_number});
    quotas.exec_quantum_ms = fields.maybe_number("exec_quantum_ms", {0, any_number});
    quotas.preempt_timeout_us = fields.maybe_number("preempt_timeout_us", {0, any_number});
    const std::vector<std::string> priorities{"low", "normal"};
    if (fields.has("sched_priority")) {
      quotas.sched_priority = priorities[fields.choice("sched_priority", priorities, 0)];
    }
    return quotas;
  }

  YamlDocument& document_;
  std::set<std::pair<std::string, int>> functions_;
};

}  // namespace

Result<HostFile> parse_host_file(std::string_view yaml, const std::string& file) {
  YamlDocument document(file);
  const YAML::Node node = load_yaml(document, yaml);
  HostFile host = HostFileReader(document).read(node);
  if (document.error()) return fail(*document.error());
  return host;
}

std::string vgpu_params(const std::vector<SliceSetting>& settings) {
  std::vector<std::string> parts;
  for (const auto& setting : settings) {
    parts.push_back(fmt::format("{}={}", setting.name, setting.value));
  }
  return text::join(parts, ",");
}

}  // namespace tessera::model
