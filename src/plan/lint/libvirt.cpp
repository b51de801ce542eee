// SPDX-License-Identifier: Apache-2.0
// Sources: libvirt, docs/formatdomain.rst and its RNG schema.
#include <algorithm>
#include <span>

#include <fmt/format.h>

#include "base/text.h"
#include "plan/lint/rules.h"

namespace tessera::plan::linting {

namespace {

using Above = std::vector<const XmlElement*>;

constexpr std::string_view hyperv_features[] = {
    "relaxed",         "vapic",    "spinlocks", "vpindex",   "runtime",
    "synic",           "stimer",   "reset",     "vendor_id", "frequencies",
    "reenlightenment", "tlbflush", "ipi",       "evmcs",     "avic"};
/// Those whose names say what they are without <hyperv> around them.
constexpr std::string_view telling_features[] = {"relaxed", "vapic", "spinlocks", "vpindex",
                                                 "vendor_id"};

bool is_in(std::string_view name, std::span<const std::string_view> list) {
  return std::ranges::find(list, name) != list.end();
}

std::string_view parent_of(const Above& above) {
  return above.empty() ? std::string_view() : std::string_view(above.back()->name);
}

/// An element as a tag, with its attributes.
std::string tag_of(const XmlElement& element) {
  std::string tag = "<" + element.name;
  for (const auto& [name, value] : element.attributes) tag += fmt::format(" {}='{}'", name, value);
  return tag + ">";
}

template <typename Visit>
void each_element(const LintScope& scope, Visit visit) {
  for (const XmlPiece& piece : scope.pieces.xml) {
    walk_xml(piece.root,
             [&](const XmlElement& element, const Above& above) { visit(piece, element, above); });
  }
}

bool has_child_in(const XmlElement& element, std::span<const std::string_view> list) {
  return std::ranges::any_of(element.children,
                             [&](const XmlElement& child) { return is_in(child.name, list); });
}

std::string hyperv_right(const XmlElement& element) {
  std::string tag = "<" + element.name;
  for (const auto& [name, value] : element.attributes) {
    std::string_view right = name;
    if (name == "status") right = "state";
    if (name == "retires" || name == "retry") right = "retries";
    tag += fmt::format(" {}='{}'", right, value);
  }
  return tag + "/>";
}

bool is_hyperv_attribute(std::string_view element, std::string_view attribute) {
  if (attribute == "state") return true;
  if (element == "spinlocks") return attribute == "retries";
  if (element == "vendor_id") return attribute == "value";
  return false;
}

}  // namespace

Hits xml_nesting(const LintScope& scope) {
  Hits hits;
  for (const XmlPiece& piece : scope.pieces.xml) {
    for (const Word& tag : piece.nesting) {
      Hit hit = hit_at(tag.line, tag.text);
      const bool closes = tag.text.starts_with("</");
      hit.says = closes ? fmt::format("{} closes what is not open", tag.text)
                        : fmt::format("{} is not closed",
                                      tag.text.substr(0, tag.text.find_first_of(" \n")));
      const auto name = tag.text.substr(1, tag.text.find_first_of(" \n\t>") - 1);
      if (!closes) hit.right = fmt::format("</{}> where it ends", name);
      hits.push_back(std::move(hit));
    }
  }
  return hits;
}

Hits xml_broken(const LintScope& scope) {
  Hits hits;
  for (const XmlPiece& piece : scope.pieces.xml) {
    if (!piece.broken) continue;
    Hit hit = hit_at(piece.broken->line, "");
    hit.says = fmt::format("this is no XML: {}", lower(piece.broken->text));
    const auto index = static_cast<std::size_t>(piece.broken->line) - 1;
    if (index < scope.pieces.raw.size()) hit.seen = text::trim(scope.pieces.raw[index]);
    hits.push_back(std::move(hit));
  }
  return hits;
}

Hits xml_devices(const LintScope& scope) {
  Hits hits;
  each_element(scope, [&](const XmlPiece&, const XmlElement& element, const Above& above) {
    constexpr std::string_view devices[] = {"hostdev",  "video",    "disk",      "interface",
                                            "graphics", "emulator", "controller"};
    const bool misnamed = element.name == "device" &&
                          (parent_of(above) == "domain" || has_child_in(element, devices));
    if (misnamed) hits.push_back(hit_at(element.line, "<device>", "<devices> ... </devices>"));
  });
  return hits;
}

Hits xml_hyperv_attribute(const LintScope& scope) {
  Hits hits;
  each_element(scope, [&](const XmlPiece&, const XmlElement& element, const Above& above) {
    const bool feature = parent_of(above) == "hyperv" ? is_in(element.name, hyperv_features)
                                                      : is_in(element.name, telling_features);
    if (!feature) return;
    const bool wrong = std::ranges::any_of(element.attributes, [&](const auto& attribute) {
      return !is_hyperv_attribute(element.name, attribute.first);
    });
    if (wrong) hits.push_back(hit_at(element.line, tag_of(element), hyperv_right(element)));
  });
  return hits;
}

Hits xml_hyperv_place(const LintScope& scope) {
  Hits hits;
  const auto look = [&](const XmlElement& parent) {
    const auto first = std::ranges::find_if(parent.children, [](const XmlElement& child) {
      return is_in(child.name, telling_features);
    });
    if (first == parent.children.end()) return;
    const bool loose = parent.name == "features" || parent.name == "kvm" ||
                       (parent.name.empty() && parent.child("hidden"));
    if (loose) hits.push_back(hit_at(first->line, tag_of(*first)));
  };
  for (const XmlPiece& piece : scope.pieces.xml) {
    look(piece.root);
    walk_xml(piece.root, [&](const XmlElement& element, const Above&) { look(element); });
  }
  return hits;
}

Hits xml_hidden_place(const LintScope& scope) {
  Hits hits;
  each_element(scope, [&](const XmlPiece& piece, const XmlElement& element, const Above& above) {
    if (element.name != "hidden") return;
    const auto parent = parent_of(above);
    const bool loose = parent == "features" || parent == "hyperv" ||
                       (above.empty() && has_child_in(piece.root, telling_features));
    if (loose) hits.push_back(hit_at(element.line, tag_of(element)));
  });
  return hits;
}

Hits xml_kvm_hidden(const LintScope& scope) {
  Hits hits;
  each_element(scope, [&](const XmlPiece&, const XmlElement& element, const Above&) {
    const bool hides = element.name == "hidden" || element.name == "vendor_id";
    if (hides && element.attribute("state") == "on") {
      hits.push_back(hit_at(element.line, tag_of(element)));
    }
  });
  return hits;
}

Hits xml_spinlocks(const LintScope& scope) {
  constexpr std::uint64_t fewest = 4095;
  Hits hits;
  each_element(scope, [&](const XmlPiece&, const XmlElement& element, const Above&) {
    if (element.name != "spinlocks") return;
    const auto retries = text::to_number(element.attribute("retries").value_or(""));
    if (retries && *retries < fewest) {
      hits.push_back(hit_at(element.line, tag_of(element)));
    }
  });
  return hits;
}

Hits xml_source_missing(const LintScope& scope) {
  Hits hits;
  each_element(scope, [&](const XmlPiece&, const XmlElement& element, const Above&) {
    if (element.name != "hostdev" || element.child("source") || element.children.empty()) return;
    if (!element.child("address")) return;
    hits.push_back(hit_at(element.line, tag_of(element)));
  });
  return hits;
}

Hits xml_mdev_managed(const LintScope& scope) {
  Hits hits;
  each_element(scope, [&](const XmlPiece&, const XmlElement& element, const Above&) {
    if (element.name != "hostdev" || element.attribute("type") != "mdev") return;
    if (auto managed = element.attribute("managed")) {
      hits.push_back(hit_at(element.line, fmt::format("managed='{}'", *managed)));
    }
  });
  return hits;
}

Hits xml_hugepages_place(const LintScope& scope) {
  Hits hits;
  each_element(scope, [&](const XmlPiece&, const XmlElement& element, const Above& above) {
    if (element.name == "hugepages" && parent_of(above) != "memoryBacking") {
      hits.push_back(hit_at(element.line, "<hugepages>"));
    }
  });
  return hits;
}

Hits xml_balloon(const LintScope& scope) {
  Hits hits;
  for (const XmlPiece& piece : scope.pieces.xml) {
    bool whole_card = false;
    walk_xml(piece.root, [&](const XmlElement& element, const Above&) {
      whole_card = whole_card || (element.name == "hostdev" && element.attribute("type") == "pci");
    });
    if (!whole_card) continue;
    walk_xml(piece.root, [&](const XmlElement& element, const Above&) {
      const auto model = element.attribute("model");
      if (element.name == "memballoon" && model && *model != "none") {
        hits.push_back(hit_at(element.line, tag_of(element)));
      }
    });
  }
  return hits;
}

Hits xml_ramfb(const LintScope& scope) {
  Hits hits;
  for (const XmlPiece& piece : scope.pieces.xml) {
    int count = 0;
    walk_xml(piece.root, [&](const XmlElement& element, const Above&) {
      if (element.name != "hostdev" || element.attribute("ramfb") != "on") return;
      ++count;
      Hit hit = hit_at(element.line, tag_of(element));
      if (element.attribute("display") != "on") {
        hit.says = "ramfb='on' without display='on'";
      } else if (count > 1) {
        hit.says = "a machine can have one ramfb";
      } else {
        return;
      }
      hits.push_back(std::move(hit));
    });
  }
  return hits;
}

Hits xml_vnc_open(const LintScope& scope) {
  Hits hits;
  each_element(scope, [&](const XmlPiece&, const XmlElement& element, const Above&) {
    if (element.name != "graphics") return;
    std::string listen = element.attribute("listen").value_or("");
    if (const XmlElement* child = element.child("listen")) {
      listen = child->attribute("address").value_or(listen);
    }
    if (listen != "0.0.0.0" && listen != "::") return;
    if (element.attribute("passwd").has_value()) return;
    hits.push_back(hit_at(element.line, tag_of(element)));
  });
  return hits;
}

}  // namespace tessera::plan::linting
