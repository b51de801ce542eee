// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <expected>
#include <utility>

#include "base/error.h"

namespace tessera {

/// A value, or the Error that says why there is none. There are three legal ways to handle one:
///
///   1. pass it up:        TRY(root.write(path, text));
///                         TRY_LET(std::string text, root.read(path));
///   2. branch on its kind: if (!r && r.error().kind == ErrorKind::not_found) ...
///   3. drop it, saying so: (void)root.write(path, text);  // best effort: <why>
///
/// The type is [[nodiscard]], so forgetting one does not compile. Exceptions are for broken
/// invariants only.
template <typename T>
class [[nodiscard]] Result : public std::expected<T, Error> {
 public:
  using std::expected<T, Error>::expected;
};

using Status = Result<void>;

/// Shorthand for `return std::unexpected(Error{...})`.
inline std::unexpected<Error> fail(Error error) {
  return std::unexpected<Error>(std::move(error));
}

inline std::unexpected<Error> fail(ErrorKind kind, std::string subject, std::string sentence,
                                   std::string hint = {}) {
  return std::unexpected<Error>(
      Error{kind, std::move(subject), std::move(sentence), std::move(hint)});
}

}  // namespace tessera

#define TESSERA_CONCAT_(a, b) a##b
#define TESSERA_CONCAT(a, b) TESSERA_CONCAT_(a, b)

/// Evaluates a Result and returns its error from the enclosing function, if it is one.
#define TRY(expression)                                                       \
  do {                                                                        \
    auto try_status_ = (expression);                                          \
    if (!try_status_) return std::unexpected(std::move(try_status_.error())); \
  } while (false)

/// Like TRY, and declares `declaration` with the value: TRY_LET(auto text, root.read(path));
#define TRY_LET(declaration, expression)                                             \
  auto TESSERA_CONCAT(try_value_, __LINE__) = (expression);                          \
  if (!TESSERA_CONCAT(try_value_, __LINE__))                                         \
    return std::unexpected(std::move(TESSERA_CONCAT(try_value_, __LINE__).error())); \
  declaration = std::move(*TESSERA_CONCAT(try_value_, __LINE__))
