// SPDX-License-Identifier: Apache-2.0
// vfio-user messages: the numbers of an accepted one are inside the message, and a reply to it is
// well-formed.
#include "fuzz.h"
#include "identity/wire.h"

namespace {

using tessera::fuzz::must;
using namespace tessera::identity;

bool fits(std::uint64_t first, std::uint64_t count) {
  return first + count >= first;
}

struct CheckNumbers {
  ByteView payload;
  void operator()(const DmaMap& map) const { must(fits(map.address, map.size), "no overflow"); }
  void operator()(const SetIrqs& irqs) const {
    must(std::uint64_t{irqs.start} + irqs.count <= UINT32_MAX, "no overflow");
  }
  void operator()(const RegionRead& read) const {
    must(read.count <= max_transfer, "a read is no longer than allowed");
  }
  void operator()(const RegionWrite& write) const {
    must(write.data.size() <= max_transfer, "a write is no longer than allowed");
    must(write.data.empty() ||
             (write.data.data() >= payload.data() &&
              write.data.data() + write.data.size() <= payload.data() + payload.size()),
         "the data to write is inside the message");
  }
  void operator()(const auto& /*without numbers*/) const {}
};

void check_reply(const Bytes& reply, std::size_t payload) {
  must(reply.size() == header_size + payload, "a reply is its header and its payload");
  must(!parse_header(reply), "a reply is not taken for a command");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ByteView input = std::as_bytes(std::span(data, size));
  if (input.size() < header_size) return 0;
  auto header = parse_header(input);
  if (!header) {
    must(!header.error().sentence.empty(), "a refusal says why");
    return 0;
  }
  must(header->size >= header_size && header->size <= max_message, "the length is believable");
  auto payload = input.subspan(header_size);
  if (auto request = parse_request(*header, payload)) {
    std::visit(CheckNumbers{payload}, *request);
  } else {
    auto kind = request.error().kind;
    must(kind == tessera::ErrorKind::invalid || kind == tessera::ErrorKind::unsupported,
         "a request is malformed or unknown");
  }
  check_reply(make_reply(*header, payload), payload.size());
  check_reply(make_error(*header, 22), 0);
  return 0;
}
