#include "log.hpp"

#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace tuxarium::bridge {

void Log::say_of_client(const std::string& line) {
  if (!client_lines_.take(1, Clock::now())) {
    ++untold_;
    return;
  }
  if (untold_ != 0) write_("(" + std::to_string(untold_) + " lines about clients were left out)");
  untold_ = 0;
  write_(line);
}

void write_log_line(const std::string& line) {
  std::string text;
  if (std::getenv("JOURNAL_STREAM") == nullptr) {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    char stamp[32];
    if (::localtime_r(&now, &parts) != nullptr && std::strftime(stamp, sizeof stamp, "%Y-%m-%d %H:%M:%S ", &parts) != 0) text = stamp;
  }
  text += line + '\n';
  std::fputs(text.c_str(), stderr);
}

std::string printable(std::string_view text, std::size_t longest) {
  std::string out{text.substr(0, longest)};
  for (char& c : out)
    if (c < ' ' || c > '~') c = '?';
  if (text.size() > longest) out += "...";
  return out;
}

}  // namespace tuxarium::bridge
