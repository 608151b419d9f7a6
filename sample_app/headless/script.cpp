#include "script.hpp"

#include <utility>

#include "escapes.hpp"
#include "sentences.hpp"

namespace tuxarium::app {

Result<Script> Script::make(const std::vector<ScriptStep>& steps) {
  Script script;
  for (const ScriptStep& source : steps) {
    Step step{source, {}, {}};
    if (source.kind == ScriptStep::Kind::send) {
      auto bytes = unescape(source.text);
      if (!bytes) return usage_error("--send: " + bytes.error().message);
      step.bytes = std::move(bytes).value();
    } else {
      auto regex = StreamRegex::compile(source.text);
      if (!regex) return usage_error("--expect: " + regex.error().message);
      step.regex.push_back(std::move(regex).value());
    }
    script.steps_.push_back(std::move(step));
  }
  script.begin_steps();
  return script;
}

/// Does all sends that are due and readies the next expect.
void Script::begin_steps() {
  for (; current_ < steps_.size() && steps_[current_].source.kind == ScriptStep::Kind::send; ++current_) input_ += steps_[current_].bytes;
  if (current_ < steps_.size()) steps_[current_].regex.front().restart(at_line_start_);
}

void Script::note_line_start(std::string_view seen) {
  if (!seen.empty()) at_line_start_ = seen.back() == '\n' || seen.back() == '\r';
}

void Script::output(std::string_view bytes) {
  while (!bytes.empty() && current_ < steps_.size()) {
    std::size_t used = 0;
    const bool matched = steps_[current_].regex.front().feed(bytes, used);
    note_line_start(bytes.substr(0, used));
    bytes.remove_prefix(used);
    if (!matched) return;
    ++current_;
    begin_steps();
  }
}

void Script::pause() {
  if (current_ == steps_.size() || !steps_[current_].regex.front().matches_at_pause()) return;
  ++current_;
  begin_steps();
}

std::string Script::waiting_for() const {
  if (current_ < steps_.size()) return "--expect " + in_quotes(steps_[current_].source.text);
  return input_.empty() ? std::string{} : "the guest to take what was sent";
}

}  // namespace tuxarium::app
