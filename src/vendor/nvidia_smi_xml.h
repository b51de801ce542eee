// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/slice_health.h"

namespace tessera::vendor {

/// The XML of `nvidia-smi -q -x`: a <gpu> for each card that the driver has bound. A card that a
/// VFIO driver has is not there, and neither are virtual functions.
///
/// Elements have come and gone over the years, so each is looked for under its path and what is not
/// there is absent; elements of another depth with the same name (<fb_memory_usage> of MIG devices)
/// are never taken. Drivers of any age are read: ECC counts as single_bit/double_bit totals (before
/// 450), as SRAM and DRAM, or with SRAM's cut in two (550 on); in the last two the parts that the
/// card counts are added up. An element that says "N/A" as a whole says it of all that it would
/// hold.
///
/// Lines before the XML that name a card which does not answer give `unreachable`. A text that says
/// that no devices were found is an empty report, not an error.
///
/// `name` is the text's name, for messages and as HealthReport::source. Errors: unsupported, denied
/// or io where nvidia-smi says why it failed; invalid, naming the line: no XML, broken XML, another
/// root, a <gpu> without an address or with one that came before.
Result<model::HealthReport> parse_nvidia_smi_xml(std::string_view text, std::string_view name);

/// What `nvidia-smi vgpu -q` said.
struct VgpuReport {
  std::vector<model::PciAddress> cards;  ///< that were asked, those without vGPUs too
  std::vector<model::VgpuHealth> vgpus;  ///< by card, as printed
};

/// The text of `nvidia-smi vgpu -q`, by its indentation: a line for each card, a block for each
/// vGPU, sections in it. Keys are known in either case ("Gpu" in 525, "GPU" in 580); unknown ones
/// are passed over. A machine's name is cut where QEMU's -name goes on with other options
/// ("win10test,debug-threads=on").
///
/// Errors: as above; invalid, naming the line, where a line has no place in the report, a card or a
/// vGPU is there twice, or there are not as many vGPUs as the card's line announces.
Result<VgpuReport> parse_nvidia_smi_vgpus(std::string_view text, std::string_view name);

}  // namespace tessera::vendor
