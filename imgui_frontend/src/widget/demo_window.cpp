#include <tuxarium_imgui/demo_window.hpp>

#include <array>
#include <cassert>
#include <cstdio>
#include <string>
#include <string_view>

#include <tuxarium_imgui/terminal_widget.hpp>
#include <tuxarium_imgui/version.hpp>

#include "imgui_compat.hpp"

namespace tuxarium::imgui {
namespace {

struct Page {
  const char* name;
  const char* explanation;
  std::string (*bytes)();
};

std::string attributes() {
  return "\x1b[1mbold\x1b[m  \x1b[2mdim\x1b[m  \x1b[3mitalic\x1b[m  \x1b[5mblink\x1b[m  \x1b[7mreverse\x1b[m  \x1b[8mconcealed\x1b[m  \x1b[9mstrike\x1b[m  "
         "\x1b[53moverline\x1b[m\r\n\r\n\x1b[4msingle\x1b[m  \x1b[4:2mdouble\x1b[m  \x1b[4:3;58:2::255:90:90mcurly\x1b[m  \x1b[4:4mdotted\x1b[m  "
         "\x1b[4:5mdashed\x1b[m\r\n";
}

std::string colors() {
  std::string all;
  for (int i = 0; i < 16; ++i) all += "\x1b[48;5;" + std::to_string(i) + "m    " + (i % 8 == 7 ? "\x1b[m\r\n" : "");
  all += "\r\n";
  for (int i = 16; i < 256; ++i) all += "\x1b[48;5;" + std::to_string(i) + "m  " + ((i - 15) % 36 == 0 ? "\x1b[m\r\n" : "");
  all += "\x1b[m\r\n\r\n";
  for (int i = 0; i < 72; ++i) all += "\x1b[48;2;" + std::to_string(i * 3) + ";" + std::to_string(200 - i * 2) + ";" + std::to_string(60 + i * 2) + "m ";
  return all + "\x1b[m\r\n";
}

std::string boxes() {
  return "┌─┬─┐ ┏━┳━┓ ╔═╦═╗ ╭─┬─╮ ╒═╤═╕ ╓─╥─╖\r\n"
         "│ │ │ ┃ ┃ ┃ ║ ║ ║ │ │ │ │ │ │ ║ ║ ║\r\n"
         "├─┼─┤ ┣━╋━┫ ╠═╬═╣ ├─┼─┤ ╞═╪═╡ ╟─╫─╢\r\n"
         "└─┴─┘ ┗━┻━┛ ╚═╩═╝ ╰─┴─╯ ╘═╧═╛ ╙─╨─╜\r\n\r\n"
         "▁▂▃▄▅▆▇█ ▏▎▍▌▋▊▉█ ░▒▓█ ▖▗▘▙▚▛▜▝▞▟ ╱╲╳ ┄┅┆┇┈┉┊┋\r\n";
}

std::string wide() { return "漢字 かな 한글 take two columns each; so do emoji, where the font has them: 🐧🚀\r\nmarks: e\u0301 a\u0308 o\u0302\r\n"; }

std::string lines() {
  return "\x1b#6Double width\r\n\x1b#3Double height\r\n\x1b#4Double height\r\nand a line as usual\r\n";
}

std::string links() {
  return "Control-click: \x1b]8;;https://example.org/\x1b\\a link of the guest\x1b]8;;\x1b\\, or an address in the text: https://example.com/path?x=1.\r\n";
}

std::string history() {
  std::string all;
  for (int i = 1; i <= 500; ++i) all += "line " + std::to_string(i) + (i % 100 == 0 ? " needle" : "") + "\r\n";
  return all;
}

std::string cursors() { return "Shapes 1 to 6 of DECSCUSR; now a bar that blinks: \x1b[5 q"; }

constexpr Page kPages[] = {
    {"Attributes", "SGR: weights, underline styles with colours of their own, strike and overline.", attributes},
    {"Colours", "The palette's 16 colours, xterm's 256, and 16 million.", colors},
    {"Lines and boxes", "Drawn as geometry, so that nothing gapes at any size.", boxes},
    {"Wide characters", "East Asian characters and emoji take two columns; combining marks none.", wide},
    {"Double lines", "DECDWL and DECDHL.", lines},
    {"Links", "OSC 8, and addresses found in the text. The host decides what opening means.", links},
    {"History", "Wheel, bar or Shift-PageUp go back; Ctrl-Shift-F searches, with regular expressions if you like. Try: needle", history},
    {"Cursor", "Block, underline or bar; blinking or not.", cursors},
    {"Bell", "The terminal lights up for a moment.", [] { return std::string{"\a"}; }},
    {"Mouse reports", "Click and drag in the terminal: what a guest would get shows below. Shift keeps the mouse for marking.",
     [] { return std::string{"\x1b[?1002h\x1b[?1006hMouse reports are on.\r\n"}; }},
};

// Bytes as a person reads them.
std::string readable(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto b = static_cast<unsigned char>(c);
    if (b == 0x1B) {
      text += "ESC ";
    } else if (b < 0x20 || b == 0x7F) {
      std::array<char, 8> code{};
      std::snprintf(code.data(), code.size(), "<%02x>", b);
      text += code.data();
    } else {
      text += c;
    }
  }
  return text;
}

TerminalOptions demo_options(std::string& opened) {
  TerminalOptions options;
  options.grid = {.columns = 76, .rows = 16};
  options.open_link = [&opened](const std::string& address) { opened = address; };
  return options;
}

}  // namespace

