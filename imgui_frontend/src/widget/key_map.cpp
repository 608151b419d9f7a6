// GLFW's key codes: GLFW 3.3 reference, "Keyboard key tokens".
#include "key_map.hpp"

#include <array>
#include <cstddef>

#include "imgui_compat.hpp"

namespace tuxarium::imgui {
namespace {

constexpr std::size_t kKeyCount = static_cast<std::size_t>(Key::count);

struct KeyRow {
  Key key;
  int imgui;
  char plain;
  char shifted;
};

#if IMGUI_VERSION_NUM >= 18700
#define TUXARIUM_KEY(name, glfw) (static_cast<int>(ImGuiKey_##name))
#else
#define TUXARIUM_KEY(name, glfw) (glfw)
#endif
// Named since 1.89.7.
#if IMGUI_VERSION_NUM >= 18970 || IMGUI_VERSION_NUM < 18700
#define TUXARIUM_F13_TO_F20(name, glfw) TUXARIUM_KEY(name, glfw)
#else
#define TUXARIUM_F13_TO_F20(name, glfw) (-1)
#endif

// clang-format off
constexpr auto kKeys = std::to_array<KeyRow>({
    {Key::enter, TUXARIUM_KEY(Enter, 257), 0, 0},           {Key::tab, TUXARIUM_KEY(Tab, 258), 0, 0},
    {Key::backspace, TUXARIUM_KEY(Backspace, 259), 0, 0},   {Key::escape, TUXARIUM_KEY(Escape, 256), 0, 0},
    {Key::up, TUXARIUM_KEY(UpArrow, 265), 0, 0},            {Key::down, TUXARIUM_KEY(DownArrow, 264), 0, 0},
    {Key::left, TUXARIUM_KEY(LeftArrow, 263), 0, 0},        {Key::right, TUXARIUM_KEY(RightArrow, 262), 0, 0},
    {Key::insert, TUXARIUM_KEY(Insert, 260), 0, 0},         {Key::del, TUXARIUM_KEY(Delete, 261), 0, 0},
    {Key::home, TUXARIUM_KEY(Home, 268), 0, 0},             {Key::end, TUXARIUM_KEY(End, 269), 0, 0},
    {Key::page_up, TUXARIUM_KEY(PageUp, 266), 0, 0},        {Key::page_down, TUXARIUM_KEY(PageDown, 267), 0, 0},
    {Key::f1, TUXARIUM_KEY(F1, 290), 0, 0},   {Key::f2, TUXARIUM_KEY(F2, 291), 0, 0},   {Key::f3, TUXARIUM_KEY(F3, 292), 0, 0},
    {Key::f4, TUXARIUM_KEY(F4, 293), 0, 0},   {Key::f5, TUXARIUM_KEY(F5, 294), 0, 0},   {Key::f6, TUXARIUM_KEY(F6, 295), 0, 0},
    {Key::f7, TUXARIUM_KEY(F7, 296), 0, 0},   {Key::f8, TUXARIUM_KEY(F8, 297), 0, 0},   {Key::f9, TUXARIUM_KEY(F9, 298), 0, 0},
    {Key::f10, TUXARIUM_KEY(F10, 299), 0, 0}, {Key::f11, TUXARIUM_KEY(F11, 300), 0, 0}, {Key::f12, TUXARIUM_KEY(F12, 301), 0, 0},
    {Key::f13, TUXARIUM_F13_TO_F20(F13, 302), 0, 0}, {Key::f14, TUXARIUM_F13_TO_F20(F14, 303), 0, 0},
    {Key::f15, TUXARIUM_F13_TO_F20(F15, 304), 0, 0}, {Key::f16, TUXARIUM_F13_TO_F20(F16, 305), 0, 0},
    {Key::f17, TUXARIUM_F13_TO_F20(F17, 306), 0, 0}, {Key::f18, TUXARIUM_F13_TO_F20(F18, 307), 0, 0},
    {Key::f19, TUXARIUM_F13_TO_F20(F19, 308), 0, 0}, {Key::f20, TUXARIUM_F13_TO_F20(F20, 309), 0, 0},
    {Key::keypad_0, TUXARIUM_KEY(Keypad0, 320), 0, 0}, {Key::keypad_1, TUXARIUM_KEY(Keypad1, 321), 0, 0},
    {Key::keypad_2, TUXARIUM_KEY(Keypad2, 322), 0, 0}, {Key::keypad_3, TUXARIUM_KEY(Keypad3, 323), 0, 0},
    {Key::keypad_4, TUXARIUM_KEY(Keypad4, 324), 0, 0}, {Key::keypad_5, TUXARIUM_KEY(Keypad5, 325), 0, 0},
    {Key::keypad_6, TUXARIUM_KEY(Keypad6, 326), 0, 0}, {Key::keypad_7, TUXARIUM_KEY(Keypad7, 327), 0, 0},
    {Key::keypad_8, TUXARIUM_KEY(Keypad8, 328), 0, 0}, {Key::keypad_9, TUXARIUM_KEY(Keypad9, 329), 0, 0},
    {Key::keypad_decimal, TUXARIUM_KEY(KeypadDecimal, 330), 0, 0}, {Key::keypad_divide, TUXARIUM_KEY(KeypadDivide, 331), 0, 0},
    {Key::keypad_multiply, TUXARIUM_KEY(KeypadMultiply, 332), 0, 0}, {Key::keypad_subtract, TUXARIUM_KEY(KeypadSubtract, 333), 0, 0},
    {Key::keypad_add, TUXARIUM_KEY(KeypadAdd, 334), 0, 0}, {Key::keypad_enter, TUXARIUM_KEY(KeypadEnter, 335), 0, 0},
    {Key::keypad_equal, TUXARIUM_KEY(KeypadEqual, 336), 0, 0},
    {Key::a, TUXARIUM_KEY(A, 'A'), 'a', 'A'}, {Key::b, TUXARIUM_KEY(B, 'B'), 'b', 'B'}, {Key::c, TUXARIUM_KEY(C, 'C'), 'c', 'C'},
    {Key::d, TUXARIUM_KEY(D, 'D'), 'd', 'D'}, {Key::e, TUXARIUM_KEY(E, 'E'), 'e', 'E'}, {Key::f, TUXARIUM_KEY(F, 'F'), 'f', 'F'},
    {Key::g, TUXARIUM_KEY(G, 'G'), 'g', 'G'}, {Key::h, TUXARIUM_KEY(H, 'H'), 'h', 'H'}, {Key::i, TUXARIUM_KEY(I, 'I'), 'i', 'I'},
    {Key::j, TUXARIUM_KEY(J, 'J'), 'j', 'J'}, {Key::k, TUXARIUM_KEY(K, 'K'), 'k', 'K'}, {Key::l, TUXARIUM_KEY(L, 'L'), 'l', 'L'},
    {Key::m, TUXARIUM_KEY(M, 'M'), 'm', 'M'}, {Key::n, TUXARIUM_KEY(N, 'N'), 'n', 'N'}, {Key::o, TUXARIUM_KEY(O, 'O'), 'o', 'O'},
    {Key::p, TUXARIUM_KEY(P, 'P'), 'p', 'P'}, {Key::q, TUXARIUM_KEY(Q, 'Q'), 'q', 'Q'}, {Key::r, TUXARIUM_KEY(R, 'R'), 'r', 'R'},
    {Key::s, TUXARIUM_KEY(S, 'S'), 's', 'S'}, {Key::t, TUXARIUM_KEY(T, 'T'), 't', 'T'}, {Key::u, TUXARIUM_KEY(U, 'U'), 'u', 'U'},
    {Key::v, TUXARIUM_KEY(V, 'V'), 'v', 'V'}, {Key::w, TUXARIUM_KEY(W, 'W'), 'w', 'W'}, {Key::x, TUXARIUM_KEY(X, 'X'), 'x', 'X'},
    {Key::y, TUXARIUM_KEY(Y, 'Y'), 'y', 'Y'}, {Key::z, TUXARIUM_KEY(Z, 'Z'), 'z', 'Z'},
    {Key::digit_0, TUXARIUM_KEY(0, '0'), '0', ')'}, {Key::digit_1, TUXARIUM_KEY(1, '1'), '1', '!'},
    {Key::digit_2, TUXARIUM_KEY(2, '2'), '2', '@'}, {Key::digit_3, TUXARIUM_KEY(3, '3'), '3', '#'},
    {Key::digit_4, TUXARIUM_KEY(4, '4'), '4', '$'}, {Key::digit_5, TUXARIUM_KEY(5, '5'), '5', '%'},
    {Key::digit_6, TUXARIUM_KEY(6, '6'), '6', '^'}, {Key::digit_7, TUXARIUM_KEY(7, '7'), '7', '&'},
    {Key::digit_8, TUXARIUM_KEY(8, '8'), '8', '*'}, {Key::digit_9, TUXARIUM_KEY(9, '9'), '9', '('},
    {Key::space, TUXARIUM_KEY(Space, ' '), ' ', ' '},                   {Key::apostrophe, TUXARIUM_KEY(Apostrophe, '\''), '\'', '"'},
    {Key::comma, TUXARIUM_KEY(Comma, ','), ',', '<'},                   {Key::minus, TUXARIUM_KEY(Minus, '-'), '-', '_'},
    {Key::period, TUXARIUM_KEY(Period, '.'), '.', '>'},                 {Key::slash, TUXARIUM_KEY(Slash, '/'), '/', '?'},
    {Key::semicolon, TUXARIUM_KEY(Semicolon, ';'), ';', ':'},           {Key::equal, TUXARIUM_KEY(Equal, '='), '=', '+'},
    {Key::left_bracket, TUXARIUM_KEY(LeftBracket, '['), '[', '{'},      {Key::backslash, TUXARIUM_KEY(Backslash, '\\'), '\\', '|'},
    {Key::right_bracket, TUXARIUM_KEY(RightBracket, ']'), ']', '}'},    {Key::grave, TUXARIUM_KEY(GraveAccent, '`'), '`', '~'},
});
// clang-format on
#undef TUXARIUM_KEY
#undef TUXARIUM_F13_TO_F20

constexpr bool in_order() {
  for (std::size_t i = 0; i < kKeys.size(); ++i) {
    if (static_cast<std::size_t>(kKeys[i].key) != i) return false;
  }
  return kKeys.size() == kKeyCount;
}
static_assert(in_order(), "kKeys has one row for each Key, in its order");
static_assert(static_cast<int>(Key::keypad_equal) == static_cast<int>(vt::Key::keypad_equal), "both enumerations begin with the same keys");

}  // namespace

int default_imgui_key(Key key) { return key < Key::count ? kKeys[static_cast<std::size_t>(key)].imgui : -1; }

std::optional<vt::Key> terminal_key(Key key) {
  if (key <= Key::keypad_equal) return static_cast<vt::Key>(key);
  return std::nullopt;
}

char32_t key_character(Key key, bool shift) {
  if (key >= Key::count) return 0;
  const KeyRow& row = kKeys[static_cast<std::size_t>(key)];
  return static_cast<unsigned char>(shift ? row.shifted : row.plain);
}

}  // namespace tuxarium::imgui
