// SPDX-License-Identifier: Apache-2.0
#include "lab/instance.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "hypervisor/qmp.h"
#include "kernel/child_process.h"

namespace tessera::lab {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr Milliseconds picture_time{10000};

std::optional<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

/// Whether a supervisor holds the lock, without ever taking it ourselves.
bool locked(const std::string& path) {
  Fd fd(open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (!fd.valid()) return false;
  struct flock lock {};
  lock.l_type = F_WRLCK;
  return fcntl(fd.get(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

std::optional<Instance> read_note(const InstanceFiles& files) {
  auto text = read_file(files.note);
  json note = json::parse(text.value_or(""), nullptr, false);
  if (!note.is_object()) return std::nullopt;
  Instance instance;
  instance.host = note.value("host", "");
  instance.supervisor = note.value("supervisor", -1);
  instance.started = note.value("started", std::time_t{0});
  instance.deadline_s = note.value("deadline_s", 0);
  instance.accelerator = note.value("accelerator", "");
  return instance;
}

std::vector<std::string> spec_names(const Places& places) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(places.hosts, ignored))
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem());
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

std::string source_folder() {
#ifdef TESSERA_LAB_SOURCE_DIR
  return TESSERA_LAB_SOURCE_DIR;
#else
  return "";
#endif
}

InstanceFiles::InstanceFiles(const Places& places, std::string_view host)
    : folder(fmt::format("{}/{}", places.state, host)),
      agent_socket(folder + "/agent.sock"),
      qmp_socket(folder + "/qmp.sock"),
      serial_log(folder + "/serial.log"),
      qemu_log(folder + "/qemu.log"),
      xfer(folder + "/xfer"),
      lock(folder + "/lock"),
      note(folder + "/instance.json"),
      end_note(folder + "/ended"),
      stuck(folder + "/stuck.txt") {}

Result<LabSpec> load_spec(const Places& places, const std::string& host) {
  auto names = spec_names(places);
  if (std::find(names.begin(), names.end(), host) == names.end()) {
    auto near = text::nearest(host, names);
    return fail(ErrorKind::not_found, host, fmt::format("no such host in {}", places.hosts),
                near ? fmt::format("did you mean '{}'?", *near)
                     : "`tessera lab list` shows the hosts there are");
  }
  std::string file = fmt::format("{}/{}.yaml", places.hosts, host);
  auto yaml = read_file(file);
  if (!yaml) return fail(error_from_errno(errno, file, "read"));
  TRY_LET(LabSpec spec, parse_spec(*yaml, file));
  if (spec.name != host)
    return fail(ErrorKind::invalid, file, fmt::format("the name in it is '{}'", spec.name),
                "name the file NAME.yaml");
  return spec;
}

Result<std::vector<LabSpec>> load_specs(const Places& places) {
  std::vector<LabSpec> specs;
  for (const std::string& name : spec_names(places)) {
    TRY_LET(LabSpec spec, load_spec(places, name));
    specs.push_back(std::move(spec));
  }
  if (specs.empty())
    return fail(ErrorKind::not_found, places.hosts, "there are no host specs in this folder",
                "set TESSERA_LAB_DIR or give --hosts");
  return specs;
}

std::vector<Instance> running(const Places& places) {
  std::vector<Instance> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(places.state, ignored)) {
    InstanceFiles files(places, entry.path().filename().string());
    if (!locked(files.lock)) continue;
    if (auto instance = read_note(files)) found.push_back(std::move(*instance));
  }
  std::sort(found.begin(), found.end(),
            [](const Instance& a, const Instance& b) { return a.host < b.host; });
  return found;
}

Result<Instance> find_running(const Places& places, const std::string& host) {
  InstanceFiles files(places, host);
  if (locked(files.lock))
    if (auto instance = read_note(files)) return std::move(*instance);
  auto why = read_file(files.end_note);
  return fail(ErrorKind::not_found, host,
              why ? fmt::format("this host does not run; last time {}", text::trim(*why))
                  : "this host does not run",
              fmt::format("tessera lab up {}", host));
}

Status stop(const Places& places, const std::string& host, Deadline deadline) {
  TRY_LET(Instance instance, find_running(places, host));
  Fd pidfd = kernel::open_pidfd(instance.supervisor);
  if (!pidfd.valid() && errno == ESRCH) return {};
  if (!pidfd.valid()) return fail(error_from_errno(errno, host, "find the supervisor of"));
  kernel::send_signal(pidfd, SIGTERM);
  if (kernel::wait_for_end(pidfd, deadline)) return {};
  return fail(
      ErrorKind::timeout, host,
      fmt::format("the host does not end; its supervisor is process {}", instance.supervisor));
}

Status take_picture(const Places& places, const LabSpec& spec, const std::string& card,
                    const std::string& png) {
  std::vector<std::string> ids;
  for (const LabCard& known : spec.cards) ids.push_back(known.id);
  if (std::find(ids.begin(), ids.end(), card) == ids.end())
    return fail(ErrorKind::not_found, card, fmt::format("the host {} has no such card", spec.name),
                fmt::format("its cards are: {}", text::join(ids, ", ")));
  TRY(find_running(places, spec.name));
  Deadline deadline = Deadline::in(picture_time);
  TRY_LET(auto qmp,
          hypervisor::Qmp::connect(InstanceFiles(places, spec.name).qmp_socket, deadline));
  json arguments{{"filename", fs::absolute(png).string()}, {"device", card}, {"format", "png"}};
  TRY(qmp.execute("screendump", arguments, deadline));
  return {};
}

}  // namespace tessera::lab
