// SPDX-License-Identifier: Apache-2.0
// The XML of a libvirt node device: what is accepted can be kept as a definition, and where libvirt
// can define it, is written and reads the same; a refusal has a line of the text.
#include "build/nodedev_xml.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using tessera::fuzz::must;
  namespace build = tessera::build;
  const auto text = tessera::fuzz::text_of(data, size);
  auto definition = build::parse_node_device_xml(text, "device.xml", {});
  if (!definition) {
    must(definition.error().kind == tessera::ErrorKind::invalid, "bad XML is `invalid`");
    must(definition.error().subject.starts_with("device.xml:"), "the error says where");
    must(!definition.error().sentence.empty(), "and what");
    return 0;
  }
  must(check(*definition).has_value(), "what was read can be kept");
  must(build::node_device_name(*definition).starts_with("mdev_"), "it has a name");
  auto written = build::node_device_xml(*definition);
  if (!written) {
    must(written.error().kind == tessera::ErrorKind::unsupported,
         "only libvirt's limits refuse it");
    return 0;
  }
  auto again = build::parse_node_device_xml(*written, "again.xml", {});
  must(again.has_value(), "what is written can be read");
  must(again->uuid == definition->uuid && again->mdev_type == definition->mdev_type &&
           again->attrs == definition->attrs,
       "and reads the same");
  must(*build::node_device_xml(*again) == *written, "and is written the same way again");
  return 0;
}
