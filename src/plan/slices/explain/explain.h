// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/host.h"
#include "model/plan.h"

namespace tessera::plan::slices {

/// What a refusal means, for people.
struct Explanation {
  std::string sentence;
  std::string hint;  ///< the next command; empty where there is none
};

/// What was tried when the kernel said no.
enum class Attempt {
  create_mdev,
  remove_mdev,
  create_vgpu,   ///< a type to current_vgpu_type
  destroy_vgpu,  ///< 0 to it
  settings,      ///< vgpu_params
  functions_on,  ///< sriov_numvfs, or sriov-manage -e
  functions_off,
  quota,  ///< xe's and i915's files
};

/// A refusal with all that may explain it. Pointers are into the snapshot, null where not known.
struct Refusal {
  Attempt attempt = Attempt::create_mdev;
  int error_number = 0;
  std::string path;                            ///< the file written, or the tool run
  std::string text;                            ///< what was written
  const model::SliceSource* source = nullptr;  ///< as it is now, after the refusal
  const model::SliceParent* parent = nullptr;
  const model::Profile* profile = nullptr;  ///< that was wanted
  std::string said;                         ///< the error's own sentence (a tool's words)
  std::vector<std::string> log;             ///< kernel lines about the device, oldest first
};

/// One known reason. Rules are asked in order; the first that applies speaks.
struct ExplanationRule {
  std::string_view id;  ///< "mdev-other-size"
  bool (*applies)(const Refusal& refusal);
  Explanation (*explain)(const Refusal& refusal);
};
/// All of them: mediated devices, vGPUs, virtual functions, quotas, and what is common.
std::span<const ExplanationRule> mdev_explanations();
std::span<const ExplanationRule> vgpu_explanations();
std::span<const ExplanationRule> function_explanations();
std::span<const ExplanationRule> common_explanations();

/// The rule that explains a refusal; null where none does.
const ExplanationRule* explanation_of(const Refusal& refusal);

/// What was refused, from the step of a plan whose file or tool the error names; nothing where the
/// error is about no slice. `host` is read after the refusal.
std::optional<Refusal> refusal_of(const model::HostSnapshot& host, const model::Plan& plan,
                                  const Error& error, const std::vector<std::string>& kernel_log);

/// The error with the explanation put before what the kernel said; unchanged where there is none.
Error explained(const model::HostSnapshot& host, const model::Plan& plan, Error error,
                const std::vector<std::string>& kernel_log);

}  // namespace tessera::plan::slices
