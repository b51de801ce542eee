// SPDX-License-Identifier: Apache-2.0
#include "probe/settings.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "kernel/files.h"
#include "model/settings.h"

namespace tessera::probe {

namespace files = kernel::files;
using model::BootFacts;
using model::SettingsFile;

namespace {

void add_file(const kernel::Root& root, const std::string& path, std::vector<SettingsFile>& all) {
  if (auto text = root.read(path)) all.push_back({path, std::move(*text)});
}

std::string flow_of(const kernel::Root& root, const BootFacts& boot) {
  const std::string like = fmt::format(" {} {} ", boot.distribution, boot.like);
  const auto is = [&](std::string_view id) {
    return like.find(fmt::format(" {} ", id)) != std::string::npos;
  };
  if (root.exists(files::proxmox_boot_uuids)) return "proxmox";
  if (root.exists(files::ostree_booted)) return "rpm-ostree";
  if (is("nixos")) return "nixos";
  if (is("debian") || is("ubuntu")) return "debian";
  if (is("fedora") || is("rhel")) return "fedora";
  if (is("arch")) return "arch";
  if (is("suse") || is("opensuse")) return "suse";
  return {};
}

std::string initramfs_of(const kernel::Root& root) {
  const auto tool = std::ranges::find_if(files::initramfs_tools,
                                         [&](const auto& one) { return root.exists(one.path); });
  return tool != std::end(files::initramfs_tools) ? std::string(tool->name) : std::string();
}

}  // namespace

std::vector<SettingsFile> read_settings(const kernel::Root& root) {
  std::vector<SettingsFile> all;
  for (const auto& place : files::settings) {
    if (place.extension.empty()) {
      add_file(root, std::string(place.path), all);
      continue;
    }
    auto names = root.list(place.path);
    if (!names) continue;
    for (const auto& name : *names) {
      if (name.ends_with(place.extension)) {
        add_file(root, fmt::format("{}/{}", place.path, name), all);
      }
    }
  }
  std::ranges::sort(all, {}, &SettingsFile::path);
  return all;
}

BootFacts read_boot_facts(const kernel::Root& root) {
  BootFacts boot;
  auto text = root.read(files::os_release);
  if (!text) text = root.read(files::os_release_default);
  if (text) {
    boot.distribution = os_release_value(*text, "ID");
    boot.like = os_release_value(*text, "ID_LIKE");
    boot.version = os_release_value(*text, "VERSION_ID");
    boot.pretty_name = os_release_value(*text, "PRETTY_NAME");
  }
  boot.flow = flow_of(root, boot);
  boot.initramfs = initramfs_of(root);
  return boot;
}

std::string os_release_value(std::string_view text, std::string_view key) {
  const std::string start = fmt::format("{}=", key);
  for (auto line : text::lines(text)) {
    if (!line.starts_with(start)) continue;
    auto value = text::trim(line.substr(start.size()));
    if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') &&
        value.front() == value.back()) {
      value = value.substr(1, value.size() - 2);
    }
    return std::string(value);
  }
  return {};
}

}  // namespace tessera::probe
