// SPDX-License-Identifier: Apache-2.0
#include "plan/slices/virtual_functions.h"

#include <gtest/gtest.h>

#include "plan/checks/test_host.h"

namespace tessera::plan::slices {
namespace {

using model::HostSnapshot;
namespace hosts = plan::test;

const model::PciAddress first = hosts::at(1, 0, 2);
const model::PciAddress second = hosts::at(1, 0, 3);

/// A card with two virtual functions, each in a group of its own, which no driver has.
HostSnapshot host_with_functions() {
  HostSnapshot host = hosts::good_host();
  model::SliceSource source;
  source.device = to_string(hosts::gpu);
  source.card = hosts::gpu;
  source.framework = model::Framework::sriov;
  for (const auto& address : {first, second}) {
    const int group = static_cast<int>(host.groups.size());
    auto function = hosts::function_at(address, hosts::class_vga, "", group);
    function.physical_function = hosts::gpu;
    host.functions.push_back(function);
    host.groups.push_back({group, {address}, {}, {}});
    model::Slice slice;
    slice.identity = to_string(address);
    slice.framework = model::Framework::sriov;
    source.slices.push_back(slice);
  }
  host.slice_sources = {source};
  return host;
}

model::Plan plan_for(const HostSnapshot& host) {
  model::Plan plan;
  give_to_vfio(host, host.slice_sources.front(), plan);
  return plan;
}

std::vector<std::string> kinds_of(const model::Plan& plan) {
  std::vector<std::string> kinds;
  for (const auto& one : plan.operations) kinds.push_back(one.kind + " " + one.subject);
  return kinds;
}

TEST(functions_to_vfio, each_goes_to_its_best_driver_and_stands_on_what_turned_it_on) {
  auto host = host_with_functions();
  hosts::edit(host, second).vfio_module = "xe_vfio_pci";
  const auto plan = plan_for(host);
  EXPECT_EQ(kinds_of(plan),
            (std::vector<std::string>{"module.load vfio_pci", "module.load xe_vfio_pci",
                                      "vfio.assign 0000:01:00.2", "vfio.assign 0000:01:00.3"}));
  EXPECT_EQ(plan.operations.back().uses, std::vector<std::string>{"0000:01:00.0"});
  EXPECT_TRUE(plan.notes.empty());
}

TEST(functions_to_vfio, one_that_a_driver_has_is_left_alone) {
  auto host = host_with_functions();
  host.kernel.vfio_pci_loaded = true;
  host.slice_sources[0].slices[0].driver = "vfio-pci";
  EXPECT_EQ(kinds_of(plan_for(host)), std::vector<std::string>{"vfio.assign 0000:01:00.3"});
}

TEST(functions_to_vfio, what_cannot_be_given_away_is_said_and_the_others_go) {
  auto host = host_with_functions();
  host.kernel.vfio_pci_loaded = true;
  hosts::move_to_group(host, second, 3);  // the network card's
  auto plan = plan_for(host);
  EXPECT_EQ(kinds_of(plan), std::vector<std::string>{"vfio.assign 0000:01:00.2"});
  ASSERT_EQ(plan.notes.size(), 1U);
  EXPECT_EQ(plan.notes[0].find("0000:01:00.3 stays without a driver, and no machine can have it: "
                               "its IOMMU group 3 also holds 0000:02:00.0"),
            0U)
      << plan.notes[0];
  hosts::edit(host, second).iommu_group = {};
  EXPECT_NE(plan_for(host).notes.at(0).find("it is in no IOMMU group"), std::string::npos);
}

TEST(functions_to_vfio, a_kernel_without_vfio_is_said) {
  auto host = host_with_functions();
  host.kernel.vfio_pci_available = false;
  const auto plan = plan_for(host);
  EXPECT_TRUE(plan.operations.empty());
  EXPECT_EQ(plan.notes.size(), 2U);
}

TEST(functions_taken_away, undo_binds_those_that_vfio_had) {
  auto host = host_with_functions();
  auto& source = host.slice_sources[0];
  source.vf_enabled = 2;
  source.slices[1].driver = "vfio-pci";
  const auto operation = disable_functions(source);
  std::vector<std::string> written;
  for (const auto& step : operation.undo) written.push_back(step.path + " " + step.text);
  EXPECT_EQ(written,
            (std::vector<std::string>{"/sys/bus/pci/devices/0000:01:00.0/sriov_numvfs 2",
                                      "/sys/bus/pci/devices/0000:01:00.3/driver_override vfio-pci",
                                      "/sys/bus/pci/drivers_probe 0000:01:00.3"}));
}

}  // namespace
}  // namespace tessera::plan::slices
