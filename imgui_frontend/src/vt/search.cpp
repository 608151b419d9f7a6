#include "search.hpp"

#include <algorithm>

#include "utf8.hpp"

namespace tuxarium::vt {
namespace {

std::u32string decoded(std::string_view text) {
  std::u32string characters;
  while (!text.empty()) characters.push_back(take_utf8(text));
  return characters;
}

bool in_address(char32_t c) {
  return c > 0x20 && c != 0x7F && std::u32string_view{U"\"<>\\^`{|}"}.find(c) == std::u32string_view::npos;
}

}  // namespace

LineText line_text(const ScreenBuffer& buffer, std::uint64_t line) {
  LineText text;
  text.first = line;
  for (std::size_t n = 1; n < LineText::kMaxRows && text.first > buffer.first_line() && buffer.line(text.first).continues_previous; ++n) --text.first;
  text.end = text.first;
  do {
    const Row& row = buffer.line(text.end);
    const bool last = text.end + 1 == buffer.end_line() || !buffer.line(text.end + 1).continues_previous;
    const std::size_t width = last ? std::min(row.used, row.cells.size()) : row.cells.size();
    for (std::size_t c = 0; c < width; ++c) {
      if (row.cells[c].width == 0) continue;
      text.characters.push_back(row.cells[c].code_point == 0 ? U' ' : row.cells[c].code_point);
      text.places.push_back({text.end, static_cast<int>(c)});
    }
    ++text.end;
  } while (text.end < buffer.end_line() && buffer.line(text.end).continues_previous && text.end - text.first < LineText::kMaxRows);
  return text;
}

void Search::set(std::string_view text, bool regular_expression, bool match_case) {
  const std::u32string characters = decoded(text);
  error_.clear();
  pattern_.reset();
  forget_current();
  failed_ = false;
  if (characters.empty()) return;
  if (regular_expression) {
    pattern_ = Pattern::compile(characters, !match_case, error_);
  } else {
    pattern_ = Pattern::literal(characters, !match_case);
  }
}

void Search::matches(const ScreenBuffer& buffer, std::uint64_t first, std::uint64_t end, std::vector<CellRange>& found) const {
  found.clear();
  if (!pattern_) return;
  for (std::uint64_t line = std::max(first, buffer.first_line()); line < std::min(end, buffer.end_line());) {
    const LineText text = line_text(buffer, line);
    for (std::size_t at = 0; at < text.characters.size();) {
      const auto match = pattern_->find(text.characters, at);
      if (!match) break;
      found.push_back({text.places[match->first], text.places[match->second - 1]});
      at = match->second;
    }
    line = std::max(text.end, line + 1);
  }
}

void Search::start(bool up, CellPosition from) {
  if (!pattern_) return;
  from_ = current_ ? current_->first : from;
  up_ = up;
  looking_ = true;
  failed_ = false;
  begun_ = false;
}

bool Search::step(const ScreenBuffer& buffer) {
  if (!looking_ || !pattern_) return true;
  if (!begun_) {
    begun_ = true;
    row_ = std::clamp(from_.line, buffer.first_line(), buffer.end_line() - 1);
    // Once around, and the line where it began once more.
    rows_left_ = static_cast<std::size_t>(buffer.end_line() - buffer.first_line()) + 1;
  }
  std::vector<CellRange> found;
  for (std::size_t n = 0; n < kRowsInOneStep;) {
    row_ = std::clamp(row_, buffer.first_line(), buffer.end_line() - 1);
    const LineText text = line_text(buffer, row_);
    matches(buffer, text.first, text.first + 1, found);
    const bool here = from_.line >= text.first && from_.line < text.end && rows_left_ > static_cast<std::size_t>(buffer.end_line() - buffer.first_line());
    if (here) {
      std::erase_if(found, [&](const CellRange& r) { return up_ ? !(r.first < from_) : !(from_ < r.first) && (current_ || r.first != from_); });
    }
    if (!found.empty()) {
      current_ = up_ ? found.back() : found.front();
      looking_ = false;
      return true;
    }
    const auto rows = static_cast<std::size_t>(text.end - text.first);
    n += rows;
    if (rows_left_ <= rows) {
      looking_ = false;
      failed_ = true;
      current_.reset();
      return true;
    }
    rows_left_ -= rows;
    if (up_) {
      row_ = text.first == buffer.first_line() ? buffer.end_line() - 1 : text.first - 1;
    } else {
      row_ = text.end >= buffer.end_line() ? buffer.first_line() : text.end;
    }
  }
  return false;
}

std::optional<FoundAddress> address_at(const ScreenBuffer& buffer, CellPosition at) {
  if (at.line < buffer.first_line() || at.line >= buffer.end_line()) return std::nullopt;
  const LineText line = line_text(buffer, at.line);
  const std::u32string_view text = line.characters;
  const auto place = std::upper_bound(line.places.begin(), line.places.end(), at);
  if (place == line.places.begin()) return std::nullopt;
  const auto index = static_cast<std::size_t>(place - line.places.begin()) - 1;
  if (at.line != line.places[index].line || at.column > line.places[index].column + 1 || !in_address(text[index])) return std::nullopt;
  std::size_t low = index, high = index + 1;
  while (low > 0 && in_address(text[low - 1])) --low;
  while (high < text.size() && in_address(text[high])) ++high;
  for (const std::u32string_view scheme : {U"https://", U"http://", U"file://", U"ftp://", U"mailto:"}) {
    const auto found = text.substr(low, high - low).rfind(scheme, index - low);
    if (found == text.npos) continue;
    std::size_t first = low + found, end = high;
    // Punctuation at the end belongs to the sentence, and a bracket to what opened it.
    while (end > first) {
      const char32_t last = text[end - 1];
      const bool closing = last == U')' && text.substr(first, end - first).find(U'(') == text.npos;
      if (!closing && std::u32string_view{U".,;:!?'*]"}.find(last) == std::u32string_view::npos) break;
      --end;
    }
    if (index >= end || end - first <= scheme.size()) return std::nullopt;
    FoundAddress address;
    for (std::size_t i = first; i < end; ++i) append_utf8(address.text, text[i]);
    address.cells = {line.places[first], line.places[end - 1]};
    return address;
  }
  return std::nullopt;
}

}  // namespace tuxarium::vt
