#include "viewer_options.hpp"

#include <CLI/CLI.hpp>

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
  CLI::App app{"A PC with its Linux in a window: console, clipboard box and status line.", "tuxarium-viewer"};
  ViewerOptions options;
  std::string size, after_regex;
  std::vector<std::string> typing, typing_after;
  options.machine.add_to(app);
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
