// SPDX-License-Identifier: Apache-2.0
#include "kernel/uevent.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/test_root.h"

namespace tessera::kernel {
namespace {

using namespace std::string_literals;
using std::chrono::milliseconds;
using std::chrono::seconds;

const std::string bind_message =
    "bind@/devices/pci0000:00/0000:00:01.0/0000:01:00.0\0ACTION=bind\0"
    "DEVPATH=/devices/pci0000:00/0000:00:01.0/0000:01:00.0\0SUBSYSTEM=pci\0"
    "DRIVER=vfio-pci\0PCI_CLASS=30000\0SEQNUM=4711\0"s;

UeventListener listen_or_die(const Root& root) {
  auto listener = UeventListener::open(root);
  if (!listener) throw std::runtime_error(one_line(listener.error()));
  return std::move(*listener);
}

TEST(ParseUevent, reads_action_path_and_driver) {
  auto event = parse_uevent(bind_message);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->action, "bind");
  EXPECT_EQ(event->devpath, "/devices/pci0000:00/0000:00:01.0/0000:01:00.0");
  EXPECT_EQ(event->driver, "vfio-pci");
}

TEST(ParseUevent, needs_no_driver_and_no_keys) {
  auto event = parse_uevent("add@/module/vfio");
  ASSERT_TRUE(event);
  EXPECT_EQ(event->action, "add");
  EXPECT_EQ(event->driver, "");
}

TEST(ParseUevent, refuses_what_the_kernel_does_not_send) {
  for (const auto& message : {""s, "add"s, "@/devices/a"s, "add@devices/a"s, "libudev\0\xfe\xed"s,
                              "\0\0\0"s, "add@/devices/a\0ACTION=remove\0"s}) {
    auto event = parse_uevent(message);
    ASSERT_FALSE(event) << message;
    EXPECT_EQ(event.error().kind, ErrorKind::invalid);
  }
}

/// A rehearsal host whose uevents come through a FIFO.
class Rehearsal : public testing::Test {
 protected:
  Rehearsal() {
    host_.directory("/.rehearsal");
    auto path = host_.real("/.rehearsal/uevents");
    if (::mkfifo(path.c_str(), 0600) != 0) throw std::runtime_error("mkfifo");
    fifo_ = Fd(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  }
  void send() const {
    auto written = ::write(fifo_.get(), bind_message.data(), bind_message.size());
    ASSERT_EQ(written, static_cast<ssize_t>(bind_message.size()));
  }
  TestDirectory host_;
  Fd fifo_;
};

TEST_F(Rehearsal, waiting_ends_at_once_when_it_holds_already) {
  auto listener = listen_or_die(open_or_die(host_.real()));
  EXPECT_TRUE(listener.wait_until([] { return true; }, Deadline::in(milliseconds(0))));
}

TEST_F(Rehearsal, each_uevent_makes_the_condition_looked_at_again) {
  auto listener = listen_or_die(open_or_die(host_.real()));
  int looks = 0;
  auto third_time = [&] {
    send();
    return ++looks == 3;
  };
  EXPECT_TRUE(listener.wait_until(third_time, Deadline::in(seconds(20))));
  EXPECT_EQ(looks, 3);
}

TEST_F(Rehearsal, the_deadline_ends_the_wait_with_a_last_look) {
  auto listener = listen_or_die(open_or_die(host_.real()));
  int looks = 0;
  auto never = [&] { return ++looks < 0; };
  EXPECT_FALSE(listener.wait_until(never, Deadline::in(milliseconds(30))));
  EXPECT_EQ(looks, 2);
}

TEST_F(Rehearsal, the_end_of_the_rehearsal_host_ends_the_wait) {
  auto listener = listen_or_die(open_or_die(host_.real()));
  send();
  fifo_.reset();
  EXPECT_FALSE(listener.wait_until([] { return false; }, Deadline::in(seconds(20))));
}

TEST(UeventListener, has_nothing_to_wait_for_on_a_plain_directory) {
  TestDirectory host;
  auto listener = listen_or_die(open_or_die(host.real()));
  EXPECT_FALSE(listener.wait_until([] { return false; }, Deadline::in(seconds(20))));
}

TEST(UeventListener, listens_to_the_live_kernel) {
  auto listener = UeventListener::open(open_or_die("/"));
  if (!listener) GTEST_SKIP() << one_line(listener.error());
  EXPECT_FALSE(listener->wait_until([] { return false; }, Deadline::in(milliseconds(20))));
}

}  // namespace
}  // namespace tessera::kernel
