// SPDX-License-Identifier: Apache-2.0
#include "app/verbs.h"

namespace tessera::app {

std::span<const NamedVerb> all_verbs() {
  static constexpr NamedVerb verbs[] = {
      {"list", add_list},         {"show", add_show},       {"topo", add_topo},
      {"doctor", add_doctor},     {"health", add_health},   {"lint", add_lint},
      {"record", add_record},     {"assign", add_assign},   {"framebuffer", add_framebuffer},
      {"module", add_module},     {"run", add_run},         {"profiles", add_profiles},
      {"slice", add_slice},       {"unslice", add_unslice}, {"define", add_define},
      {"undefine", add_undefine}, {"restore", add_restore}, {"claim", add_claim},
      {"disown", add_disown},     {"undo", add_undo},       {"history", add_history},
      {"recover", add_recover},   {"lab", add_lab},         {"generate", add_generate, true},
  };
  return verbs;
}

}  // namespace tessera::app
