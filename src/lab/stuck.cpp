// SPDX-License-Identifier: Apache-2.0
#include "lab/stuck.h"

#include <chrono>
#include <fstream>
#include <iterator>
#include <thread>

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "hypervisor/qmp.h"

namespace tessera::lab {
namespace {

constexpr Milliseconds patience{5000};
constexpr std::chrono::milliseconds between_looks{500};
constexpr std::size_t console_bytes = 4096;

/// What QEMU's monitor for people says to this, or why it says nothing.
std::string ask(hypervisor::Qmp& qmp, const std::string& question) {
  const nlohmann::json words{{"command-line", question}};
  auto answer = qmp.execute("human-monitor-command", words, Deadline::in(patience));
  const std::string said = answer ? answer->get<std::string>() : one_line(answer.error()) + "\n";
  return fmt::format("-- {}\n{}", question, said);
}

std::string processors(const std::string& qmp_socket) {
  auto qmp = hypervisor::Qmp::connect(qmp_socket, Deadline::in(patience));
  if (!qmp) return fmt::format("QEMU does not answer: {}\n", one_line(qmp.error()));
  std::string text = ask(*qmp, "info status") + ask(*qmp, "info registers -a");
  std::this_thread::sleep_for(between_looks);
  for (const char* question : {"info registers -a", "info lapic 0", "info lapic 1", "info pic"}) {
    text += ask(*qmp, question);
  }
  return text;
}

std::string end_of(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(stream), {});
  if (text.size() > console_bytes) text.erase(0, text.size() - console_bytes);
  return text;
}

}  // namespace

Result<std::string> describe_stuck_host(const Places& places, const std::string& host) {
  TRY(find_running(places, host));
  const InstanceFiles files(places, host);
  std::ofstream(files.stuck) << processors(files.qmp_socket) << "-- the end of its console\n"
                             << end_of(files.serial_log) << "-- the end of QEMU's words\n"
                             << end_of(files.qemu_log);
  return files.stuck;
}

}  // namespace tessera::lab
