// SPDX-License-Identifier: Apache-2.0
#include "plan/slices/restore.h"

#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "kernel/files.h"
#include "plan/slices/availability.h"
#include "plan/slices/cut.h"
#include "plan/slices/frameworks.h"
#include "plan/slices/mig.h"
#include "plan/slices/quotas.h"
#include "plan/slices/room.h"
#include "plan/slices/virtual_functions.h"

namespace tessera::plan::slices {

namespace {

using model::Framework;
using model::HostSlice;
using model::HostSnapshot;
using model::MdevDefinition;
using model::Operation;
using model::SliceParent;
using model::SliceSource;

/// Collects one restore, definition by definition.
class Restorer {
 public:
  explicit Restorer(const HostSnapshot& host) : host_(host) {}

  void take(const model::MdevDefinitionFile& file) {
    if (!file.definition) return problem(file.path, one_line(file.definition.error()));
    const MdevDefinition& definition = *file.definition;
    const auto uuid = to_string(definition.uuid);
    if (definition.start != MdevDefinition::Start::automatic) return;
    if (const auto* const there = host_.slice(uuid)) return check_standing(*there, definition);
    const auto [source, parent] = parent_of(definition.parent);
    if (!parent) return problem(uuid, fmt::format("its parent {} is not there", definition.parent));
    const auto* const profile = source->profile(definition.mdev_type);
    const auto* const operations = operations_of(source->framework);
    if (!profile || !operations) {
      return problem(uuid, fmt::format("{} has no type {}", parent->device, definition.mdev_type));
    }
    if (!has_room(*parent, definition.mdev_type)) {
      return problem(uuid, fmt::format("there is no room for {} on {}; {} stand there",
                                       profile->name, parent->device, standing_on(*source)));
    }
    auto op = operations->create({*source, *parent, *profile, uuid, {}});
    for (const auto& attribute : definition.attrs) {
      op.forward.push_back(
          settings_step(kernel::files::mdev_device(uuid, attribute.name), attribute.value));
    }
    add(uuid, std::move(op), *parent);
  }

  void take(const model::HostFile& file) {
    std::map<const SliceSource*, std::vector<const HostSlice*>> by_source;
    for (const auto& slice : file.slices) {
      if (slice.start != MdevDefinition::Start::automatic) continue;
      const auto source = select_source(host_, slice.card);
      if (!source) {
        problem(name_of(slice), one_line(source.error()));
      } else if ((*source)->framework != slice.framework && !shows_later(**source, slice)) {
        problem(name_of(slice),
                fmt::format("{} is cut by {} here", slice.card, to_string((*source)->framework)));
      } else {
        by_source[*source].push_back(&slice);
      }
    }
    for (const auto& [source, slices] : by_source) restore_on(*source, slices);
  }

  Restore finish() { return std::move(restore_); }

 private:
  static std::string name_of(const HostSlice& slice) {
    return fmt::format("{} vf {}", slice.card, slice.vf);
  }

  void problem(const std::string& subject, const std::string& why) {
    restore_.problems.push_back(subject + ": " + why);
  }

  void check_standing(const model::Slice& there, const MdevDefinition& definition) {
    if (there.type == definition.mdev_type && there.parent == definition.parent) return;
    problem(there.identity,
            fmt::format("a {} on {} stands there, not the {} on {} that is defined", there.type,
                        there.parent, definition.mdev_type, definition.parent));
  }

  [[nodiscard]] std::pair<const SliceSource*, const SliceParent*> parent_of(
      const std::string& name) const {
    for (const auto& source : host_.slice_sources) {
      if (const auto* const parent = source.parent(name)) return {&source, parent};
    }
    return {nullptr, nullptr};
  }

  /// What the driver counts, less what this plan takes there already.
  bool has_room(const SliceParent& parent, const std::string& type) {
    const auto counted = std::ranges::find(parent.creatable, type, &model::Creatable::type);
    const int available = counted == parent.creatable.end() ? 0 : counted->available.value_or(0);
    return available > taken_[parent.device];
  }

  void add_plan(std::string title, const std::string& subject, std::vector<Operation> operations) {
    restore_.plans.push_back({std::move(title), subject, std::move(operations), {}});
  }

  void add(const std::string& name, Operation op, const SliceParent& parent) {
    ++taken_[parent.device];
    add_plan("make the defined slice " + name, parent.device, {std::move(op)});
  }

  /// An NVIDIA card whose virtual functions are off shows no more than that it has some.
  static bool shows_later(const SliceSource& source, const HostSlice& slice) {
    return slice.framework == Framework::vendor_vfio && source.framework == Framework::sriov &&
           source.vf_enabled.value_or(0) == 0;
  }

  [[nodiscard]] bool something_stands(const SliceSource& source, const HostSlice& slice) const {
    const auto index = static_cast<std::size_t>(slice.vf);
    return index < source.parents.size() && host_.slice(source.parents[index].device) != nullptr;
  }

