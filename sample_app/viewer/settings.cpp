#include "settings.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <optional>
#include <utility>

namespace tuxarium::viewer {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLargestFile = 64u << 10;
constexpr std::size_t kLongestLine = 8192;
constexpr std::size_t kMostWords = 64;

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

bool to_bool(std::string_view text, bool& value) {
  if (text != "yes" && text != "no") return false;
  value = text == "yes";
  return true;
}

template <class Number>
bool to_number(std::string_view text, Number least, Number most, Number& value) {
  Number number{};
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || rest != text.data() + text.size() || !(number >= least && number <= most)) return false;
  value = number;
  return true;
}

bool to_theme(std::string_view text, imgui::Theme& theme) {
  for (int i = 0; i < static_cast<int>(imgui::Theme::count); ++i) {
    if (text != imgui::theme_name(static_cast<imgui::Theme>(i))) continue;
    theme = static_cast<imgui::Theme>(i);
    return true;
  }
  return false;
}

bool add_recent(std::string_view text, Settings& s) {
  auto words = to_words(text);
  if (!words || words->size() > kMostWords || s.recent.size() >= Settings::kMaxRecent) return false;
  s.recent.push_back(std::move(*words));
  return true;
}

// False: the value is no good. A name that is not known is good with any value.
bool take(std::string_view name, std::string_view value, Settings& s) {
  if (name == "theme") return to_theme(value, s.theme);
  if (name == "zoom") return to_number(value, 0.4f, 5.0f, s.zoom);
  if (name == "machine_panel") return to_bool(value, s.parts.machine);
  if (name == "clipboard_box") return to_bool(value, s.parts.clipboard);
  if (name == "status_line") return to_bool(value, s.parts.status);
  if (name == "copy_on_select") return to_bool(value, s.copy_on_select);
  if (name == "bold_is_bright") return to_bool(value, s.bold_is_bright);
  if (name == "draw_boxes") return to_bool(value, s.draw_boxes);
  if (name == "padding") return to_number(value, 0, 30, s.padding);
  if (name == "width") return value == "0" || to_number(value, 100, 16'384, s.width);
  if (name == "height") return value == "0" || to_number(value, 100, 16'384, s.height);
  if (name == "recent") return add_recent(value, s);
  return true;
}

Error with_reason(const std::string& what, const fs::path& file) {
  return {ErrorCode::io, what + " '" + file.string() + "': " + std::error_code{errno, std::generic_category()}.message() + "."};
}

}  // namespace

imgui::Style Settings::style() const {
  imgui::Style style = imgui::make_style(theme);
  style.bold_is_bright = bold_is_bright && style.bold_is_bright;
  style.draw_boxes = draw_boxes;
  style.padding = static_cast<float>(padding);
  return style;
}

void Settings::remember(const MachineWords& machine) {
  std::erase(recent, machine);
  recent.insert(recent.begin(), machine);
  if (recent.size() > kMaxRecent) recent.resize(kMaxRecent);
}

Result<Settings> parse_settings(std::string_view text) {
  Settings settings;
  for (unsigned number = 1; !text.empty(); ++number) {
    const std::string_view whole = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), whole.size() + 1));
    const std::string_view line = trimmed(whole);
    if (line.empty() || line.front() == '#') continue;
    const auto equals = line.find('=');
    const bool good = equals != std::string_view::npos && line.size() <= kLongestLine && line.find('\0') == std::string_view::npos;
    if (!good || !take(trimmed(line.substr(0, equals)), trimmed(line.substr(equals + 1)), settings)) {
      return Error{ErrorCode::bad_image, "line " + std::to_string(number) + " is not a setting of this program"};
    }
  }
  return settings;
}

std::string to_text(const Settings& s) {
  const auto word = [](bool value) { return value ? "yes" : "no"; };
  std::string text = "# What tuxarium-viewer remembers. It writes this file anew when it ends.\n";
  const auto add = [&](const char* name, const std::string& value) { text += std::string{name} + " = " + value + "\n"; };
  char zoom[32];
  std::snprintf(zoom, sizeof zoom, "%.3f", static_cast<double>(s.zoom));
  add("theme", imgui::theme_name(s.theme));
  add("zoom", zoom);
  add("machine_panel", word(s.parts.machine));
  add("clipboard_box", word(s.parts.clipboard));
  add("status_line", word(s.parts.status));
  add("copy_on_select", word(s.copy_on_select));
  add("bold_is_bright", word(s.bold_is_bright));
  add("draw_boxes", word(s.draw_boxes));
  add("padding", std::to_string(s.padding));
  add("width", std::to_string(s.width));
  add("height", std::to_string(s.height));
  for (const MachineWords& machine : s.recent) add("recent", to_line(machine));
  return text;
}

fs::path default_settings_file() {
  const char* config = std::getenv("XDG_CONFIG_HOME");
  // The specification has a relative path ignored.
  if (config != nullptr && config[0] == '/') return fs::path{config} / "tuxarium" / "viewer.conf";
  const char* home = std::getenv("HOME");
  if (home != nullptr && home[0] == '/') return fs::path{home} / ".config" / "tuxarium" / "viewer.conf";
  return {};
}

Result<Settings> load_settings(const fs::path& file) {
  std::error_code error;
  if (file.empty() || !fs::exists(file, error)) return Settings{};
  const std::string name = "The settings in '" + file.string() + "' are not used: ";
  if (!fs::is_regular_file(file, error)) return Error{ErrorCode::bad_image, name + "it is not a file."};
  std::ifstream stream{file, std::ios::binary};
  std::string text(kLargestFile + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (stream.bad() || (!stream && !stream.eof())) return Error{ErrorCode::io, name + "the file cannot be read."};
  if (text.size() > kLargestFile) return Error{ErrorCode::bad_image, name + "the file is larger than 64 KiB."};
  auto settings = parse_settings(text);
  if (!settings) return Error{settings.error().code, name + settings.error().message + "."};
  return settings;
}

Result<void> save_settings(const fs::path& file, const Settings& settings) {
  std::error_code error;
  fs::create_directories(file.parent_path(), error);
  const fs::path fresh = file.string() + ".new" + std::to_string(::getpid());
  const int descriptor = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor < 0) return with_reason("The settings cannot be written to", fresh);
  const std::string text = to_text(settings);
  bool good = true;
  for (std::size_t done = 0; good && done < text.size();) {
    const ssize_t count = ::write(descriptor, text.data() + done, text.size() - done);
    good = count > 0;
    if (good) done += static_cast<std::size_t>(count);
  }
  good = good && ::fsync(descriptor) == 0;
  good = ::close(descriptor) == 0 && good;
  if (!good || std::rename(fresh.c_str(), file.c_str()) != 0) {
    const Error problem = with_reason("The settings cannot be written to", file);
    ::unlink(fresh.c_str());
    return problem;
  }
  return {};
}

}  // namespace tuxarium::viewer
