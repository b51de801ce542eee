// SPDX-License-Identifier: Apache-2.0
#include "model/plan.h"

#include <gtest/gtest.h>

namespace tessera::model {
namespace {

TEST(PlanWords, say_what_must_hold) {
  using What = Expectation::What;
  EXPECT_EQ(in_words(Expectation{What::link_name, "/d/driver", "vfio-pci"}),
            "/d/driver leads to vfio-pci");
  EXPECT_EQ(in_words(Expectation{What::link_name, "/d/driver", ""}), "there is no /d/driver");
  EXPECT_EQ(in_words(Expectation{What::link_name_is_not, "/d/driver", ""}), "there is /d/driver");
  EXPECT_EQ(in_words(Expectation{What::link_name_is_not, "/d/driver", "vfio-pci"}),
            "/d/driver does not lead to vfio-pci");
  EXPECT_EQ(in_words(Expectation{What::text, "/d/x", "a\nb"}), "/d/x reads 'a\\nb'");
  EXPECT_EQ(in_words(Expectation{What::module, "vfio_pci", "yes"}), "module vfio_pci is present");
  EXPECT_EQ(in_words(Expectation{What::process, "7", "no"}), "process 7 is gone");
  EXPECT_EQ(in_words(Expectation{What::unit, "x.service", "no"}), "unit x.service is inactive");
  EXPECT_EQ(in_words(Expectation{What::file, "/etc/x", "yes"}), "there is a file /etc/x");
  EXPECT_EQ(in_words(Expectation{What::file, "/etc/x", "no"}), "there is no /etc/x");
  EXPECT_EQ(in_words(Expectation{What::file_text, "/etc/x", "a\nb\n"}),
            "/etc/x has the 4 bytes that the plan names");
  EXPECT_EQ(in_words(Expectation{What::file_text_is_not, "/etc/x", "a\nb\n"}),
            "/etc/x has not the 4 bytes that the plan names");
}

TEST(PlanWords, say_what_a_step_does) {
  Step step;
  step.path = "/sys/bus/pci/drivers_probe";
  step.text = "0000:01:00.0";
  EXPECT_EQ(in_words(step), "write '0000:01:00.0' to /sys/bus/pci/drivers_probe");
  step.text = "\n";
  EXPECT_EQ(in_words(step), "write an empty line to /sys/bus/pci/drivers_probe");
  step.action = Step::Action::load_module;
  step.path = "vfio_pci";
  EXPECT_EQ(in_words(step), "load module vfio_pci");
  step.action = Step::Action::write_file;
  step.path = "/etc/x";
  step.text = "a\nb\n";
  EXPECT_EQ(in_words(step), "write the file /etc/x (4 bytes)");
  step.action = Step::Action::remove_file;
  EXPECT_EQ(in_words(step), "remove the file /etc/x");
  step.action = Step::Action::remove_folder;
  EXPECT_EQ(in_words(step), "remove the folder /etc/x if nothing is in it");
}

}  // namespace
}  // namespace tessera::model
