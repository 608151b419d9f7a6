// The viewer's font and colours.
#pragma once

#include <string>

#include <tuxarium/result.hpp>
#include <tuxarium_imgui/style.hpp>

namespace tuxarium::viewer {

/// Loads `file`, or with an empty name DejaVu Sans Mono where systems keep it, else Dear ImGui's own font. Before the first frame.
Result<void> load_font(const std::string& file, float pixels);

/// Dear ImGui's own colours, dark or light as the terminal's ground is.
void set_colours(const imgui::Style& style);

}  // namespace tuxarium::viewer
