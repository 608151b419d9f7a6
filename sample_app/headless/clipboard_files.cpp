#include "clipboard_files.hpp"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <span>
#include <utility>

#include "output_file.hpp"
#include "sentences.hpp"

namespace tuxarium::app {
namespace {

constexpr std::size_t kLargestText = 16u << 20;

Result<std::string> read_text(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return io_error("cannot read the clipboard text " + in_quotes(path) + ": it is a directory");
  std::ifstream file{path, std::ios::binary};
  if (!file) return io_error("cannot read the clipboard text " + in_quotes(path) + ": " + errno_text());
  std::string text(kLargestText + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return io_error("cannot read the clipboard text " + in_quotes(path) + ": " + errno_text());
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kLargestText) return usage_error("the clipboard text " + in_quotes(path) + " is larger than 16 MiB");
  text.shrink_to_fit();
  return text;
}

}  // namespace

Result<ClipboardFiles> ClipboardFiles::open(const std::string& in, std::string out) {
  ClipboardFiles files;
  if (!in.empty()) {
    auto text = read_text(in);
    if (!text) return text.error();
    files.buffer_->set_text(std::move(text).value());
  }
  if (!out.empty()) {
    const auto writable = check_replaceable(out);
    if (!writable) return writable.error();
  }
  files.out_ = std::move(out);
  return files;
}

Result<void> ClipboardFiles::pump() {
  if (out_.empty() || buffer_->guest_writes() == seen_) return {};
  seen_ = buffer_->guest_writes();
  return replace_file(out_, std::as_bytes(std::span{buffer_->text()}));
}

}  // namespace tuxarium::app
