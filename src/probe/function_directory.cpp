// SPDX-License-Identifier: Apache-2.0
#include "probe/function_directory.h"

#include <algorithm>

#include "kernel/files.h"
#include "probe/read.h"

namespace tessera::probe {

using model::Reading;

FunctionDirectory FunctionDirectory::listed(const kernel::Root& root, std::string bdf) {
  FunctionDirectory directory(root, std::move(bdf));
  auto names = root.list(kernel::files::pci_device(directory.bdf_));
  directory.listed_ = names.has_value();
  if (names) directory.names_ = std::move(*names);
  return directory;
}

Reading<std::string> FunctionDirectory::text(std::string_view name) const {
  return text_of(content(name));
}

Reading<std::uint16_t> FunctionDirectory::id(std::string_view name) const {
  const auto value = hex_of(content(name), 0xffff);
  if (value.has_value()) return static_cast<std::uint16_t>(value.value());
  return value.is_absent() ? Reading<std::uint16_t>{}
                           : Reading<std::uint16_t>::unreadable(value.why());
}

Reading<std::uint32_t> FunctionDirectory::class_code() const {
  return hex_of(content("class"), 0xffffff);
}

Reading<std::uint32_t> FunctionDirectory::small_hex(std::string_view name) const {
  return hex_of(content(name), 0xff);
}

Reading<int> FunctionDirectory::number(std::string_view name) const {
  return int_of(content(name));
}

Reading<bool> FunctionDirectory::flag(std::string_view name) const {
  return bool_of(content(name));
}

Reading<std::string> FunctionDirectory::link(std::string_view name) const {
  return link_name_of(target(name));
}

bool FunctionDirectory::lacks(std::string_view name) const {
  return listed_ && !std::ranges::binary_search(names_, name);
}

Result<std::string> FunctionDirectory::target(std::string_view name) const {
  if (lacks(name)) return fail(ErrorKind::not_found, std::string(name), "it is not listed");
  if (opened_ != nullptr) return opened_->read_link(std::string(name));
  return root_.read_link(kernel::files::pci_device(bdf_, name));
}

Result<std::string> FunctionDirectory::content(std::string_view name) const {
  if (lacks(name)) return fail(ErrorKind::not_found, std::string(name), "it is not listed");
  if (opened_ != nullptr) return opened_->read(std::string(name));
  return root_.read(kernel::files::pci_device(bdf_, name));
}

}  // namespace tessera::probe
