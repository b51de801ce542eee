// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace tessera::model {

/// Something that must be true of the world, checkable by reading one file.
struct Expectation {
  enum class What {
    link_name,  ///< the last piece of the link at `path` is `value` ("" : there is no such link)
    link_name_is_not,  ///< the opposite: with "" it says that the link is there
    text,              ///< the file's trimmed text is `value`
    module,            ///< module `path` is present when `value` is "yes", absent when "no"
    process,           ///< process `path` is running when `value` is "yes", gone when "no"
    unit,              ///< systemd unit `path` is active when `value` is "yes", inactive when "no"
    file,              ///< there is something at `path` when `value` is "yes", nothing when "no"
    file_text,         ///< the file's whole text is `value`, to the last byte
    file_text_is_not,  ///< the opposite: another text, or no file
    owner,             ///< slice `path` belongs to machine `value` ("": to none)
    tool_says,  ///< the host's program with its arguments, `path`, ends with 0, and a line of what
                ///< it prints matches the regular expression `value`
    tool_says_not,  ///< the opposite, from a program that ends with 0, or with 6 as nvidia-smi does
                    ///< where there is nothing to list (nvidia-smi(1), "RETURN VALUE")
  };
  What what = What::text;
  std::string path;
  std::string value;
  bool operator==(const Expectation&) const = default;
};

/// A write that follows another one that came back too late.
struct LateWrite {
  std::string path;
  std::string text;
  bool operator==(const LateWrite&) const = default;
};

/// A word that nobody knows before the step is done, such as the number that a driver gave to what
/// an earlier step made: what another program of the host prints then.
struct ToolWord {
  std::string tool;     ///< the program with its arguments
  std::string pattern;  ///< regular expression; its first group in the first line that matches
  bool operator==(const ToolWord&) const = default;
};

/// One write to the world, or one wait for it.
struct Step {
  enum class Action {
    write,          ///< `text` to the file `path`
    load_module,    ///< module `path`
    unload_module,  ///< module `path`; one still in use is left, and said
    stop_process,   ///< process `path` (a pid)
    stop_unit,      ///< systemd unit `path`
    start_unit,     ///< systemd unit `path`
    write_file,     ///< `text` becomes the whole settings file `path`, or none of it does; the
                    ///< file and the folders above it are made where they are missing
    remove_file,    ///< the settings file `path`
    remove_folder,  ///< the folder `path`; one that holds something is left
    run_tool,  ///< the host's program `path` with the arguments in `text`, blanks between them;
               ///< it has to end with 0
    claim,     ///< slice `path` belongs to machine `text` from now on
    disown,    ///< slice `path` does not belong to machine `text` any more
  };
  Action action = Action::write;
  std::string path;
  std::string text;
  /// run_tool: what "{}" in `text` stands for. Where no line matches, the step fails (not_found).
  std::optional<ToolWord> word = {};
  std::string reason;                ///< why this write, for the printed plan
  std::vector<Expectation> only_if;  ///< skip the step unless all of these hold at that moment
  std::vector<Expectation> then;     ///< must hold after it, before the deadline
  /// Writes for the child that a hung write leaves behind: should the kernel let go after the
  /// deadline, they bring the device to where the undo wants it (see kernel::Root::write).
  std::vector<LateWrite> late;
  int deadline_ms = 10'000;
  bool operator==(const Step&) const = default;
};

/// One kind of change to the world with its own ordered undo. The undo is chosen by the planner
/// from the snapshot, never computed by reversing the writes: undoing a vfio bind in mirror order
/// probes while driver_override is still set and lands on vfio-pci again.
/// Undo steps are safe to run from any point the forward steps reached, and to run twice.
struct Operation {
  std::string kind;     ///< "vfio.assign", "vfio.release", "framebuffer.detach", "module.load", ...
  std::string subject;  ///< device, driver or module
  /// Subjects of earlier operations that this one stands on: a vGPU on its card's virtual functions
  /// and GPU instances. Those are not undone while this one is in effect.
  std::vector<std::string> uses = {};
  std::string reason;
  std::vector<Expectation> before;  ///< what the planner saw; if not, the plan is stale
  std::vector<Step> forward;
  std::vector<Expectation> after;  ///< holds when it is done
  std::vector<Step> undo;
  std::vector<Expectation> after_undo;  ///< holds when it is undone
  bool operator==(const Operation&) const = default;
};

/// An ordered list of operations. Printing it is the dry run.
struct Plan {
  std::string title;    ///< "assign 0000:01:00.0 to vm"
  std::string subject;  ///< the card's identity, for history
  std::vector<Operation> operations;
  std::vector<std::string> notes;  ///< what the planner left alone and why, for people
  /// The host has to be looked at again after this plan, and a further one made (virtual functions
  /// that it turns on show their profiles only then). Not kept in the journal.
  bool more = false;
};

std::string_view to_string(Expectation::What what);
std::string_view to_string(Step::Action action);

/// The expectation in words: "/sys/.../driver leads to vfio-pci".
std::string in_words(const Expectation& expectation);
/// The step in words: "write '0000:01:00.0' to /sys/bus/pci/drivers_probe".
std::string in_words(const Step& step);

}  // namespace tessera::model
