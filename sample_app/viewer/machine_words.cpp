#include "machine_words.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <filesystem>

namespace tuxarium::viewer {
namespace {

namespace fs = std::filesystem;

std::string absolute(const std::string& path) {
  std::error_code error;
  const fs::path whole = fs::absolute(path, error);
  return error ? path : whole.lexically_normal().string();
}

// `KIND:PATH` with a kind that is about files.
std::string with_absolute_path(const std::string& spec) {
  for (const std::string_view kind : {"jslinux:", "linux:", "rom:", "multiboot:", "dir:", "file:"}) {
    if (spec.starts_with(kind) && spec.size() > kind.size()) return std::string{kind} + absolute(spec.substr(kind.size()));
  }
  return spec;
}

bool names_a_file(const std::string& option) {
  constexpr std::array kOptions{"--initrd", "--overlay", "--disk-ca", "--net-ca", "--net-token-file"};
  return std::find(kOptions.begin(), kOptions.end(), option) != kOptions.end();
}

std::string with_absolute_paths(const std::string& option, const std::string& value) {
  if (option == "--boot" || option == "--hda" || option == "--hdb") return with_absolute_path(value);
  if (names_a_file(option) || (option == "--disk-cache" && value != "none")) return absolute(value);
  return value;
}

}  // namespace

std::string to_line(const MachineWords& words) {
  std::string line;
  for (const std::string& word : words) {
    if (!line.empty()) line += ' ';
    if (word.empty()) line += "\\e";
    for (const char c : word) {
      if (c == '\n') line += "\\n";
      else if (c == ' ' || c == '\\') line += {'\\', c};
      else line += c;
    }
  }
  return line;
}

Result<MachineWords> to_words(std::string_view line) {
  MachineWords words;
  std::string word;
  bool in_word = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    char c = line[i];
    if (c == ' ') {
      if (in_word) words.push_back(std::exchange(word, {}));
      in_word = false;
      continue;
    }
    in_word = true;
    if (c != '\\') {
      word += c;
      continue;
    }
    if (++i == line.size()) return Error{ErrorCode::invalid_argument, "A backslash stands alone at the end."};
    c = line[i];
    if (c == 'n') word += '\n';
    else if (c == ' ' || c == '\\') word += c;
    else if (c != 'e') return Error{ErrorCode::invalid_argument, "A backslash stands before something other than a blank, a backslash, n or e."};
  }
  if (in_word) words.push_back(std::move(word));
  return words;
}

Result<app::MachineOptions> to_machine_options(const MachineWords& words) {
  app::MachineOptions options;
  CLI::App parser;
  parser.set_help_flag();
  options.add_to(parser);
  try {
    MachineWords reversed{words.rbegin(), words.rend()};
    parser.parse(reversed);
  } catch (const CLI::ParseError& problem) {
    return Error{ErrorCode::invalid_argument, std::string{"The machine's options cannot be used: "} + problem.what()};
  }
  return options;
}

MachineWords words_given(const CLI::App& app) {
  MachineWords words;
  for (const CLI::Option* option : app.get_options([](const CLI::Option* o) { return o->get_group() == "Machine" && o->count() > 0; })) {
    const std::string name = option->get_name();
    if (name == "--net-token") continue;
    for (const std::string& value : option->results()) {
      words.push_back(name);
      if (option->get_expected_min() > 0) words.push_back(with_absolute_paths(name, value));
    }
  }
  return words;
}

std::string name_of(const MachineWords& words) {
  std::string name = "Tuxarium's Linux";
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const std::string& value = words[i + 1];
    const auto path = fs::path{value.substr(value.find(':') + 1)};
    if (words[i] == "--boot" && value != "default") name = path.has_filename() ? path.filename().string() : path.parent_path().filename().string();
  }
  return name;
}

}  // namespace tuxarium::viewer
