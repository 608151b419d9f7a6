// OSC: titles, colours, links and the clipboard. xterm's "Control Sequences", "Operating System Commands"; RFC 4648 (base64).
#include <array>
#include <charconv>
#include <utility>

#include "interpreter.hpp"

namespace tuxarium::vt {
namespace {

// The part up to the next semicolon, taken off the front.
std::string_view take_field(std::string_view& text) {
  const auto end = text.find(';');
  const std::string_view field = text.substr(0, end);
  text.remove_prefix(end == text.npos ? text.size() : end + 1);
  return field;
}

std::optional<unsigned> number(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// UTF-8 without control characters, at most `limit` bytes.
std::string clean(std::string_view text, std::size_t limit) {
  std::string kept;
  while (!text.empty()) {
    const char32_t c = take_utf8(text);
    std::array<char, 4> bytes{};
    const auto size = encode_utf8(c, bytes.data());
    if (kept.size() + size > limit) break;
    if (c >= 0x20 && (c < 0x7F || c >= 0xA0)) kept.append(bytes.data(), size);
  }
  return kept;
}

std::optional<std::string> from_base64(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  unsigned value = 0, bits = 0;
  for (const char c : text) {
    unsigned digit = 0;
    if (c >= 'A' && c <= 'Z') {
      digit = static_cast<unsigned>(c - 'A');
    } else if (c >= 'a' && c <= 'z') {
      digit = static_cast<unsigned>(c - 'a') + 26;
    } else if (c >= '0' && c <= '9') {
      digit = static_cast<unsigned>(c - '0') + 52;
    } else if (c == '+' || c == '/') {
      digit = c == '+' ? 62 : 63;
    } else if (c == '=') {
      break;
    } else {
      return std::nullopt;
    }
    value = (value << 6 | digit) & 0xFFFFFF;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes.push_back(static_cast<char>(value >> bits & 0xFF));
    }
  }
  return bytes;
}

}  // namespace

void Interpreter::on_operating_system_command(std::string_view text) {
  screen.forget_last();
  const auto which = number(take_field(text));
  if (!which) return;
  switch (*which) {
    case 0: case 2: set_title(text); break;
    case 4: palette_command(text); break;
    case 8: link_command(text); break;
    case 10: case 11: case 12: standard_colors_command(ColorTable::kForeground + *which - 10, text); break;
    case 52: clipboard_command(text); break;
    case 104:
      if (text.empty()) {
        for (std::size_t i = 0; i < 256; ++i) colors.restore(i);
      }
      while (!text.empty()) {
        const auto index = number(take_field(text));
        if (index && *index < 256) colors.restore(*index);
      }
      break;
    case 110: case 111: case 112: colors.restore(ColorTable::kForeground + *which - 110); break;
    default: break;
  }
}

void Interpreter::set_title(std::string_view text) { title = clean(text, kMaxTitle); }

// Pairs of index and colour, or `?` for a question.
void Interpreter::palette_command(std::string_view arguments) {
  while (!arguments.empty()) {
    const std::string_view digits = take_field(arguments);
    const auto index = number(digits);
    const std::string_view value = take_field(arguments);
    if (!index || *index >= 256) continue;
    if (value == "?") {
      reply("\x1b]4;" + std::to_string(*index) + ";" + color_text(colors[*index]) + "\x1b\\");
    } else if (const auto color = parse_color(value)) {
      colors.set(*index, *color);
    }
  }
}

// Colours of text, ground and cursor, each further one for the next of them.
void Interpreter::standard_colors_command(std::size_t first, std::string_view arguments) {
  for (std::size_t which = first; which < ColorTable::kCount && !arguments.empty(); ++which) {
    const std::string_view value = take_field(arguments);
    if (value == "?") {
      reply("\x1b]" + std::to_string(which - ColorTable::kForeground + 10) + ";" + color_text(colors[which]) + "\x1b\\");
    } else if (const auto color = parse_color(value)) {
      colors.set(which, *color);
    }
  }
}

// Parameters `key=value` between colons, then the URI; an empty one ends the link.
void Interpreter::link_command(std::string_view arguments) {
  std::string_view parameters = take_field(arguments);
  link_ = arguments.size() <= CellExtras::kMaxLink ? clean(arguments, CellExtras::kMaxLink) : std::string{};
  link_id_.clear();
  while (!parameters.empty()) {
    const auto end = parameters.find(':');
    const std::string_view parameter = parameters.substr(0, end);
    parameters.remove_prefix(end == parameters.npos ? parameters.size() : end + 1);
    if (parameter.starts_with("id=") && parameter.size() <= CellExtras::kMaxId) link_id_ = parameter.substr(3);
  }
  if (link_.empty()) link_id_.clear();
  refresh_pen();
}

void Interpreter::clipboard_command(std::string_view arguments) {
  take_field(arguments);  // which of the selections: we have one
  if (arguments == "?") {
    clipboard_asked = true;
  } else if (auto text = from_base64(arguments)) {
    copied_text = std::move(*text);
  }
}

}  // namespace tuxarium::vt
