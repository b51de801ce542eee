// SPDX-License-Identifier: Apache-2.0
// NVIDIA's vGPUs without mediated devices: a type's number written to current_vgpu_type of a
// virtual function makes one, a 0 takes it away. The file is the virtual function's, and virtual
// functions are used again, so every write asks first whether the type is still the one that was
// seen.
#include <fmt/format.h>

#include "plan/slices/frameworks.h"

namespace tessera::plan::slices {

using model::Operation;
using model::Step;
using What = model::Expectation::What;

namespace {

constexpr const char* no_vgpu = "0";

std::string current_type_file(const std::string& parent_path) {
  return parent_path + "/nvidia/current_vgpu_type";
}

Step write_type(const std::string& path, const std::string& from, const std::string& to,
                std::string reason) {
  Step step;
  step.path = path;
  step.text = to;
  step.reason = std::move(reason);
  step.only_if = {{What::text, path, from}};
  step.then = {{What::text, path, to}};
  return step;
}

}  // namespace

Operation create_vendor_vfio(const NewSlice& slice) {
  const auto path = current_type_file(slice.parent.sysfs_path);
  const auto& type = slice.profile.type;
  Operation op;
  op.kind = "slice.create";
  op.subject = slice.parent.device;
  op.uses = {slice.source.device};
  op.reason = fmt::format("{} ({}) on {}", slice.profile.name, type, slice.parent.device);
  op.before = {{What::text, path, no_vgpu}};
  op.forward = {
      write_type(path, no_vgpu, type, "the virtual function becomes a vGPU of this type")};
  op.after = {{What::text, path, type}};
  if (!slice.settings.empty()) {
    op.forward.push_back(settings_step(slice.parent.sysfs_path + "/nvidia/vgpu_params",
                                       settings_text(slice.settings)));
  }
  op.undo = {write_type(path, type, no_vgpu, "the virtual function is free again")};
  op.after_undo = {{What::text, path, no_vgpu}};
  return op;
}

Operation remove_vendor_vfio(const model::SliceSource& source, const model::Slice& slice) {
  const model::SliceParent* const parent = source.parent(slice.parent);
  const auto folder = parent ? parent->sysfs_path : std::string{};
  const auto path = current_type_file(folder);
  Operation op;
  op.kind = "slice.remove";
  op.subject = slice.parent;
  op.reason = fmt::format("{} on {} goes away", slice.name, slice.parent);
  op.before = {{What::text, path, slice.type}};
  op.forward = {write_type(path, slice.type, no_vgpu, "the virtual function is free again")};
  op.after = {{What::text, path, no_vgpu}};
  op.undo = {write_type(path, no_vgpu, slice.type, "the vGPU that was there")};
  const auto settings = slice.settings.value_or("");
  if (!settings.empty()) op.undo.push_back(settings_step(folder + "/nvidia/vgpu_params", settings));
  op.after_undo = {{What::text, path, slice.type}};
  return op;
}

}  // namespace tessera::plan::slices
