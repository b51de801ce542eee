// SPDX-License-Identifier: Apache-2.0
#include "vendor/nvidia_topology.h"

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"

namespace tessera::vendor {

using model::Link;
using model::VendorTopology;

namespace {

using Words = std::vector<std::string_view>;

struct Line {
  std::size_t number = 0;  ///< from 1
  std::string text;        ///< without escape sequences
  [[nodiscard]] Words words() const { return text::words(text); }
};

/// `line` without "ESC [ parameters letter" (ECMA-48, 5.4).
std::string without_escapes(std::string_view line) {
  std::string plain;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] != '\x1b' || i + 1 >= line.size() || line[i + 1] != '[') {
      plain += line[i];
      continue;
    }
    i += 2;
    while (i < line.size() && (line[i] < '@' || line[i] > '~')) ++i;
  }
  return plain;
}

/// The lines that say something.
std::vector<Line> lines_of(std::string_view text) {
  std::vector<Line> lines;
  std::size_t number = 0;
  for (std::string_view raw : text::lines(text)) {
    Line line{++number, without_escapes(raw)};
    if (!text::trim(line.text).empty()) lines.push_back(std::move(line));
  }
  return lines;
}

enum class Column { cpus, numa_nodes, gpu_node };

/// What stands above the matrix: the devices' names, then the titles of the other columns.
struct Heading {
  std::vector<std::string> names;
  std::vector<Column> columns;
};

struct Title {
  Column column;
  std::string_view words;
};
constexpr Title titles[] = {{Column::cpus, "CPU Affinity"},
                            {Column::numa_nodes, "NUMA Affinity"},
                            {Column::gpu_node, "GPU NUMA ID"}};

/// Whether `words` begin with the title's.
bool begins_with(std::span<const std::string_view> words, const Title& title) {
  auto wanted = text::words(title.words);
  return words.size() >= wanted.size() && std::ranges::equal(words.first(wanted.size()), wanted);
}

class Parser {
 public:
  Parser(std::string_view text, std::string_view name) : lines_(lines_of(text)), name_(name) {}

  Result<VendorTopology> parse() {
    TRY(read_heading());
    for (std::size_t row = 0; row < heading_.names.size(); ++row) TRY(read_row(row));
    TRY(check_symmetry());
    read_nic_legend();
    return std::move(found_);
  }

 private:
  [[nodiscard]] std::unexpected<Error> broken(std::size_t line, const std::string& sentence) const {
    return fail(ErrorKind::invalid, std::string(name_), fmt::format("line {}: {}", line, sentence),
                "give the whole output of: nvidia-smi topo -m");
  }

  Status read_heading() {
    while (next_ < lines_.size() && !model::is_gpu_name(lines_[next_].words().front())) ++next_;
    if (next_ == lines_.size()) {
      return fail(ErrorKind::invalid, std::string(name_),
                  "no line in it names GPUs (GPU0, GPU1, ...), so there is no matrix",
                  "give the whole output of: nvidia-smi topo -m");
    }
    const Line& line = lines_[next_++];
    auto all = line.words();
    std::span<const std::string_view> words(all);
    while (!words.empty()) {
      auto title = std::ranges::find_if(
          titles, [&](const Title& known) { return begins_with(words, known); });
      if (title != std::end(titles)) {
        heading_.columns.push_back(title->column);
        words = words.subspan(text::words(title->words).size());
        continue;
      }
      TRY(add_name(line, words.front()));
      words = words.subspan(1);
    }
    return {};
  }

  Status add_name(const Line& line, std::string_view word) {
    if (!heading_.columns.empty()) {
      return broken(line.number,
                    fmt::format("'{}' is no column that is known", text::printable(word)));
    }
    if (std::ranges::find(heading_.names, word) != heading_.names.end()) {
      return broken(line.number, fmt::format("'{}' is named twice", text::printable(word)));
    }
    heading_.names.emplace_back(word);
    return {};
  }

