// SPDX-License-Identifier: Apache-2.0
// Runs the shipped binary on every recorded host (tests/hosts/*/tree.tsv) and compares what it
// prints with tests/golden/<host>/. A new folder in tests/hosts needs nothing here.
#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

namespace {

namespace fs = std::filesystem;

const fs::path tests_dir = TESSERA_TESTS_DIR;
constexpr const char* regenerate = "TESSERA_REGENERATE=1 ctest -R ^golden";

bool regenerating() {
  return std::getenv("TESSERA_REGENERATE") != nullptr;
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

struct Output {
  std::string text;
  int exit_code = -1;
};

/// Runs tessera in tests/, so that the recording's name in the output is the same everywhere.
Output run_on(const std::string& root, const std::string& arguments) {
  std::string command = fmt::format("cd '{}' && '{}' --root '{}' {} 2>&1", tests_dir.string(),
                                    TESSERA_BINARY, root, arguments);
  FILE* pipe = ::popen(command.c_str(), "r");
  EXPECT_NE(pipe, nullptr) << command;
  if (pipe == nullptr) return {};
  Output output;
  std::array<char, 4096> piece{};
  while (std::size_t size = std::fread(piece.data(), 1, piece.size(), pipe)) {
    output.text.append(piece.data(), size);
  }
  int status = ::pclose(pipe);
  output.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return output;
}

Output run_tessera(const std::string& host, const std::string& arguments) {
  return run_on(fmt::format("hosts/{}/tree.tsv", host), arguments);
}

std::vector<std::string> recorded_hosts() {
  std::vector<std::string> hosts;
  for (const auto& entry : fs::directory_iterator(tests_dir / "hosts")) {
    if (fs::exists(entry.path() / "tree.tsv")) hosts.push_back(entry.path().filename());
  }
  std::ranges::sort(hosts);
  return hosts;
}

class RecordedHost : public testing::TestWithParam<std::string> {
 protected:
  /// Compares the output of `arguments` with the golden file `name`, or writes it.
  std::string expect_golden(const std::string& name, const std::string& arguments) {
    Output output = run_tessera(GetParam(), arguments);
    if (arguments.starts_with("doctor")) {
      output.text += fmt::format("exit code {}\n", output.exit_code);  // says what was found
    } else {
      EXPECT_EQ(output.exit_code, 0) << output.text;
    }
    fs::path golden = tests_dir / "golden" / GetParam() / name;
    seen_.insert(name);
    if (regenerating()) {
      fs::create_directories(golden.parent_path());
      std::ofstream(golden, std::ios::binary) << output.text;
    } else if (!fs::exists(golden)) {
      ADD_FAILURE() << golden << " is missing; write it with\n  " << regenerate
                    << "\nand read it before you keep it";
    } else {
      EXPECT_EQ(output.text, read_file(golden))
          << "tessera " << arguments << " prints something else than " << golden
          << "; if that is meant:\n  " << regenerate;
    }
    return output.text;
  }

  /// A golden file that nothing prints any more is removed, or told.
  void expect_no_others() {
    fs::path folder = tests_dir / "golden" / GetParam();
    std::vector<fs::path> others;
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (!seen_.contains(entry.path().filename())) others.push_back(entry.path());
    }
    for (const auto& other : others) {
      if (regenerating()) {
        fs::remove(other);
      } else {
        ADD_FAILURE() << other << " is printed by nothing; remove it, or\n  " << regenerate;
      }
    }
  }

 private:
  std::set<std::string> seen_;
};

TEST_P(RecordedHost, is_printed_as_before) {
  expect_golden("list.txt", "list");
  auto json = nlohmann::json::parse(expect_golden("list.json", "--json list"), nullptr, false);
  ASSERT_TRUE(json.is_object());
  ASSERT_EQ(json.value("schema", ""), "tessera/cards/1");
  for (const auto& card : json.at("cards")) {
    std::string address = card.at("address");
    std::string file = address;
    std::ranges::replace(file, ':', '-');
    expect_golden(fmt::format("show-{}.txt", file), "show " + address);
  }
  expect_golden("doctor.txt", "doctor");
  // Made for checks, some of which speak only when their purpose is named.
  if (GetParam().starts_with("fault-")) {
    expect_golden("doctor-for-slices.txt", "doctor --for slices");
    expect_golden("doctor-for-display.txt", "doctor --for display");
  }
  expect_golden("topo.txt", "topo");
  const Output profiles = run_tessera(GetParam(), "profiles");
  if (!profiles.text.starts_with("Nothing on")) {
    expect_golden("profiles.txt", "profiles");
    expect_golden("slices.txt", "list slices");
  }
  auto topology = nlohmann::json::parse(expect_golden("topo.json", "--json topo"), nullptr, false);
  ASSERT_TRUE(topology.is_object());
  EXPECT_EQ(topology.value("schema", ""), "tessera/topology/1");
  EXPECT_EQ(topology.at("links").size(), topology.at("devices").size());
  expect_no_others();
}

TEST_P(RecordedHost, shows_each_card_as_json_of_the_host_schema) {
  auto list = nlohmann::json::parse(run_tessera(GetParam(), "--json list").text, nullptr, false);
  ASSERT_TRUE(list.is_object());
  for (const auto& card : list.at("cards")) {
    std::string identity = card.at("identity");
    auto shown = run_tessera(GetParam(), fmt::format("--json show '{}'", identity));
    EXPECT_EQ(shown.exit_code, 0) << shown.text;
    auto json = nlohmann::json::parse(shown.text, nullptr, false);
    ASSERT_TRUE(json.is_object()) << shown.text;
    EXPECT_EQ(json.at("schema"), "tessera/host/1");
    ASSERT_EQ(json.at("cards").size(), 1U);
    EXPECT_EQ(json.at("cards")[0].at("address"), card.at("address"));
    EXPECT_GE(json.at("functions").size(), card.at("functions").size());
  }
}

/// The printed answers to `arguments` of the host and of the recording that was made of it.
void expect_same_answers(const std::string& host, const fs::path& recording,
                         const std::string& arguments) {
  const std::string source = fmt::format("hosts/{}/tree.tsv", host);
  const auto without_source = [](std::string text, const std::string& name) {
    for (auto at = text.find(name); at != std::string::npos; at = text.find(name)) {
      text.replace(at, name.size(), "SOURCE");
    }
    return text;
  };
  const Output original = run_on(source, arguments);
  const Output recorded = run_on(recording.string(), arguments);
  EXPECT_EQ(without_source(original.text, source),
            without_source(recorded.text, recording.string()))
      << arguments;
  EXPECT_EQ(original.exit_code, recorded.exit_code) << arguments;
}

TEST_P(RecordedHost, answers_the_same_from_a_recording_of_it) {
  for (const std::string ids : {"", "--keep-ids"}) {
    // Other runs of this test on the machine have recordings of their own.
    const fs::path recording =
        fs::path(testing::TempDir()) / fmt::format("{}{}.{}.tsv", GetParam(), ids, ::getpid());
    const auto made =
        run_tessera(GetParam(), fmt::format("record --force {} '{}'", ids, recording.string()));
    ASSERT_EQ(made.exit_code, 0) << made.text;
    expect_same_answers(GetParam(), recording, "--json list");
    expect_same_answers(GetParam(), recording, "--json doctor");
    auto list =
        nlohmann::json::parse(run_on(recording.string(), "--json list").text, nullptr, false);
    ASSERT_TRUE(list.is_object());
    for (const auto& card : list.at("cards")) {
      std::string address = card.at("address");
      expect_same_answers(GetParam(), recording, fmt::format("--json show {}", address));
    }
    const auto again = run_on(recording.string(), fmt::format("record {} -", ids));
    EXPECT_EQ(again.text, read_file(recording)) << "a recording of it is another recording";
    fs::remove(recording);
  }
}

/// For each check the recorded hosts that it fires on, with the gravest severity there.
using FiredOn = std::map<std::string, std::map<std::string, std::string>>;

void add_findings(const std::string& host, const std::string& arguments, FiredOn& fired) {
  const std::vector<std::string> gravity = {"note", "warning", "error"};
  auto json = nlohmann::json::parse(run_tessera(host, "--json " + arguments).text, nullptr, false);
  ASSERT_TRUE(json.is_object()) << host;
  for (const auto& finding : json.at("findings")) {
    std::string& known = fired[finding.at("id")][host];
    const std::string severity = finding.at("severity");
    if (known.empty() || std::ranges::find(gravity, severity) > std::ranges::find(gravity, known)) {
      known = severity;
    }
  }
}

std::string table_row(const std::string& id, const std::map<std::string, std::string>& hosts) {
  std::string cell;
  for (const auto& [host, severity] : hosts) {
    cell += fmt::format("{}{} ({})", cell.empty() ? "" : ", ", host, severity);
  }
  return fmt::format("| [{0}](doctor.md#{0}) | {1} |\n", id, cell.empty() ? "-" : cell);
}

/// docs/doctor-hosts.md, from what the program says of every recorded host.
std::string page_of_checks() {
  FiredOn fired;
  for (const std::string& host : recorded_hosts()) {
    for (const char* purpose : {"", " --for passthrough", " --for slices", " --for display"}) {
      add_findings(host, fmt::format("doctor{}", purpose), fired);
    }
  }
  std::string page =
      "# Which check fires on which recorded host\n\n"
      "Made by the golden test from what `tessera doctor` says of every host in\n"
      "[tests/hosts](../tests/hosts/README.md), without a purpose and with each one; the gravest\n"
      "severity is shown. The hosts named fault-* were made for this. A recording never shows what "
      "a\n"
      "live kernel's missing files or its processes prove, so a few checks fire on none.\n\n"
      "| check | fires on |\n|---|---|\n";
  auto checks = nlohmann::json::parse(
      run_tessera(recorded_hosts().front(), "--json doctor --list-checks").text, nullptr, false);
  EXPECT_TRUE(checks.is_object());
  if (!checks.is_object()) return page;
  for (const auto& check : checks.at("checks")) {
    const std::string id = check.at("id");
    page += table_row(id, fired[id]);
  }
  return page;
}

TEST(recorded_hosts, the_table_of_what_fires_on_which_is_up_to_date) {
  const fs::path page = tests_dir.parent_path() / "docs" / "doctor-hosts.md";
  const std::string now = page_of_checks();
  if (regenerating()) {
    std::ofstream(page, std::ios::binary) << now;
  } else {
    EXPECT_EQ(now, read_file(page)) << "if that is meant:\n  " << regenerate;
  }
}

INSTANTIATE_TEST_SUITE_P(Hosts, RecordedHost, testing::ValuesIn(recorded_hosts()),
                         [](const auto& host) {
                           std::string name = host.param;
                           std::ranges::replace_if(
                               name, [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
                           return name;
                         });

}  // namespace
