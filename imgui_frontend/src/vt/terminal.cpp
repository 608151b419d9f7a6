#include "terminal.hpp"

#include <vterm.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <string>
#include <utility>

#include "sequence_filter.hpp"
#include "utf8.hpp"

namespace tuxarium::vt {
namespace {

struct VTermDeleter {
  void operator()(VTerm* vt) const { vterm_free(vt); }
};

VTermModifier to_vterm(Modifiers m) {
  return static_cast<VTermModifier>((m.shift ? VTERM_MOD_SHIFT : 0) | (m.alt ? VTERM_MOD_ALT : 0) | (m.control ? VTERM_MOD_CTRL : 0));
}

VTermKey to_vterm(Key key) {
  switch (key) {
    case Key::enter: return VTERM_KEY_ENTER;
    case Key::tab: return VTERM_KEY_TAB;
    case Key::backspace: return VTERM_KEY_BACKSPACE;
    case Key::escape: return VTERM_KEY_ESCAPE;
    case Key::up: return VTERM_KEY_UP;
    case Key::down: return VTERM_KEY_DOWN;
    case Key::left: return VTERM_KEY_LEFT;
    case Key::right: return VTERM_KEY_RIGHT;
    case Key::insert: return VTERM_KEY_INS;
    case Key::del: return VTERM_KEY_DEL;
    case Key::home: return VTERM_KEY_HOME;
    case Key::end: return VTERM_KEY_END;
    case Key::page_up: return VTERM_KEY_PAGEUP;
    case Key::page_down: return VTERM_KEY_PAGEDOWN;
    default: return static_cast<VTermKey>(VTERM_KEY_FUNCTION_0 + 1 + (static_cast<int>(key) - static_cast<int>(Key::f1)));
  }
}

Color to_color(const VTermColor& color) {
  if (VTERM_COLOR_IS_DEFAULT_FG(&color) || VTERM_COLOR_IS_DEFAULT_BG(&color)) return {};
  if (VTERM_COLOR_IS_INDEXED(&color)) return Color::indexed(color.indexed.idx);
  return Color::rgb(color.rgb.red, color.rgb.green, color.rgb.blue);
}

}  // namespace

class Terminal::Impl final : private SequenceSink {
 public:
  explicit Impl(const Config& config)
      : main_{config.rows, config.columns, config.scrollback_lines}, alternate_{config.rows, config.columns, 0} {
    vt_.reset(vterm_new(config.rows, config.columns));
    vterm_set_utf8(vt_.get(), 1);
    vterm_output_set_callback(vt_.get(), &Impl::output_callback, this);
    VTermState* state = vterm_obtain_state(vt_.get());
    vterm_state_set_callbacks(state, &kCallbacks, this);
    vterm_state_reset(state, 1);
  }

  void write(std::span<const std::byte> bytes) {
    replying_ = true;
    filter_.write(bytes, *this);
    replying_ = false;
  }

