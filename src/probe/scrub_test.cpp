// SPDX-License-Identifier: Apache-2.0
#include "probe/scrub.h"

#include <gtest/gtest.h>

namespace tessera::probe {
namespace {

constexpr const char* uuid_a = "11111111-2222-3333-4444-555555555555";
constexpr const char* uuid_b = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";
constexpr const char* first = "00000001-0000-4000-8000-000000000000";
constexpr const char* second = "00000002-0000-4000-8000-000000000000";

std::string scrubbed(const std::string& path, const std::string& content) {
  kernel::Entries entries;
  entries.files.emplace(path, content);
  scrub(entries, "ada-box");
  return entries.files.begin()->second;
}

TEST(scrub, the_words_that_say_where_the_root_is_lose_their_names_and_keep_their_form) {
  EXPECT_EQ(scrubbed("/proc/cmdline", std::string("root=UUID=") + uuid_a + " rd.luks.uuid=luks-" +
                                          uuid_b + " intel_iommu=on quiet\n"),
            std::string("root=UUID=") + first + " rd.luks.uuid=luks-" + second +
                " intel_iommu=on quiet\n");
  EXPECT_EQ(scrubbed_words("root=LABEL=ada rd.lvm.lv=vg7/root root=/dev/sda2", ""),
            "root=LABEL=xxx rd.lvm.lv=xx0/xxxx root=/dev/sda2");
  EXPECT_EQ(scrubbed_words("root=/dev/mapper/ada-root", ""), "root=/xxx/xxxxxx/xxx-xxxx");
  EXPECT_EQ(scrubbed_words("ip=10.1.2.3::10.1.2.1", ""), "ip=00.0.0.0::00.0.0.0");
}

TEST(scrub, what_the_doctor_reads_on_the_command_line_stays) {
  const std::string line =
      "BOOT_IMAGE=/vmlinuz-6.1.0 iommu=pt vfio-pci.ids=10de:1db4,10de:10f0 pci=realloc "
      "video=efifb:off isolcpus=2-7 hugepagesz=1G";
  EXPECT_EQ(scrubbed_words(line, "ada-box"), line);
}

TEST(scrub, machine_ids_addresses_hosts_and_homes_are_found_in_other_text) {
  EXPECT_EQ(scrubbed_words("BOOT_IMAGE=/0123456789abcdef0123456789abcdef/linux", ""),
            "BOOT_IMAGE=/00000000000000000000000000000000/linux");
  EXPECT_EQ(scrubbed_words("ada-box: vfio from 192.168.7.9 /home/ada/x", "ada-box"),
            "host: vfio from 000.000.0.0 /home/user/x");
  EXPECT_EQ(scrubbed_words("driver 535.129.03, firmware 1.2.3.4-5", ""),
            "driver 535.129.03, firmware 1.2.3.4-5");
  EXPECT_EQ(scrubbed_words("ada-boxes", "ada-box"), "ada-boxes");
}

TEST(scrub, what_nvidia_smi_says_of_machines_programs_and_serial_numbers_is_blanked) {
  kernel::Entries entries;
  entries.notes.push_back({"nvidia-smi/vgpu-q",
                           "    vGPU ID      : 7\n        VM Name  : ada's pc,debug\n"
                           "        vGPU Name : NVIDIA L40S-8Q\n"});
  entries.notes.push_back(
      {"nvidia-smi/q-x",
       "<serial>1564720004631</serial>\n<process_name>/usr/bin/x</process_name>\n"
       "<driver_version>580.105.06</driver_version>\n<note>ada-box</note>\n"
       "<serial>\n"});
  scrub(entries, "ada-box");
  EXPECT_EQ(entries.notes[0].text,
            "    vGPU ID      : 7\n        VM Name  : xxx'x xx,xxxxx\n"
            "        vGPU Name : NVIDIA L40S-8Q\n");
  EXPECT_EQ(entries.notes[1].text,
            "<serial>0000000000000</serial>\n<process_name>/xxx/xxx/x</process_name>\n"
            "<driver_version>580.105.06</driver_version>\n<note>host</note>\n<serial>\n");
}

TEST(scrub, placeholders_keep_the_order_of_what_they_stand_for) {
  kernel::Entries entries;
  const std::string types = "/sys/bus/pci/devices/0000:01:00.0/";
  entries.links.emplace(types + uuid_b, std::string("../") + uuid_b);
  entries.links.emplace(types + uuid_a, std::string("../") + uuid_a);
  entries.notes.push_back({"dmesg", std::string("vfio: ") + uuid_b});
  scrub(entries, "");
  EXPECT_EQ(entries.links.at(types + first), std::string("../") + first);
  EXPECT_EQ(entries.links.at(types + second), std::string("../") + second);
  EXPECT_EQ(entries.notes[0].text, std::string("vfio: ") + second);
}

TEST(scrub, mac_addresses_are_replaced_and_pci_addresses_are_not) {
  EXPECT_EQ(scrubbed("/a", "0000:3b:00.0 a0:36:9f:01:02:03"), "0000:3b:00.0 02:00:00:00:00:01");
}

TEST(scrub, a_firmware_variable_keeps_its_name) {
  const std::string path =
      "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";
  kernel::Entries entries;
  entries.files.emplace(path, "x");
  scrub(entries, "");
  EXPECT_TRUE(entries.files.contains(path));
}

TEST(scrub, comments_of_settings_are_emptied_and_lines_keep_their_numbers) {
  EXPECT_EQ(scrubbed("/etc/modprobe.d/vfio.conf", "# ada's card\noptions vfio-pci ids=10de:1db4\n"),
            "#\noptions vfio-pci ids=10de:1db4\n");
}

TEST(scrub, a_machine_s_name_in_a_unit_is_replaced) {
  EXPECT_EQ(scrubbed("/proc/7/cgroup", "0::/machine.slice/machine-qemu\\x2d3\\x2dada.scope\n"),
            "0::/machine.slice/machine-qemu\\x2d3\\x2dguest.scope\n");
}

TEST(scrub, the_serial_number_of_a_configuration_space_becomes_zero_and_no_other_byte_changes) {
  std::string bytes(4096, '\x5a');
  const auto put = [&](std::size_t at, std::initializer_list<int> values) {
    for (int value : values) bytes[at++] = static_cast<char>(value);
  };
  put(0x100, {0x0d, 0x00, 0x01, 0x15});  // ACS; the next is at 0x150
  put(0x150, {0x03, 0x00, 0x01, 0x00});  // the serial number; the last
  std::string wanted = bytes;
  std::fill_n(wanted.begin() + 0x154, 8, '\0');
  EXPECT_EQ(without_serial_number(bytes), wanted);
  EXPECT_EQ(without_serial_number(std::string(64, '\x03')), std::string(64, '\x03'));
}

TEST(scrub, a_serial_file_is_blanked) {
  EXPECT_EQ(scrubbed("/sys/bus/pci/devices/0000:03:00.0/unique_id", "4a7f09\n"), "0x0x00\n");
}

}  // namespace
}  // namespace tessera::probe
