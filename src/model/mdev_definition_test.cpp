// SPDX-License-Identifier: Apache-2.0
#include "model/mdev_definition.h"

#include <gtest/gtest.h>

namespace tessera::model {
namespace {

using Start = MdevDefinition::Start;

/// What mdevctl 1.2.0 wrote after `define --auto` and two `modify --addattr`.
constexpr const char* written_by_mdevctl =
    "{\n"
    "  \"mdev_type\": \"i915-GVTg_V5_4\",\n"
    "  \"start\": \"auto\",\n"
    "  \"attrs\": [\n"
    "    {\n"
    "      \"nvidia/vgpu_params\": \"frame_rate_limiter=0\"\n"
    "    },\n"
    "    {\n"
    "      \"weight\": \"4\"\n"
    "    }\n"
    "  ]\n"
    "}";
/// And after `define` alone.
constexpr const char* plain_by_mdevctl =
    "{\n  \"mdev_type\": \"mdpy-hd\",\n  \"start\": \"manual\",\n  \"attrs\": []\n}";
/// An attribute with a quote, a backslash, a tab, a newline, a control character and letters
/// beyond ASCII, as mdevctl 1.2.0 wrote it.
constexpr const char* escaped_by_mdevctl =
    "{\n  \"mdev_type\": \"t\",\n  \"start\": \"manual\",\n  \"attrs\": [\n    {\n"
    "      \"a\": \"a\\\"b\\\\c\\t\\n\\u001f\x7f\xc3\xa9/</\"\n    }\n  ]\n}";

Uuid uuid(const char* text) {
  return *parse_uuid(text);
}

const Uuid first = uuid("83c32df7-d52e-4ec1-9668-1f3c7e4df107");
const Uuid second = uuid("7773ffff-d52e-4ec1-9668-1f3c7e4df107");

MdevDefinition gvt() {
  return {first,
          "0000:00:02.0",
          "i915-GVTg_V5_4",
          Start::automatic,
          {{"nvidia/vgpu_params", "frame_rate_limiter=0"}, {"weight", "4"}}};
}

Result<MdevDefinition> read(std::string_view text) {
  return parse_mdev_definition(text, "0000:00:02.0", first, "/d/file");
}

/// What is wrong with a text that must be refused.
std::string told(std::string_view text) {
  auto definition = read(text);
  if (definition) return "it was taken";
  EXPECT_EQ(definition.error().kind, ErrorKind::invalid);
  return one_line(definition.error());
}

TEST(MdevDefinition, is_read_as_mdevctl_wrote_it) {
  auto definition = read(written_by_mdevctl);
  ASSERT_TRUE(definition) << one_line(definition.error());
  EXPECT_EQ(*definition, gvt());
}

TEST(MdevDefinition, is_written_byte_for_byte_as_mdevctl_does) {
  EXPECT_EQ(mdevctl_file(gvt()), written_by_mdevctl);
  EXPECT_EQ(mdevctl_file({second, "mdpy", "mdpy-hd", Start::manual, {}}), plain_by_mdevctl);
  auto escaped = read(escaped_by_mdevctl);
  ASSERT_TRUE(escaped) << one_line(escaped.error());
  EXPECT_EQ(escaped->attrs.front().value, "a\"b\\c\t\n\x1f\x7f\xc3\xa9/</");
  EXPECT_EQ(mdevctl_file(*escaped), escaped_by_mdevctl);
}

TEST(MdevDefinition, is_read_where_mdevctl_is_content_with_less) {
  const MdevDefinition plain{first, "0000:00:02.0", "t", Start::automatic, {}};
  for (const char* text : {R"({"mdev_type":"t","start":"auto"})",
                           R"({"mdev_type":"t","start":"auto","attrs":null,"later":[1]})",
                           "\n {\"start\":\"auto\",\t\"mdev_type\":\"t\",\"attrs\":[]}\n\n"}) {
    auto definition = read(text);
    ASSERT_TRUE(definition) << text << one_line(definition.error());
    EXPECT_EQ(*definition, plain) << text;
  }
}

TEST(MdevDefinition, keeps_the_order_of_attributes_and_those_that_come_again) {
  auto definition = read(
      R"({"mdev_type":"vfio_ap-passthrough","start":"manual",
          "attrs":[{"assign_domain":"4"},{"assign_adapter":"5"},{"assign_domain":"0xab"}]})");
  ASSERT_TRUE(definition);
  EXPECT_EQ(definition->attrs,
            (std::vector<MdevAttribute>{
                {"assign_domain", "4"}, {"assign_adapter", "5"}, {"assign_domain", "0xab"}}));
}

TEST(MdevDefinition, that_is_no_json_is_refused_with_line_and_column) {
  EXPECT_TRUE(told("mdev_type=t\nstart=auto\n").starts_with("/d/file:1:1: it is no JSON: "));
  EXPECT_TRUE(told("{\n  \"mdev_type\": \"t\"\n  \"start\"}").starts_with("/d/file:3:9: "))
      << told("{\n  \"mdev_type\": \"t\"\n  \"start\"}");
  EXPECT_TRUE(told("").starts_with("/d/file:1:1: "));
  EXPECT_TRUE(told("{\"mdev_type\":\"\xff\"}").contains("ill-formed UTF-8"));
  EXPECT_FALSE(told("mdev").contains("json.exception"));
}

TEST(MdevDefinition, with_a_mistake_is_refused_with_the_name_of_the_key) {
  EXPECT_EQ(told("[]"), "/d/file: a definition is one JSON object, {...}");
  EXPECT_EQ(told(R"({"start":"auto"})"), "/d/file: the key 'mdev_type' is missing");
  EXPECT_EQ(told(R"({"mdev_type":"t"})"), "/d/file: the key 'start' is missing");
  EXPECT_EQ(told(R"({"mdev_type":7,"start":"auto"})"), "/d/file: 'mdev_type' must be a text");
  EXPECT_EQ(told(R"({"mdev_type":"t","start":"yes"})"),
            "/d/file: 'start' must be \"auto\" or \"manual\", not 'yes'");
  EXPECT_EQ(told(R"({"mdev_type":"t","mdev_type":"u","start":"auto"})"),
            "/d/file: the key 'mdev_type' is given twice");
  EXPECT_EQ(told(R"({"mdev_type":"t","start":"auto","attrs":{}})"),
            "/d/file: 'attrs' must be a list");
  EXPECT_EQ(told(R"({"mdev_type":"t","start":"auto","attrs":[{"a":"1","b":"2"}]})"),
            R"(/d/file: attrs[0] must be one name with its value, {"NAME": "VALUE"})");
  EXPECT_EQ(told(R"({"mdev_type":"t","start":"auto","attrs":[{"a":"1"},{"a":1}]})"),
            "/d/file: the value in attrs[1] must be a text; a number needs its quotes too");
}

TEST(MdevDefinition, never_reaches_beside_its_place) {
  EXPECT_EQ(told(R"({"mdev_type":"../t","start":"auto"})"),
            "/d/file: '../t' cannot be an mdev_type");
  EXPECT_EQ(told(R"({"mdev_type":"t","start":"auto","attrs":[{"../../driver_override":"x"}]})"),
            "/d/file: the attribute '../../driver_override' is no file below the device");
  EXPECT_EQ(told(R"({"mdev_type":"t","start":"auto","attrs":[{"/etc/x":"x"}]})"),
            "/d/file: the attribute '/etc/x' is no file below the device");
  MdevDefinition definition = gvt();
  EXPECT_TRUE(check(definition));
  for (const char* parent : {"", ".", "..", "a/b", "/"}) {
    definition.parent = parent;
    EXPECT_FALSE(check(definition)) << parent;
  }
}

/// `mdevctl list -d --dumpjson` and `list -d` of mdevctl 1.2.0 with three definitions.
constexpr const char* list_json_of_mdevctl = R"([
  {
    "0000:00:02.0": [
      {
        "7773ffff-d52e-4ec1-9668-1f3c7e4df107": {
          "mdev_type": "i915-GVTg_V5_8",
          "start": "manual",
          "attrs": []
        }
      },
      {
        "83c32df7-d52e-4ec1-9668-1f3c7e4df107": {
          "mdev_type": "i915-GVTg_V5_4",
          "start": "auto",
          "attrs": [
            {
              "nvidia/vgpu_params": "frame_rate_limiter=0"
            },
            {
              "weight": "4"
            }
          ]
        }
      }
    ]
  },
  {
    "mdpy": [
      {
        "83c32df7-d52e-4ec1-9668-1f3c7e4df107": {
          "mdev_type": "mdpy-hd",
          "start": "manual",
          "attrs": []
        }
      }
    ]
  }
]
)";

