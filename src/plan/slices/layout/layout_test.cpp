// SPDX-License-Identifier: Apache-2.0
#include "plan/slices/layout/layout.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <map>
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/units.h"
#include "plan/slices/layout/test_rooms.h"

// Layouts on real cards (tests/tables), and the checker against layouts broken by hand.

namespace tessera::plan::slices {
namespace {

std::size_t at(int i) {
  return static_cast<std::size_t>(i);
}

template <typename T, typename... More>
std::vector<T> list(T first, More... more) {
  return {std::move(first), std::move(more)...};
}

int number(const std::string& text) {
  int value = -1;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::vector<std::string> split(const std::string& line, char by) {
  std::vector<std::string> parts;
  std::istringstream in(line);
  for (std::string part; std::getline(in, part, by);) parts.push_back(part);
  return parts;
}

std::vector<int> numbers(const std::string& text) {
  std::vector<int> all;
  for (const std::string& part : split(text, ' ')) all.push_back(number(part));
  return all;
}

/// Rows of a table in tests/tables, those of one board.
std::vector<std::vector<std::string>> rows(const std::string& table, const std::string& board) {
  std::ifstream in(std::string(TESSERA_TESTS_DIR) + "/tables/" + table);
  std::vector<std::vector<std::string>> found;
  for (std::string line; std::getline(in, line);) {
    std::vector<std::string> row = split(line, ',');
    if (row.front() == board) found.push_back(std::move(row));
  }
  EXPECT_FALSE(found.empty()) << table << " has no " << board;
  return found;
}

using test::offer;

/// A card of nvidia_placements.csv, with one offer for each size.
Room vgpu_card(const std::string& board, SizeRule rule) {
  Room room;
  room.card = board;
  room.rule = rule;
  room.max_slices = 32;
  for (const auto& row : rows("nvidia_placements.csv", board)) {
    room.framebuffer_bytes = static_cast<std::uint64_t>(number(row[1])) * gib;
    const std::vector<int> starts = numbers(rule == SizeRule::equal ? row[5] : row[6]);
    Offer made =
        offer(row[2] + "Q", static_cast<std::uint64_t>(number(row[2])) * gib, number(row[4]));
    if (!starts.empty()) {
      room.units = number(row[1]);
      made.length = number(row[3]);
      made.starts = starts;
      made.max_instances = static_cast<int>(starts.size());
    }
    room.offers.push_back(std::move(made));
  }
  return room;
}

/// A card of mig_placements.csv, with one vGPU type for each kind of GPU instance.
Room mig_card(const std::string& board, int memory_slices) {
  Room room;
  room.card = board;
  room.max_slices = 7;
  room.memory_slices = memory_slices;
  for (const auto& row : rows("mig_placements.csv", board)) {
    const int kind = static_cast<int>(room.gpu_instances.size());
    room.gpu_instances.push_back({row[1], number(row[5]), numbers(row[6]), number(row[4]), 1, 0});
    const std::uint64_t bytes = static_cast<std::uint64_t>(number(row[3])) * mib;
    room.framebuffer_bytes = std::max(room.framebuffer_bytes, bytes);
    room.offers.push_back(offer(row[1], bytes, number(row[4])));
    room.offers.back().gpu_instance = kind;
  }
  return room;
}

int offer_of(const Room& room, std::string_view type) {
  const auto found = std::ranges::find(room.offers, type, &Offer::type);
  EXPECT_NE(found, room.offers.end()) << room.card << " has no " << type;
  return static_cast<int>(found - room.offers.begin());
}

/// V100 with 16 GB: no placements, equal sizes; Q and C.
Room v100() {
  Room room;
  room.card = "V100";
  room.framebuffer_bytes = 16 * gib;
  room.max_slices = 32;
  for (const char series : {'Q', 'C'}) {
    for (const int size : {1, 2, 4, 8, 16}) {
      room.offers.push_back(offer(fmt::format("{}{}", size, series),
                                  static_cast<std::uint64_t>(size) * gib, 16 / size));
    }
  }
  return room;
}

/// i915's GVT-g with this much aperture, in MiB (drivers/gpu/drm/i915/gvt of Linux: 128 MiB of the
/// aperture, 384 MiB of hidden memory and 4 fences are the host's own).
Room gvt_card(std::uint64_t aperture) {
  Room room;
  room.card = "GVT-g";
  room.max_slices = 32;
  room.budgets = {(aperture - 128) * mib, (4096 - aperture - 384) * mib, 32 - 4};
  const auto add = [&](const char* type, std::uint64_t low, std::uint64_t high) {
    room.offers.push_back(offer(type, 0, 32));
    room.offers.back().needs = {low * mib, high * mib, 4};
  };
  add("V5_8", 64, 384);
  add("V5_4", 128, 512);
  add("V5_2", 256, 1024);
  add("V5_1", 512, 2048);
  return room;
}

Want want(int count, std::initializer_list<std::vector<int>> accepts) {
  return {count, accepts};
}

/// The layout, checked; a failure and an empty one where there is none.
Layout layout_for(const std::vector<Room>& rooms, const std::vector<Want>& wants,
                  Moves moves = Moves::none) {
  const auto answer = find_layout(rooms, wants, moves);
  if (const auto* none = std::get_if<Impossible>(&answer)) {
    ADD_FAILURE() << "impossible: " << none->reason;
    return {};
  }
  EXPECT_EQ(broken_rule(rooms, wants, std::get<Layout>(answer)), "");
  return std::get<Layout>(answer);
}

Impossible proof_for(const std::vector<Room>& rooms, const std::vector<Want>& wants,
                     Moves moves = Moves::none) {
  const auto answer = find_layout(rooms, wants, moves);
  if (const auto* none = std::get_if<Impossible>(&answer)) return *none;
  ADD_FAILURE() << "a layout where none was expected";
  return {};
}

/// That a card holds exactly so many slices of one type.
void expect_most(const Room& room, int offer, int most) {
  SCOPED_TRACE(fmt::format("{} {}", room.card, room.offers[at(offer)].type));
  EXPECT_EQ(layout_for({room}, {want(most, {{offer}})}).seats.size(), at(most));
  const Impossible none = proof_for({room}, {want(most + 1, {{offer}})});
  EXPECT_EQ(none.want, 0);
  EXPECT_EQ(none.most, most);
}

std::vector<int> starts_of(const Layout& layout, int want) {
  std::vector<int> starts;
  for (const Seat& seat : layout.seats) {
    if (seat.want == want) starts.push_back(seat.start.value_or(-1));
  }
  return starts;
}

TEST(LayoutOfEqualSizes, CutsA16GibCardInto2Of8And4Of4And8Of2And16Of1) {
  const Room card = v100();
  for (const int size : {1, 2, 4, 8, 16}) {
    const int o = offer_of(card, fmt::format("{}Q", size));
    expect_most(card, o, 16 / size);
    EXPECT_EQ(layout_for({card}, {want(16 / size, {{o}})}).stranded_bytes, 0U);
  }
}

TEST(LayoutOfEqualSizes, Refuses4GibOnACardCutInto8Gib) {
  Room card = v100();
  card.taken = {{offer_of(card, "8Q"), {}, -1, false}};
  const int four = offer_of(card, "4Q");
  const Impossible none = proof_for({card}, {want(1, {{four}})});
  EXPECT_EQ(none.want, 0);
  EXPECT_EQ(none.most, 0);
  EXPECT_EQ(none.reason,
            "1 slice is wanted, and the cards have room for none, even with nothing else wanted");
  expect_most(card, offer_of(card, "8Q"), 1);
  expect_most(card, offer_of(card, "8C"), 1);  // equal size, another series
}

TEST(LayoutOfEqualSizes, LeavesTheSecondCardWholeWhereTheFirstStillHasRoom) {
  Room begun = v100();
  const int eight = offer_of(begun, "8Q");
  begun.taken = {{eight, {}, -1, false}};
  const Layout layout = layout_for({v100(), begun}, {want(1, {{eight}, {eight}})});
  EXPECT_EQ(layout.seats, list(Seat{0, 0, eight, {}, -1})) << "nothing is lost on either";
  const int four = offer_of(begun, "4Q");
  const Layout other = layout_for({begun, v100()}, {want(1, {{four}, {four}})});
  EXPECT_EQ(other.seats, list(Seat{0, 1, four, {}, -1}));
}

TEST(LayoutOfEqualSizes, TellsHowManyOfAllFitWhereEachAloneWould) {
  const Room card = v100();
  const Impossible none =
      proof_for({card}, {want(2, {{offer_of(card, "4Q")}}), want(2, {{offer_of(card, "8Q")}})});
  EXPECT_EQ(none.want, -1);
  EXPECT_EQ(none.most, 2);
  EXPECT_EQ(none.reason,
            "each kind of slice alone fits, but of all 4 together the cards have room for 2");
}

TEST(LayoutOfEqualSizes, StrandsWhatTheLargestNumberOfSlicesLeaves) {
  // 32 vGPUs of 1 GiB at most on a card of 48 GiB
  const Room card = vgpu_card("L40S", SizeRule::equal);
  EXPECT_EQ(layout_for({card}, {want(1, {{offer_of(card, "1Q")}})}).stranded_bytes, 16 * gib);
  EXPECT_EQ(layout_for({card}, {want(1, {{offer_of(card, "2Q")}})}).stranded_bytes, 0U);
  EXPECT_EQ(layout_for({card}, {want(0, {{offer_of(card, "1Q")}})}).stranded_bytes, 0U)
      << "a card without slices strands nothing";
}

class RealBoards : public testing::TestWithParam<const char*> {};

TEST_P(RealBoards, HoldAsManyOfEachSizeAsTheirTableSays) {
  for (const SizeRule rule : {SizeRule::equal, SizeRule::mixed}) {
    const Room card = vgpu_card(GetParam(), rule);
    for (int o = 0; at(o) < card.offers.size(); ++o) {
      expect_most(card, o, card.offers[at(o)].max_instances);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Tables, RealBoards,
                         testing::Values("A2", "A40", "L40S", "A100-40GB", "H100-80GB",
                                         "RTX-PRO-6000"));

TEST(LayoutOfMixedSizes, PlacesAtTheStartsOfTheBoard) {
  const Room card = vgpu_card("A40", SizeRule::mixed);
  const int eight = offer_of(card, "8Q");
  EXPECT_EQ(starts_of(layout_for({card}, {want(4, {{eight}})}), 0), list(0, 16, 24, 40));
  const int four = offer_of(card, "4Q");
  const std::vector<Want> full = {want(4, {{eight}}), want(4, {{four}})};
  const Layout layout = layout_for({card}, full);
  EXPECT_EQ(starts_of(layout, 0), list(0, 16, 24, 40));
  EXPECT_EQ(starts_of(layout, 1), list(8, 12, 32, 36));
  EXPECT_EQ(layout.stranded_bytes, 0U);
}

TEST(LayoutOfMixedSizes, StrandsLeastByItsChoiceOfPlacement) {
  // One of 24 GiB stands; a 4 GiB one fits beside it in four places, and costs the rest nothing.
  Room card = vgpu_card("L40S", SizeRule::mixed);
  card.taken = {{offer_of(card, "24Q"), 0, -1, false}};
  const Layout layout = layout_for({card}, {want(1, {{offer_of(card, "4Q")}})});
  EXPECT_EQ(starts_of(layout, 0), list(24));
  EXPECT_EQ(layout.stranded_bytes, 0U);
  card.taken.push_back({offer_of(card, "16Q"), 32, -1, false});
  expect_most(card, offer_of(card, "4Q"), 1);
}

TEST(LayoutOfMixedSizes, GivesNothingOnACardWhereAPlacementIsNotKnown) {
  Room card = vgpu_card("L40S", SizeRule::mixed);
  const int four = offer_of(card, "4Q");
  card.taken = {{four, {}, -1, false}};
  EXPECT_EQ(proof_for({card}, {want(1, {{four}})}).most, 0);
  const Layout layout =
      layout_for({card, vgpu_card("L40S", SizeRule::mixed)}, {want(1, {{four}, {four}})});
  EXPECT_EQ(layout.seats, list(Seat{0, 1, four, 0, -1}));
}

TEST(LayoutOfBudgets, CountsGvtTypesByWhatTheyShare) {
  const std::map<std::uint64_t, std::vector<int>> counts = {{256, {2, 1, 0, 0}},
                                                            {1024, {7, 5, 2, 1}}};
  for (const auto& [aperture, of_type] : counts) {
    for (int o = 0; o < 4; ++o) expect_most(gvt_card(aperture), o, of_type[at(o)]);
  }
  const Room card = gvt_card(1024);
  EXPECT_EQ(layout_for({card}, {want(1, {{2}}), want(3, {{1}})}).stranded_bytes, 0U);
  EXPECT_EQ(proof_for({card}, {want(1, {{2}}), want(4, {{1}})}).want, -1);
}

TEST(LayoutUnderMig, FollowsTheGeometryOfAnA100) {
  const Room card = mig_card("A100-40GB", 8);
  for (int o = 0; at(o) < card.offers.size(); ++o) {
    expect_most(card, o, card.offers[at(o)].max_instances);
  }
  const int one = offer_of(card, "1_SLICE");
  const int two = offer_of(card, "2_SLICE");
  const int three = offer_of(card, "3_SLICE");
  const int four = offer_of(card, "4_SLICE");
  const Layout layout = layout_for({card}, {want(1, {{four}}), want(3, {{one}})});
  EXPECT_EQ(layout.instances.at(0).instances, list(GpuInstance{four, 0}, GpuInstance{one, 4},
                                                   GpuInstance{one, 5}, GpuInstance{one, 6}));
  layout_for({card}, {want(1, {{four}}), want(1, {{three}})});
  layout_for({card}, {want(3, {{two}}), want(1, {{one}})});
  const Impossible none = proof_for({card}, {want(1, {{four}}), want(4, {{one}})});
  EXPECT_EQ(none.want, -1);
  EXPECT_EQ(none.most, 4);
}

TEST(LayoutUnderMig, UsesInstancesThatExistFirst) {
  Room card = mig_card("A100-40GB", 8);
  const int two = offer_of(card, "2_SLICE");
  card.instances = {{two, 4}};
  const Layout layout = layout_for({card}, {want(1, {{two}})});
  EXPECT_EQ(layout.seats, list(Seat{0, 0, two, {}, 0}));
  EXPECT_TRUE(layout.instances.empty());
  const Layout more = layout_for({card}, {want(2, {{two}})});
  EXPECT_EQ(more.seats, list(Seat{0, 0, two, {}, 0}, Seat{0, 0, two, {}, 1}));
  EXPECT_EQ(more.instances.at(0).instances.size(), 1U);
}

TEST(LayoutUnderMig, FindsNoRoomThatAnInstanceStandsIn) {
  Room card = mig_card("A100-40GB", 8);
  card.instances = {{offer_of(card, "1_SLICE"), 2}};
  EXPECT_EQ(proof_for({card}, {want(1, {{offer_of(card, "4_SLICE")}})}).most, 0);
  expect_most(card, offer_of(card, "3_SLICE"), 1);
  expect_most(card, offer_of(card, "1_SLICE"), 7);
}

TEST(LayoutUnderMig, FillsOneInstanceByItsMemoryWithEqualSizes) {
  // RTX PRO 6000: instances of 24 GiB that hold up to 12 vGPUs, of one size each
  Room card;
  card.card = "several in one";
  card.framebuffer_bytes = 96 * gib;
  card.max_slices = 48;
  card.memory_slices = 4;
  card.gpu_instances = {{"1g.24gb", 1, {0, 1, 2, 3}, 4, 12, 24 * gib}};
  card.offers = {offer("DC-1-2Q", 2 * gib, 48), offer("DC-1-8Q", 8 * gib, 12)};
  for (Offer& o : card.offers) o.gpu_instance = 0;
  expect_most(card, 0, 48);
  expect_most(card, 1, 12);
  const Layout layout = layout_for({card}, {want(13, {{0}}), want(6, {{1}})});
  EXPECT_EQ(layout.instances.at(0).instances.size(), 4U);
  EXPECT_EQ(layout.stranded_bytes, 0U);
  EXPECT_EQ(proof_for({card}, {want(13, {{0}}), want(7, {{1}})}).most, 19);
}

TEST(LayoutWithMoves, MakesRoomByMovingWhatNobodyUses) {
  Room a = v100();
  const int eight = offer_of(a, "8C");
  const int whole = offer_of(a, "16Q");
  a.taken = {{eight, {}, -1, true}};
  const std::vector<Want> wants = {want(1, {{whole}, {whole}})};
  EXPECT_EQ(proof_for({a, a}, wants).most, 0);
  const Layout layout = layout_for({a, a}, wants, Moves::allowed);
  EXPECT_EQ(layout.seats, list(Seat{0, 0, whole, {}, -1}));
  EXPECT_EQ(layout.moves, list(Move{0, 0, Seat{-1, 1, eight, {}, -1}}));
}

TEST(LayoutWithMoves, MovesOnTheSameCardToAnotherPlacement) {
  Room card = vgpu_card("L40S", SizeRule::mixed);
  const int four = offer_of(card, "4Q");
  card.taken = {{four, 8, -1, true}, {four, 24, -1, false}};
  const std::vector<Want> wants = {want(1, {{offer_of(card, "24Q")}})};
  EXPECT_EQ(proof_for({card}, wants).most, 0);
  const Layout layout = layout_for({card}, wants, Moves::allowed);
  ASSERT_EQ(layout.moves.size(), 1U);
  EXPECT_GE(layout.moves[0].to.start, 24);
  EXPECT_EQ(layout.moves[0].to.room, 0);
}

TEST(LayoutWithMoves, MovesNothingWhereTheRequestFitsAsWell) {
  Room card = v100();
  const int eight = offer_of(card, "8C");
  card.taken = {{eight, {}, -1, true}};
  EXPECT_TRUE(
      layout_for({card, card}, {want(2, {{eight}, {eight}})}, Moves::allowed).moves.empty());
}

TEST(Layout, OfNothingIsEmpty) {
  EXPECT_EQ(layout_for({}, {}).seats.size(), 0U);
  EXPECT_EQ(layout_for({v100()}, {}).stranded_bytes, 0U);
  EXPECT_EQ(proof_for({}, {want(1, {})}).most, 0);
  EXPECT_TRUE(layout_for({v100()}, {want(-3, {{0}})}).seats.empty());
  EXPECT_EQ(proof_for({v100()}, {want(1, {{99, -1}})}).most, 0) << "offers that there are not";
}

TEST(Layout, TakesTheOffersInTheOrderInWhichTheyAreAccepted) {
  const Room card = v100();
  const int q = offer_of(card, "4Q");
  const int c = offer_of(card, "4C");
  const Layout layout = layout_for({card}, {want(1, {{c, q}}), want(1, {{q, c}})});
  EXPECT_EQ(layout.seats, list(Seat{0, 0, c, {}, -1}, Seat{1, 0, q, {}, -1}));
}

// The checker: a layout that holds, and one change that breaks one rule.

struct Broken {
  std::vector<Room> rooms;
  std::vector<Want> wants;
  Layout layout;
};

/// Mixed sizes and MIG on two cards; a slice that stays and one that moves.
Broken good() {
  Room card;
  card.card = "card";
  card.rule = SizeRule::mixed;
  card.framebuffer_bytes = 16;
  card.max_slices = 4;
  card.units = 8;
  card.budgets = {10};
  card.memory_slices = 4;
  card.gpu_instances = {{"2g", 2, {0, 2}, 2, 2, 6}, {"1g", 1, {0, 1, 3}, 2, 1, 0}};
  card.instances = {{0, 0}};
  card.offers = {offer("small", 2, 2), offer("large", 4, 2), offer("backed", 3, 3)};
  card.offers[0].length = 2;
  card.offers[0].starts = {0, 2, 6};
  card.offers[0].needs = {2};
  card.offers[1].length = 4;
  card.offers[1].starts = {0, 4};
  card.offers[1].needs = {4};
  card.offers[2].gpu_instance = 0;
  card.taken = {{0, 0, -1, true}, {0, 2, -1, false}};
  Room other = card;
  other.card = "other";
  other.taken.clear();
  Layout layout;
  layout.seats = {{0, 0, 1, 4, -1}, {1, 0, 2, {}, 0}, {1, 0, 2, {}, 1}};
  layout.moves = {{0, 0, {-1, 1, 0, 6, -1}}};
  layout.instances = {{0, {{0, 2}}}};
  return {{card, other}, {want(1, {{1}, {1}}), want(2, {{2}, {2}})}, layout};
}

TEST(BrokenRule, IsEmptyForALayoutThatHolds) {
  const Broken one = good();
  EXPECT_EQ(broken_rule(one.rooms, one.wants, one.layout), "");
}

struct Break {
  const char* says;
  void (*change)(Broken&);
};

void PrintTo(const Break& one, std::ostream* out) {
  *out << one.says;
}

class BrokenByHand : public testing::TestWithParam<Break> {};

TEST_P(BrokenByHand, IsNamed) {
  Broken one = good();
  GetParam().change(one);
  const std::string said = broken_rule(one.rooms, one.wants, one.layout);
  EXPECT_NE(said.find(GetParam().says), std::string::npos) << "said: " << said;
}

INSTANTIATE_TEST_SUITE_P(
    Names, BrokenByHand,
    testing::Values(
        Break{"want 0 has 0 seats, not 1",
              [](Broken& b) { b.layout.seats.erase(b.layout.seats.begin()); }},
        Break{"want 1 has 3 seats, not 2",
              [](Broken& b) {
                b.layout.seats.push_back({1, 1, 2, {}, 0});
              }},
        Break{"a seat names card 2", [](Broken& b) { b.layout.seats[0].room = 2; }},
        Break{"a seat names offer 3", [](Broken& b) { b.layout.seats[0].offer = 3; }},
        Break{"a seat names want 2", [](Broken& b) { b.layout.seats[0].want = 2; }},
        Break{"want 0 does not accept small", [](Broken& b) { b.layout.seats[0].offer = 0; }},
        Break{"a move is from card -1", [](Broken& b) { b.layout.moves[0].room = -1; }},
        Break{"card: slice 2 moves: unknown", [](Broken& b) { b.layout.moves[0].taken = 2; }},
        Break{"slice 1 moves, and is not movable", [](Broken& b) { b.layout.moves[0].taken = 1; }},
        Break{"slice 0 moves for want 0", [](Broken& b) { b.layout.moves[0].to.want = 0; }},
        Break{"slice 0 moves twice",
              [](Broken& b) { b.layout.moves.push_back(b.layout.moves[0]); }},
        Break{"changes from small to large", [](Broken& b) { b.layout.moves[0].to.offer = 1; }},
        Break{"GPU instances are made on card 9",
              [](Broken& b) { b.layout.instances[0].room = 9; }},
        Break{"its new GPU instances are named twice",
              [](Broken& b) { b.layout.instances.push_back(b.layout.instances[0]); }}));

INSTANTIATE_TEST_SUITE_P(
    Rules, BrokenByHand,
    testing::Values(
        Break{"card: 4 slices, and 3 are allowed", [](Broken& b) { b.rooms[0].max_slices = 3; }},
        Break{"1 of large, and 0 are allowed",
              [](Broken& b) { b.rooms[0].offers[1].max_instances = 0; }},
        Break{"12 bytes of framebuffer, and it has 11",
              [](Broken& b) { b.rooms[0].framebuffer_bytes = 11; }},
        Break{"6 of budget 0, and it has 5", [](Broken& b) { b.rooms[0].budgets[0] = 5; }},
        Break{"sizes have to be equal", [](Broken& b) { b.rooms[0].rule = SizeRule::equal; }},
        Break{"large cannot be placed at 3", [](Broken& b) { b.layout.seats[0].start = 3; }},
        Break{"overlaps another, or leaves the region",
              [](Broken& b) { b.layout.seats[0].start = 0; }},
        Break{"large at 4 overlaps another, or leaves the region",
              [](Broken& b) { b.rooms[0].units = 7; }},
        Break{"the placement of a large is not known",
              [](Broken& b) { b.layout.seats[0].start = {}; }},
        Break{"the placement of a small is not known",
              [](Broken& b) { b.rooms[0].taken[1].start = {}; }},
        Break{"backed has no placements", [](Broken& b) { b.layout.seats[1].start = 0; }},
        Break{"a GPU instance of kind 7",
              [](Broken& b) { b.layout.instances[0].instances[0].kind = 7; }},
        Break{"more GPU instances 2g than 1",
              [](Broken& b) { b.rooms[0].gpu_instances[0].max_instances = 1; }},
        Break{"a GPU instance 2g cannot start at 1",
              [](Broken& b) { b.layout.instances[0].instances[0].start = 1; }},
        Break{"GPU instance 2g at 0 overlaps another",
              [](Broken& b) { b.layout.instances[0].instances[0].start = 0; }},
        Break{"GPU instance 2g at 2 overlaps another, or leaves the region",
              [](Broken& b) { b.rooms[0].memory_slices = 3; }},
        Break{"large does not stand in a GPU instance",
              [](Broken& b) { b.layout.seats[0].instance = 0; }},
        Break{"backed stands in no GPU instance of its kind",
              [](Broken& b) { b.layout.seats[1].instance = 2; }},
        Break{"backed stands in no GPU instance of its kind",
              [](Broken& b) {
                b.layout.instances[0].instances[0] = {1, 3};
              }},
        Break{"2 slices in a GPU instance 2g, which holds 1",
              [](Broken& b) {
                b.rooms[0].gpu_instances[0].max_slices = 1;
                b.layout.seats[2].instance = 0;
              }},
        Break{"6 bytes in a GPU instance 2g, which has 5", [](Broken& b) {
                b.rooms[0].gpu_instances[0].framebuffer_bytes = 5;
                b.layout.seats[2].instance = 0;
              }}));

TEST(BrokenRule, LeavesACardAloneThatGetsNothing) {
  Broken one = good();
  one.rooms[0].taken[0].start = 3;  // overlaps the other one
  one.layout = {};
  one.layout.moves = {{0, 0, {-1, 1, 0, 6, -1}}};
  EXPECT_EQ(broken_rule(one.rooms, {}, one.layout), "") << "taking away breaks nothing";
  one.layout.moves[0].to = {-1, 0, 0, 3, -1};
  EXPECT_NE(broken_rule(one.rooms, {}, one.layout), "");
}

}  // namespace
}  // namespace tessera::plan::slices
