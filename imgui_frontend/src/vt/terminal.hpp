// An xterm-like terminal: bytes from the guest become cells, keys become bytes for the guest. Knows no window and no machine.
// The parts: Parser (bytes to control functions), Interpreter (what they do), Screen (editing), ScreenBuffer (cells), input_encoder (keys and
// mouse), Selection. What is modelled and what is not stands in interpreter.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "cell_extras.hpp"
#include "color_table.hpp"
#include "input_encoder.hpp"
#include "interpreter.hpp"
#include "screen_buffer.hpp"
#include "selection.hpp"

namespace tuxarium::vt {

struct Cursor {
  int row = 0;
  int column = 0;
  bool visible = true;
  bool blink = true;
  CursorShape shape = CursorShape::block;
};

class Terminal {
 public:
  static constexpr int kMaxRows = 1000, kMaxColumns = 1000;
  static constexpr std::size_t kMaxOutput = 1u << 20;  ///< bytes waiting for the guest; what does not fit is dropped and counted
  static constexpr std::size_t kMaxReplies = Interpreter::kMaxReplies;  ///< replies to queries are dropped while this many bytes wait

  struct Config {
    int rows = 30;                         ///< 1 to kMaxRows
    int columns = 80;                      ///< 1 to kMaxColumns
    std::size_t scrollback_lines = 10000;  ///< the oldest line is dropped
    bool guest_may_resize = false;         ///< the guest may change the grid (DECCOLM after mode 40, and `CSI 8 t`)
  };

  explicit Terminal(Config config);

  /// Bytes from the guest; any bytes, in pieces of any size.
  void write(std::span<const std::byte> bytes);
  /// Whether the guest holds back an update of the screen (mode 2026), and the end of it, for one that takes too long.
  bool synchronized() const { return interpreter_.synchronized(); }
  void end_synchronized();

  /// Moves bytes for the guest into `out`; returns how many.
  std::size_t take_output(std::span<std::byte> out);
  /// The bytes that take_output() would give, and its second half: they have been taken.
  std::span<const std::byte> output() const;
  void discard_output(std::size_t count);
  std::uint64_t output_dropped() const { return output_dropped_ + interpreter_.replies_dropped; }

  void key(Key key, Modifiers modifiers);
  /// A character with the keys held: Control gives its control code, Alt an ESC before it.
  void character(char32_t code_point, Modifiers modifiers);
  /// Text as if typed: line ends become CR, and brackets go around it when the guest asked for them. Control characters other than
  /// line ends and tabs are left out.
  void paste(std::string_view utf8);
  /// Bytes sent as they are.
  void send(std::string_view bytes);
  /// A mouse event at a place of the screen, for a guest that asked for them. Buttons: 1 left, 2 middle, 3 right, 4 to 7 the wheel.
  void mouse(MousePlace place, Modifiers modifiers);
  void mouse_button(int button, bool pressed, Modifiers modifiers);
  /// The keyboard came or went, for a guest that asked for that.
  void focus(bool in);

  void resize(int rows, int columns);
  int rows() const { return interpreter_.screen.rows(); }
  int columns() const { return interpreter_.screen.columns(); }
  void set_cell_pixels(CellPixels pixels) { interpreter_.cell_pixels = pixels; }

  /// The buffer in view: the main one, or the alternate screen, which has no scrollback.
  const ScreenBuffer& buffer() const { return interpreter_.screen.buffer(); }
  const CellExtras& extras() const { return interpreter_.extras; }
  const ColorTable& colors() const { return interpreter_.colors; }
  void set_standard_colors(const ColorTable::Colors& colors) { interpreter_.colors.set_standard(colors); }
  Cursor cursor() const;
  bool alternate_screen() const { return interpreter_.screen.alternate(); }
  bool reverse_screen() const { return interpreter_.reverse_screen; }
  const InputModes& input_modes() const { return interpreter_.input; }
  bool bracketed_paste() const { return interpreter_.input.bracketed_paste; }
  MouseMode mouse_mode() const { return interpreter_.input.mouse; }
  const std::string& title() const { return interpreter_.title; }
  std::uint64_t bell_count() const { return interpreter_.bells; }

  /// What the guest wants on the user's clipboard (OSC 52); given once.
  std::optional<std::string> take_copied_text() { return std::exchange(interpreter_.copied_text, std::nullopt); }
  /// Whether the guest asked for the clipboard's text; given once. The answer goes back by answer_clipboard().
  bool take_clipboard_question() { return std::exchange(interpreter_.clipboard_asked, false); }
  void answer_clipboard(std::string_view text);

  void select(CellPosition at, SelectionUnit unit, bool block = false);
  void select_to(CellPosition to);
  void clear_selection() { selection_.clear(); }
  std::optional<CellRange> selection() { return selection_.range(buffer()); }
  std::string selected_text() { return selection_.text(buffer()); }

  /// The screen's rows without trailing blanks, each with a line feed. UTF-8.
  std::string screen_text() const;

 private:
  void push_output(std::string_view bytes, std::size_t limit = kMaxOutput);
  void after_write();

  Interpreter interpreter_;
  MouseEncoder mouse_;
  Selection selection_;
  std::string output_;  // for the guest, from output_start_; bounded by kMaxOutput, further bytes are dropped and counted
  std::size_t output_start_ = 0;
  std::uint64_t output_dropped_ = 0;
};

}  // namespace tuxarium::vt
