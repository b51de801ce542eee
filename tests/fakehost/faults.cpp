// SPDX-License-Identifier: Apache-2.0
// /.rehearsal/faults: what shall go wrong, a line each.
#include "fakehost/faults.h"

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>
#include <fnmatch.h>

#include "base/error.h"
#include "base/text.h"
#include "fakehost/behaviours.h"

namespace tessera::fakehost {

namespace {

using Words = std::vector<std::string_view>;

int errno_of(std::string_view name) {
  constexpr int last = 133;
  for (int number = 1; number <= last; ++number) {
    if (errno_name(number) == name) return number;
  }
  return 0;
}

std::string line_of(const Fault& fault) {
  switch (fault.kind) {
    case Fault::Kind::fail:
      return fmt::format("fail {} {}{}", fault.path, errno_name(fault.error),
                         fault.left < 0 ? "" : fmt::format(" {}", fault.left));
    case Fault::Kind::hang:
      return fmt::format("hang {}", fault.path);
    case Fault::Kind::delay:
      return fmt::format("delay {} {}", fault.path, fault.delay.count());
    case Fault::Kind::before:
      return fmt::format("before {} do {} {}", fault.path, fault.other_path, fault.value);
  }
  return {};
}

void show(Host& host) {
  std::string listing;
  for (const auto& fault : host.faults.list) listing += line_of(fault) + "\n";
  host.put_file("/.rehearsal/faults", listing);
}

bool concerns(const Host& host, const Fault& fault, const std::string& path) {
  return fnmatch(fault.path.c_str(), path.c_str(), 0) == 0 ||
         fnmatch(fault.path.c_str(), host.familiar_path(path).c_str(), 0) == 0 ||
         host.tree.canonical(fault.path) == path;
}

int add(Host& host, Fault fault) {
  fault.number = host.faults.next_number++;
  host.faults.list.push_back(std::move(fault));
  return 0;
}

int add_failure(Host& host, const Words& words) {
  Fault fault;
  fault.path = words[1];
  fault.error = errno_of(words[2]);
  if (fault.error == 0) return -EINVAL;
  if (words.size() == 4) {
    auto count = text::to_number(words[3]);
    if (!count || *count == 0 || *count > 1000000) return -EINVAL;
    fault.left = static_cast<int>(*count);
  }
  return add(host, std::move(fault));
}

int add_delay(Host& host, const Words& words) {
  constexpr std::uint64_t longest_ms = 600000;
  auto ms = text::to_number(words[2]);
  if (!ms || *ms > longest_ms) return -EINVAL;
  Fault fault;
  fault.kind = Fault::Kind::delay;
  fault.path = words[1];
  fault.delay = std::chrono::milliseconds(static_cast<std::int64_t>(*ms));
  return add(host, std::move(fault));
}

int add_before(Host& host, std::string_view line, const Words& words) {
  Fault fault;
  fault.kind = Fault::Kind::before;
  fault.path = words[1];
  fault.other_path = words[3];
  fault.value = text::trim(line.substr(line.find(words[3]) + words[3].size()));
  return add(host, std::move(fault));
}

int hold(Host& host, const Words& words) {
  auto pid = text::to_number(words[1]);
  if (!pid || *pid == 0 || *pid > 4194304) return -EINVAL;
  Process process{std::string(words[2]),
                  words.size() == 5 ? std::string(words[4]) : "",
                  {std::string(words[3])}};
  add_holder(host, static_cast<int>(*pid), process);
  return 0;
}

int release(Host& host, const std::string& path) {
  auto erased = std::erase_if(host.faults.list, [&](const Fault& fault) {
    return fault.kind == Fault::Kind::hang &&
           (fault.path == path || host.tree.canonical(fault.path) == host.tree.canonical(path));
  });
  host.changed();
  return erased == 0 ? -ENOENT : 0;
}

int clear(Host& host) {
  host.faults.list.clear();
  host.changed();
  return 0;
}

/// For --unmount: ends every wait, or the mount could not end.
int stop(Host& host) {
  host.stop();
  return 0;
}

int one_line_of(Call& call, std::string_view line) {
  auto words = text::words(line);
  auto count = words.size();
  if (count == 0) return 0;
  Host& host = call.host;
  if (words[0] == "fail" && (count == 3 || count == 4)) return add_failure(host, words);
  if (words[0] == "delay" && count == 3) return add_delay(host, words);
  if (words[0] == "before" && count >= 4 && words[2] == "do") return add_before(host, line, words);
  if (words[0] == "hold" && (count == 4 || count == 5)) return hold(host, words);
  if (words[0] == "release" && count == 2) return release(host, std::string(words[1]));
  if (words[0] == "clear" && count == 1) return clear(host);
  if (words[0] == "stop" && count == 1) return stop(host);
  if (words[0] == "hang" && count == 2) {
    Fault fault;
    fault.kind = Fault::Kind::hang;
    fault.path = words[1];
    return add(host, std::move(fault));
  }
  return -EINVAL;
}

int change_faults(Call& call) {
  for (auto line : text::lines(call.text)) {
    if (int error = one_line_of(call, line); error != 0) return error;
  }
  show(call.host);
  return 0;
}

/// The first fault of this kind for the path; null when there is none.
Fault* find(Host& host, Fault::Kind kind, const std::string& path) {
  auto found = std::ranges::find_if(host.faults.list, [&](const Fault& fault) {
    return fault.kind == kind && concerns(host, fault, path);
  });
  return found == host.faults.list.end() ? nullptr : &*found;
}

void forget(Host& host, int number) {
  std::erase_if(host.faults.list, [&](const Fault& fault) { return fault.number == number; });
  show(host);
}

void carry_out_later(Call& call, const Behaviour& behaviour, std::chrono::milliseconds delay) {
  auto effect = [&host = call.host, path = call.path, stars = call.stars, text = call.text,
                 write = behaviour.write](Lock& lock) {
    if (!host.exists(path)) return;
    Call again{host, lock, path, stars, text};
    (void)write(again);  // nobody is left to hear the answer
  };
  call.host.later(delay, effect);
}

constexpr Behaviour faults_table[] = {{"/.rehearsal/faults", change_faults}};

}  // namespace

std::span<const Behaviour> fault_behaviours() {
  return faults_table;
}

FaultAnswer apply_faults(Call& call, const Behaviour& behaviour) {
  Host& host = call.host;
  while (Fault* before = find(host, Fault::Kind::before, call.path)) {
    Fault once = *before;
    forget(host, once.number);
    (void)host.write(call.lock, once.other_path, once.value);  // somebody else's own affair
  }
  if (find(host, Fault::Kind::hang, call.path) != nullptr) {
    auto released = [&] { return find(host, Fault::Kind::hang, call.path) == nullptr; };
    if (!host.wait(call.lock, released)) return {true, -EINTR};
  }
  if (Fault* failing = find(host, Fault::Kind::fail, call.path)) {
    int error = failing->error;
    const bool counted = failing->left > 0;
    if (counted) --failing->left;
    if (counted && failing->left == 0) forget(host, failing->number);
    show(host);
    return {true, -error};
  }
  if (Fault* delay = find(host, Fault::Kind::delay, call.path)) {
    carry_out_later(call, behaviour, delay->delay);
    return {true, 0};
  }
  return {};
}

}  // namespace tessera::fakehost
