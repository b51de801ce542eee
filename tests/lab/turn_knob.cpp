// SPDX-License-Identifier: Apache-2.0
//
// Turns knobs of an identity card's function (docs/identity-cards.md) and prints its answers.
//   turn_knob SOCKET KNOB...      ends with 0 when every answer was no error
#include <cstdio>
#include <cstring>
#include <string>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace {

bool turn(int socket, std::string knob) {
  knob += '\n';
  if (send(socket, knob.data(), knob.size(), MSG_NOSIGNAL) < 0) return false;
  std::string answer;
  char byte = 0;
  while (read(socket, &byte, 1) == 1 && byte != '\n') answer += byte;
  std::printf("%s\n", answer.c_str());
  return !answer.empty() && !answer.starts_with("error");
}

}  // namespace

int main(int argc, char** argv) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (argc < 3 || std::strlen(argv[1]) >= sizeof address.sun_path) {
    std::fprintf(stderr, "usage: turn_knob SOCKET KNOB...\n");
    return 64;
  }
  std::strcpy(address.sun_path, argv[1]);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    std::perror(argv[1]);
    return 1;
  }
  for (int i = 2; i < argc; ++i) {
    if (!turn(fd, argv[i])) return 1;
  }
  return 0;
}
