// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tessera::kernel {

/// One file, directory or symbolic link of a recorded (or played) tree.
struct TreeNode {
  enum class Kind { directory, file, link };
  Kind kind = Kind::directory;
  std::string content;  ///< a file's bytes, or a link's target exactly as recorded
  std::map<std::string, std::unique_ptr<TreeNode>, std::less<>> children;
};

/// A tree of files in memory: what a recording holds, and what the behaving fake host plays.
/// Paths are absolute ("/sys/bus/pci"). Links resolve inside the tree only, as under chroot:
/// ".." never climbs above "/", an absolute target starts again at this tree's own root.
class Tree {
 public:
  Tree();
  Tree(Tree&&) noexcept;
  Tree& operator=(Tree&&) noexcept;
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;
  ~Tree();

  /// The node at `path` with every link on the way followed, the last one too; null if absent,
  /// and on a chain of more than 40 links (the kernel's own limit).
  [[nodiscard]] const TreeNode* find(std::string_view path) const;
  [[nodiscard]] TreeNode* find(std::string_view path);
  /// Like find(), but a link in the last place is returned itself.
  [[nodiscard]] const TreeNode* find_no_follow(std::string_view path) const;
  [[nodiscard]] TreeNode* find_no_follow(std::string_view path);
  /// The canonical, link-free path of `path` ("/sys/devices/..."); empty if absent.
  [[nodiscard]] std::string canonical(std::string_view path) const;

  /// Makes `path` a directory, file or link, with the directories above it. Links above it are
  /// followed; a dangling one gets its target made as a directory. put_file() on a file and
  /// put_link() on a link replace what was there. Errors: invalid when a file stands where a
  /// directory is needed (or the other way round), the links never end, the path is longer than
  /// 4096 bytes or deeper than 64 pieces, or the tree would hold more than 2^20 entries.
  Status put_directory(std::string_view path);
  Status put_file(std::string_view path, std::string content);
  Status put_link(std::string_view path, std::string target);
  /// Removes the entry itself (a link, not its target) and all below it; no effect if absent.
  void remove(std::string_view path);

  /// Whether something put at `path` would land below a link whose target is absent.
  [[nodiscard]] bool is_below_dangling_link(std::string_view path) const;

 private:
  enum class Follow { last_too, all_but_last };
  struct Walk;
  [[nodiscard]] Walk walk(std::string_view path, Follow follow) const;
  Result<TreeNode*> add_child(TreeNode& parent, std::string_view name, TreeNode::Kind kind);
  Status make_below(TreeNode& start, std::size_t depth, const std::vector<std::string_view>& todo);
  Result<TreeNode*> make_directories(std::string_view path);
  Result<TreeNode*> make_entry(std::string_view path, TreeNode::Kind kind);
  std::unique_ptr<TreeNode> root_;
  std::size_t entries_ = 0;
};

/// A host written down as one diffable text file, a line each: path, TAB, value.
///
///   value "-> target"   a symbolic link          "@dir"        an empty directory
///   value "@binary(N)"  a file of N bytes that were left out: not in the tree
///   value "@hex(N) 8680c0..."  a binary file of N bytes (at most 64 KiB), two digits a byte; what
///                       is missing at its end is zeros (a device's configuration space)
///   escapes in values: \n (newline), \t (tab), \\ (backslash)
///   paths that do not start with "/", or with a piece that has an '@' ("/@distances/...",
///   "resource@bar2"), are notes: kept, never files. "dmesg" notes are kernel log lines;
///   "pci-name/10de:1db4" is a vendor's and device's name, with a TAB (\t) between;
///   "nvidia-smi/topo-m" is what `nvidia-smi topo -m` printed;
///   "unreadable/sys/..." is the errno's name ("EACCES") that reading /sys/... gave;
///   "absent/sys/..." says that /sys/... was looked for and is not there; "complete" that all of
///   a live host's cards, groups and drivers are here, so that what is missing is not on the host.
///   blank lines and lines that start with '#' are ignored.
///   a file's path has no empty, "." or ".." piece.
///
/// A file may be recorded below a link; it lands in the link's target. Lines may come in any
/// order: links are placed first, shorter paths first, then files through them. A path given
/// twice, or reached again through a link, keeps its first value and is remembered in `repeated`.
/// Limits, so that no file can exhaust the machine: 64 MiB, 2^20 lines, and those of Tree.
struct Recording {
  static constexpr std::string_view log_note = "dmesg";
  static constexpr std::string_view name_note = "pci-name/";
  static constexpr std::string_view unreadable_note = "unreadable";
  static constexpr std::string_view absent_note = "absent";
  static constexpr std::string_view complete_note = "complete";

  struct Note {
    std::string key;
    std::string text;
  };
  Tree tree;
  std::vector<Note> notes;
  std::vector<std::string> repeated;  ///< "line 8: /sys/... was given in line 7 already"
};

/// The value that stands for `content` in a recording: text with its escapes, or "@hex(N) ..."
/// where it holds bytes that no text has, or would be taken for something else ("@binary(N)" if
/// that is more than 64 KiB).
std::string recorded_value(std::string_view content);

/// What is to be written down; paths as they were asked for, links on the way or not.
struct Entries {
  std::map<std::string, std::string, std::less<>> files;
  std::map<std::string, std::string, std::less<>> links;  ///< path, target
  std::set<std::string, std::less<>> directories;
  std::vector<Recording::Note> notes;
};

/// The lines of a recording that holds `entries`: notes in their order, then the paths, sorted. A
/// directory has a line only where nothing in it has one.
std::string recording_text(const Entries& entries);

/// Reads the format above. `name` is the file's name for messages ("hosts/a/tree.tsv").
/// Errors: invalid, naming file, line and what is wrong (no TAB, a bad escape, a limit passed, a
/// file line above another file's path).
Result<Recording> parse_recording(std::string_view text, std::string_view name);

}  // namespace tessera::kernel
