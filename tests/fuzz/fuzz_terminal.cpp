// The terminal model against any bytes: sizes, cursor, scrollback and queues stay within their bounds.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "vt/search.hpp"
#include "vt/terminal.hpp"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

void check(tuxarium::vt::Terminal& t) {
  const auto cursor = t.cursor();
  require(cursor.row >= 0 && cursor.row < t.rows() && cursor.column >= 0 && cursor.column < t.columns());
  require(t.buffer().scrollback() <= 50);
  for (int r = 0; r < t.rows(); ++r) require(t.buffer().screen_row(r).cells.size() == static_cast<std::size_t>(t.columns()));
  require(t.output().size() <= tuxarium::vt::Terminal::kMaxOutput);
  require(t.title().size() <= 256);
}

}  // namespace

// The first bytes of each piece of input choose what happens with the rest of it: write, resize, select, type, search.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tuxarium::vt;
  Terminal t{{.rows = 10, .columns = 20, .scrollback_lines = 50}};
  std::span<const std::uint8_t> input{data, size};
  while (input.size() >= 3) {
    const unsigned action = input[0] % 8u;
    const unsigned a = input[1], b = input[2];
    input = input.subspan(3);
    switch (action) {
      case 0: t.resize(static_cast<int>(a % 60), static_cast<int>(b % 120)); break;
      case 1: t.select({t.buffer().first_line() + a, static_cast<int>(b)}, static_cast<SelectionUnit>(b % 3), a % 2 != 0); break;
      case 2:
        t.select_to({t.buffer().first_line() + a, static_cast<int>(b)});
        require(t.selected_text().size() < 1'000'000);
        break;
      case 3:
        t.key(static_cast<Key>(a % (static_cast<unsigned>(Key::keypad_equal) + 1)), {.shift = (b & 1) != 0, .alt = (b & 2) != 0, .control = (b & 4) != 0});
        t.focus(b % 2 != 0);
        t.mouse({.row = static_cast<int>(a), .column = static_cast<int>(b), .x = static_cast<int>(a), .y = static_cast<int>(b)}, {});
        t.mouse_button(static_cast<int>(1 + a % 7), b % 2 != 0, {});
        break;
      case 4: {
        const std::size_t length = std::min<std::size_t>(b % 40u, input.size());
        Search search;
        search.set({reinterpret_cast<const char*>(input.data()), length}, a % 2 != 0, a % 4 < 2);
        input = input.subspan(length);
        std::vector<CellRange> found;
        search.matches(t.buffer(), t.buffer().first_line(), t.buffer().end_line(), found);
        search.start(a % 8 < 4, {t.buffer().first_line() + b, 0});
        search.step(t.buffer());
        address_at(t.buffer(), {t.buffer().first_line() + a, static_cast<int>(b)});
        break;
      }
      default: {
        const std::size_t length = std::min<std::size_t>(a * 4 + 1, input.size());
        t.write(std::as_bytes(input.first(length)));
        input = input.subspan(length);
        break;
      }
    }
    check(t);
  }
  t.screen_text();
  return 0;
}
