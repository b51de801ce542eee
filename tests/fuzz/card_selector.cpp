// SPDX-License-Identifier: Apache-2.0
// What a person types to name a card, on a host with two identical cards, a network card, a
// virtual function and a high domain: either one of the host's cards or an error that says why.
#include <algorithm>

#include "fuzz.h"
#include "model/host.h"

namespace {

using tessera::fuzz::must;
namespace model = tessera::model;

model::PciFunction function(model::PciAddress address, std::uint32_t class_code) {
  model::PciFunction made;
  made.address = address;
  made.vendor = std::uint16_t{0x10de};
  made.device = std::uint16_t{0x1db4};
  made.class_code = class_code;
  return made;
}

model::HostSnapshot host_of_many_kinds() {
  model::HostSnapshot host;
  const model::PciAddress first{.domain = 0, .bus = 1, .device = 0, .function = 0};
  const model::PciAddress sound{.domain = 0, .bus = 1, .device = 0, .function = 1};
  const model::PciAddress second{.domain = 0, .bus = 2, .device = 0, .function = 0};
  const model::PciAddress far{.domain = 0x10000, .bus = 0xff, .device = 31, .function = 7};
  const model::PciAddress net{.domain = 0, .bus = 3, .device = 0, .function = 0};
  const model::PciAddress part{.domain = 0, .bus = 2, .device = 0, .function = 4};
  host.functions = {function(first, 0x030200),  function(sound, 0x040300),
                    function(second, 0x030000), function(part, 0x030200),
                    function(net, 0x020000),    function(far, 0x120000)};
  host.functions[3].physical_function = second;
  auto add = [&](std::string identity, model::PciAddress address,
                 std::vector<model::PciAddress> all) {
    model::Card card;
    card.identity = std::move(identity);
    card.address = address;
    card.functions = std::move(all);
    host.cards.push_back(std::move(card));
  };
  add("10de:1db4-10de:1212@0000/01.0/00.0", first, {first, sound});
  add("10de:1db4-10de:1212@0000/02.0/00.0", second, {second});
  add("10de:1db4@10000/1f.7", far, {far});
  return host;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const model::HostSnapshot host = host_of_many_kinds();
  auto selected = model::select_card(host, tessera::fuzz::text_of(data, size));
  if (!selected) {
    auto kind = selected.error().kind;
    must(kind == tessera::ErrorKind::invalid || kind == tessera::ErrorKind::not_found ||
             kind == tessera::ErrorKind::conflict,
         "a selector is wrong, names nothing, or names no card");
    must(!selected.error().sentence.empty() && !selected.error().hint.empty(),
         "the error has a sentence and a hint");
    return 0;
  }
  const model::Card* card = *selected;
  must(std::ranges::any_of(host.cards, [&](const auto& own) { return &own == card; }),
       "a selected card is one of the host's");
  auto by_address = model::select_card(host, model::to_string(card->address));
  must(by_address && *by_address == card, "its address names the same card");
  auto by_identity = model::select_card(host, card->identity);
  must(by_identity && *by_identity == card, "its identity names the same card");
  return 0;
}
