// The viewer's font and colours.
#pragma once

#include <string>

#include <tuxarium/result.hpp>

namespace tuxarium::viewer {

/// Loads `file`, or with an empty name DejaVu Sans Mono where systems keep it, else Dear ImGui's own font. Before the first frame.
Result<void> load_font(const std::string& file, float pixels);

void set_colours();

}  // namespace tuxarium::viewer
