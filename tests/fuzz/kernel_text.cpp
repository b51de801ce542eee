// SPDX-License-Identifier: Apache-2.0
// The small texts of /proc, /sys and /boot that a doctor asks for: what is found was in the text.
#include <algorithm>

#include "fuzz.h"
#include "kernel/gunzip.h"
#include "probe/bus_errors.h"
#include "probe/machines.h"
#include "probe/memory.h"
#include "probe/pci.h"
#include "probe/settings.h"
#include "probe/system.h"

using tessera::fuzz::must;
namespace probe = tessera::probe;

namespace {

bool holds(std::string_view text, std::string_view piece) {
  return text.find(piece) != std::string_view::npos;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = tessera::fuzz::text_of(data, size);
  for (const auto& [name, value] : probe::parse_kernel_config(text)) {
    must(holds(text, name), "an option is in the text");
    must(value == "n" || holds(text, value), "and so is its value");
  }
  must(holds(text, probe::parse_lockdown(text)), "the mode is in the text");
  must(holds(text, probe::parse_memlock_limit(text)), "the limit is in the text");
  must(holds(text, probe::os_release_value(text, "ID")), "the value is in the text");
  (void)probe::parse_ipc_lock(text);
  (void)probe::parse_meminfo(text, "MemTotal");
  if (auto cpus = probe::parse_cpu_list(text)) {
    must(std::ranges::is_sorted(*cpus), "processors ascend");
    must(cpus->size() <= 65536, "and are not more than Linux has");
  }
  if (auto ids = probe::parse_modalias(text))
    must(ids->class_code <= 0xffffff, "a class has 24 bits");
  if (auto unpacked = tessera::kernel::gunzip(text, 4096)) {
    must(unpacked->size() <= 4096, "the limit holds");
  }
  for (const auto& one : probe::parse_bus_errors(text, tessera::model::BusErrors::Kind::nonfatal)) {
    must(one.count > 0 && !one.name.starts_with("TOTAL_ERR_"), "an error was counted");
  }
  must(probe::machine_name(text).size() <= 4 * text.size(), "a name is in the text");
  const auto missing = probe::modules_without_file({"vfio", "vfio_pci"}, text, text);
  must(missing.size() <= 2, "no name is made up");
  return 0;
}
