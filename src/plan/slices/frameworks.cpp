// SPDX-License-Identifier: Apache-2.0
#include "plan/slices/frameworks.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace tessera::plan::slices {

using model::Framework;

const FrameworkOperations* operations_of(Framework framework) {
  static constexpr std::array table = {
      FrameworkOperations{Framework::mdev, create_mdev, remove_mdev},
      FrameworkOperations{Framework::gvt_g, create_mdev, remove_mdev},
      FrameworkOperations{Framework::mdev_on_vf, create_mdev, remove_mdev},
      FrameworkOperations{Framework::vendor_vfio, create_vendor_vfio, remove_vendor_vfio},
  };
  const auto* const found = std::ranges::find(table, framework, &FrameworkOperations::framework);
  return found == table.end() ? nullptr : &*found;
}

std::string identity_of(const NewSlice& slice) {
  return slice.source.framework == Framework::vendor_vfio ? slice.parent.device : slice.uuid;
}

model::Step settings_step(std::string file, std::string text) {
  model::Step step;
  step.path = std::move(file);
  step.text = std::move(text);
  step.reason = "settings count from the machine's start, so they come before it";
  step.then = {{model::Expectation::What::text, step.path, step.text}};
  return step;
}

std::string settings_text(const std::map<std::string, std::string>& settings) {
  std::vector<std::string> pieces;
  for (const auto& [name, value] : settings) pieces.push_back(name + "=" + value);
  return text::join(pieces, ",");
}

}  // namespace tessera::plan::slices
