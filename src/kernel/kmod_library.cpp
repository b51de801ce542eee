// SPDX-License-Identifier: Apache-2.0
#include "kernel/kmod_library.h"

#include <string>

#include <dlfcn.h>

namespace tessera::kernel {

namespace {

constexpr const char* kmod_name = "libkmod.so.2";

std::unexpected<Error> no_kmod() {
  const char* const why = ::dlerror();
  return fail(ErrorKind::unsupported, kmod_name, why != nullptr ? why : "it cannot be used",
              "install libkmod (Debian: apt install libkmod2)");
}

template <typename Function>
bool find_function(void* handle, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(handle, name));
  return function != nullptr;
}

}  // namespace

Result<KmodLibrary> open_kmod_library() {
  void* const handle = ::dlopen(kmod_name, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return no_kmod();
  KmodLibrary all;
  const auto find = [handle](const char* name, auto& function) {
    return find_function(handle, name, function);
  };
  const bool found = find("kmod_new", all.kmod_new) && find("kmod_unref", all.kmod_unref) &&
                     find("kmod_set_log_fn", all.kmod_set_log_fn) &&
                     find("kmod_list_next", all.kmod_list_next) &&
                     find("kmod_module_new_from_lookup", all.kmod_module_new_from_lookup) &&
                     find("kmod_module_new_from_name", all.kmod_module_new_from_name) &&
                     find("kmod_module_get_module", all.kmod_module_get_module) &&
                     find("kmod_module_get_initstate", all.kmod_module_get_initstate) &&
                     find("kmod_module_probe_insert_module", all.kmod_module_probe_insert_module) &&
                     find("kmod_module_remove_module", all.kmod_module_remove_module) &&
                     find("kmod_module_unref", all.kmod_module_unref) &&
                     find("kmod_module_unref_list", all.kmod_module_unref_list);
  if (!found) return no_kmod();
  return all;
}

}  // namespace tessera::kernel
