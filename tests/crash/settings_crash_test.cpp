// SPDX-License-Identifier: Apache-2.0
//
// Kills the engine at every journaled step of changes to settings files, and looks whether recovery
// leaves the former text or the new one, whole, with nothing beside it. Prints "N crash points, N
// recovered". Works in a plain folder, and on the fake host.
//
//   settings_crash_test [--recording FILE --fakehost BINARY]
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apply/executor.h"
#include "base/test_directory.h"
#include "harness/test_host.h"
#include "kernel/files.h"
#include "plan/slices/definitions.h"
#include "probe/slices/definitions.h"

namespace {

namespace fs = std::filesystem;
using namespace tessera;

constexpr const char* parent = "mdpy";
constexpr int killed = -SIGKILL;
constexpr int cannot_run_here = 77;

class Silent : public apply::Progress {
 public:
  void operation_begins(const model::Operation&, apply::Direction) override {}
  void step_done(const model::Step&, Milliseconds) override {}
  void step_skipped(const model::Step&) override {}
};

model::MdevDefinition definition(char digit, const std::string& type) {
  const std::string text(12, digit);
  return {*parse_uuid("83c32df7-d52e-4ec1-9668-" + text),
          parent,
          type,
          model::MdevDefinition::Start::automatic,
          {{"vgpu_params", "frame_rate_limiter=0"}}};
}

std::string path_of(const model::MdevDefinition& one) {
  return kernel::files::mdev_definition(one.parent, to_string(one.uuid));
}

/// Everything below /etc/mdevctl.d: path and text; folders with an empty text and a slash.
using Settings = std::map<std::string, std::string>;

class Host {
 public:
  explicit Host(std::optional<harness::TestHost> fake)
      : fake_(std::move(fake)), top_(fake_ ? fake_->root() : plain_.real()) {}

  [[nodiscard]] Settings settings() const {
    Settings all;
    const fs::path folder = top_ + std::string(kernel::files::mdev_definitions);
    if (!fs::exists(folder)) return all;
    all["/"] = "";
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      const auto name = entry.path().lexically_relative(folder).string();
      if (entry.is_directory()) {
        all[name + "/"] = "";
        continue;
      }
      std::ifstream file(entry.path(), std::ios::binary);
      all[name] = {std::istreambuf_iterator<char>(file), {}};
    }
    return all;
  }

  /// What a write that was cut off in the middle leaves; the engine cannot be killed there.
  void leave_unfinished(const model::MdevDefinition& one) const {
    const fs::path file = top_ + path_of(one);
    if (!fs::exists(file.parent_path())) return;
    std::ofstream(file.parent_path() / fmt::format(".{}.unfinished", file.filename().string()))
        << "{ \"mdev_ty";
  }

  /// Runs `work` in a process of its own, killed at crash point `point` (0: never). Its exit
  /// status, or `killed`.
  int run(int point, const std::function<Status(const kernel::Root&, apply::Executor&)>& work) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::setenv("TESSERA_CRASH_POINT", std::to_string(point).c_str(), 1);
      ::_exit(in_child(work));
    }
    int status = 0;
    if (child < 0 || ::waitpid(child, &status, 0) != child) return 99;
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
  }

 private:
  int in_child(const std::function<Status(const kernel::Root&, apply::Executor&)>& work) const {
    auto root = kernel::Root::open(top_);
    auto journal = apply::Journal::open(state_.real(), apply::Journal::Mode::write);
    auto lock = apply::Lock::take(state_.real(), "a crash", Deadline::in(Milliseconds(0)));
    if (!root || !journal || !lock) return 98;
    Silent silent;
    auto executor = apply::Executor::create(*root, *journal, *lock, silent);
    if (!executor) return 97;
    auto done = work(*root, *executor);
    if (done) return 0;
    fmt::print(stderr, "{}\n", one_line(done.error()));
    return 1;
  }

  TestDirectory plain_;
  TestDirectory state_;
  std::optional<harness::TestHost> fake_;
  std::string top_;
};

// --- what is done

using Work = std::function<Status(const kernel::Root&, apply::Executor&)>;

Status carry_out(const kernel::Root& root, apply::Executor& executor,
                 const std::vector<model::MdevDefinition>& defined,
                 const std::vector<model::MdevDefinition>& undefined) {
  model::Plan plan;
  plan.title = "definitions";
  const auto add = [&](const model::MdevDefinition& one, bool define) -> Status {
    TRY_LET(const auto now, probe::read_file_state(root, path_of(one)));
    TRY_LET(const auto operations,
            define ? plan::define_mdev(now, one) : plan::undefine_mdev(now, one.uuid));
    plan.operations.insert(plan.operations.end(), operations.begin(), operations.end());
    return {};
  };
  for (const auto& one : defined) TRY(add(one, true));
  for (const auto& one : undefined) TRY(add(one, false));
  TRY(executor.apply(plan));
  return {};
}

Work define(std::vector<model::MdevDefinition> all) {
  return [=](const auto& root, auto& executor) { return carry_out(root, executor, all, {}); };
}

Work undefine(std::vector<model::MdevDefinition> all) {
  return [=](const auto& root, auto& executor) { return carry_out(root, executor, {}, all); };
}

Work undo(std::int64_t id) {
  return [=](const auto&, auto& executor) { return executor.undo(id); };
}

