// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kernel/root.h"
#include "model/system.h"

namespace tessera::probe {

/// The settings files of kernel::files::settings that are there, sorted by path.
std::vector<model::SettingsFile> read_settings(const kernel::Root& root);

/// The distribution and how it boots, by its files. The flow is what decides how a kernel argument
/// is added and an initramfs made anew; a host with several boot loaders gets the first that fits.
model::BootFacts read_boot_facts(const kernel::Root& root);

/// A value of os-release(5), without its quotes; empty when the key is not there.
std::string os_release_value(std::string_view text, std::string_view key);

}  // namespace tessera::probe
