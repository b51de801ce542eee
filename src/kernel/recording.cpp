// SPDX-License-Identifier: Apache-2.0
#include "kernel/recording.h"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"

namespace tessera::kernel {

namespace {

constexpr std::size_t max_path = 4096;
constexpr std::size_t max_pieces = 64;
constexpr std::size_t max_entries = std::size_t{1} << 20;
constexpr std::size_t max_lines = std::size_t{1} << 20;
constexpr std::size_t max_file = std::size_t{64} << 20;
constexpr int max_links = 40;

using Kind = TreeNode::Kind;
using Pieces = std::vector<std::string_view>;

Pieces pieces_of(std::string_view path) {
  Pieces pieces;
  for (auto piece : text::split(path, '/')) {
    if (!piece.empty() && piece != ".") pieces.push_back(piece);
  }
  return pieces;
}

/// Puts `path`'s pieces on top of a stack of pieces still to walk (the next one is at the back).
void push_pieces(Pieces& todo, std::string_view path) {
  auto pieces = pieces_of(path);
  todo.insert(todo.end(), pieces.rbegin(), pieces.rend());
}

TreeNode* child_of(TreeNode& node, std::string_view name) {
  auto found = node.children.find(name);
  return found == node.children.end() ? nullptr : found->second.get();
}

Status check_recorded_path(std::string_view path) {
  std::string shown = text::printable(path.substr(0, 80));
  if (path.size() > max_path)
    return fail(ErrorKind::invalid, shown, fmt::format("a path is longer than {} bytes", max_path));
  if (pieces_of(path).size() > max_pieces)
    return fail(ErrorKind::invalid, shown,
                fmt::format("a path is deeper than {} pieces", max_pieces));
  if (path.find('\0') != std::string_view::npos)
    return fail(ErrorKind::invalid, shown, "a path has a zero byte in it");
  return {};
}

std::size_t count_entries(const TreeNode& node) {
  std::size_t count = 1;
  for (const auto& [name, child] : node.children) count += count_entries(*child);
  return count;
}

std::pair<std::string_view, std::string_view> parent_and_name(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  auto slash = path.rfind('/');
  if (slash == std::string_view::npos) return {"/", path};
  return {path.substr(0, slash + 1), path.substr(slash + 1)};
}

}  // namespace

/// Where a path led: the nodes from the root to the last one found.
struct Tree::Walk {
  std::vector<TreeNode*> nodes;
  Pieces names;  ///< of nodes[1..]
  Pieces todo;   ///< pieces not walked because one is absent; next at the back
  bool looped = false;
  int links = 0;

