// SPDX-License-Identifier: Apache-2.0
#include "plan/slices/definitions.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/utf8.h"

namespace tessera::plan {

namespace {

using model::Expectation;
using model::FileState;
using model::Operation;
using model::Step;
using What = model::Expectation::What;
using Action = model::Step::Action;

Expectation there(const FileState& file, bool yes) {
  return {What::file, file.path, yes ? "yes" : "no"};
}

Expectation has_text(const FileState& file, const std::string& text) {
  return {What::file_text, file.path, text};
}

Expectation has_not_text(const FileState& file, const std::string& text) {
  return {What::file_text_is_not, file.path, text};
}

/// As the plan saw it.
Expectation as_seen(const FileState& file) {
  return file.text ? has_text(file, *file.text) : there(file, false);
}

Step step(Action action, const std::string& path, std::string reason) {
  Step made;
  made.action = action;
  made.path = path;
  made.reason = std::move(reason);
  return made;
}

Step write_file(const FileState& file, std::string text, std::string reason) {
  Step made = step(Action::write_file, file.path, std::move(reason));
  made.then = {has_text(file, text)};
  made.text = std::move(text);
  return made;
}

Step remove_file(const FileState& file, std::string reason) {
  Step made = step(Action::remove_file, file.path, std::move(reason));
  made.then = {there(file, false)};
  return made;
}

/// The plan, and with it the undo, is kept as JSON, which holds UTF-8 only.
Status check_can_be_kept(const FileState& file) {
  if (!file.text || text::is_utf8(*file.text)) return {};
  return fail(ErrorKind::unsupported, file.path,
              "it holds bytes that are no UTF-8, so its text could not be put back by an undo",
              "look at it and move it away");
}

Operation begin(const FileState& now, const SettingsChange& change) {
  Operation op;
  op.kind = change.kind;
  op.subject = change.subject;
  op.reason = change.reason;
  op.before = {as_seen(now)};
  return op;
}

/// Takes back that `text` was written, where it still stands.
void add_undo_of_write(Operation& op, const FileState& now, const std::string& text) {
  Step back = now.text ? write_file(now, *now.text, "put the former text back")
                       : remove_file(now, "there was no such file");
  back.only_if = {has_text(now, text)};
  op.undo.push_back(std::move(back));
  for (const auto& folder : now.missing_folders) {
    op.undo.push_back(step(Action::remove_folder, folder, "there was no such folder"));
  }
  op.after_undo = {has_not_text(now, text)};
}

Result<model::HostFile> host_file_of(const FileState& now) {
  return model::parse_host_file(now.text.value_or(""), now.path);
}

auto entry_of(model::HostFile& host, std::string_view card, int vf) {
  return std::ranges::find_if(host.slices,
                              [&](const auto& one) { return one.card == card && one.vf == vf; });
}

std::string slice_name(std::string_view card, int vf) {
  return fmt::format("{} vf {}", card, vf);
}

}  // namespace

Result<std::vector<Operation>> write_settings(const FileState& now, const std::string& text,
                                              const SettingsChange& change) {
  std::vector<Operation> none;
  if (now.text == text) return none;
  TRY(check_can_be_kept(now));
  Operation op = begin(now, change);
  op.forward = {write_file(
      now, text,
      now.text ? "the whole new text, or none of it" : "a new file, whole or not at all")};
  op.after = {has_text(now, text)};
  add_undo_of_write(op, now, text);
  return std::vector{std::move(op)};
}

Result<std::vector<Operation>> remove_settings(const FileState& now, const SettingsChange& change) {
  std::vector<Operation> none;
  if (!now.text) return none;
  TRY(check_can_be_kept(now));
  Operation op = begin(now, change);
  op.forward = {remove_file(now, "its text is kept in the journal")};
  op.after = {there(now, false)};
  Step back = write_file(now, *now.text, "put the file back as it was");
  back.only_if = {there(now, false)};
  op.undo = {std::move(back)};
  op.after_undo = {there(now, true)};
  return std::vector{std::move(op)};
}

Result<std::vector<Operation>> define_mdev(const FileState& now,
                                           const model::MdevDefinition& wanted) {
  TRY(check(wanted));
  const bool automatic = wanted.start == model::MdevDefinition::Start::automatic;
  return write_settings(
      now, mdevctl_file(wanted),
      {std::string(define_kind), to_string(wanted.uuid),
       fmt::format("a {} on {}, {}", wanted.mdev_type, wanted.parent,
                   automatic ? "made again at every boot" : "made when somebody asks for it")});
}

Result<std::vector<Operation>> undefine_mdev(const FileState& now, const Uuid& uuid) {
  return remove_settings(now, {std::string(undefine_kind), to_string(uuid),
                               "it is not made again; a device that runs stays"});
}

Result<std::vector<Operation>> define_in_host_file(const FileState& now,
                                                   const model::HostSlice& wanted) {
  TRY_LET(auto host, host_file_of(now));
  const auto place = entry_of(host, wanted.card, wanted.vf);
  if (place == host.slices.end()) {
    host.slices.push_back(wanted);
  } else {
    *place = wanted;
  }
  TRY_LET(const auto text, edited_host_file(now.text.value_or(""), host, now.path));
  const bool automatic = wanted.start == model::HostSlice::Start::automatic;
  return write_settings(
      now, text,
      {std::string(define_kind), slice_name(wanted.card, wanted.vf),
       fmt::format("{}{} on virtual function {} of {}, {}", to_string(wanted.framework),
                   wanted.type.empty() ? "" : " " + wanted.type, wanted.vf, wanted.card,
                   automatic ? "made again at every boot" : "made when somebody asks for it")});
}

Result<std::vector<Operation>> undefine_in_host_file(const FileState& now, std::string_view card,
                                                     int vf) {
  TRY_LET(auto host, host_file_of(now));
  const auto place = entry_of(host, card, vf);
  std::vector<Operation> none;
  if (place == host.slices.end()) return none;
  host.slices.erase(place);
  TRY_LET(const auto text, edited_host_file(now.text.value_or(""), host, now.path));
  return write_settings(now, text,
                        {std::string(undefine_kind), slice_name(card, vf),
                         "it is not made again; a slice that is there stays"});
}

}  // namespace tessera::plan
