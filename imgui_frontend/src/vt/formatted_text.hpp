// Marked text with its colours and attributes, for another program.
#pragma once

#include <string>

#include "cell_extras.hpp"
#include "color_table.hpp"
#include "screen_buffer.hpp"
#include "selection.hpp"

namespace tuxarium::vt {

/// With control sequences (SGR of ECMA-48), as the guest could have written it; the standard colours stay those of the reader.
std::string text_with_sequences(const ScreenBuffer& buffer, const CellExtras& extras, const CellRange& range);

/// A `pre` element of HTML with its colours in it. What the guest wrote is text alone: no markup of its own gets through.
std::string text_as_html(const ScreenBuffer& buffer, const CellExtras& extras, const CellRange& range, const ColorTable& colors);

}  // namespace tuxarium::vt
