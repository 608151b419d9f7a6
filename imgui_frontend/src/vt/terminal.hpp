// An xterm-like terminal: bytes from the guest become cells, keys become bytes for the guest. The escape sequences are libvterm's; the
// screen, scrollback and selection are ours. Knows no window and no machine.
// Modelled: what libvterm 0.1 to 0.3 understands, SGR 2 and 8, ED 3, titles, mouse reports, bracketed paste. Not modelled: DCS, double-width
// lines, sixels, palette changes by the guest, re-flow of text on resize.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "screen_buffer.hpp"
#include "selection.hpp"

namespace tuxarium::vt {

enum class CursorShape : std::uint8_t { block, underline, bar };

struct Cursor {
  int row = 0;
  int column = 0;
  bool visible = true;
  bool blink = true;
  CursorShape shape = CursorShape::block;
};

/// Keys without a character of their own.
enum class Key : std::uint8_t {
  enter, tab, backspace, escape, up, down, left, right, insert, del, home, end, page_up, page_down,
  f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12,
};

struct Modifiers {
  bool shift = false;
  bool alt = false;
  bool control = false;
};

enum class MouseMode : std::uint8_t { off, click, drag, move };

class Terminal {
 public:
  static constexpr int kMaxRows = 1000, kMaxColumns = 1000;
  static constexpr std::size_t kMaxOutput = 1u << 20;  ///< bytes waiting for the guest; what does not fit is dropped and counted
  static constexpr std::size_t kMaxReplies = 4096;     ///< replies to queries are dropped while this many bytes wait

  struct Config {
    int rows = 30;                         ///< 1 to kMaxRows
    int columns = 80;                      ///< 1 to kMaxColumns
    std::size_t scrollback_lines = 10000;  ///< the oldest line is dropped
  };

  explicit Terminal(Config config);
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  /// Bytes from the guest; any bytes, in pieces of any size.
  void write(std::span<const std::byte> bytes);

  /// Moves bytes for the guest into `out`; returns how many.
  std::size_t take_output(std::span<std::byte> out);
  /// The bytes that take_output() would give, and its second half: they have been taken.
  std::span<const std::byte> output() const;
  void discard_output(std::size_t count);
  std::uint64_t output_dropped() const;

  void key(Key key, Modifiers modifiers);
  /// A character with the keys held: Control gives its control code, Alt an ESC before it.
  void character(char32_t code_point, Modifiers modifiers);
  /// Text as if typed: line ends become CR, and brackets go around it when the guest asked for them. Control characters other than
  /// line ends and tabs are left out.
  void paste(std::string_view utf8);
  /// Bytes sent as they are.
  void send(std::string_view bytes);
  /// A mouse event at a place of the screen, for a guest that asked for them. Buttons: 1 left, 2 middle, 3 right, 4 and 5 the wheel.
  void mouse(int row, int column, Modifiers modifiers);
  void mouse_button(int button, bool pressed, Modifiers modifiers);

  void resize(int rows, int columns);
  int rows() const;
  int columns() const;

  /// The buffer in view: the main one, or the alternate screen, which has no scrollback.
  const ScreenBuffer& buffer() const;
  Cursor cursor() const;
  bool alternate_screen() const;
  bool reverse_screen() const;
  bool bracketed_paste() const;
  MouseMode mouse_mode() const;
  const std::string& title() const;
  std::uint64_t bell_count() const;

  void select(CellPosition at, SelectionUnit unit);
  void select_to(CellPosition to);
  void clear_selection();
  std::optional<CellRange> selection();
  std::string selected_text();

  /// The screen's rows without trailing blanks, each with a line feed. UTF-8.
  std::string screen_text() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tuxarium::vt
