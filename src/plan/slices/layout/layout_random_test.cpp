// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <random>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "plan/slices/layout/brute_force.h"
#include "plan/slices/layout/layout.h"
#include "plan/slices/layout/test_rooms.h"

// Layouts against rules and against brute force: every case of a small world, and random ones.

namespace tessera::plan::slices {
namespace {

std::string text(const Room& room) {
  std::string s = fmt::format(
      "{} fb {} max {} units {} mem {}", room.rule == SizeRule::equal ? "equal" : "mixed",
      room.framebuffer_bytes, room.max_slices, room.units, room.memory_slices);
  for (const auto b : room.budgets) s += fmt::format(" budget {}", b);
  for (const auto& k : room.gpu_instances) {
    s += fmt::format("\n  kind len {} at {} max {} slices {} fb {}", k.length,
                     fmt::join(k.starts, ","), k.max_instances, k.max_slices, k.framebuffer_bytes);
  }
  for (const auto& i : room.instances) s += fmt::format("\n  instance {} at {}", i.kind, i.start);
  for (const auto& o : room.offers) {
    s += fmt::format("\n  {} fb {} max {} len {} at {} needs {} gi {}", o.type, o.framebuffer_bytes,
                     o.max_instances, o.length, fmt::join(o.starts, ","), fmt::join(o.needs, ","),
                     o.gpu_instance);
  }
  for (const auto& t : room.taken) {
    s += fmt::format("\n  taken {} at {} in {} {}", t.offer, t.start.value_or(-1), t.instance,
                     t.movable ? "movable" : "");
  }
  return s;
}

std::string text(const std::vector<Room>& rooms, const std::vector<Want>& wants, Moves moves) {
  std::string s = moves == Moves::allowed ? "moves allowed" : "no moves";
  for (const Room& room : rooms) s += "\n" + text(room);
  for (const Want& want : wants) {
    s += fmt::format("\nwant {}:", want.count);
    for (const auto& a : want.accepts) s += fmt::format(" [{}]", fmt::join(a, ","));
  }
  return s;
}

std::string text(const brute::Score& score) {
  return fmt::format("stranded {} moves {} rest {}", score.stranded, score.moves,
                     fmt::join(score.rest, ","));
}

int most_by_brute_force(const std::vector<Room>& rooms, const std::vector<Want>& wants, Moves moves,
                        int only) {
  int most = 0;
  std::vector<Want> some = wants;
  const std::function<void(std::size_t, int)> try_counts = [&](std::size_t w, int sum) {
    if (w == wants.size()) {
      if (sum > most && brute::Solver(rooms, some, moves).best()) most = sum;
      return;
    }
    const bool counted = only < 0 || static_cast<int>(w) == only;
    for (int n = 0; n <= (counted ? std::max(0, wants[w].count) : 0); ++n) {
      some[w].count = n;
      try_counts(w + 1, sum + n);
    }
  };
  try_counts(0, 0);
  return most;
}

void expect_proof(const std::vector<Room>& rooms, const std::vector<Want>& wants, Moves moves,
                  const Impossible& answer) {
  EXPECT_FALSE(answer.reason.empty());
  for (int w = 0; static_cast<std::size_t>(w) < wants.size(); ++w) {
    if (answer.want >= 0 && w > answer.want) break;
    const int fit = most_by_brute_force(rooms, wants, moves, w);
    const int count = std::max(0, wants[static_cast<std::size_t>(w)].count);
    if (w == answer.want) {
      EXPECT_LT(fit, count);
      EXPECT_EQ(answer.most, fit);
    } else {
      EXPECT_EQ(fit, count) << "want " << w;
    }
  }
  if (answer.want < 0) {
    EXPECT_EQ(answer.most, most_by_brute_force(rooms, wants, moves, -1));
  }
}

/// True where a layout was found.
bool expect_best(const std::vector<Room>& rooms, const std::vector<Want>& wants, Moves moves) {
  SCOPED_TRACE(text(rooms, wants, moves));
  const auto answer = find_layout(rooms, wants, moves);
  const auto best = brute::Solver(rooms, wants, moves).best();
  if (const auto* layout = std::get_if<Layout>(&answer)) {
    EXPECT_EQ(broken_rule(rooms, wants, *layout), "");
    if (!best) {
      ADD_FAILURE() << "a layout where there is none";
      return true;
    }
    const brute::Score score = brute::Solver(rooms, wants, moves).score_of(*layout);
    EXPECT_EQ(layout->stranded_bytes, score.stranded) << "its own number";
    EXPECT_EQ(text(score), text(*best));
    return true;
  }
  EXPECT_FALSE(best) << "no layout where there is " << text(*best);
  if (!best) expect_proof(rooms, wants, moves, std::get<Impossible>(answer));
  return false;
}

// A small world, all of it.

using test::offer;

Offer placed(std::string type, std::uint64_t bytes, int length, std::vector<int> starts) {
  Offer o = offer(std::move(type), bytes, static_cast<int>(starts.size()));
  o.length = length;
  o.starts = std::move(starts);
  return o;
}

Offer backed(std::string type, std::uint64_t bytes, int kind) {
  Offer o = offer(std::move(type), bytes, 4);
  o.gpu_instance = kind;
  return o;
}

std::vector<Room> small_cards() {
  Room equal;
  equal.framebuffer_bytes = 4;
  equal.max_slices = 4;
  equal.offers = {offer("1", 1, 4), offer("2", 2, 2)};
  Room half = equal;
  half.taken = {{1, {}, -1, true}};
  Room few = equal;
  few.max_slices = 3;
  Room mixed;
  mixed.rule = SizeRule::mixed;
  mixed.framebuffer_bytes = 4;
  mixed.max_slices = 4;
  mixed.units = 4;
  mixed.offers = {placed("1", 1, 1, {0, 1, 3}), placed("2", 2, 2, {0, 2})};
  Room begun = mixed;
  begun.taken = {{0, 1, -1, true}};
  Room budget;
  budget.max_slices = 3;
  budget.budgets = {4, 3};
  budget.offers = {offer("1", 0, 3), offer("2", 0, 2)};
  budget.offers[0].needs = {1, 1};
  budget.offers[1].needs = {2, 1};
  Room mig;
  mig.framebuffer_bytes = 4;
  mig.max_slices = 4;
  mig.memory_slices = 3;
  mig.gpu_instances = {{"1g", 1, {0, 1, 2}, 3, 1, 0}, {"2g", 2, {0}, 1, 2, 2}};
  mig.offers = {backed("1", 1, 0), backed("2", 2, 1)};
  Room made = mig;
  made.instances = {{0, 2}};
  return {equal, half, few, mixed, begun, budget, mig, made};
}

TEST(LayoutAgainstBruteForce, AgreesOnEveryRequestToOneOrTwoSmallCards) {
  const std::vector<Room> cards = small_cards();
  const std::vector<std::vector<int>> accepts = {{0}, {1}, {0, 1}, {1, 0}};
  int found = 0;
  int impossible = 0;
  const auto try_it = [&](const std::vector<Room>& rooms, const std::vector<Want>& wants) {
    for (const Moves moves : {Moves::none, Moves::allowed}) {
      (expect_best(rooms, wants, moves) ? found : impossible) += 1;
    }
    return !::testing::Test::HasFailure();
  };
  for (const Room& a : cards) {
    for (const auto& first : accepts) {
      for (int n = 0; n <= 4; ++n) {
        for (int m = 0; m <= 2; ++m) {
          for (const Room& b : cards) {
            const std::vector<Want> wants = {{n, {first, first}}, {m, {{1}, {0}}}};
            if (m == 0 && !try_it({a}, {{n, {first}}})) return;
            if (n + m <= 3 && !try_it({a, b}, wants)) return;
          }
        }
      }
    }
  }
  RecordProperty("layouts", found);
  RecordProperty("impossible", impossible);
  EXPECT_GT(found, 1000);
  EXPECT_GT(impossible, 100);
}

// Random worlds.

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed) {}
  /// One of from..to.
  int operator()(int from, int to) {
    return from + static_cast<int>(random_() % static_cast<std::uint64_t>(to - from + 1));
  }
  bool one_in(int n) { return (*this)(1, n) == 1; }

