// How the terminal looks.
#pragma once

#include <array>
#include <cstdint>

namespace tuxarium::imgui {

/// A colour with 8 bits a channel.
struct Rgba {
  std::uint8_t red = 0;
  std::uint8_t green = 0;
  std::uint8_t blue = 0;
  std::uint8_t alpha = 255;
};

/// Colours and sizes of a TerminalWidget and its ConsoleWindow. The default is a dark theme.
struct Style {
  Rgba foreground{0xD8, 0xDB, 0xE0};
  Rgba background{0x12, 0x14, 0x1A};
  Rgba cursor{0x7F, 0xD9, 0x62};
  Rgba cursor_text{0x12, 0x14, 0x1A};
  Rgba selection{0x3A, 0x5A, 0x8C, 0xB0};
  Rgba search_match{0xF2, 0xB1, 0x4A, 0x60};    ///< text that the search found
  Rgba search_current{0xF2, 0xB1, 0x4A, 0xD0};  ///< the match it stands on
  Rgba link{0x83, 0xB6, 0xFF};                  ///< line under the link that the mouse is on
  Rgba bell{0xFF, 0xFF, 0xFF, 0x28};            ///< lies over the terminal for a moment when the guest rings
  Rgba scroll_track{0xFF, 0xFF, 0xFF, 0x10};
  Rgba scroll_thumb{0xFF, 0xFF, 0xFF, 0x50};
  Rgba frame_focused{0x5A, 0x7F, 0xB5, 0xFF};
  Rgba frame_unfocused{0x2B, 0x30, 0x3A, 0xFF};
  Rgba light_off{0x3A, 0x3F, 0x4A};
  Rgba light_receive{0x7F, 0xD9, 0x62};   ///< the guest got bytes on its second serial port
  Rgba light_transmit{0xF2, 0xB1, 0x4A};  ///< the guest sent bytes there
  Rgba link_up{0x7F, 0xD9, 0x62};         ///< the network
  Rgba link_connecting{0xF2, 0xB1, 0x4A};
  Rgba link_down{0xE0, 0x6C, 0x75};
  Rgba state_running{0x7F, 0xD9, 0x62};
  Rgba state_idle{0x6F, 0xA8, 0xDC};
  Rgba state_halted{0xE0, 0x6C, 0x75};

  /// Colours 0 to 7 and their bright forms 8 to 15. Colours 16 to 255 are xterm's cube and grey ramp.
  std::array<Rgba, 16> palette{{
      {0x1E, 0x21, 0x29}, {0xE0, 0x5A, 0x64}, {0x8C, 0xC2, 0x65}, {0xD9, 0xA8, 0x52},
      {0x5C, 0x97, 0xE8}, {0xC2, 0x74, 0xDC}, {0x4F, 0xB4, 0xBF}, {0xC5, 0xC9, 0xD1},
      {0x5F, 0x67, 0x76}, {0xFF, 0x7B, 0x85}, {0xA9, 0xE3, 0x7E}, {0xFA, 0xCB, 0x6C},
      {0x83, 0xB6, 0xFF}, {0xDF, 0x97, 0xF7}, {0x6C, 0xD8, 0xE4}, {0xFF, 0xFF, 0xFF},
  }};

  bool draw_boxes = true;          ///< lines, boxes and blocks (U+2500 to U+259F) are drawn without gaps instead of taken from the font
  bool bold_is_bright = true;      ///< bold text in colours 0 to 7 takes colours 8 to 15; otherwise bold text is drawn twice
  float padding = 6.0f;            ///< pixels between the frame and the cells
  float line_spacing = 1.06f;      ///< height of a row as a multiple of the font's
  float cursor_blink_seconds = 0.53f;  ///< half a period; 0: the cursor does not blink
  float bell_seconds = 0.12f;          ///< how long the bell is seen; 0: not at all
};

/// Colours that people know. Everything else of such a Style is the default.
enum class Theme : std::uint8_t { dark, light, solarized_dark, solarized_light, gruvbox_dark, dracula, nord, tango_dark, xterm, count };

Style make_style(Theme theme);
/// A name for people.
const char* theme_name(Theme theme);

/// Fields to change every colour and size of a style, and to take over a theme; inside the host's current window. True when something changed.
bool ShowStyleEditor(Style& style);

}  // namespace tuxarium::imgui
