// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "app/verb.h"
#include "kernel/files.h"
#include "lab/client.h"
#include "lab/instance.h"
#include "lab/stuck.h"

namespace tessera::app {
namespace {

namespace fs = std::filesystem;
using lab::Places;

constexpr Milliseconds time_to_end = std::chrono::seconds(20);
constexpr Milliseconds time_to_greet = std::chrono::minutes(3);
constexpr int exit_timed_out = 124;  // as timeout(1) has it

/// The options of all lab verbs; lives as long as the parser.
struct LabOptions {
  std::string hosts;
  std::string host;
  std::optional<int> deadline_s;
  std::optional<int> time_limit_s;
  std::string accelerator;
  std::vector<std::string> command;
  bool all = false;
  bool cold = false;
  std::string card;
  std::string png;
};

std::string environment(const char* name, std::string otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : std::move(otherwise);
}

/// The folder with hosts/, init/ and setup/: TESSERA_LAB_DIR, the source tree this binary was built
/// in, or the installed one.
std::string lab_home() {
  std::string said = environment("TESSERA_LAB_DIR", "");
  if (!said.empty()) return fs::absolute(said);
  std::string built_in = lab::source_folder();
  return fs::exists(built_in + "/hosts") ? built_in : "/usr/share/tessera/lab";
}

Places find_places(const LabOptions& options) {
  Places places;
  places.home = lab_home();
  places.hosts =
      options.hosts.empty() ? places.home + "/hosts" : fs::absolute(options.hosts).string();
  std::string caches = environment("XDG_CACHE_HOME", environment("HOME", "/tmp") + "/.cache");
  places.cache = environment("TESSERA_LAB_CACHE", caches + "/tessera/lab");
  places.state =
      fmt::format("{}/tessera-lab-{}", environment("XDG_RUNTIME_DIR", "/tmp"), geteuid());
  std::error_code ignored;
  places.tools = fs::read_symlink(kernel::files::proc_self_exe, ignored).parent_path();
  places.qemu = environment("TESSERA_LAB_QEMU", "");
  return places;
}

/// Prints lines with the seconds since it was made, on stderr.
class Progress {
 public:
  void operator()(std::string_view line) const {
    std::chrono::duration<double> since = std::chrono::steady_clock::now() - start_;
    fmt::print(stderr, "lab: {:5.1f} s  {}\n", since.count(), line);
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

Result<lab::Started> boot(const Places& places, const LabOptions& options, lab::Lifetime lifetime) {
  TRY_LET(lab::LabSpec spec, lab::load_spec(places, options.host));
  Progress progress;
  lab::StartOptions start{options.deadline_s, lifetime, options.accelerator, progress,
                          options.cold ? lab::Boot::cold : lab::Boot::resume_if_saved};
  TRY_LET(lab::Started started, lab::start(places, spec, start));
  progress(fmt::format("{} is up; it ends by itself after {} s", spec.name,
                       started.instance.deadline_s));
  return started;
}

Status up(const Places& places, const LabOptions& options) {
  TRY_LET(lab::Started started, boot(places, options, lab::Lifetime::own));
  fmt::print("{}\n", lab::InstanceFiles(places, started.instance.host).folder);
  return {};
}

/// The command's input: ours, unless it is a terminal, which would be taken away from the shell.
int input_to_pass() {
  return isatty(0) != 0 ? -1 : 0;
}

/// A host that runs but answers no more is looked into before anybody ends it.
Error looked_into(const Places& places, const std::string& host, Error error) {
  auto file = lab::describe_stuck_host(places, host);
  if (!file) return error;
  error.hint =
      fmt::format("what it was doing is in {}; end it with: tessera lab down {}", *file, host);
  return error;
}

Result<int> run_on(const Places& places, const LabOptions& options, bool interactive) {
  lab::InstanceFiles files(places, options.host);
  auto client = lab::AgentClient::connect(files.agent_socket, Deadline::in(time_to_greet));
  if (!client && client.error().kind == ErrorKind::timeout)
    return fail(looked_into(places, options.host, client.error()));
  if (!client) return fail(client.error());
  lab::Command command;
  command.argv = options.command;
  if (options.time_limit_s) command.deadline = std::chrono::seconds(*options.time_limit_s);
  lab::LocalStreams streams{input_to_pass(), 1, 2};
  std::optional<lab::RawTerminal> raw;
  if (interactive) {
    command.env["TERM"] = environment("TERM", "linux");
    command.terminal = lab::RawTerminal::size(0);
    streams.in = 0;
    raw.emplace(0);
  }
  auto code = client->run(command, streams);
  raw.reset();
  if (!code && code.error().kind == ErrorKind::io)
    return fail(looked_into(places, options.host, code.error()));
  return code;
}

/// On the running host, or on one that is booted for this command and ended after it.
Result<int> run(const Places& places, const LabOptions& options, bool interactive) {
  std::signal(SIGPIPE, SIG_IGN);
  TRY(lab::load_spec(places, options.host));
  if (lab::find_running(places, options.host)) return run_on(places, options, interactive);
  TRY_LET(lab::Started started, boot(places, options, lab::Lifetime::callers));
  auto code = run_on(places, options, interactive);
  (void)lab::stop(places, options.host, Deadline::in(time_to_end));  // its lifeline ends it, too
  return code;
}

Status down(const Places& places, const LabOptions& options) {
  std::vector<std::string> hosts;
  if (options.all)
    for (const lab::Instance& instance : lab::running(places)) hosts.push_back(instance.host);
  else
    hosts.push_back(options.host);
  for (const std::string& host : hosts) {
    TRY(lab::stop(places, host, Deadline::in(time_to_end)));
    fmt::print(stderr, "lab: {} is down\n", host);
  }
  return {};
}

std::optional<lab::Instance> instance_of(const std::vector<lab::Instance>& running,
                                         const std::string& host) {
  for (const lab::Instance& instance : running)
    if (instance.host == host) return instance;
  return std::nullopt;
}

Status list(const Places& places, const Session& session) {
  TRY_LET(auto specs, lab::load_specs(places));
  auto running = lab::running(places);
  nlohmann::json hosts = nlohmann::json::array();
  for (const lab::LabSpec& spec : specs) {
    auto instance = instance_of(running, spec.name);
    auto left = instance ? instance->started + instance->deadline_s - std::time(nullptr) : 0;
    nlohmann::json host{
        {"name", spec.name}, {"description", spec.description}, {"running", instance.has_value()}};
    if (instance) {
      host["ends_in_s"] = left;
      host["folder"] = lab::InstanceFiles(places, spec.name).folder;
      host["accelerator"] = instance->accelerator;
    }
    hosts.push_back(host);
    if (session.json) continue;
    fmt::print("{:<14} {}\n", spec.name, spec.description);
    if (instance)
      fmt::print("{:<14} runs ({}), ends in {} s, files in {}\n", "", instance->accelerator, left,
                 host["folder"].get<std::string>());
  }
  if (session.json)
    fmt::print("{}\n", nlohmann::json{{"schema", "tessera/lab/1"}, {"hosts", hosts}}.dump(2));
  return {};
}

Status picture(const Places& places, const LabOptions& options) {
  TRY_LET(lab::LabSpec spec, lab::load_spec(places, options.host));
  TRY(lab::take_picture(places, spec, options.card, options.png));
  fmt::print("{}\n", fs::absolute(options.png).string());
  return {};
}

int exit_code_of(const Session& session, const Result<int>& code) {
  if (code) return *code;
  int reported = report(session, code.error());
  return code.error().kind == ErrorKind::timeout ? exit_timed_out : reported;
}

int exit_code_of(const Session& session, const Status& status) {
  return status ? exit_ok : report(session, status.error());
}

}  // namespace

void add_lab(cli::Verb parser, Session& session) {
  auto options = std::make_shared<LabOptions>();
  auto lab = parser.add_verb("lab", "virtual GPU hosts to try everything on");
  lab.needs_verb();
  lab.option("--hosts", options->hosts, "folder of host specs (default: the lab's own)");

  auto verb = [&](const char* name, const char* about, auto action) {
    cli::Verb sub = lab.add_verb(name, about);
    sub.on_call([options, action, &session] {
      session.exit_code = exit_code_of(session, action(find_places(*options), *options));
    });
    return sub;
  };
  auto with_host = [options](cli::Verb sub) {
    return sub.option("host", options->host, "a host that `tessera lab list` shows").required();
  };
  auto with_boot = [options](cli::Verb sub) {
    sub.option("--deadline", options->deadline_s, "seconds after which the host is ended")
        .between(5, 86400);
    sub.option("--accelerator", options->accelerator, "instead of finding out")
        .one_of({"tcg", "kvm"});
    sub.flag("--cold", options->cold, "boot, even if the host could be resumed as saved");
  };

  verb("list", "the hosts there are, and which run",
       [&session](const Places& places, const LabOptions&) { return list(places, session); });

  auto up_verb = verb("up", "boot a host and leave it running", up);
  with_host(up_verb);
  with_boot(up_verb);

  auto run_verb =
      verb("run", "run a command on a host, booting it for this command if it does not run",
           [](const Places& places, const LabOptions& given) { return run(places, given, false); });
  with_host(run_verb);
  with_boot(run_verb);
  run_verb.option("--time-limit", options->time_limit_s, "seconds after which it is killed");
  run_verb.option("command", options->command, "the command, after --").required();

  auto shell_verb =
      verb("shell", "a shell on a host", [](const Places& places, const LabOptions& given) {
        LabOptions shell = given;
        if (shell.command.empty()) shell.command = {"bash", "-l"};
        return run(places, shell, true);
      });
  with_host(shell_verb);
  with_boot(shell_verb);
  shell_verb.option("command", options->command, "something else to run on a terminal");

  auto down_verb = verb("down", "end a host", down);
  auto down_host = down_verb.option("host", options->host, "the host to end");
  auto down_all = down_verb.flag("--all", options->all, "end all running hosts");
  down_host.excludes(down_all);
  down_verb.needs_one_option();

  auto picture_verb =
      verb("picture", "what a card puts out on its own connector, as a PNG", picture);
  with_host(picture_verb);
  picture_verb.option("card", options->card, "the card's id in the host's spec").required();
  picture_verb.option("file", options->png, "FILE.png").required();
}

}  // namespace tessera::app
