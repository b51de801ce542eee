// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace tessera::fakehost {

class Host;
struct Device;

/// A process that holds device files, shown in /proc while it lives.
struct Process {
  std::string name;
  std::string unit;
  std::vector<std::string> paths;
};

struct Processes {
  std::map<int, Process> alive;
  std::map<int, Process> stopped;  ///< gone with their unit, back when it is started
};

void add_holder(Host& host, int pid, const Process& process);
void end_process(Host& host, int pid);
/// Whether a living process has one of the device's files open.
bool is_held(const Host& host, const Device& device);

}  // namespace tessera::fakehost
