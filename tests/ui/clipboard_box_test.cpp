#include <doctest/doctest.h>

#include <string>

#include "imgui_driver.hpp"
#include "widget/clipboard_box.hpp"

namespace tuxarium::imgui {
namespace {

struct Stage : ImguiDriver {
  ClipboardBuffer buffer;
  ClipboardBox box{100};
  ImVec2 text_place, clear_place, paste_place, copy_place;

  void step() {
    frame([this] {
      ImGui::SetNextWindowPos({0, 0});
      ImGui::SetNextWindowSize({600, 400});
      ImGui::Begin("stage", nullptr, ImGuiWindowFlags_NoTitleBar);
      const ImVec2 origin = ImGui::GetCursorScreenPos();
      box.draw(buffer, 60);
      text_place = {origin.x + 20, origin.y + ClipboardBox::total_height(60) - 30};
      clear_place = {origin.x + ImGui::GetContentRegionMax().x - 8 - 15, origin.y + 8};
      paste_place = {clear_place.x - 46, clear_place.y};
      copy_place = {paste_place.x - 50, clear_place.y};
      ImGui::End();
    });
  }

  std::string text_of_frame() {
    return shown_by([this] { box.draw(buffer, 60); });
  }

  void click(ImVec2 at) {
    mouse(at.x, at.y);
    step();
    button(0, true);
    step();
    button(0, false);
    step();
  }
};

}  // namespace

TEST_CASE("what the user types is what the guest reads") {
  Stage s;
  s.step();
  s.click(s.text_place);
  ImguiDriver::text("für ");
  s.step();
  ImguiDriver::text("dich");
  s.step();
  CHECK(s.buffer.text() == "für dich");
}

TEST_CASE("what the guest writes replaces the text, also while it is edited") {
  Stage s;
  s.step();
  s.click(s.text_place);
  ImguiDriver::text("mine");
  s.step();
  s.buffer.text_from_guest("guest");
  s.step();
  s.step();
  CHECK(s.buffer.text() == "guest");
  for (int i = 0; i < 60; ++i) s.step();  // not a double click
  s.click(s.text_place);
  ImguiDriver::text("!");
  s.step();
  CHECK(s.buffer.text().size() == 6);
}

TEST_CASE("Clear empties it, also while it is edited") {
  Stage s;
  s.buffer.set_text("something");
  s.step();
  s.click(s.text_place);
  s.click(s.clear_place);
  CHECK(s.buffer.text().empty());
  s.step();
  s.step();
  CHECK(s.buffer.text().empty());
}

TEST_CASE("a text beyond the limit, or with a NUL, is shown but not changed") {
  Stage s;
  const std::string large(1000, 'x');
  s.buffer.text_from_guest(large);
  s.step();
  s.click(s.text_place);
  ImguiDriver::text("y");
  s.step();
  CHECK(s.buffer.text() == large);
  const std::string binary("a\0b", 3);
  s.buffer.text_from_guest(binary);
  s.step();
  s.click(s.text_place);
  ImguiDriver::text("y");
  s.step();
  CHECK(s.buffer.text() == binary);
}

TEST_CASE("text goes to the system's clipboard and comes from it, up to the limit") {
  Stage s;
  s.buffer.set_text("out");
  s.step();
  s.click(s.copy_place);
  CHECK(s.clipboard == "out");
  s.clipboard = "in";
  s.click(s.paste_place);
  CHECK(s.buffer.text() == "in");
  s.clipboard = std::string(101, 'x');
  s.click(s.paste_place);
  CHECK(s.buffer.text() == "in");
  CHECK(s.text_of_frame().find("has 101 bytes, and more than 100 are not taken") != std::string::npos);
  s.clipboard.clear();
  s.click(s.paste_place);
  CHECK(s.buffer.text() == "in");
  s.buffer.text_from_guest(std::string("a\0b", 3));
  s.step();
  s.click(s.copy_place);
  CHECK(s.clipboard == "a");
}

}  // namespace tuxarium::imgui
