// SPDX-License-Identifier: Apache-2.0
#include "identity/card.h"

#include <bit>
#include <optional>
#include <utility>

#include <fmt/core.h>
#include <yaml-cpp/yaml.h>

#include "base/text.h"
#include "base/units.h"

namespace tessera::identity {
namespace {

// One mapping of the file, and where to say it is when something is wrong with it.
class Section {
 public:
  Section(const YAML::Node& node, const std::string& file) : node_(node), file_(file) {}

  std::unexpected<Error> wrong(const YAML::Node& at, std::string sentence) const {
    int line = (at.IsDefined() ? at : node_).Mark().line + 1;
    return fail(ErrorKind::invalid, fmt::format("{}:{}", file_, line), std::move(sentence));
  }

  Status allow_only(const std::vector<std::string>& keys) const {
    if (!node_.IsMap()) return wrong(node_, "a mapping of keys to values is needed here");
    for (const auto& entry : node_) {
      std::string key = entry.first.IsScalar() ? entry.first.Scalar() : std::string("[...]");
      bool known = false;
      for (const std::string& k : keys) known = known || k == key;
      if (known) continue;
      auto near = text::nearest(key, keys);
      return wrong(entry.first, fmt::format("unknown key '{}'{}", text::printable(key),
                                            near ? fmt::format("; did you mean '{}'?", *near)
                                                 : ": known are " + text::join(keys, ", ")));
    }
    return {};
  }

  Result<std::string> scalar(const std::string& key) const {
    YAML::Node value = node_[key];
    if (!value.IsDefined()) return wrong(value, fmt::format("'{}' is missing", key));
    if (!value.IsScalar()) return wrong(value, fmt::format("'{}' must be one value", key));
    return value.Scalar();
  }

  // One of the words, as the value that belongs to it.
  template <typename T>
  Result<T> word(const std::string& key,
                 const std::vector<std::pair<std::string, T>>& words) const {
    TRY_LET(std::string value, scalar(key));
    std::vector<std::string> names;
    for (const auto& [name, meaning] : words) {
      if (name == value) return meaning;
      names.push_back(name);
    }
    return wrong(node_[key], fmt::format("'{}' is '{}', but must be one of: {}", key,
                                         text::printable(value), text::join(names, ", ")));
  }

  // A number in hex (with or without 0x), at most `most`.
  Result<std::uint32_t> hex(const std::string& key, std::uint32_t most) const {
    TRY_LET(std::string value, scalar(key));
    auto number = text::to_number(value, 16);
    if (number && *number <= most) return static_cast<std::uint32_t>(*number);
    return wrong(node_[key],
                 fmt::format("'{}' must be a hexadecimal number up to {:x}", key, most));
  }

  // "vendor:device", both in hex.
  Result<std::pair<std::uint16_t, std::uint16_t>> id(const std::string& key) const {
    TRY_LET(std::string value, scalar(key));
    auto halves = text::split(value, ':');
    if (halves.size() == 2) {
      auto vendor = text::to_number(halves[0], 16), device = text::to_number(halves[1], 16);
      if (vendor && device && *vendor <= 0xffff && *device <= 0xffff)
        return std::pair(static_cast<std::uint16_t>(*vendor), static_cast<std::uint16_t>(*device));
    }
    return wrong(node_[key], fmt::format("'{}' must look like 10de:1db4", key));
  }

  [[nodiscard]] bool has(const std::string& key) const { return node_[key].IsDefined(); }
  [[nodiscard]] YAML::Node at(const std::string& key) const { return node_[key]; }