  Status read_row(std::size_t row) {
    const std::string& wanted = heading_.names[row];
    if (next_ == lines_.size()) {
      return broken(lines_.back().number,
                    fmt::format("the text ends before the row of {}", text::printable(wanted)));
    }
    const Line& line = lines_[next_++];
    row_lines_.push_back(line.number);
    auto words = line.words();
    if (words.front() != wanted) {
      return broken(line.number,
                    fmt::format("the row of {} should be here, not '{}'", text::printable(wanted),
                                text::printable(words.front())));
    }
    const std::size_t devices = heading_.names.size();
    if (words.size() < 1 + devices || words.size() > 1 + devices + heading_.columns.size()) {
      return broken(line.number,
                    fmt::format("the row of {} has {} columns; the first line names {} devices",
                                text::printable(wanted), words.size() - 1, devices));
    }
    TRY(read_links(line, row, std::span(words).subspan(1, devices)));
    return read_columns(line, wanted, std::span(words).subspan(1 + devices));
  }

  Status read_links(const Line& line, std::size_t row, std::span<const std::string_view> words) {
    std::vector<Link> links;
    for (std::size_t column = 0; column < words.size(); ++column) {
      auto link = model::parse_link(words[column]);
      const bool known = link && link->kind != Link::Kind::unknown;
      if (!known || (link->kind == Link::Kind::self) != (row == column)) {
        return broken(line.number,
                      fmt::format("'{}' is no link of {} to {}", text::printable(words[column]),
                                  text::printable(heading_.names[row]),
                                  text::printable(heading_.names[column])));
      }
      links.push_back(*link);
    }
    found_.links.push_back(std::move(links));
    return {};
  }

  Status read_columns(const Line& line, const std::string& device,
                      std::span<const std::string_view> words) {
    VendorTopology::Device found{device, {}, {}};
    for (std::string_view word : words) {
      if (word == "N/A" || is_list(word)) continue;
      return broken(line.number, fmt::format("'{}' is no list of numbers, and no link either",
                                             text::printable(word)));
    }
    if (words.size() == heading_.columns.size()) {
      for (std::size_t i = 0; i < words.size(); ++i) {
        if (words[i] == "N/A") continue;
        if (heading_.columns[i] == Column::cpus) found.cpus = words[i];
        if (heading_.columns[i] == Column::numa_nodes) found.numa_nodes = words[i];
      }
    }
    found_.devices.push_back(std::move(found));
    return {};
  }

  /// "0", "0-7", "0-23,48-71".
  static bool is_list(std::string_view word) {
    return std::ranges::all_of(text::split(word, ','), [](std::string_view range) {
      auto ends = text::split(range, '-');
      return ends.size() <= 2 && std::ranges::all_of(ends, [](std::string_view number) {
               return text::to_number(number).has_value();
             });
    });
  }

  Status check_symmetry() const {
    for (std::size_t row = 0; row < found_.links.size(); ++row) {
      for (std::size_t column = 0; column < row; ++column) {
        const Link& there = found_.links[column][row];
        const Link& back = found_.links[row][column];
        if (there == back) continue;
        return broken(row_lines_[row], fmt::format("{} to {} is {}, and the other way round {}",
                                                   text::printable(heading_.names[row]),
                                                   text::printable(heading_.names[column]),
                                                   to_string(back), to_string(there)));
      }
    }
    return {};
  }

  /// "NIC0: mlx5_0", below "NIC Legend:".
  void read_nic_legend() {
    for (; next_ < lines_.size(); ++next_) {
      auto words = lines_[next_].words();
      if (words.size() != 2 || !words[0].ends_with(':')) continue;
      std::string nic(words[0].substr(0, words[0].size() - 1));
      const bool is_device = std::ranges::find(heading_.names, nic) != heading_.names.end();
      if (is_device && !model::is_gpu_name(nic)) found_.nic_names.emplace(nic, words[1]);
    }
  }

  std::vector<Line> lines_;
  std::string_view name_;
  std::size_t next_ = 0;
  Heading heading_;
  std::vector<std::size_t> row_lines_;
  VendorTopology found_;
};

}  // namespace

Result<VendorTopology> parse_nvidia_topology(std::string_view text, std::string_view name) {
  return Parser(text, name).parse();
}

}  // namespace tessera::vendor
