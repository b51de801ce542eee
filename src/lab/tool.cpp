// SPDX-License-Identifier: Apache-2.0
#include "lab/tool.h"

#include <cerrno>

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "base/text.h"
#include "kernel/child_process.h"
#include "lab/protocol.h"

namespace tessera::lab {
namespace {

/// Appends what there is to read; closes the stream at its end.
void drain(Fd& stream, std::string& to) {
  char bytes[16384];
  ssize_t got = read(stream.get(), bytes, sizeof bytes);
  if (got > 0) to.append(bytes, static_cast<std::size_t>(got));
  if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) stream.reset();
}

bool wait_for_output(const Child& child, Deadline deadline) {
  pollfd wanted[2] = {{child.out.get(), POLLIN, 0}, {child.err.get(), POLLIN, 0}};
  int ready = poll(wanted, 2, static_cast<int>(deadline.left().count()));
  return ready > 0 || (ready < 0 && errno == EINTR);
}

}  // namespace

Result<ToolOutput> run_tool(const Command& command, Deadline deadline,
                            const std::function<void(std::string_view)>& heard) {
  TRY_LET(Child child, start_child(command));
  child.in.reset();
  ToolOutput output;
  LineBuffer lines;
  while (child.out.valid() || child.err.valid()) {
    if (!wait_for_output(child, deadline)) {
      child.kill_all();
      kernel::reap(child.pidfd);
      return fail(ErrorKind::timeout, command.argv[0], "the tool did not end in time");
    }
    if (child.out.valid()) drain(child.out, output.out);
    std::string more;
    if (child.err.valid()) drain(child.err, more);
    output.err += more;
    lines.add(more);
    while (auto line = lines.next())
      if (heard) heard(*line);
  }
  output.exit_code = kernel::reap(child.pidfd).as_shell_code();
  return output;
}

bool tool_prints(const Command& command, std::string_view wanted, Deadline deadline) {
  auto child = start_child(command);
  if (!child) return false;
  std::string output;
  while (output.find(wanted) == std::string::npos && (child->out.valid() || child->err.valid()) &&
         wait_for_output(*child, deadline)) {
    if (child->out.valid()) drain(child->out, output);
    if (child->err.valid()) drain(child->err, output);
  }
  child->kill_all();
  kernel::reap(child->pidfd);
  return output.find(wanted) != std::string::npos;
}

}  // namespace tessera::lab
