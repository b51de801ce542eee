// SPDX-License-Identifier: Apache-2.0
// /etc/tessera/host.yaml: what is accepted can be written, reads the same, and can be changed entry
// by entry; a refusal says where. The two halves are a file and one that it shall become.
#include "model/host_file.h"

#include "fuzz.h"

namespace {

using tessera::fuzz::must;
namespace model = tessera::model;

/// `text` changed so that it reads as `wanted`, which is looked at.
void change(std::string_view text, const model::HostFile& wanted) {
  auto changed = model::edited_host_file(text, wanted, "host.yaml");
  must(changed.has_value(), "a file that was read can be changed");
  auto again = model::parse_host_file(*changed, "changed.yaml");
  must(again.has_value() && *again == wanted, "it then reads as was wanted");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto [text, other_text] = tessera::fuzz::halves(tessera::fuzz::text_of(data, size));
  auto host = model::parse_host_file(text, "host.yaml");
  if (!host) {
    must(host.error().kind == tessera::ErrorKind::invalid, "a bad file is `invalid`");
    must(host.error().subject.starts_with("host.yaml"), "the error says where");
    must(!host.error().sentence.empty(), "and what");
    return 0;
  }
  const auto written = to_yaml(*host);
  auto again = model::parse_host_file(written, "again.yaml");
  must(again.has_value() && *again == *host, "what is written reads the same");
  must(to_yaml(*again) == written, "and is written the same way again");
  auto fewer = *host;
  if (!fewer.slices.empty()) fewer.slices.erase(fewer.slices.begin());
  change(text, fewer);
  change(text, *host);
  auto other = model::parse_host_file(other_text, "other.yaml");
  if (other) change(text, *other);
  return 0;
}