  /// MIG mode and GPU instances do not outlive a boot everywhere. True where they come first: the
  /// host is looked at again after that.
  bool prepare_mig(const SliceSource& source, const std::vector<const HostSlice*>& slices) {
    SliceIntent intent;
    for (const auto* slice : slices) {
      if (!something_stands(source, *slice)) intent.wishes.push_back({1, slice->type});
    }
    model::Plan plan;
    plan.subject = source.device;
    const auto mode = plan_mig_mode({&source}, intent, plan);
    if (!mode) problem(source.device, one_line(mode.error()));
    if (mode && !*mode && !source.parents.empty()) add_instances(source, intent.wishes, plan);
    const bool first = !plan.operations.empty();
    if (first) restore_.plans.push_back(std::move(plan));
    return !mode || first;
  }

  /// Those that no layout can have are left to the driver's own answer.
  static void add_instances(const SliceSource& source, const std::vector<Wish>& wishes,
                            model::Plan& plan) {
    std::vector<Want> wants;
    for (const auto& wish : wishes) wants.push_back(want_of({&source}, wish));
    const auto answer = find_layout({room_of(source)}, wants);
    if (const auto* const layout = std::get_if<Layout>(&answer)) {
      plan_gpu_instances({&source}, *layout, plan);
    }
  }

  void restore_on(const SliceSource& source, const std::vector<const HostSlice*>& slices) {
    const bool nvidia = slices.front()->framework == Framework::vendor_vfio;
    if (nvidia && prepare_mig(source, slices)) return;
    if (source.framework == Framework::vendor_vfio) {
      for (const auto* slice : slices) make_vgpu(source, *slice);
    } else if (nvidia) {
      add_plan("turn on the virtual functions of " + source.device, source.device,
               {enable_functions(source, source.vf_total.value_or(0))});
    } else {
      make_functions(source, slices);
    }
  }

  void make_vgpu(const SliceSource& source, const HostSlice& slice) {
    const auto index = static_cast<std::size_t>(slice.vf);
    if (index >= source.parents.size()) {
      return problem(name_of(slice), fmt::format("{} has {} virtual functions", source.device,
                                                 source.parents.size()));
    }
    const SliceParent& parent = source.parents[index];
    const auto profile = std::ranges::find_if(source.profiles, [&](const model::Profile& one) {
      return one.name == slice.type || one.type == slice.type;
    });
    if (const auto* const there = host_.slice(parent.device)) {
      if (there->type == slice.type || there->name == slice.type) return;
      return problem(name_of(slice), fmt::format("a {} stands on {}, not the {} that is defined",
                                                 there->name, parent.device, slice.type));
    }
    if (profile == source.profiles.end() || !has_room(parent, profile->type)) {
      return problem(name_of(slice),
                     fmt::format("no {} can be made on {} now; {} stand on the card", slice.type,
                                 parent.device, standing_on(source)));
    }
    NewSlice made{source, parent, *profile, {}, {}};
    auto op = create_vendor_vfio(made);
    if (!slice.settings.empty()) {
      op.forward.push_back(settings_step(parent.sysfs_path + "/nvidia/vgpu_params",
                                         model::vgpu_params(slice.settings)));
    }
    add(name_of(slice), std::move(op), parent);
  }

  void make_functions(const SliceSource& source, const std::vector<const HostSlice*>& slices) {
    int count = 0;
    for (const auto* slice : slices) count = std::max(count, slice->vf + 1);
    const int present = static_cast<int>(source.slices.size());
    if (count <= present) return give_present(source);
    if (present > 0) {
      return problem(source.device,
                     fmt::format("{} virtual functions are on and {} are defined; their number "
                                 "changes only from none",
                                 present, count));
    }
    if (count > source.vf_total.value_or(0)) {
      return problem(source.device, fmt::format("it has {} virtual functions at most",
                                                source.vf_total.value_or(0)));
    }
    std::vector<Operation> operations;
    add_quotas(source, slices, operations);
    operations.push_back(enable_functions(source, count));
    add_plan(fmt::format("make the {} defined virtual functions of {}", count, source.device),
             source.device, std::move(operations));
  }

  /// Those that are there belong on VFIO's drivers.
  void give_present(const SliceSource& source) {
    model::Plan plan;
    plan.title = fmt::format("give the virtual functions of {} to machines", source.device);
    plan.subject = source.device;
    give_to_vfio(host_, source, plan);
    if (!plan.operations.empty()) restore_.plans.push_back(std::move(plan));
  }

  void add_quotas(const SliceSource& source, const std::vector<const HostSlice*>& slices,
                  std::vector<Operation>& operations) {
    std::vector<FunctionQuotas> wanted;
    for (const auto* slice : slices) wanted.push_back({slice->vf, slice->quotas});
    auto plan = plan_quotas(source, wanted);
    std::ranges::move(plan.operations, std::back_inserter(operations));
    for (const auto& why : plan.problems) {
      restore_.problems.push_back(fmt::format("{} {}", source.device, why));
    }
  }

  const HostSnapshot& host_;
  std::map<std::string, int> taken_;  ///< by parent: slices that this plan makes there
  Restore restore_;
};

}  // namespace

Restore plan_restore(const HostSnapshot& host, const DefinedSlices& defined) {
  Restorer restorer(host);
  for (const auto& definition : defined.mdevs) restorer.take(definition);
  restorer.take(defined.file);
  return restorer.finish();
}

}  // namespace tessera::plan::slices
