// Answers to the guest's questions: VT510 Programmer Information, "Reports"; xterm's "Control Sequences".
#include <array>
#include <cstdio>

#include "interpreter.hpp"
#include "rendition.hpp"

namespace tuxarium::vt {

void Interpreter::report_status(const ControlSequence& s) {
  if (s.at(0, 0) == 5) reply("\x1b[0n");
  if (s.at(0, 0) == 6) {
    reply("\x1b[" + std::to_string(screen.reported_row() + 1) + ";" + std::to_string(screen.reported_column() + 1) + "R");
  }
}

void Interpreter::report_private_status(const ControlSequence& s) {
  switch (s.at(0, 0)) {
    case 6: reply("\x1b[?" + std::to_string(screen.reported_row() + 1) + ";" + std::to_string(screen.reported_column() + 1) + ";1R"); break;
    case 15: reply("\x1b[?13n"); break;                // no printer
    case 25: reply("\x1b[?21n"); break;                // user-defined keys are locked
    case 26: reply("\x1b[?27;1;0;0n"); break;          // a North American keyboard
    case 53: case 55: reply("\x1b[?50n"); break;       // no locator
    case 56: reply("\x1b[?57;0n"); break;
    case 62: reply("\x1b[0*{"); break;                 // no space for macros
    case 63: reply("\x1bP" + std::to_string(s.at(1, 0)) + "!~0000\x1b\\"); break;
    case 75: reply("\x1b[?70n"); break;                // no errors
    case 85: reply("\x1b[?83n"); break;                // not configured for several sessions
    default: break;
  }
}

void Interpreter::report_mode(const ControlSequence& s) {
  const int mode = s.at(0, 0);
  const bool of_dec = s.leader == '?';
  const auto value = of_dec ? private_mode(mode) : ansi_mode(mode);
  // Permanent ones: KAM reset, SRM set.
  int state = !value ? 0 : *value ? 1 : 2;
  if (!of_dec && mode == 2) state = 4;
  if (!of_dec && mode == 12) state = 3;
  reply(std::string{"\x1b["} + (of_dec ? "?" : "") + std::to_string(mode) + ";" + std::to_string(state) + "$y");
}

void Interpreter::report_checksum(const ControlSequence& s) {
  const auto area = rectangle(s, 2);
  std::array<char, 8> sum{};
  std::snprintf(sum.data(), sum.size(), "%04X", static_cast<unsigned>(area ? screen.checksum(*area) : 0));
  reply("\x1bP" + std::to_string(s.at(0, 0)) + "!~" + sum.data() + "\x1b\\");
}

void Interpreter::report_tabs() {
  std::string stops;
  for (int c = 0; c < screen.columns() && stops.size() < kMaxReplies / 2; ++c) {
    if (screen.tab_at(c)) stops += (stops.empty() ? "" : "/") + std::to_string(c + 1);
  }
  reply("\x1bP2$u" + stops + "\x1b\\");
}

// DECRQSS.
void Interpreter::report_setting(std::string_view setting) {
  std::string value;
  const auto pair = [](int a, int b) { return std::to_string(a + 1) + ";" + std::to_string(b + 1); };
  if (setting == "m") {
    value = rendition_text(screen.pen, screen.pen_underline);
  } else if (setting == "r") {
    value = pair(screen.top(), screen.bottom());
  } else if (setting == "s") {
    value = pair(screen.left(), screen.right());
  } else if (setting == " q") {
    value = std::to_string(static_cast<int>(cursor_shape) * 2 + (cursor_blink ? 1 : 2));
  } else if (setting == "\"q") {
    value = (screen.pen.attributes & attribute::guarded) != 0 && !screen.modes.erase_spares_guarded ? "1" : "0";
  } else if (setting == "\"p") {
    value = "64;1";
  } else if (setting == "t") {
    value = std::to_string(screen.rows());
  } else if (setting == "$|") {
    value = std::to_string(screen.columns());
  } else if (setting == "*|") {
    value = std::to_string(screen.rows());
  } else if (setting == "*x") {
    value = screen.modes.change_extent_rectangle ? "2" : "1";
  } else {
    reply("\x1bP0$r\x1b\\");
    return;
  }
  reply("\x1bP1$r" + value + std::string{setting} + "\x1b\\");
}

namespace {

std::string from_hex(std::string_view digits) {
  std::string text;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    unsigned value = 0;
    const std::array<char, 3> two{digits[i], digits[i + 1]};
    if (std::sscanf(two.data(), "%2x", &value) != 1) return {};
    text.push_back(static_cast<char>(value));
  }
  return text;
}

std::string to_hex(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    std::array<char, 3> two{};
    std::snprintf(two.data(), two.size(), "%02X", static_cast<unsigned char>(c));
    digits += two.data();
  }
  return digits;
}

}  // namespace

// XTGETTCAP: names in hexadecimal, between semicolons.
void Interpreter::report_capabilities(std::string_view names) {
  while (!names.empty()) {
    const auto end = names.find(';');
    const std::string_view digits = names.substr(0, end);
    names.remove_prefix(end == names.npos ? names.size() : end + 1);
    const std::string name = from_hex(digits);
    const std::string value = name == "TN" || name == "name" ? "xterm-256color" : name == "Co" || name == "colors" ? "256" : name == "RGB" ? "8" : "";
    if (value.empty()) {
      reply("\x1bP0+r\x1b\\");
      return;
    }
    reply("\x1bP1+r" + to_hex(name) + "=" + to_hex(value) + "\x1b\\");
  }
}

void Interpreter::on_device_control_string(const ControlSequence& s, std::string_view data) {
  screen.forget_last();
  if (s.leader != 0 || s.final_byte != 'q') return;
  if (s.intermediate == '$') report_setting(data);
  if (s.intermediate == '+') report_capabilities(data);
}

}  // namespace tuxarium::vt
