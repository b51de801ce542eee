// SPDX-License-Identifier: Apache-2.0
#include "apply/journal.h"

#include <filesystem>
#include <system_error>

#include <fmt/format.h>
#include <sqlite3.h>

#include <nlohmann/json.hpp>

#include "model/json.h"

namespace tessera::apply {

namespace {

constexpr const char* tables = R"sql(
CREATE TABLE IF NOT EXISTS plan (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  time      TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')),
  state     TEXT NOT NULL,
  note      TEXT NOT NULL DEFAULT '',
  body      TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS step (
  plan      INTEGER NOT NULL REFERENCES plan(id),
  operation INTEGER NOT NULL,
  direction TEXT NOT NULL,
  step      INTEGER NOT NULL,
  found     TEXT NOT NULL,
  done      INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (plan, operation, direction, step)
);
CREATE TABLE IF NOT EXISTS owner (
  slice     TEXT PRIMARY KEY,
  owner     TEXT NOT NULL,
  time      TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
);
PRAGMA user_version = 1;
)sql";

constexpr PlanState all_states[] = {PlanState::applying, PlanState::applied, PlanState::undoing,
                                    PlanState::undone, PlanState::failed};

std::string_view to_string(Direction direction) {
  return direction == Direction::forward ? "forward" : "undo";
}

PlanState state_from(std::string_view text) {
  for (PlanState state : all_states) {
    if (to_string(state) == text) return state;
  }
  return PlanState::failed;
}

ErrorKind kind_from_sqlite(int code) {
  switch (code & 0xff) {
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_CANTOPEN:
      return ErrorKind::denied;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorKind::busy;
    default:
      return ErrorKind::io;
  }
}

std::string hint_for(int code, const std::string& path) {
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return fmt::format(
          "nothing was changed. Keep it for study and start a new journal: mv {0} {0}.damaged; "
          "then `tessera doctor` shows cards that an interrupted change left behind",
          path);
    case SQLITE_FULL:
      return "free some space on that disk; nothing is changed without a journal";
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
      return "run it as root, with the state folder on a writable disk (or name one with --state)";
    default:
      return {};
  }
}

Error sqlite_error(sqlite3* db, const std::string& path, std::string_view doing) {
  const int code = db == nullptr ? SQLITE_NOMEM : sqlite3_extended_errcode(db);
  return {.kind = kind_from_sqlite(code),
          .subject = path,
          .sentence = fmt::format("cannot {} the journal: {}", doing,
                                  db == nullptr ? "out of memory" : sqlite3_errmsg(db)),
          .hint = hint_for(code, path)};
}

struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

std::string column_text(const Statement& statement, int column) {
  const auto* text = sqlite3_column_text(statement.get(), column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement.get(), column));
  return text == nullptr ? std::string{} : std::string(reinterpret_cast<const char*>(text), size);
}

}  // namespace

std::string_view to_string(PlanState state) {
  switch (state) {
    case PlanState::applying:
      return "applying";
    case PlanState::applied:
      return "applied";
    case PlanState::undoing:
      return "undoing";
    case PlanState::undone:
      return "undone";
    case PlanState::failed:
      return "failed";
  }
  return "failed";
}

struct Journal::Database {
  sqlite3* db = nullptr;
  std::string path;

  Database() = default;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database() { sqlite3_close(db); }

  Status execute(const char* sql, std::string_view doing) const {
    if (sqlite3_exec(db, sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
    return fail(sqlite_error(db, path, doing));
  }

  Result<Statement> prepare(const char* sql) const {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, nullptr) != SQLITE_OK) {
      return fail(sqlite_error(db, path, "read"));
    }
    return Statement(statement);
  }

  Status finish(const Statement& statement) const {
    if (sqlite3_step(statement.get()) == SQLITE_DONE) return {};
    return fail(sqlite_error(db, path, "write"));
  }

  Result<PlanRecord> row(const Statement& statement) const {
    PlanRecord record;
    record.id = sqlite3_column_int64(statement.get(), 0);
    record.time = column_text(statement, 1);
    record.state = state_from(column_text(statement, 2));
    record.note = column_text(statement, 3);
    record.operations_begun = sqlite3_column_int(statement.get(), 5);
    auto plan = model::plan_from_json(column_text(statement, 4));
    if (!plan) {
      return fail(ErrorKind::io, path,
                  fmt::format("plan {} in the journal cannot be read: {}", record.id,
                              plan.error().sentence),
                  hint_for(SQLITE_CORRUPT, path));
    }
    record.plan = std::move(*plan);
    return record;
  }
};

