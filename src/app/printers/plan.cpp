// SPDX-License-Identifier: Apache-2.0
#include "app/printers/plan.h"

#include <cstdio>
#include <ranges>

#include <fmt/format.h>

#include "base/text.h"

namespace tessera::app {

namespace {

/// What a settings file will say, as far as a page of it: a dry run shows each line.
void append_file(std::string& out, const model::Step& step) {
  constexpr std::size_t enough = 40;
  const auto lines = text::lines(step.text);
  for (const auto line : lines | std::views::take(enough)) {
    out += fmt::format("           | {}\n", text::printable(line));
  }
  if (lines.size() > enough)
    out += fmt::format("           and {} more lines\n", lines.size() - enough);
}

void append_steps(std::string& out, std::string_view heading,
                  const std::vector<model::Step>& steps) {
  if (steps.empty()) return;
  out += fmt::format("     {}\n", heading);
  for (const auto& step : steps) {
    out += fmt::format("       {}\n", in_words(step));
    if (step.action == model::Step::Action::write_file) append_file(out, step);
    std::string why = step.reason;
    if (step.word) {
      out += fmt::format("           where {{}} is the word in ( ) of {}, as `{}` says it then\n",
                         step.word->pattern, step.word->tool);
    }
    for (const auto& condition : step.only_if) {
      out += fmt::format("           only if {}\n", in_words(condition));
    }
    if (!why.empty()) out += fmt::format("           {}\n", why);
  }
}

}  // namespace

std::string plan_text(const model::Plan& plan) {
  std::string out = fmt::format("Plan: {}\n", plan.title);
  if (plan.operations.empty()) out += "  Nothing to do.\n";
  int number = 0;
  for (const auto& operation : plan.operations) {
    out += fmt::format("\n  {}. {} {}\n     {}\n", ++number, operation.kind, operation.subject,
                       operation.reason);
    append_steps(out, "do", operation.forward);
    append_steps(out, "undo", operation.undo);
  }
  if (!plan.notes.empty()) out += "\n";
  for (const auto& note : plan.notes) out += fmt::format("  note: {}\n", note);
  return out;
}

void ProgressPrinter::operation_begins(const model::Operation& operation,
                                       apply::Direction direction) {
  fmt::print(stderr, "{}{} {}\n", direction == apply::Direction::undo ? "undo " : "",
             operation.kind, operation.subject);
}

void ProgressPrinter::step_done(const model::Step& step, Milliseconds took) {
  fmt::print(stderr, "  {:>5} ms  {}\n", took.count(), in_words(step));
}

void ProgressPrinter::step_skipped(const model::Step& step) {
  fmt::print(stderr, "  {:>8}  {}\n", "not needed", in_words(step));
}

}  // namespace tessera::app
