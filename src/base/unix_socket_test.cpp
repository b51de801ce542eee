// SPDX-License-Identifier: Apache-2.0
#include "base/unix_socket.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/test_directory.h"

namespace tessera {
namespace {

constexpr const char* nobody = "nobody listens here";

TEST(UnixSocket, connects_to_one_that_listens) {
  TestDirectory directory;
  auto listening = listen_unix(directory.real("/socket"), 1);
  ASSERT_TRUE(listening) << one_line(listening.error());
  auto connected = connect_unix(directory.real("/socket"), nobody);
  ASSERT_TRUE(connected) << one_line(connected.error());
  EXPECT_EQ(::write(connected->get(), "x", 1), 1);
}

TEST(UnixSocket, says_in_its_caller_s_words_that_nobody_is_there) {
  TestDirectory directory;
  (void)listen_unix(directory.real("/stale"), 1);  // closed at once; its file stays
  for (const char* name : {"/missing", "/stale"}) {
    auto connected = connect_unix(directory.real(name), nobody);
    ASSERT_FALSE(connected) << name;
    EXPECT_EQ(connected.error().kind, ErrorKind::not_found) << name;
    EXPECT_EQ(connected.error().sentence, nobody) << name;
  }
}

TEST(UnixSocket, takes_107_bytes_of_path_and_not_one_more) {
  EXPECT_TRUE(unix_address(std::string(107, 'p')));
  auto longer = unix_address(std::string(108, 'p'));
  ASSERT_FALSE(longer);
  EXPECT_EQ(longer.error().kind, ErrorKind::invalid);
}

TEST(UnixSocket, does_not_listen_in_the_place_of_a_file) {
  TestDirectory directory;
  directory.file("/socket", "precious");
  EXPECT_FALSE(listen_unix(directory.real("/socket"), 1));
  EXPECT_EQ(directory.content("/socket"), "precious");
}

}  // namespace
}  // namespace tessera
