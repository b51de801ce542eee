// SPDX-License-Identifier: Apache-2.0
#include "app/printers/health.h"

#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "plan/slices/health.h"
#include "vendor/nvidia_smi_xml.h"

namespace tessera::app {
namespace {

std::string sample(const std::string& file) {
  std::ifstream stream(std::string(TESSERA_TESTS_DIR "/smi/") + file);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

model::HealthReport report_in(const std::string& file) {
  auto report = vendor::parse_nvidia_smi_xml(sample(file), file);
  EXPECT_TRUE(report) << one_line(report.error());
  return report.value_or(model::HealthReport{});
}

std::string text_of(const model::HealthReport& report) {
  return health_text(report, plan::slices::cordons(report), ReportStyle{.width = 400});
}

TEST(HealthText, tells_a_sick_card_by_its_values_and_what_speaks_against_it) {
  const auto text = text_of(report_in("l40s-sick-580.xml"));
  for (const char* words :
       {"0001:26:00.0  NVIDIA L40S\n", "46068 MiB, used 16 GiB, the driver's 610 MiB, ECC on",
        "uncorrected 7 since the driver was loaded", "uncorrected 12 in the card's life",
        "remapping failed: yes", "mixed sizes on", "the driver asks for: Reset",
        "[row-remapping-failed]", "by l40s-sick-580.xml\n"}) {
    EXPECT_NE(text.find(words), std::string::npos) << words << "\n" << text;
  }
  EXPECT_EQ(text.find("N/A"), std::string::npos) << text;
}

TEST(HealthText, says_what_changes_with_the_next_reset_and_what_could_not_be_read) {
  const auto text = text_of(report_in("p100-sick-418.xml"));
  EXPECT_NE(text.find("ECC on, off after the next reset"), std::string::npos) << text;
  EXPECT_NE(text.find("encoder not read: Unknown Error"), std::string::npos) << text;
}

TEST(HealthText, names_the_machines_of_a_cards_vgpus) {
  model::HealthReport report;
  auto machines = vendor::parse_nvidia_smi_vgpus(sample("vgpu-q-580.txt"), "vgpu-q-580.txt");
  ASSERT_TRUE(machines) << one_line(machines.error());
  report.vgpus = machines->vgpus;
  ASSERT_FALSE(report.vgpus.empty());
  report.gpus.push_back({});
  report.gpus.front().address = report.vgpus.front().card;
  const auto text = text_of(report);
  EXPECT_NE(text.find("instance-00000004"), std::string::npos) << text;
  EXPECT_NE(text.find("128 MiB of 3 GiB"), std::string::npos) << text;
  EXPECT_NE(text.find("Nothing speaks against new slices."), std::string::npos) << text;
}

TEST(HealthText, of_a_driver_without_cards_says_where_they_may_be) {
  EXPECT_NE(text_of({}).find("one that a VFIO driver has is not seen"), std::string::npos);
}

TEST(HealthJson, tells_the_states_of_a_value_apart) {
  const auto report = report_in("l40s-sick-580.xml");
  const auto json = health_json(report, plan::slices::cordons(report));
  const auto& card = json["cards"][0];
  EXPECT_EQ(card["mig"]["current"]["unreadable"], "N/A");
  EXPECT_EQ(card["volatile_errors"]["uncorrected"], 7);
  EXPECT_FALSE(card.contains("vgpu_count")) << "nvidia-smi does not tell it";
  EXPECT_EQ(card["virtualization"], "host-vgpu");
  EXPECT_EQ(json["cordons"][0]["id"], "row-remapping-failed");
}

}  // namespace
}  // namespace tessera::app
