// SPDX-License-Identifier: Apache-2.0
#include "plan/slices/explain/explain.h"

#include <cerrno>
#include <set>

#include <gtest/gtest.h>

#include "plan/slices/test_source.h"

namespace tessera::plan::slices {
namespace {

using model::SliceSource;

constexpr const char* a_uuid = "11111111-2222-4333-8444-000000000000";

/// A refusal on a V100, of a type in its list.
struct Scene {
  SliceSource source = test::v100();
  Refusal refusal;

  Scene(Attempt attempt, int error_number, std::string text = a_uuid) {
    refusal.attempt = attempt;
    refusal.error_number = error_number;
    refusal.text = std::move(text);
    refusal.path = "/sys/bus/pci/devices/0000:3b:00.0/a_file";
  }
  Refusal& of(const char* type = "nvidia-107") {
    refusal.source = &source;
    refusal.parent = source.parents.data();
    refusal.profile = source.profile(type);
    return refusal;
  }
};

/// Each rule speaks in a case of its own, and the sentence has what a person needs.
struct Expected {
  std::string id;
  std::string words;
  std::string hint;
};

class Explanations : public testing::Test {
 protected:
  void expect(const Refusal& refusal, const Expected& expected) {
    const auto* const rule = explanation_of(refusal);
    ASSERT_NE(rule, nullptr) << expected.id;
    EXPECT_EQ(rule->id, expected.id);
    const auto said = rule->explain(refusal);
    EXPECT_NE(said.sentence.find(expected.words), std::string::npos) << said.sentence;
    EXPECT_NE(said.hint.find(expected.hint), std::string::npos) << said.hint;
    EXPECT_EQ(said.sentence.find("errno"), std::string::npos);
    seen_.insert(std::string(rule->id));
  }
  void of_mediated_devices_that_cannot_be_made();
  void of_vgpus_on_virtual_functions();
  void of_settings();
  void of_virtual_functions();
  void of_quotas_and_of_what_any_write_can_meet();

