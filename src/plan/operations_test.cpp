// SPDX-License-Identifier: Apache-2.0
#include "plan/operations.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace tessera::plan {
namespace {

using model::Operation;
using model::PciFunction;
using model::Step;

PciFunction nouveau_card() {
  PciFunction function;
  function.address = model::parse_pci_address("0000:01:00.0").value();
  function.driver = "nouveau";
  function.driver_override = std::string();
  return function;
}

std::size_t index_of(const std::vector<Step>& steps, std::string_view path_end) {
  auto found =
      std::ranges::find_if(steps, [&](const Step& step) { return step.path.ends_with(path_end); });
  return static_cast<std::size_t>(found - steps.begin());
}

TEST(vfio_assign, names_the_driver_before_it_unbinds_and_probes_last) {
  const Operation op = vfio_assign(nouveau_card(), "vfio-pci");
  ASSERT_EQ(op.forward.size(), 3U);
  EXPECT_EQ(op.forward[0].path, "/sys/bus/pci/devices/0000:01:00.0/driver_override");
  EXPECT_EQ(op.forward[0].text, "vfio-pci");
  EXPECT_EQ(op.forward[1].path, "/sys/bus/pci/devices/0000:01:00.0/driver/unbind");
  EXPECT_EQ(op.forward[2].path, "/sys/bus/pci/drivers_probe");
  EXPECT_EQ(op.forward[2].text, "0000:01:00.0");
}

TEST(vfio_assign, undo_clears_the_override_before_any_probe) {
  // A mirror of the forward order would probe with the override still set and land on vfio again.
  const Operation op = vfio_assign(nouveau_card(), "vfio-pci");
  EXPECT_LT(index_of(op.undo, "driver_override"), index_of(op.undo, "unbind"));
  EXPECT_LT(index_of(op.undo, "unbind"), index_of(op.undo, "drivers_probe"));
  EXPECT_EQ(op.undo[0].text, "\n");
}

TEST(vfio_assign, restores_an_override_that_was_there_before) {
  auto function = nouveau_card();
  function.driver_override = std::string("nouveau");
  const Operation op = vfio_assign(function, "vfio-pci");
  EXPECT_EQ(op.undo[0].text, "nouveau");
  EXPECT_EQ(op.after_undo[0].value, "nouveau");
}

TEST(vfio_assign, of_a_driverless_function_unbinds_nothing_and_leaves_it_driverless_again) {
  auto function = nouveau_card();
  function.driver.clear();
  const Operation op = vfio_assign(function, "vfio-pci");
  EXPECT_EQ(index_of(op.forward, "unbind"), op.forward.size());
  EXPECT_EQ(index_of(op.undo, "drivers_probe"), op.undo.size());
  EXPECT_EQ(op.after_undo[1].value, "");
}

TEST(vfio_assign, a_late_unbind_ends_on_the_host_driver) {
  const Operation op = vfio_assign(nouveau_card(), "vfio-pci");
  const auto& late = op.forward[index_of(op.forward, "unbind")].late;
  ASSERT_EQ(late.size(), 2U);
  EXPECT_TRUE(late[0].path.ends_with("driver_override"));
  EXPECT_EQ(late[0].text, "\n");
  EXPECT_TRUE(late[1].path.ends_with("drivers_probe"));
}

TEST(vfio_release, a_late_unbind_ends_on_vfio_where_it_was) {
  auto function = nouveau_card();
  function.driver = "vfio-pci";
  function.driver_override = std::string("vfio-pci");
  const Operation op = vfio_release(function, "nouveau");
  const auto& late = op.forward[index_of(op.forward, "unbind")].late;
  ASSERT_EQ(late.size(), 2U);
  EXPECT_EQ(late[0].text, "vfio-pci");
}

TEST(vfio_release, wants_the_driver_it_had_and_falls_back_to_binding_by_name) {
  auto function = nouveau_card();
  function.driver = "vfio-pci";
  const Operation op = vfio_release(function, "nouveau");
  EXPECT_EQ(op.after.back().value, "nouveau");
  EXPECT_EQ(op.forward.back().path, "/sys/bus/pci/drivers/nouveau/bind");
}

TEST(module_load, takes_back_only_what_it_loaded) {
  const Operation op = module_load("vfio_pci", "test");
  EXPECT_EQ(op.before[0].value, "no");
  ASSERT_EQ(op.undo.size(), 1U);
  EXPECT_EQ(op.undo[0].action, Step::Action::unload_module);
}

TEST(holder_stop, restarts_a_unit_but_cannot_restart_a_process) {
  model::Holder holder;
  holder.pid = 812;
  holder.name = "nvidia-persiste";
  holder.unit = "nvidia-persistenced.service";
  EXPECT_EQ(holder_stop(holder).undo.size(), 1U);
  holder.unit.clear();
  const Operation op = holder_stop(holder);
  EXPECT_TRUE(op.undo.empty());
  EXPECT_NE(op.reason.find("not restarted"), std::string::npos);
}

}  // namespace
}  // namespace tessera::plan
