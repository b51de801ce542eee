// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libkmod.h>

#include "base/result.h"

namespace tessera::kernel {

/// libkmod, opened by those who load or remove a module: it brings libcrypto, which takes longer to
/// start than the rest of a command, so that the others do without. Its functions have its names.
struct KmodLibrary {
  decltype(&::kmod_new) kmod_new = nullptr;
  decltype(&::kmod_unref) kmod_unref = nullptr;
  decltype(&::kmod_set_log_fn) kmod_set_log_fn = nullptr;
  decltype(&::kmod_list_next) kmod_list_next = nullptr;
  decltype(&::kmod_module_new_from_lookup) kmod_module_new_from_lookup = nullptr;
  decltype(&::kmod_module_new_from_name) kmod_module_new_from_name = nullptr;
  decltype(&::kmod_module_get_module) kmod_module_get_module = nullptr;
  decltype(&::kmod_module_get_initstate) kmod_module_get_initstate = nullptr;
  decltype(&::kmod_module_probe_insert_module) kmod_module_probe_insert_module = nullptr;
  decltype(&::kmod_module_remove_module) kmod_module_remove_module = nullptr;
  decltype(&::kmod_module_unref) kmod_module_unref = nullptr;
  decltype(&::kmod_module_unref_list) kmod_module_unref_list = nullptr;
};

/// Opened once, for as long as the program runs. Errors: unsupported where it is not installed, or
/// is another libkmod than the one whose header we know.
Result<KmodLibrary> open_kmod_library();

}  // namespace tessera::kernel