 private:
  std::mt19937_64 random_;
};

std::vector<int> some_starts(Dice& dice, int length, int whole) {
  std::vector<int> starts;
  for (int s = 0; s + length <= whole; ++s) {
    if (!dice.one_in(4)) starts.push_back(s);
  }
  return starts;
}

/// How large a random world is.
struct Scale {
  int rooms, units, offers, slices, wants, count, taken;
};

Room random_room(Dice& dice, const Scale& scale) {
  Room room;
  room.rule = dice.one_in(2) ? SizeRule::equal : SizeRule::mixed;
  const int whole = dice(2, scale.units);
  if (!dice.one_in(6)) room.framebuffer_bytes = static_cast<std::uint64_t>(whole);
  room.max_slices = dice.one_in(3) ? dice(1, scale.slices) : scale.slices;
  const int shape = dice(0, 3);  // loose, placed, MIG, anything
  if (shape == 1 || shape == 3) room.units = whole;
  if (shape >= 2) {
    room.memory_slices = dice(1, 4);
    for (int k = dice(1, 2); k > 0; --k) {
      const int length = dice(1, room.memory_slices);
      GpuInstanceKind kind{"",         length,     some_starts(dice, length, room.memory_slices),
                           dice(1, 3), dice(1, 2), static_cast<std::uint64_t>(dice(0, 3))};
      room.gpu_instances.push_back(kind);
    }
  }
  if (dice.one_in(4)) room.budgets = {static_cast<std::uint64_t>(dice(2, 12))};
  for (int o = dice(1, scale.offers); o > 0; --o) {
    const int size = dice(0, 3);
    Offer made = offer(fmt::format("{}{}", size, dice.one_in(2) ? "q" : "c"),
                       static_cast<std::uint64_t>(size),
                       dice.one_in(3) ? dice(1, scale.slices) : scale.slices);
    const bool in_instance = shape == 2 || (shape == 3 && dice.one_in(2));
    if (in_instance) {
      made.gpu_instance = dice(0, static_cast<int>(room.gpu_instances.size()) - 1);
    } else if (room.units > 0 && (shape != 3 || !dice.one_in(3))) {
      made.length = std::min(whole, std::max(1, size + (dice.one_in(5) ? 1 : 0)));
      made.starts = some_starts(dice, made.length, whole);
    }
    if (!room.budgets.empty()) made.needs = {static_cast<std::uint64_t>(dice(0, 3))};
    room.offers.push_back(made);
  }
  return room;
}

