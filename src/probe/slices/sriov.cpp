// SPDX-License-Identifier: Apache-2.0
// Virtual functions without more: AMD's, and every driver that gives them no profiles. Each one
// that is enabled is a slice (Documentation/PCI/pci-iov-howto.rst).
#include "kernel/files.h"
#include "probe/read.h"
#include "probe/slices/frameworks.h"
#include "probe/slices/support.h"
#include "probe/slices/vf_slices.h"

namespace tessera::probe::slices {

namespace files = kernel::files;
using model::SliceSource;

void read_sriov(const kernel::Root& root, const model::HostSnapshot& host,
                std::vector<SliceSource>& found) {
  for (const auto& card : host.cards) {
    if (is_taken(found, card.address)) continue;
    const auto device = model::to_string(card.address);
    const auto total = read_int(root, files::pci_device(device, "sriov_totalvfs"));
    const bool has_functions = !virtual_functions(root, device).empty();
    if (total.value_or(0) == 0 && !has_functions) continue;
    add_vf_slices(root, source_of(root, host, device, model::Framework::sriov, found));
  }
}

}  // namespace tessera::probe::slices
