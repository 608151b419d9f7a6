// A machine as the words of a command line that make it: what recent machines, dropped files and the dialog have in common.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <tuxarium/result.hpp>

#include "machine_options.hpp"

namespace CLI {
class App;
}

namespace tuxarium::viewer {

using MachineWords = std::vector<std::string>;

/// One line, with blanks, quotes and control characters of a word behind a backslash; and back. Back fails with a sentence.
std::string to_line(const MachineWords& words);
Result<MachineWords> to_words(std::string_view line);

/// The options that the words say, or a sentence.
Result<app::MachineOptions> to_machine_options(const MachineWords& words);

/// The machine's options that `app` was given, once it has parsed a command line; paths are made absolute. Words that hold a secret are left out.
MachineWords words_given(const CLI::App& app);

/// A short name for people: that of the kernel, folder or disk.
std::string name_of(const MachineWords& words);

}  // namespace tuxarium::viewer
