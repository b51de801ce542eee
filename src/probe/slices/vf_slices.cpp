// SPDX-License-Identifier: Apache-2.0
#include "probe/slices/vf_slices.h"

#include "base/text.h"
#include "kernel/files.h"
#include "probe/read.h"
#include "probe/slices/frameworks.h"
#include "probe/slices/support.h"

namespace tessera::probe::slices {

namespace files = kernel::files;
using model::SliceSource;

void add_vf_slices(const kernel::Root& root, SliceSource& source) {
  model::Profile profile;
  profile.type = profile.name = vf_type;
  profile.device_api = "vfio-pci";
  profile.max_instances = source.vf_total;
  source.profiles.push_back(std::move(profile));
  for (const auto& vf : virtual_functions(root, source.device)) {
    auto parent = parent_at(root, vf.address, files::pci_device(vf.address));
    model::Slice slice;
    slice.identity = slice.parent = vf.address;
    slice.framework = source.framework;
    slice.type = slice.name = vf_type;
    slice.driver = parent.driver;
    slice.iommu_group = parent.iommu_group;
    source.slices.push_back(std::move(slice));
    source.parents.push_back(std::move(parent));
  }
  put_in_order(source);
}

void add_quota(const kernel::Root& root, const std::string& path, std::string_view name,
               model::SliceSource& source) {
  auto value = read_text(root, path);
  if (value.is_absent()) return;
  if (value.has_value()) value = marked_word(value.value());
  source.quotas.push_back({path, std::string(name), std::move(value)});
}

std::string marked_word(std::string_view text) {
  const auto open = text.find('[');
  const auto close = text.find(']', open == std::string_view::npos ? 0 : open);
  if (open == std::string_view::npos || close == std::string_view::npos) {
    return text::printable(text::trim(text));
  }
  return text::printable(text.substr(open + 1, close - open - 1));
}

}  // namespace tessera::probe::slices
