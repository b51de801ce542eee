// SPDX-License-Identifier: Apache-2.0
#include "probe/slices/nvidia_driver.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "kernel/files.h"
#include "kernel/tools.h"
#include "probe/slices/support.h"
#include "vendor/nvidia_mig.h"
#include "vendor/nvidia_vgpu_types.h"

namespace tessera::probe::slices {

namespace files = kernel::files;
using kernel::Root;
using model::Framework;
using model::Profile;
using model::SliceSource;

namespace {

constexpr Milliseconds answer_time = std::chrono::seconds(30);
constexpr std::string_view nvidia_driver = "nvidia";

bool is_nvidia_card(const SliceSource& source) {
  return source.card && source.driver == nvidia_driver;
}

Result<kernel::ToolOutcome> run_smi(const Root& root, std::string_view arguments) {
  const auto words = text::words(arguments);
  return kernel::run_tool(root, std::string(files::nvidia_smi), {words.begin(), words.end()},
                          Deadline::in(answer_time));
}

/// What nvidia-smi prints with these arguments, also where it ends with an error: "No devices were
/// found" is an answer.
Result<std::string> ask(const Root& root, std::string_view arguments, std::string_view note) {
  if (auto noted = root.note(note)) return std::move(*noted);
  TRY_LET(auto outcome, run_smi(root, arguments));
  return std::move(outcome.output);
}

/// Mediated devices have the same numbers behind the driver's name: "nvidia-300".
bool makes_mdevs(const SliceSource& source) {
  return source.framework == Framework::mdev || source.framework == Framework::mdev_on_vf;
}

void add_types(const std::vector<Profile>& supported, SliceSource& source) {
  if (supported.empty()) return;
  // Virtual functions that are off are no slices of this card: they will have types.
  if (source.framework == Framework::sriov) source.profiles.clear();
  for (Profile profile : supported) {
    if (makes_mdevs(source)) profile.type = fmt::format("nvidia-{}", profile.type);
    if (source.profile(profile.type) == nullptr) source.profiles.push_back(std::move(profile));
  }
  for (auto& slice : source.slices) {
    const Profile* const profile = source.profile(slice.type);
    if (profile != nullptr && slice.name == slice.type) slice.name = profile->name;
  }
  put_in_order(source);
}

Status read_types(const Root& root, std::vector<SliceSource>& sources) {
  TRY_LET(const auto text, ask(root, "vgpu -s -v", files::note_nvidia_types));
  TRY_LET(const auto cards, vendor::parse_nvidia_vgpu_types(text, "nvidia-smi vgpu -s -v"));
  for (auto& source : sources) {
    const auto card = std::ranges::find_if(
        cards, [&](const auto& one) { return source.card && one.card == *source.card; });
    if (card != cards.end()) add_types(card->profiles, source);
  }
  return {};
}

/// Beside an instance whose size nobody knows nothing can be placed.
Status check_kind(const model::GpuInstance& instance,
                  const std::vector<model::GpuInstanceProfile>& kinds) {
  const bool known =
      std::ranges::find(kinds, instance.profile, &model::GpuInstanceProfile::id) != kinds.end();
  if (known) return {};
  return fail(
      ErrorKind::invalid, "nvidia-smi mig -lgi",
      fmt::format("GPU instance {} is of a kind ({}) that nvidia-smi mig -lgip and -lgipp do "
                  "not both name",
                  instance.id, instance.profile));
}

Status read_mig(const Root& root, SliceSource& source) {
  const auto words = [&](std::string_view option) {
    return fmt::format("mig -i {} {}", source.device, option);
  };
  TRY_LET(const auto profiles, ask(root, words("-lgip"), files::note_mig_profiles));
  TRY_LET(const auto placements, ask(root, words("-lgipp"), files::note_mig_placements));
  TRY_LET(const auto instances, ask(root, words("-lgi"), files::note_mig_instances));
  TRY_LET(auto kinds, vendor::parse_gpu_instance_profiles(profiles, placements,
                                                          "nvidia-smi mig -lgip, -lgipp"));
  TRY_LET(auto standing, vendor::parse_gpu_instances(instances, "nvidia-smi mig -lgi"));
  for (const auto& instance : standing) TRY(check_kind(instance, kinds));
  source.gpu_instance_profiles = std::move(kinds);
  source.gpu_instances = std::move(standing);
  return {};
}

/// A report of nvidia-smi, and the note that it becomes.
struct Report {
  std::string_view arguments;
  std::string_view note;
  bool of_one_card = false;  ///< its tables do not say which card a row is of, in words that last
};
constexpr Report reports[] = {
    {"-q -x", files::note_nvidia_query},           {"vgpu -q", files::note_nvidia_vgpus},
    {"vgpu -s -v", files::note_nvidia_types},      {"topo -m", files::note_nvidia_topology},
    {"mig -lgip", files::note_mig_profiles, true}, {"mig -lgipp", files::note_mig_placements, true},
    {"mig -lgi", files::note_mig_instances, true},
};

bool has_nameless(const SliceSource& source) {
  return source.framework == Framework::vendor_vfio &&
         std::ranges::any_of(source.slices,
                             [](const auto& slice) { return slice.name == slice.type; });
}

/// Whether somebody can answer: a recording's note, or the program.
bool can_ask(const Root& root, std::string_view note) {
  return root.note(note) || kernel::can_run_tool(root, std::string(files::nvidia_smi));
}

}  // namespace

std::string ask_nvidia_driver(const Root& root, model::HostSnapshot& host) {
  auto& sources = host.slice_sources;
  if (std::ranges::none_of(sources, is_nvidia_card)) return {};
  std::vector<std::string> problems;
  const auto note = [&](const Status& done) {
    if (!done) problems.push_back(one_line(done.error()));
  };
  if (can_ask(root, files::note_nvidia_types)) note(read_types(root, sources));
  for (auto& source : sources) {
    const bool has_mig = is_nvidia_card(source) && source.mig == model::Reading<bool>(true);
    if (has_mig && can_ask(root, files::note_mig_profiles)) note(read_mig(root, source));
  }
  return text::join(problems, "; ");
}

void name_nvidia_slices(const Root& root, model::HostSnapshot& host) {
  if (std::ranges::none_of(host.slice_sources, has_nameless)) return;
  if (!can_ask(root, files::note_nvidia_types)) return;
  (void)read_types(root, host.slice_sources);  // without an answer the number is all there is
}

std::vector<kernel::Recording::Note> nvidia_reports(const Root& root,
                                                    const model::HostSnapshot& host) {
  const auto cards = std::ranges::count_if(host.cards, [&](const model::Card& card) {
    const auto* const function = host.function(card.address);
    return function != nullptr && function->driver == nvidia_driver;
  });
  std::vector<kernel::Recording::Note> notes;
  for (const auto& report : reports) {
    if (cards == 0 || (report.of_one_card && cards > 1)) continue;
    if (auto noted = root.note(report.note)) {
      notes.push_back({std::string(report.note), std::move(*noted)});
    } else if (kernel::can_run_tool(root, std::string(files::nvidia_smi))) {
      auto outcome = run_smi(root, report.arguments);
      if (!outcome || outcome->exit_code != 0) continue;
      notes.push_back({std::string(report.note), std::move(outcome->output)});
    }
  }
  return notes;
}

}  // namespace tessera::probe::slices