/// Cuts slices that hold by the rules, and now and then one that does not.
void take_some(Dice& dice, Room& room, int most) {
  for (int n = dice(0, most); n > 0; --n) {
    Taken taken;
    taken.offer = dice(0, static_cast<int>(room.offers.size()) - 1);
    taken.movable = dice.one_in(2);
    const Offer& of = room.offers[static_cast<std::size_t>(taken.offer)];
    Room before = room;
    if (of.gpu_instance >= 0) {
      const GpuInstanceKind& kind = room.gpu_instances[static_cast<std::size_t>(of.gpu_instance)];
      if (kind.starts.empty()) continue;
      const auto pick = static_cast<std::size_t>(dice(0, static_cast<int>(kind.starts.size()) - 1));
      const GpuInstance instance{of.gpu_instance, kind.starts[pick]};
      const auto found = std::ranges::find(room.instances, instance);
      taken.instance = static_cast<int>(found - room.instances.begin());
      if (found == room.instances.end()) room.instances.push_back(instance);
    } else if (of.length > 0) {
      taken.start = dice(0, room.units - of.length);
    }
    // by the checker: the slice could have been asked for
    const std::vector<Want> want = {{1, {{taken.offer}}}};
    const Layout layout{{{0, 0, taken.offer, taken.start, taken.instance}}, {}, {}, 0};
    room.offers[static_cast<std::size_t>(taken.offer)].starts = {taken.start.value_or(0)};
    const bool holds = broken_rule({room}, want, layout).empty();
    room.offers = before.offers;
    const bool overlaps = room.instances.size() > before.instances.size() && !holds;
    if (overlaps || (!holds && !dice.one_in(20))) {
      room = before;
    } else {
      room.taken.push_back(taken);
    }
  }
  if (room.rule == SizeRule::mixed && dice.one_in(40) && !room.taken.empty()) {
    room.taken.front().start.reset();
  }
}

std::vector<Want> random_wants(Dice& dice, const std::vector<Room>& rooms, const Scale& scale) {
  std::vector<Want> wants;
  for (int w = dice(1, scale.wants); w > 0; --w) {
    Want want;
    want.count = dice(dice.one_in(8) ? 0 : 1, dice.one_in(2) ? 1 : scale.count);
    for (const Room& room : rooms) {
      std::vector<int> accepts;
      for (int n = dice(dice.one_in(4) ? 0 : 1, 2); n > 0; --n) {
        const int o = dice(0, static_cast<int>(room.offers.size()) - 1);
        if (std::ranges::find(accepts, o) == accepts.end()) accepts.push_back(o);
      }
      want.accepts.push_back(accepts);
    }
    if (!wants.empty() && dice.one_in(5)) want.accepts = wants.front().accepts;
    wants.push_back(want);
  }
  return wants;
}

