// Search, links, zoom, scroll bar, block selection, bell, and what a guest may ask of its host.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <tuxarium_imgui/demo_window.hpp>

#include "imgui_driver.hpp"

namespace tuxarium::imgui {
namespace {

constexpr float kCellWidth = 7, kCellHeight = 13;  // of Dear ImGui's own font
constexpr int kEnterKey = 257, kKeypad7 = 327;

// A terminal that fills a window at (0, 0) exactly, without padding around its cells.
class Corner : public TerminalDriver {
 public:
  explicit Corner(TerminalOptions options = {}) : TerminalDriver{with_grid(std::move(options)), style()} { focus(); }

  void step() override {
    frame([this] {
      ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, ImVec2{0, 0});
      ImGui::SetNextWindowPos({0, 0});
      ImGui::SetNextWindowSize({40 * kCellWidth, 10 * kCellHeight});
      ImGui::Begin("corner", nullptr, ImGuiWindowFlags_NoDecoration);
      ImGui::PopStyleVar();
      terminal.draw("terminal");
      ImGui::End();
    });
  }
  void point(int row, int column) {
    mouse((static_cast<float>(column) + 0.5f) * kCellWidth, (static_cast<float>(row) + 0.5f) * kCellHeight);
    step();
  }

 private:
  static TerminalOptions with_grid(TerminalOptions options) {
    options.grid = {.columns = 40, .rows = 10};
    return options;
  }
  static Style style() {
    Style style;
    style.line_spacing = 1;
    style.padding = 0;
    return style;
  }
};

std::string numbered_lines(int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += "line " + std::to_string(i) + "\r\n";
  return all;
}

}  // namespace

TEST_CASE("Ctrl-Shift-F searches back, and again with Enter") {
  Corner c;
  c.feed(numbered_lines(300));
  c.step();
  ImguiDriver::control(true);
  ImguiDriver::shift(true);
  c.press('F');
  ImguiDriver::control(false);
  ImguiDriver::shift(false);
  c.steps(3);
  CHECK_FALSE(c.terminal.focused());
  ImguiDriver::text("line 1.0$");
  c.steps(2);
  CHECK(c.terminal.lines_scrolled_back() == 0);  // no regular expression yet
  c.terminal.find("line 1.0$", true);
  c.steps(3);
  const auto first = c.terminal.lines_scrolled_back();
  CHECK(first > 90);
  CHECK(first < 120);
  c.press(kEnterKey);
  c.steps(2);
  CHECK(c.terminal.lines_scrolled_back() > first + 5);
  CHECK(c.sent().empty());
}

TEST_CASE("a wrong expression is said, and nothing breaks") {
  Corner c;
  c.feed(numbered_lines(30));
  c.terminal.find("((", true);
  c.steps(3);
  c.terminal.find("not there");
  c.steps(3);
  CHECK(c.terminal.lines_scrolled_back() == 0);
}

TEST_CASE("Control-click opens a link, of the safe kinds only") {
  std::vector<std::string> opened;
  TerminalOptions options;
  options.open_link = [&](const std::string& address) { opened.push_back(address); };
  Corner c{options};
  c.feed("http://a.example/ \x1b]8;;https://b.example/\x07link\x1b]8;;\x07 \x1b]8;;file:///etc/passwd\x07" "file\x1b]8;;\x07");
  c.point(0, 3);
  c.click();
  CHECK(opened.empty());
  ImguiDriver::control(true);
  c.click();
  c.point(0, 20);
  c.click();
  c.point(0, 25);
  c.click();
  ImguiDriver::control(false);
  CHECK(opened == std::vector<std::string>{"http://a.example/", "https://b.example/"});
}

TEST_CASE("zoom by keys changes the size of the cells") {
  Corner c;
  const auto before = c.terminal.preferred_extent();
  ImguiDriver::control(true);
  for (int i = 0; i < 8; ++i) c.press('=');
  CHECK(c.terminal.zoom() > 1.5f);
  CHECK(c.terminal.preferred_extent().width > before.width * 1.5f);
  c.press('-');
  c.press('0');
  ImguiDriver::control(false);
  CHECK(c.terminal.zoom() == 1);
  CHECK(c.terminal.preferred_extent().width == before.width);
  CHECK(c.sent().empty());
  c.terminal.set_zoom(1000);
  CHECK(c.terminal.zoom() <= 5);
}

TEST_CASE("the scroll bar can be dragged") {
  Corner c;
  c.feed(numbered_lines(500));
  c.point(9, 0);
  ImguiDriver::mouse(40 * kCellWidth - 3, 9.5f * kCellHeight);
  c.step();
  ImguiDriver::button(0, true);
  c.step();
  ImguiDriver::mouse(40 * kCellWidth - 3, 0);
  c.step();
  CHECK(c.terminal.lines_scrolled_back() == 491);
  ImguiDriver::mouse(20, 5 * kCellHeight);
  c.step();
  CHECK(c.terminal.lines_scrolled_back() > 200);
  CHECK(c.terminal.lines_scrolled_back() < 300);
  ImguiDriver::button(0, false);
  c.step();
  CHECK(c.terminal.selected_text().empty());
}

