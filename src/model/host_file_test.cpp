// SPDX-License-Identifier: Apache-2.0
#include "model/host_file.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "model/yaml_fields.h"

namespace tessera::model {
namespace {

const std::string vgpu =
    "  - card: 0000:26:00.0\n"
    "    framework: vendor-vfio\n"
    "    vf: 0\n"
    "    type: NVIDIA L40S-8Q\n";

HostFile read(const std::string& yaml) {
  auto host = parse_host_file(yaml, "host.yaml");
  EXPECT_TRUE(host) << one_line(host.error()) << "\n" << yaml;
  return host ? *host : HostFile{};
}

/// What is wrong with one entry that must be refused.
std::string told(const std::string& entry) {
  auto host = parse_host_file("slices:\n  - {" + entry + "}\n", "f");
  if (host) return "it was taken";
  EXPECT_EQ(host.error().kind, ErrorKind::invalid);
  EXPECT_TRUE(host.error().subject.starts_with("f:2:")) << host.error().subject;
  return host.error().sentence + (host.error().hint.empty() ? "" : "; " + host.error().hint);
}

/// The example of the page about the file.
std::string example() {
  std::ifstream page(TESSERA_TESTS_DIR "/../docs/host-file.md");
  const std::string text{std::istreambuf_iterator<char>(page), {}};
  const auto begin = text.find("```yaml\n") + 8;
  return text.substr(begin, text.find("```\n", begin) - begin);
}

TEST(HostFile, of_the_docs_reads_as_it_says) {
  const auto host = read(example());
  ASSERT_EQ(host.slices.size(), 4U);
  const auto& vendor = host.slices[0];
  EXPECT_EQ(vendor.card, "10de:26b9-10de:1851@0000/26.0/00.0");
  EXPECT_EQ(vendor.framework, Framework::vendor_vfio);
  EXPECT_EQ(vendor.vf, 0);
  EXPECT_EQ(vendor.type, "NVIDIA L40S-8Q");
  EXPECT_EQ(vendor.settings, (std::vector<SliceSetting>{{"frame_rate_limiter", "0"}}));
  EXPECT_EQ(vendor.start, HostSlice::Start::automatic);
  const auto& xe = host.slices[1];
  EXPECT_EQ(xe.card, "0000:03:00.0");
  EXPECT_EQ(xe.quotas.vram_bytes, std::uint64_t{4} << 30);
  EXPECT_EQ(xe.quotas.exec_quantum_ms, 20);
  EXPECT_EQ(xe.quotas.preempt_timeout_us, 1000);
  EXPECT_EQ(xe.quotas.sched_priority, "normal");
  EXPECT_EQ(xe.start, HostSlice::Start::manual);
  EXPECT_EQ(host.slices[2].quotas.ggtt_bytes, std::uint64_t{256} << 20);
  EXPECT_EQ(host.slices[2].quotas.doorbells, 32);
  EXPECT_EQ(host.slices[3].quotas, SliceQuotas{});
}

TEST(HostFile, is_written_as_it_was_read) {
  const auto host = read(example());
  const auto text = to_yaml(host);
  EXPECT_EQ(read(text), host) << text;
  EXPECT_EQ(to_yaml(read(text)), text);
  HostFile strange;
  strange.slices.push_back({"a: b # c",
                            Framework::vendor_vfio,
                            7,
                            "- 'x' \"y\" \xc3\xa9 ~",
                            {{"a", "#"}, {"b", "'"}},
                            {},
                            HostSlice::Start::manual});
  EXPECT_EQ(read(to_yaml(strange)), strange) << to_yaml(strange);
}

TEST(HostFile, may_be_empty) {
  for (const char* text : {"", "# nothing yet\n", "slices:\n", "slices: []\n", "{}\n"}) {
    EXPECT_TRUE(read(text).slices.empty()) << text;
  }
  EXPECT_TRUE(read(to_yaml({})).slices.empty());
}

TEST(HostFile, with_an_unknown_key_names_the_nearest_one) {
  auto top = parse_host_file("slice: []\n", "/etc/tessera/host.yaml");
  ASSERT_FALSE(top);
  EXPECT_EQ(one_line(top.error()), "/etc/tessera/host.yaml:1:1: unknown key 'slice'");
  EXPECT_EQ(top.error().hint, "did you mean 'slices'?");
  EXPECT_EQ(told("card: c, framework: sriov, vf: 0, strat: auto"),
            "unknown key 'strat'; did you mean 'start'?");
  EXPECT_EQ(told("card: c, framework: xe, vf: 0, quotas: {vramm: 1 GiB}"),
            "unknown key 'vramm'; did you mean 'vram'?");
  EXPECT_TRUE(told("card: c, framework: vendor, vf: 0")
                  .starts_with("'framework' cannot be 'vendor'; known are: mdev, gvt-g"));
}

TEST(HostFile, without_a_unit_or_with_another_type_is_refused) {
  EXPECT_EQ(told("card: c, framework: xe, vf: 0, quotas: {vram: 4}"),
            "'vram' must be a size with its unit, such as 512 MiB or 4 GiB, not '4'");
  EXPECT_EQ(told("card: c, framework: xe, vf: 0, quotas: {vram: 4GB}"),
            "'vram' must be a size with its unit, such as 512 MiB or 4 GiB, not '4GB'");
  EXPECT_EQ(told("card: c, framework: xe, vf: first"),
            "'vf' must be a whole number from 0 to 65533, not 'first'");
  EXPECT_EQ(told("card: c, framework: xe, vf: -1"),
            "'vf' must be a whole number from 0 to 65533, not '-1'");
  EXPECT_EQ(told("card: [c], framework: xe, vf: 0"), "'card' must be a text");
  EXPECT_EQ(told("card: c, framework: xe, vf: 0, quotas: {sched_priority: urgent}"),
            "'sched_priority' cannot be 'urgent'; known are: low, normal");
  EXPECT_EQ(told("card: c, framework: xe, vf: 0, start: yes"),
            "'start' cannot be 'yes'; known are: manual, auto");
  EXPECT_EQ(told("card: \"a\\x01b\", framework: xe, vf: 0"), "'card' has bytes that are no text");
}

TEST(HostFile, without_a_key_that_is_needed_is_refused) {
  EXPECT_EQ(told("framework: xe, vf: 0"), "the key 'card' is missing");
  EXPECT_EQ(told("card: c, vf: 0"), "the key 'framework' is missing");
  EXPECT_EQ(told("card: c, framework: xe"), "the key 'vf' is missing");
  EXPECT_EQ(told("card: c, framework: vendor-vfio, vf: 0"), "the key 'type' is missing");
}

TEST(HostFile, with_a_key_for_another_framework_is_refused) {
  EXPECT_EQ(told("card: c, framework: xe, vf: 0, type: t"),
            "'type' is for vendor-vfio only, and this is xe");
  EXPECT_EQ(told("card: c, framework: sriov, vf: 0, quotas: {}"),
            "'quotas' is for xe and i915 only, and this is sriov");
  EXPECT_EQ(told("card: c, framework: i915, vf: 0, quotas: {sched_priority: low}"),
            "'sched_priority' is for xe only, and this is i915");
  EXPECT_EQ(told("card: c, framework: mdev, vf: 0"),
            "'mdev' makes mediated devices, which this file does not keep; their definitions are "
            "mdevctl's files, in /etc/mdevctl.d");
}

TEST(HostFile, says_each_virtual_function_once) {
  auto twice = parse_host_file("slices:\n" + vgpu + vgpu, "f");
  ASSERT_FALSE(twice);
  EXPECT_EQ(one_line(twice.error()), "f:8:9: virtual function 0 of 0000:26:00.0 is given twice");
}

TEST(HostFile, is_one_document_and_nothing_after_it) {
  auto two = parse_host_file("slices:\n---\nslices:\n", "f");
  ASSERT_FALSE(two);
  EXPECT_EQ(one_line(two.error()), "f:2:1: here begins what is no part of the document above it");
  auto bracket = parse_host_file("{slices: []}}\n", "f");
  ASSERT_FALSE(bracket);
  EXPECT_EQ(bracket.error().subject, "f:1:13");
  EXPECT_FALSE(parse_host_file(",", "f"));
  EXPECT_TRUE(read("---\nslices:\n...\n").slices.empty());
}

TEST(HostFile, that_is_no_text_is_refused_at_its_place) {
  for (const auto& [text, place] :
       std::vector<std::pair<std::string, std::string>>{{"slices:\n# \xff\n", "f:2:1"},
                                                        {std::string("slices:\n  \0", 11), "f:2:3"},
                                                        {"\x04", "f:1:1"},
                                                        {"# \x1b[1m", "f:1:3"}}) {
    auto host = parse_host_file(text, "f");
    ASSERT_FALSE(host) << place;
    EXPECT_EQ(host.error().subject, place);
    EXPECT_TRUE(host.error().sentence.starts_with("this is not YAML: ")) << host.error().sentence;
  }
}

TEST(HostFile, takes_settings_that_the_driver_can_read) {
  const std::string head = "card: c, framework: vendor-vfio, vf: 0, type: t, settings: ";
  EXPECT_EQ(told(head + "[a]"), "'settings' must be names with values");
  EXPECT_EQ(told(head + "{a: [1]}"), "the value of 'a' must be one word without ',' and '='");
  EXPECT_EQ(told(head + "{a: 'x,y'}"), "the value of 'a' must be one word without ',' and '='");
  EXPECT_EQ(told(head + "{a=b: 1}"), "a setting's name has letters, digits and '_'");
  EXPECT_EQ(told(head + "{a: 1, a: 2}"), "the setting 'a' is given twice");
  EXPECT_EQ(told(head + "{a: " + std::string(1024, 'x') + "}"),
            "the settings are longer than the 1023 bytes that the driver takes");
  EXPECT_EQ(vgpu_params({{"frame_rate_limiter", "0"}, {"disable_vnc", "1"}}),
            "frame_rate_limiter=0,disable_vnc=1");
}

// --- changed line by line

HostSlice function(int vf) {
  return {"0000:03:00.0", Framework::xe, vf, {}, {}, {}, HostSlice::Start::automatic};
}

std::string edited(const std::string& text, const HostFile& wanted) {
  auto changed = edited_host_file(text, wanted, "f");
  EXPECT_TRUE(changed) << one_line(changed.error());
  if (!changed) return {};
  EXPECT_EQ(read(*changed), wanted) << *changed;
  return *changed;
}

TEST(HostFileEdit, keeps_comments_and_lines_of_what_stays) {
  const std::string text =
      "# ours\nslices:\n# the first\n- card: a   # by hand\n  framework: sriov\n"
      "  vf: 0\n# the second\n- {card: b, framework: sriov, vf: 1}\n# the end\n";
  auto host = read(text);
  ASSERT_EQ(host.slices.size(), 2U);
  EXPECT_EQ(edited(text, host), text);
  auto without_first = host;
  without_first.slices.erase(without_first.slices.begin());
  EXPECT_EQ(edited(text, without_first),
            "# ours\nslices:\n# the first\n# the second\n"
            "- {card: b, framework: sriov, vf: 1}\n# the end\n");
  auto with_third = host;
  with_third.slices.push_back(function(2));
  EXPECT_EQ(edited(text, with_third),
            "# ours\nslices:\n# the first\n- card: a   # by hand\n  framework: sriov\n"
            "  vf: 0\n# the second\n- {card: b, framework: sriov, vf: 1}\n"
            "- card: 0000:03:00.0\n  framework: xe\n  vf: 2\n# the end\n");
}

TEST(HostFileEdit, puts_an_entry_that_changes_in_its_own_place) {
  const std::string text =
      "slices:\n  # one\n  - {card: 0000:03:00.0, framework: xe, vf: 0}\n"
      "  # two\n  - {card: b, framework: sriov, vf: 1}\n";
  auto host = read(text);
  host.slices[0].start = HostSlice::Start::manual;
  EXPECT_EQ(edited(text, host),
            "slices:\n  # one\n  - card: 0000:03:00.0\n    framework: xe\n    vf: 0\n"
            "    start: manual\n  # two\n  - {card: b, framework: sriov, vf: 1}\n");
}

TEST(HostFileEdit, begins_a_list_and_empties_it) {
  const HostFile one{{function(0)}};
  const std::string item = "  - card: 0000:03:00.0\n    framework: xe\n    vf: 0\n";
  EXPECT_EQ(edited("# words\n", one), "# words\nslices:\n" + item);
  EXPECT_EQ(edited("# words\nslices:\n# more\n", one), "# words\nslices:\n" + item + "# more\n");
  EXPECT_EQ(edited("# words\nslices:\n" + item, {}), "# words\nslices:\n");
  EXPECT_EQ(edited("", one), to_yaml(one));
}

TEST(HostFileEdit, of_what_is_in_one_line_writes_all_anew) {
  const std::string text = "slices: [{card: a, framework: sriov, vf: 0}]\n";
  auto host = read(text);
  host.slices.push_back(function(3));
  EXPECT_EQ(edited(text, host), to_yaml(host));
  std::ranges::reverse(host.slices);
  EXPECT_EQ(edited(to_yaml({{host.slices[1], host.slices[0]}}), host), to_yaml(host));
}

TEST(HostFileEdit, of_a_file_with_a_mistake_is_refused) {
  EXPECT_FALSE(edited_host_file("slices: 7\n", {}, "f"));
}

TEST(YamlSize, has_a_unit) {
  EXPECT_EQ(parse_size("4GiB"), std::uint64_t{4} << 30);
  EXPECT_EQ(parse_size("512 MiB"), std::uint64_t{512} << 20);
  EXPECT_EQ(parse_size("3 KiB"), 3072U);
  EXPECT_EQ(parse_size("1 TiB"), std::uint64_t{1} << 40);
  EXPECT_EQ(parse_size("7 bytes"), 7U);
  EXPECT_EQ(parse_size("17179869183 GiB"), std::uint64_t{17179869183} << 30);
  for (const char* text : {"", "4", "GiB", "4 GB", "4G", "-1 GiB", "1.5 GiB", "17179869184 GiB",
                           "4 GiBs", "0x4 GiB"}) {
    EXPECT_FALSE(parse_size(text)) << text;
  }
}

}  // namespace
}  // namespace tessera::model
