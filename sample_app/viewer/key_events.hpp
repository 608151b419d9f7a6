// GLFW's key events for a terminal.
#pragma once

#include <tuxarium_imgui/terminal_widget.hpp>

namespace tuxarium::viewer {

/// A press or repeat of a GLFW key. Keys that make text by themselves are left to the character event; with Control or Alt they count
/// by what the user's layout has on them.
void push_key_event(imgui::TerminalWidget& terminal, int glfw_key, int glfw_modifiers);

}  // namespace tuxarium::viewer
