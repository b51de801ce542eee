// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "text.h"

/// The first serial port (COM1), 115200 8N1: the guest's only report besides the picture.
namespace guest::serial {

void open();
void print_line(const Line& line);

}  // namespace guest::serial
