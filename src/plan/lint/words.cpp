// SPDX-License-Identifier: Apache-2.0
#include "plan/lint/words.h"

#include <algorithm>
#include <cctype>
#include <utility>

namespace tessera::plan::linting {

namespace {

/// A sign in UTF-8, and the plain one.
struct Sign {
  std::string_view typographic;
  char plain;
};
constexpr Sign signs[] = {
    {"\xe2\x80\x98", '\''}, {"\xe2\x80\x99", '\''}, {"\xe2\x80\x9a", '\''}, {"\xe2\x80\xb2", '\''},
    {"\xe2\x80\x9c", '"'},  {"\xe2\x80\x9d", '"'},  {"\xe2\x80\x9e", '"'},  {"\xe2\x80\xb3", '"'},
    {"\xe2\x80\x93", '-'},  {"\xe2\x80\x94", '-'},  {"\xe2\x88\x92", '-'},  {"\xc2\xa0", ' '},
    {"\xe2\x80\xaf", ' '},
};

const Sign* sign_at(std::string_view text) {
  const auto found =
      std::ranges::find_if(signs, [&](const Sign& s) { return text.starts_with(s.typographic); });
  return found == std::end(signs) ? nullptr : found;
}

std::string replaced(std::string_view text, bool in_place) {
  std::string out;
  bool inside = false;  // of a quoted value: its last quote stands first, its first one last
  for (std::size_t at = 0; at < text.size();) {
    const Sign* sign = sign_at(text.substr(at));
    const char plain = sign ? sign->plain : text[at];
    const std::string fill(sign && in_place ? sign->typographic.size() - 1 : 0, ' ');
    const bool quote = plain == '"' || plain == '\'';
    if (quote && !inside) out += fill;
    out += plain;
    if (!quote || inside) out += fill;
    if (quote) inside = !inside;
    at += sign ? sign->typographic.size() : 1;
  }
  return out;
}

/// Reads a shell text once, from its beginning to its end.
class Splitter {
 public:
  Splitter(std::string_view text, int first_line, bool one_line_quotes)
      : text_(text), line_(first_line), one_line_quotes_(one_line_quotes) {}

  std::vector<Command> split() {
    while (at_ < text_.size()) step();
    end_command();
    return std::move(commands_);
  }

 private:
  [[nodiscard]] char next(std::size_t ahead = 1) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  void letter(char c) {
    if (!in_word_) {
      word_ = {{}, line_};
      in_word_ = true;
    }
    word_.text += c;
  }

  void end_word() {
    if (!std::exchange(in_word_, false)) return;
    if (std::exchange(target_follows_, false)) {
      current_.writes_to = std::move(word_.text);
    } else if (std::exchange(marker_follows_, false)) {
      current_.here_marker = std::move(word_.text);
    } else {
      current_.words.push_back(std::move(word_));
    }
  }

  void end_command() {
    end_word();
    target_follows_ = marker_follows_ = false;
    if (!current_.words.empty()) {
      current_.line = current_.words.front().line;
      if (!current_.here_marker.empty()) waiting_.push_back(commands_.size());
      commands_.push_back(std::move(current_));
    }
    current_ = {};
  }

  /// Takes the lines up to the marker out of the text and gives them to the command.
  void read_here_lines(Command& command) {
    command.here_line = line_;
    while (at_ < text_.size()) {
      const auto end = std::min(text_.find('\n', at_), text_.size());
      std::string_view row = text_.substr(at_, end - at_);
      at_ = std::min(end + 1, text_.size());
      ++line_;
      while (row.starts_with('\t')) row.remove_prefix(1);
      if (row == command.here_marker) return;
      command.here_text += std::string(row) + '\n';
    }
  }

  void new_line() {
    end_command();
    ++line_;
    ++at_;
    for (std::size_t index : std::exchange(waiting_, {})) read_here_lines(commands_[index]);
  }

  void quoted(char quote) {
    const auto end_of_line = std::min(text_.find('\n', at_), text_.size());
    const auto end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos || (one_line_quotes_ && end > end_of_line)) {
      letter(quote);
      ++at_;
      return;
    }
    if (!in_word_) {
      word_ = {{}, line_};
      in_word_ = true;
    }
    for (++at_; at_ < end; ++at_) {
      if (text_[at_] == '\n') ++line_;
      word_.text += text_[at_];
    }
    ++at_;
  }

  void backslash() {
    if (next() == '\n') {
      end_word();
      ++line_;
    } else if (next() != '\0') {
      letter(next());
    }
    at_ += 2;
  }

  void operator_sign(char c) {
    if (c == '|') {
      end_word();
      current_.piped = next() != '|';
    }
    end_command();
    ++at_;
  }

  /// Whether the word is a file descriptor before a redirection ("2>").
  [[nodiscard]] bool is_descriptor() const {
    return in_word_ && word_.text.size() == 1 &&
           std::isdigit(static_cast<unsigned char>(word_.text[0])) != 0;
  }

  void redirection(char c) {
    if (is_descriptor()) in_word_ = false;
    end_word();
    if (c == '<' && next() == '<' && next(2) != '<') {
      marker_follows_ = true;
      at_ += next(2) == '-' ? 3 : 2;
    } else {
      target_follows_ = c == '>' && next() != '&';
      at_ += next() == c || next() == '&' ? 2 : 1;
    }
  }

  void step() {
    const char c = text_[at_];
    switch (c) {
      case '\n':
        return new_line();
      case ' ':
      case '\t':
      case '\r':
        end_word();
        ++at_;
        return;
      case '\'':
      case '"':
        return quoted(c);
      case '\\':
        return backslash();
      case '|':
      case ';':
      case '&':
      case '(':
      case ')':
        return operator_sign(c);
      case '<':
      case '>':
        return redirection(c);
      case '#':
        if (!in_word_) {
          at_ = std::min(text_.find('\n', at_), text_.size());
          return;
        }
        break;
      case '$':
        if (next() == '(') {  // what a substitution runs is a command of its own
          letter('$');
          end_word();
          end_command();
          at_ += 2;
          return;
        }
        break;
      default:
        break;
    }
    letter(c);
    ++at_;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int line_;
  bool one_line_quotes_;
  bool in_word_ = false;
  bool target_follows_ = false;
  bool marker_follows_ = false;
  Word word_;
  Command current_;
  std::vector<Command> commands_;
  std::vector<std::size_t> waiting_;  ///< commands whose here-documents begin on the next line
};

}  // namespace

bool has_typographic_sign(std::string_view text) {
  return std::ranges::any_of(signs, [&](const Sign& sign) {
    return text.find(sign.typographic) != std::string_view::npos;
  });
}

std::string plain_signs(std::string_view text) {
  return replaced(text, false);
}

std::string plain_signs_in_place(std::string_view text) {
  return replaced(text, true);
}

std::vector<Command> shell_commands(std::string_view text, int first_line, bool one_line_quotes) {
  return Splitter(text, first_line, one_line_quotes).split();
}

std::string_view base_name(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  });
  return out;
}

}  // namespace tessera::plan::linting