TEST(MdevctlList, reads_and_prints_what_mdevctl_prints) {
  auto all = parse_mdevctl_list_json(list_json_of_mdevctl, "list");
  ASSERT_TRUE(all) << one_line(all.error());
  ASSERT_EQ(all->size(), 3U);
  EXPECT_EQ((*all)[1], gvt());
  EXPECT_EQ((*all)[2].parent, "mdpy");
  std::vector<MdevDefinition> other_way(all->rbegin(), all->rend());
  EXPECT_EQ(mdevctl_list_json(other_way), list_json_of_mdevctl);
  EXPECT_EQ(mdevctl_list(other_way),
            "7773ffff-d52e-4ec1-9668-1f3c7e4df107 0000:00:02.0 i915-GVTg_V5_8 manual\n"
            "83c32df7-d52e-4ec1-9668-1f3c7e4df107 0000:00:02.0 i915-GVTg_V5_4 auto\n"
            "83c32df7-d52e-4ec1-9668-1f3c7e4df107 mdpy mdpy-hd manual\n");
}

TEST(MdevctlList, of_nothing_is_an_empty_array) {
  EXPECT_EQ(mdevctl_list_json({}), "[]\n");
  EXPECT_EQ(mdevctl_list({}), "");
  auto none = parse_mdevctl_list_json("[]", "list");
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->empty());
}

TEST(MdevctlList, of_another_form_is_refused) {
  for (const char* text : {"{}", "[1]", R"([{"p":{}}])", R"([{"p":[{}]}])", R"([{"p":[{"u":{}}]}])",
                           R"([{"p":[{"83c32df7-d52e-4ec1-9668-1f3c7e4df107":{}}]}])",
                           R"([{"..":[{"83c32df7-d52e-4ec1-9668-1f3c7e4df107":
                               {"mdev_type":"t","start":"auto"}}]}])"}) {
    auto all = parse_mdevctl_list_json(text, "list");
    ASSERT_FALSE(all) << text;
    EXPECT_EQ(all.error().kind, ErrorKind::invalid) << text;
    EXPECT_FALSE(all.error().sentence.empty()) << text;
  }
}

}  // namespace
}  // namespace tessera::model
