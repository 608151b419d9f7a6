// The `--expect` and `--send` steps of a run, worked through in order.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <tuxarium/result.hpp>

#include "stream_regex.hpp"

namespace tuxarium::app {

struct ScriptStep {
  enum class Kind : std::uint8_t { expect, send };
  Kind kind = Kind::expect;
  std::string text;  ///< as on the command line
};

/// Looks at the console's output and says what is to be typed. An `expect` is matched against what came since the match before it, so
/// output is never looked at twice and none is missed between two steps.
class Script {
 public:
  /// Compiles every step; fails with a sentence that names the first that is malformed.
  static Result<Script> make(const std::vector<ScriptStep>& steps);

  bool has_steps() const { return !steps_.empty(); }

  /// Every step is done, and everything to be sent has been taken by take_input().
  bool finished() const { return current_ == steps_.size() && input_.empty(); }

  /// Output of the console, in order.
  void output(std::string_view bytes);

  /// The guest waits and no output is on its way: `$` holds here.
  void pause();

  /// What is to be typed next; the caller removes what the guest's serial port took.
  const std::string& input() const { return input_; }
  void take_input(std::size_t count) { input_.erase(0, count); }

  /// The step that is waited for, for messages; empty when finished.
  std::string waiting_for() const;

 private:
  struct Step {
    ScriptStep source;
    std::string bytes;               // send
    std::vector<StreamRegex> regex;  // expect: one
  };
  void begin_steps();
  void note_line_start(std::string_view seen);

  std::vector<Step> steps_;
  std::size_t current_ = 0;
  std::string input_;
  bool at_line_start_ = true;
};

}  // namespace tuxarium::app
