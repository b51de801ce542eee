// SPDX-License-Identifier: Apache-2.0
#include "vendor/vgpu_manager_log.h"

#include <algorithm>
#include <array>
#include <limits>

#include "base/text.h"

namespace tessera::vendor {

namespace {

constexpr std::string_view daemon_name = "nvidia-vgpu-mgr";

std::optional<std::uint32_t> number(std::string_view digits, int base = 10) {
  const auto value = text::to_number(digits, base);
  if (!value || *value > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  return static_cast<std::uint32_t>(*value);
}

/// What follows `head` in `text`; nothing where it begins otherwise.
std::optional<std::string_view> after(std::string_view text, std::string_view head) {
  if (!text.starts_with(head)) return std::nullopt;
  return text.substr(head.size());
}

struct Message {
  std::optional<std::uint32_t> pid;
  std::string_view text;
};

/// The part after "nvidia-vgpu-mgr[PID]:" or "nvidia-vgpu-mgr:", where that is a word of its own.
std::optional<Message> after_name(std::string_view line) {
  for (auto at = line.find(daemon_name); at != std::string_view::npos;
       at = line.find(daemon_name, at + 1)) {
    if (at > 0 && line[at - 1] != ' ' && line[at - 1] != '\t') continue;
    const auto rest = line.substr(at + daemon_name.size());
    if (const auto message = after(rest, ":")) return Message{std::nullopt, *message};
    const auto bracketed = after(rest, "[");
    const auto end = rest.find("]:");
    if (!bracketed || end == std::string_view::npos) continue;
    if (const auto pid = number(rest.substr(1, end - 1))) return Message{pid, rest.substr(end + 2)};
  }
  return std::nullopt;
}

struct Marked {
  VgpuLogLevel level;
  std::string_view text;
};

/// "error: vmiop_log: TEXT", "notice: vmiop_env_log: TEXT"; the level alone is one too.
Marked without_marks(std::string_view message) {
  struct Word {
    std::string_view head;
    VgpuLogLevel level;
  };
  constexpr std::array<Word, 4> words = {{{"error:", VgpuLogLevel::error},
                                          {"warning:", VgpuLogLevel::warning},
                                          {"warn:", VgpuLogLevel::warning},
                                          {"notice:", VgpuLogLevel::notice}}};
  for (const auto& [head, level] : words) {
    const auto rest = after(message, head);
    if (!rest) continue;
    const auto text = text::trim(*rest);
    for (const std::string_view source : {"vmiop_log:", "vmiop_env_log:"}) {
      if (const auto inner = after(text, source)) return {level, text::trim(*inner)};
    }
    return {level, text};
  }
  return {VgpuLogLevel::unmarked, message};
}

/// Takes "(0x0):" off the text's beginning.
std::optional<std::uint32_t> take_handle(std::string_view& text) {
  const auto end = text.find("):");
  if (!text.starts_with("(0x") || end == std::string_view::npos) return std::nullopt;
  const auto handle = number(text.substr(1, end - 1), 16);
  if (handle) text = text::trim(text.substr(end + 2));
  return handle;
}

/// The word after `head`, anywhere in the text.
std::string_view word_after(std::string_view text, std::string_view head) {
  const auto at = text.find(head);
  if (at == std::string_view::npos) return {};
  const auto words = text::words(text.substr(at + head.size()));
  return words.empty() ? std::string_view() : words.front();
}

}  // namespace

std::string_view to_string(VgpuLogLevel level) {
  switch (level) {
    case VgpuLogLevel::error:
      return "error";
    case VgpuLogLevel::warning:
      return "warning";
    case VgpuLogLevel::notice:
      return "notice";
    case VgpuLogLevel::unmarked:
      return "unmarked";
  }
  return "unmarked";
}

std::optional<VgpuLogEntry> parse_vgpu_log_line(std::string_view line) {
  auto message = after_name(line);
  const bool named = message.has_value();
  if (!named) message = Message{std::nullopt, line};
  auto [level, text] = without_marks(text::trim(message->text));
  if (!named && level == VgpuLogLevel::unmarked) return std::nullopt;
  if (!named && message->text.find("vmiop_") == std::string_view::npos) return std::nullopt;
  VgpuLogEntry entry;
  entry.line = 1;
  entry.raw = line;
  entry.pid = message->pid;
  entry.level = level;
  entry.handle = take_handle(text);
  entry.text = text;
  return entry;
}

std::vector<VgpuLogEntry> parse_vgpu_log(std::string_view text) {
  std::vector<VgpuLogEntry> entries;
  std::size_t number = 0;
  for (const std::string_view line : text::lines(text)) {
    ++number;
    auto entry = parse_vgpu_log_line(line);
    if (!entry) continue;
    entry->line = number;
    entries.push_back(std::move(*entry));
  }
  return entries;
}

std::optional<VgpuStart> vgpu_start(const VgpuLogEntry& entry) {
  if (entry.text.find("Received start call") == std::string::npos) return std::nullopt;
  const auto uuid = word_after(entry.text, "mdev uuid ");
  if (uuid.empty()) return std::nullopt;
  std::string_view type = word_after(entry.text, "vgpu_type_id=");
  type = type.substr(0, std::min(type.find_first_not_of("0123456789"), type.size()));
  return VgpuStart{std::string(uuid), number(type)};
}

std::optional<int> vgpu_xid(const VgpuLogEntry& entry) {
  const auto rest = after(entry.text, "XID ");
  const auto digits = rest ? rest : after(entry.text, "Xid ");
  if (!digits) return std::nullopt;
  const auto end = std::min(digits->find_first_not_of("0123456789"), digits->size());
  const auto xid = number(digits->substr(0, end));
  constexpr std::uint32_t beyond_any = 100000;
  if (!xid || *xid >= beyond_any) return std::nullopt;
  return static_cast<int>(*xid);
}

}  // namespace tessera::vendor