 private:
  YAML::Node node_;
  const std::string& file_;
};

// "16 MiB", "4 KiB", "1 GiB" or bytes.
std::optional<std::uint64_t> parse_size(std::string_view value) {
  auto parts = text::words(value);
  if (parts.empty() || parts.size() > 2) return {};
  auto number = text::to_number(parts[0]);
  if (!number || *number > (std::uint64_t{1} << 40)) return {};
  if (parts.size() == 1) return number;
  if (parts[1] == "KiB") return *number << 10;
  if (parts[1] == "MiB") return *number << 20;
  if (parts[1] == "GiB" && *number <= 1024) return *number << 30;
  return {};
}

Result<BarSpec> parse_bar(const Section& in) {
  TRY(in.allow_only({"bar", "size", "width", "prefetchable", "backing"}));
  BarSpec bar;
  TRY_LET(bar.index, in.hex("bar", 5));
  TRY_LET(std::string size, in.scalar("size"));
  auto bytes = parse_size(size);
  if (!bytes || *bytes < 16 || *bytes > 64 * gib || !std::has_single_bit(*bytes))
    return in.wrong(in.at("size"), "'size' must be a power of two from 16 to 64 GiB, as '16 MiB'");
  bar.size = *bytes;
  if (in.has("width")) {
    TRY_LET(bar.width, in.word<Width>("width", {{"32", Width::bits32}, {"64", Width::bits64}}));
  }
  if (in.has("prefetchable")) {
    TRY_LET(bar.prefetch,
            in.word<Prefetch>("prefetchable", {{"true", Prefetch::yes}, {"false", Prefetch::no}}));
  }
  if (in.has("backing")) {
    TRY_LET(bar.backing, in.word<Backing>("backing", {{"trapped", Backing::trapped},
                                                      {"mapped", Backing::mapped}}));
  }
  if (bar.width == Width::bits32 && bar.size > 2 * gib)
    return in.wrong(in.at("size"), "more than 2 GiB needs 'width: 64'");
  if (bar.width == Width::bits64 && bar.index == 5)
    return in.wrong(in.at("bar"), "a 64-bit BAR needs the next index too, and 5 is the last");
  if (bar.backing == Backing::mapped && bar.size < 4096)
    return in.wrong(in.at("size"), "a mapped BAR is at least one page, 4 KiB");
  return bar;
}

Status parse_bars(const Section& in, const std::string& file, FunctionSpec& function) {
  if (!in.has("bars")) return {};
  YAML::Node list = in.at("bars");
  if (!list.IsSequence()) return in.wrong(list, "'bars' must be a list");
  unsigned taken = 0;
  for (const auto& node : list) {
    TRY_LET(BarSpec bar, parse_bar(Section(node, file)));
    unsigned takes = (bar.width == Width::bits64 ? 3U : 1U) << bar.index;
    if (taken & takes) return in.wrong(node, fmt::format("BAR {} is taken already", bar.index));
    taken |= takes;
    function.bars.push_back(bar);
  }
  return {};
}

/// A map from offsets in BAR 0, multiples of `step`, to numbers up to `most`, all in hex.
Status parse_offsets(const Section& in, const char* key, std::uint64_t step, std::uint64_t most,
                     const std::string& form, std::map<std::uint32_t, std::uint32_t>& out) {
  if (!in.has(key)) return {};
  YAML::Node map = in.at(key);
  if (!map.IsMap()) return in.wrong(map, fmt::format("'{}' must map offsets to numbers", key));
  for (const auto& entry : map) {
    if (!entry.first.IsScalar() || !entry.second.IsScalar()) return in.wrong(map, form);
    auto offset = text::to_number(entry.first.Scalar(), 16);
    auto value = text::to_number(entry.second.Scalar(), 16);
    if (!offset || !value || *offset > 0xffffc || *offset % step != 0 || *value > most)
      return in.wrong(entry.first, form);
    out[static_cast<std::uint32_t>(*offset)] = static_cast<std::uint32_t>(*value);
  }
  return {};
}

Status parse_registers(const Section& in, FunctionSpec& function) {
  TRY(parse_offsets(in, "registers", 4, 0xffffffff,
                    "a register is 'offset: value', both in hex, offset below 100000",
                    function.registers));
  return parse_offsets(
      in, "fixed", 1, 4,
      "fixed bytes are 'offset: how many', both in hex, up to 4, offset below 100000",
      function.fixed);
}

Result<FunctionSpec> parse_function(const Section& in, const std::string& file) {
  TRY(in.allow_only(
      {"name", "id", "subsystem", "class", "revision", "bars", "registers", "fixed"}));
  FunctionSpec function;
  TRY_LET(function.name, in.scalar("name"));
  TRY_LET(auto id, in.id("id"));
  std::tie(function.vendor, function.device) = id;
  TRY_LET(auto subsystem, in.id("subsystem"));
  std::tie(function.subsystem_vendor, function.subsystem_device) = subsystem;
  TRY_LET(function.class_code, in.hex("class", 0xffffff));
  TRY_LET(std::uint32_t revision, in.hex("revision", 0xff));
  function.revision = static_cast<std::uint8_t>(revision);
  TRY(parse_bars(in, file, function));
  TRY(parse_registers(in, function));
  return function;
}

Result<CardSpec> parse_root(const YAML::Node& root, const std::string& file) {
  Section in(root, file);
  TRY(in.allow_only({"card", "reset", "sleep", "functions"}));
  CardSpec card;
  TRY_LET(card.name, in.scalar("card"));
  TRY_LET(card.reset, in.word<ResetBehaviour>("reset", {{"flr", ResetBehaviour::flr},
                                                        {"bus", ResetBehaviour::bus},
                                                        {"none", ResetBehaviour::none},
                                                        {"fails", ResetBehaviour::fails}}));
  if (in.has("sleep")) {
    TRY_LET(card.sleep, in.word<Sleep>("sleep", {{"keeps-state", Sleep::keeps_state},
                                                 {"loses-state", Sleep::loses_state}}));
  }
  YAML::Node list = in.at("functions");
  if (!list.IsDefined() || !list.IsSequence() || list.size() == 0 || list.size() > 8)
    return in.wrong(list, "'functions' must be a list of one to eight functions");
  for (const auto& node : list) {
    TRY_LET(FunctionSpec function, parse_function(Section(node, file), file));
    card.functions.push_back(std::move(function));
  }
  return card;
}

}  // namespace

Result<CardSpec> parse_card(const std::string& text, const std::string& file) {
  try {
    return parse_root(YAML::Load(text), file);
  } catch (const YAML::Exception& e) {  // yaml-cpp has no other way to say it
    return fail(ErrorKind::invalid, fmt::format("{}:{}", file, e.mark.line + 1), e.msg);
  }
}

}  // namespace tessera::identity
