// The palettes of well-known themes, as their authors publish them.
#include <tuxarium_imgui/style.hpp>

#include <cstddef>

namespace tuxarium::imgui {
namespace {

struct ThemeColors {
  const char* name;
  std::uint32_t foreground, background, cursor, selection;
  std::array<std::uint32_t, 16> palette;
  bool light = false;
};

constexpr std::array<ThemeColors, 8> kThemes{{
    {"Light", 0x24292E, 0xFBFBFA, 0x1F6FEB, 0xADD0FF,
     {0x24292E, 0xC4262E, 0x22803A, 0x946000, 0x0B57C4, 0x8A3AB9, 0x0A7284, 0x8B949E,
      0x57606A, 0xDE3E44, 0x2A9A47, 0xB57900, 0x2C74E0, 0xA455D4, 0x128BA0, 0xD0D7DE}, true},
    {"Solarized dark", 0x839496, 0x002B36, 0x93A1A1, 0x586E75,
     {0x073642, 0xDC322F, 0x859900, 0xB58900, 0x268BD2, 0xD33682, 0x2AA198, 0xEEE8D5,
      0x002B36, 0xCB4B16, 0x586E75, 0x657B83, 0x839496, 0x6C71C4, 0x93A1A1, 0xFDF6E3}},
    {"Solarized light", 0x657B83, 0xFDF6E3, 0x586E75, 0x93A1A1,
     {0x073642, 0xDC322F, 0x859900, 0xB58900, 0x268BD2, 0xD33682, 0x2AA198, 0xEEE8D5,
      0x002B36, 0xCB4B16, 0x586E75, 0x657B83, 0x839496, 0x6C71C4, 0x93A1A1, 0xFDF6E3}, true},
    {"Gruvbox dark", 0xEBDBB2, 0x282828, 0xEBDBB2, 0x665C54,
     {0x282828, 0xCC241D, 0x98971A, 0xD79921, 0x458588, 0xB16286, 0x689D6A, 0xA89984,
      0x928374, 0xFB4934, 0xB8BB26, 0xFABD2F, 0x83A598, 0xD3869B, 0x8EC07C, 0xEBDBB2}},
    {"Dracula", 0xF8F8F2, 0x282A36, 0xF8F8F2, 0x6272A4,
     {0x21222C, 0xFF5555, 0x50FA7B, 0xF1FA8C, 0xBD93F9, 0xFF79C6, 0x8BE9FD, 0xF8F8F2,
      0x6272A4, 0xFF6E6E, 0x69FF94, 0xFFFFA5, 0xD6ACFF, 0xFF92DF, 0xA4FFFF, 0xFFFFFF}},
    {"Nord", 0xD8DEE9, 0x2E3440, 0xD8DEE9, 0x5E81AC,
     {0x3B4252, 0xBF616A, 0xA3BE8C, 0xEBCB8B, 0x81A1C1, 0xB48EAD, 0x88C0D0, 0xE5E9F0,
      0x4C566A, 0xBF616A, 0xA3BE8C, 0xEBCB8B, 0x81A1C1, 0xB48EAD, 0x8FBCBB, 0xECEFF4}},
    {"Tango dark", 0xD3D7CF, 0x1C1F20, 0xEEEEEC, 0x3465A4,
     {0x2E3436, 0xCC0000, 0x4E9A06, 0xC4A000, 0x3465A4, 0x75507B, 0x06989A, 0xD3D7CF,
      0x555753, 0xEF2929, 0x8AE234, 0xFCE94F, 0x729FCF, 0xAD7FA8, 0x34E2E2, 0xEEEEEC}},
    {"xterm", 0xE5E5E5, 0x000000, 0xE5E5E5, 0x4F6FA0,
     {0x000000, 0xCD0000, 0x00CD00, 0xCDCD00, 0x0000EE, 0xCD00CD, 0x00CDCD, 0xE5E5E5,
      0x7F7F7F, 0xFF0000, 0x00FF00, 0xFFFF00, 0x5C5CFF, 0xFF00FF, 0x00FFFF, 0xFFFFFF}},
}};
static_assert(kThemes.size() + 1 == static_cast<std::size_t>(Theme::count));

constexpr Rgba color(std::uint32_t rgb, std::uint8_t alpha = 255) {
  return {static_cast<std::uint8_t>(rgb >> 16), static_cast<std::uint8_t>(rgb >> 8), static_cast<std::uint8_t>(rgb), alpha};
}

}  // namespace

Style make_style(Theme theme) {
  Style style;
  if (theme == Theme::dark || theme >= Theme::count) return style;
  const ThemeColors& colors = kThemes[static_cast<std::size_t>(theme) - 1];
  style.foreground = color(colors.foreground);
  style.background = style.cursor_text = color(colors.background);
  style.cursor = color(colors.cursor);
  style.selection = color(colors.selection, 0xB0);
  style.link = color(colors.palette[12]);
  for (std::size_t i = 0; i < 16; ++i) style.palette[i] = color(colors.palette[i]);
  if (colors.light) {
    style.scroll_track = {0, 0, 0, 0x10};
    style.scroll_thumb = {0, 0, 0, 0x50};
    style.frame_unfocused = {0xC8, 0xCC, 0xD2, 0xFF};
    style.bell = {0, 0, 0, 0x20};
    style.bold_is_bright = false;
  }
  return style;
}

const char* theme_name(Theme theme) {
  if (theme == Theme::dark || theme >= Theme::count) return "Dark";
  return kThemes[static_cast<std::size_t>(theme) - 1].name;
}

}  // namespace tuxarium::imgui
