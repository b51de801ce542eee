// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "base/text.h"
#include "vendor/nvidia_smi_xml.h"
#include "vendor/nvidia_words.h"

namespace tessera::vendor {

using model::Reading;
using model::VgpuHealth;

namespace {

struct Line {
  std::size_t number = 0;  ///< from 1
  std::size_t indent = 0;
  std::string_view text;  ///< trimmed
};

std::vector<Line> lines_of(std::string_view text) {
  std::vector<Line> lines;
  std::size_t number = 0;
  for (const std::string_view raw : text::lines(text)) {
    ++number;
    const std::string_view trimmed = text::trim(raw);
    if (trimmed.empty()) continue;
    lines.push_back({number, raw.find_first_not_of(" \t"), trimmed});
  }
  return lines;
}

bool same_word(std::string_view left, std::string_view right) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(left, right, {}, lower, lower);
}

/// QEMU's -name is "NAME,option=value,..." or "guest=NAME,..."; a comma in the name is doubled.
Reading<std::string> machine_name(const Reading<std::string>& said) {
  if (!said.has_value()) return said;
  std::string_view rest = said.value();
  if (rest.starts_with("guest=")) rest.remove_prefix(6);
  std::string name;
  for (; !rest.empty(); rest.remove_prefix(1)) {
    if (rest.front() == ',' && !rest.starts_with(",,")) break;
    if (rest.front() == ',') rest.remove_prefix(1);
    name += rest.front();
  }
  return name.empty() ? Reading<std::string>::unreadable("empty") : name;
}

/// "N/A (Expiry: N/A)" says as little as "N/A".
Reading<std::string> licence_of(const Reading<std::string>& said) {
  if (!said.has_value() || !said.value().starts_with("N/A")) return said;
  return Reading<std::string>::unreadable(std::string(model::not_applicable));
}

Reading<std::uint32_t> type_of(const Reading<std::string>& said) {
  const auto number = said_number(said);
  if (number.has_value()) return static_cast<std::uint32_t>(number.value());
  return number.is_absent() ? Reading<std::uint32_t>{}
                            : Reading<std::uint32_t>::unreadable(number.why());
}

using Take = void (*)(const Reading<std::string>& said, VgpuHealth& vgpu);
struct Key {
  std::string_view section;  ///< empty: the vGPU's own
  std::string_view key;
  Take take;
};

using Said = const Reading<std::string>&;
constexpr std::array<Key, 20> keys = {{
    {"", "VM UUID", [](Said said, VgpuHealth& vgpu) { vgpu.vm_uuid = said; }},
    {"", "VM Name", [](Said said, VgpuHealth& vgpu) { vgpu.vm_name = machine_name(said); }},
    {"", "vGPU Name", [](Said said, VgpuHealth& vgpu) { vgpu.type_name = said; }},
    {"", "vGPU Type", [](Said said, VgpuHealth& vgpu) { vgpu.type_id = type_of(said); }},
    {"", "vGPU UUID", [](Said said, VgpuHealth& vgpu) { vgpu.uuid = said; }},
    {"", "MDEV UUID", [](Said said, VgpuHealth& vgpu) { vgpu.mdev_uuid = said; }},
    {"", "Guest Driver Version",
     [](Said said, VgpuHealth& vgpu) { vgpu.guest_driver_version = said; }},
    {"", "License Status", [](Said said, VgpuHealth& vgpu) { vgpu.licence = licence_of(said); }},
    {"", "GPU Instance ID",
     [](Said said, VgpuHealth& vgpu) { vgpu.gpu_instance = said_number(said); }},
    {"", "Placement ID",
     [](Said said, VgpuHealth& vgpu) { vgpu.placement_id = said_number(said); }},
    {"", "ECC Mode", [](Said said, VgpuHealth& vgpu) { vgpu.ecc = said_switch(said); }},
    {"", "Frame Rate Limit",
     [](Said said, VgpuHealth& vgpu) { vgpu.frame_rate_limit = said_frame_rate(said); }},
    {"FB Memory Usage", "Total",
     [](Said said, VgpuHealth& vgpu) { vgpu.framebuffer_total_bytes = said_size(said); }},
    {"FB Memory Usage", "Used",
     [](Said said, VgpuHealth& vgpu) { vgpu.framebuffer_used_bytes = said_size(said); }},
    {"Utilization", "GPU",
     [](Said said, VgpuHealth& vgpu) { vgpu.utilization.gpu = said_percent(said); }},
    {"Utilization", "Memory",
     [](Said said, VgpuHealth& vgpu) { vgpu.utilization.memory = said_percent(said); }},
    {"Utilization", "Encoder",
     [](Said said, VgpuHealth& vgpu) { vgpu.utilization.encoder = said_percent(said); }},
    {"Utilization", "Decoder",
     [](Said said, VgpuHealth& vgpu) { vgpu.utilization.decoder = said_percent(said); }},
    {"Encoder Stats", "Active Sessions",
     [](Said said, VgpuHealth& vgpu) { vgpu.encoder_sessions = said_number(said); }},
    {"", "Encoder Capacity",
     [](Said said, VgpuHealth& vgpu) { vgpu.encoder_capacity_percent = said_percent(said); }},
}};

class Parser {
 public:
  Parser(std::string_view text, std::string_view name)
      : lines_(lines_of(text)), text_(text), name_(name) {}

