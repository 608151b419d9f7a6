#include <tuxarium_imgui/terminal_widget.hpp>

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "grid_renderer.hpp"
#include "imgui_compat.hpp"
#include "key_map.hpp"
#include "search_bar.hpp"
#include "vt/formatted_text.hpp"
#include "vt/search.hpp"
#include "vt/terminal.hpp"

namespace tuxarium::imgui {
namespace {

constexpr std::size_t kMaxEvents = 4096;
constexpr int kWheelLines = 3;
constexpr int kMinFollowedColumns = 2;
constexpr float kMinZoom = 0.4f, kMaxZoom = 5, kZoomStep = 1.1f;
constexpr float kScrollBarWidth = 9;
constexpr float kScrollLinesPerSecond = 20;    // while text is marked beyond the edge
constexpr double kMaxSynchronizedSeconds = 0.2;  // that a guest may hold back an update
constexpr int kVerticesInOneCommand = 60'000;  // below what a 16-bit index reaches, with room for cursor and scroll indicator

vt::Modifiers to_vt(KeyModifiers m) { return {.shift = m.shift, .alt = m.alt, .control = m.control}; }

KeyModifiers held_modifiers() {
  const ImGuiIO& io = ImGui::GetIO();
  return {.shift = io.KeyShift, .alt = io.KeyAlt, .control = io.KeyCtrl};
}

// Whether a guest's link may go to the host.
bool may_be_opened(std::string_view address) {
  for (const std::string_view scheme : {"http://", "https://", "ftp://", "mailto:"}) {
    if (address.starts_with(scheme)) return true;
  }
  return false;
}

struct Event {
  Key key = Key::count;  // Key::count: text
  KeyModifiers modifiers;
  char32_t character = 0;
};

}  // namespace

class TerminalWidget::Impl {
 public:
  Impl(TerminalOptions options, Style style)
      : options_{std::move(options)},
        style_{style},
        terminal_{{.rows = options_.grid.rows, .columns = options_.grid.columns, .scrollback_lines = options_.scrollback_lines,
                   .guest_may_resize = options_.guest_may_resize}},
        renderer_{style} {}

  void draw(const char* id, Extent size);
  Extent preferred_extent() const;
  void key(Key key, KeyModifiers modifiers);
  void text(char32_t character);
  void paste(std::string_view text);
  void push(Event event);

  TerminalOptions options_;
  Style style_;
  mutable vt::Terminal terminal_;  // asking for the selection may end it
  GridRenderer renderer_;
  bool focused_ = false;
  bool focus_requested_ = false;
  std::optional<std::uint64_t> view_line_;  // first line shown while scrolled back
  float zoom_ = 1;

  void resize(int rows, int columns);
  void find(std::string_view text, bool regular_expression);
  void set_zoom(float factor) { zoom_ = std::clamp(factor, kMinZoom, kMaxZoom); }

  std::uint64_t top_line(int visible_rows) const;

 private:
  // Where things are in this frame.
  struct Layout {
    CellSize cell;
    ImVec2 window_min, window_max;
    ImVec2 origin;  // of the first cell shown
    int rows = 0;   // shown
    int columns = 0;
  };

  Layout lay_out() const;
  void follow_window();
  void update_focus(ImGuiWindow* window, ImGuiID item, bool hovered);
  void read_keyboard();
  void apply_events();
  void apply(const Event& event);
  bool shortcut(Key key, KeyModifiers modifiers);
  void before_input();
  void copy_selection() const;

  vt::CellPosition cell_under_mouse(const Layout& layout) const;
  void read_mouse(const Layout& layout, bool hovered);
  void report_mouse(const Layout& layout, bool hovered);
  void mark_with_mouse(const Layout& layout, bool hovered);
  void read_wheel(bool hovered);
  void scroll_back(std::int64_t lines);

  bool drag_scroll_bar(const Layout& layout, bool hovered);
  bool follow_link(const Layout& layout, bool hovered);
  void look_for_matches(const Layout& layout);
  void take_search_action(SearchBar::Action action);
  void serve_guest();

  void paint(const Layout& layout, bool hovered);
  GridRenderer::View make_view(const Layout& layout);
  void paint_cells(const Layout& layout, const GridRenderer::View& view);
  void paint_scroll_indicator(const Layout& layout, bool hovered) const;

