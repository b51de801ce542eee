// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

#include <cerrno>

#include <gtest/gtest.h>

namespace tessera {
namespace {

TEST(Error, names_the_errno_in_words_and_as_a_symbol) {
  auto error = error_from_errno(EBUSY, "0000:01:00.0", "bind");
  EXPECT_EQ(error.kind, ErrorKind::busy);
  EXPECT_EQ(error.subject, "0000:01:00.0");
  EXPECT_EQ(error.sentence, "cannot bind it: Device or resource busy (EBUSY)");
  EXPECT_EQ(error.hint, "");
}

TEST(Error, kinds_follow_from_the_errno) {
  const std::pair<int, ErrorKind> table[] = {
      {ENOENT, ErrorKind::not_found},
      {ENODEV, ErrorKind::not_found},
      {ENXIO, ErrorKind::not_found},
      {EACCES, ErrorKind::denied},
      {EPERM, ErrorKind::denied},
      {EROFS, ErrorKind::denied},
      {EAGAIN, ErrorKind::busy},
      {ETIMEDOUT, ErrorKind::timeout},
      {EINVAL, ErrorKind::invalid},
      {ELOOP, ErrorKind::invalid},
      {ENOSYS, ErrorKind::unsupported},
      {ENOTTY, ErrorKind::unsupported},
      {EIO, ErrorKind::io},
      {ENOSPC, ErrorKind::io},
  };
  for (auto [number, kind] : table) {
    EXPECT_EQ(error_from_errno(number, "x", "open").kind, kind) << errno_name(number);
  }
}

TEST(Error, an_errno_without_a_name_keeps_its_number) {
  EXPECT_EQ(errno_name(ENODEV), "ENODEV");
  EXPECT_EQ(errno_name(4711), "errno 4711");
  EXPECT_NE(error_from_errno(4711, "x", "open").sentence.find("errno 4711"), std::string::npos);
}

TEST(Error, kinds_have_the_names_that_json_prints) {
  EXPECT_EQ(to_string(ErrorKind::not_found), "not_found");
  EXPECT_EQ(to_string(ErrorKind::conflict), "conflict");
  EXPECT_EQ(to_string(ErrorKind::io), "io");
}

TEST(Error, one_line_leaves_out_an_empty_subject_and_the_hint) {
  Error error = {ErrorKind::io, "", "the disk is full", "df"};
  EXPECT_EQ(one_line(error), "the disk is full");
  error.subject = "/var";
  EXPECT_EQ(one_line(error), "/var: the disk is full");
}

}  // namespace
}  // namespace tessera