  void push_output(std::string_view bytes) {
    const std::size_t limit = replying_ ? kMaxReplies : kMaxOutput;
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

  // libvterm keeps margins that a smaller screen does not have, so they go first, with the modes that use them.
  void resize(int rows, int columns) {
    const Cursor before = cursor_;
    on_bytes("\x1b[?6l\x1b[?69l\x1b[r");
    place_cursor(before.row, before.column);
    vterm_set_size(vt_.get(), rows, columns);
  }

  ScreenBuffer& active() { return alternate_active_ ? alternate_ : main_; }

  std::unique_ptr<VTerm, VTermDeleter> vt_;
  SequenceFilter filter_;
  ScreenBuffer main_;
  ScreenBuffer alternate_;
  bool alternate_active_ = false;
  Cursor cursor_;
  Cell pen_;           // colours and attributes of the next character
  bool dim_ = false;   // SGR 2 and 8, which libvterm 0.1 does not know
  bool conceal_ = false;
  bool reverse_screen_ = false;
  bool bracketed_paste_ = false;
  MouseMode mouse_mode_ = MouseMode::off;
  std::string title_;
  std::uint64_t bells_ = 0;
  Selection selection_;
  std::string output_;  // for the guest, from output_start_; bounded by kMaxOutput, further bytes are dropped and counted
  std::size_t output_start_ = 0;
  std::uint64_t output_dropped_ = 0;

 private:
  // --- from the filter
  void on_bytes(std::string_view bytes) override { vterm_input_write(vt_.get(), bytes.data(), bytes.size()); }
  void on_escape(char final_byte) override {
    if (final_byte == '8') contain_cursor();
    if (final_byte == 'c') reverse_screen_ = bracketed_paste_ = false;
  }

  // libvterm restores a saved cursor as it was, also to a place that a smaller screen no longer has.
  void contain_cursor() {
    const ScreenBuffer& screen = active();
    if (cursor_.row >= screen.rows() || cursor_.column >= screen.columns()) place_cursor(cursor_.row, cursor_.column);
  }

  void place_cursor(int row, int column) {
    on_bytes("\x1b[" + std::to_string(row + 1) + ";" + std::to_string(column + 1) + "H");
  }

  void on_title(std::string_view title) override { title_ = title; }
  void on_control_sequence(const ControlSequence& s) override {
    if (s.intermediate != 0) return;
    if (s.final_byte == 'm' && s.leader == 0) select_rendition(s);
    if (s.final_byte == 'J' && s.leader == 0 && s.count == 1 && s.argument[0] == 3) main_.clear_scrollback();
    if ((s.final_byte == 'h' || s.final_byte == 'l') && s.leader == '?') {
      for (std::size_t i = 0; i < s.count; ++i) {
        if (s.argument[i] == 2004) bracketed_paste_ = s.final_byte == 'h';
      }
    }
  }

  void select_rendition(const ControlSequence& s) {
    if (s.count == 0) dim_ = conceal_ = false;
    for (std::size_t i = 0; i < s.count; ++i) {
      const int code = std::max(s.argument[i], 0);
      if (s.more[i]) {
        while (i < s.count && s.more[i]) ++i;
        continue;
      }
      const int kind = i + 1 < s.count ? s.argument[i + 1] : -1;
      switch (code) {
        case 0: dim_ = conceal_ = false; break;
        case 2: dim_ = true; break;
        case 8: conceal_ = true; break;
        case 22: dim_ = false; break;
        case 28: conceal_ = false; break;
        case 38: case 48: i += kind == 5 ? 2 : kind == 2 ? 4 : 0; break;
        default: break;
      }
    }
  }

  // --- from libvterm
  static Impl& self(void* user) { return *static_cast<Impl*>(user); }
  static void output_callback(const char* bytes, std::size_t size, void* user) { self(user).push_output({bytes, size}); }

  static int put_glyph(VTermGlyphInfo* info, VTermPos at, void* user) {
    Impl& t = self(user);
    std::size_t marks = 0;
    if (info->chars[0] == 0) return 1;
    std::array<char32_t, CellMarks::kMax> mark{};
    while (marks < mark.size() && info->chars[1 + marks] != 0) {
      mark[marks] = info->chars[1 + marks];
      ++marks;
    }
    Cell cell = t.pen_;
    cell.code_point = info->chars[0];
    cell.width = info->width == 2 ? 2 : 1;
    if (t.dim_) cell.attributes |= attribute::dim;
    if (t.conceal_) cell.attributes |= attribute::conceal;
    if (info->protected_cell) cell.attributes |= attribute::guarded;
    ScreenBuffer& screen = t.active();
    if (at.col == 0 && t.row_full_ && at.row >= 0 && at.row < screen.rows()) screen.change_row(at.row).continues_previous = true;
    screen.put(at.row, at.col, cell, mark.data(), marks);
    t.row_full_ = at.col + info->width >= screen.columns();
    return 1;
  }

  static int move_cursor(VTermPos at, VTermPos, int visible, void* user) {
    Impl& t = self(user);
    // While a wrap is due the cursor stays on the last column.
    if (at.col != t.active().columns() - 1) t.row_full_ = false;
    t.cursor_.row = at.row;
    t.cursor_.column = at.col;
    t.cursor_.visible = visible != 0;
    return 1;
  }

  static int scroll_rect(VTermRect r, int downward, int rightward, void* user) {
    Impl& t = self(user);
    ScreenBuffer& screen = t.active();
    const bool whole_width = r.start_col == 0 && r.end_col == screen.columns();
    if (!t.alternate_active_ && r.start_row == 0 && whole_width && rightward == 0 && downward > 0) {
      const int lines = std::min(downward, r.end_row);
      screen.push_lines(lines, t.pen_.background);
      const int below = screen.rows() - r.end_row;
      if (below > 0) screen.scroll({r.end_row - lines, screen.rows(), 0, screen.columns()}, -lines, 0, t.pen_.background);
    } else {
      screen.scroll({r.start_row, r.end_row, r.start_col, r.end_col}, downward, rightward, t.pen_.background);
    }
    return 1;
  }

  static int erase(VTermRect r, int selective, void* user) {
    Impl& t = self(user);
    t.active().erase({r.start_row, r.end_row, r.start_col, r.end_col}, t.pen_.background, selective != 0);
    return 1;
  }

  static int init_pen(void* user) {
    Impl& t = self(user);
    t.pen_ = {};
    t.dim_ = t.conceal_ = false;
    return 1;
  }

  void set_attribute(std::uint16_t bits, bool on) {
    pen_.attributes = static_cast<std::uint16_t>(on ? pen_.attributes | bits : pen_.attributes & ~bits);
  }

  static int set_pen(VTermAttr which, VTermValue* value, void* user) {
    Impl& t = self(user);
    switch (which) {
      case VTERM_ATTR_BOLD: t.set_attribute(attribute::bold, value->boolean != 0); break;
      case VTERM_ATTR_ITALIC: t.set_attribute(attribute::italic, value->boolean != 0); break;
      case VTERM_ATTR_BLINK: t.set_attribute(attribute::blink, value->boolean != 0); break;
      case VTERM_ATTR_REVERSE: t.set_attribute(attribute::reverse, value->boolean != 0); break;
      case VTERM_ATTR_STRIKE: t.set_attribute(attribute::strike, value->boolean != 0); break;
      case VTERM_ATTR_UNDERLINE:
        t.set_attribute(attribute::underline, value->number != VTERM_UNDERLINE_OFF);
        t.set_attribute(attribute::double_underline, value->number == VTERM_UNDERLINE_DOUBLE);
        break;
      case VTERM_ATTR_FOREGROUND: t.pen_.foreground = to_color(value->color); break;
      case VTERM_ATTR_BACKGROUND: t.pen_.background = to_color(value->color); break;
      default: break;
    }
    return 1;
  }

  static int set_property(VTermProp property, VTermValue* value, void* user) {
    Impl& t = self(user);
    switch (property) {
      case VTERM_PROP_CURSORVISIBLE: t.cursor_.visible = value->boolean != 0; break;
      case VTERM_PROP_CURSORBLINK: t.cursor_.blink = value->boolean != 0; break;
      case VTERM_PROP_CURSORSHAPE:
        t.cursor_.shape = value->number == VTERM_PROP_CURSORSHAPE_UNDERLINE  ? CursorShape::underline
                          : value->number == VTERM_PROP_CURSORSHAPE_BAR_LEFT ? CursorShape::bar
                                                                             : CursorShape::block;
        break;
      case VTERM_PROP_ALTSCREEN:
        if (t.alternate_active_ != (value->boolean != 0)) t.selection_.clear();
        t.alternate_active_ = value->boolean != 0;
        t.row_full_ = false;
        break;
      case VTERM_PROP_REVERSE: t.reverse_screen_ = value->boolean != 0; break;
      case VTERM_PROP_MOUSE: t.mouse_mode_ = static_cast<MouseMode>(std::clamp(value->number, 0, 3)); break;
      default: break;
    }
    return 1;
  }

  static int bell(void* user) {
    ++self(user).bells_;
    return 1;
  }

  int resize_buffers(int rows, int columns) {
    const int main_moved = main_.resize(rows, columns, alternate_active_ ? rows - 1 : cursor_.row);
    const int alternate_moved = alternate_.resize(rows, columns, alternate_active_ ? cursor_.row : rows - 1);
    row_full_ = false;
    selection_.clear();
    return alternate_active_ ? alternate_moved : main_moved;
  }

#if VTERM_VERSION_MAJOR == 0 && VTERM_VERSION_MINOR < 2
  static int resized(int rows, int columns, VTermPos* delta, void* user) {
    delta->row += self(user).resize_buffers(rows, columns);
    return 1;
  }
#else
  static int resized(int rows, int columns, VTermStateFields* fields, void* user) {
    fields->pos.row = std::clamp(fields->pos.row + self(user).resize_buffers(rows, columns), 0, rows - 1);
    fields->pos.col = std::min(fields->pos.col, columns - 1);
    return 1;
  }
#endif

  // Lines stay of single width.
  static int set_line_info(int, const VTermLineInfo*, const VTermLineInfo*, void*) { return 0; }

  static constexpr VTermStateCallbacks make_callbacks() {
    VTermStateCallbacks callbacks{};
    callbacks.putglyph = &Impl::put_glyph;
    callbacks.movecursor = &Impl::move_cursor;
    callbacks.scrollrect = &Impl::scroll_rect;
    callbacks.erase = &Impl::erase;
    callbacks.initpen = &Impl::init_pen;
    callbacks.setpenattr = &Impl::set_pen;
    callbacks.settermprop = &Impl::set_property;
    callbacks.bell = &Impl::bell;
    callbacks.resize = &Impl::resized;
    callbacks.setlineinfo = &Impl::set_line_info;
    return callbacks;
  }
  static const VTermStateCallbacks kCallbacks;

  bool replying_ = false;
  bool row_full_ = false;  // the last character filled its row, and nothing moved the cursor since
};

constexpr VTermStateCallbacks Terminal::Impl::kCallbacks = Terminal::Impl::make_callbacks();

Terminal::Terminal(Config config) {
  config.rows = std::clamp(config.rows, 1, kMaxRows);
  config.columns = std::clamp(config.columns, 1, kMaxColumns);
  impl_ = std::make_unique<Impl>(config);
}
Terminal::~Terminal() = default;

void Terminal::write(std::span<const std::byte> bytes) { impl_->write(bytes); }

std::span<const std::byte> Terminal::output() const {
  return std::as_bytes(std::span{impl_->output_}).subspan(impl_->output_start_);
}

void Terminal::discard_output(std::size_t count) {
  assert(count <= output().size());
  impl_->output_start_ += count;
  if (impl_->output_start_ == impl_->output_.size()) {
    impl_->output_.clear();
    impl_->output_start_ = 0;
  }
}

std::size_t Terminal::take_output(std::span<std::byte> out) {
  const auto waiting = output();
  const std::size_t count = std::min(out.size(), waiting.size());
  std::copy_n(waiting.begin(), count, out.begin());
  discard_output(count);
  return count;
}

std::uint64_t Terminal::output_dropped() const { return impl_->output_dropped_; }

void Terminal::key(Key key, Modifiers modifiers) {
  const bool own_code = key == Key::enter || key == Key::backspace || key == Key::escape || key == Key::tab;
  if (!own_code) {
    vterm_keyboard_key(impl_->vt_.get(), to_vterm(key), to_vterm(modifiers));
    return;
  }
  // libvterm would report these with modifiers as CSI u, which few programs know.
  if (modifiers.alt) impl_->push_output("\x1b");
  if (key == Key::backspace) {
    impl_->push_output(modifiers.control ? "\b" : "\x7f");
  } else {
    const bool back_tab = key == Key::tab && modifiers.shift;
    vterm_keyboard_key(impl_->vt_.get(), to_vterm(key), back_tab ? VTERM_MOD_SHIFT : VTERM_MOD_NONE);
  }
}

namespace {

// The control code of a character with Control held, as xterm has it; -1 when there is none.
int control_code(char32_t c) {
  if (c >= U'a' && c <= U'z') return static_cast<int>(c - U'a' + 1);
  if (c >= U'@' && c <= U'_') return static_cast<int>(c - U'@');
  switch (c) {
    case U' ': case U'2': case U'`': return 0;
    case U'3': return 0x1B;
    case U'4': return 0x1C;
    case U'5': return 0x1D;
    case U'6': case U'~': return 0x1E;
    case U'7': case U'/': return 0x1F;
    case U'8': case U'?': return 0x7F;
    default: return -1;
  }
}

}  // namespace

void Terminal::character(char32_t code_point, Modifiers modifiers) {
  if (code_point > 0x10FFFF) return;
  std::string bytes;
  if (modifiers.alt) bytes.push_back('\x1b');
  const int control = modifiers.control ? control_code(code_point) : -1;
  append_utf8(bytes, control >= 0 ? static_cast<char32_t>(control) : code_point);
  impl_->push_output(bytes);
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
  vterm_keyboard_start_paste(impl_->vt_.get());
  const std::size_t room = kMaxOutput - 16 - std::min(output().size(), kMaxOutput - 16);
  if (bytes.size() > room) {
    impl_->output_dropped_ += bytes.size() - room;
    bytes.resize(room);
  }
  impl_->push_output(bytes);
  vterm_keyboard_end_paste(impl_->vt_.get());
}

void Terminal::send(std::string_view bytes) { impl_->push_output(bytes); }

void Terminal::mouse(int row, int column, Modifiers modifiers) {
  if (mouse_mode() == MouseMode::off) return;
  vterm_mouse_move(impl_->vt_.get(), std::clamp(row, 0, rows() - 1), std::clamp(column, 0, columns() - 1), to_vterm(modifiers));
}

void Terminal::mouse_button(int button, bool pressed, Modifiers modifiers) {
  if (mouse_mode() == MouseMode::off) return;
  vterm_mouse_button(impl_->vt_.get(), button, pressed, to_vterm(modifiers));
}

void Terminal::resize(int rows, int columns) {
  rows = std::clamp(rows, 1, kMaxRows);
  columns = std::clamp(columns, 1, kMaxColumns);
  if (rows != this->rows() || columns != this->columns()) impl_->resize(rows, columns);
}

int Terminal::rows() const { return impl_->main_.rows(); }
int Terminal::columns() const { return impl_->main_.columns(); }
const ScreenBuffer& Terminal::buffer() const { return impl_->active(); }
Cursor Terminal::cursor() const { return impl_->cursor_; }
bool Terminal::alternate_screen() const { return impl_->alternate_active_; }
bool Terminal::reverse_screen() const { return impl_->reverse_screen_; }
bool Terminal::bracketed_paste() const { return impl_->bracketed_paste_; }
MouseMode Terminal::mouse_mode() const { return impl_->mouse_mode_; }
const std::string& Terminal::title() const { return impl_->title_; }
std::uint64_t Terminal::bell_count() const { return impl_->bells_; }

void Terminal::select(CellPosition at, SelectionUnit unit) { impl_->selection_.begin(buffer(), at, unit); }
void Terminal::select_to(CellPosition to) { impl_->selection_.extend(buffer(), to); }
void Terminal::clear_selection() { impl_->selection_.clear(); }
std::optional<CellRange> Terminal::selection() { return impl_->selection_.range(buffer()); }
std::string Terminal::selected_text() { return impl_->selection_.text(buffer()); }

std::string Terminal::screen_text() const {
  std::string text;
  for (int r = 0; r < rows(); ++r) {
    const Row& row = buffer().screen_row(r);
    std::size_t kept = text.size();
    for (std::size_t c = 0; c < row.cells.size(); ++c) {
      const Cell& cell = row.cells[c];
      if (cell.width == 0) continue;
      append_utf8(text, cell.code_point == 0 ? U' ' : cell.code_point);
      const CellMarks* marks = (cell.attributes & attribute::has_marks) != 0 ? row.marks_at(c) : nullptr;
      for (std::size_t m = 0; marks != nullptr && m < CellMarks::kMax && marks->code_points[m] != 0; ++m) {
        append_utf8(text, marks->code_points[m]);
      }
      if (cell.code_point != 0 && cell.code_point != U' ') kept = text.size();
    }
    text.resize(kept);
    text.push_back('\n');
  }
  return text;
}

}  // namespace tuxarium::vt
