#include "terminal.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "utf8.hpp"

namespace tuxarium::vt {
namespace {

constexpr std::string_view kPasteBegin = "\x1b[200~", kPasteEnd = "\x1b[201~";

std::string to_base64(std::string_view text) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string digits;
  digits.reserve((text.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < text.size(); i += 3) {
    unsigned value = 0;
    for (std::size_t k = 0; k < 3; ++k) value = value << 8 | (i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k) digits.push_back(i + k <= text.size() ? kDigits[value >> (18 - 6 * k) & 63] : '=');
  }
  return digits;
}

}  // namespace

Terminal::Terminal(Config config)
    : interpreter_{std::clamp(config.rows, 1, kMaxRows), std::clamp(config.columns, 1, kMaxColumns), config.scrollback_lines} {
  interpreter_.may_resize = config.guest_may_resize;
}

void Terminal::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    // In pieces, so that a change of the grid takes effect before much of what follows it.
    const auto piece = bytes.first(std::min<std::size_t>(bytes.size(), 64u << 10));
    interpreter_.write(piece);
    bytes = bytes.subspan(piece.size());
    after_write();
  }
}

void Terminal::end_synchronized() {
  interpreter_.end_synchronized();
  after_write();
}

void Terminal::after_write() {
  if (!interpreter_.replies.empty()) {
    push_output(interpreter_.replies, kMaxReplies);
    interpreter_.replies.clear();
  }
  if (const auto size = std::exchange(interpreter_.wanted_size, std::nullopt)) resize(size->row, size->column);
}

void Terminal::push_output(std::string_view bytes, std::size_t limit) {
  const std::size_t waiting = output_.size() - output_start_;
  if (bytes.size() > limit || waiting > limit - bytes.size()) {
    output_dropped_ += bytes.size();
    return;
  }
  if (output_start_ > 0 && output_start_ >= output_.size() / 2) {
    output_.erase(0, output_start_);
    output_start_ = 0;
  }
  output_.append(bytes);
}

std::size_t Terminal::take_output(std::span<std::byte> out) {
  const std::size_t count = std::min(out.size(), output().size());
  if (count > 0) std::memcpy(out.data(), output().data(), count);
  discard_output(count);
  return count;
}

std::span<const std::byte> Terminal::output() const { return std::as_bytes(std::span{output_}).subspan(output_start_); }

void Terminal::discard_output(std::size_t count) {
  assert(count <= output().size());
  output_start_ += count;
  if (output_start_ == output_.size()) {
    output_.clear();
    output_start_ = 0;
  }
}

void Terminal::key(Key key, Modifiers modifiers) { push_output(encode_key(key, modifiers, interpreter_.input)); }

void Terminal::character(char32_t code_point, Modifiers modifiers) {
  push_output(encode_character(code_point, modifiers, interpreter_.input));
}

void Terminal::paste(std::string_view utf8) {
  std::string bytes;
  bytes.reserve(utf8.size());
  bool after_cr = false;
  while (!utf8.empty()) {
    const char32_t c = take_utf8(utf8);
    if (c == U'\n' ? !after_cr : c == U'\r') bytes.push_back('\r');
    after_cr = c == U'\r';
    if (c == U'\t' || (c >= 0x20 && c < 0x7F) || c >= 0xA0) append_utf8(bytes, c);
  }
  const bool brackets = interpreter_.input.bracketed_paste;
  const std::size_t around = kPasteBegin.size() + kPasteEnd.size();
  const std::size_t room = kMaxOutput - around - std::min(output().size(), kMaxOutput - around);
  if (bytes.size() > room) {
    output_dropped_ += bytes.size() - room;
    bytes.resize(room);
  }
  if (brackets) push_output(kPasteBegin);
  push_output(bytes);
  if (brackets) push_output(kPasteEnd);
}

void Terminal::send(std::string_view bytes) { push_output(bytes); }

void Terminal::mouse(MousePlace place, Modifiers modifiers) {
  place.row = std::clamp(place.row, 0, rows() - 1);
  place.column = std::clamp(place.column, 0, columns() - 1);
  push_output(mouse_.move(place, modifiers, interpreter_.input));
}

void Terminal::mouse_button(int button, bool pressed, Modifiers modifiers) {
  push_output(mouse_.button(button, pressed, modifiers, interpreter_.input));
}

void Terminal::focus(bool in) {
  if (interpreter_.input.focus_events) push_output(in ? "\x1b[I" : "\x1b[O");
}

void Terminal::resize(int rows, int columns) {
  rows = std::clamp(rows, 1, kMaxRows);
  columns = std::clamp(columns, 1, kMaxColumns);
  if (rows == this->rows() && columns == this->columns()) return;
  interpreter_.screen.resize(rows, columns);
  selection_.clear();
}

Cursor Terminal::cursor() const {
  return {.row = interpreter_.screen.row(),
          .column = interpreter_.screen.column(),
          .visible = interpreter_.cursor_visible,
          .blink = interpreter_.cursor_blink,
          .shape = interpreter_.cursor_shape};
}

void Terminal::answer_clipboard(std::string_view text) {
  push_output("\x1b]52;c;" + to_base64(text.substr(0, kMaxOutput / 2)) + "\x1b\\");
}

void Terminal::select(CellPosition at, SelectionUnit unit, bool block) { selection_.begin(buffer(), at, unit, block); }
void Terminal::select_to(CellPosition to) { selection_.extend(buffer(), to); }

std::string Terminal::screen_text() const {
  std::string text;
  for (int r = 0; r < rows(); ++r) {
    const Row& row = buffer().screen_row(r);
    append_row_text(text, row, 0, row.cells.size(), true);
    text.push_back('\n');
  }
  return text;
}

}  // namespace tuxarium::vt
