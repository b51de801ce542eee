// SPDX-License-Identifier: Apache-2.0
#include "plan/lint/xml.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include <pugixml.hpp>

#include "base/text.h"

namespace tessera::plan::linting {

namespace {

/// Deeper than any domain; what is below is left out, so that no text can exhaust the stack.
constexpr int deepest = 64;

/// Where the lines of a text begin; turns an offset into a line.
class LineIndex {
 public:
  LineIndex(std::string_view text, int first_line) : first_line_(first_line) {
    for (std::size_t at = 0; at < text.size(); ++at) {
      if (text[at] == '\n') ends_.push_back(static_cast<std::ptrdiff_t>(at));
    }
  }
  [[nodiscard]] int line_at(std::ptrdiff_t offset) const {
    const auto before = std::ranges::lower_bound(ends_, offset) - ends_.begin();
    return first_line_ + static_cast<int>(before);
  }

 private:
  int first_line_;
  std::vector<std::ptrdiff_t> ends_;
};

void copy_children(const pugi::xml_node& from, const LineIndex& lines, int depth, XmlElement& to) {
  for (const pugi::xml_node& node : from.children()) {
    if (node.type() == pugi::node_pcdata || node.type() == pugi::node_cdata) {
      to.text += text::trim(node.value());
    }
    if (node.type() != pugi::node_element || depth == deepest) continue;
    XmlElement element;
    element.name = node.name();
    element.line = lines.line_at(node.offset_debug());
    for (const pugi::xml_attribute& attribute : node.attributes()) {
      element.attributes.emplace_back(attribute.name(), text::trim(attribute.value()));
    }
    copy_children(node, lines, depth + 1, element);
    to.children.push_back(std::move(element));
  }
}

bool is_name_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == ':' || c == '.';
}

struct Tag {
  std::string_view name;
  std::size_t start = 0;
  std::size_t end = 0;  ///< after its '>'
  bool closes = false;
  bool empty = false;  ///< "<x/>"
};

/// The end of a tag that starts at `at`; '>' inside quotes does not count.
std::size_t end_of_tag(std::string_view text, std::size_t at) {
  char quote = '\0';
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (quote != '\0') {
      if (c == quote) quote = '\0';
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '>') {
      return at + 1;
    }
  }
  return text.size();
}

/// Where a comment, CDATA section or declaration that starts at `at` ends; `at` where there is
/// none.
std::size_t skip_special(std::string_view text, std::size_t at) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> special = {
      {{"<!--", "-->"}, {"<![CDATA[", "]]>"}, {"<?", "?>"}, {"<!", ">"}}};
  for (const auto& [opens, closes] : special) {
    if (!text.substr(at).starts_with(opens)) continue;
    const auto end = text.find(closes, at + opens.size());
    return end == std::string_view::npos ? text.size() : end + closes.size();
  }
  return at;
}

std::vector<Tag> tags_of(std::string_view text) {
  std::vector<Tag> tags;
  for (std::size_t at = text.find('<'); at != std::string_view::npos; at = text.find('<', at)) {
    if (const auto after = skip_special(text, at); after != at) {
      at = after;
      continue;
    }
    Tag tag;
    tag.start = at;
    tag.closes = text.substr(at + 1).starts_with('/');
    const std::size_t name = at + (tag.closes ? 2 : 1);
    std::size_t end = name;
    while (end < text.size() && is_name_letter(text[end])) ++end;
    tag.name = text.substr(name, end - name);
    tag.end = end_of_tag(text, end);
    tag.empty = tag.end >= 2 && text.substr(0, tag.end).ends_with("/>");
    if (!tag.name.empty()) tags.push_back(tag);
    at = std::max(tag.end, at + 1);
  }
  return tags;
}

std::vector<Word> nesting_mistakes(std::string_view text, const LineIndex& lines) {
  std::vector<Word> mistakes;
  std::vector<Tag> open;
  const auto note = [&](const Tag& tag) {
    mistakes.push_back({std::string(text.substr(tag.start, tag.end - tag.start)),
                        lines.line_at(static_cast<std::ptrdiff_t>(tag.start))});
  };
  for (const Tag& tag : tags_of(text)) {
    if (!tag.closes) {
      if (!tag.empty) open.push_back(tag);
      continue;
    }
    const auto partner = std::ranges::find(open.rbegin(), open.rend(), tag.name, &Tag::name);
    if (partner == open.rend()) {
      note(tag);
      continue;
    }
    for (auto left = open.rbegin(); left != partner; ++left) note(*left);
    open.erase(partner.base() - 1, open.end());
  }
  for (const Tag& tag : open) note(tag);
  std::ranges::stable_sort(mistakes, {}, &Word::line);
  return mistakes;
}

void walk(
    const XmlElement& element, std::vector<const XmlElement*>& above,
    const std::function<void(const XmlElement&, const std::vector<const XmlElement*>&)>& visit) {
  for (const XmlElement& child : element.children) {
    visit(child, above);
    above.push_back(&child);
    walk(child, above, visit);
    above.pop_back();
  }
}

}  // namespace

std::optional<std::string> XmlElement::attribute(std::string_view key) const {
  for (const auto& [written, value] : attributes) {
    if (written == key) return value;
  }
  return std::nullopt;
}

const XmlElement* XmlElement::child(std::string_view tag) const {
  const auto found = std::ranges::find(children, tag, &XmlElement::name);
  return found == children.end() ? nullptr : &*found;
}

XmlPiece read_xml(std::string_view text, int first_line) {
  XmlPiece piece;
  piece.first_line = first_line;
  const std::string plain = plain_signs_in_place(text);
  const LineIndex lines(plain, first_line);
  pugi::xml_document document;
  const pugi::xml_parse_result result = document.load_buffer(
      plain.data(), plain.size(), pugi::parse_default | pugi::parse_fragment, pugi::encoding_utf8);
  copy_children(document, lines, 0, piece.root);
  piece.nesting = nesting_mistakes(plain, lines);
  const bool nests = piece.nesting.empty();
  if (!result && nests && result.status != pugi::status_no_document_element) {
    piece.broken = Word{result.description(), lines.line_at(result.offset)};
  }
  return piece;
}

bool is_domain_element(std::string_view name) {
  constexpr std::string_view elements[] = {"domain",     "devices",
                                           "device",     "hostdev",
                                           "features",   "hyperv",
                                           "kvm",        "hidden",
                                           "relaxed",    "vapic",
                                           "spinlocks",  "vpindex",
                                           "runtime",    "vendor_id",
                                           "cputune",    "vcpupin",
                                           "clock",      "memoryBacking",
                                           "video",      "hugepages",
                                           "memballoon", "qemu:commandline",
                                           "graphics",   "os",
                                           "cpu"};
  return std::ranges::find(elements, name) != std::end(elements);
}

void walk_xml(const XmlElement& root,
              const std::function<void(const XmlElement& element,
                                       const std::vector<const XmlElement*>& above)>& visit) {
  std::vector<const XmlElement*> above;
  walk(root, above, visit);
}

}  // namespace tessera::plan::linting
