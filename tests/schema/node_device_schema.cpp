// SPDX-License-Identifier: Apache-2.0
//
// The XML that we write for `virsh nodedev-define` against libvirt's own schema.
//
//   node_device_schema XMLLINT NODEDEV_RNG        77: one of them is not installed
#include <cstdio>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "base/test_directory.h"
#include "build/nodedev_xml.h"
#include "harness/command.h"

namespace {

using tessera::model::MdevDefinition;

constexpr int cannot_run_here = 77;

std::vector<MdevDefinition> definitions() {
  const auto uuid = *tessera::parse_uuid("83c32df7-d52e-4ec1-9668-1f3c7e4df107");
  const auto manual = MdevDefinition::Start::manual;
  return {{uuid, "0000:00:02.0", "i915-GVTg_V5_4", manual, {}},
          {uuid, "10000:e1:00.4", "nvidia-300", manual, {{"nvidia/vgpu_params", "x=0,y=1"}}},
          {uuid, "0000:3b:00.0", "a <type> & more", manual, {{"a", "1"}, {"a", "two\nlines"}}}};
}

int check(const std::string& xmllint, const std::string& schema) {
  const tessera::TestDirectory scratch;
  int checked = 0;
  for (const auto& definition : definitions()) {
    auto xml = tessera::build::node_device_xml(definition);
    if (!xml) {
      fmt::print(stderr, "{}\n", one_line(xml.error()));
      return 1;
    }
    scratch.file("/device.xml", *xml);
    const auto result = tessera::harness::run_shell(
        fmt::format("{} --noout --relaxng {} {}", xmllint, schema, scratch.real("/device.xml")),
        {});
    if (result.exit_code != 0) {
      fmt::print(stderr, "{}\n{}\n", *xml, result.text);
      return 1;
    }
    ++checked;
  }
  fmt::print("{} node devices fit the schema\n", checked);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 64;
  for (int i = 1; i < argc; ++i) {
    if (::access(argv[i], R_OK) == 0) continue;
    fmt::print(stderr, "{} is not there\n", argv[i]);
    return cannot_run_here;
  }
  return check(argv[1], argv[2]);
}
