// SPDX-License-Identifier: Apache-2.0
// tessera-fakehost RECORDING DIR [--foreground]: plays a recorded host so that `--root DIR` works.
// tessera-fakehost --unmount DIR: ends it.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "fakehost/filesystem.h"

namespace {

namespace fs = std::filesystem;
using namespace tessera;
using namespace tessera::fakehost;

constexpr int wrong_use = 2;

int complain(std::string_view sentence) {
  fmt::print(stderr, "tessera-fakehost: {}\n", sentence);
  return 1;
}

/// DIR holds real directories for what programs keep, and links into the mount for the rest:
/// a link to "/sys/..." inside the mount then resolves to DIR/sys and back into the mount.
void lay_out(const fs::path& directory) {
  fs::create_directories(directory / ".kernel");
  fs::create_directories(directory / "var/lib");
  fs::create_directories(directory / "run");
  fs::create_directories(directory / "tmp");
  for (const char* name : {"sys", "proc", "etc", "dev", "lib", "usr", "boot", ".rehearsal"}) {
    auto link = directory / name;
    if (!fs::is_symlink(fs::symlink_status(link)))
      fs::create_symlink(fs::path(".kernel") / name, link);
  }
}

int run(const std::vector<std::string>& arguments) {
  std::vector<char*> raw;
  for (const auto& argument : arguments) raw.push_back(const_cast<char*>(argument.c_str()));
  raw.push_back(nullptr);
  pid_t child = fork();
  if (child == 0) {
    execvp(raw[0], raw.data());
    _exit(127);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) < 0) return 1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int unmount(const fs::path& directory) {
  {
    std::ofstream control(directory / ".rehearsal/faults");
    control << "stop\n";
  }
  return run({"fusermount3", "-u", "-z", (directory / ".kernel").string()});
}

int mount(const std::string& recording_file, const fs::path& directory, Stay stay) {
  std::ifstream stream(recording_file, std::ios::binary);
  if (!stream) return complain(fmt::format("cannot read the recording {}", recording_file));
  std::string text{std::istreambuf_iterator<char>(stream), {}};
  auto recording = kernel::parse_recording(text, recording_file);
  if (!recording) return complain(one_line(recording.error()));
  std::error_code failed;
  fs::create_directories(directory, failed);
  if (failed)
    return complain(fmt::format("cannot make {}: {}", directory.string(), failed.message()));
  lay_out(directory);
  Host host(std::move(*recording));
  return play(host, fs::canonical(directory / ".kernel").string(), stay);
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  auto stay = std::erase(words, "--foreground") > 0 ? Stay::foreground : Stay::background;
  try {
    if (words.size() == 2 && words[0] == "--unmount") return unmount(words[1]);
    if (words.size() == 2 && !words[0].starts_with('-')) return mount(words[0], words[1], stay);
  } catch (const fs::filesystem_error& error) {
    return complain(error.what());
  }
  fmt::print(stderr,
             "usage: tessera-fakehost RECORDING DIR [--foreground]\n"
             "       tessera-fakehost --unmount DIR\n");
  return wrong_use;
}
