// SPDX-License-Identifier: Apache-2.0
#include "plan/operations.h"

#include <algorithm>

#include <fmt/format.h>

#include "kernel/files.h"
#include "model/drivers.h"

namespace tessera::plan {

namespace {

namespace files = kernel::files;
using model::Expectation;
using model::LateWrite;
using model::Operation;
using model::Step;
using What = model::Expectation::What;

/// driver_override reads "(null)" when unset, and a lone newline clears it.
constexpr const char* override_unset = "(null)";
constexpr const char* clear_override = "\n";

Expectation driver_is(const std::string& bdf, const std::string& driver) {
  return {What::link_name, files::pci_device(bdf, "driver"), driver};
}

Expectation driver_is_not(const std::string& bdf, const std::string& driver) {
  return {What::link_name_is_not, files::pci_device(bdf, "driver"), driver};
}

Expectation override_is(const std::string& bdf, const std::string& value) {
  return {What::text, files::pci_device(bdf, "driver_override"),
          value.empty() ? override_unset : value};
}

Step write(std::string path, std::string text, std::string reason) {
  Step step;
  step.path = std::move(path);
  step.text = std::move(text);
  step.reason = std::move(reason);
  return step;
}

Step set_override(const std::string& bdf, const std::string& value, std::string reason) {
  Step step = write(files::pci_device(bdf, "driver_override"),
                    value.empty() ? clear_override : value, std::move(reason));
  step.then = {override_is(bdf, value)};
  return step;
}

Step probe(const std::string& bdf, std::string reason) {
  return write(std::string(files::pci_drivers_probe), bdf, std::move(reason));
}

/// Unbinds from whatever holds the device, if it is one that has to go.
Step unbind(const std::string& bdf, std::string reason) {
  Step step = write(files::pci_device(bdf, "driver/unbind"), bdf, std::move(reason));
  step.then = {driver_is(bdf, "")};
  return step;
}

std::string override_of(const model::PciFunction& function) {
  return function.driver_override.value_or("");
}

/// What a late unbind must do to end where `override` and the kernel's own matching lead.
std::vector<LateWrite> settle_late(const std::string& bdf, const std::string& override_value) {
  return {{files::pci_device(bdf, "driver_override"),
           override_value.empty() ? clear_override : override_value},
          {std::string(files::pci_drivers_probe), bdf}};
}

/// The undo of an assign: override first, because a probe with it still set lands on VFIO again.
void add_assign_undo(Operation& op, const model::PciFunction& function,
                     const std::string& vfio_driver) {
  const std::string bdf = to_string(function.address);
  op.undo.push_back(set_override(bdf, override_of(function),
                                 "put driver_override back to what it was, before any probe"));
  if (function.driver == vfio_driver) return;
  Step let_go = unbind(bdf, fmt::format("let {} go", vfio_driver));
  let_go.only_if = {driver_is(bdf, vfio_driver)};
  let_go.late = settle_late(bdf, override_of(function));
  op.undo.push_back(let_go);
  if (function.driver.empty()) return;
  Step back = probe(bdf, fmt::format("let the kernel bind {} again", function.driver));
  back.only_if = {driver_is(bdf, "")};
  op.undo.push_back(back);
  Step by_name = write(files::pci_driver(function.driver, "bind"), bdf,
                       fmt::format("the probe did not pick {}: bind it by name", function.driver));
  by_name.only_if = {driver_is(bdf, "")};
  by_name.then = {driver_is(bdf, function.driver)};
  op.undo.push_back(by_name);
}

}  // namespace

Operation vfio_assign(const model::PciFunction& function, const std::string& vfio_driver) {
  const std::string bdf = to_string(function.address);
  Operation op;
  op.kind = "vfio.assign";
  op.subject = bdf;
  op.reason = fmt::format("{} must be on {} before a machine can own it", function_name(function),
                          vfio_driver);
  op.before = {driver_is(bdf, function.driver)};
  if (function.driver_override.has_value()) {
    op.before.push_back(override_is(bdf, override_of(function)));
  }
  op.forward.push_back(set_override(
      bdf, vfio_driver, "only this function may match, not every card with the same id"));
  if (!function.driver.empty() && function.driver != vfio_driver) {
    Step let_go = unbind(bdf, fmt::format("{} has to let go first", function.driver));
    let_go.late = settle_late(bdf, override_of(function));
    op.forward.push_back(let_go);
  }
  Step bind =
      probe(bdf, fmt::format("the kernel binds what driver_override names: {}", vfio_driver));
  bind.only_if = {driver_is(bdf, "")};
  bind.then = {driver_is(bdf, vfio_driver)};
  op.forward.push_back(bind);
  op.after = {driver_is(bdf, vfio_driver), override_is(bdf, vfio_driver)};
  add_assign_undo(op, function, vfio_driver);
  op.after_undo = {override_is(bdf, override_of(function)), driver_is(bdf, function.driver)};
  return op;
}

Result<std::string> vfio_module_for(const model::HostSnapshot& host,
                                    const model::PciFunction& function) {
  if (!function.vfio_module.empty()) return function.vfio_module;
  if (host.kernel.vfio_pci_available.value_or(false) ||
      host.kernel.vfio_pci_loaded.value_or(false)) {
    return "vfio_pci";
  }
  return fail(ErrorKind::unsupported, to_string(function.address),
              "this kernel has no VFIO driver for it: neither is vfio-pci built in nor does "
              "modules.alias list a vfio_pci module",
              "install the kernel's full module package (Debian: linux-image-amd64, not -cloud)");
}

std::optional<Operation> load_vfio_module(const model::HostSnapshot& host,
                                          const std::string& module) {
  const bool loaded = module == "vfio_pci" && host.kernel.vfio_pci_loaded.value_or(false);
  if (loaded) return std::nullopt;
  return module_load(module, "the VFIO driver must be there to be bound");
}

Operation vfio_release(const model::PciFunction& function, const std::string& host_driver) {
  const std::string bdf = to_string(function.address);
  const std::string wanted = host_driver.empty() ? "the host's driver" : host_driver;
  const bool on_vfio = model::is_vfio_driver(function.driver);
  Operation op;
  op.kind = "vfio.release";
  op.subject = bdf;
  op.reason = fmt::format("{} goes back to {}", function_name(function), wanted);
  op.before = {driver_is(bdf, function.driver)};

  op.forward.push_back(
      set_override(bdf, "", "clear driver_override first, or the probe lands on VFIO again"));
  if (on_vfio) {
    Step let_go = unbind(bdf, fmt::format("let {} go", function.driver));
    let_go.late = settle_late(bdf, override_of(function));
    op.forward.push_back(let_go);
  }
  Step back = probe(bdf, fmt::format("let the kernel bind {}", wanted));
  back.only_if = {driver_is(bdf, "")};
  op.forward.push_back(back);
  op.after = {override_is(bdf, "")};
  if (host_driver.empty()) {
    op.after.push_back(driver_is_not(bdf, function.driver.empty() ? "vfio-pci" : function.driver));
  } else {
    Step by_name = write(files::pci_driver(host_driver, "bind"), bdf,
                         fmt::format("the probe did not pick {}: bind it by name", host_driver));
    by_name.only_if = {driver_is(bdf, "")};
    op.forward.push_back(by_name);
    op.after.push_back(driver_is(bdf, host_driver));
  }

  op.undo.push_back(set_override(bdf, override_of(function), "put driver_override back"));
  if (on_vfio) {
    Step take = unbind(bdf, "the host's driver has to let go again");
    take.only_if = {driver_is_not(bdf, ""), driver_is_not(bdf, function.driver)};
    op.undo.push_back(take);
    Step rebind = probe(bdf, fmt::format("let the kernel bind {} again", function.driver));
    rebind.only_if = {driver_is(bdf, "")};
    op.undo.push_back(rebind);
    Step by_name =
        write(files::pci_driver(function.driver, "bind"), bdf,
              fmt::format("the probe did not pick {}: bind it by name", function.driver));
    by_name.only_if = {driver_is(bdf, "")};
    by_name.then = {driver_is(bdf, function.driver)};
    op.undo.push_back(by_name);
  } else {
    Step take = unbind(bdf, "it had no driver");
    take.only_if = {driver_is_not(bdf, "")};
    op.undo.push_back(take);
  }
  op.after_undo = {override_is(bdf, override_of(function)), driver_is(bdf, function.driver)};
  return op;
}

Operation framebuffer_detach(const model::BootFramebuffer& framebuffer) {
  const auto driver_link = files::platform_device(framebuffer.device, "driver");
  const Expectation attached{What::link_name, driver_link, framebuffer.driver};
  const Expectation detached{What::link_name, driver_link, ""};
  Operation op;
  op.kind = "framebuffer.detach";
  op.subject = framebuffer.device;
  op.reason = fmt::format(
      "the kernel still draws on the firmware's framebuffer ({}); while it does, VFIO cannot "
      "reserve the card's memory",
      framebuffer.label.empty() ? framebuffer.driver : framebuffer.label);
  op.before = {attached};
  Step unbind_step = write(files::platform_driver(framebuffer.driver, "unbind"), framebuffer.device,
                           "the boot console goes dark from here on");
  unbind_step.then = {detached};
  unbind_step.late = {{files::platform_driver(framebuffer.driver, "bind"), framebuffer.device}};
  op.forward = {unbind_step};
  op.after = {detached};
  Step bind_step = write(files::platform_driver(framebuffer.driver, "bind"), framebuffer.device,
                         "give the boot console its framebuffer back");
  bind_step.only_if = {detached};
  bind_step.then = {attached};
  op.undo = {bind_step};
  op.after_undo = {attached};
  return op;
}

Operation module_load(const std::string& module, const std::string& reason) {
  Operation op;
  op.kind = "module.load";
  op.subject = module;
  op.reason = reason;
  op.before = {{What::module, module, "no"}};
  Step load;
  load.action = Step::Action::load_module;
  load.path = module;
  load.reason = "load it with what it needs";
  load.then = {{What::module, module, "yes"}};
  op.forward = {load};
  op.after = {{What::module, module, "yes"}};
  Step unload;
  unload.action = Step::Action::unload_module;
  unload.path = module;
  unload.reason = "it was not there before; it stays if another device uses it by now";
  unload.only_if = {{What::module, module, "yes"}};
  op.undo = {unload};
  return op;
}

Operation holder_stop(const model::Holder& holder) {
  const bool has_unit = holder.unit.ends_with(".service");
  const std::string pid = std::to_string(holder.pid);
  const auto what = has_unit ? What::unit : What::process;
  const std::string& subject = has_unit ? holder.unit : pid;
  Operation op;
  op.kind = "holder.stop";
  op.subject = subject;
  op.reason = fmt::format("{} (pid {}) has {} open{}", holder.name, holder.pid,
                          holder.paths.empty() ? "the card" : holder.paths.front(),
                          has_unit ? "" : "; a process, unlike a unit, is not restarted by undo");
  op.before = {{what, subject, "yes"}};
  Step stop;
  stop.action = has_unit ? Step::Action::stop_unit : Step::Action::stop_process;
  stop.path = subject;
  stop.reason = "asked for by --stop-holders";
  stop.then = {{what, subject, "no"}};
  op.forward = {stop};
  op.after = {{what, subject, "no"}};
  if (has_unit) {
    Step start;
    start.action = Step::Action::start_unit;
    start.path = subject;
    start.reason = "it ran before";
    start.only_if = {{what, subject, "no"}};
    op.undo = {start};
    op.after_undo = {{what, subject, "yes"}};
  }
  return op;
}

}  // namespace tessera::plan