TEST_CASE("Alt and drag marks a block; Shift-click extends") {
  Corner c;
  c.feed("abcdef\r\nghijkl\r\nmnopqr");
  c.point(0, 1);
  ImguiDriver::alt(true);
  ImguiDriver::button(0, true);
  c.step();
  c.point(2, 3);
  ImguiDriver::button(0, false);
  c.step();
  ImguiDriver::alt(false);
  CHECK(c.terminal.selected_text() == "bcd\nhij\nnop");
  c.point(0, 0);
  ImguiDriver::button(0, true);
  c.step();
  c.point(0, 2);
  ImguiDriver::button(0, false);
  c.step();
  ImguiDriver::shift(true);
  c.point(1, 1);
  c.click();
  ImguiDriver::shift(false);
  CHECK(c.terminal.selected_text() == "abcdef\ngh");
}

TEST_CASE("the guest's clipboard needs permission") {
  for (const auto permission : {GuestClipboard::none, GuestClipboard::write, GuestClipboard::read_and_write}) {
    TerminalOptions options;
    options.guest_clipboard = permission;
    Corner c{options};
    c.clipboard = "mine";
    c.feed("\x1b]52;c;?\x07");
    c.step();
    CHECK(c.sent() == (permission == GuestClipboard::read_and_write ? "\x1b]52;c;bWluZQ==\x1b\\" : ""));
    c.feed("\x1b]52;c;aGk=\x07");
    c.step();
    CHECK(c.clipboard == (permission == GuestClipboard::none ? "mine" : "hi"));
  }
}

TEST_CASE("focus events, and a held-back update that takes too long") {
  Corner c;
  c.feed("\x1b[?1004h");
  ImGui::SetWindowFocus(nullptr);
  c.terminal.request_focus();
  c.step();
  c.frame([&] {
    ImGui::Begin("other");
    ImGui::SetWindowFocus();
    ImGui::End();
    ImGui::Begin("corner");
    c.terminal.draw("terminal");
    ImGui::End();
  });
  c.frame([&] {
    ImGui::Begin("other");
    ImGui::End();
    ImGui::Begin("corner");
    c.terminal.draw("terminal");
    ImGui::End();
  });
  CHECK(c.sent().ends_with("\x1b[O"));
  c.feed("old\x1b[?2026h\rnew");
  c.step();
  CHECK(c.terminal.screen_text().starts_with("old"));
  c.steps(30);
  CHECK(c.terminal.screen_text().starts_with("new"));
}

TEST_CASE("the keypad is text with Num Lock, keys without") {
  Corner c;
  ImguiDriver::text("7");
  c.press(kKeypad7);
  CHECK(c.sent() == "7");
  c.press(kKeypad7);
  CHECK(c.sent() == "\x1b[H");
}

TEST_CASE("the bell is seen for a moment") {
  Corner c;
  c.steps(2);
  const int quiet = ImGui::GetDrawData()->TotalVtxCount;
  c.feed("\a");
  c.step();
  CHECK(ImGui::GetDrawData()->TotalVtxCount > quiet);
}

TEST_CASE("boxes, underlines, double lines, marks and a resize at any time draw") {
  Corner c;
  std::string all;
  for (unsigned code = 0x2500; code < 0x25A0; ++code) {
    all += {static_cast<char>(0xE2), static_cast<char>(0x80 | (code >> 6 & 0x3F)), static_cast<char>(0x80 | (code & 0x3F))};
  }
  for (int n = 0; n < 6; ++n) all += "\x1b[4:" + std::to_string(n) + "munder\u0301\x1b[m";
  c.feed(all + "\r\n\x1b#3upper\r\n\x1b#4lower\r\n\x1b#6wide");
  c.step();
  for (const Grid grid : {Grid{1, 1}, Grid{3, 2}, Grid{200, 60}, Grid{40, 10}}) {
    c.terminal.set_grid(grid);
    c.step();
    c.terminal.find("under");
    c.step();
  }
  CHECK(ImGui::GetDrawData()->TotalVtxCount > 0);
}

TEST_CASE("themes, style editor and demo window draw") {
  for (int i = 0; i < static_cast<int>(Theme::count); ++i) {
    const Style style = make_style(static_cast<Theme>(i));
    CHECK(std::string{theme_name(static_cast<Theme>(i))}.size() > 2);
    CHECK(style.background.alpha == 255);
  }
  ImguiDriver driver;
  std::unique_ptr<DemoWindow> demo;
  Style style;
  bool open = true;
  for (int i = 0; i < 5; ++i) {
    driver.frame([&] {
      ShowDemoWindow(demo, &open);
      ImGui::Begin("style");
      ShowStyleEditor(style);
      ImGui::End();
    });
  }
  CHECK(demo != nullptr);
  open = false;
  driver.frame([&] { ShowDemoWindow(demo, &open); });
  CHECK(demo == nullptr);
}

}  // namespace tuxarium::imgui