  [[nodiscard]] bool arrived() const { return todo.empty() && !looped; }
  void back_to_root() {
    nodes.resize(1);
    names.clear();
  }
  void up() {
    if (nodes.size() == 1) return;
    nodes.pop_back();
    names.pop_back();
  }
};

Tree::Tree() : root_(std::make_unique<TreeNode>()) {}
Tree::Tree(Tree&&) noexcept = default;
Tree& Tree::operator=(Tree&&) noexcept = default;
Tree::~Tree() = default;

Tree::Walk Tree::walk(std::string_view path, Follow follow) const {
  Walk walk;
  walk.nodes.push_back(root_.get());
  push_pieces(walk.todo, path);
  while (!walk.todo.empty()) {
    auto piece = walk.todo.back();
    TreeNode& here = *walk.nodes.back();
    if (piece == "..") {
      walk.todo.pop_back();
      walk.up();
      continue;
    }
    TreeNode* next = child_of(here, piece);
    if (next == nullptr) return walk;
    walk.todo.pop_back();
    if (next->kind == Kind::link && (follow == Follow::last_too || !walk.todo.empty())) {
      walk.looped = ++walk.links > max_links;
      if (walk.looped) return walk;
      if (next->content.starts_with('/')) walk.back_to_root();
      push_pieces(walk.todo, next->content);
      continue;
    }
    walk.nodes.push_back(next);
    walk.names.push_back(here.children.find(piece)->first);
  }
  return walk;
}

const TreeNode* Tree::find(std::string_view path) const {
  auto end = walk(path, Follow::last_too);
  return end.arrived() ? end.nodes.back() : nullptr;
}

TreeNode* Tree::find(std::string_view path) {
  return const_cast<TreeNode*>(std::as_const(*this).find(path));
}

const TreeNode* Tree::find_no_follow(std::string_view path) const {
  auto end = walk(path, Follow::all_but_last);
  return end.arrived() ? end.nodes.back() : nullptr;
}

TreeNode* Tree::find_no_follow(std::string_view path) {
  return const_cast<TreeNode*>(std::as_const(*this).find_no_follow(path));
}

bool Tree::is_below_dangling_link(std::string_view path) const {
  auto end = walk(parent_and_name(path).first, Follow::last_too);
  return !end.todo.empty() && end.links > 0 && !end.looped;
}

std::string Tree::canonical(std::string_view path) const {
  auto end = walk(path, Follow::last_too);
  if (!end.arrived()) return {};
  std::string joined;
  for (auto name : end.names) {
    joined += '/';
    joined += name;
  }
  return joined.empty() ? "/" : joined;
}

Result<TreeNode*> Tree::add_child(TreeNode& parent, std::string_view name, TreeNode::Kind kind) {
  if (entries_ >= max_entries)
    return fail(ErrorKind::invalid, std::string(name),
                fmt::format("the tree holds more than {} entries", max_entries));
  auto made = std::make_unique<TreeNode>();
  made->kind = kind;
  auto [where, fresh] = parent.children.emplace(std::string(name), std::move(made));
  entries_ += fresh ? 1 : 0;
  return where->second.get();
}

Result<TreeNode*> Tree::make_directories(std::string_view path) {
  for (;;) {
    auto end = walk(path, Follow::last_too);
    TreeNode& here = *end.nodes.back();
    if (end.looped) return fail(ErrorKind::invalid, std::string(path), "the links never end");
    if (here.kind != Kind::directory)
      return fail(ErrorKind::invalid, std::string(path),
                  "a file stands where a directory is needed");
    if (end.arrived()) return &here;
    TRY(make_below(here, end.nodes.size(), end.todo));
  }
}

Status Tree::make_below(TreeNode& start, std::size_t depth,
                        const std::vector<std::string_view>& todo) {
  TreeNode* here = &start;
  for (auto name = todo.rbegin(); name != todo.rend() && *name != ".."; ++name) {
    if (++depth > max_pieces + 1)
      return fail(ErrorKind::invalid, std::string(*name), "a path becomes too deep through links");
    TRY_LET(here, add_child(*here, *name, Kind::directory));
  }
  return {};
}

Result<TreeNode*> Tree::make_entry(std::string_view path, TreeNode::Kind kind) {
  TRY(check_recorded_path(path));
  auto [above, name] = parent_and_name(path);
  if (name.empty() || name == "." || name == "..")
    return fail(ErrorKind::invalid, std::string(path), "the path names no entry");
  TRY_LET(TreeNode * parent, make_directories(above));
  TreeNode* there = child_of(*parent, name);
  if (there == nullptr) return add_child(*parent, name, kind);
  if (there->kind != kind)
    return fail(ErrorKind::invalid, std::string(path), "something of another kind is there");
  return there;
}

Status Tree::put_directory(std::string_view path) {
  TRY(check_recorded_path(path));
  TRY(make_directories(path));
  return {};
}

Status Tree::put_file(std::string_view path, std::string content) {
  TRY_LET(TreeNode * file, make_entry(path, Kind::file));
  file->content = std::move(content);
  return {};
}

Status Tree::put_link(std::string_view path, std::string target) {
  TRY(check_recorded_path(target));
  if (target.empty()) return fail(ErrorKind::invalid, std::string(path), "a link leads nowhere");
  TRY_LET(TreeNode * link, make_entry(path, Kind::link));
  link->content = std::move(target);
  return {};
}

void Tree::remove(std::string_view path) {
  auto end = walk(path, Follow::all_but_last);
  if (!end.arrived() || end.nodes.size() < 2) return;
  entries_ -= count_entries(*end.nodes.back());
  TreeNode& parent = *end.nodes[end.nodes.size() - 2];
  parent.children.erase(parent.children.find(end.names.back()));
}

namespace {

/// One line that names a file, a directory or a link.
struct Line {
  std::size_t number = 0;
  std::string_view path;
  std::size_t depth = 0;
  Kind kind = Kind::file;
  std::string content;
};

std::optional<std::string> unescape(std::string_view value) {
  std::string plain;
  plain.reserve(value.size());
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] != '\\') {
      plain += value[i];
      continue;
    }
    if (++i == value.size()) return std::nullopt;
    if (value[i] == 'n') {
      plain += '\n';
    } else if (value[i] == 't') {
      plain += '\t';
    } else if (value[i] == '\\') {
      plain += '\\';
    } else {
      return std::nullopt;
    }
  }
  return plain;
}

bool is_note(std::string_view path) {
  return !path.starts_with('/') || path.find('@') != std::string_view::npos;
}

constexpr std::string_view hex_start = "@hex(";
constexpr std::size_t most_hex = std::size_t{64} << 10;

