#include "key_events.hpp"

#define GLFW_INCLUDE_NONE
#include <GLFW/glfw3.h>

#include <cstring>
#include <optional>
#include <string_view>

namespace tuxarium::viewer {
namespace {

using imgui::Key;

std::optional<Key> special_key(int key) {
  if (key >= GLFW_KEY_F1 && key <= GLFW_KEY_F20) return static_cast<Key>(static_cast<int>(Key::f1) + (key - GLFW_KEY_F1));
  switch (key) {
    case GLFW_KEY_ENTER: return Key::enter;
    case GLFW_KEY_KP_ENTER: return Key::keypad_enter;
    case GLFW_KEY_TAB: return Key::tab;
    case GLFW_KEY_BACKSPACE: return Key::backspace;
    case GLFW_KEY_ESCAPE: return Key::escape;
    case GLFW_KEY_UP: return Key::up;
    case GLFW_KEY_DOWN: return Key::down;
    case GLFW_KEY_LEFT: return Key::left;
    case GLFW_KEY_RIGHT: return Key::right;
    case GLFW_KEY_INSERT: return Key::insert;
    case GLFW_KEY_DELETE: return Key::del;
    case GLFW_KEY_HOME: return Key::home;
    case GLFW_KEY_END: return Key::end;
    case GLFW_KEY_PAGE_UP: return Key::page_up;
    case GLFW_KEY_PAGE_DOWN: return Key::page_down;
    default: return std::nullopt;
  }
}

// Without NumLock the keypad's digits and its point make no text.
std::optional<Key> keypad_key(int key) {
  if (key >= GLFW_KEY_KP_0 && key <= GLFW_KEY_KP_9) return static_cast<Key>(static_cast<int>(Key::keypad_0) + (key - GLFW_KEY_KP_0));
  return key == GLFW_KEY_KP_DECIMAL ? std::optional{Key::keypad_decimal} : std::nullopt;
}

std::optional<Key> character_key(int key) {
  if (key == GLFW_KEY_SPACE) return Key::space;
  const char* name = glfwGetKeyName(key, 0);
  char c = name != nullptr && std::strlen(name) == 1 ? name[0] : '\0';
  if (c == '\0' && key > ' ' && key < 127) c = static_cast<char>(key >= 'A' && key <= 'Z' ? key + 32 : key);
  const auto from = [](Key first, int offset) { return static_cast<Key>(static_cast<int>(first) + offset); };
  if (c >= 'a' && c <= 'z') return from(Key::a, c - 'a');
  if (c >= 'A' && c <= 'Z') return from(Key::a, c - 'A');
  if (c >= '0' && c <= '9') return from(Key::digit_0, c - '0');
  constexpr std::string_view kPunctuation = "',-./;=[\\]`";
  constexpr Key kKeys[] = {Key::apostrophe, Key::comma,        Key::minus,     Key::period,        Key::slash, Key::semicolon,
                           Key::equal,      Key::left_bracket, Key::backslash, Key::right_bracket, Key::grave};
  const auto at = kPunctuation.find(c);
  if (c == '\0' || at == std::string_view::npos) return std::nullopt;
  return kKeys[at];
}

}  // namespace

void push_key_event(imgui::TerminalWidget& terminal, int glfw_key, int glfw_modifiers) {
  const imgui::KeyModifiers modifiers{.shift = (glfw_modifiers & GLFW_MOD_SHIFT) != 0,
                                      .alt = (glfw_modifiers & GLFW_MOD_ALT) != 0,
                                      .control = (glfw_modifiers & GLFW_MOD_CONTROL) != 0};
  std::optional<Key> key = special_key(glfw_key);
  if (!key && (glfw_modifiers & GLFW_MOD_NUM_LOCK) == 0) key = keypad_key(glfw_key);
  if (!key && (modifiers.control || modifiers.alt)) key = character_key(glfw_key);
  if (key) terminal.push_key(*key, modifiers);
}

}  // namespace tuxarium::viewer