namespace {

constexpr const char* select_plans =
    "SELECT id, time, state, note, body,"
    "  (SELECT coalesce(max(operation) + 1, 0) FROM step"
    "   WHERE step.plan = plan.id AND direction = 'forward')"
    " FROM plan";

void bind_text(const Statement& statement, int index, std::string_view text) {
  sqlite3_bind_text(statement.get(), index, text.data(), static_cast<int>(text.size()),
                    SQLITE_TRANSIENT);
}

/// quick_check reads every page: a damaged journal is found before the first write, not in it. Who
/// only reads is told of damage by the pages that he reads.
Status check_undamaged(sqlite3* db, const std::string& path) {
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &raw, nullptr) != SQLITE_OK) {
    return fail(sqlite_error(db, path, "read"));
  }
  Statement statement(raw);
  if (sqlite3_step(raw) != SQLITE_ROW) return fail(sqlite_error(db, path, "read"));
  const std::string verdict = column_text(statement, 0);
  if (verdict == "ok") return {};
  return fail(ErrorKind::io, path, fmt::format("the journal is damaged: {}", verdict),
              hint_for(SQLITE_CORRUPT, path));
}

}  // namespace

Journal::Journal(std::unique_ptr<Database> database) : database_(std::move(database)) {}
Journal::Journal(Journal&&) noexcept = default;
Journal& Journal::operator=(Journal&&) noexcept = default;
Journal::~Journal() = default;

