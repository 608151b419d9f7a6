// Which number a key has in Dear ImGui, and what a key means to a terminal.
#pragma once

#include <optional>

#include <tuxarium_imgui/keys.hpp>

#include "vt/terminal.hpp"

namespace tuxarium::imgui {

/// The number to ask ImGui::IsKeyPressed() for. Before 1.87 these are GLFW's key codes, and a host with another backend brings its own.
int default_imgui_key(Key key);

/// The terminal's own key, for a key without a character.
std::optional<vt::Key> terminal_key(Key key);

/// The character of a key on a US keyboard; 0 for a key without one.
char32_t key_character(Key key, bool shift);

}  // namespace tuxarium::imgui
