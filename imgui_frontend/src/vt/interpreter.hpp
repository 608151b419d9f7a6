// What the guest's bytes do: control functions become calls on the Screen, changes of modes, and replies.
// Documents: xterm's "Control Sequences", VT510 Programmer Information, ECMA-48 5th edition, VT100 user guide (VT52 mode); OSC 8 as in "Hyperlinks in
// terminal emulators"; mode 2026 as in "Terminal synchronized output".
// Not modelled: sixels and other graphics, printing, soft fonts and macros, highlight tracking (mode 1001), reports of title and window place
// (they would let a guest type for the user).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cell_extras.hpp"
#include "color_table.hpp"
#include "input_encoder.hpp"
#include "parser.hpp"
#include "screen.hpp"

namespace tuxarium::vt {

enum class CursorShape : std::uint8_t { block, underline, bar };

/// Pixels of one cell, for guests that ask.
struct CellPixels {
  int width = 0, height = 0;
};

class Interpreter {
 public:
  static constexpr std::size_t kMaxTitle = 256;    ///< bytes of a title; the rest is dropped
  static constexpr std::size_t kMaxTitles = 10;    ///< titles pushed; the oldest is dropped
  static constexpr std::size_t kMaxHeld = 1u << 20;  ///< bytes of a synchronized update; at the bound it is shown
  static constexpr std::size_t kMaxReplies = 4096;   ///< bytes of replies in one write(); what does not fit is dropped and counted

  Interpreter(int rows, int columns, std::size_t scrollback) : screen{rows, columns, scrollback} {}

  void write(std::span<const std::byte> bytes);

  /// Shows what a synchronized update (mode 2026) has held back, and ends it.
  void end_synchronized();
  bool synchronized() const { return synchronized_; }

  /// Replies of the latest write(); the caller empties it.
  std::string replies;
  std::uint64_t replies_dropped = 0;

  Screen screen;
  InputModes input;
  ColorTable colors;
  CellExtras extras;
  bool cursor_visible = true, cursor_blink = true;
  CursorShape cursor_shape = CursorShape::block;
  bool reverse_screen = false;
  std::string title;
  std::uint64_t bells = 0;
  CellPixels cell_pixels;
  bool may_resize = false;  ///< the guest may change the size of the grid
  std::optional<ScreenBuffer::Place> wanted_size;  ///< rows and columns that it asked for; the caller takes it
  std::optional<std::string> copied_text;          ///< text for the user's clipboard (OSC 52); the caller takes it
  bool clipboard_asked = false;                    ///< the guest wants to read the clipboard; the caller resets it

  // --- from the parser
  void on_ascii(std::string_view text) { screen.write_ascii(text); }
  void on_character(char32_t character) { screen.write(character); }
  void on_control(unsigned char control);
  void on_escape(char intermediate, char final_byte);
  void on_control_sequence(const ControlSequence& s);
  void on_operating_system_command(std::string_view text);
  void on_device_control_string(const ControlSequence& s, std::string_view data);
  void on_vt52(char final_byte, int row, int column);
  bool interrupted() const { return synchronized_; }

 private:
  void reset();
  void reply(std::string_view bytes);

  // interpreter.cpp
  void plain_sequence(const ControlSequence& s);
  void sequence_with_intermediate(const ControlSequence& s);
  void rectangle_sequence(const ControlSequence& s);
  void other_leader_sequence(const ControlSequence& s);
  std::optional<Area> rectangle(const ControlSequence& s, std::size_t first) const;
  void mark_rectangle(const ControlSequence& s, bool reverse);
  void set_cursor_style(int style);
  void window_operation(const ControlSequence& s);
  void refresh_pen();
  void free_extras();

  // modes.cpp
  void set_modes(const ControlSequence& s, bool on);
  void set_ansi_mode(int mode, bool on);
  void set_private_mode(int mode, bool on);
  void set_mouse(MouseMode mode, bool on);
  void set_mouse_format(MouseFormat format, bool on);
  void set_column_mode(bool wide);
  std::optional<bool> ansi_mode(int mode) const;
  std::optional<bool> private_mode(int mode) const;
  void save_modes(const ControlSequence& s);
  void restore_modes(const ControlSequence& s);

  // reports.cpp
  void report_status(const ControlSequence& s);
  void report_private_status(const ControlSequence& s);
  void report_mode(const ControlSequence& s);
  void report_checksum(const ControlSequence& s);
  void report_setting(std::string_view setting);
  void report_capabilities(std::string_view names);
  void report_tabs();

  // operating_system_commands.cpp
  void set_title(std::string_view text);
  void palette_command(std::string_view arguments);
  void standard_colors_command(std::size_t first, std::string_view arguments);
  void link_command(std::string_view arguments);
  void clipboard_command(std::string_view arguments);

  Parser<Interpreter> parser_;
  std::string held_;  // bytes of a synchronized update; bounded by kMaxHeld
  bool synchronized_ = false;
  bool may_change_columns_ = false;  // mode 40
  bool column_mode_ = false;         // DECCOLM
  bool keeps_screen_ = false;        // DECNCSM
  std::string link_, link_id_;
  std::vector<std::string> titles_;
  std::vector<std::pair<int, bool>> saved_modes_;  // one entry for each known mode at the most
  unsigned full_tries_ = 0;
};

}  // namespace tuxarium::vt
