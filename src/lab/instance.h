// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ctime>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"
#include "lab/spec.h"

namespace tessera::lab {

/// Where things lie on the machine outside; all absolute.
struct Places {
  std::string hosts;  ///< folder of host specs (HOST.yaml)
  std::string home;   ///< folder with init/ and setup/
  std::string cache;  ///< kernels, initrds, newer QEMUs
  std::string state;  ///< one folder per running host; made with mode 0700
  std::string tools;  ///< folder of tessera-lab-agent and tessera-identity-card
  std::string qemu;   ///< a QEMU to use instead of looking for one; usually empty
};

/// The lab/ folder of the source tree this binary was built from; empty when it was not told.
std::string source_folder();

/// A host's files while it runs: STATE/HOST/...
struct InstanceFiles {
  explicit InstanceFiles(const Places& places, std::string_view host);
  std::string folder;
  std::string agent_socket;  ///< for AgentClient
  std::string qmp_socket;    ///< for hypervisor::Qmp
  std::string serial_log;    ///< the host's console
  std::string qemu_log;
  std::string xfer;      ///< /xfer inside
  std::string lock;      ///< locked for as long as the host runs
  std::string note;      ///< instance.json
  std::string end_note;  ///< why it ended, afterwards
  std::string stuck;     ///< what it was doing when it answered no more; usually not there
};

/// A running host.
struct Instance {
  std::string host;
  pid_t supervisor = -1;
  std::time_t started = 0;  ///< seconds since 1970
  int deadline_s = 0;
  std::string accelerator;  ///< "tcg" or "kvm"
};

/// Whose end is the host's end, besides its deadline.
enum class Lifetime { own, callers };

/// How a host comes up.
enum class Boot {
  resume_if_saved,  ///< as it stood after an earlier boot, in a second; if there is such a state
  cold,             ///< through the kernel's boot, which is saved for the next time
};

struct StartOptions {
  std::optional<int> deadline_s;  ///< instead of the spec's
  Lifetime lifetime = Lifetime::own;
  std::string accelerator;                         ///< "tcg" or "kvm"; empty: KVM where it works
  std::function<void(std::string_view)> progress;  ///< gets a line for each thing done
  Boot boot = Boot::resume_if_saved;
};

/// A host that start() brought up; with Lifetime::callers it ends when this object does.
struct Started {
  Instance instance;
  Fd lifeline;
};

/// Specs of all hosts in the folder, sorted by name. A broken one is an error.
Result<std::vector<LabSpec>> load_specs(const Places& places);
/// One of them. Errors: not_found with the nearest name.
Result<LabSpec> load_spec(const Places& places, const std::string& host);

/// Boots or resumes a host and waits until commands can be run on it.
/// Errors: busy (it runs already), unsupported (it needs a newer QEMU), io and timeout with the end
/// of its console, and whatever getting a kernel meets.
Result<Started> start(const Places& places, const LabSpec& spec, const StartOptions& options);

/// The running hosts, sorted by name.
std::vector<Instance> running(const Places& places);
/// One of them. Errors: not_found, telling why it ended if that is known.
Result<Instance> find_running(const Places& places, const std::string& host);

/// Ends a host and waits until it is gone. Errors: not_found, timeout.
Status stop(const Places& places, const std::string& host, Deadline deadline);

/// Writes what a card of a running host puts out on its own connector as a PNG; the lab is the
/// monitor. Errors: not_found, or QEMU's own words when the card has no output.
Status take_picture(const Places& places, const LabSpec& spec, const std::string& card,
                    const std::string& png);

}  // namespace tessera::lab
