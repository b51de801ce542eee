// SPDX-License-Identifier: Apache-2.0
// /.rehearsal/modprobe: "load NAME", "unload NAME".
#include <algorithm>
#include <cerrno>

#include <fmt/format.h>

#include "base/text.h"
#include "fakehost/behaviours.h"

namespace tessera::fakehost {

namespace {

std::string underscored(std::string name) {
  std::ranges::replace(name, '-', '_');
  return name;
}

std::vector<std::string> users_of(const Host& host, const std::string& name) {
  std::vector<std::string> users;
  for (const auto& [user, module] : host.modules) {
    if (module.loaded && std::ranges::find(module.needs, name) != module.needs.end())
      users.push_back(user);
  }
  return users;
}

void show_modules(Host& host) {
  std::string listing;
  for (const auto& [name, module] : host.modules) {
    if (!module.loaded || module.built_in) continue;
    auto users = users_of(host, name);
    auto names = users.empty() ? "-" : text::join(users, ",") + ",";
    listing += fmt::format("{} 16384 {} {} Live 0x0000000000000000\n", name, users.size(), names);
    host.put_file("/sys/module/" + name + "/refcnt", fmt::format("{}\n", users.size()));
  }
  host.put_file("/proc/modules", listing);
}

bool is_in_use(const Host& host, const std::string& name, const Module& module) {
  if (!users_of(host, name).empty()) return true;
  return std::ranges::any_of(host.devices, [&](const auto& entry) {
    auto key = entry.second.bus + "/" + bound_driver(host, entry.second);
    return std::ranges::find(module.drivers, key) != module.drivers.end() &&
           is_held(host, entry.second);
  });
}

int unload_module(Host& host, const std::string& name) {
  auto found = host.modules.find(name);
  if (found == host.modules.end() || !found->second.loaded) return -ENOENT;
  Module& module = found->second;
  if (module.built_in || is_in_use(host, name, module)) return -EBUSY;
  for (const auto& driver : module.drivers) unregister_driver(host, driver);
  module.loaded = false;
  host.tree.remove("/sys/module/" + name);
  if (name == "vfio") host.tree.remove("/dev/vfio/vfio");
  show_modules(host);
  return 0;
}

int modprobe(Call& call) {
  auto words = text::words(call.text);
  if (words.size() != 2) return -EINVAL;
  auto name = underscored(std::string(words[1]));
  if (words[0] == "load") return load_module(call.host, name);
  if (words[0] == "unload") return unload_module(call.host, name);
  return -EINVAL;
}

constexpr Behaviour modprobe_table[] = {
    {"/.rehearsal/modprobe", modprobe, Behaviour::Readable::no}};

}  // namespace

std::span<const Behaviour> modprobe_behaviours() {
  return modprobe_table;
}

int load_module(Host& host, std::string name) {
  name = underscored(std::move(name));
  auto found = host.modules.find(name);
  if (found == host.modules.end()) return -ENOENT;
  Module& module = found->second;
  if (module.loaded) return 0;
  for (const auto& needed : module.needs) (void)load_module(host, needed);  // all are known
  module.loaded = true;
  if (!module.built_in) host.put_file("/sys/module/" + name + "/initstate", "live\n");
  if (name == "vfio") host.put_file("/dev/vfio/vfio", "");
  show_modules(host);
  for (const auto& driver : module.drivers) register_driver(host, driver);
  return 0;
}

}  // namespace tessera::fakehost