  std::set<std::string> seen_;
};

void Explanations::of_mediated_devices_that_cannot_be_made() {
  {
    Scene scene(Attempt::create_mdev, EEXIST);
    expect(scene.of(), {"mdev-name-taken", "exists already", "list slices"});
  }
  {
    Scene scene(Attempt::create_mdev, EINVAL, "no-uuid");
    expect(scene.of(), {"mdev-name-malformed", "'no-uuid' is no UUID", ""});
  }
  {
    Scene scene(Attempt::create_mdev, EUSERS);
    scene.source.framework = model::Framework::mdev_on_vf;
    test::put(scene.source, "nvidia-107", 1);
    expect(scene.of(), {"mdev-function-taken", "holds a slice already", "picks a free one"});
  }
  {
    Scene scene(Attempt::create_mdev, EINVAL);
    test::put(scene.source, "nvidia-108", 1);
    expect(scene.of(),
           {"mdev-other-size",
            "0000:3b:00.0 is in equal-size mode and holds 1x GRID V100-8Q of 8 GiB each",
            "1x GRID V100-8C"});
  }
  {
    Scene scene(Attempt::create_mdev, EINVAL);
    test::put(scene.source, "nvidia-108", 2);
    expect(scene.of("nvidia-113"),
           {"mdev-full", "is full: it holds 2x GRID V100-8Q, and GRID V100-8C is of the same size",
            "nothing more fits"});
  }
  {
    Scene scene(Attempt::create_mdev, ENOSPC);
    test::put(scene.source, "nvidia-105", 1);
    scene.source.framework = model::Framework::gvt_g;
    expect(scene.of(), {"mdev-shared-memory", "too little aperture", "fit now"});
  }
  {
    Scene scene(Attempt::create_mdev, EUSERS);
    expect(scene.of(), {"mdev-unseen-use", "no slice is seen on 0000:3b:00.0", "tessera show"});
  }
  {
    Scene scene(Attempt::create_mdev, EIO);
    scene.source.profiles[2].gpu_instance_slices = 2;
    expect(scene.of(), {"mdev-no-gpu-instance", "GPU instance of 2 slices", "mig -lgi"});
  }
  {
    Scene scene(Attempt::create_mdev, EIO);
    scene.refusal.log = {"nvidia-vgpu-mgr: 0000:3b:00.0: no licence"};
    expect(scene.of(), {"mdev-licence-or-manager", "vGPU manager refused", "journalctl"});
  }
  {
    Scene scene(Attempt::create_mdev, EAGAIN);
    expect(scene.of(), {"mdev-parent-leaving", "just being taken", "again"});
  }
  {
    Scene scene(Attempt::create_mdev, ENODEV);
    expect(scene.of(), {"mdev-parent-gone", "not offered any more", "tessera profiles"});
  }
  {
    Scene scene(Attempt::remove_mdev, EBUSY, "1");
    expect(scene.of(), {"mdev-remove-held", "has the mediated device open", "list slices"});
  }
  {
    Scene scene(Attempt::remove_mdev, ENODEV, "1");
    expect(scene.of(), {"mdev-remove-gone", "somebody else removed", ""});
  }
}

void Explanations::of_vgpus_on_virtual_functions() {
  {
    Scene scene(Attempt::create_vgpu, EBUSY, "108");
    scene.source.parents[0].current_type = 1152;
    expect(scene.of(), {"vgpu-function-taken", "holds a vGPU of type 1152 already", "free one"});
  }
  {
    Scene scene(Attempt::create_vgpu, EIO, "108");
    scene.source.profiles[2].gpu_instance_slices = 1;
    scene.source.mig = false;
    expect(scene.of(), {"vgpu-mig-off", "is not in MIG mode", "-mig 1"});
  }
  {
    Scene scene(Attempt::create_vgpu, EIO, "108");
    scene.source.profiles[2].gpu_instance_slices = 1;
    scene.source.mig = true;
    expect(scene.of(), {"vgpu-no-gpu-instance", "GPU instance of 1 slices", "-lgip"});
  }
  {
    Scene scene(Attempt::create_vgpu, EINVAL, "999");
    expect(scene.of("none"), {"vgpu-unknown-type", "knows no type 999", "GRID V100-16C"});
  }
  {
    Scene scene(Attempt::create_vgpu, EIO, "108");
    test::put(scene.source, "nvidia-108", 1);
    expect(scene.of(), {"vgpu-no-room", "holds 1x GRID V100-8Q; GRID V100-4Q is of another size",
                        "GRID V100-8C (nvidia-113)"});
  }
  {
    Scene scene(Attempt::create_vgpu, EIO, "108");
    expect(scene.of(), {"vgpu-manager-down", "manager may not run", "nvidia-vgpu-mgr"});
  }
  {
    Scene scene(Attempt::create_vgpu, EBUSY, "108");
    expect(scene.of(), {"vgpu-create-held", "a process has 0000:3b:00.0 open", "list slices"});
  }
  {
    Scene scene(Attempt::destroy_vgpu, EPERM, "0");
    expect(scene.of(), {"vgpu-destroy-held", "its machine still runs", "shut the machine down"});
  }
  {
    Scene scene(Attempt::create_vgpu, ENXIO, "108");
    expect(scene.of(), {"vgpu-files-gone", "no vGPU files any more", "tessera profiles"});
  }
}

void Explanations::of_settings() {
  {
    Scene scene(Attempt::settings, EINVAL, std::string(1025, 'x'));
    expect(scene.of(),
           {"vgpu-settings-too-long", "1025 bytes long, and the driver takes 1024", ""});
  }
  {
    Scene scene(Attempt::settings, EBUSY, "a=1");
    expect(scene.of(), {"vgpu-settings-late", "runs already", "shut its machine down"});
  }
  {
    Scene scene(Attempt::settings, EINVAL, "a=1");
    expect(scene.of(), {"vgpu-settings-unknown", "does not take 'a=1'", ""});
  }
  {
    Scene scene(Attempt::settings, ENOENT, "a=1");
    expect(scene.of(), {"vgpu-settings-absent", "takes no settings", "--set"});
  }
}

void Explanations::of_virtual_functions() {
  const auto case_of = [](int error_number, std::string driver) {
    Scene scene(Attempt::functions_on, error_number, "9");
    scene.source.driver = std::move(driver);
    scene.source.vf_total = 7;
    return scene;
  };
  {
    auto scene = case_of(0, "nvidia");
    scene.refusal.said = "ended with 1: Cannot obtain unbindLock for 0000:3b:00.0";
    expect(scene.of(),
           {"functions-unbind-lock", "something has 0000:3b:00.0 open", "tessera show"});
  }
  {
    auto scene = case_of(ENOENT, "nvidia");
    expect(scene.of(), {"functions-nvidia", "its own tool", "sriov-manage -e 0000:3b:00.0"});
  }
  {
    auto scene = case_of(ENOENT, "");
    expect(scene.of(), {"functions-no-driver", "no driver bound", "--to host"});
  }
  {
    auto scene = case_of(ENOENT, "i915");
    expect(scene.of(), {"functions-not-by-driver", "no sriov_configure", "max_vfs"});
  }
  {
    auto scene = case_of(EBUSY, "xe");
    scene.source.vf_enabled = 2;
    expect(scene.of(), {"functions-on-already", "changes only from none", "unslice --card"});
  }
  {
    auto scene = case_of(EBUSY, "virtio-pci");
    scene.source.vf_enabled = 0;
    expect(scene.of(), {"functions-driver-not-ready", "none is on, and virtio-pci is not ready",
                        "has to work under it"});
  }
  {
    auto scene = case_of(ERANGE, "xe");
    expect(scene.of(),
           {"functions-too-many", "9 were asked for, and 0000:3b:00.0 has at most 7", ""});
  }
  {
    auto scene = case_of(ENOMEM, "xe");
    scene.refusal.log = {"xe 0000:3b:00.0: not enough MMIO resources for SR-IOV"};
    expect(scene.of(), {"functions-no-memory-space", "no address space", "Above 4G Decoding"});
  }
  {
    auto scene = case_of(ENOMEM, "xe");
    scene.refusal.log = {"xe 0000:3b:00.0: can't enable 9 VFs (bus 04 out of range of [bus 03])"};
    expect(scene.of(), {"functions-no-bus-numbers", "no bus numbers", "pci=assign-busses"});
  }
  {
    auto scene = case_of(ENOSPC, "xe");
    expect(scene.of(), {"functions-provisioning", "could not share its resources", "fewer"});
  }
  {
    Scene scene(Attempt::functions_off, EBUSY, "0");
    expect(scene.of(), {"functions-held", "in use", "list slices"});
  }
}

void Explanations::of_quotas_and_of_what_any_write_can_meet() {
  const auto quota = [](int error_number) {
    Scene scene(Attempt::quota, error_number, "12x");
    scene.refusal.path = "/sys/bus/pci/devices/0000:3b:00.0/sriov_admin/vf1/profile/vram_quota";
    return scene;
  };
  {
    auto scene = quota(EPERM);
    expect(scene.of(), {"quota-not-applicable", "does not have the quota vram_quota", ""});
  }
  {
    auto scene = quota(EIO);
    expect(scene.of(), {"quota-firmware", "firmware refused 12x for vram_quota", "smaller"});
  }
  {
    auto scene = quota(ENOSPC);
    expect(scene.of(),
           {"quota-beyond", "0000:3b:00.0 has less left than 12x for vram_quota", "smaller"});
  }
  {
    auto scene = quota(EINVAL);
    expect(scene.of(), {"quota-malformed", "'12x' is no value for vram_quota", ""});
  }
  {
    auto scene = quota(EBUSY);
    expect(scene.of(), {"quota-in-use", "cannot be changed under it", "unslice --card"});
  }
  for (const auto& [error_number, id, words, hint] :
       {std::tuple{EACCES, "not-root", "only root", "sudo"},
        {EPERM, "lockdown", "locked down", "lockdown"},
        {EROFS, "read-only-sysfs", "mounted read-only", "host itself"},
        {ENOMEM, "no-memory", "no memory left", "free"}}) {
    Scene scene(Attempt::create_mdev, error_number);
    expect(scene.of(), {id, words, hint});
  }
}

TEST_F(Explanations, are_there_for_every_rule_and_each_speaks_in_its_own_case) {
  of_mediated_devices_that_cannot_be_made();
  of_vgpus_on_virtual_functions();
  of_settings();
  of_virtual_functions();
  of_quotas_and_of_what_any_write_can_meet();
  for (const auto rules :
       {mdev_explanations(), vgpu_explanations(), function_explanations(), common_explanations()}) {
    for (const auto& rule : rules) EXPECT_TRUE(seen_.contains(std::string(rule.id))) << rule.id;
  }
}

TEST(Refusals, are_found_from_the_step_that_failed_and_told_before_the_kernels_words) {
  auto source = test::v100();
  test::put(source, "nvidia-108", 2);
  const auto host = test::host_with(source);
  model::Plan plan;
  plan.operations.resize(1);
  model::Step step;
  step.path = "/sys/bus/pci/devices/0000:3b:00.0/mdev_supported_types/nvidia-113/create";
  step.text = a_uuid;
  plan.operations[0].forward = {step};
  auto error = error_from_errno(EINVAL, step.path, "write to");
  const auto told = explained(host, plan, error, {"nvidia 0000:3b:00.0: a line", "unrelated"});
  EXPECT_TRUE(told.sentence.starts_with("0000:3b:00.0 is full")) << told.sentence;
  EXPECT_NE(told.sentence.find("The kernel's words: "), std::string::npos);
  EXPECT_EQ(told.kind, error.kind);
  error.subject = "/sys/bus/pci/devices/0000:3b:00.0/driver_override";
  EXPECT_EQ(explained(host, plan, error, {}), error) << "not about a slice";
}

}  // namespace
}  // namespace tessera::plan::slices