/// The bytes of "@hex(N) 8680..."; nothing when that is not well formed.
std::optional<std::string> from_hex(std::string_view value) {
  auto close = value.find(") ");
  if (!value.starts_with(hex_start) || close == std::string_view::npos) return std::nullopt;
  auto size = text::to_number(value.substr(hex_start.size(), close - hex_start.size()));
  auto digits = value.substr(close + 2);
  if (!size || *size > most_hex || digits.size() % 2 != 0 || digits.size() / 2 > *size) {
    return std::nullopt;
  }
  std::string bytes(*size, '\0');
  for (std::size_t i = 0; i * 2 < digits.size(); ++i) {
    const auto pair = digits.substr(i * 2, 2);
    auto byte = pair.starts_with("0x") ? std::nullopt : text::to_number(pair, 16);
    if (!byte) return std::nullopt;
    bytes[i] = static_cast<char>(*byte);
  }
  return bytes;
}

std::string to_hex(std::string_view bytes) {
  auto end = bytes.find_last_not_of('\0');
  std::string value = fmt::format("{}{}) ", hex_start, bytes.size());
  for (char c : bytes.substr(0, end == std::string_view::npos ? 0 : end + 1)) {
    value += fmt::format("{:02x}", static_cast<unsigned char>(c));
  }
  return value;
}

/// A byte that a text file of the kernel's has: printable, white space, or beyond ASCII.
bool is_text(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= 0x20 && byte != 0x7f) || c == '\n' || c == '\t';
}

bool is_left_out(std::string_view value) {
  constexpr std::string_view start = "@binary(";
  return value.starts_with(start) && value.ends_with(')') &&
         text::to_number(value.substr(start.size(), value.size() - start.size() - 1)).has_value();
}

/// Reads the lines, then places them in an order that makes links work.
class Reader {
 public:
  explicit Reader(std::string_view name) : name_(name) {}

  Result<Recording> read(std::string_view text) {
    if (text.size() > max_file) return wrong(0, "the file is larger than 64 MiB");
    std::size_t number = 0;
    while (!text.empty()) {
      auto end = std::min(text.find('\n'), text.size());
      if (++number > max_lines) return wrong(number, "there are too many lines");
      TRY(read_line(number, text.substr(0, end)));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    TRY(place_links());
    TRY(place_others());
    return std::move(recording_);
  }

 private:
  std::unexpected<Error> wrong(std::size_t line, std::string what) const {
    return fail(ErrorKind::invalid, std::string(name_),
                line == 0 ? std::move(what) : fmt::format("line {}: {}", line, what),
                "each line is a path, a TAB and a value; see tests/hosts/README.md");
  }

  Status read_line(std::size_t number, std::string_view line) {
    if (text::trim(line).empty() || line.starts_with('#')) return {};
    auto tab = line.find('\t');
    if (tab == std::string_view::npos) return wrong(number, "there is no TAB after the path");
    auto path = line.substr(0, tab);
    auto value = line.substr(tab + 1);
    if (path.empty()) return wrong(number, "the path is empty");
    const bool hex = value.starts_with(hex_start);
    auto plain = hex ? from_hex(value) : unescape(value);
    if (!plain) {
      return wrong(number, hex ? "it is not @hex(SIZE) and at most SIZE bytes of two digits each"
                               : "a backslash is followed by something else than n, t or \\");
    }
    if (is_note(path)) {
      recording_.notes.push_back({std::string(path), std::move(*plain)});
      return {};
    }
    TRY(check(number, path));
    if (!first_line_of(path, number)) return {};
    if (is_left_out(value)) return {};
    add(Line{number, path, pieces_of(path).size(), Kind::file, std::move(*plain)}, value);
    return {};
  }

  void add(Line line, std::string_view value) {
    if (value == "@dir") {
      line.kind = Kind::directory;
    } else if (value.starts_with("-> ")) {
      line.kind = Kind::link;
      line.content.erase(0, 3);
    }
    (line.kind == Kind::link ? links_ : others_).push_back(std::move(line));
  }

  Status check(std::size_t number, std::string_view path) {
    if (auto fits = check_recorded_path(path); !fits) return wrong(number, fits.error().sentence);
    for (auto piece : text::split(path.substr(1), '/')) {
      if (piece.empty() || piece == "." || piece == "..")
        return wrong(number, R"(the path has an empty, "." or ".." piece)");
    }
    return {};
  }

  bool first_line_of(std::string_view path, std::size_t number) {
    auto [first, fresh] = first_lines_.emplace(path, number);
    if (!fresh)
      recording_.repeated.push_back(fmt::format("line {}: {} was given in line {} already", number,
                                                text::printable(path), first->second));
    return fresh;
  }

  /// A link below a link that leads nowhere yet waits for the lines that may give it a target;
  /// when nothing else moves, the shortest go first and their target becomes a directory.
  Status place_links() {
    std::ranges::stable_sort(links_, {}, &Line::depth);
    constexpr int patience = 128;
    for (int round = 0; !links_.empty(); ++round) {
      std::vector<Line> waiting;
      for (auto& line : links_) {
        if (round < patience && recording_.tree.is_below_dangling_link(line.path)) {
          waiting.push_back(std::move(line));
        } else {
          TRY(place(line));
        }
      }
      if (waiting.size() == links_.size()) TRY(place_shortest(waiting));
      links_ = std::move(waiting);
    }
    return {};
  }

  Status place_shortest(std::vector<Line>& waiting) {
    auto depth = waiting.front().depth;
    auto deeper = std::ranges::find_if(waiting, [&](auto& line) { return line.depth > depth; });
    for (auto line = waiting.begin(); line != deeper; ++line) TRY(place(*line));
    waiting.erase(waiting.begin(), deeper);
    return {};
  }

  Status place_others() {
    std::ranges::stable_sort(others_, {}, &Line::depth);
    for (auto& line : others_) TRY(place(line));
    return {};
  }

  Status place(Line& line) {
    Tree& tree = recording_.tree;
    if (line.kind == Kind::link && line.content.empty())
      return wrong(line.number, "a link leads nowhere");
    const TreeNode* there = tree.find_no_follow(line.path);
    bool same_directory =
        there != nullptr && line.kind == Kind::directory && there->kind == Kind::directory;
    if (same_directory) return {};
    if (there != nullptr) {
      recording_.repeated.push_back(
          fmt::format("line {}: {} is there already, through another line", line.number,
                      text::printable(line.path)));
      return {};
    }
    auto placed = line.kind == Kind::link   ? tree.put_link(line.path, std::move(line.content))
                  : line.kind == Kind::file ? tree.put_file(line.path, std::move(line.content))
                                            : tree.put_directory(line.path);
    if (!placed)
      return wrong(line.number,
                   fmt::format("{}: {}", text::printable(line.path), placed.error().sentence));
    return {};
  }

  std::string_view name_;
  Recording recording_;
  std::unordered_map<std::string_view, std::size_t> first_lines_;
  std::vector<Line> links_;
  std::vector<Line> others_;
};

}  // namespace

