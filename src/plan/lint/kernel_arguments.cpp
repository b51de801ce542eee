// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "base/text.h"
#include "plan/checks/support.h"
#include "plan/lint/host_facts.h"
#include "plan/lint/rules.h"

namespace tessera::plan::linting {

using checks::Platform;
using model::HostSnapshot;

namespace {

/// A kernel argument in two, as the kernel takes it: '-' and '_' are one in the name.
struct Argument {
  std::string name;
  std::string value;
};
Argument split_argument(std::string_view word) {
  const auto equals = std::min(word.find('='), word.size());
  return {model::module_name(word.substr(0, equals)),
          std::string(word.substr(std::min(equals + 1, word.size())))};
}

/// A hit for each argument that `fits`.
Hits arguments_that(const LintScope& scope, const std::function<bool(const Argument&)>& fits) {
  Hits hits;
  for (const KernelWords& line : scope.pieces.kernel) {
    for (const Word& word : line.words) {
      if (fits(split_argument(word.text))) hits.push_back(hit_at(word.line, word.text));
    }
  }
  return hits;
}

bool is_on(std::string_view value) {
  return value == "1" || value == "Y" || value == "y" || value == "on";
}

/// Hits for a module's option, on the kernel command line ("MODULE.NAME=") and in modprobe lines.
Hits module_options(const LintScope& scope, std::string_view module, std::string_view name,
                    const std::function<bool(std::string_view value)>& fits) {
  Hits hits = arguments_that(scope, [&](const Argument& argument) {
    return argument.name == fmt::format("{}.{}", module, name) && fits(argument.value);
  });
  for (const model::SettingsLine& line : scope.pieces.modprobe) {
    if (line.words.size() < 3 || line.words[0] != "options") continue;
    if (model::module_name(line.words[1]) != module) continue;
    for (std::size_t i = 2; i < line.words.size(); ++i) {
      const Argument argument = split_argument(line.words[i]);
      if (argument.name == name && fits(argument.value)) {
        hits.push_back(hit_at(line.number, line.words[i]));
      }
    }
  }
  return hits;
}

void explain(Hits& hits, LintVerdict verdict, std::string_view why) {
  for (Hit& hit : hits) {
    hit.verdict = verdict;
    hit.why = why;
  }
}

/// Why intel_iommu=on changes nothing on this host; empty where it may, or nobody knows.
std::string why_intel_iommu_is_on(const HostSnapshot& host) {
  if (checks::platform_of(host) == Platform::amd) {
    return "The host bridge of this host is AMD's: the parameter is for Intel's IOMMU, and AMD's "
           "is on without one.";
  }
  if (checks::platform_of(host) != Platform::intel) return {};
  if (host.kernel.option("CONFIG_INTEL_IOMMU_DEFAULT_ON") == "y") {
    return "This host's kernel is built with CONFIG_INTEL_IOMMU_DEFAULT_ON=y: the IOMMU is on "
           "already.";
  }
  const bool integrated = std::ranges::any_of(host.cards, &model::Card::integrated);
  if (integrated) return {};  // on for all but the integrated card is not on for all
  if (host.kernel.option("CONFIG_INTEL_IOMMU_DEFAULT_ON_INTGPU_OFF") == "y") {
    return "This host's kernel is built with CONFIG_INTEL_IOMMU_DEFAULT_ON_INTGPU_OFF=y, and it "
           "has no integrated GPU: the IOMMU is on for every card already.";
  }
  const bool without = host.kernel.command_line.has_value() &&
                       host.kernel.command_line.value().find("intel_iommu=") == std::string::npos;
  if (without && !host.groups.empty()) {
    return fmt::format("This host was booted without it and has {} IOMMU groups.",
                       host.groups.size());
  }
  return {};
}

}  // namespace

Hits amd_iommu_on(const LintScope& scope) {
  Hits hits = arguments_that(
      scope, [](const Argument& a) { return a.name == "amd_iommu" && is_on(a.value); });
  if (checks::platform_of(scope.host) == Platform::intel) {
    explain(hits, LintVerdict::no_op,
            "The host bridge of this host is Intel's. On AMD's too the value is unknown to the "
            "kernel, which says so in its log and goes on: the IOMMU is on by default there.");
  }
  return hits;
}

Hits intel_iommu_on(const LintScope& scope) {
  const std::string why = why_intel_iommu_is_on(scope.host);
  if (why.empty()) return {};
  Hits hits = arguments_that(
      scope, [](const Argument& a) { return a.name == "intel_iommu" && is_on(a.value); });
  explain(hits, LintVerdict::no_op, why);
  return hits;
}

Hits iommu_pt(const LintScope& scope) {
  return arguments_that(scope,
                        [](const Argument& a) { return a.name == "iommu" && a.value == "pt"; });
}

Hits acs_override(const LintScope& scope) {
  Hits hits =
      arguments_that(scope, [](const Argument& a) { return a.name == "pcie_acs_override"; });
  if (log_says(scope.host, {"Unknown kernel command line parameters", "pcie_acs_override"})) {
    explain(hits, LintVerdict::no_op,
            "This host's kernel logged it as an unknown parameter and handed it to user space: it "
            "lacks the patch that the parameter comes with.");
  }
  return hits;
}

Hits video_off(const LintScope& scope) {
  Hits hits = arguments_that(scope, [](const Argument& a) {
    return a.name == "video" && a.value.ends_with(":off") &&
           (a.value.starts_with("efifb") || a.value.starts_with("vesafb") ||
            a.value.starts_with("simplefb"));
  });
  const bool simple = std::ranges::any_of(scope.host.framebuffers, [](const auto& framebuffer) {
    return framebuffer.driver == "simple-framebuffer" || framebuffer.label == "simpledrm";
  });
  if (simple) {
    explain(hits, LintVerdict::no_op,
            "The boot framebuffer of this host is simpledrm's, which does not read the parameter.");
  }
  return hits;
}

Hits sysfb_blacklist(const LintScope& scope) {
  return arguments_that(scope, [](const Argument& a) {
    return a.name == "initcall_blacklist" && a.value.find("sysfb_init") != std::string::npos;
  });
}

Hits rd_driver_pre(const LintScope& scope) {
  const std::string& initramfs = scope.host.boot.initramfs;
  if (initramfs == "dracut") return {};
  Hits hits = arguments_that(scope, [](const Argument& a) { return a.name == "rd.driver.pre"; });
  if (!initramfs.empty()) {
    explain(hits, LintVerdict::no_op,
            fmt::format("It is dracut's, and this host's initramfs is made by {}, which does not "
                        "know it.",
                        initramfs));
  }
  return hits;
}

Hits hd_vgaarb(const LintScope& scope) {
  return module_options(scope, "i915", "enable_hd_vgaarb", [](auto) { return true; });
}

Hits gvt_unavailable(const LintScope& scope) {
  Hits hits = module_options(scope, "i915", "enable_gvt", is_on);
  const bool built_without = scope.host.kernel.option("CONFIG_DRM_I915_GVT") == "n";
  const bool intel_card = std::ranges::any_of(scope.host.functions, [](const auto& function) {
    return function.vendor.value_or(0) == 0x8086 && function.class_code.has_value() &&
           model::base_class(function.class_code.value()) == 0x03;
  });
  if (built_without) {
    explain(hits, LintVerdict::no_op,
            "This host's kernel is built without GVT-g (CONFIG_DRM_I915_GVT is not set).");
  } else if (lists_every_device(scope.host) && !intel_card) {
    explain(hits, LintVerdict::no_op, "This host has no Intel GPU.");
  } else {
    return {};
  }
  return hits;
}

Hits unsafe_interrupts(const LintScope& scope) {
  Hits hits = module_options(scope, "vfio_iommu_type1", "allow_unsafe_interrupts", is_on);
  constexpr std::string_view set = "allow_unsafe_interrupts=1";
  for (const model::SettingsLine& line : scope.pieces.modprobe) {
    // Blanks may be missing: once they are put right, it takes effect.
    const std::string& word = line.words.front();
    if (word.ends_with(set) && word != set) hits.push_back(hit_at(line.number, std::string(set)));
  }
  const auto& remapping = scope.host.kernel.interrupt_remapping;
  if (remapping.has_value() && remapping.value()) {
    explain(hits, LintVerdict::dangerous,
            "The IOMMU of this host can remap interrupts, so nothing needs the option. It stays "
            "behind for the next board, where a machine that owns a device could then make it "
            "send forged interrupts to the host.");
  }
  return hits;
}

Hits noiommu_mode(const LintScope& scope) {
  return module_options(scope, "vfio", "enable_unsafe_noiommu_mode", is_on);
}

Hits ignore_msrs(const LintScope& scope) {
  return module_options(scope, "kvm", "ignore_msrs", is_on);
}

Hits argument_blank(const LintScope& scope) {
  constexpr std::string_view with_values[] = {"amd_iommu",         "intel_iommu",   "iommu",
                                              "pcie_acs_override", "rd.driver.pre", "video"};
  Hits hits;
  for (const KernelWords& line : scope.pieces.kernel) {
    for (std::size_t i = 0; i + 1 < line.words.size(); ++i) {
      const std::string& name = line.words[i].text;
      const std::string& next = line.words[i + 1].text;
      const bool known = std::ranges::find(with_values, name) != std::end(with_values) ||
                         name.find('.') != std::string::npos;
      if (!known || !next.starts_with('=')) continue;
      hits.push_back(hit_at(line.words[i].line, name + " " + next, name + next));
    }
  }
  for (const model::SettingsLine& line : scope.pieces.modprobe) {
    for (std::size_t i = 2; i < line.words.size() && line.words[0] == "options"; ++i) {
      const std::string& word = line.words[i];
      const bool before = word.starts_with('=') && i > 2;
      const bool after = word.ends_with('=') && i + 1 < line.words.size() && word != "=";
      if (before) {
        hits.push_back(hit_at(line.number, line.words[i - 1] + " " + word));
      } else if (after) {
        hits.push_back(
            hit_at(line.number, word + " " + line.words[i + 1], word + line.words[i + 1]));
      }
    }
  }
  return hits;
}

Hits modprobe_argument_torn(const LintScope& scope) {
  Hits hits;
  for (const KernelWords& line : scope.pieces.kernel) {
    for (std::size_t i = 0; i + 1 < line.words.size(); ++i) {
      const std::string first = lower(line.words[i].text);
      const std::string next = lower(line.words[i + 1].text);
      const bool torn = (first == "modprobe." || first == "modprobe") &&
                        (next.starts_with("blacklist=") || next == "blacklist") &&
                        line.words[i].line == line.words[i + 1].line;
      if (!torn) continue;
      // "modprobe blacklist" in a sentence is no kernel argument; a '=' makes it one.
      std::string seen = line.words[i].text + " " + line.words[i + 1].text;
      std::string value = next == "blacklist" && i + 2 < line.words.size() ? line.words[i + 2].text
                                                                           : line.words[i + 1].text;
      const auto equals = value.find('=');
      if (equals == std::string::npos) continue;
      if (next == "blacklist") seen += " " + value;
      hits.push_back(
          hit_at(line.words[i].line, seen, "modprobe.blacklist=" + value.substr(equals + 1)));
    }
  }
  return hits;
}

}  // namespace tessera::plan::linting
