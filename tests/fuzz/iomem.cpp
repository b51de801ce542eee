// SPDX-License-Identifier: Apache-2.0
// /proc/iomem: every framebuffer found is named by a line of the text and lies where it says, and
// lines around it that are no framebuffers change nothing.
#include <algorithm>

#include "fuzz.h"
#include "probe/framebuffer.h"

namespace {

using tessera::fuzz::must;
using tessera::model::BootFramebuffer;

bool same(const std::vector<BootFramebuffer>& left, const std::vector<BootFramebuffer>& right) {
  return std::ranges::equal(left, right, [](const auto& a, const auto& b) {
    return a.first == b.first && a.last == b.last && a.label == b.label && a.function == b.function;
  });
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string text(tessera::fuzz::text_of(data, size));
  auto found = tessera::probe::parse_iomem(text);
  for (const auto& framebuffer : found) {
    must(!framebuffer.label.empty(), "a framebuffer has a label");
    must(text.find(framebuffer.label) != std::string::npos, "the label is in the text");
    must(framebuffer.last != 0, "a line of zeros (read without root) is no framebuffer");
    must(framebuffer.device.empty(), "the text names no platform device");
  }
  auto around = "00000000-00000fff : Reserved\n" + text + "\n100000000-1ffffffff : System RAM\n";
  must(same(tessera::probe::parse_iomem(around), found), "neighbours at the top change nothing");
  return 0;
}
