// SPDX-License-Identifier: Apache-2.0
#include "kernel/processes.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <optional>

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/text.h"
#include "kernel/child_process.h"
#include "kernel/files.h"
#include "kernel/uevent.h"

namespace tessera::kernel {

namespace {

// --- who holds what ---

std::optional<int> process_id(std::string_view name) {
  int pid = 0;
  auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
  if (error != std::errc{} || end != name.data() + name.size() || pid <= 0) return std::nullopt;
  return pid;
}

/// Whether a descriptor's target is a device somebody could be in the way with.
bool is_device(std::string_view target) {
  if (target == "anon_inode:[vfio-device]" || target == files::kvm_machine) return true;
  constexpr std::string_view dev = "/dev/";
  if (!target.starts_with(dev)) return false;
  auto name = target.substr(dev.size());
  constexpr std::array<std::string_view, 6> plain = {"null",   "zero",    "full",
                                                     "random", "urandom", "ptmx"};
  constexpr std::array<std::string_view, 6> below = {"tty",        "pts/",    "shm/",
                                                     "hugepages/", "mqueue/", "pts"};
  return std::find(plain.begin(), plain.end(), name) == plain.end() &&
         std::none_of(below.begin(), below.end(), [&](auto s) { return name.starts_with(s); });
}

bool is_unit(std::string_view piece) {
  return piece.ends_with(".service") || piece.ends_with(".scope") || piece.ends_with(".socket");
}

/// "0::/system.slice/display.service/worker" is of display.service.
std::string unit_of(std::string_view cgroup) {
  for (auto line : text::lines(cgroup)) {
    auto pieces = text::split(line, '/');
    auto unit = std::find_if(pieces.rbegin(), pieces.rend(), is_unit);
    if (unit != pieces.rend()) return std::string(*unit);
  }
  return {};
}

enum class Sight { seen, hidden, gone };

Sight device_paths(const Root& root, int pid, std::vector<std::string>& paths) {
  auto directory = files::process(pid, "fd");
  auto descriptors = root.list(directory);
  if (!descriptors) {
    return descriptors.error().kind == ErrorKind::denied ? Sight::hidden : Sight::gone;
  }
  for (const auto& descriptor : *descriptors) {
    auto target = root.read_link(fmt::format("{}/{}", directory, descriptor));
    if (!target && target.error().kind == ErrorKind::denied) return Sight::hidden;
    if (target && is_device(*target)) paths.push_back(std::move(*target));
  }
  std::sort(paths.begin(), paths.end());
  paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
  return Sight::seen;
}

// --- ending a process ---

std::string process_subject(int pid) {
  return fmt::format("process {}", pid);
}

std::unexpected<Error> did_not_end(int pid) {
  return fail(ErrorKind::timeout, process_subject(pid),
              "it was asked to end (SIGTERM) and still runs",
              fmt::format("`kill -KILL {}` ends it without asking", pid));
}

Status stop_live(int pid, Deadline deadline) {
  Fd pidfd = open_pidfd(pid);
  if (!pidfd.valid()) {
    if (errno == ESRCH) return {};
    return fail(error_from_errno(errno, process_subject(pid), "watch"));
  }
  if (int problem = send_signal(pidfd, SIGTERM); problem != 0) {
    if (problem == ESRCH) return {};
    return fail(error_from_errno(problem, process_subject(pid), "send SIGTERM to"));
  }
  if (!wait_for_end(pidfd, deadline)) return did_not_end(pid);
  return {};
}

Status ask_rehearsal(const Root& root, std::string_view order, std::string_view subject,
                     Deadline deadline) {
  if (root.kind() != Root::Kind::directory || !root.exists(files::rehearsal_signal)) {
    return fail(ErrorKind::unsupported, std::string(subject),
                fmt::format("{} has no running processes", root.location()));
  }
  return root.write(files::rehearsal_signal, fmt::format("{}\n", order), deadline);
}

// --- systemctl ---

std::string what_it_said(int fd) {
  std::array<char, 2048> said;
  ssize_t size = ::pread(fd, said.data(), said.size(), 0);
  if (size <= 0) return "nothing";
  return text::printable(text::trim({said.data(), static_cast<std::size_t>(size)}));
}

/// Whether it ended before the deadline; it is reaped in any case.
bool ends_in_time(const ChildProcess& child, Deadline deadline, ProcessEnd& end) {
  bool in_time = wait_for_end(child.pidfd, deadline);
  if (!in_time) send_signal(child.pidfd, SIGKILL);
  end = reap(child.pidfd);
  return in_time;
}

Status systemctl(const std::string& verb, const std::string& unit, Deadline deadline) {
  // A file in memory, not a pipe: it cannot fill up and block systemctl while we wait.
  Fd said(::memfd_create("systemctl-stderr", MFD_CLOEXEC));
  if (!said.valid()) return fail(error_from_errno(errno, unit, "run systemctl for"));
  auto child = spawn({.argv = {"systemctl", "--no-ask-password", verb, "--", unit},
                      .output_fd = -1,
                      .error_fd = said.get(),
                      .session = SpawnRequest::Session::ours});
  if (!child && child.error().kind == ErrorKind::not_found) {
    return fail(ErrorKind::unsupported, unit, "there is no systemctl on this host");
  }
  if (!child) return fail(std::move(child.error()));
  ProcessEnd end;
  if (!ends_in_time(*child, deadline, end)) {
    return fail(ErrorKind::timeout, unit, fmt::format("systemctl {} has not finished", verb),
                fmt::format("`systemctl status {}` shows what it does", unit));
  }
  if (end.as_shell_code() == 0) return {};
  return fail(ErrorKind::io, unit,
              fmt::format("systemctl {} failed: {}", verb, what_it_said(said.get())),
              fmt::format("`systemctl status {}` shows more", unit));
}

Status order_unit(const Root& root, const std::string& verb, const std::string& unit,
                  Deadline deadline) {
  if (unit.empty() || unit.starts_with('-') || unit != text::printable(unit)) {
    return fail(ErrorKind::invalid, text::printable(unit), "it is not the name of a systemd unit");
  }
  if (root.kind() == Root::Kind::live) return systemctl(verb, unit, deadline);
  auto order = fmt::format("{} {}", verb == "stop" ? "STOP" : "START", unit);
  return ask_rehearsal(root, order, unit, deadline);
}

}  // namespace

OpenDeviceScan scan_open_devices(const Root& root) {
  OpenDeviceScan scan;
  auto entries = root.list(files::proc);
  if (!entries) return scan;
  for (const auto& entry : *entries) {
    auto pid = process_id(entry);
    if (!pid) continue;
    OpenDevices found = {.pid = *pid, .name = {}, .unit = {}, .paths = {}};
    if (device_paths(root, *pid, found.paths) == Sight::hidden) ++scan.unreadable;
    if (found.paths.empty()) continue;
    auto name = root.read(files::process(*pid, "comm"));
    auto cgroup = root.read(files::process(*pid, "cgroup"));
    if (name) found.name = text::trim(*name);
    if (cgroup) found.unit = unit_of(*cgroup);
    scan.processes.push_back(std::move(found));
  }
  std::sort(scan.processes.begin(), scan.processes.end(),
            [](const auto& a, const auto& b) { return a.pid < b.pid; });
  return scan;
}

Status stop_process(const Root& root, int pid, Deadline deadline) {
  if (pid <= 1) {
    return fail(ErrorKind::invalid, process_subject(pid), "it is not a process that can be ended");
  }
  if (root.kind() == Root::Kind::live) return stop_live(pid, deadline);
  TRY_LET(auto listener, UeventListener::open(root));
  auto asked = ask_rehearsal(root, fmt::format("TERM {}", pid), process_subject(pid), deadline);
  if (!asked && asked.error().kind == ErrorKind::not_found) return {};
  TRY(asked);
  auto gone = [&] { return !root.exists(files::process(pid, {})); };
  if (!listener.wait_until(gone, deadline)) return did_not_end(pid);
  return {};
}

Status stop_unit(const Root& root, const std::string& unit, Deadline deadline) {
  return order_unit(root, "stop", unit, deadline);
}

Status start_unit(const Root& root, const std::string& unit, Deadline deadline) {
  return order_unit(root, "start", unit, deadline);
}

}  // namespace tessera::kernel
