// SPDX-License-Identifier: Apache-2.0
// A recorded host: whatever was read can be written down again, in any order of lines, and reads
// as the same tree; every entry is found where the tree says it is.
#include "kernel/recording.h"

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "fuzz.h"

namespace {

using tessera::fuzz::must;
using tessera::kernel::Recording;
using tessera::kernel::TreeNode;

/// A link's target, which can have any byte but those that end a line.
std::string escaped(std::string_view plain) {
  std::string out;
  for (char c : plain) {
    const auto special = std::string_view("\n\t\\").find(c);
    out +=
        special == std::string_view::npos ? std::string(1, c) : std::string{'\\', "nt\\"[special]};
  }
  return out;
}

void write_down(const TreeNode& node, const std::string& path, std::vector<std::string>& lines) {
  switch (node.kind) {
    case TreeNode::Kind::file:
      lines.push_back(path + '\t' + tessera::kernel::recorded_value(node.content));
      return;
    case TreeNode::Kind::link:
      lines.push_back(path + "\t-> " + escaped(node.content));
      return;
    case TreeNode::Kind::directory:
      break;
  }
  if (node.children.empty() && !path.empty()) lines.push_back(path + "\t@dir");
  for (const auto& [name, child] : node.children) write_down(*child, path + '/' + name, lines);
}

/// Whether every path fits the format: a directory that a link's target named may not.
bool can_be_written(const TreeNode& node, std::string_view name, int depth) {
  if (depth > 40 || name.size() > 200) return false;
  if (name.find_first_of("@\t\n") != std::string_view::npos) return false;
  return std::ranges::all_of(node.children, [&](const auto& child) {
    return can_be_written(*child.second, child.first, depth + 1);
  });
}

void every_entry_is_where_it_is(const Recording& recording, const TreeNode& node,
                                const std::string& path) {
  const std::string& here = path.empty() ? "/" : path;
  must(recording.tree.find_no_follow(here) == &node, "an entry is found under its own path");
  if (node.kind != TreeNode::Kind::link)
    must(recording.tree.canonical(here) == here, "a path without links is canonical");
  if (const TreeNode* end = recording.tree.find(here)) {
    must(end->kind != TreeNode::Kind::link, "find() follows every link");
    must(recording.tree.find_no_follow(recording.tree.canonical(here)) == end,
         "canonical() leads to what find() finds");
  }
  for (const auto& [name, child] : node.children)
    every_entry_is_where_it_is(recording, *child, path + '/' + name);
}

std::vector<std::string> lines_of(const Recording& recording) {
  std::vector<std::string> lines;
  write_down(*recording.tree.find("/"), "", lines);
  return lines;
}

void reads_back_as(const std::vector<std::string>& lines, const std::vector<std::string>& same) {
  auto again = tessera::kernel::parse_recording(tessera::text::join(lines, "\n"), "again");
  must(again.has_value(), "what was written down can be read");
  must(again->repeated.empty(), "what was written down repeats nothing");
  must(lines_of(*again) == same, "what was written down reads as the same tree");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto recording =
      tessera::kernel::parse_recording(tessera::fuzz::text_of(data, size), "fuzz/tree.tsv");
  if (!recording) {
    must(recording.error().kind == tessera::ErrorKind::invalid, "a bad recording is `invalid`");
    must(!recording.error().sentence.empty(), "and says why");
    return 0;
  }
  const TreeNode& top = *recording->tree.find("/");
  if (!can_be_written(top, "", 0)) return 0;
  every_entry_is_where_it_is(*recording, top, "");
  auto lines = lines_of(*recording);
  reads_back_as(lines, lines);
  reads_back_as({lines.rbegin(), lines.rend()}, lines);
  return 0;
}