std::string recorded_value(std::string_view content) {
  const bool taken_for_another = content.starts_with("-> ") || content.starts_with('@');
  if (taken_for_another || !std::ranges::all_of(content, is_text)) {
    return content.size() <= most_hex ? to_hex(content)
                                      : fmt::format("@binary({})", content.size());
  }
  std::string value;
  for (char c : content) {
    switch (c) {
      case '\n':
        value += "\\n";
        break;
      case '\t':
        value += "\\t";
        break;
      case '\\':
        value += "\\\\";
        break;
      default:
        value += c;
    }
  }
  return value;
}

namespace {

template <typename Paths>
bool has_below(const Paths& paths, const std::string& folder) {
  auto next = paths.lower_bound(folder);
  if constexpr (requires { next->first; }) {
    return next != paths.end() && next->first.starts_with(folder);
  } else {
    return next != paths.end() && next->starts_with(folder);
  }
}

bool needs_line(const Entries& entries, const std::string& directory) {
  const std::string below = directory + "/";
  return !entries.files.contains(directory) && !entries.links.contains(directory) &&
         !has_below(entries.files, below) && !has_below(entries.links, below) &&
         !has_below(entries.directories, below);
}

}  // namespace

std::string recording_text(const Entries& entries) {
  std::map<std::string, std::string> lines;
  for (const auto& [path, content] : entries.files) lines.emplace(path, recorded_value(content));
  for (const auto& [path, target] : entries.links) {
    lines.insert_or_assign(path, fmt::format("-> {}", recorded_value(target)));
  }
  for (const auto& path : entries.directories) {
    if (needs_line(entries, path)) lines.emplace(path, "@dir");
  }
  std::string text;
  for (const auto& note : entries.notes) {
    text += fmt::format("{}\t{}\n", note.key, recorded_value(note.text));
  }
  for (const auto& [path, value] : lines) text += fmt::format("{}\t{}\n", path, value);
  return text;
}

Result<Recording> parse_recording(std::string_view text, std::string_view name) {
  return Reader(name).read(text);
}

}  // namespace tessera::kernel
