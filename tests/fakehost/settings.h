// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "fakehost/host.h"

namespace tessera::fakehost {

// Settings below /etc, which lie on a disk and not in a kernel: they can be made, written piece by
// piece, cut, renamed and removed as on any file system. Each function is one system call, made
// with the host's lock held, and returns 0 or a negative errno.

bool is_setting(std::string_view path);

int make_setting(Host& host, std::string_view path);
int write_setting(Host& host, std::string_view path, std::string_view text, std::size_t offset);
int cut_setting(Host& host, std::string_view path, std::size_t size);
int rename_setting(Host& host, std::string_view from, std::string_view to);
int remove_setting(Host& host, std::string_view path);
int make_settings_folder(Host& host, std::string_view path);
int remove_settings_folder(Host& host, std::string_view path);

}  // namespace tessera::fakehost
