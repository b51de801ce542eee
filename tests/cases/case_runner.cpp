// SPDX-License-Identifier: Apache-2.0
//
// Runs text cases (see README.md) against the shipped binary:
//   case_runner --fake --tessera BIN --fakehost BIN --hosts DIR FILE...     on the fake host
//   case_runner --live --tessera BIN --lab-host NAME FILE...                inside the lab: the
//                                            cases of HOST lab-NAME, on the machine itself
#include <cstdio>
#include <fstream>
#include <iterator>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"
#include "cases/case_file.h"
#include "harness/test_host.h"

namespace {

using tessera::cases::Case;
using tessera::cases::Line;
using tessera::harness::Output;
using tessera::harness::TestHost;
namespace text = tessera::text;

struct Options {
  bool live = false;
  std::string tessera;
  std::string fakehost;
  std::string hosts;
  std::string lab_host;
  std::vector<std::string> files;
};

/// "PATH VALUE", where VALUE may be empty or "-" for nothing.
std::pair<std::string, std::string> path_and_value(const std::string& argument) {
  const auto end = std::min(argument.find_first_of(" \t"), argument.size());
  std::string value(text::trim(std::string_view(argument).substr(end)));
  return {argument.substr(0, end), value == "-" ? "" : value};
}

/// What is wrong with `line` after the last RUN gave `output`; nothing if it holds.
std::optional<std::string> check(const TestHost& host, const Line& line, const Output& output) {
  const bool contains = output.text.find(line.argument) != std::string::npos;
  switch (line.kind) {
    case Line::Kind::run:
      return std::nullopt;
    case Line::Kind::exit_code:
      if (std::to_string(output.exit_code) == line.argument) return std::nullopt;
      return fmt::format("exit code {}", output.exit_code);
    case Line::Kind::expect:
      return contains ? std::nullopt : std::optional<std::string>("not in the output");
    case Line::Kind::reject:
      return contains ? std::optional<std::string>("in the output") : std::nullopt;
    case Line::Kind::link: {
      const auto [path, value] = path_and_value(line.argument);
      const auto seen = host.link_name(path);
      if (seen == value) return std::nullopt;
      return fmt::format("it leads to '{}'", seen);
    }
    case Line::Kind::text: {
      const auto [path, value] = path_and_value(line.argument);
      const auto seen = host.text(path);
      if (seen == value) return std::nullopt;
      return fmt::format("it reads '{}'", seen);
    }
  }
  return "unknown line";
}

/// A RUN without an EXIT line of its own must succeed.
bool exit_is_checked(const Case& one, std::size_t run) {
  for (std::size_t i = run + 1; i < one.lines.size(); ++i) {
    if (one.lines[i].kind == Line::Kind::run) return false;
    if (one.lines[i].kind == Line::Kind::exit_code) return true;
  }
  return false;
}

bool run_case(const TestHost& host, const Case& one, const std::string& file) {
  Output output;
  std::string command;
  for (std::size_t i = 0; i < one.lines.size(); ++i) {
    const Line& line = one.lines[i];
    std::optional<std::string> wrong;
    if (line.kind == Line::Kind::run) {
      command = line.argument;
      output = host.run(command);
      if (output.exit_code != 0 && !exit_is_checked(one, i)) {
        wrong = fmt::format("exit code {}", output.exit_code);
      }
    } else {
      wrong = check(host, line, output);
    }
    if (!wrong) continue;
    fmt::print("FAILED  {}\n  {}:{}: {}\n  {}\n  output of '{}':\n{}\n", one.name, file,
               line.number, line.argument, *wrong, command, output.text);
    return false;
  }
  fmt::print("ok      {}\n", one.name);
  return true;
}

class Runner {
 public:
  explicit Runner(Options options) : options_(std::move(options)) {}

  int run() {
    for (const auto& file : options_.files) {
      if (!run_file(file)) return 1;
    }
    fmt::print("{} cases passed, {} failed, {} not for this host\n", passed_, failed_, skipped_);
    return failed_ == 0 ? 0 : 1;
  }

 private:
  bool wanted(const Case& one) const {
    if (!options_.live) return one.on_fake;
    return one.on_lab && one.host == "lab-" + options_.lab_host;
  }

  static bool possible(const Case& one) {
    if (one.needs.empty()) return true;
    if (tessera::harness::run_shell(one.needs, {}).exit_code == 0) return true;
    fmt::print("skipped {}: '{}' does not work here\n", one.name, one.needs);
    return false;
  }

  tessera::Result<TestHost> host_for(const Case& one) const {
    if (options_.live) return TestHost::live(options_.tessera);
    return TestHost::fake(fmt::format("{}/{}/tree.tsv", options_.hosts, one.host),
                          options_.fakehost, options_.tessera);
  }

  bool run_file(const std::string& file) {
    std::ifstream stream(file);
    const std::string all{std::istreambuf_iterator<char>(stream), {}};
    auto cases = tessera::cases::parse_cases(all, file);
    if (!cases) {
      fmt::print("{}\n", tessera::one_line(cases.error()));
      return false;
    }
    for (const auto& one : *cases) {
      if (!wanted(one) || !possible(one)) {
        ++skipped_;
        continue;
      }
      auto host = host_for(one);
      if (!host) {
        fmt::print("{}\n", tessera::one_line(host.error()));
        return false;
      }
      ++(run_case(*host, one, file) ? passed_ : failed_);
      (void)std::fflush(stdout);
    }
    return true;
  }

  Options options_;
  int passed_ = 0;
  int failed_ = 0;
  int skipped_ = 0;
};

std::optional<Options> parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    std::string* target = word == "--tessera"    ? &options.tessera
                          : word == "--fakehost" ? &options.fakehost
                          : word == "--hosts"    ? &options.hosts
                          : word == "--lab-host" ? &options.lab_host
                                                 : nullptr;
    if (target != nullptr && i + 1 < argc) {
      *target = argv[++i];
    } else if (word == "--live") {
      options.live = true;
    } else if (word != "--fake") {
      options.files.push_back(word);
    }
  }
  if (options.tessera.empty() || options.files.empty()) return std::nullopt;
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  auto options = parse(argc, argv);
  if (!options) {
    fmt::print(stderr, "usage: see the top of case_runner.cpp\n");
    return 64;
  }
  return Runner(std::move(*options)).run();
}
