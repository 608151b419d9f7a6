// Screens as text files.
#pragma once

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

namespace tuxarium::vt {

inline std::string slurp(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

/// Lines without trailing blanks, and no blank lines at the end.
inline std::string trimmed_lines(const std::string& text) {
  std::istringstream lines{text};
  std::string all, line;
  while (std::getline(lines, line)) {
    line.erase(line.find_last_not_of(" \r") + 1);
    all += line + '\n';
  }
  return all.substr(0, all.find_last_not_of('\n') + 1);
}

/// A screen's text in front of a last line `[cursor x=COLUMN y=ROW]`.
struct ScreenFile {
  std::string text;
  int column = -1, row = -1;
};

inline ScreenFile read_screen(const std::filesystem::path& path) {
  const std::string whole = slurp(path);
  const auto mark = whole.rfind("[cursor x=");
  ScreenFile screen{.text = trimmed_lines(whole.substr(0, mark))};
  if (mark != std::string::npos) (void)std::sscanf(whole.c_str() + mark, "[cursor x=%d y=%d]", &screen.column, &screen.row);
  return screen;
}

}  // namespace tuxarium::vt
