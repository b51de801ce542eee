// SPDX-License-Identifier: Apache-2.0
// Messages of nvidia-vgpu-mgr: each comes from one line of the text and is in it; another program's
// line between them changes nothing; what is taken apart can be put together again.
#include "vendor/vgpu_manager_log.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "fuzz.h"

namespace {

using tessera::fuzz::must;
using tessera::vendor::VgpuLogEntry;
using tessera::vendor::VgpuLogLevel;

std::string put_together(const VgpuLogEntry& entry) {
  std::string line = "nvidia-vgpu-mgr";
  if (entry.pid) line += fmt::format("[{}]", *entry.pid);
  line += ": ";
  if (entry.level != VgpuLogLevel::unmarked) {
    line += fmt::format("{}: vmiop_log: ", to_string(entry.level));
  }
  if (entry.handle) line += fmt::format("(0x{:x}): ", *entry.handle);
  return line + entry.text;
}

void must_be_in_its_line(const VgpuLogEntry& entry, const std::vector<std::string_view>& lines) {
  must(entry.line >= 1 && entry.line <= lines.size(), "a message is on a line of the text");
  must(lines[entry.line - 1] == entry.raw, "that is kept whole");
  must(entry.raw.find(entry.text) != std::string::npos, "its text is in that line");
  if (auto start = tessera::vendor::vgpu_start(entry)) {
    must(entry.text.find(start->mdev_uuid) != std::string::npos, "the UUID is in the text");
  }
  must(tessera::vendor::vgpu_xid(entry).value_or(0) >= 0, "an Xid is a number");
}

/// Whether a second reading could see more marks than the first took off ("error: error: x").
bool has_marks_left(const VgpuLogEntry& entry) {
  auto again = tessera::vendor::parse_vgpu_log_line("nvidia-vgpu-mgr: " + entry.text);
  return !again || again->text != entry.text;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(tessera::fuzz::text_of(data, size));
  const auto lines = tessera::text::lines(text);
  const auto entries = tessera::vendor::parse_vgpu_log(text);
  for (const VgpuLogEntry& entry : entries) {
    must_be_in_its_line(entry, lines);
    if (has_marks_left(entry) || entry.text.starts_with("vmiop_")) continue;
    auto again = tessera::vendor::parse_vgpu_log_line(put_together(entry));
    must(again && again->level == entry.level && again->handle == entry.handle &&
             again->pid == entry.pid && again->text == entry.text,
         "what is put together again is the same message");
  }
  const auto with_others = tessera::vendor::parse_vgpu_log("h systemd[1]: Started.\n" + text);
  must(with_others.size() == entries.size(), "another program's line changes nothing");
  return 0;
}
