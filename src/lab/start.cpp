// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cerrno>
#include <fstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "base/unix_socket.h"
#include "lab/client.h"
#include "lab/instance.h"
#include "lab/prepare.h"
#include "lab/saved_state.h"
#include "lab/supervisor.h"

namespace tessera::lab {
namespace {

constexpr Milliseconds boot_time = std::chrono::minutes(3);
constexpr Milliseconds resume_time = std::chrono::seconds(30);
constexpr Milliseconds stop_patience = std::chrono::seconds(20);
constexpr Milliseconds time_to_save = std::chrono::seconds(60);
constexpr std::size_t lines_of_console = 8;
constexpr int socket_backlog = 8;

/// Carries one start from step to step.
class Starter {
 public:
  Starter(const Places& places, const LabSpec& spec, const StartOptions& options)
      : places_(places), spec_(spec), options_(options), files_(places, spec.name) {}

  Result<Started> start() {
    TRY(make_folder());
    TRY_LET(Fd lock, take_lock());
    TRY_LET(prepared_, prepare(places_, spec_, options_));
    state_ = state_of(places_, spec_, prepared_.outside);
    if (options_.boot == Boot::resume_if_saved && state_ && is_saved(*state_)) {
      say("resuming the saved host");
      auto resumed = bring_up(std::move(lock), resume_arguments(*state_));
      if (resumed) return resumed;
      say(fmt::format("that did not work ({}); booting", one_line(resumed.error())));
      forget_state(*state_);
      TRY_LET(lock, take_lock());
    }
    TRY_LET(Started started, bring_up(std::move(lock), {}));
    return started;
  }

 private:
  void say(std::string_view line) const {
    if (options_.progress) options_.progress(line);
  }

  Status make_folder() const {
    // The state folder may lie in a directory that everybody can write to: it must be ours alone.
    if (mkdir(places_.state.c_str(), 0700) != 0 && errno != EEXIST)
      return fail(error_from_errno(errno, places_.state, "make"));
    struct stat info {};
    if (lstat(places_.state.c_str(), &info) != 0 || !S_ISDIR(info.st_mode) ||
        info.st_uid != geteuid() || (info.st_mode & 077) != 0)
      return fail(ErrorKind::denied, places_.state, "this folder is not ours alone",
                  "remove it, or set XDG_RUNTIME_DIR to a private folder");
    for (const std::string& folder : {files_.folder, files_.xfer})
      if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
        return fail(error_from_errno(errno, folder, "make"));
    return {};
  }

  // An open-file-description lock: it lives on in the supervisor, which inherits the descriptor.
  Result<Fd> take_lock() const {
    Fd fd(open(files_.lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd.valid()) return fail(error_from_errno(errno, files_.lock, "open"));
    struct flock lock {};
    lock.l_type = F_WRLCK;
    if (fcntl(fd.get(), F_OFD_SETLK, &lock) != 0)
      return fail(ErrorKind::busy, spec_.name, "this host is running already",
                  fmt::format("tessera lab run {} -- COMMAND, or tessera lab down {}", spec_.name,
                              spec_.name));
    for (const std::string& old : {files_.note, files_.end_note, files_.serial_log, files_.qemu_log,
                                   files_.agent_socket, files_.qmp_socket, files_.stuck})
      unlink(old.c_str());
    return fd;
  }

  /// Starts QEMU and waits until the host is entered. `more` is empty for a boot.
  Result<Started> bring_up(Fd lock, const std::vector<std::string>& more) {
    TRY_LET(Started started, launch(std::move(lock), more));
    auto up = enter(started.instance, more.empty());
    if (up) return started;
    (void)stop(places_, spec_.name, Deadline::in(stop_patience));  // best effort: it may be gone
    return std::unexpected(with_last_words(std::move(up.error())));
  }

  Result<Started> launch(Fd lock, const std::vector<std::string>& more) {
    Watch watch;
    watch.qemu = qemu_arguments(spec_, prepared_.outside);
    watch.qemu.insert(watch.qemu.end(), more.begin(), more.end());
    watch.helpers = prepared_.card_servers;
    TRY_LET(watch.agent_socket, listen_unix(files_.agent_socket, socket_backlog));
    TRY_LET(watch.qmp_socket, listen_unix(files_.qmp_socket, socket_backlog));
    watch.lock = std::move(lock);
    watch.deadline = std::chrono::seconds(options_.deadline_s.value_or(spec_.deadline_s));
    watch.log = files_.qemu_log;
    watch.end_note = files_.end_note;
    Started started;
    if (options_.lifetime == Lifetime::callers) {
      int ends[2];
      if (pipe2(ends, O_CLOEXEC) != 0) return fail(error_from_errno(errno, "pipe", "make"));
      watch.lifeline = Fd(ends[0]);
      started.lifeline = Fd(ends[1]);
    }
    started.instance = {spec_.name, -1, std::time(nullptr),
                        static_cast<int>(watch.deadline.count() / 1000),
                        std::string(to_string(prepared_.outside.accelerator))};
    TRY_LET(started.instance.supervisor, supervise(std::move(watch)));
    TRY(write_note(started.instance));
    return started;
  }

  Status write_note(const Instance& instance) const {
    nlohmann::json note{{"host", instance.host},
                        {"supervisor", instance.supervisor},
                        {"started", instance.started},
                        {"deadline_s", instance.deadline_s},
                        {"accelerator", instance.accelerator}};
    std::string fresh = files_.note + ".new";
    std::ofstream(fresh) << note.dump(2) << '\n';
    if (rename(fresh.c_str(), files_.note.c_str()) != 0)
      return fail(error_from_errno(errno, files_.note, "write"));
    return {};
  }

  Status enter(const Instance& instance, bool booted) {
    Deadline deadline = Deadline::in(std::min<Milliseconds>(
        booted ? boot_time : resume_time, std::chrono::seconds(instance.deadline_s)));
    TRY(AgentClient::connect(files_.agent_socket, deadline));
    if (booted && state_) save();
    TRY_LET(auto client, AgentClient::connect(files_.agent_socket, deadline));
    return client.enter(deadline);
  }

  /// For the next time; this time goes on without it.
  void save() const {
    auto saved = save_state(*state_, files_.qmp_socket, Deadline::in(time_to_save));
    say(saved ? "saved, so that the next start takes a second"
              : fmt::format("could not be saved: {}", one_line(saved.error())));
  }

  Error with_last_words(Error error) const {
    error.subject = spec_.name;
    for (const std::string& log : {files_.qemu_log, files_.serial_log}) {
      std::string last = last_lines(log);
      if (!last.empty()) error.sentence += fmt::format("; the end of {}:\n{}", log, last);
    }
    return error;
  }

  static std::string last_lines(const std::string& file) {
    std::ifstream stream(file, std::ios::binary);
    std::string text(std::istreambuf_iterator<char>(stream), {});
    auto all = text::lines(text);
    std::vector<std::string> last;
    for (std::size_t i = all.size() - std::min(all.size(), lines_of_console); i < all.size(); ++i)
      last.push_back("  " + text::printable(text::trim(all[i])));
    return text::join(last, "\n");
  }

  const Places& places_;
  const LabSpec& spec_;
  const StartOptions& options_;
  InstanceFiles files_;
  Prepared prepared_;
  std::optional<SavedState> state_;  ///< where this host's is kept; none: it cannot be saved
};

}  // namespace

Result<Started> start(const Places& places, const LabSpec& spec, const StartOptions& options) {
  return Starter(places, spec, options).start();
}

}  // namespace tessera::lab
