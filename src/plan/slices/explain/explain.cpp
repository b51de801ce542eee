// SPDX-License-Identifier: Apache-2.0
#include "plan/slices/explain/explain.h"

#include <algorithm>

#include <fmt/format.h>

#include "kernel/files.h"

namespace tessera::plan::slices {

using model::Step;

namespace {

/// The file's directory that is a device's, and which file of it.
struct FileOfDevice {
  std::string device;
  std::string file;
};

/// "/sys/bus/pci/devices/BDF/FILE", "/sys/class/mdev_bus/NAME/FILE",
/// "/sys/bus/mdev/devices/UUID/FILE".
std::optional<FileOfDevice> file_of_device(std::string_view path) {
  for (const auto folder :
       {kernel::files::pci_devices, kernel::files::mdev_parents, kernel::files::mdev_devices}) {
    if (!path.starts_with(folder) || path.size() <= folder.size() + 1) continue;
    const auto rest = path.substr(folder.size() + 1);
    const auto slash = rest.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    return FileOfDevice{std::string(rest.substr(0, slash)), std::string(rest.substr(slash + 1))};
  }
  return std::nullopt;
}

std::optional<Attempt> attempt_of(const std::string& file, const std::string& text) {
  if (file.ends_with("/create")) return Attempt::create_mdev;
  if (file == "remove") return Attempt::remove_mdev;
  if (file.ends_with("current_vgpu_type")) {
    return text == "0" ? Attempt::destroy_vgpu : Attempt::create_vgpu;
  }
  if (file.ends_with("vgpu_params")) return Attempt::settings;
  if (file == "sriov_numvfs") return text == "0" ? Attempt::functions_off : Attempt::functions_on;
  if (file.starts_with("sriov_admin/") || file.ends_with("_quota")) return Attempt::quota;
  return std::nullopt;
}

/// What a run of sriov-manage ("-e ADDRESS", "-d ADDRESS") tried.
std::optional<Attempt> attempt_of_tool(const Step& step) {
  if (step.path != kernel::files::sriov_manage) return std::nullopt;
  return step.text.starts_with("-e") ? Attempt::functions_on : Attempt::functions_off;
}

const Step* step_with(const model::Plan& plan, const std::string& path) {
  for (const auto& operation : plan.operations) {
    const auto step = std::ranges::find(operation.forward, path, &Step::path);
    if (step != operation.forward.end()) return &*step;
  }
  return nullptr;
}

/// "nvidia-300" of ".../mdev_supported_types/nvidia-300/create".
std::string type_in(const std::string& file) {
  constexpr std::string_view folder = "mdev_supported_types/";
  if (!file.starts_with(folder)) return {};
  return file.substr(folder.size(), file.rfind('/') - folder.size());
}

/// The source that holds the device as parent or as slice, or is it.
void find_source(const model::HostSnapshot& host, const std::string& device, Refusal& refusal) {
  for (const auto& source : host.slice_sources) {
    const auto slice = std::ranges::find(source.slices, device, &model::Slice::identity);
    const bool has_slice = slice != source.slices.end();
    const auto* const parent = source.parent(has_slice ? slice->parent : device);
    if (!parent && !has_slice && source.device != device) continue;
    refusal.source = &source;
    refusal.parent = parent;
    return;
  }
}

bool is_about(std::string_view line, const Refusal& refusal) {
  const bool names_parent =
      refusal.parent && line.find(refusal.parent->device) != std::string_view::npos;
  const bool names_source =
      refusal.source && line.find(refusal.source->device) != std::string_view::npos;
  return names_parent || names_source || line.find("NVRM") != std::string_view::npos;
}

}  // namespace

const ExplanationRule* explanation_of(const Refusal& refusal) {
  for (const auto rules :
       {mdev_explanations(), vgpu_explanations(), function_explanations(), common_explanations()}) {
    const auto found = std::ranges::find_if(
        rules, [&](const ExplanationRule& rule) { return rule.applies(refusal); });
    if (found != rules.end()) return &*found;
  }
  return nullptr;
}

std::optional<Refusal> refusal_of(const model::HostSnapshot& host, const model::Plan& plan,
                                  const Error& error, const std::vector<std::string>& kernel_log) {
  const Step* const step = step_with(plan, error.subject);
  if (!step) return std::nullopt;
  const bool is_tool = step->action == Step::Action::run_tool;
  const auto place = is_tool ? FileOfDevice{step->text.substr(step->text.rfind(' ') + 1), {}}
                             : file_of_device(step->path);
  const auto attempt = is_tool ? attempt_of_tool(*step)
                       : place ? attempt_of(place->file, step->text)
                               : std::nullopt;
  if (!attempt) return std::nullopt;
  Refusal refusal;
  refusal.attempt = *attempt;
  refusal.error_number = error.error_number;
  refusal.path = step->path;
  refusal.text = step->text;
  refusal.said = error.sentence;
  find_source(host, place->device, refusal);
  const auto type = *attempt == Attempt::create_vgpu ? step->text : type_in(place->file);
  if (refusal.source) refusal.profile = refusal.source->profile(type);
  std::ranges::copy_if(kernel_log, std::back_inserter(refusal.log),
                       [&](const std::string& line) { return is_about(line, refusal); });
  return refusal;
}

Error explained(const model::HostSnapshot& host, const model::Plan& plan, Error error,
                const std::vector<std::string>& kernel_log) {
  const auto refusal = refusal_of(host, plan, error, kernel_log);
  const auto* const rule = refusal ? explanation_of(*refusal) : nullptr;
  if (!rule) return error;
  auto words = rule->explain(*refusal);
  const bool was_tool = refusal->path == kernel::files::sriov_manage;
  error.sentence = fmt::format("{}. {}: {}", words.sentence,
                               was_tool ? "What was seen" : "The kernel's words", error.sentence);
  if (!words.hint.empty()) error.hint = std::move(words.hint);
  return error;
}

}  // namespace tessera::plan::slices