Result<Journal> Journal::open(const std::string& state_dir, Mode mode) {
  auto database = std::make_unique<Database>();
  database->path = state_dir + "/state.db";
  if (mode == Mode::read && !std::filesystem::exists(database->path)) {
    return fail(ErrorKind::not_found, database->path, "nothing was ever changed here: no journal");
  }
  if (mode == Mode::write) {
    std::error_code error;
    std::filesystem::create_directories(state_dir, error);
    if (error) {
      Error told = error_from_errno(error.value(), state_dir, "create");
      told.hint = hint_for(SQLITE_CANTOPEN, state_dir);
      return fail(told);
    }
  }
  const int flags =
      mode == Mode::read ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  if (sqlite3_open_v2(database->path.c_str(), &database->db, flags, nullptr) != SQLITE_OK) {
    return fail(sqlite_error(database->db, database->path, "open"));
  }
  (void)sqlite3_busy_timeout(database->db, 5000);
  if (mode == Mode::write) {
    TRY(check_undamaged(database->db, database->path));
    TRY(database->execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;", "prepare"));
    TRY(database->execute(tables, "prepare"));
  }
  return Journal(std::move(database));
}

Result<std::int64_t> Journal::begin(const model::Plan& plan) {
  TRY_LET(auto statement, database_->prepare("INSERT INTO plan(state, body) VALUES (?, ?)"));
  bind_text(statement, 1, to_string(PlanState::applying));
  bind_text(statement, 2, model::to_json(plan).dump());
  TRY(database_->finish(statement));
  return sqlite3_last_insert_rowid(database_->db);
}

Status Journal::set_state(std::int64_t plan, PlanState state, const std::string& note) {
  TRY_LET(auto statement, database_->prepare("UPDATE plan SET state = ?, note = ? WHERE id = ?"));
  bind_text(statement, 1, to_string(state));
  bind_text(statement, 2, note);
  sqlite3_bind_int64(statement.get(), 3, plan);
  return database_->finish(statement);
}

Status Journal::step_begins(const Place& place, const std::string& found) {
  TRY_LET(auto statement,
          database_->prepare("INSERT OR REPLACE INTO step(plan, operation, direction, step, found)"
                             " VALUES (?, ?, ?, ?, ?)"));
  sqlite3_bind_int64(statement.get(), 1, place.plan);
  sqlite3_bind_int(statement.get(), 2, place.operation);
  bind_text(statement, 3, to_string(place.direction));
  sqlite3_bind_int(statement.get(), 4, place.step);
  bind_text(statement, 5, found);
  return database_->finish(statement);
}

Status Journal::step_done(const Place& place) {
  TRY_LET(auto statement,
          database_->prepare("UPDATE step SET done = 1 WHERE plan = ? AND operation = ?"
                             " AND direction = ? AND step = ?"));
  sqlite3_bind_int64(statement.get(), 1, place.plan);
  sqlite3_bind_int(statement.get(), 2, place.operation);
  bind_text(statement, 3, to_string(place.direction));
  sqlite3_bind_int(statement.get(), 4, place.step);
  return database_->finish(statement);
}

Result<std::vector<PlanRecord>> Journal::select(const std::string& where,
                                                const std::vector<std::string>& values) const {
  TRY_LET(auto statement, database_->prepare(fmt::format("{} {}", select_plans, where).c_str()));
  int index = 0;
  for (const auto& value : values) bind_text(statement, ++index, value);
  std::vector<PlanRecord> records;
  int code = SQLITE_OK;
  while ((code = sqlite3_step(statement.get())) == SQLITE_ROW) {
    TRY_LET(auto record, database_->row(statement));
    records.push_back(std::move(record));
  }
  if (code != SQLITE_DONE) return fail(sqlite_error(database_->db, database_->path, "read"));
  return records;
}

Result<std::vector<PlanRecord>> Journal::plans() const {
  return select("ORDER BY id DESC");
}

Result<std::vector<PlanRecord>> Journal::applied(std::int64_t after) const {
  return select(fmt::format("WHERE state = 'applied' AND id > {} ORDER BY id DESC", after));
}

Result<PlanRecord> Journal::newest_applied(const std::optional<About>& about) const {
  // SQLite looks into the plans' JSON, newest first, and stops at the first that fits: a journal of
  // many plans is not read as a whole.
  const char* fits =
      " AND json_extract(body, '$.subject') = ?1 AND EXISTS (SELECT 1"
      "  FROM json_each(body, '$.operations') WHERE json_extract(value, '$.kind') = ?2)";
  TRY_LET(auto records, select(fmt::format("WHERE state = 'applied'{} ORDER BY id DESC LIMIT 1",
                                           about ? fits : ""),
                               about ? std::vector{about->subject, about->operation_kind}
                                     : std::vector<std::string>{}));
  if (!records.empty()) return std::move(records.front());
  return fail(ErrorKind::not_found, "journal", "no such change is in effect", "tessera history");
}

Result<PlanRecord> Journal::plan(std::int64_t id) const {
  TRY_LET(auto statement, database_->prepare(fmt::format("{} WHERE id = ?", select_plans).c_str()));
  sqlite3_bind_int64(statement.get(), 1, id);
  if (sqlite3_step(statement.get()) != SQLITE_ROW) {
    return fail(ErrorKind::not_found, fmt::format("plan {}", id), "the journal has no such plan",
                "tessera history");
  }
  return database_->row(statement);
}

Status Journal::check_owner(const std::string& slice, const std::string& owner) const {
  TRY_LET(const auto present, owner_of(slice));
  if (present.empty() || present == owner) return {};
  return fail(ErrorKind::conflict, slice, fmt::format("it belongs to {}", present),
              "another slice, or ask that one's owner");
}

Status Journal::claim(const std::string& slice, const std::string& owner) {
  TRY(check_owner(slice, owner));
  TRY_LET(auto statement,
          database_->prepare("INSERT OR REPLACE INTO owner(slice, owner) VALUES (?, ?)"));
  bind_text(statement, 1, slice);
  bind_text(statement, 2, owner);
  return database_->finish(statement);
}

Status Journal::release(const std::string& slice, const std::string& owner) {
  TRY(check_owner(slice, owner));
  TRY_LET(auto statement, database_->prepare("DELETE FROM owner WHERE slice = ?"));
  bind_text(statement, 1, slice);
  return database_->finish(statement);
}

Result<std::string> Journal::owner_of(const std::string& slice) const {
  TRY_LET(const auto all, owners());
  const auto found = all.find(slice);
  return found == all.end() ? std::string{} : found->second;
}

Result<std::map<std::string, std::string>> Journal::owners() const {
  std::map<std::string, std::string> all;
  // A journal of before slices, opened for reading, has no such table.
  TRY_LET(auto there, database_->prepare("SELECT 1 FROM sqlite_master WHERE name = 'owner'"));
  int code = sqlite3_step(there.get());
  if (code == SQLITE_DONE) return all;
  if (code != SQLITE_ROW) return fail(sqlite_error(database_->db, database_->path, "read"));
  TRY_LET(auto statement, database_->prepare("SELECT slice, owner FROM owner"));
  while ((code = sqlite3_step(statement.get())) == SQLITE_ROW) {
    all.emplace(column_text(statement, 0), column_text(statement, 1));
  }
  if (code != SQLITE_DONE) return fail(sqlite_error(database_->db, database_->path, "read"));
  return all;
}

Result<std::vector<PlanRecord>> Journal::unfinished() const {
  return select("WHERE state NOT IN ('applied', 'undone') ORDER BY id DESC");
}

}  // namespace tessera::apply
