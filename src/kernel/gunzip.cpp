// SPDX-License-Identifier: Apache-2.0
#include "kernel/gunzip.h"

#include <zlib.h>

namespace tessera::kernel {

Result<std::string> gunzip(std::string_view compressed, std::size_t limit) {
  constexpr int gzip_only = 16 + MAX_WBITS;
  z_stream stream = {};
  if (inflateInit2(&stream, gzip_only) != Z_OK) {
    return fail(ErrorKind::io, "zlib", "it could not be started");
  }
  std::string text(limit, '\0');
  // zlib does not write to its input; its interface is older than const.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data()));  // NOLINT
  stream.avail_in = static_cast<uInt>(compressed.size());
  stream.next_out = reinterpret_cast<Bytef*>(text.data());
  stream.avail_out = static_cast<uInt>(text.size());
  const int outcome = inflate(&stream, Z_FINISH);
  text.resize(stream.total_out);
  inflateEnd(&stream);
  const bool cut_at_limit = outcome == Z_BUF_ERROR && text.size() == limit;
  if (outcome == Z_STREAM_END || cut_at_limit) return text;
  return fail(ErrorKind::invalid, "gzip", "it is no gzip file, or a damaged one");
}

}  // namespace tessera::kernel
