// SPDX-License-Identifier: Apache-2.0
#include "kernel/tools.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "base/text.h"
#include "kernel/child_process.h"
#include "kernel/files.h"

namespace tessera::kernel {

namespace {

constexpr std::size_t output_limit = 4UZ << 20;
constexpr Milliseconds patience_after_kill = std::chrono::seconds(2);

bool is_rehearsal(const Root& root) {
  return root.kind() == Root::Kind::directory && root.exists(files::rehearsal);
}

/// Where an open descriptor's file lies on this machine.
Result<std::string> real_path(const Fd& fd, const std::string& subject) {
  std::array<char, PATH_MAX> path;
  const auto link = fmt::format("/proc/self/fd/{}", fd.get());
  const ssize_t size = ::readlink(link.c_str(), path.data(), path.size());
  if (size < 0) return fail(error_from_errno(errno, subject, "find"));
  return std::string(path.data(), static_cast<std::size_t>(size));
}

/// A program to start, and what it is told of its root.
struct Tool {
  std::string program;
  std::vector<std::string> variables;
};

/// Links of a rehearsal host are followed inside it, so that none leads to this machine's program.
Result<Tool> find_tool(const Root& root, const std::string& path) {
  if (root.kind() != Root::Kind::live && !is_rehearsal(root)) {
    return fail(
        ErrorKind::unsupported, path,
        fmt::format("{} has no running kernel: its programs cannot be run", root.location()));
  }
  auto fd = root.open_file(path, O_PATH);
  if (!fd && fd.error().kind == ErrorKind::not_found) {
    return fail(ErrorKind::not_found, path, "there is no such program on the host");
  }
  if (!fd) return fail(fd.error());
  if (root.kind() == Root::Kind::live) return Tool{path, {}};
  TRY_LET(Fd top, root.open_file("/", O_PATH | O_DIRECTORY));
  TRY_LET(std::string program, real_path(*fd, path));
  TRY_LET(std::string directory, real_path(top, root.location()));
  return Tool{std::move(program), {fmt::format("TESSERA_ROOT={}", directory)}};
}

struct Pipe {
  Fd read_end;
  Fd write_end;
};

Result<Pipe> make_pipe(const std::string& subject) {
  std::array<int, 2> ends = {-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return fail(error_from_errno(errno, subject, "make a pipe to"));
  }
  Pipe pipe{Fd(ends[0]), Fd(ends[1])};
  const int flags = ::fcntl(ends[0], F_GETFL);
  if (flags < 0 || ::fcntl(ends[0], F_SETFL, flags | O_NONBLOCK) != 0) {
    return fail(error_from_errno(errno, subject, "make a pipe to"));
  }
  return pipe;
}

/// Takes what is there. False at the end of the stream. What passes the limit is read and dropped,
/// so that the program never waits for us.
bool drain(const Fd& stream, std::string& output) {
  std::array<char, 65536> piece;
  for (;;) {
    const ssize_t size = ::read(stream.get(), piece.data(), piece.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return errno == EAGAIN;
    if (size == 0) return false;
    const auto room = output_limit - output.size();
    output.append(piece.data(), std::min(static_cast<std::size_t>(size), room));
  }
}

/// Reads until the program has ended; a process that it left behind may keep the stream open.
/// False when the deadline came first.
bool read_until_the_end(const ChildProcess& child, const Fd& stream, Deadline deadline,
                        std::string& output) {
  bool open = true;
  for (;;) {
    std::array<pollfd, 2> waited = {
        {{child.pidfd.get(), POLLIN, 0}, {open ? stream.get() : -1, POLLIN, 0}}};
    const auto left = std::min<Milliseconds::rep>(deadline.left().count(), INT_MAX);
    const int ready = ::poll(waited.data(), waited.size(), static_cast<int>(left));
    if (ready < 0 && errno == EINTR) continue;
    if (open) open = drain(stream, output);
    if (waited[0].revents != 0) return true;
    if (ready <= 0) return false;
  }
}

/// Ends the program and all that is still in its process group: it leads a session of its own, and
/// its number cannot mean anybody else before it is reaped.
Error give_up(const ChildProcess& child, const std::string& path, const std::string& output) {
  ::kill(-child.pid, SIGKILL);
  Error error = {.kind = ErrorKind::timeout,
                 .subject = path,
                 .sentence = "it did not end in time and was killed",
                 .hint = {}};
  if (wait_for_end(child.pidfd, Deadline::in(patience_after_kill))) {
    reap(child.pidfd);
  } else {
    error.sentence = fmt::format(
        "it did not end in time, and cannot be killed: process {} waits in the kernel", child.pid);
    error.hint = "something still uses the device: end its user (`tessera show` names it)";
  }
  const auto lines = text::lines(output);
  if (!lines.empty()) {
    error.sentence += fmt::format("; the last that it said: {}", text::printable(lines.back()));
  }
  return error;
}

}  // namespace

bool can_run_tool(const Root& root, const std::string& path) {
  return find_tool(root, path).has_value();
}

Result<ToolOutcome> run_tool(const Root& root, const std::string& path,
                             const std::vector<std::string>& arguments, Deadline deadline,
                             int kept_fd) {
  TRY_LET(Tool tool, find_tool(root, path));
  TRY_LET(Pipe pipe, make_pipe(path));
  std::vector<std::string> argv = {tool.program};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  TRY_LET(ChildProcess child, spawn({.argv = argv,
                                     .output_fd = pipe.write_end.get(),
                                     .error_fd = pipe.write_end.get(),
                                     .session = SpawnRequest::Session::own,
                                     .variables = tool.variables,
                                     .kept_fd = kept_fd}));
  pipe.write_end.reset();
  ToolOutcome outcome;
  if (!read_until_the_end(child, pipe.read_end, deadline, outcome.output)) {
    return fail(give_up(child, path, outcome.output));
  }
  (void)drain(pipe.read_end, outcome.output);  // what it wrote last
  outcome.exit_code = reap(child.pidfd).as_shell_code();
  return outcome;
}

}  // namespace tessera::kernel
