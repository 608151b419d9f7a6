#include "script.hpp"

namespace tuxarium::viewer {

bool Script::matches(const std::regex& expression, imgui::TerminalWidget& terminal) {
  if (terminal.generation() != generation_) {
    generation_ = terminal.generation();
    screen_ = terminal.screen_text();
  }
  return std::regex_search(screen_, expression);
}

void Script::type_what_is_due(imgui::TerminalWidget& terminal) {
  while (typed_ < options_.typing.size()) {
    const Typing& next = options_.typing[typed_];
    if (next.after && !matches(*next.after, terminal)) return;
    terminal.type(next.text);
    ++typed_;
    if (next.after) return;  // the same text on the screen does not serve two
  }
}

bool Script::screenshot_is_due(imgui::TerminalWidget* terminal) {
  if (screenshot_done_ || (!options_.after_seconds && !options_.after_regex) || typed_ < options_.typing.size()) return false;
  if (options_.after_seconds && Clock::now() - start_ < std::chrono::duration<double>(*options_.after_seconds)) return false;
  if (options_.after_regex && (terminal == nullptr || !matches(*options_.after_regex, *terminal))) return false;
  screenshot_done_ = true;
  return true;
}

Script::Step Script::step(imgui::TerminalWidget* terminal) {
  if (terminal != nullptr) type_what_is_due(*terminal);
  if (screenshot_is_due(terminal)) return Step::take_screenshot;
  if (options_.timeout_seconds && Clock::now() - start_ > std::chrono::duration<double>(*options_.timeout_seconds)) return Step::timed_out;
  return Step::go_on;
}

}  // namespace tuxarium::viewer
