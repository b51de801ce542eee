// SPDX-License-Identifier: Apache-2.0
#include "harness/test_host.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fmt/format.h>

#include "base/text.h"

namespace tessera::harness {

namespace fs = std::filesystem;

namespace {

std::string make_work_folder() {
  std::string pattern = (fs::temp_directory_path() / "tessera-host-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) std::abort();
  return pattern;
}

void write_wrapper(const std::string& work, const std::string& command) {
  const std::string path = work + "/tessera";
  std::ofstream(path) << "#!/bin/sh\nexec " << command << " \"$@\"\n";
  // Other users too: a case may run the program as one.
  for (const auto& open : {path, work}) fs::permissions(open, static_cast<fs::perms>(0755));
}

}  // namespace

TestHost::TestHost(std::string work, std::string root, std::string fakehost)
    : work_(std::move(work)), root_(std::move(root)), fakehost_(std::move(fakehost)) {}

TestHost::TestHost(TestHost&& other) noexcept
    : work_(std::move(other.work_)),
      root_(std::move(other.root_)),
      fakehost_(std::move(other.fakehost_)) {
  other.work_.clear();
}

Result<TestHost> TestHost::fake(const std::string& recording, const std::string& fakehost,
                                const std::string& tessera) {
  const std::string work = make_work_folder();
  const std::string root = work + "/host";
  fs::create_directory(root);
  auto mounted = run_shell(fmt::format("{} {} {}", fakehost, recording, root), {}, 30);
  if (mounted.exit_code != 0) {
    fs::remove_all(work);
    return fail(ErrorKind::io, recording,
                fmt::format("the fake host did not start: {}", mounted.text));
  }
  write_wrapper(work, fmt::format("{} --root {}", tessera, root));
  return TestHost(work, root, fakehost);
}

TestHost TestHost::live(const std::string& tessera) {
  const std::string work = make_work_folder();
  // A copy, because the built one may lie below a home folder that other users may not enter.
  const std::string copy = work + "/tessera-program";
  fs::copy_file(tessera, copy);
  fs::permissions(copy, static_cast<fs::perms>(0755));
  write_wrapper(work, fmt::format("{} --state {}/state", copy, work));
  return {work, {}, {}};
}

TestHost::~TestHost() {
  if (work_.empty()) return;
  if (is_fake()) (void)run_shell(fmt::format("{} --unmount {}", fakehost_, root_), {}, 30);
  std::error_code ignored;
  fs::remove_all(work_, ignored);
}

Output TestHost::run(const std::string& command, const std::string& crash_point) const {
  std::map<std::string, std::string> environment{
      {"ROOT", root_},
      {"PATH", work_ + ":" + (std::getenv("PATH") != nullptr ? std::getenv("PATH") : "/bin")},
      {"NO_COLOR", "1"}};
  if (!crash_point.empty()) environment["TESSERA_CRASH_POINT"] = crash_point;
  return run_shell(command, environment);
}

std::string TestHost::link_name(const std::string& path) const {
  std::error_code error;
  const auto target = fs::read_symlink(root_ + path, error);
  return error ? std::string{} : target.filename().string();
}

std::string TestHost::text(const std::string& path) const {
  std::ifstream file(root_ + path);
  const std::string all{std::istreambuf_iterator<char>(file), {}};
  return std::string(text::trim(all));
}

}  // namespace tessera::harness
