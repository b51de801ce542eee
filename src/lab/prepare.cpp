// SPDX-License-Identifier: Apache-2.0
#include "lab/prepare.h"

#include <algorithm>
#include <fstream>

#include <fmt/format.h>
#include <unistd.h>

#include "base/text.h"
#include "kernel/files.h"
#include "lab/tool.h"

namespace tessera::lab {
namespace {

constexpr Milliseconds download_time = std::chrono::minutes(10);
constexpr Milliseconds short_time = std::chrono::seconds(20);
constexpr int cannot_be_had = 77;  // a script's exit code
constexpr Milliseconds kvm_probe_time = std::chrono::seconds(4);

/// Carries one preparation from step to step.
class Preparer {
 public:
  Preparer(const Places& places, const LabSpec& spec, const StartOptions& options)
      : places_(places), spec_(spec), options_(options), files_(places, spec.name) {}

  Result<Prepared> prepare() {
    TRY(choose_qemu());
    TRY(fetch_kernel());
    TRY(choose_accelerator());
    TRY(check_words());
    TRY(find_identity_cards());
    return Prepared{std::move(outside_), std::move(card_servers_)};
  }

 private:
  void say(std::string_view line) const {
    if (options_.progress) options_.progress(line);
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
      outside_.qemu_version = *version;
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
    if (said.exit_code == cannot_be_had)
      return fail(ErrorKind::unsupported, spec_.name, std::string(text::trim(said.err)));
    if (said.exit_code != 0)
      return fail(ErrorKind::io, command.argv[1],
                  fmt::format("the script failed: {}", text::trim(said.err)));
    return std::string(text::trim(said.out));
  }

  Status fetch_kernel() {
    TRY_LET(std::string folder, script("setup/kernel.sh", {}));
    if (!spec_.modules.empty()) {
      std::vector<std::string> wanted{folder};
      for (const LabModule& module : spec_.modules) wanted.push_back(module.name);
      TRY_LET(folder, script("setup/modules.sh", wanted));
    }
    std::string release;
    std::ifstream(folder + "/release") >> release;
    outside_.kernel = folder + "/vmlinuz";
    outside_.kernel_folder = folder;
    say(fmt::format("Linux {}", release));
    TRY_LET(outside_.initrd,
            script("init/make-initrd.sh", {folder, places_.tools + "/tessera-lab-agent"}));
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
    outside_.root = "/";
    outside_.xfer = files_.xfer;
    outside_.serial_log = files_.serial_log;
    outside_.sockets = files_.folder;
    for (const std::string& word :
         {outside_.kernel_folder, outside_.initrd, outside_.xfer, outside_.qemu})
      if (word.find_first_of(" \t\n,") != std::string::npos)
        return fail(ErrorKind::invalid, word,
                    "the lab cannot use a path with a blank or a comma in it",
                    "set TESSERA_LAB_CACHE or XDG_RUNTIME_DIR, or move the tree");
    return {};
  }

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

  const Places& places_;
  const LabSpec& spec_;
  const StartOptions& options_;
  InstanceFiles files_;
  Outside outside_;
  std::vector<std::vector<std::string>> card_servers_;
};

}  // namespace

Result<Prepared> prepare(const Places& places, const LabSpec& spec, const StartOptions& options) {
  return Preparer(places, spec, options).prepare();
}

}  // namespace tessera::lab
