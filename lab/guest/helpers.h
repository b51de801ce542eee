// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "pci.h"

/// The other functions this guest can drive, so that owning them is shown and not only listed.
namespace guest {

/// Intel High Definition Audio, revision 1.0a: the controller is reset, then asked for its version
/// and which codecs answered.
struct Audio {
  bool running = false;
  uint32_t major = 0, minor = 0;
  uint32_t codecs = 0;  ///< a bit for each codec address (STATESTS)
};
bool is_audio(const pci::Function& function);
Audio start_audio(const pci::Function& function);

/// QEMU's teaching device: it copies a block from our memory to its own and back by DMA.
/// On a passed-through device that only works through the host's IOMMU.
bool is_edu(const pci::Function& function);
bool edu_copies_by_dma(const pci::Function& function);

}  // namespace guest
