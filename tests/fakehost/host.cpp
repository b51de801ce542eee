// SPDX-License-Identifier: Apache-2.0
#include "fakehost/host.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "fakehost/behaviours.h"
#include "kernel/files.h"

namespace tessera::fakehost {

namespace {

constexpr std::size_t page = 4096;

std::vector<std::string_view> pieces_of(std::string_view path) {
  std::vector<std::string_view> pieces;
  for (auto piece : text::split(path, '/')) {
    if (!piece.empty()) pieces.push_back(piece);
  }
  return pieces;
}

std::pair<std::string, std::string> parent_and_name(std::string_view path) {
  auto slash = path.rfind('/');
  return {std::string(path.substr(0, std::max<std::size_t>(slash, 1))),
          std::string(path.substr(slash + 1))};
}

std::string on_one_line(std::string_view value) {
  std::string line;
  for (char c : value) {
    if (c == '\n') {
      line += "\\n";
    } else if (c == '\t') {
      line += "\\t";
    } else if (c == '\\') {
      line += "\\\\";
    } else {
      line += c;
    }
  }
  return line;
}

}  // namespace

std::string relative_target(std::string_view link, std::string_view target) {
  auto from = pieces_of(link);
  auto to = pieces_of(target);
  if (!from.empty()) from.pop_back();
  std::size_t same = 0;
  while (same < from.size() && same < to.size() && from[same] == to[same]) ++same;
  std::string path;
  for (std::size_t i = same; i < from.size(); ++i) path += "../";
  for (std::size_t i = same; i < to.size(); ++i) {
    path += to[i];
    path += '/';
  }
  if (!path.empty()) path.pop_back();
  return path.empty() ? "." : path;
}

Host::Host(kernel::Recording recording) : tree(std::move(recording.tree)) {
  complete(*this, recording);
}

Host::~Host() {
  {
    Lock lock(mutex);
    stop();
  }
  for (auto& thread : late_) thread.join();
}

void Host::later(std::chrono::milliseconds delay, std::function<void(Lock&)> effect) {
  auto until = std::chrono::steady_clock::now() + delay;
  late_.emplace_back([this, until, effect = std::move(effect)] {
    Lock lock(mutex);
    if (condition_.wait_until(lock, until, [this] { return stopping_; })) return;
    effect(lock);
    changed();
  });
}

int Host::write(std::string_view path, std::string_view text) {
  Lock lock(mutex);
  return write(lock, path, text);
}

int Host::write(Lock& lock, std::string_view path, std::string_view text) {
  auto canonical = tree.canonical(path);
  if (canonical.empty()) return -ENOENT;
  Call call{*this, lock, canonical, {}, std::string(text.substr(0, page))};
  const Behaviour* behaviour = find_behaviour(canonical, &call.stars);
  if (behaviour == nullptr || behaviour->write == nullptr) return -EACCES;
  if (canonical.starts_with(kernel::files::rehearsal)) {
    call.text = text;
    return behaviour->write(call);
  }
  auto number = log_write(familiar_path(canonical), text);
  auto fault = apply_faults(call, *behaviour);
  int result = fault.value;
  if (!fault.done) result = exists(canonical) ? behaviour->write(call) : -ENODEV;
  if (result < 0) log_failure(number, errno_name(-result));
  changed();
  return result;
}

void Host::changed() {
  names_changed();
  condition_.notify_all();
}

bool Host::wait(Lock& lock, const std::function<bool()>& holds) {
  names_changed();  // by what was done so far: others look while this waits
  condition_.wait(lock, [&] { return stopping_ || holds(); });
  return !stopping_;
}

void Host::stop() {
  stopping_ = true;
  condition_.notify_all();
}

std::string Host::text(std::string_view path) const {
  const auto* node = tree.find(path);
  if (node == nullptr || node->kind != kernel::TreeNode::Kind::file) return {};
  return std::string(text::trim(node->content));
}

std::uint64_t Host::number(std::string_view path) const {
  return text::to_number(text(path)).value_or(0);
}

bool Host::exists(std::string_view path) const {
  return tree.find_no_follow(path) != nullptr;
}

std::string Host::link_name(std::string_view path) const {
  const auto* node = tree.find_no_follow(path);
  if (node == nullptr || node->kind != kernel::TreeNode::Kind::link) return {};
  return node->content.substr(node->content.rfind('/') + 1);
}

void Host::put_file(std::string_view path, std::string content) {
  (void)tree.put_file(path, std::move(content));  // best effort: a recording may contradict us
}

void Host::put_directory(std::string_view path) {
  (void)tree.put_directory(path);  // best effort, as above
}

void Host::put_link(std::string_view path, std::string_view target) {
  auto [above, name] = parent_and_name(path);
  auto real = tree.canonical(above);
  if (real.empty()) real = above;
  std::string link = real + "/" + name;
  auto aim = tree.canonical(target);
  (void)tree.put_link(link, relative_target(link, aim.empty() ? target : aim));  // as above
}

std::unique_ptr<kernel::TreeNode> Host::take(std::string_view path) {
  auto [above, name] = parent_and_name(path);
  auto* parent = tree.find(above);
  if (parent == nullptr) return nullptr;
  auto found = parent->children.find(name);
  if (found == parent->children.end()) return nullptr;
  auto node = std::move(found->second);
  parent->children.erase(found);
  return node;
}

void Host::give(std::string_view path, std::unique_ptr<kernel::TreeNode> node) {
  auto [above, name] = parent_and_name(path);
  put_directory(above);
  auto* parent = tree.find(above);
  if (parent == nullptr || node == nullptr) return;
  auto& place = parent->children[name];
  // A bridge may be recorded in one place and what is below it in another.
  if (place) node->children.merge(place->children);
  place = std::move(node);
}

std::vector<std::string> Host::names(std::string_view directory) const {
  std::vector<std::string> found;
  const auto* node = tree.find(directory);
  if (node == nullptr) return found;
  for (const auto& [name, child] : node->children) found.push_back(name);
  return found;
}

Device* Host::device(std::string_view bus, std::string_view name) {
  auto found = devices.find(fmt::format("{}/{}", bus, name));
  return found == devices.end() ? nullptr : &found->second;
}

std::string Host::familiar_path(std::string_view canonical) const {
  auto pieces = pieces_of(canonical);
  for (std::size_t i = pieces.size(); i-- > 0;) {
    for (const char* bus : {"pci", "mdev", "platform"}) {
      if (!devices.contains(fmt::format("{}/{}", bus, pieces[i]))) continue;
      if (pieces[1] != "devices") continue;
      std::string path = fmt::format("/sys/bus/{}/devices/{}", bus, pieces[i]);
      for (std::size_t rest = i + 1; rest < pieces.size(); ++rest)
        path += fmt::format("/{}", pieces[rest]);
      return path;
    }
  }
  return std::string(canonical);
}

int Host::free_number(std::string_view directory, std::string_view prefix) const {
  int number = 0;
  while (exists(fmt::format("{}/{}{}", directory, prefix, number))) ++number;
  return number;
}

void Host::log(std::string_view line) {
  auto* node = tree.find(kernel::files::rehearsal_kmsg);
  if (node != nullptr) node->content += fmt::format("{}\n", line);
}

void Host::uevent(std::string_view action, const Device& device, std::string_view driver) {
  auto path = device.path.substr(std::string_view("/sys").size());
  std::string record = fmt::format("{}@{}", action, path) + '\0';
  auto add = [&](std::string_view key, std::string_view value) {
    if (!value.empty()) record += fmt::format("{}={}", key, value) + '\0';
  };
  add("ACTION", action);
  add("DEVPATH", path);
  add("SUBSYSTEM", device.bus);
  add("DRIVER", driver);
  if (device.bus == "pci") add("PCI_SLOT_NAME", device.name);
  add("MODALIAS", text(device.path + "/modalias"));
  add("SEQNUM", std::to_string(++sequence_));
  events.publish(record);
  changed();
}

std::size_t Host::log_write(std::string_view path, std::string_view text) {
  writes_.push_back(fmt::format("{}\t{}", path, on_one_line(text)));
  show_writes();
  return writes_.size() - 1;
}

void Host::log_failure(std::size_t number, std::string_view how) {
  writes_[number] += fmt::format("\t{}", how);
  show_writes();
}

void Host::show_writes() {
  put_file("/.rehearsal/writes", text::join(writes_, "\n") + "\n");
}

}  // namespace tessera::fakehost
