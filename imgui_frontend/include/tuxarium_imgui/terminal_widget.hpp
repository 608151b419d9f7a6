// A terminal in a Dear ImGui window: bytes in, bytes out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <tuxarium_imgui/keys.hpp>
#include <tuxarium_imgui/style.hpp>

namespace tuxarium::imgui {

/// Pixels.
struct Extent {
  float width = 0;
  float height = 0;
};

/// Characters.
struct Grid {
  int columns = 80;
  int rows = 30;
};

/// Where keys and text come from.
enum class InputSource : std::uint8_t {
  imgui_io,    ///< Dear ImGui's own input state, once a frame
  host_events  ///< TerminalWidget::push_key() and push_text(), which keep the exact order and lose nothing within a frame
};

/// What the guest may do with the user's clipboard (OSC 52).
enum class GuestClipboard : std::uint8_t { none, write, read_and_write };

/// How marked text is handed out: UTF-8 alone, with the control sequences for its colours and attributes, or as a `pre` element of HTML.
enum class CopyFormat : std::uint8_t { plain, ansi, html };

struct TerminalOptions {
  Grid grid;                             ///< size of the screen; 1 to 1000 each
  bool follow_window = false;            ///< the grid takes the widget's size instead. A serial line tells the guest nothing of it: see grid()
  std::size_t scrollback_lines = 10000;  ///< the oldest line is dropped
  InputSource input = InputSource::imgui_io;

  /// Only for Dear ImGui before 1.87, whose key numbers are those of its backend: gives the index in io.KeysDown of a key, or -1.
  /// Unset: the numbers of GLFW, whose letters are named by their place on a US keyboard.
  std::function<int(Key)> native_key;

  bool copy_on_select = true;            ///< text marked with the mouse goes to the clipboard when the button is released
  GuestClipboard guest_clipboard = GuestClipboard::none;
  bool guest_may_resize = false;         ///< the guest may change the grid: 80 and 132 columns (DECCOLM), `CSI 8 t`

  /// Called with the address of a link (OSC 8, or an address in the text) that the user clicked with Control held: http, https, ftp or mailto,
  /// at most 2048 bytes. Unset: links are not shown as such.
  std::function<void(const std::string& address)> open_link;
};

/// A terminal that is drawn into the host's current window. An object that its caller owns; it keeps no reference to anything.
///
/// Keys while it has the focus: everything goes to the guest, Tab, Escape and arrows included, except Ctrl-Shift-C (copy), Ctrl-Shift-V and
/// Shift-Insert (paste), Ctrl-Shift-F (search), Ctrl with +, - and 0 (zoom), Shift-PageUp and Shift-PageDown (scrollback). Mouse: drag marks
/// text, with Alt a block; double click a word, triple click a line; Shift-click extends; the middle button pastes; the wheel moves
/// through the scrollback and so does the bar on the right; Control-click opens a link. A guest that asked for mouse reports gets them instead;
/// Shift keeps them from it.
///
/// Threading: everything on the thread of the Dear ImGui context.
class TerminalWidget {
 public:
  explicit TerminalWidget(TerminalOptions options = {}, Style style = {});
  ~TerminalWidget();
  TerminalWidget(TerminalWidget&&) noexcept;
  TerminalWidget& operator=(TerminalWidget&&) noexcept;

  /// Bytes from the guest: UTF-8 with escape sequences, in pieces of any size. Any bytes are safe.
  void feed(std::span<const std::byte> bytes);

  /// Bytes for the guest that wait: keys, pastes, replies. At most 1 MiB; what does not fit is dropped and counted.
  std::span<const std::byte> pending_input() const;
  /// The first `count` of them have been delivered; at most pending_input().size().
  void discard_input(std::size_t count);
  /// Both in one: moves up to `out.size()` bytes and returns how many.
  std::size_t take_input(std::span<std::byte> out);
  std::uint64_t dropped_input() const;

  /// Draws and handles input, inside the host's window. `id` is unique there. A size of 0 takes the window's remaining space.
  void draw(const char* id, Extent size = {});

  /// The space that the whole grid needs with the current font, padding included. Call it inside a Dear ImGui frame.
  Extent preferred_extent() const;

  /// The screen's size; with `follow_window` it changes in draw(). A host that can reach the guest may run `stty rows R cols C` there.
  Grid grid() const;
  void set_grid(Grid grid);

  bool focused() const;   ///< as of the latest draw()
  void request_focus();   ///< with the next draw()

  /// What a key press does; text is one character as typed. Take effect at once with InputSource::imgui_io, and with host_events while the widget
  /// has the focus; otherwise they wait for the next draw() and count only if it has the focus then. At most 4096 wait; more are dropped.
  void push_key(Key key, KeyModifiers modifiers);
  void push_text(char32_t character);

  /// UTF-8 as if pasted by the user.
  void paste(std::string_view text);
  /// UTF-8 sent as it is, as if typed.
  void type(std::string_view text);

  /// The screen's rows without trailing blanks, a line feed after each; UTF-8.
  std::string screen_text() const;
  /// Marked with the mouse; empty when nothing is.
  std::string selected_text(CopyFormat format = CopyFormat::plain) const;
  const std::string& title() const;       ///< set by the guest; at most 256 bytes of UTF-8
  std::uint64_t bell_count() const;
  std::size_t lines_scrolled_back() const;  ///< 0: the view is at the bottom
  std::uint64_t generation() const;         ///< changes whenever the content of the screen does
  int cursor_row() const;
  int cursor_column() const;

  /// Opens the search bar. With a text, it shows the last match of it.
  void find(std::string_view text = {}, bool regular_expression = false);

  /// Size of the font as a multiple of the host's; 0.4 to 5.
  float zoom() const;
  void set_zoom(float factor);

  Style& style();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tuxarium::imgui
