// A dialog in which the user finds a file or folder.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tuxarium::viewer {

class FileChooser {
 public:
  /// Inside the window in which draw() is called, too.
  void open(const char* title, const std::filesystem::path& start);

  /// The file or folder that the user has chosen in this frame.
  std::optional<std::filesystem::path> draw();

 private:
  struct Entry {
    std::string name;
    bool folder = false;
  };
  static constexpr std::size_t kMostEntries = 5000;

  void enter(const std::filesystem::path& folder);

  std::string title_ = "Choose a file";
  std::filesystem::path folder_;
  std::vector<Entry> entries_;  // at most kMostEntries; the rest is not shown
  std::string problem_;
  std::string selected_;
};

}  // namespace tuxarium::viewer
