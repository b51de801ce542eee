// SPDX-License-Identifier: Apache-2.0
// What sentences of guides say. A sentence is taken for a claim by the words that it must have;
// the same words with a "not" are none.
#include <algorithm>
#include <initializer_list>

#include "plan/lint/rules.h"

namespace tessera::plan::linting {

namespace {

using WordList = std::initializer_list<std::string_view>;

bool has(std::string_view text, std::string_view words) {
  return text.find(words) != std::string_view::npos;
}
bool has_all(std::string_view text, WordList all) {
  return std::ranges::all_of(all, [&](auto words) { return has(text, words); });
}
bool has_any(std::string_view text, WordList some) {
  return std::ranges::any_of(some, [&](auto words) { return has(text, words); });
}

/// A hit for each sentence of a guide that `says` it.
template <typename Says>
Hits sentences_that(const LintScope& scope, Says says) {
  Hits hits;
  for (const Sentence& sentence : scope.pieces.sentences) {
    if (says(sentence.text)) hits.push_back(hit_at(sentence.line, sentence.as_written));
  }
  return hits;
}

bool denies(std::string_view text) {
  return has_any(text, {" not ", "n't ", " never ", " no longer ", " wrong", "without need"});
}

}  // namespace

Hits claim_default_qxl(const LintScope& scope) {
  return sentences_that(scope, [](std::string_view text) {
    return has_all(text, {"default", "qxl"}) && !denies(text) &&
           !has_any(text, {"spice", "virt-install", "virt-manager", "before", "until"});
  });
}

Hits claim_nographic(const LintScope& scope) {
  return sentences_that(scope, [](std::string_view text) {
    return has(text, "-nographic") &&
           has_any(text, {"no graphic", "no display", "without graphic", "without a display"}) &&
           !has_any(text, {"serial", "stdio", "monitor"});
  });
}

Hits claim_one_group(const LintScope& scope) {
  return sentences_that(scope, [](std::string_view text) {
    return has_all(text, {"only", "group", "at a time"}) && has(text, "pass");
  });
}

Hits claim_ramfb_dmabuf(const LintScope& scope) {
  return sentences_that(scope, [](std::string_view text) {
    return has_all(text, {"ramfb", "dma-buf"}) && has_any(text, {"activat", "enabl"}) &&
           !denies(text);
  });
}

Hits claim_gvt_generations(const LintScope& scope) {
  if (!scope.pieces.mentions("gvt") && !scope.pieces.mentions("vfio-mdev")) return {};
  return sentences_that(scope, [](std::string_view text) {
    return has(text, "generation") && has_any(text, {"10th", "11th"}) && !denies(text) &&
           has_any(text, {"mdev", "gvt", "sr-iov", "superseded"});
  });
}

Hits claim_gvt_containers(const LintScope& scope) {
  if (!scope.pieces.mentions("gvt")) return {};
  return sentences_that(scope, [](std::string_view text) {
    return has_all(text, {"vgpu", "container"}) && !denies(text);
  });
}

Hits claim_pci_stub(const LintScope& scope) {
  return sentences_that(scope, [](std::string_view text) {
    return has(text, "pci-stub") && has_any(text, {"no longer", "not used any more"});
  });
}

Hits claim_without_manager(const LintScope& scope) {
  return sentences_that(scope, [](std::string_view text) {
    return has(text, "work") &&
           has_any(text, {"without a vgpu manager", "without the vgpu manager"}) && !denies(text);
  });
}

Hits claim_mdev_without_driver(const LintScope& scope) {
  if (!scope.pieces.mentions("mediated") && !scope.pieces.mentions("mdev")) return {};
  return sentences_that(scope, [](std::string_view text) {
    return has_all(text, {"both", "driver"}) && has_any(text, {"isn't loaded", "is not loaded"});
  });
}

Hits claim_one_to_one(const LintScope& scope) {
  return sentences_that(scope, [](std::string_view text) {
    return has_all(text, {"only", "1:1", "profile"}) && has(text, "support") && !denies(text);
  });
}

Hits claim_hide_kvm(const LintScope& scope) {
  return sentences_that(scope, [](std::string_view text) {
    return has_any(text, {"code 43", "kvm=off"}) &&
           has_any(text, {"must", "required", "need to"}) && !denies(text);
  });
}

Hits claim_x_vga(const LintScope& scope) {
  return sentences_that(scope, [](std::string_view text) {
    return has(text, "x-vga") && has_any(text, {"required", "must"}) && !denies(text);
  });
}

Hits claim_iommu_pt(const LintScope& scope) {
  return sentences_that(scope, [](std::string_view text) {
    return has_any(text, {"iommu=pt", "iommu passthrough mode"}) &&
           has_any(text, {"bypass", "faster", "performance", "speed"}) &&
           has_any(text, {"vm", "guest", "virtual machine"}) && !denies(text);
  });
}

}  // namespace tessera::plan::linting
