// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include <sys/un.h>

#include "base/fd.h"
#include "base/result.h"

namespace tessera {

/// `path` as the address of a Unix socket.
/// Errors: invalid when it is too long: 107 bytes is all that the kernel's structure takes.
Result<sockaddr_un> unix_address(const std::string& path);

/// A new stream socket, close-on-exec; `path` is for the message.
Result<Fd> unix_socket(const std::string& path);

/// Connects to the socket at `path`. Errors: not_found with the sentence `nobody` when there is no
/// such file or nobody listens on it any more.
Result<Fd> connect_unix(const std::string& path, std::string_view nobody);

/// Listens on a new socket at `path`, with room for `backlog` clients that are not accepted yet.
/// The file must not be there: the caller knows whether an old one may go.
Result<Fd> listen_unix(const std::string& path, int backlog);

}  // namespace tessera