class DemoWindow::Impl {
 public:
  Impl() : terminal_{demo_options(opened_)} { show(kPages[0]); }

  void draw(bool* open) {
    ImGui::SetNextWindowSize({ImGui::GetFontSize() * 62, ImGui::GetFontSize() * 44}, ImGuiCond_FirstUseEver);
    if (ImGui::Begin("Tuxarium widgets", open)) contents();
    ImGui::End();
  }

  void show(const Page& page) {
    explanation_ = page.explanation;
    feed("\x1b[!p\x1b[?1002l\x1b[?1006l\x1b[m\x1b[2J\x1b[H");
    feed(page.bytes());
  }

  TerminalWidget& terminal() { return terminal_; }

 private:
  void feed(std::string_view bytes) { terminal_.feed({reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()}); }

  void contents() {
    ImGui::Text("Tuxarium %s, Dear ImGui %s. There is no machine behind this terminal: what you type comes back.", TUXARIUM_IMGUI_VERSION, ImGui::GetVersion());
    for (std::size_t i = 0; i < std::size(kPages); ++i) {
      if (ImGui::Button(kPages[i].name)) show(kPages[i]);
      if (i % 5 != 4 && i + 1 < std::size(kPages)) ImGui::SameLine();
    }
    ImGui::TextWrapped("%s", explanation_);
    const Extent extent = terminal_.preferred_extent();
    terminal_.draw("terminal", {0, extent.height});
    echo();
    if (!opened_.empty()) ImGui::Text("The host would open %s", opened_.c_str());
    ImGui::Text("The guest would get: %s", last_input_.c_str());
    if (ImGui::Button("Search")) terminal_.find("needle");
    ImGui::SameLine();
    float zoom = terminal_.zoom();
    ImGui::SetNextItemWidth(ImGui::GetFontSize() * 12);
    if (ImGui::SliderFloat("Zoom", &zoom, 0.5f, 3, "%.2f")) terminal_.set_zoom(zoom);
    if (ImGui::CollapsingHeader("Style")) ShowStyleEditor(terminal_.style());
    if (ImGui::CollapsingHeader("Keys and mouse")) ShowKeysAndMouse();
  }

  // The terminal's input comes back as its output, with a line feed after each return.
  void echo() {
    const auto waiting = terminal_.pending_input();
    if (waiting.empty()) return;
    const std::string bytes{reinterpret_cast<const char*>(waiting.data()), waiting.size()};
    terminal_.discard_input(waiting.size());
    last_input_ = readable(std::string_view{bytes}.substr(0, 60));
    std::string back;
    for (const char c : bytes) {
      if (c == '\x1b') break;
      back += c;
      if (c == '\r') back += '\n';
      if (c == '\x7f') back += "\b \b";
    }
    feed(back);
  }

  std::string opened_, last_input_;
  const char* explanation_ = "";
  TerminalWidget terminal_;
};

DemoWindow::DemoWindow() : impl_{std::make_unique<Impl>()} {}
DemoWindow::~DemoWindow() = default;
DemoWindow::DemoWindow(DemoWindow&&) noexcept = default;
DemoWindow& DemoWindow::operator=(DemoWindow&&) noexcept = default;

std::size_t DemoWindow::page_count() { return std::size(kPages); }

const char* DemoWindow::page_name(std::size_t page) {
  assert(page < page_count());
  return kPages[page].name;
}

void DemoWindow::show_page(std::size_t page) {
  assert(page < page_count());
  impl_->show(kPages[page]);
}

TerminalWidget& DemoWindow::terminal() { return impl_->terminal(); }

void DemoWindow::draw(bool* open) {
  if (open == nullptr || *open) impl_->draw(open);
}

void ShowKeysAndMouse() {
  ImGui::BulletText("Everything typed goes to the guest while the terminal has the keyboard, Tab, Escape and Control keys too.");
  ImGui::BulletText("Ctrl-Shift-C copies, Ctrl-Shift-V and Shift-Insert paste, Ctrl-Shift-F searches.");
  ImGui::BulletText("Ctrl +, - and 0, or Control and the wheel: zoom.");
  ImGui::BulletText("The wheel, Shift-PageUp and Shift-PageDown go back to earlier lines, and so does the bar on the right.");
  ImGui::BulletText("Drag marks text, with Alt a block; double click a word, triple click a line; Shift-click extends.");
  ImGui::BulletText("The middle button pastes. Control-click opens a link.");
  ImGui::BulletText("A program in the guest that uses the mouse gets it; Shift keeps it for marking.");
}

void ShowDemoWindow(std::unique_ptr<DemoWindow>& demo, bool* open) {
  if (open != nullptr && !*open) {
    demo.reset();
    return;
  }
  if (demo == nullptr) demo = std::make_unique<DemoWindow>();
  demo->draw(open);
}

}  // namespace tuxarium::imgui