struct World {
  std::vector<Room> rooms;
  std::vector<Want> wants;
  Moves moves = Moves::none;
};

World random_world(Dice& dice, const Scale& scale) {
  World world;
  for (int r = dice(1, scale.rooms); r > 0; --r) {
    if (!world.rooms.empty() && dice.one_in(3)) {
      world.rooms.push_back(world.rooms.front());
      continue;
    }
    world.rooms.push_back(random_room(dice, scale));
    take_some(dice, world.rooms.back(), scale.taken);
  }
  world.wants = random_wants(dice, world.rooms, scale);
  world.moves = dice.one_in(2) ? Moves::allowed : Moves::none;
  return world;
}

std::uint64_t seed() {
  const char* given = std::getenv("TESSERA_SEED");
  const std::uint64_t value = given != nullptr ? std::strtoull(given, nullptr, 10) : 20240607;
  fmt::print("seed {}\n", value);
  return value;
}

/// What a run met: a test of nothing but easy cases would prove little.
struct Seen {
  int layouts = 0;
  int proofs = 0;
  int proofs_together = 0;
  int with_moves = 0;
  int with_stranded = 0;
  int with_new_instances = 0;

  void add(const std::variant<Layout, Impossible>& answer) {
    if (const auto* none = std::get_if<Impossible>(&answer)) {
      ++proofs;
      proofs_together += none->want < 0 ? 1 : 0;
      return;
    }
    const auto& layout = std::get<Layout>(answer);
    ++layouts;
    with_moves += layout.moves.empty() ? 0 : 1;
    with_stranded += layout.stranded_bytes > 0 ? 1 : 0;
    with_new_instances += layout.instances.empty() ? 0 : 1;
  }
  [[nodiscard]] std::string text() const {
    return fmt::format(
        "{} layouts, {} with moves, {} strand some, {} with new GPU instances; {} proofs, {} of "
        "them for all wants together",
        layouts, with_moves, with_stranded, with_new_instances, proofs, proofs_together);
  }
};

TEST(LayoutAgainstBruteForce, AgreesOnRandomSmallCardsAndRequests) {
  Dice dice(seed());
  const char* given = std::getenv("TESSERA_ROUNDS");
  const int rounds = given != nullptr ? static_cast<int>(std::strtol(given, nullptr, 10)) : 3000;
  Seen seen;
  for (int i = 0; i < rounds && !HasFailure(); ++i) {
    SCOPED_TRACE(fmt::format("world {}", i));
    const World world = random_world(dice, {3, 5, 3, 4, 2, 2, 2});
    expect_best(world.rooms, world.wants, world.moves);
    seen.add(find_layout(world.rooms, world.wants, world.moves));
  }
  fmt::print("{}\n", seen.text());
  EXPECT_GT(seen.layouts, rounds / 4);
  EXPECT_GT(seen.proofs, rounds / 10);
  EXPECT_GT(seen.proofs_together, rounds / 100);
  EXPECT_GT(seen.with_moves, rounds / 100);
  EXPECT_GT(seen.with_stranded, rounds / 20);
  EXPECT_GT(seen.with_new_instances, rounds / 50);
}

TEST(LayoutRules, HoldInEveryLayoutForTenThousandRandomRequests) {
  Dice dice(seed());
  Seen seen;
  for (int i = 0; i < 10000 && !HasFailure(); ++i) {
    const World world = random_world(dice, {5, 10, 4, 8, 3, 5, 4});
    const auto answer = find_layout(world.rooms, world.wants, world.moves);
    seen.add(answer);
    const auto* layout = std::get_if<Layout>(&answer);
    if (layout == nullptr) continue;
    EXPECT_EQ(broken_rule(world.rooms, world.wants, *layout), "")
        << "world " << i << ": " << text(world.rooms, world.wants, world.moves);
  }
  fmt::print("{}\n", seen.text());
  EXPECT_GT(seen.layouts, 2500);
  EXPECT_GT(seen.proofs, 1000);
  EXPECT_GT(seen.with_moves, 100);
  EXPECT_GT(seen.with_new_instances, 200);
}

}  // namespace
}  // namespace tessera::plan::slices
