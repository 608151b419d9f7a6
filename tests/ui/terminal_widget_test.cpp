// Keyboard, mouse, clipboard and drawing of the terminal widget, through Dear ImGui's input state.
#include <doctest/doctest.h>

#include <imgui_internal.h>

#include <array>
#include <string>

#include "imgui_driver.hpp"

namespace tuxarium::imgui {
namespace {

constexpr int kEnter = 257, kTab = 258, kEscape = 256, kUp = 265, kPageUp = 266, kPageDown = 267, kInsert = 260, kF5 = 294;

// Rows as high as the font, which makes places easy to say.
Style dense() {
  Style style;
  style.line_spacing = 1;
  return style;
}

// One terminal in a full window, and a text field beside it.
class Stage : public TerminalDriver {
 public:
  explicit Stage(TerminalOptions options = {}) : TerminalDriver{std::move(options), dense()} { focus(); }

  void step() override {
    frame([this] {
      ImGui::SetNextWindowPos({0, 0});
      ImGui::SetNextWindowSize({1200, 900});
      ImGui::Begin("stage", nullptr, ImGuiWindowFlags_NoTitleBar | ImGuiWindowFlags_NoScrollbar);
      terminal.draw("terminal", {900, 700});
      place = ImGui::GetItemRectMin();
      ImGui::InputText("field", field.data(), field.size());
      field_place = ImGui::GetItemRectMin();
      ImGui::End();
    });
  }

  // The middle of a cell. The grid is in the middle of the widget.
  void point(int row, int column) {
    const float width = 7, height = 13;  // of Dear ImGui's own font
    const Grid grid = terminal.grid();
    const float left = place.x + 6 + std::floor((900 - 12 - static_cast<float>(grid.columns) * width) / 2);
    const float top = place.y + 6 + std::floor((700 - 12 - static_cast<float>(grid.rows) * height) / 2);
    mouse(left + (static_cast<float>(column) + 0.5f) * width, top + (static_cast<float>(row) + 0.5f) * height);
    step();
  }

