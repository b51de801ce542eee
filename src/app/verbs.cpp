// SPDX-License-Identifier: Apache-2.0
#include "app/verbs.h"

namespace tessera::app {

std::span<const AddVerb> all_verbs() {
  static constexpr AddVerb verbs[] = {
      add_list,   add_show,    add_topo,        add_doctor,   add_health,  add_lint,
      add_record, add_assign,  add_framebuffer, add_module,   add_run,     add_profiles,
      add_slice,  add_unslice, add_define,      add_undefine, add_restore, add_claim,
      add_disown, add_undo,    add_history,     add_recover,  add_lab,     add_generate,
  };
  return verbs;
}

}  // namespace tessera::app
