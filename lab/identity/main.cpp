// SPDX-License-Identifier: Apache-2.0
// tessera-identity-card: shows a QEMU machine one function of a card that is not there.
#include <csignal>
#include <fstream>
#include <iterator>

#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "base/clock.h"
#include "identity/card.h"
#include "identity/server.h"

namespace {

using namespace tessera;
using namespace tessera::identity;

struct Options {
  std::string card;
  unsigned function = 0;
  ServerPaths paths;
  unsigned wait_s = 60;
};

Result<CardSpec> read_card(const std::string& path) {
  std::ifstream file(path);
  if (!file)
    return fail(ErrorKind::not_found, path, "the card's file cannot be opened",
                "ls lab/identity/cards");
  return parse_card({std::istreambuf_iterator<char>(file), {}}, path);
}

Status serve(const Options& options) {
  TRY_LET(CardSpec card, read_card(options.card));
  if (options.function >= card.functions.size())
    return fail(ErrorKind::not_found, options.card,
                fmt::format("the card has no function {}, only 0 to {}", options.function,
                            card.functions.size() - 1));
  TRY_LET(Device device, Device::create(card.functions[options.function], card.reset, card.sleep));
  TRY_LET(Server server, Server::open(std::move(device), options.paths));
  fmt::print("ready {}\n", options.paths.socket);
  std::fflush(stdout);
  return server.run(Deadline::in(std::chrono::seconds(options.wait_s)));
}

Status describe(const Options& options) {
  TRY_LET(CardSpec card, read_card(options.card));
  fmt::print("{}\n", card.name);
  for (std::size_t i = 0; i < card.functions.size(); ++i) {
    const FunctionSpec& f = card.functions[i];
    fmt::print("{} {} {:04x}:{:04x} class {:06x}\n", i, f.name, f.vendor, f.device, f.class_code);
  }
  return {};
}

void block_end_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigprocmask(SIG_BLOCK, &set, nullptr);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Shows a QEMU machine (vfio-user-pci) one function of a card that is not there.",
               "tessera-identity-card");
  app.add_option("--card", options.card, "the card's YAML file")->required();
  app.add_option("--function", options.function, "which of its functions")->capture_default_str();
  auto* socket = app.add_option("--socket", options.paths.socket, "where QEMU connects");
  app.add_option("--control", options.paths.control, "where knobs are turned: one per line");
  app.add_option("--log", options.paths.log, "a file for what the machine asks of the card");
  app.add_option("--wait", options.wait_s, "seconds until QEMU must have connected")
      ->capture_default_str()
      ->check(CLI::Range(1, 86400));
  bool describing = false;
  auto* list = app.add_flag("--list", describing, "only say which functions the card has");
  CLI11_PARSE(app, argc, argv);
  if (socket->count() == 0 && list->count() == 0) {
    fmt::print(stderr, "tessera-identity-card: --socket is needed\n");
    return 2;
  }
  block_end_signals();
  Status done = list->count() > 0 ? describe(options) : serve(options);
  if (done) return 0;
  fmt::print(stderr, "tessera-identity-card: {}\n", one_line(done.error()));
  if (!done.error().hint.empty()) fmt::print(stderr, "  try: {}\n", done.error().hint);
  return done.error().kind == ErrorKind::invalid ? 2 : 1;
}
