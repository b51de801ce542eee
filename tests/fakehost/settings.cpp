// SPDX-License-Identifier: Apache-2.0
#include "fakehost/settings.h"

#include <algorithm>
#include <cerrno>

namespace tessera::fakehost {

namespace {

using kernel::TreeNode;

constexpr std::size_t largest_setting = std::size_t{1} << 20;

TreeNode* file_at(Host& host, std::string_view path) {
  auto* node = host.tree.find_no_follow(path);
  return node != nullptr && node->kind == TreeNode::Kind::file ? node : nullptr;
}

}  // namespace

bool is_setting(std::string_view path) {
  return path.starts_with("/etc/");
}

int make_setting(Host& host, std::string_view path) {
  if (!is_setting(path)) return -EACCES;
  host.put_file(path, "");
  return 0;
}

int write_setting(Host& host, std::string_view path, std::string_view text, std::size_t offset) {
  auto* file = file_at(host, path);
  if (file == nullptr) return -ENOENT;
  if (offset + text.size() > largest_setting) return -EFBIG;
  file->content.resize(std::max(file->content.size(), offset + text.size()), '\0');
  file->content.replace(offset, text.size(), text);
  return 0;
}

int cut_setting(Host& host, std::string_view path, std::size_t size) {
  auto* file = file_at(host, path);
  if (file == nullptr) return -ENOENT;
  if (size > largest_setting) return -EFBIG;
  file->content.resize(size, '\0');
  return 0;
}

int rename_setting(Host& host, std::string_view from, std::string_view to) {
  if (!is_setting(from) || !is_setting(to)) return -EACCES;
  auto* file = file_at(host, from);
  if (file == nullptr) return -ENOENT;
  auto node = host.take(from);
  host.tree.remove(to);
  host.give(to, std::move(node));
  return 0;
}

int remove_setting(Host& host, std::string_view path) {
  if (!is_setting(path)) return -EACCES;
  host.tree.remove(path);
  return 0;
}

int make_settings_folder(Host& host, std::string_view path) {
  if (!is_setting(path)) return -EACCES;
  host.put_directory(path);
  return 0;
}

int remove_settings_folder(Host& host, std::string_view path) {
  if (!is_setting(path)) return -EACCES;
  const auto* node = host.tree.find_no_follow(path);
  if (node == nullptr) return -ENOENT;
  if (!node->children.empty()) return -ENOTEMPTY;
  host.tree.remove(path);
  return 0;
}

}  // namespace tessera::fakehost
