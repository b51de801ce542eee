// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/plan.h"

namespace tessera::apply {

/// Where a plan stands. Written before the world is touched, so that it is true after any crash.
enum class PlanState {
  applying,  ///< under way, or cut off: recover decides
  applied,   ///< done and in effect
  undoing,   ///< being taken back, or cut off there
  undone,    ///< taken back: the host is as before
  failed,    ///< neither could be finished; `note` says what is left to do
};
std::string_view to_string(PlanState state);

enum class Direction { forward, undo };

/// One plan as the journal holds it.
struct PlanRecord {
  std::int64_t id = 0;
  std::string time;  ///< UTC, "2026-11-20T12:40:01Z"
  PlanState state = PlanState::applying;
  std::string note;  ///< why it was undone or failed; empty otherwise
  model::Plan plan;
  /// Operations whose forward steps were begun, counted from the first. An undo starts there.
  int operations_begun = 0;
};

/// The durable record of every plan carried out: SQLite (WAL, synchronous=FULL) in
/// STATE/state.db. A step is written down before it is done, with what was found there; from that,
/// undo, history and recovery follow. docs/journal.md describes the tables.
class Journal {
 public:
  enum class Mode { read, write };

  /// Opens the journal; Mode::write creates it and its folder when they are not there.
  /// Errors: not_found (read mode: nothing was ever recorded), denied (not root, read-only disk),
  /// io (damaged: the sentence says what SQLite found, the hint how to go on). The whole journal is
  /// looked through for damage in write mode only: it grows with every change.
  static Result<Journal> open(const std::string& state_dir, Mode mode);

  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;
  Journal(Journal&&) noexcept;
  Journal& operator=(Journal&&) noexcept;
  ~Journal();

  /// Records a plan as `applying`, before anything is done.
  Result<std::int64_t> begin(const model::Plan& plan);
  Status set_state(std::int64_t plan, PlanState state, const std::string& note = {});

  /// Where a step sits.
  struct Place {
    std::int64_t plan = 0;
    int operation = 0;
    Direction direction = Direction::forward;
    int step = 0;
  };
  /// Records that a step is about to be done; `found` is what was there before.
  Status step_begins(const Place& place, const std::string& found);
  Status step_done(const Place& place);

  /// Newest first.
  Result<std::vector<PlanRecord>> plans() const;
  /// Errors: not_found.
  Result<PlanRecord> plan(std::int64_t id) const;
  /// Plans in effect, newest first; with `after`, those that came later than that one.
  Result<std::vector<PlanRecord>> applied(std::int64_t after = 0) const;
  /// The newest plan in effect; with `about`, the newest that has such an operation on such a
  /// subject.
  struct About {
    std::string subject;         ///< Plan::subject, a card's identity
    std::string operation_kind;  ///< "vfio.assign"
  };
  /// Errors: not_found when there is none.
  Result<PlanRecord> newest_applied(const std::optional<About>& about = {}) const;
  // --- owners of slices; the rows of those that the kernel does not show any more mean nothing ---

  /// Records an owner. Errors: conflict when another has it, with that one's name.
  Status claim(const std::string& slice, const std::string& owner);
  /// Forgets the owner, if it is this one; that the slice has none is no error. Errors: conflict
  /// when another has it.
  Status release(const std::string& slice, const std::string& owner);
  /// Empty where it has none.
  Result<std::string> owner_of(const std::string& slice) const;
  /// All of them, by slice.
  Result<std::map<std::string, std::string>> owners() const;

  /// Plans cut off by a crash (applying or undoing), or failed; newest first: the order to undo in.
  Result<std::vector<PlanRecord>> unfinished() const;

 private:
  struct Database;
  explicit Journal(std::unique_ptr<Database> database);
  [[nodiscard]] Status check_owner(const std::string& slice, const std::string& owner) const;
  Result<std::vector<PlanRecord>> select(const std::string& where,
                                         const std::vector<std::string>& values = {}) const;
  std::unique_ptr<Database> database_;
};

}  // namespace tessera::apply
