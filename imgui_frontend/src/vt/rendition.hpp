// Select Graphic Rendition: ECMA-48 8.3.117, xterm's "Control Sequences" (colours 38 and 48, with semicolons or colons), ISO 8613-6 (colons),
// the underline styles 4:0 to 4:5 and the underline colours 58 and 59 that kitty and VTE brought.
#pragma once

#include <string>

#include "parser.hpp"
#include "screen_buffer.hpp"

namespace tuxarium::vt {

/// Changes colours and attributes of `pen`; `underline` is the colour of its underline.
void select_rendition(const ControlSequence& sequence, Cell& pen, Color& underline);

/// The parameters that lead from a plain pen to this one, as in an answer to DECRQSS.
std::string rendition_text(const Cell& pen, Color underline);

}  // namespace tuxarium::vt
