// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "app/change.h"
#include "app/verb.h"
#include "plan/operations.h"
#include "probe/probe.h"

namespace tessera::app {

namespace {

struct FramebufferOptions {
  std::string device;
  ChangeOptions change;
};

Result<model::Plan> plan_detach(const kernel::Root& root, const std::string& device) {
  TRY_LET(const auto host, probe::take_snapshot(root));
  std::vector<std::string> attached;
  for (const auto& framebuffer : host.framebuffers) {
    if (framebuffer.driver.empty() || framebuffer.device.empty()) continue;
    attached.push_back(framebuffer.device);
    if (framebuffer.device != device) continue;
    model::Plan plan;
    plan.title = fmt::format("detach framebuffer {}", device);
    plan.subject = device;
    plan.operations.push_back(plan::framebuffer_detach(framebuffer));
    return plan;
  }
  return fail(ErrorKind::not_found, device, "no such boot framebuffer has a driver here",
              attached.empty() ? "none is attached: there is nothing to detach"
                               : fmt::format("attached: {}", fmt::join(attached, ", ")));
}

}  // namespace

void add_framebuffer(cli::Verb parser, Session& session) {
  auto verb = parser.add_verb("framebuffer", "the framebuffer that the firmware left");
  verb.needs_verb();
  auto detach = verb.add_verb("detach", "take the boot framebuffer from its driver");
  auto options = std::make_shared<FramebufferOptions>();
  detach.option("device", options->device, "platform device, e.g. simple-framebuffer.0").required();
  add_change_options(detach, options->change);
  detach.on_call([&session, options] {
    session.exit_code = change_host(session, options->change, [&](const kernel::Root& root) {
      return plan_detach(root, options->device);
    });
  });
}

}  // namespace tessera::app
