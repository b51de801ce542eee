// SPDX-License-Identifier: Apache-2.0
#include "probe/record.h"

#include <cerrno>
#include <cstdio>
#include <memory>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "app/verb.h"
#include "base/fd.h"
#include "kernel/root.h"

namespace tessera::app {

namespace {

struct RecordOptions {
  std::string file;
  bool keep_ids = false;
  bool force = false;
};

constexpr std::string_view header =
    "# A host, recorded by tessera " TESSERA_VERSION
    "; `tessera --root FILE list` reads it.\n"
    "# A line is a path, a TAB and a value; `tessera record --help` says what is left out.\n";

Status write_all(const Fd& file, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t size = ::write(file.get(), text.data(), text.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return fail(error_from_errno(errno, path, "write"));
    text.remove_prefix(static_cast<std::size_t>(size));
  }
  if (::fsync(file.get()) != 0) return fail(error_from_errno(errno, path, "write"));
  return {};
}

/// Gives the finished file its name; that is done or not done, never half.
Status put_in_place(const std::string& fresh, const RecordOptions& options) {
  const unsigned flags = options.force ? 0 : RENAME_NOREPLACE;
  if (::renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, options.file.c_str(), flags) == 0) return {};
  if (errno == EEXIST) {
    return fail(ErrorKind::conflict, options.file, "the file is there already",
                "give another name, or --force to replace it");
  }
  return fail(error_from_errno(errno, options.file, "write"));
}

Status write_file(const RecordOptions& options, std::string_view text) {
  std::string fresh = options.file + ".XXXXXX";
  Fd file(::mkostemp(fresh.data(), O_CLOEXEC));
  if (!file.valid()) return fail(error_from_errno(errno, options.file, "write"));
  auto done = write_all(file, text, options.file);
  if (done) done = put_in_place(fresh, options);
  if (!done) ::unlink(fresh.c_str());
  return done;
}

Status record(const Session& session, const RecordOptions& options) {
  const bool to_stdout = options.file == "-";
  if (!to_stdout && !options.force && ::access(options.file.c_str(), F_OK) == 0) {
    return fail(ErrorKind::conflict, options.file, "the file is there already",
                "give another name, or --force to replace it");
  }
  TRY_LET(kernel::Root root, kernel::Root::open(session.root));
  const auto ids = options.keep_ids ? probe::Ids::kept : probe::Ids::scrubbed;
  TRY_LET(const std::string text, probe::record_host(root, ids));
  if (to_stdout) {
    fmt::print("{}{}", header, text);
    return {};
  }
  TRY(write_file(options, fmt::format("{}{}", header, text)));
  if (session.json) {
    const nlohmann::ordered_json told = {
        {"schema", "tessera/recording/1"}, {"file", options.file}, {"ids_kept", options.keep_ids}};
    fmt::print("{}\n", told.dump(2));
  } else {
    fmt::print("{} is written; `tessera --root {} doctor` reads it\n", options.file, options.file);
  }
  return {};
}

}  // namespace

void add_record(cli::Verb parser, Session& session) {
  auto options = std::make_shared<RecordOptions>();
  auto verb = parser.add_verb("record", "write this host down as a file that --root reads");
  verb.option("file", options->file, "where to write; - is standard output").required();
  verb.flag("--keep-ids", options->keep_ids, "keep serial numbers, UUIDs, addresses and names");
  verb.flag("--force", options->force, "replace a file that is there");
  verb.footer(
      "The recording holds what list, show and doctor look at, and gives the same answers. Serial\n"
      "numbers, UUIDs, MAC and IP addresses, the host's and its users' names become placeholders.\n"
      "As root it is fuller: what may not be read is noted as such. docs/record.md says more.");
  verb.on_call([options, &session] {
    auto done = record(session, *options);
    session.exit_code = done ? exit_ok : report(session, done.error());
  });
}

}  // namespace tessera::app
