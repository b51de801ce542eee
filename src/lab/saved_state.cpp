// SPDX-License-Identifier: Apache-2.0
#include "lab/saved_state.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <system_error>
#include <thread>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "hypervisor/qmp.h"

namespace tessera::lab {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t most_states = 20;  // some 30 MB each

bool can_be_saved(const LabSpec& spec) {
  if (spec.iommu == Iommu::amd_vi) return false;
  const bool cards = std::ranges::all_of(spec.cards, [](const LabCard& card) {
    return card.model != CardModel::identity && card.model != CardModel::ati;
  });
  return cards && std::ranges::all_of(spec.devices, [](const LabDevice& device) {
           return device.kind != DeviceKind::nvme && device.kind != DeviceKind::edu;
         });
}

/// A file's name, size and time of change.
std::string version_of(const std::string& file) {
  struct stat it {};
  if (::stat(file.c_str(), &it) != 0) return file + " is not there";
  return fmt::format("{} {} {}.{}", file, it.st_size, it.st_mtim.tv_sec, it.st_mtim.tv_nsec);
}

std::string describe(const LabSpec& spec, const Outside& outside) {
  Outside same_each_time = outside;
  same_each_time.xfer = "XFER";
  same_each_time.serial_log = "SERIAL";
  same_each_time.sockets = "SOCKETS";
  auto words = qemu_arguments(spec, same_each_time);
  words.push_back(fmt::format("QEMU {}", outside.qemu_version));
  words.push_back(version_of(outside.kernel));
  return text::join(words, "\n") + "\n";
}

/// FNV-1a: only a name; the description is compared in full.
std::uint64_t hash(std::string_view text) {
  std::uint64_t value = 0xcbf29ce484222325;
  for (char c : text) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return value;
}

std::string description_file(const SavedState& state) {
  return fs::path(state.file).replace_extension(".txt");
}

std::string quoted_for_shell(const std::string& word) {
  std::string quoted = "'";
  for (char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

void remove_the_oldest(const fs::path& folder) {
  std::vector<fs::path> states;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.path().extension() == ".zst") states.push_back(entry.path());
  }
  if (states.size() <= most_states) return;
  std::ranges::sort(states, std::ranges::greater{},
                    [&](const fs::path& path) { return fs::last_write_time(path, ignored); });
  for (std::size_t i = most_states; i < states.size(); ++i) {
    forget_state({states[i].string(), {}});
  }
}

/// Waits until QEMU has written the whole state, or says that it failed.
Status wait_for_migration(hypervisor::Qmp& qmp, Deadline deadline) {
  for (;;) {
    TRY_LET(const json state, qmp.execute("query-migrate", json::object(), deadline));
    const std::string status = state.value("status", "");
    if (status == "completed") return {};
    if (status == "failed" || status == "cancelled") {
      return fail(ErrorKind::invalid, "query-migrate",
                  fmt::format("QEMU could not save the host: {}",
                              state.value("error-desc", "it does not say why")));
    }
    TRY(qmp.wait_for_event("MIGRATION", deadline));
  }
}

Status write_state(hypervisor::Qmp& qmp, const std::string& file, Deadline deadline) {
  const json events{{{"capability", "events"}, {"state", true}}};
  TRY(qmp.execute("migrate-set-capabilities", {{"capabilities", events}}, deadline));
  const json fast{{"max-bandwidth", std::numeric_limits<std::int64_t>::max()}};
  TRY(qmp.execute("migrate-set-parameters", fast, deadline));
  const std::string write = fmt::format("exec:zstd -q -1 -c > {}", quoted_for_shell(file));
  TRY(qmp.execute("migrate", {{"uri", write}}, deadline));
  return wait_for_migration(qmp, deadline);
}

/// Lets the host run on. QEMU says that the state is written a moment before it takes `cont` again
/// (its run state is still finish-migrate, and no event tells when it is not): asked again until
/// then.
Status run_on(hypervisor::Qmp& qmp, Deadline deadline) {
  for (;;) {
    auto done = qmp.execute("cont", json::object(), deadline);
    if (done) return {};
    const bool too_early = done.error().sentence.find("not finalized") != std::string::npos;
    if (!too_early || deadline.passed()) return fail(std::move(done.error()));
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

}  // namespace

std::optional<SavedState> state_of(const Places& places, const LabSpec& spec,
                                   const Outside& outside) {
  if (outside.accelerator == Accelerator::kvm || !can_be_saved(spec)) return std::nullopt;
  SavedState state;
  state.description = describe(spec, outside);
  state.file =
      fmt::format("{}/states/{}-{:016x}.zst", places.cache, spec.name, hash(state.description));
  return state;
}

bool is_saved(const SavedState& state) {
  std::ifstream text(description_file(state), std::ios::binary);
  const std::string of(std::istreambuf_iterator<char>(text), {});
  std::error_code error;
  if (of != state.description || !fs::exists(state.file, error)) return false;
  fs::last_write_time(state.file, fs::file_time_type::clock::now(), error);
  return true;
}

std::vector<std::string> resume_arguments(const SavedState& state) {
  return {"-incoming", fmt::format("exec:zstd -qdc {}", quoted_for_shell(state.file))};
}

Status save_state(const SavedState& state, const std::string& qmp_socket, Deadline deadline) {
  const fs::path folder = fs::path(state.file).parent_path();
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return fail(error_from_errno(error.value(), folder.string(), "create"));
  const std::string fresh = fmt::format("{}.{}.new", state.file, ::getpid());
  TRY_LET(auto qmp, hypervisor::Qmp::connect(qmp_socket, deadline));
  // Not stopped first: a host saved as stopped is stopped when it is resumed.
  auto written = write_state(qmp, fresh, deadline);
  TRY(run_on(qmp, deadline));
  if (written) {
    std::ofstream(description_file(state), std::ios::binary) << state.description;
    fs::rename(fresh, state.file, error);
    remove_the_oldest(folder);
  } else {
    fs::remove(fresh, error);
  }
  return written;
}

void forget_state(const SavedState& state) {
  std::error_code ignored;
  fs::remove(state.file, ignored);
  fs::remove(description_file(state), ignored);
}

}  // namespace tessera::lab
