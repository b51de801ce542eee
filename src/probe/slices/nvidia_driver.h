// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "kernel/recording.h"
#include "kernel/root.h"
#include "model/host.h"

namespace tessera::probe::slices {

/// Fills in what NVIDIA's driver says of the slices of its cards in no file: the types that a card
/// can have at all, since its files list those that fit now; of a card in MIG mode the kinds of GPU
/// instances, their places, and those that exist. Asks nvidia-smi of the running system or of a
/// rehearsal host, or reads a recording's notes.
///
/// A type that only nvidia-smi names can be made nowhere now. SliceSource::mig has to be known
/// already. Nothing is asked for where no card is the driver's. A driver that does not answer, or
/// answers in words that are not understood, adds nothing; returns what it said then, empty: all is
/// well.
std::string ask_nvidia_driver(const kernel::Root& root, model::HostSnapshot& host);

/// Names the vGPUs of which the kernel shows the type's number only: NVIDIA's files name types that
/// still fit. Nobody is asked where each has its name.
void name_nvidia_slices(const kernel::Root& root, model::HostSnapshot& host);

/// What nvidia-smi prints that this program reads, for a recording: the cards and their health, the
/// vGPUs on them, the types they can have, how near they are to each other, and of a host with one
/// card its MIG tables. Reports that end with an error are left out.
std::vector<kernel::Recording::Note> nvidia_reports(const kernel::Root& root,
                                                    const model::HostSnapshot& host);

}  // namespace tessera::probe::slices
