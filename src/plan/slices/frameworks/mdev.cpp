// SPDX-License-Identifier: Apache-2.0
// Mediated devices: a UUID written to a type's `create` makes one, a 1 written to its `remove`
// takes it away (ABI/testing/sysfs-bus-vfio-mdev). `remove` waits until whoever has it open lets
// go.
#include <fmt/format.h>

#include "kernel/files.h"
#include "plan/slices/frameworks.h"

namespace tessera::plan::slices {

namespace files = kernel::files;
using model::Expectation;
using model::Operation;
using model::Step;
using What = model::Expectation::What;

namespace {

Expectation type_is(const std::string& uuid, const std::string& type) {
  return {What::link_name, files::mdev_device(uuid, "mdev_type"), type};
}

Step create_step(const std::string& parent_path, const std::string& type, const std::string& uuid) {
  Step step;
  step.path = fmt::format("{}/mdev_supported_types/{}/create", parent_path, type);
  step.text = uuid;
  step.reason = "the kernel makes a mediated device of this type by this name";
  step.only_if = {type_is(uuid, "")};
  step.then = {type_is(uuid, type)};
  return step;
}

Step remove_step(const std::string& uuid, const std::string& type) {
  Step step;
  step.path = files::mdev_device(uuid, "remove");
  step.text = "1";
  step.reason = "it goes as soon as nobody has it open";
  step.only_if = {type_is(uuid, type)};
  step.then = {type_is(uuid, "")};
  return step;
}

}  // namespace

Operation create_mdev(const NewSlice& slice) {
  const auto& type = slice.profile.type;
  Operation op;
  op.kind = "slice.create";
  op.subject = slice.uuid;
  op.uses = {slice.source.device};
  op.reason = fmt::format("{} ({}) on {}", slice.profile.name, type, slice.parent.device);
  op.before = {type_is(slice.uuid, "")};
  op.forward = {create_step(slice.parent.sysfs_path, type, slice.uuid)};
  op.after = {type_is(slice.uuid, type)};
  if (!slice.settings.empty()) {
    op.forward.push_back(settings_step(files::mdev_device(slice.uuid, "nvidia/vgpu_params"),
                                       settings_text(slice.settings)));
  }
  op.undo = {remove_step(slice.uuid, type)};
  op.after_undo = {type_is(slice.uuid, "")};
  return op;
}

Operation remove_mdev(const model::SliceSource& source, const model::Slice& slice) {
  const model::SliceParent* const parent = source.parent(slice.parent);
  const auto path = parent ? parent->sysfs_path : files::mdev_parent(slice.parent);
  Operation op;
  op.kind = "slice.remove";
  op.subject = slice.identity;
  op.reason = fmt::format("{} on {} goes away", slice.name, slice.parent);
  op.before = {type_is(slice.identity, slice.type)};
  op.forward = {remove_step(slice.identity, slice.type)};
  op.after = {type_is(slice.identity, "")};
  Step again = create_step(path, slice.type, slice.identity);
  again.reason = "the same type by the same name, for definitions and machines that know it";
  op.undo = {again};
  const auto settings = slice.settings.value_or("");
  if (!settings.empty())
    op.undo.push_back(
        settings_step(files::mdev_device(slice.identity, "nvidia/vgpu_params"), settings));
  op.after_undo = {type_is(slice.identity, slice.type)};
  return op;
}

}  // namespace tessera::plan::slices
