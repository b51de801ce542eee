// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace tessera::apply {

/// A place where a crash must lose nothing. With TESSERA_CRASH_POINT=N in the environment the
/// process kills itself (SIGKILL) at the N-th place it passes: rehearsals and tests prove with it
/// that `tessera recover` brings the host to a known state from everywhere.
void crash_point();

}  // namespace tessera::apply
