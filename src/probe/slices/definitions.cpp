// SPDX-License-Identifier: Apache-2.0
#include "probe/slices/definitions.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/uuid.h"
#include "kernel/files.h"
#include "probe/read.h"

namespace tessera::probe {

namespace files = kernel::files;
using model::MdevDefinitionFile;

namespace {

MdevDefinitionFile read_definition(const kernel::Root& root, const std::string& parent,
                                   const std::string& name) {
  MdevDefinitionFile file{files::mdev_definition(parent, name), parent, {}, {}};
  auto text = root.read(file.path);
  if (!text) {
    file.definition = fail(std::move(text.error()));
    return file;
  }
  file.text = std::move(*text);
  const auto uuid = parse_uuid(name);
  file.definition = uuid ? model::parse_mdev_definition(file.text, parent, *uuid, file.path)
                         : fail(ErrorKind::invalid, file.path,
                                fmt::format("its name is no UUID: {}", uuid.error().sentence));
  return file;
}

/// Adds what lies in a parent's folder; what is no folder has no definitions.
void add_parent(const kernel::Root& root, const std::string& parent,
                std::vector<MdevDefinitionFile>& all) {
  const auto folder = fmt::format("{}/{}", files::mdev_definitions, parent);
  auto names = root.list(folder);
  if (!names) {
    const auto kind = names.error().kind;
    if (kind == ErrorKind::not_found || kind == ErrorKind::invalid) return;
    all.push_back({folder, parent, {}, fail(std::move(names.error()))});
    return;
  }
  for (const auto& name : *names) {
    if (!name.starts_with('.')) all.push_back(read_definition(root, parent, name));
  }
}

bool is_hidden_or_scripts(const std::string& name) {
  return name.starts_with('.') ||
         std::ranges::find(files::mdevctl_scripts, name) != std::end(files::mdevctl_scripts);
}

}  // namespace

model::Reading<std::vector<MdevDefinitionFile>> read_mdev_definitions(const kernel::Root& root) {
  using Definitions = model::Reading<std::vector<MdevDefinitionFile>>;
  auto parents = root.list(files::mdev_definitions);
  if (!parents && parents.error().kind == ErrorKind::not_found) return {};
  if (!parents) return Definitions::unreadable(why_unreadable(parents.error()));
  std::vector<MdevDefinitionFile> all;
  for (const auto& parent : *parents) {
    if (!is_hidden_or_scripts(parent)) add_parent(root, parent, all);
  }
  return all;
}

Result<std::vector<model::MdevDefinitionFile>> mdev_definitions(const kernel::Root& root) {
  auto files = read_mdev_definitions(root);
  if (!files.is_unreadable()) return files.value_or({});
  return fail(ErrorKind::denied, std::string(kernel::files::mdev_definitions), files.why(),
              "run the command as root");
}

Result<std::optional<model::HostFile>> read_host_file(const kernel::Root& root) {
  TRY_LET(const auto state, read_file_state(root, files::host_file));
  if (!state.text) return std::optional<model::HostFile>();
  TRY_LET(auto host, model::parse_host_file(*state.text, state.path));
  return std::optional(std::move(host));
}

Result<model::FileState> read_file_state(const kernel::Root& root, std::string_view path) {
  model::FileState state;
  state.path = path;
  auto text = root.read(path);
  if (text) {
    state.text = std::move(*text);
    return state;
  }
  if (text.error().kind != ErrorKind::not_found) return fail(std::move(text.error()));
  for (auto end = path.rfind('/'); end != 0 && end != std::string_view::npos;
       end = path.rfind('/', end - 1)) {
    if (root.exists(path.substr(0, end))) break;
    state.missing_folders.emplace_back(path.substr(0, end));
  }
  return state;
}

}  // namespace tessera::probe
