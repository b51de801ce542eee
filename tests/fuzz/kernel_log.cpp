// SPDX-License-Identifier: Apache-2.0
// What the kernel log says of memory and of cards, whatever stands there: each finding is whole.
#include <algorithm>

#include "base/text.h"
#include "fuzz.h"
#include "plan/checks/test_host.h"
#include "plan/doctor.h"

using tessera::fuzz::must;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace plan = tessera::plan;
  auto host = plan::test::good_host();
  for (const auto line : tessera::text::lines(tessera::fuzz::text_of(data, size))) {
    host.kernel_log.emplace_back(line);
  }
  host.machines = {{812, "qemu-system-x86", "desk1", ""}};
  plan::test::edit(host, plan::test::gpu).bus_errors =
      std::vector<tessera::model::BusErrors>{{{}, "RxErr", 1000}};
  for (const auto& finding : plan::diagnose(host)) {
    must(!finding.title.empty() && !finding.cause.empty(), "a finding says what, and why");
    must(!finding.consequence.empty() && !finding.fix.empty(), "what follows, and what to do");
    must(!finding.evidence.empty(), "and what was seen");
    must(finding.title.size() < size * 5 + 400, "it says no more than there was");
  }
  return 0;
}
