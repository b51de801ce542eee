// SPDX-License-Identifier: Apache-2.0
#include "build/nodedev_xml.h"

#include <gtest/gtest.h>

namespace tessera::build {
namespace {

using model::MdevDefinition;

const Uuid uuid = *parse_uuid("83c32df7-d52e-4ec1-9668-1f3c7e4df107");
const Uuid other = *parse_uuid("00000000-0000-4000-8000-000000000001");

MdevDefinition vgpu() {
  return {uuid,
          "0000:3b:00.4",
          "nvidia-300",
          MdevDefinition::Start::manual,
          {{"nvidia/vgpu_params", "frame_rate_limiter=0"}, {"note", "<a> & \"b\"\n'c'"}}};
}

Result<MdevDefinition> read(std::string_view text) {
  return parse_node_device_xml(text, "device.xml", other);
}

std::string told(std::string_view text) {
  auto definition = read(text);
  if (definition) return "it was taken";
  EXPECT_EQ(definition.error().kind, ErrorKind::invalid);
  return one_line(definition.error());
}

/// A whole device with these elements in its mdev capability.
std::string with(const std::string& elements, const std::string& parent = "pci_0000_3b_00_4") {
  return "<device>\n<parent>" + parent + "</parent>\n<capability type='mdev'>" + elements +
         "</capability>\n</device>\n";
}

TEST(NodeDevice, is_named_as_libvirt_names_it) {
  EXPECT_EQ(node_device_name(vgpu()), "mdev_83c32df7_d52e_4ec1_9668_1f3c7e4df107_0000_3b_00_4");
  auto on_matrix = vgpu();
  on_matrix.parent = "matrix";
  EXPECT_EQ(node_device_name(on_matrix), "mdev_83c32df7_d52e_4ec1_9668_1f3c7e4df107_matrix");
}

TEST(NodeDeviceXml, is_what_nodedev_define_takes) {
  auto xml = node_device_xml(vgpu());
  ASSERT_TRUE(xml) << one_line(xml.error());
  EXPECT_EQ(*xml,
            "<device>\n"
            "  <name>mdev_83c32df7_d52e_4ec1_9668_1f3c7e4df107_0000_3b_00_4</name>\n"
            "  <parent>pci_0000_3b_00_4</parent>\n"
            "  <capability type=\"mdev\">\n"
            "    <type id=\"nvidia-300\" />\n"
            "    <uuid>83c32df7-d52e-4ec1-9668-1f3c7e4df107</uuid>\n"
            "    <attr name=\"nvidia/vgpu_params\" value=\"frame_rate_limiter=0\" />\n"
            "    <attr name=\"note\" value=\"&lt;a> &amp; &quot;b&quot;&#10;'c'\" />\n"
            "  </capability>\n"
            "</device>\n");
}

TEST(NodeDeviceXml, reads_the_same_again) {
  auto xml = node_device_xml(vgpu());
  ASSERT_TRUE(xml);
  auto back = read(*xml);
  ASSERT_TRUE(back) << one_line(back.error());
  EXPECT_EQ(*back, vgpu());
}

TEST(NodeDeviceXml, that_libvirt_could_not_use_is_refused) {
  auto on_virtual = vgpu();
  on_virtual.parent = "mdpy";
  auto no_parent = node_device_xml(on_virtual);
  ASSERT_FALSE(no_parent);
  EXPECT_EQ(no_parent.error().kind, ErrorKind::unsupported);
  EXPECT_EQ(no_parent.error().sentence,
            "libvirt cannot define it: its parent mdpy is no PCI device");
  auto control = vgpu();
  control.attrs[0].value = "\x01";
  EXPECT_EQ(node_device_xml(control).error().kind, ErrorKind::unsupported);
  control.attrs[0].name = "../x";
  EXPECT_EQ(node_device_xml(control).error().kind, ErrorKind::invalid);
}

/// A running device, with what libvirt reports of it.
TEST(NodeDeviceXml, of_nodedev_dumpxml_is_read) {
  auto definition = read(R"(<?xml version="1.0"?>
<device>
  <name>mdev_83c32df7_d52e_4ec1_9668_1f3c7e4df107_0000_3b_00_4</name>
  <path>/sys/devices/pci0000:3a/0000:3a:00.0/0000:3b:00.4/83c32df7-d52e-4ec1-9668-1f3c7e4df107</path>
  <parent>pci_0000_3b_00_4</parent>
  <driver>
    <name>nvidia-vgpu-vfio</name>
  </driver>
  <capability type='mdev'>
    <type id='nvidia-300'/>
    <uuid>83C32DF7-d52e-4ec1-9668-1f3c7e4df107</uuid>
    <parent_addr>0000:3b:00.4</parent_addr>
    <iommuGroup number='12'/>
  </capability>
</device>
)");
  ASSERT_TRUE(definition) << one_line(definition.error());
  auto expected = vgpu();
  expected.attrs.clear();
  EXPECT_EQ(*definition, expected);
}

TEST(NodeDeviceXml, without_a_uuid_has_that_of_its_name_or_the_given_one) {
  const std::string named =
      "<device><name>mdev_83c32df7_d52e_4ec1_9668_1f3c7e4df107</name><parent>pci_10000_e1_00_0"
      "</parent><capability type='mdev'><type id='t'/></capability></device>";
  auto by_name = read(named);
  ASSERT_TRUE(by_name) << one_line(by_name.error());
  EXPECT_EQ(by_name->uuid, uuid);
  EXPECT_EQ(by_name->parent, "10000:e1:00.0");
  auto given = read(with("<type id='t'/>"));
  ASSERT_TRUE(given);
  EXPECT_EQ(given->uuid, other);
}

TEST(NodeDeviceXml, with_a_parent_address_needs_no_pci_parent) {
  auto definition =
      read(with("<type id='vfio_ap-passthrough'/><parent_addr>matrix</parent_addr>"
                "<attr name='assign_domain' value='4'/>"
                "<attr name='assign_domain' value='5'/>",
                "ap_matrix"));
  ASSERT_TRUE(definition) << one_line(definition.error());
  EXPECT_EQ(definition->parent, "matrix");
  EXPECT_EQ(definition->attrs,
            (std::vector<model::MdevAttribute>{{"assign_domain", "4"}, {"assign_domain", "5"}}));
}

TEST(NodeDeviceXml, with_a_mistake_is_refused_with_its_place) {
  EXPECT_TRUE(told("<device>\n <name>").starts_with("device.xml:2:")) << told("<device>\n <name>");
  EXPECT_TRUE(told("").contains("it is no XML"));
  EXPECT_EQ(told("<domain/>"),
            "device.xml:1:1: the outermost element must be <device>, not <domain>");
  EXPECT_EQ(told("<device>\n  <capability type='pci'/></device>"),
            "device.xml:1:1: this is no mediated device: it has no <capability type='mdev'>");
  EXPECT_EQ(told(with("")), "device.xml:3:1: the element <type id='...'/> is missing");
  EXPECT_EQ(told(with("<type/>")), "device.xml:3:1: '' cannot be an mdev_type");
  EXPECT_EQ(told(with("<type id='a'/><type id='b'/>")), "device.xml:3:39: <type> is there twice");
  EXPECT_EQ(told(with("<type id='t'/><attr name='x'/>")),
            "device.xml:3:39: <attr> needs a name and a value");
  EXPECT_TRUE(told(with("<type id='t'/><uuid>4711</uuid>")).contains("a UUID has 36 characters"));
  EXPECT_EQ(told(with("<type id='t'/>", "computer")),
            "device.xml:2:1: the parent 'computer' is no PCI device (pci_0000_3b_00_4), and there "
            "is no <parent_addr>");
  EXPECT_TRUE(told(with("<type id='t'/>", "pci_0000_3b_44_4")).contains("is no PCI device"));
  EXPECT_TRUE(told(with("<type id='t'/><parent_addr>..</parent_addr>"))
                  .contains("'..' cannot be a parent's name"));
  EXPECT_EQ(told("<device><capability type='mdev'><type id='t'/></capability></device>"),
            "device.xml:1:1: the element <parent> is missing");
}

}  // namespace
}  // namespace tessera::build
