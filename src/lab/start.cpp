// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "base/unix_socket.h"
#include "kernel/files.h"
#include "lab/client.h"
#include "lab/instance.h"
#include "lab/qemu_args.h"
#include "lab/supervisor.h"
#include "lab/tool.h"

namespace tessera::lab {
namespace {

constexpr Milliseconds boot_time = std::chrono::minutes(3);
constexpr Milliseconds download_time = std::chrono::minutes(10);
constexpr Milliseconds short_time = std::chrono::seconds(20);
constexpr Milliseconds kvm_probe_time = std::chrono::seconds(4);
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
    TRY(choose_qemu());
    TRY(fetch_kernel());
    TRY(choose_accelerator());
    TRY(check_words());
    TRY(find_identity_cards());
    TRY_LET(Started started, launch(std::move(lock)));
    TRY(wait_for_agent(started.instance));
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
                                   files_.agent_socket, files_.qmp_socket})
      unlink(old.c_str());
    return fd;
  }

  static Result<int> qemu_version(const std::string& qemu) {
    TRY_LET(auto said, run_tool({{qemu, "--version"}, {}, {}, {}, {}}, Deadline::in(short_time)));
    auto words = text::words(said.out);
    auto version = std::find(words.begin(), words.end(), "version");
    if (said.exit_code != 0 || version == words.end() || version + 1 == words.end())
      return fail(ErrorKind::io, qemu, "this QEMU does not tell its version");
    auto parts = text::split(*(version + 1), '.');
    auto major = text::to_number(parts[0]);
    auto minor = parts.size() > 1 ? text::to_number(parts[1]) : 0;
    return static_cast<int>(major.value_or(0) * 100 + minor.value_or(0));
  }

  Status choose_qemu() {
    std::string system = places_.qemu.empty() ? "qemu-system-x86_64" : places_.qemu;
    std::string newer = places_.cache + "/qemu11/qemu-system-x86_64";
    int needed = needed_qemu(spec_);
    int found = 0;
    for (const std::string& qemu : {system, newer}) {
      auto version = qemu_version(qemu);
      if (!version) continue;
      found = std::max(found, *version);
      if (*version < needed) continue;
      outside_.qemu = qemu;
      say(fmt::format("QEMU {}.{}", *version / 100, *version % 100));
      return {};
    }
    if (found == 0)
      return fail(ErrorKind::not_found, "qemu-system-x86_64", "there is no QEMU on this machine",
                  "apt-get install qemu-system-x86");
    return fail(ErrorKind::unsupported, spec_.name,
                fmt::format("this host needs QEMU {}.{} or newer, the newest here is {}.{}",
                            needed / 100, needed % 100, found / 100, found % 100),
                places_.home + "/setup/qemu11.sh puts one into the cache, without installing it");
  }

  Result<std::string> script(const std::string& name, const std::vector<std::string>& arguments) {
    Command command;
    command.argv = {"/bin/sh", fmt::format("{}/{}", places_.home, name)};
    command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
    command.env["TESSERA_LAB_CACHE"] = places_.cache;
    TRY_LET(auto said, run_tool(command, Deadline::in(download_time),
                                [this](std::string_view line) { say(line); }));
    if (said.exit_code != 0)
      return fail(ErrorKind::io, command.argv[1],
                  fmt::format("the script failed: {}", text::trim(said.err)));
    return std::string(text::trim(said.out));
  }

  Status fetch_kernel() {
    TRY_LET(std::string folder, script("setup/kernel.sh", {}));
    std::string release;
    std::ifstream(folder + "/release") >> release;
    outside_.kernel = folder + "/vmlinuz";
    outside_.modules = fmt::format("{}/lib/modules/{}", folder, release);
    say(fmt::format("Linux {}", release));
    TRY_LET(outside_.initrd, script("init/make-initrd.sh", {folder}));
    return {};
  }

  // KVM can be there and not work (no permission, a foreign implementation that runs firmware but
  // no kernel): only the host's own kernel, run with the host's own options up to its panic, proves
  // it.
  bool kvm_works() const {
    if (access(std::string(kernel::files::dev_kvm).c_str(), R_OK | W_OK) != 0) return false;
    Command probe;
    probe.argv = {outside_.qemu,
                  "-M",
                  "q35,accel=kvm,kernel-irqchip=split",
                  "-cpu",
                  "host",
                  "-smp",
                  "2",
                  "-m",
                  "256",
                  "-nodefaults",
                  "-display",
                  "none",
                  "-no-reboot",
                  "-serial",
                  "stdio",
                  "-kernel",
                  outside_.kernel,
                  "-append",
                  "console=ttyS0 quiet panic=-1"};
    return tool_prints(probe, "Kernel panic", Deadline::in(kvm_probe_time));
  }

  Status choose_accelerator() {
    bool kvm = options_.accelerator.empty() ? kvm_works() : options_.accelerator == "kvm";
    outside_.accelerator = kvm ? Accelerator::kvm : Accelerator::tcg;
    say(kvm ? "KVM works" : "no usable KVM, QEMU translates (TCG)");
    return {};
  }

  Status check_words() {
    outside_.agent = places_.tessera;
    outside_.root = "/";
    outside_.xfer = files_.xfer;
    outside_.serial_log = files_.serial_log;
    outside_.sockets = files_.folder;
    for (const std::string& word : {outside_.kernel, outside_.initrd, outside_.modules,
                                    outside_.agent, outside_.xfer, outside_.qemu})
      if (word.find_first_of(" \t\n,") != std::string::npos)
        return fail(ErrorKind::invalid, word,
                    "the lab cannot use a path with a blank or a comma in it",
                    "set TESSERA_LAB_CACHE or XDG_RUNTIME_DIR, or move the tree");
    return {};
  }

  // One server process for each function of each identity card.
  Status find_identity_cards() {
    for (const LabCard& card : spec_.cards) {
      if (card.model != CardModel::identity) continue;
      std::string file = fmt::format("{}/identity/cards/{}.yaml", places_.home, card.shows);
      std::string server = places_.tools + "/tessera-identity-card";
      TRY_LET(auto said, run_tool({{server, "--card", file, "--list"}, {}, {}, {}, {}},
                                  Deadline::in(short_time)));
      if (said.exit_code != 0)
        return fail(ErrorKind::invalid, card.id, std::string(text::trim(said.err)),
                    fmt::format("ls {}/identity/cards", places_.home));
      int functions = static_cast<int>(text::lines(said.out).size()) - 1;  // the first is its name
      outside_.functions[card.id] = functions;
      for (int function = 0; function < functions; ++function)
        card_servers_.push_back(
            {server, "--card", file, "--function", fmt::format("{}", function), "--socket",
             identity_socket(outside_, card.id, function), "--control",
             fmt::format("{}/{}.{}.control", files_.folder, card.id, function)});
    }
    return {};
  }

  Result<Started> launch(Fd lock) {
    Watch watch;
    watch.qemu = qemu_arguments(spec_, outside_);
    watch.helpers = card_servers_;
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
                        std::string(to_string(outside_.accelerator))};
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

  Status wait_for_agent(const Instance& instance) const {
    Deadline deadline =
        Deadline::in(std::min<Milliseconds>(boot_time, std::chrono::seconds(instance.deadline_s)));
    auto client = AgentClient::connect(files_.agent_socket, deadline);
    if (client) return {};
    (void)stop(places_, spec_.name, Deadline::in(short_time));  // best effort: it may be gone
    Error error = client.error();
    error.subject = spec_.name;
    for (const std::string& log : {files_.qemu_log, files_.serial_log}) {
      std::string last = last_lines(log);
      if (!last.empty()) error.sentence += fmt::format("; the end of {}:\n{}", log, last);
    }
    return fail(std::move(error));
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
  Outside outside_;
  std::vector<std::vector<std::string>> card_servers_;
};

}  // namespace

Result<Started> start(const Places& places, const LabSpec& spec, const StartOptions& options) {
  return Starter(places, spec, options).start();
}

}  // namespace tessera::lab
