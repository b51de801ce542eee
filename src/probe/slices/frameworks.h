// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "kernel/root.h"
#include "model/host.h"
#include "model/slice.h"

namespace tessera::probe::slices {

/// One way to cut cards, as far as it is read. A framework finds its own cards by the files that
/// they show; those in `found` are spoken for by frameworks before it and are left alone.
struct FrameworkReader {
  std::string_view name;
  void (*read)(const kernel::Root& root, const model::HostSnapshot& host,
               std::vector<model::SliceSource>& found);
};

void read_vendor_vfio(const kernel::Root& root, const model::HostSnapshot& host,
                      std::vector<model::SliceSource>& found);
void read_mdev(const kernel::Root& root, const model::HostSnapshot& host,
               std::vector<model::SliceSource>& found);
void read_xe(const kernel::Root& root, const model::HostSnapshot& host,
             std::vector<model::SliceSource>& found);
void read_i915(const kernel::Root& root, const model::HostSnapshot& host,
               std::vector<model::SliceSource>& found);
void read_sriov(const kernel::Root& root, const model::HostSnapshot& host,
                std::vector<model::SliceSource>& found);

/// All of them, in the order in which they are asked: what is special before what is general.
std::span<const FrameworkReader> frameworks();

/// Everything on the host that slices can be cut from, by device. Only cards and functions of
/// `host` are looked at, and what is an mdev parent. Nothing is written.
std::vector<model::SliceSource> read_sources(const kernel::Root& root,
                                             const model::HostSnapshot& host);

/// NVIDIA's creatable_vgpu_types, with or without its header line:
///
///     ID    : vGPU Name
///     1145  : NVIDIA L40S-1B
///
/// Lines of another form are passed over.
std::vector<model::Profile> parse_creatable_types(std::string_view text);

}  // namespace tessera::probe::slices
