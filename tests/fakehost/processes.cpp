// SPDX-License-Identifier: Apache-2.0
// Processes that hold device files, and /.rehearsal/signal, which ends them.
#include "fakehost/processes.h"

#include <algorithm>
#include <cerrno>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"
#include "fakehost/behaviours.h"

namespace tessera::fakehost {

namespace {

std::string directory_of(int pid) {
  return fmt::format("/proc/{}", pid);
}

void show(Host& host, int pid, const Process& process) {
  auto directory = directory_of(pid);
  host.put_file(directory + "/comm", process.name.substr(0, 15) + "\n");
  host.put_file(directory + "/cmdline", process.name + '\0');
  host.put_file(directory + "/cgroup", process.unit.empty()
                                           ? "0::/user.slice/user-1000.slice/session-1.scope\n"
                                           : fmt::format("0::/system.slice/{}\n", process.unit));
  host.put_file(directory + "/status",
                fmt::format("Name:\t{}\nState:\tS (sleeping)\nTgid:\t{}\nPid:\t{}\n", process.name,
                            pid, pid));
  int number = 3;
  for (const auto& path : process.paths)
    (void)host.tree.put_link(fmt::format("{}/fd/{}", directory, number++), path);
}

int stop_unit(Host& host, const std::string& unit) {
  std::vector<int> pids;
  for (const auto& [pid, process] : host.processes.alive) {
    if (process.unit == unit) pids.push_back(pid);
  }
  for (int pid : pids) {
    host.processes.stopped[pid] = host.processes.alive[pid];
    end_process(host, pid);
  }
  return pids.empty() ? -ESRCH : 0;
}

int start_unit(Host& host, const std::string& unit) {
  std::vector<std::pair<int, Process>> back;
  for (const auto& [pid, process] : host.processes.stopped) {
    if (process.unit == unit) back.emplace_back(pid, process);
  }
  for (const auto& [pid, process] : back) {
    host.processes.stopped.erase(pid);
    add_holder(host, pid, process);
  }
  return back.empty() ? -ESRCH : 0;
}

/// "TERM PID", "KILL PID", "STOP UNIT", "START UNIT".
int signal(Call& call) {
  auto words = text::words(call.text);
  if (words.size() != 2) return -EINVAL;
  std::string whom(words[1]);
  if (words[0] == "STOP") return stop_unit(call.host, whom);
  if (words[0] == "START") return start_unit(call.host, whom);
  auto pid = text::to_number(whom);
  if (!pid || (words[0] != "TERM" && words[0] != "KILL")) return -EINVAL;
  if (!call.host.processes.alive.contains(static_cast<int>(*pid))) return -ESRCH;
  end_process(call.host, static_cast<int>(*pid));
  return 0;
}

constexpr Behaviour processes_table[] = {{"/.rehearsal/signal", signal, Behaviour::Readable::no}};

}  // namespace

std::span<const Behaviour> process_behaviours() {
  return processes_table;
}

void add_holder(Host& host, int pid, const Process& process) {
  auto& entry = host.processes.alive[pid];
  if (entry.name.empty()) entry.name = process.name;
  if (entry.unit.empty()) entry.unit = process.unit;
  entry.paths.insert(entry.paths.end(), process.paths.begin(), process.paths.end());
  show(host, pid, entry);
}

void end_process(Host& host, int pid) {
  host.processes.alive.erase(pid);
  host.tree.remove(directory_of(pid));
  host.changed();
}

bool is_held(const Host& host, const Device& device) {
  auto holds = [&](const std::string& path) {
    return std::ranges::find(device.nodes, path) != device.nodes.end();
  };
  return std::ranges::any_of(host.processes.alive, [&](const auto& entry) {
    return std::ranges::any_of(entry.second.paths, holds);
  });
}

}  // namespace tessera::fakehost
