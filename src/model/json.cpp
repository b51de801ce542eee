// SPDX-License-Identifier: Apache-2.0
#include "model/json.h"

#include <map>

#include <fmt/format.h>

#include "model/json_reading.h"
#include "model/json_text.h"

namespace tessera::model {

using Json = nlohmann::ordered_json;

nlohmann::ordered_json json_text(const std::string& text) {
  bool ascii = true;
  for (char c : text) ascii = ascii && static_cast<unsigned char>(c) < 0x80;
  if (ascii) return text;
  return Json::parse(Json(text).dump(-1, ' ', false, Json::error_handler_t::replace));
}

nlohmann::ordered_json json_texts(const std::vector<std::string>& texts) {
  Json list = Json::array();
  for (const auto& text : texts) list.push_back(json_text(text));
  return list;
}

namespace {

void put(Json& json, const char* key, const std::string& text) {
  if (!text.empty()) json[key] = json_text(text);
}

void put(Json& json, const char* key, const std::optional<PciAddress>& address) {
  if (address) json[key] = to_string(*address);
}

void put(Json& json, const char* key, const std::vector<std::string>& texts) {
  if (!texts.empty()) json[key] = json_texts(texts);
}

std::string id_text(std::uint16_t id) {
  return fmt::format("{:04x}", id);
}
std::string class_text(std::uint32_t code) {
  return fmt::format("0x{:06x}", code);
}

Json addresses(const std::vector<PciAddress>& list) {
  Json json = Json::array();
  for (const auto& address : list) json.push_back(to_string(address));
  return json;
}

Json text_map(const std::map<std::string, std::string>& texts) {
  Json json = Json::object();
  for (const auto& [key, text] : texts) json[key] = json_text(text);
  return json;
}

// list_of() finds only those declared before it.
Json to_json(const HugePages& pages);
Json to_json(const MemoryNode& node);
Json to_json(const Bar& bar);
Json to_json(const PciFunction& function);
Json to_json(const IommuGroup& group);
Json to_json(const BootFramebuffer& framebuffer);
Json to_json(const Holder& holder);
Json to_json(const Finding& finding);

template <typename T>
Json list_of(const std::vector<T>& items) {
  Json list = Json::array();
  for (const auto& item : items) list.push_back(to_json(item));
  return list;
}

Json to_json(const KernelFacts& kernel) {
  Json json = Json::object();
  put(json, "release", kernel.release);
  put(json, "command_line", kernel.command_line);
  json["iommu_units"] = json_texts(kernel.iommu_units);
  put(json, "iommu_groups_present", kernel.iommu_groups_present);
  put(json, "cpu_virtualization", kernel.cpu_virtualization);
  put(json, "kvm_device", kernel.kvm_device);
  put(json, "vfio_pci_available", kernel.vfio_pci_available);
  put(json, "vfio_pci_loaded", kernel.vfio_pci_loaded);
  put(json, "unsafe_interrupts_allowed", kernel.unsafe_interrupts_allowed);
  put(json, "noiommu_enabled", kernel.noiommu_enabled);
  put(json, "interrupt_remapping", kernel.interrupt_remapping);
  if (!kernel.config.empty()) json["config"] = kernel.config;
  put(json, "config_path", kernel.config_path);
  put(json, "modules", kernel.modules, json_texts);
  if (!kernel.parameters.empty()) json["parameters"] = text_map(kernel.parameters);
  put(json, "unknown_modules", kernel.unknown_modules, json_texts);
  put(json, "lockdown", kernel.lockdown);
  put(json, "secure_boot", kernel.secure_boot);
  put(json, "memlock_limit", kernel.memlock_limit);
  put(json, "may_lock_any_memory", kernel.may_lock_any_memory);
  return json;
}

Json to_json(const BootFacts& boot) {
  Json json = Json::object();
  put(json, "distribution", boot.distribution);
  put(json, "like", boot.like);
  put(json, "version", boot.version);
  put(json, "pretty_name", boot.pretty_name);
  put(json, "flow", boot.flow);
  put(json, "initramfs", boot.initramfs);
  return json;
}

Json to_json(const HugePages& pages) {
  Json json = {{"size_kib", pages.size_kib}};
  put(json, "total", pages.total);
  put(json, "free", pages.free);
  return json;
}

Json to_json(const MemoryNode& node) {
  Json json = {{"number", node.number}};
  put(json, "cpus", node.cpus);
  put(json, "memory_kib", node.memory_kib);
  put(json, "free_kib", node.free_kib);
  if (!node.huge_pages.empty()) json["huge_pages"] = list_of(node.huge_pages);
  if (!node.distances.empty()) json["distances"] = node.distances;
  return json;
}

Json to_json(const Processors& processors) {
  Json json = {{"packages", processors.packages},
               {"cores", processors.cores.size()},
               {"threads", processors.threads()}};
  json["last_level_caches"] = Json::array();
  for (const auto& cache : processors.last_level_caches) {
    json["last_level_caches"].push_back(
        {{"level", cache.level}, {"size_kib", cache.size_kib}, {"cpus", cache.cpus}});
  }
  return json;
}

Json to_json(const Bar& bar) {
  return {{"index", bar.index},
          {"first", fmt::format("0x{:x}", bar.first)},
          {"last", fmt::format("0x{:x}", bar.last)},
          {"kind", bar.io ? "io" : "memory"},
          {"prefetchable", bar.prefetchable},
          {"wide", bar.wide}};
}

void put(Json& json, const char* key, const PciLink& link) {
  Json item = Json::object();
  put(item, "speed_gt", link.speed_gt);
  put(item, "max_speed_gt", link.max_speed_gt);
  put(item, "width", link.width);
  put(item, "max_width", link.max_width);
  if (!item.empty()) json[key] = std::move(item);
}

Json to_json(const Capabilities& capabilities) {
  if (capabilities.silent) return {{"silent", true}};
  Json json = {{"type", to_string(capabilities.type)},
               {"function_level_reset", capabilities.function_level_reset}};
  if (capabilities.acs) {
    json["acs"] = {{"capabilities", fmt::format("0x{:02x}", capabilities.acs->capabilities)},
                   {"control", fmt::format("0x{:02x}", capabilities.acs->control)},
                   {"isolates", capabilities.acs->isolates()}};
  }
  if (capabilities.sr_iov) {
    json["sr_iov"] = {{"total_vfs", capabilities.sr_iov->total_vfs},
                      {"enabled_vfs", capabilities.sr_iov->enabled_vfs},
                      {"offset", capabilities.sr_iov->offset},
                      {"stride", capabilities.sr_iov->stride},
                      {"vf_device", id_text(capabilities.sr_iov->vf_device)}};
  }
  for (const auto& bar : capabilities.resizable_bars) {
    json["resizable_bars"].push_back(
        {{"index", bar.index}, {"size_mib", bar.size_mib}, {"possible_mib", bar.possible_mib}});
  }
  return json;
}

Json to_json(const PciFunction& function) {
  Json json = {{"address", to_string(function.address)}};
  put(json, "sysfs_path", function.sysfs_path);
  put(json, "vendor", function.vendor, id_text);
  put(json, "device", function.device, id_text);
  put(json, "subsystem_vendor", function.subsystem_vendor, id_text);
  put(json, "subsystem_device", function.subsystem_device, id_text);
  put(json, "class", function.class_code, class_text);
  put(json, "vendor_name", function.vendor_name);
  put(json, "device_name", function.device_name);
  put(json, "driver", function.driver);
  put(json, "driver_module", function.driver_module);
  put(json, "driver_override", function.driver_override);
  put(json, "modalias", function.modalias);
  put(json, "vfio_module", function.vfio_module);
  put(json, "usual_driver", function.usual_driver);
  put(json, "iommu_group", function.iommu_group);
  put(json, "numa_node", function.numa_node);
  put(json, "boot_vga", function.boot_vga);
  put(json, "reset_methods", function.reset_methods, json_texts);
  put(json, "parent", function.parent);
  put(json, "physical_function", function.physical_function);
  put(json, "express", function.express);
  put(json, "vf_total", function.vf_total);
  put(json, "vf_enabled", function.vf_enabled);
  put(json, "mdevs", function.mdevs);
  put(json, "device_files", function.device_files);
  put(json, "revision", function.revision,
      [](std::uint8_t value) { return fmt::format("{:02x}", value); });
  put(json, "bars", function.bars, [](const std::vector<Bar>& bars) { return list_of(bars); });
  put(json, "link", function.link);
  put(json, "power_state", function.power_state);
  put(json, "local_cpus", function.local_cpus);
  put(json, "capabilities", function.capabilities,
      [](const Capabilities& value) { return to_json(value); });
  if (function.vendor_vgpu) json["vendor_vgpu"] = true;
  put(json, "mdev_types", function.mdev_types);
  return json;
}

Json to_json(const IommuGroup& group) {
  Json json = {{"number", group.number}, {"members", addresses(group.members)}};
  put(json, "type", group.type);
  Json regions = Json::array();
  for (const auto& region : group.reserved_regions) {
    regions.push_back({{"first", fmt::format("0x{:x}", region.first)},
                       {"last", fmt::format("0x{:x}", region.last)},
                       {"type", json_text(region.type)}});
  }
  if (!regions.empty()) json["reserved_regions"] = std::move(regions);
  return json;
}

Json to_json(const BootFramebuffer& framebuffer) {
  Json json = Json::object();
  put(json, "device", framebuffer.device);
  put(json, "driver", framebuffer.driver);
  if (framebuffer.last != 0) {
    json["first"] = fmt::format("0x{:x}", framebuffer.first);
    json["last"] = fmt::format("0x{:x}", framebuffer.last);
  }
  put(json, "label", framebuffer.label);
  put(json, "function", framebuffer.function);
  return json;
}

Json to_json(const Holder& holder) {
  Json json = {{"pid", holder.pid}, {"name", json_text(holder.name)}};
  put(json, "unit", holder.unit);
  json["function"] = to_string(holder.function);
  json["paths"] = json_texts(holder.paths);
  return json;
}

Json to_json(const Finding& finding) {
  Json json = {{"id", json_text(finding.id)}, {"severity", to_string(finding.severity)}};
  put(json, "card", finding.card);
  json["title"] = json_text(finding.title);
  json["evidence"] = Json::array();
  for (const auto& seen : finding.evidence) {
    json["evidence"].push_back({{"path", json_text(seen.path)}, {"text", json_text(seen.text)}});
  }
  put(json, "cause", finding.cause);
  put(json, "consequence", finding.consequence);
  put(json, "fix", finding.fix);
  put(json, "command", finding.command);
  return json;
}

}  // namespace

nlohmann::ordered_json to_json(const Card& card, const HostSnapshot& host) {
  Json json = {{"address", to_string(card.address)},
               {"identity", json_text(card.identity)},
               {"name", json_text(card.name)},
               {"integrated", card.integrated}};
  json["functions"] = Json::array();
  for (const auto& address : card.functions) {
    Json item = {{"address", to_string(address)}};
    if (const PciFunction* function = host.function(address)) {
      put(item, "class", function->class_code, class_text);
      put(item, "driver", function->driver);
      put(item, "iommu_group", function->iommu_group);
    }
    json["functions"].push_back(std::move(item));
  }
  json["groups"] = card.groups;
  return json;
}

nlohmann::ordered_json to_json(const HostSnapshot& host) {
  Json json = {{"schema", host_schema}, {"source", json_text(host.source)}, {"live", host.live}};
  json["boot"] = to_json(host.boot);
  json["kernel"] = to_json(host.kernel);
  for (const auto& file : host.settings) {
    json["settings"].push_back({{"path", json_text(file.path)}, {"text", json_text(file.text)}});
  }
  json["cards"] = Json::array();
  for (const auto& card : host.cards) json["cards"].push_back(to_json(card, host));
  json["functions"] = list_of(host.functions);
  json["groups"] = list_of(host.groups);
  json["framebuffers"] = list_of(host.framebuffers);
  json["holders"] = list_of(host.holders);
  json["unreadable_processes"] = host.unreadable_processes;
  put(json, "processors", host.processors, [](const Processors& value) { return to_json(value); });
  json["nodes"] = list_of(host.nodes);
  json["huge_pages"] = list_of(host.huge_pages);
  json["kernel_log"] = json_texts(host.kernel_log);
  return json;
}

nlohmann::ordered_json to_json(const std::vector<Finding>& findings) {
  return {{"schema", findings_schema}, {"findings", list_of(findings)}};
}

nlohmann::ordered_json to_json(const Error& error) {
  Json json = {{"schema", error_schema}, {"kind", to_string(error.kind)}};
  put(json, "subject", error.subject);
  json["sentence"] = json_text(error.sentence);
  put(json, "hint", error.hint);
  return json;
}

}  // namespace tessera::model