Status recover(const kernel::Root&, apply::Executor& executor) {
  TRY_LET(const auto all, executor.recover());
  for (const auto& one : all) {
    if (one.now == apply::PlanState::failed) return fail(ErrorKind::io, one.title, one.note);
  }
  return {};
}

/// A change, what is done before it to get there, and where that is cut off (0: nowhere).
struct Scenario {
  std::string name;
  std::vector<Work> before;
  Work change;
  int cut_off_last_before = 0;
  /// It writes a file that may not be there yet: the write itself may be cut off.
  bool makes_a_file = false;
};

std::vector<Scenario> scenarios() {
  const auto one = definition('1', "mdpy-vga");
  const auto two = definition('2', "mdpy-xga");
  auto other = one;
  other.mdev_type = "mdpy-hd";
  return {
      {"define", {}, define({one}), 0, true},
      {"define two", {}, define({one, two}), 0, true},
      {"define again", {define({one})}, define({other})},
      {"undefine", {define({one, two})}, undefine({two, one})},
      {"undo of define", {define({one, two})}, undo(1)},
      {"undo of define again", {define({one}), define({other})}, undo(2)},
      {"undo of undefine", {define({one}), undefine({one})}, undo(2), 0, true},
      // The second death: recover itself is killed, and run again.
      {"recover of define", {define({one, two})}, recover, 5},
      {"recover of undefine", {define({one, two}), undefine({one, two})}, recover, 4, true},
  };
}

class SettingsCrashTest {
 public:
  SettingsCrashTest(std::string recording, std::string fakehost)
      : recording_(std::move(recording)), fakehost_(std::move(fakehost)) {}

  int run() {
    for (const auto& scenario : scenarios()) {
      const int before = points_;
      if (!run_scenario(scenario)) return 1;
      fmt::print("{}: {} crash points\n", scenario.name, points_ - before);
    }
    fmt::print("{} crash points, {} recovered\n", points_, recovered_);
    return points_ == recovered_ && points_ > 0 ? 0 : 1;
  }

 private:
  std::unique_ptr<Host> fresh_host() const {
    if (fakehost_.empty()) return std::make_unique<Host>(std::nullopt);
    auto fake = harness::TestHost::fake(recording_, fakehost_, "/bin/true");
    if (fake) return std::make_unique<Host>(std::move(*fake));
    fmt::print(stderr, "{}\n", one_line(fake.error()));
    return nullptr;
  }

  static bool prepare(Host& host, const Scenario& scenario) {
    for (std::size_t i = 0; i < scenario.before.size(); ++i) {
      const bool last = i + 1 == scenario.before.size();
      const int cut_off = last ? scenario.cut_off_last_before : 0;
      const int status = host.run(cut_off, scenario.before[i]);
      if (status == (cut_off == 0 ? 0 : killed)) continue;
      fmt::print(stderr, "{}: step {} before it ended with {}\n", scenario.name, i, status);
      return false;
    }
    return true;
  }

  /// The settings before the change (for recover: before what was cut off) and after it.
  bool learn_ends(const Scenario& scenario, std::vector<Settings>& ends) const {
    auto host = fresh_host();
    if (host == nullptr) return false;
    for (std::size_t i = 0; i < scenario.before.size(); ++i) {
      if (scenario.cut_off_last_before != 0 && i + 1 == scenario.before.size()) {
        ends.push_back(host->settings());
      }
      if (host->run(0, scenario.before[i]) != 0) return false;
    }
    ends.push_back(host->settings());
    if (host->run(0, scenario.change) != 0) return false;
    ends.push_back(host->settings());
    return true;
  }

  /// Dies at crash point 1, 2, ... until the change ends by itself.
  bool run_scenario(const Scenario& scenario) {
    std::vector<Settings> ends;
    if (!learn_ends(scenario, ends)) {
      fmt::print(stderr, "{} does not work even without a crash\n", scenario.name);
      return false;
    }
    for (int point = 1;; ++point) {
      auto host = fresh_host();
      if (host == nullptr || !prepare(*host, scenario)) return false;
      const int status = host->run(point, scenario.change);
      if (status == 0) return true;
      if (status != killed) return false;
      ++points_;
      recovered_ += recovers(*host, scenario, point, ends) ? 1 : 0;
    }
  }

  static bool recovers(Host& host, const Scenario& scenario, int point,
                       const std::vector<Settings>& ends) {
    const Settings found = host.settings();
    const auto one = definition('1', "");
    if (scenario.makes_a_file &&
        !found.contains(fmt::format("{}/{}", parent, to_string(one.uuid)))) {
      host.leave_unfinished(one);
    }
    const int status = host.run(0, recover);
    const Settings now = host.settings();
    const bool known = std::ranges::find(ends, now) != ends.end();
    if (status == 0 && known) return true;
    fmt::print(stderr, "{}, crash point {}: recover ended with {}; there is\n", scenario.name,
               point, status);
    for (const auto& [name, text] : now) fmt::print(stderr, "  {}: {}\n", name, text);
    return false;
  }

  std::string recording_;
  std::string fakehost_;
  int points_ = 0;
  int recovered_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  std::string recording;
  std::string fakehost;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    if (name == "--recording") recording = argv[i + 1];
    if (name == "--fakehost") fakehost = argv[i + 1];
  }
  if (!fakehost.empty() && ::access("/dev/fuse", R_OK | W_OK) != 0) {
    fmt::print(stderr, "/dev/fuse is missing or closed to this user\n");
    return cannot_run_here;
  }
  return SettingsCrashTest(recording, fakehost).run();
}