  Result<VgpuReport> parse() {
    for (const Line& line : lines_) TRY(read(line));
    TRY(end_card(lines_.empty() ? 0 : lines_.back().number));
    if (report_.cards.empty()) return without_cards();
    return std::move(report_);
  }

 private:
  Result<VgpuReport> without_cards() {
    if (auto refused = refusal(text_, name_)) return fail(std::move(*refused));
    if (says_no_devices(text_)) return std::move(report_);
    return fail(ErrorKind::invalid, std::string(name_),
                "no line in it names a card (GPU 00000000:3B:00.0)",
                "give the whole output of: nvidia-smi vgpu -q");
  }

  [[nodiscard]] std::unexpected<Error> broken(std::size_t line, const std::string& sentence) const {
    return fail(ErrorKind::invalid, std::string(name_), fmt::format("line {}: {}", line, sentence),
                "give the whole output of: nvidia-smi vgpu -q");
  }

  Status read(const Line& line) {
    const auto words = text::words(line.text);
    if (words.size() == 2 && words[0] == "GPU" && words[1] != ":") return read_card(line, words[1]);
    if (report_.cards.empty()) return {};  // a greeting or a warning above the report
    const auto colon = line.text.find(':');
    if (colon == std::string_view::npos) return begin_section(line);
    return read_key(line, text::trim(line.text.substr(0, colon)), line.text.substr(colon + 1));
  }

  Status read_card(const Line& line, std::string_view word) {
    TRY(end_card(line.number));
    const auto address = model::parse_pci_address(word);
    if (!address) {
      return broken(line.number, fmt::format("'{}' is no card's address", text::printable(word)));
    }
    if (std::ranges::find(report_.cards, *address) != report_.cards.end()) {
      return broken(line.number, fmt::format("{} is there twice", model::to_string(*address)));
    }
    report_.cards.push_back(*address);
    announced_.reset();
    listed_ = 0;
    end_vgpu();
    return {};
  }

  Status begin_section(const Line& line) {
    if (!in_vgpu_) return {};
    section_ = line.text;
    section_indent_ = line.indent;
    return {};
  }

  Status read_key(const Line& line, std::string_view key, std::string_view value) {
    if (same_word(key, "Active vGPUs")) return read_announcement(line, value);
    if (same_word(key, "vGPU ID")) return begin_vgpu(line, value);
    if (!in_vgpu_) return {};
    if (line.indent <= vgpu_indent_) {  // the card's own again
      end_vgpu();
      return {};
    }
    if (!section_.empty() && line.indent <= section_indent_) section_ = {};
    const auto known = std::ranges::find_if(keys, [&](const Key& row) {
      return same_word(row.section, section_) && same_word(row.key, key);
    });
    if (known != keys.end()) known->take(said(value), report_.vgpus.back());
    return {};
  }

  Status read_announcement(const Line& line, std::string_view value) {
    const auto number = said_number(said(value));
    if (number.has_value()) {
      announced_ = number.value();
      return {};
    }
    if (model::is_not_applicable(number)) return {};
    return broken(line.number,
                  fmt::format("'{}' is no number of vGPUs", text::printable(text::trim(value))));
  }

  Status begin_vgpu(const Line& line, std::string_view value) {
    const auto id = text::to_number(text::trim(value));
    if (!id || *id > UINT32_MAX) {
      return broken(line.number,
                    fmt::format("'{}' is no vGPU's id", text::printable(text::trim(value))));
    }
    VgpuHealth vgpu;
    vgpu.card = report_.cards.back();
    vgpu.vgpu_id = static_cast<std::uint32_t>(*id);
    if (std::ranges::find(report_.vgpus, vgpu.vgpu_id, &VgpuHealth::vgpu_id) !=
        report_.vgpus.end()) {
      return broken(line.number, fmt::format("vGPU {} is there twice", vgpu.vgpu_id));
    }
    report_.vgpus.push_back(std::move(vgpu));
    ++listed_;
    section_ = {};
    in_vgpu_ = true;
    vgpu_indent_ = line.indent;
    return {};
  }

  void end_vgpu() {
    in_vgpu_ = false;
    section_ = {};
  }

  Status end_card(std::size_t line) const {
    if (report_.cards.empty() || !announced_ || *announced_ == listed_) return {};
    return broken(line, fmt::format("{} vGPUs of {} were announced, and {} are listed", *announced_,
                                    model::to_string(report_.cards.back()), listed_));
  }

  std::vector<Line> lines_;
  std::string_view text_;
  std::string_view name_;
  VgpuReport report_;
  std::optional<int> announced_;  ///< of the last card
  int listed_ = 0;
  bool in_vgpu_ = false;
  std::size_t vgpu_indent_ = 0;
  std::string_view section_;
  std::size_t section_indent_ = 0;
};

}  // namespace

Result<VgpuReport> parse_nvidia_smi_vgpus(std::string_view text, std::string_view name) {
  return Parser(text, name).parse();
}

}  // namespace tessera::vendor
