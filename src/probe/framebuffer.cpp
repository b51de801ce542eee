// SPDX-License-Identifier: Apache-2.0
#include "probe/framebuffer.h"

#include <algorithm>
#include <optional>
#include <ranges>

#include "base/text.h"
#include "kernel/files.h"
#include "probe/read.h"

namespace tessera::probe {

using model::BootFramebuffer;
namespace files = kernel::files;

namespace {

constexpr std::string_view labels[] = {"BOOTFB",   "efifb",     "vesafb",
                                       "simplefb", "simpledrm", "simple-framebuffer",
                                       "efidrm",   "vesadrm"};
constexpr std::string_view platform_names[] = {"simple-framebuffer", "efi-framebuffer",
                                               "vesa-framebuffer", "simpledrm"};

struct IomemLine {
  std::size_t depth = 0;  ///< in blanks
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::string_view name;
};

std::optional<IomemLine> parse_line(std::string_view line) {
  constexpr std::string_view separator = " : ";
  auto depth = std::min(line.find_first_not_of(' '), line.size());
  auto colon = line.find(separator, depth);
  if (colon == std::string_view::npos) return std::nullopt;
  auto range = text::split(line.substr(depth, colon - depth), '-');
  if (range.size() != 2) return std::nullopt;
  auto first = text::to_number(range[0], 16);
  auto last = text::to_number(range[1], 16);
  if (!first || !last) return std::nullopt;
  return IomemLine{depth, *first, *last, text::trim(line.substr(colon + separator.size()))};
}

std::optional<model::PciAddress> function_above(const std::vector<IomemLine>& above) {
  for (const auto& line : std::ranges::reverse_view(above)) {
    if (auto address = model::parse_pci_address(line.name)) return *address;
  }
  return std::nullopt;
}

bool is_label(std::string_view name) {
  return std::ranges::find(labels, name) != std::end(labels);
}

bool is_platform_framebuffer(std::string_view device) {
  return std::ranges::find(platform_names, device.substr(0, device.rfind('.'))) !=
         std::end(platform_names);
}

std::vector<BootFramebuffer> read_platform_framebuffers(const kernel::Root& root) {
  std::vector<BootFramebuffer> found;
  auto devices = root.list(files::platform_devices);
  if (!devices) return found;
  for (const auto& device : *devices) {
    if (!is_platform_framebuffer(device)) continue;
    BootFramebuffer framebuffer;
    framebuffer.device = device;
    framebuffer.driver =
        read_link_name(root, files::platform_device(device, "driver")).value_or("");
    found.push_back(std::move(framebuffer));
  }
  return found;
}

}  // namespace

std::vector<BootFramebuffer> parse_iomem(std::string_view text) {
  std::vector<BootFramebuffer> found;
  std::vector<IomemLine> above;
  for (auto text_line : text::lines(text)) {
    auto line = parse_line(text_line);
    if (!line) continue;
    while (!above.empty() && above.back().depth >= line->depth) above.pop_back();
    bool nested = std::ranges::any_of(above, is_label, &IomemLine::name);
    if (is_label(line->name) && !nested && line->last != 0) {
      BootFramebuffer framebuffer;
      framebuffer.first = line->first;
      framebuffer.last = line->last;
      framebuffer.label = line->name;
      framebuffer.function = function_above(above);
      found.push_back(std::move(framebuffer));
    }
    above.push_back(*line);
  }
  return found;
}

std::vector<BootFramebuffer> read_framebuffers(const kernel::Root& root) {
  auto devices = read_platform_framebuffers(root);
  auto iomem = root.read(files::proc_iomem);
  auto placed = iomem ? parse_iomem(*iomem) : std::vector<BootFramebuffer>{};
  // The kernel says nowhere which device has which lines; the order is the order of their making.
  bool joined = devices.size() == placed.size();
  for (std::size_t i = 0; joined && i < devices.size(); ++i) {
    placed[i].device = devices[i].device;
    placed[i].driver = devices[i].driver;
  }
  if (!joined) placed.insert(placed.end(), devices.begin(), devices.end());
  return placed;
}

}  // namespace tessera::probe
