#include "viewer_options.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "escapes.hpp"
#include "status.hpp"

namespace tuxarium::viewer {
namespace {

Result<std::regex> to_regex(const std::string& option, const std::string& expression) {
  try {
    return std::regex{expression, std::regex::ECMAScript | std::regex::multiline};
  } catch (const std::regex_error& problem) {
    return Error{ErrorCode::invalid_argument, "The expression '" + expression + "' of " + option + " is malformed: " + problem.what() + "."};
  }
}

constexpr const char* kFooter = R"(Examples:
  tuxarium-viewer                                        Tuxarium's own Linux
  tuxarium-viewer --boot jslinux:DIR                     the Linux in DIR, a JSLinux
  tuxarium-viewer --boot linux:bzImage --initrd root.cpio.gz --append console=ttyS0 --ram 64M
  tuxarium-viewer --boot jslinux:DIR --hda file:disk.img   a disk that keeps what is written
  tuxarium-viewer --forward tcp:127.0.0.1:8080:80        the guest's web server at this host's port 8080
  tuxarium-viewer disk.img                               asks what to do with a disk; dropping it on the window does the same

In the window: Ctrl-Shift-C copies, Ctrl-Shift-V pastes, Ctrl-Shift-F searches, Ctrl + and - zoom; the wheel goes back. Help in the menu has more.
Several machines run side by side, in tabs (menu Machine). The menu's settings are kept in $XDG_CONFIG_HOME/tuxarium/viewer.conf, or ~/.config.

Without hands: --type and --type-after work a console, --screenshot with --after or --after-regex takes a picture.
Status: 0 done, 1 something failed while it ran, 2 wrong usage or a bad image, 3 no window could be opened, 124 the time of --timeout was over.)";

std::vector<std::string> theme_names() {
  std::vector<std::string> names;
  for (int i = 0; i < static_cast<int>(imgui::Theme::count); ++i) names.emplace_back(imgui::theme_name(static_cast<imgui::Theme>(i)));
  return names;
}

Result<std::vector<Typing>> to_typing(const std::vector<std::string>& texts, const std::vector<std::string>& expressions) {
  if (expressions.size() > texts.size()) {
    return Error{ErrorCode::invalid_argument, "There are more --type-after than --type."};
  }
  std::vector<Typing> all;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    Typing typing;
    auto text = app::unescape(texts[i]);
    if (!text) return text.error();
    typing.text = std::move(*text);
    if (i < expressions.size()) {
      auto regex = to_regex("--type-after", expressions[i]);
      if (!regex) return regex.error();
      typing.after = std::move(*regex);
    }
    all.push_back(std::move(typing));
  }
  return all;
}

}  // namespace

ParsedViewer parse_viewer_options(int argc, char** argv) {
  CLI::App app{"A PC with its Linux in a window: console, clipboard box and status line. Without options it starts Tuxarium's own Linux.", "tuxarium-viewer"};
  app.footer(kFooter);
  ViewerOptions options;
  std::string size, after_regex;
  std::vector<std::string> typing, typing_after;
  std::string theme;
  options.machine.add_to(app);
  app.add_option("FILES", options.files, "Kernels, disks, or folders of a JSLinux, opened as if dropped on the window");
  app.add_option("--settings", options.settings_file, "File for what is remembered between runs (default: tuxarium/viewer.conf in the user's configuration folder), or none");
  app.add_option("--theme", theme, "Colours, such as Light or 'Solarized dark'; remembered")->check(CLI::IsMember(theme_names(), CLI::ignore_case));
  app.add_flag("--panel", options.show_machine, "Show the machine panel; remembered");
  app.add_option("--size", size, "Size of the window in pixels, as WIDTHxHEIGHT (default: fits 80x30 characters)");
  app.add_option("--font", options.font_file, "TrueType font with equally wide characters")->check(CLI::ExistingFile);
  app.add_option("--font-size", options.font_size, "Height of the font in pixels")->check(CLI::Range(6, 96));
  app.add_option("--screenshot", options.screenshot, "Write a picture of the window to this PNG file (see --after, --after-regex)");
  app.add_option("--dump-cells", options.dump_cells, "Write the text of the screen to this file at the end");
  app.add_option("--after", options.after_seconds, "Take the screenshot when this many seconds have passed")->check(CLI::NonNegativeNumber);
  app.add_option("--after-regex", after_regex, "Take the screenshot when the screen's text, without trailing blanks, matches (with --after: and not before)");
  app.add_flag("--exit-after-screenshot", options.exit_after_screenshot, "End when the screenshot would be taken");
  app.add_option("--timeout", options.timeout_seconds, "End with status 124 after this many seconds")->check(CLI::PositiveNumber);
  app.add_option("--type", typing, "Text to type, with C escapes; repeatable, typed in order")->take_all();
  app.add_option("--type-after", typing_after, "Hold back the --type of the same place until the screen's text matches")->take_all();
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return {.options = {}, .text = app.help(), .status = kDone};
  } catch (const CLI::ParseError& problem) {
    return {.options = {}, .text = problem.what(), .status = kWrongUsage};
  }
  const auto wrong = [](const Error& error) { return ParsedViewer{.options = {}, .text = error.message, .status = kWrongUsage}; };
  if (!theme.empty()) {
    const auto names = theme_names();
    options.theme = static_cast<imgui::Theme>(std::find(names.begin(), names.end(), theme) - names.begin());
  }
  if (options.settings_file == "none") options.settings_file = "";
  options.words = words_given(app);
  if (!size.empty()) {
    char rest = 0;
    if (std::sscanf(size.c_str(), "%5dx%5d%c", &options.width, &options.height, &rest) != 2 || options.width < 100 || options.height < 100) {
      return wrong({ErrorCode::invalid_argument, "The size '" + size + "' is not WIDTHxHEIGHT in pixels, 100 or more each."});
    }
  }
  if (!after_regex.empty()) {
    auto regex = to_regex("--after-regex", after_regex);
    if (!regex) return wrong(regex.error());
    options.after_regex = std::move(*regex);
  }
  auto all = to_typing(typing, typing_after);
  if (!all) return wrong(all.error());
  options.typing = std::move(*all);
  return {.options = std::move(options), .text = {}, .status = kDone};
}

}  // namespace tuxarium::viewer