  std::vector<Event> events_;  // at most kMaxEvents; more are dropped
  std::optional<vt::CellPosition> pressed_at_;
  bool marking_ = false;
  unsigned reported_buttons_ = 0;  // bit n: the guest knows that button n is down
  float wheel_ = 0;
  double last_input_ = 0;
  int shown_rows_ = 0;
  bool was_alternate_ = false;
  bool dragging_bar_ = false;
  float dragged_lines_ = 0;  // less than one, not scrolled yet
  std::uint64_t bells_seen_ = 0;
  double bell_until_ = -1, synchronized_since_ = -1;
  SearchBar search_bar_;
  vt::Search search_;
  std::vector<vt::CellRange> matches_;  // those in view
  std::uint64_t matches_generation_ = 0, matches_top_ = 0;
  bool matches_stale_ = true;
  std::optional<vt::FoundAddress> address_;  // under the mouse
  std::uint16_t link_ = 0;                   // the same, as a cell's extra
};

// --- layout

Extent TerminalWidget::Impl::preferred_extent() const {
  const CellSize cell = cell_size(style_, zoom_);
  return {static_cast<float>(terminal_.columns()) * cell.width + 2 * style_.padding,
          static_cast<float>(terminal_.rows()) * cell.height + 2 * style_.padding};
}

void TerminalWidget::Impl::follow_window() {
  const CellSize cell = cell_size(style_);
  const ImVec2 size = ImGui::GetWindowSize();
  const auto fitting = [&](float pixels, float one) { return static_cast<int>((pixels - 2 * style_.padding) / one); };
  resize(std::max(fitting(size.y, cell.height), 1), std::max(fitting(size.x, cell.width), kMinFollowedColumns));
}

// What is in view stays in view, counted from the end.
void TerminalWidget::Impl::resize(int rows, int columns) {
  const std::uint64_t back = view_line_ ? terminal_.buffer().end_line() - std::min(*view_line_, terminal_.buffer().end_line()) : 0;
  const auto generation = terminal_.buffer().generation();
  terminal_.resize(rows, columns);
  if (terminal_.buffer().generation() == generation) return;
  matches_stale_ = true;
  search_.forget_current();
  if (view_line_) view_line_ = terminal_.buffer().end_line() - std::min(back, terminal_.buffer().end_line());
}

TerminalWidget::Impl::Layout TerminalWidget::Impl::lay_out() const {
  Layout layout;
  layout.cell = cell_size(style_);
  layout.window_min = ImGui::GetWindowPos();
  const ImVec2 size = ImGui::GetWindowSize();
  layout.window_max = {layout.window_min.x + size.x, layout.window_min.y + size.y};
  const ImVec2 inner{std::max(0.0f, size.x - 2 * style_.padding), std::max(0.0f, size.y - 2 * style_.padding)};
  layout.rows = std::clamp(static_cast<int>(inner.y / layout.cell.height), 1, terminal_.rows());
  layout.columns = std::clamp(static_cast<int>(inner.x / layout.cell.width), 1, terminal_.columns());
  const auto centred = [](float room, float used) { return std::floor(std::max(0.0f, room - used) * 0.5f); };
  layout.origin = {
      std::floor(layout.window_min.x + style_.padding + centred(inner.x, static_cast<float>(layout.columns) * layout.cell.width)),
      std::floor(layout.window_min.y + style_.padding + centred(inner.y, static_cast<float>(layout.rows) * layout.cell.height))};
  return layout;
}

// The view follows the cursor when the widget is too low for the whole screen.
std::uint64_t TerminalWidget::Impl::top_line(int visible_rows) const {
  const vt::ScreenBuffer& buffer = terminal_.buffer();
  const int hidden = std::clamp(terminal_.cursor().row - visible_rows + 1, 0, std::max(0, terminal_.rows() - visible_rows));
  const std::uint64_t bottom = buffer.screen_line() + static_cast<std::uint64_t>(hidden);
  return view_line_ ? std::clamp(*view_line_, buffer.first_line(), bottom) : bottom;
}

void TerminalWidget::Impl::scroll_back(std::int64_t lines) {
  const auto top = static_cast<std::int64_t>(top_line(shown_rows_));
  view_line_.reset();
  const auto bottom = static_cast<std::int64_t>(top_line(shown_rows_));
  const auto first = static_cast<std::int64_t>(terminal_.buffer().first_line());
  const std::int64_t wanted = std::clamp(top - lines, first, bottom);
  if (wanted < bottom) view_line_ = static_cast<std::uint64_t>(wanted);
}

// --- focus and keyboard

// Like a text field, the terminal is the active item while it has the keyboard; that keeps navigation and shortcuts of others away.
void TerminalWidget::Impl::update_focus(ImGuiWindow* window, ImGuiID item, bool hovered) {
  ImGuiContext& g = *ImGui::GetCurrentContext();
  const ImGuiIO& io = g.IO;
  const bool clicked = io.MouseClicked[0] || io.MouseClicked[1] || io.MouseClicked[2];
  const bool held = io.MouseDown[0] || io.MouseDown[1] || io.MouseDown[2];
  if (clicked && hovered) {
    ImGui::FocusWindow(window);
    ImGui::SetActiveID(item, window);
  } else if (g.ActiveId == item && (clicked || !ImGui::IsWindowFocused())) {
    ImGui::ClearActiveID();
  } else if (g.ActiveId == 0 && ImGui::IsWindowFocused() && !held) {
    ImGui::SetActiveID(item, window);
  }
  const bool had_focus = focused_;
  focused_ = g.ActiveId == item;
  if (focused_ != had_focus) terminal_.focus(focused_);
  if (!focused_) return;
  if (!had_focus) last_input_ = ImGui::GetTime();
  g.ActiveIdAllowOverlap = !held;
  keep_all_keys();
}

void TerminalWidget::Impl::push(Event event) {
  if (focused_ && events_.empty() && !focus_requested_ && options_.input == InputSource::host_events) return apply(event);
  if (events_.size() < kMaxEvents) events_.push_back(event);
}

void TerminalWidget::Impl::read_keyboard() {
  if (options_.input != InputSource::imgui_io) return;
  const ImGuiIO& io = ImGui::GetIO();
  const KeyModifiers held = held_modifiers();
  // Control with Alt and a character at once is AltGr; Alt alone makes characters on a Mac.
  const bool has_text = io.InputQueueCharacters.Size > 0;
  const bool composed = has_text && held.alt && (held.control || io.ConfigMacOSXBehaviors);
  const bool plain = !held.control && !held.alt;
  if (plain || composed) {
    for (const ImWchar c : io.InputQueueCharacters) {
      if (c >= 0x20 && c != 0x7F) push({.key = Key::count, .modifiers = {}, .character = c});
    }
  }
  for (int k = 0; k < static_cast<int>(Key::count); ++k) {
    const Key key = static_cast<Key>(k);
    if (key_character(key, false) != 0 && (plain || composed)) continue;
    const bool keypad = key >= Key::keypad_0 && key <= Key::keypad_equal && key != Key::keypad_enter;
    // With Num Lock it comes as text, whose repetitions are not those of the key.
    if (keypad && has_text) continue;
    const int index = options_.native_key ? options_.native_key(key) : default_imgui_key(key);
    if (index < 0) continue;
#if IMGUI_VERSION_NUM >= 18700
    if (default_imgui_key(key) < 0) continue;
    const bool pressed = ImGui::IsKeyPressed(static_cast<ImGuiKey>(default_imgui_key(key)), !keypad);
#else
    const bool pressed = index < IM_ARRAYSIZE(io.KeysDown) && ImGui::IsKeyPressed(index, !keypad);
#endif
    if (pressed) push({.key = key, .modifiers = held, .character = 0});
  }
}

void TerminalWidget::Impl::apply_events() {
  for (const Event& event : events_) {
    if (!focused_) break;
    apply(event);
  }
  events_.clear();
}

void TerminalWidget::Impl::apply(const Event& event) {
  if (event.key == Key::count) {
    text(event.character);
  } else {
    key(event.key, event.modifiers);
  }
}

void TerminalWidget::Impl::before_input() {
  view_line_.reset();
  if (ImGui::GetCurrentContext() != nullptr) last_input_ = ImGui::GetTime();
}

void TerminalWidget::Impl::text(char32_t character) {
  before_input();
  terminal_.character(character, {});
}

void TerminalWidget::Impl::key(Key key, KeyModifiers modifiers) {
  if (shortcut(key, modifiers)) return;
  if (const auto special = terminal_key(key)) {
    before_input();
    terminal_.key(*special, to_vt(modifiers));
  } else if (modifiers.control || modifiers.alt) {
    before_input();
    const char32_t plain = key_character(key, false);
    const bool letter = plain >= U'a' && plain <= U'z';
    terminal_.character(key_character(key, modifiers.shift && !(letter && modifiers.control)), to_vt(modifiers));
  }
}

bool TerminalWidget::Impl::shortcut(Key key, KeyModifiers modifiers) {
  const bool shift_only = modifiers.shift && !modifiers.control && !modifiers.alt;
  const bool control_shift = modifiers.shift && modifiers.control && !modifiers.alt;
  const bool control_only = modifiers.control && !modifiers.shift && !modifiers.alt;
  if (control_shift && key == Key::c) {
    copy_selection();
  } else if ((control_shift && key == Key::v) || (shift_only && key == Key::insert)) {
    if (const char* text = ImGui::GetClipboardText()) paste(text);
  } else if (control_shift && key == Key::f) {
    find({}, search_bar_.regular_expression());
  } else if (control_only && (key == Key::equal || key == Key::keypad_add)) {
    set_zoom(zoom_ * kZoomStep);
  } else if (control_shift && key == Key::equal) {
    set_zoom(zoom_ * kZoomStep);
  } else if (control_only && (key == Key::minus || key == Key::keypad_subtract)) {
    set_zoom(zoom_ / kZoomStep);
  } else if (control_only && (key == Key::digit_0 || key == Key::keypad_0)) {
    set_zoom(1);
  } else if (shift_only && key == Key::page_up && !terminal_.alternate_screen()) {
    scroll_back(std::max(1, shown_rows_ - 1));
  } else if (shift_only && key == Key::page_down && !terminal_.alternate_screen()) {
    scroll_back(-std::max(1, shown_rows_ - 1));
  } else {
    return false;
  }
  return true;
}

void TerminalWidget::Impl::paste(std::string_view text) {
  before_input();
  terminal_.paste(text);
}

void TerminalWidget::Impl::copy_selection() const {
  const std::string text = terminal_.selected_text();
  if (!text.empty()) ImGui::SetClipboardText(text.c_str());
}

// --- mouse

vt::CellPosition TerminalWidget::Impl::cell_under_mouse(const Layout& layout) const {
  const ImVec2 mouse = ImGui::GetIO().MousePos;
  const auto place = [](float pixels, float one, int count) {
    return static_cast<int>(std::clamp(std::floor(pixels / one), 0.0f, static_cast<float>(count - 1)));
  };
  const int row = place(mouse.y - layout.origin.y, layout.cell.height, layout.rows);
  return {top_line(layout.rows) + static_cast<std::uint64_t>(row), place(mouse.x - layout.origin.x, layout.cell.width, layout.columns)};
}

void TerminalWidget::Impl::read_mouse(const Layout& layout, bool hovered) {
  if (drag_scroll_bar(layout, hovered) || follow_link(layout, hovered)) return read_wheel(hovered);
  const bool guest_wants = terminal_.mouse_mode() != vt::MouseMode::off && !ImGui::GetIO().KeyShift && !marking_;
  if (guest_wants || reported_buttons_ != 0) {
    report_mouse(layout, hovered);
  } else {
    mark_with_mouse(layout, hovered);
    if (hovered && ImGui::IsMouseClicked(2)) {
      if (const char* text = ImGui::GetClipboardText()) paste(text);
    }
  }
  read_wheel(hovered);
}

void TerminalWidget::Impl::report_mouse(const Layout& layout, bool hovered) {
  const vt::CellPosition at = cell_under_mouse(layout);
  const std::uint64_t screen = terminal_.buffer().screen_line();
  const vt::Modifiers held = to_vt(held_modifiers());
  if (at.line >= screen && (hovered || reported_buttons_ != 0)) {
    const ImVec2 mouse = ImGui::GetIO().MousePos;
    terminal_.mouse({.row = static_cast<int>(at.line - screen),
                     .column = at.column,
                     .x = static_cast<int>(mouse.x - layout.origin.x),
                     .y = static_cast<int>(mouse.y - layout.origin.y)},
                    held);
  }
  constexpr std::array<int, 3> kGuestButton{1, 3, 2};  // Dear ImGui counts left, right, middle
  for (int b = 0; b < 3; ++b) {
    const unsigned bit = 1u << b;
    const int button = kGuestButton[static_cast<std::size_t>(b)];
    if (hovered && ImGui::IsMouseClicked(b)) {
      terminal_.mouse_button(button, true, held);
      reported_buttons_ |= bit;
    } else if ((reported_buttons_ & bit) != 0 && !ImGui::IsMouseDown(b)) {
      terminal_.mouse_button(button, false, held);
      reported_buttons_ &= ~bit;
    }
  }
}

void TerminalWidget::Impl::mark_with_mouse(const Layout& layout, bool hovered) {
  const vt::CellPosition at = cell_under_mouse(layout);
  if (hovered && ImGui::IsMouseClicked(0)) {
    const int clicks = ImGui::GetMouseClickedCount(0);
    const bool extends = clicks == 1 && ImGui::GetIO().KeyShift && terminal_.selection().has_value();
    if (!extends) terminal_.clear_selection();
    pressed_at_ = at;
    dragged_lines_ = 0;
    marking_ = clicks > 1 || extends;
    if (clicks > 1) terminal_.select(at, clicks == 2 ? vt::SelectionUnit::word : vt::SelectionUnit::line);
  }
  if (!pressed_at_) return;
  if (!ImGui::IsMouseDown(0)) {
    if (marking_ && options_.copy_on_select) copy_selection();
    pressed_at_.reset();
    marking_ = false;
    return;
  }
  if (!marking_ && at != *pressed_at_) {
    terminal_.select(*pressed_at_, vt::SelectionUnit::character, ImGui::GetIO().KeyAlt);
    marking_ = true;
  }
  if (!marking_) return;
  const float y = ImGui::GetIO().MousePos.y;
  const float beyond = y < layout.window_min.y ? layout.window_min.y - y : y > layout.window_max.y ? layout.window_max.y - y : 0;
  if (beyond != 0) {
    // The farther, the faster.
    dragged_lines_ += ImGui::GetIO().DeltaTime * kScrollLinesPerSecond * (beyond / layout.cell.height + (beyond > 0 ? 1.0f : -1.0f));
    const int lines = static_cast<int>(dragged_lines_);
    dragged_lines_ -= static_cast<float>(lines);
    scroll_back(lines);
  }
  terminal_.select_to(cell_under_mouse(layout));
}

void TerminalWidget::Impl::read_wheel(bool hovered) {
  if (!hovered) return;
  wheel_ += ImGui::GetIO().MouseWheel;
  const int notches = static_cast<int>(wheel_);
  if (notches == 0) return;
  wheel_ -= static_cast<float>(notches);
  const bool up = notches > 0;
  const int count = std::min(std::abs(notches), 20);
  if (ImGui::GetIO().KeyCtrl) {
    for (int i = 0; i < count; ++i) set_zoom(up ? zoom_ * kZoomStep : zoom_ / kZoomStep);
  } else if (terminal_.mouse_mode() != vt::MouseMode::off && !ImGui::GetIO().KeyShift) {
    for (int i = 0; i < count; ++i) terminal_.mouse_button(up ? 4 : 5, true, to_vt(held_modifiers()));
  } else if (terminal_.alternate_screen() && terminal_.input_modes().alternate_scroll) {
    for (int i = 0; i < count * kWheelLines; ++i) terminal_.key(up ? vt::Key::up : vt::Key::down, {});
  } else {
    scroll_back((up ? 1 : -1) * static_cast<std::int64_t>(count) * kWheelLines);
  }
}

// The bar at the right edge; true while it has the mouse.
bool TerminalWidget::Impl::drag_scroll_bar(const Layout& layout, bool hovered) {
  const vt::ScreenBuffer& buffer = terminal_.buffer();
  const ImVec2 mouse = ImGui::GetIO().MousePos;
  const bool over = hovered && mouse.x >= layout.window_max.x - kScrollBarWidth && buffer.scrollback() > 0 && !marking_ && reported_buttons_ == 0;
  if (over && ImGui::IsMouseClicked(0)) dragging_bar_ = true;
  if (!ImGui::IsMouseDown(0) || buffer.scrollback() == 0) dragging_bar_ = false;
  if (dragging_bar_) {
    const float height = std::max(1.0f, layout.window_max.y - layout.window_min.y - 4);
    const auto lines = static_cast<float>(buffer.end_line() - buffer.first_line());
    const float middle = std::clamp((mouse.y - layout.window_min.y - 2) / height, 0.0f, 1.0f) * lines - static_cast<float>(layout.rows) / 2;
    const auto wanted = static_cast<std::int64_t>(buffer.first_line()) + static_cast<std::int64_t>(std::max(0.0f, middle));
    scroll_back(static_cast<std::int64_t>(top_line(layout.rows)) - wanted);
  }
  if (over || dragging_bar_) ImGui::SetMouseCursor(ImGuiMouseCursor_Arrow);
  return over || dragging_bar_;
}

// Finds the link under the mouse; true when this frame's click was for it.
bool TerminalWidget::Impl::follow_link(const Layout& layout, bool hovered) {
  address_.reset();
  link_ = 0;
  const ImGuiIO& io = ImGui::GetIO();
  if (!options_.open_link || !hovered || marking_ || reported_buttons_ != 0) return false;
  const vt::CellPosition at = cell_under_mouse(layout);
  const vt::Row& row = terminal_.buffer().line(at.line);
  const std::uint16_t extra = static_cast<std::size_t>(at.column) < row.cells.size() ? row.cells[static_cast<std::size_t>(at.column)].extra : std::uint16_t{0};
  std::string address = terminal_.extras()[extra].link;
  if (!address.empty()) {
    link_ = extra;
  } else {
    address_ = vt::address_at(terminal_.buffer(), at);
    if (address_) address = address_->text;
  }
  if (!may_be_opened(address)) {
    address_.reset();
    link_ = 0;
    return false;
  }
  if (!io.KeyCtrl) return false;
  ImGui::SetMouseCursor(ImGuiMouseCursor_Hand);
  ImGui::SetTooltip("%s", address.c_str());
  if (!ImGui::IsMouseClicked(0)) return false;
  options_.open_link(address);
  return true;
}

// --- search

void TerminalWidget::Impl::find(std::string_view text, bool regular_expression) {
  search_bar_.open(text, regular_expression);
  if (!search_bar_.text().empty()) take_search_action(SearchBar::Action::changed);
}

void TerminalWidget::Impl::take_search_action(SearchBar::Action action) {
  const vt::ScreenBuffer& buffer = terminal_.buffer();
  const vt::CellPosition end{buffer.end_line() - 1, buffer.columns()};
  switch (action) {
    case SearchBar::Action::none: break;
    case SearchBar::Action::changed:
      search_.set(search_bar_.text(), search_bar_.regular_expression(), search_bar_.match_case());
      matches_stale_ = true;
      search_.start(true, end);
      break;
    case SearchBar::Action::previous: search_.start(true, end); break;
    case SearchBar::Action::next: search_.start(false, {buffer.first_line(), 0}); break;
    case SearchBar::Action::closed:
      search_.set({}, false, false);
      matches_stale_ = true;
      focus_requested_ = true;
      break;
  }
}

void TerminalWidget::Impl::look_for_matches(const Layout& layout) {
  const vt::ScreenBuffer& buffer = terminal_.buffer();
  if (search_.looking() && search_.step(buffer) && search_.current()) {
    const std::uint64_t line = search_.current()->first.line, top = top_line(layout.rows);
    if (line < top || line >= top + static_cast<std::uint64_t>(layout.rows)) {
      scroll_back(static_cast<std::int64_t>(top) - static_cast<std::int64_t>(line) + layout.rows / 2);
    }
  }
  const std::uint64_t top = top_line(layout.rows);
  if (!matches_stale_ && top == matches_top_ && buffer.generation() == matches_generation_) return;
  search_.matches(buffer, top, top + static_cast<std::uint64_t>(layout.rows), matches_);
  matches_top_ = top;
  matches_generation_ = buffer.generation();
  matches_stale_ = false;
}

// --- what the guest wants of the host

void TerminalWidget::Impl::serve_guest() {
  const double now = ImGui::GetTime();
  if (const auto text = terminal_.take_copied_text(); text && options_.guest_clipboard != GuestClipboard::none) {
    ImGui::SetClipboardText(text->c_str());
  }
  if (terminal_.take_clipboard_question() && options_.guest_clipboard == GuestClipboard::read_and_write) {
    const char* text = ImGui::GetClipboardText();
    terminal_.answer_clipboard(text != nullptr ? text : "");
  }
  if (std::exchange(bells_seen_, terminal_.bell_count()) != terminal_.bell_count()) bell_until_ = now + static_cast<double>(style_.bell_seconds);
  if (!terminal_.synchronized()) {
    synchronized_since_ = -1;
  } else if (synchronized_since_ < 0) {
    synchronized_since_ = now;
  } else if (now - synchronized_since_ > kMaxSynchronizedSeconds) {
    terminal_.end_synchronized();
    synchronized_since_ = -1;
  }
}

// --- picture

GridRenderer::View TerminalWidget::Impl::make_view(const Layout& layout) {
  const vt::Cursor cursor = terminal_.cursor();
  const double now = ImGui::GetTime();
  const double half = style_.cursor_blink_seconds;
  const bool on = half <= 0 || std::fmod(now - last_input_, 2 * half) < half;
  GridRenderer::View view;
  view.top_line = top_line(layout.rows);
  view.rows = layout.rows;
  view.columns = layout.columns;
  view.selection = terminal_.selection();
  view.matches = matches_;
  view.match = search_.current();
  if (address_) view.address = address_->cells;
  view.link = link_;
  view.reverse_screen = terminal_.reverse_screen();
  view.blink_visible = std::fmod(now, 1.0) < 0.6;
  view.cursor_visible = cursor.visible && (on || !focused_ || !cursor.blink);
  view.cursor_filled = focused_;
  view.cursor_line = terminal_.buffer().screen_line() + static_cast<std::uint64_t>(cursor.row);
  view.cursor_column = cursor.column;
  view.cursor_shape = cursor.shape;
  return view;
}

void TerminalWidget::Impl::paint_cells(const Layout& layout, const GridRenderer::View& view) {
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const int rows_at_once = kVerticesInOneCommand / GridRenderer::max_vertices_per_row(layout.columns);
  if (takes_any_size() || layout.rows <= rows_at_once) {
    renderer_.draw(list, layout.origin, layout.cell, terminal_.buffer(), terminal_.extras(), view, 0, layout.rows);
    return;
  }
  // A draw list of its own, that of a child window, for as many rows as its indices reach.
  const int step = std::max(1, rows_at_once);
  for (int first = 0; first < layout.rows; first += step) {
    const int last = std::min(first + step, layout.rows);
    ImGui::PushID(first);
    ImGui::SetCursorScreenPos({layout.window_min.x, layout.origin.y + static_cast<float>(first) * layout.cell.height});
    const ImVec2 size{layout.window_max.x - layout.window_min.x, static_cast<float>(last - first) * layout.cell.height};
    if (begin_plain_child("rows", size,
                          ImGuiWindowFlags_NoInputs | ImGuiWindowFlags_NoNav | ImGuiWindowFlags_NoScrollbar | ImGuiWindowFlags_NoBackground)) {
      renderer_.draw(*ImGui::GetWindowDrawList(), layout.origin, layout.cell, terminal_.buffer(), terminal_.extras(), view, first, last);
    }
    ImGui::EndChild();
    ImGui::PopID();
  }
}

void TerminalWidget::Impl::paint_scroll_indicator(const Layout& layout, bool hovered) const {
  const vt::ScreenBuffer& buffer = terminal_.buffer();
  if (buffer.scrollback() == 0 || (!hovered && !view_line_ && !dragging_bar_)) return;
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const float right = layout.window_max.x - 2, left = right - (hovered || dragging_bar_ ? kScrollBarWidth - 2 : 4);
  const float top = layout.window_min.y + 2, height = layout.window_max.y - layout.window_min.y - 4;
  const auto lines = static_cast<float>(buffer.end_line() - buffer.first_line());
  const float from = static_cast<float>(top_line(layout.rows) - buffer.first_line()) / lines;
  const float length = std::max(static_cast<float>(layout.rows) / lines * height, 12.0f);
  const float y = top + std::min(from * height, height - length);
  list.AddRectFilled({left, top}, {right, top + height}, to_imgui(style_.scroll_track), 2);
  list.AddRectFilled({left, y}, {right, y + length}, to_imgui(style_.scroll_thumb), 2);
}

void TerminalWidget::Impl::paint(const Layout& layout, bool hovered) {
  renderer_.set_style(style_);
  terminal_.set_standard_colors(renderer_.standard_colors());
  renderer_.set_guest_colors(terminal_.colors());
  ImDrawList& list = *ImGui::GetWindowDrawList();
  list.AddRectFilled(layout.window_min, layout.window_max, renderer_.ground(terminal_.reverse_screen()));
  const GridRenderer::View view = make_view(layout);
  paint_cells(layout, view);
  paint_scroll_indicator(layout, hovered);
  if (ImGui::GetTime() < bell_until_) list.AddRectFilled(layout.window_min, layout.window_max, to_imgui(style_.bell));
  list.AddRect(layout.window_min, layout.window_max, to_imgui(focused_ ? style_.frame_focused : style_.frame_unfocused));
  if (focused_ && view.cursor_line >= view.top_line) {
    const auto row = static_cast<float>(view.cursor_line - view.top_line);
    want_text_input({layout.origin.x + static_cast<float>(view.cursor_column) * layout.cell.width, layout.origin.y + row * layout.cell.height},
                    layout.cell.height);
  }
}

void TerminalWidget::Impl::draw(const char* id, Extent size) {
  constexpr ImGuiWindowFlags kFlags = ImGuiWindowFlags_NoScrollbar | ImGuiWindowFlags_NoScrollWithMouse | ImGuiWindowFlags_NoMove |
                                      ImGuiWindowFlags_NoNav | ImGuiWindowFlags_NoBackground;
  if (std::exchange(focus_requested_, false)) ImGui::SetNextWindowFocus();
  const bool visible = begin_plain_child(id, {size.width, size.height}, kFlags);
  std::optional<FontZoom> font{zoom_};
  serve_guest();
  if (options_.follow_window && visible) follow_window();
  if (std::exchange(was_alternate_, terminal_.alternate_screen()) != terminal_.alternate_screen()) view_line_.reset();
  const Layout layout = lay_out();
  shown_rows_ = layout.rows;
  terminal_.set_cell_pixels({static_cast<int>(layout.cell.width), static_cast<int>(layout.cell.height)});

  ImGuiWindow* window = ImGui::GetCurrentWindow();
  const ImGuiID item = window->GetID("##terminal");
  const ImRect area{layout.window_min, layout.window_max};
  ImGui::ItemAdd(area, item);
  ImGui::KeepAliveID(item);
  const ImGuiContext& g = *ImGui::GetCurrentContext();
  const bool hovered = ImGui::IsWindowHovered(ImGuiHoveredFlags_AllowWhenBlockedByActiveItem) &&
                       (g.ActiveId == 0 || g.ActiveId == item || g.ActiveIdAllowOverlap);
  if (hovered) {
    ImGui::SetHoveredID(item);
    keep_mouse_wheel();
    ImGui::SetMouseCursor(ImGuiMouseCursor_TextInput);
  }
  update_focus(window, item, hovered);
  // Keys first: what was typed before a click of the same frame comes before what the click pastes.
  if (focused_) read_keyboard();
  apply_events();
  read_mouse(layout, hovered);
  look_for_matches(layout);
  if (visible) paint(layout, hovered);
  font.reset();
  if (visible && search_bar_.is_open()) take_search_action(search_bar_.draw(layout.window_min, layout.window_max, search_));
  ImGui::EndChild();
}

// --- the public face

TerminalWidget::TerminalWidget(TerminalOptions options, Style style) : impl_{std::make_unique<Impl>(std::move(options), style)} {}
TerminalWidget::~TerminalWidget() = default;
TerminalWidget::TerminalWidget(TerminalWidget&&) noexcept = default;
TerminalWidget& TerminalWidget::operator=(TerminalWidget&&) noexcept = default;

void TerminalWidget::feed(std::span<const std::byte> bytes) { impl_->terminal_.write(bytes); }
std::span<const std::byte> TerminalWidget::pending_input() const { return impl_->terminal_.output(); }
void TerminalWidget::discard_input(std::size_t count) { impl_->terminal_.discard_output(count); }
std::size_t TerminalWidget::take_input(std::span<std::byte> out) { return impl_->terminal_.take_output(out); }
std::uint64_t TerminalWidget::dropped_input() const { return impl_->terminal_.output_dropped(); }
void TerminalWidget::draw(const char* id, Extent size) { impl_->draw(id, size); }
Extent TerminalWidget::preferred_extent() const { return impl_->preferred_extent(); }
Grid TerminalWidget::grid() const { return {.columns = impl_->terminal_.columns(), .rows = impl_->terminal_.rows()}; }
void TerminalWidget::set_grid(Grid grid) { impl_->resize(grid.rows, grid.columns); }
bool TerminalWidget::focused() const { return impl_->focused_; }
void TerminalWidget::request_focus() { impl_->focus_requested_ = true; }

void TerminalWidget::push_key(Key key, KeyModifiers modifiers) {
  assert(key < Key::count);
  if (impl_->options_.input == InputSource::imgui_io) {
    impl_->key(key, modifiers);
  } else {
    impl_->push({.key = key, .modifiers = modifiers, .character = 0});
  }
}

void TerminalWidget::push_text(char32_t character) {
  if (impl_->options_.input == InputSource::imgui_io) {
    impl_->text(character);
  } else {
    impl_->push({.key = Key::count, .modifiers = {}, .character = character});
  }
}

void TerminalWidget::paste(std::string_view text) { impl_->paste(text); }
void TerminalWidget::type(std::string_view text) { impl_->terminal_.send(text); }
std::string TerminalWidget::screen_text() const { return impl_->terminal_.screen_text(); }
std::string TerminalWidget::selected_text(CopyFormat format) const {
  vt::Terminal& terminal = impl_->terminal_;
  const auto marked = terminal.selection();
  if (!marked || format == CopyFormat::plain) return terminal.selected_text();
  if (format == CopyFormat::ansi) return vt::text_with_sequences(terminal.buffer(), terminal.extras(), *marked);
  terminal.set_standard_colors(impl_->renderer_.standard_colors());
  return vt::text_as_html(terminal.buffer(), terminal.extras(), *marked, terminal.colors());
}
const std::string& TerminalWidget::title() const { return impl_->terminal_.title(); }
std::uint64_t TerminalWidget::bell_count() const { return impl_->terminal_.bell_count(); }
std::size_t TerminalWidget::lines_scrolled_back() const {
  if (!impl_->view_line_) return 0;
  const std::uint64_t bottom = impl_->terminal_.buffer().screen_line();
  const std::uint64_t top = std::max(*impl_->view_line_, impl_->terminal_.buffer().first_line());
  return bottom > top ? static_cast<std::size_t>(bottom - top) : 0;
}
std::uint64_t TerminalWidget::generation() const { return impl_->terminal_.buffer().generation(); }
int TerminalWidget::cursor_row() const { return impl_->terminal_.cursor().row; }
int TerminalWidget::cursor_column() const { return impl_->terminal_.cursor().column; }
void TerminalWidget::find(std::string_view text, bool regular_expression) { impl_->find(text, regular_expression); }
float TerminalWidget::zoom() const { return impl_->zoom_; }
void TerminalWidget::set_zoom(float factor) { impl_->set_zoom(factor); }
Style& TerminalWidget::style() { return impl_->style_; }

}  // namespace tuxarium::imgui
