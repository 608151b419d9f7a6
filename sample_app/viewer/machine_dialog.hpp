// The dialog for a new machine.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "dropped_file.hpp"
#include "file_chooser.hpp"
#include "machine_words.hpp"

namespace tuxarium::viewer {

class MachineDialog {
 public:
  /// Shows it with the next draw(), with what was entered the time before.
  void open() { opening_ = true; }
  /// The same with a file in the field that fits it.
  void open_with(const DroppedFile& file);

  /// The machine that the user wants started, in the frame in which that was said.
  std::optional<MachineWords> draw();

 private:
  static constexpr std::size_t kTextSize = 1024;
  using Text = std::array<char, kTextSize>;

  void draw_fields();
  void path_field(const char* name, const char* hint, Text& text);
  MachineWords words() const;
  static void set(Text& text, const std::string& value);

  bool opening_ = false;
  int kind_ = 0;
  Text boot_{}, initrd_{}, append_{}, disk_{}, overlay_{}, ram_{"16M"}, more_{};
  int access_ = 0;
  std::string problem_;
  FileChooser chooser_;
  Text* choosing_ = nullptr;
};

}  // namespace tuxarium::viewer