  std::array<char, 64> field{};
  ImVec2 place, field_place;
};

}  // namespace

TEST_CASE("typing and keys reach the guest") {
  Stage s;
  REQUIRE(s.terminal.focused());
  ImguiDriver::text("lös 漢");
  s.press(kEnter);
  CHECK(s.sent() == "lös 漢\r");
  s.press(kTab);
  CHECK(s.sent() == "\t");
  CHECK(s.terminal.focused());
  s.press(kEscape);
  CHECK(s.sent() == "\x1b");
  CHECK(s.terminal.focused());
  s.press(kUp);
  s.press(kF5);
  CHECK(s.sent() == "\x1b[A\x1b[15~");
  CHECK(s.terminal.focused());
}

TEST_CASE("keyboard navigation of Dear ImGui leaves the terminal's keys alone") {
  Stage s;
  ImGui::GetIO().ConfigFlags |= ImGuiConfigFlags_NavEnableKeyboard;
  s.step();
  for (const int key : {kTab, kEscape, kUp, kTab}) s.press(key);
  CHECK(s.sent() == "\t\x1b\x1b[A\t");
  CHECK(s.terminal.focused());
}

TEST_CASE("chords") {
  Stage s;
  ImguiDriver::control(true);
  s.press('C');
  s.press(' ');
  CHECK(s.sent() == std::string("\x03\0", 2));
  ImguiDriver::control(false);
  ImguiDriver::alt(true);
  s.press('X');
  CHECK(s.sent() == "\x1bx");
  ImguiDriver::alt(false);
  s.press('X');  // a letter without its text event
  CHECK(s.sent().empty());
}

TEST_CASE("AltGr makes characters, not chords") {
  Stage s;
  ImguiDriver::control(true);
  ImguiDriver::alt(true);
  ImguiDriver::text("@");
  ImguiDriver::key('Q', true);
  s.step();
  ImguiDriver::key('Q', false);
  CHECK(s.sent() == "@");
}

TEST_CASE("a held key repeats") {
  Stage s;
  ImguiDriver::key(kUp, true);
  for (int i = 0; i < 60; ++i) s.step();
  ImguiDriver::key(kUp, false);
  CHECK(s.sent().size() > 3 * 3);
}

TEST_CASE("the focus goes where the mouse clicks, and back") {
  Stage s;
  ImguiDriver::mouse(s.field_place.x + 5, s.field_place.y + 5);
  s.step();
  s.click();
  CHECK_FALSE(s.terminal.focused());
  ImguiDriver::text("abc");
  s.step();
  s.step();
  CHECK(std::string{s.field.data()} == "abc");
  CHECK(s.sent().empty());
  s.point(3, 3);
  s.click();
  CHECK(s.terminal.focused());
  ImguiDriver::text("x");
  s.step();
  CHECK(s.sent() == "x");
  CHECK(std::string{s.field.data()} == "abc");
}

TEST_CASE("marking with the mouse copies") {
  Stage s;
  s.feed("hello brave new world\r\nsecond line");
  s.point(0, 6);
  ImguiDriver::button(0, true);
  s.step();
  s.point(1, 5);
  CHECK(s.terminal.selected_text() == "brave new world\nsecond");
  ImguiDriver::button(0, false);
  s.step();
  CHECK(s.clipboard == "brave new world\nsecond");
  s.point(4, 4);
  for (int i = 0; i < 60; ++i) s.step();
  s.click();
  CHECK(s.terminal.selected_text().empty());
  CHECK(s.clipboard == "brave new world\nsecond");
}

TEST_CASE("double and triple click") {
  Stage s;
  s.feed("one two-three four");
  s.point(0, 6);
  s.click();
  s.click();
  CHECK(s.clipboard == "two-three");
  s.click();
  CHECK(s.clipboard == "one two-three four");
}

TEST_CASE("copy and paste by keys") {
  Stage s;
  s.feed("word");
  s.terminal.request_focus();
  s.point(0, 1);
  s.click();
  s.click();
  s.clipboard = "changed";
  ImguiDriver::control(true);
  ImguiDriver::shift(true);
  s.press('C');
  CHECK(s.clipboard == "word");
  s.clipboard = "two\nlines";
  s.press('V');
  CHECK(s.sent() == "two\rlines");
  ImguiDriver::control(false);
  s.press(kInsert);
  CHECK(s.sent() == "two\rlines");
  ImguiDriver::shift(false);
  s.click(2);
  CHECK(s.sent() == "two\rlines");
}

TEST_CASE("the wheel scrolls back and a key returns") {
  Stage s;
  for (int i = 0; i < 100; ++i) s.feed(std::to_string(i) + "\r\n");
  s.point(5, 5);
  ImguiDriver::wheel(2);
  s.step();
  CHECK(s.terminal.lines_scrolled_back() == 6);
  s.feed("more\r\n");
  s.step();
  CHECK(s.terminal.lines_scrolled_back() == 7);
  ImguiDriver::wheel(1000);
  s.step();
  ImguiDriver::wheel(1000);
  s.step();
  CHECK(s.terminal.lines_scrolled_back() == 72);
  ImguiDriver::wheel(-1);
  s.step();
  CHECK(s.terminal.lines_scrolled_back() == 69);
  ImguiDriver::text("x");
  s.step();
  CHECK(s.terminal.lines_scrolled_back() == 0);
  ImguiDriver::shift(true);
  s.press(kPageUp);
  CHECK(s.terminal.lines_scrolled_back() == 29);
  s.press(kPageDown);
  CHECK(s.terminal.lines_scrolled_back() == 0);
}

TEST_CASE("text in the scrollback can be marked") {
  Stage s;
  for (int i = 0; i < 100; ++i) s.feed("line" + std::to_string(i) + "\r\n");
  s.point(0, 2);
  ImguiDriver::wheel(1000);
  s.step();
  ImguiDriver::wheel(1000);
  s.step();
  ImguiDriver::wheel(1000);
  s.step();
  ImguiDriver::wheel(1000);
  s.step();
  s.click();
  s.click();
  CHECK(s.clipboard == "line0");
}

TEST_CASE("a guest that asked for the mouse gets it, and Shift keeps it") {
  Stage s;
  s.feed("text\x1b[?1000h\x1b[?1006h");
  s.point(0, 2);
  s.click();
  CHECK(s.sent() == "\x1b[<0;3;1M\x1b[<0;3;1m");
  ImguiDriver::wheel(1);
  s.step();
  CHECK(s.sent() == "\x1b[<64;3;1M");
  for (int i = 0; i < 60; ++i) s.step();
  ImguiDriver::shift(true);
  s.click();
  s.click();
  CHECK(s.sent().empty());
  CHECK(s.clipboard == "text");
}

TEST_CASE("the wheel moves the cursor on the alternate screen") {
  Stage s;
  s.feed("\x1b[?1049h");
  s.point(5, 5);
  ImguiDriver::wheel(1);
  s.step();
  CHECK(s.sent() == "\x1b[A\x1b[A\x1b[A");
}

TEST_CASE("events of the host keep their order and need the focus") {
  TerminalOptions options;
  options.input = InputSource::host_events;
  Stage s{options};
  s.terminal.push_text(U'a');
  s.terminal.push_key(Key::enter, {});
  s.terminal.push_text(U'b');
  s.terminal.push_key(Key::c, {.control = true});
  s.terminal.push_key(Key::b, {});
  ImguiDriver::text("not this");
  s.step();
  CHECK(s.sent() == "a\rb\x03");
  ImguiDriver::mouse(s.field_place.x + 5, s.field_place.y + 5);
  s.step();
  s.click();
  s.terminal.push_text(U'x');
  s.step();
  CHECK(s.sent().empty());
}

TEST_CASE("the grid follows the window when told to") {
  TerminalOptions options;
  SUBCASE("told to") {
    options.follow_window = true;
    const Stage s{options};
    CHECK(s.terminal.grid().columns == (900 - 12) / 7);
    CHECK(s.terminal.grid().rows == (700 - 12) / 13);
  }
  SUBCASE("not told to") {
    const Stage s{options};
    CHECK(s.terminal.grid().columns == 80);
    CHECK(s.terminal.grid().rows == 30);
  }
}

TEST_CASE("a widget lower than the screen shows the cursor's row") {
  ImguiDriver driver;
  TerminalWidget terminal;
  const std::string lines = "top\x1b[30;1Hbottom";
  terminal.feed(std::as_bytes(std::span{lines}));
  for (int i = 0; i < 3; ++i) {
    driver.frame([&] {
      ImGui::SetNextWindowSize({300, 120});
      ImGui::Begin("low");
      terminal.draw("terminal");
      ImGui::End();
    });
  }
  CHECK(terminal.grid().rows == 30);
  CHECK(ImGui::GetDrawData()->TotalVtxCount > 0);
}

TEST_CASE("no draw command reaches beyond 16-bit indices") {
  for (const bool offsets : {true, false}) {
    CAPTURE(offsets);
    ImguiDriver driver;
    ImGuiIO& io = ImGui::GetIO();
    io.DisplaySize = {2000, 1200};
    if (!offsets) io.BackendFlags &= ~ImGuiBackendFlags_RendererHasVtxOffset;
    TerminalOptions options;
    options.grid = {.columns = 250, .rows = 80};
    TerminalWidget terminal{options};
    std::string all;
    for (int i = 0; i < 250 * 80; ++i) {
      all += "\x1b[4" + std::to_string(i % 8) + ";3" + std::to_string((i + 3) % 8) + "m" + static_cast<char>('a' + i % 26);
    }
    terminal.feed(std::as_bytes(std::span{all}));
    for (int i = 0; i < 3; ++i) {
      driver.frame([&] {
        ImGui::SetNextWindowPos({0, 0});
        ImGui::SetNextWindowSize(io.DisplaySize);
        ImGui::Begin("large", nullptr, ImGuiWindowFlags_NoTitleBar);
        terminal.draw("terminal");
        ImGui::End();
      });
    }
    const ImDrawData* data = ImGui::GetDrawData();
    CHECK(data->TotalVtxCount > 2 * 4 * 250 * 79);
    for (int l = 0; l < data->CmdListsCount; ++l) {
      const ImDrawList* list = data->CmdLists[l];
      for (const ImDrawCmd& command : list->CmdBuffer) {
        REQUIRE((offsets || command.VtxOffset == 0));
        for (unsigned i = 0; i < command.ElemCount; ++i) {
          const unsigned vertex = list->IdxBuffer[static_cast<int>(command.IdxOffset + i)] + command.VtxOffset;
          REQUIRE(vertex < static_cast<unsigned>(list->VtxBuffer.Size));
        }
      }
      if (!offsets) REQUIRE(list->VtxBuffer.Size < (1 << 16));
    }
  }
}

TEST_CASE("a frame without changes allocates nothing") {
  Stage s;
  s.feed("\x1b[1;31mcolour\x1b[0m and text\r\n\x1b[7mreverse\x1b[0m");
  for (int i = 0; i < 5; ++i) s.step();
  static int allocations = 0;
  ImGuiMemAllocFunc allocate = nullptr;
  ImGuiMemFreeFunc release = nullptr;
  void* user = nullptr;
  ImGui::GetAllocatorFunctions(&allocate, &release, &user);
  ImGui::SetAllocatorFunctions([](std::size_t size, void*) { return ++allocations, std::malloc(size); }, [](void* p, void*) { std::free(p); });
  allocations = 0;
  for (int i = 0; i < 5; ++i) s.step();
  CHECK(allocations == 0);
  ImGui::SetAllocatorFunctions(allocate, release, user);
}

}  // namespace tuxarium::imgui
