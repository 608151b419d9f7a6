// What the viewer remembers, what it takes dropped files for, and how it opens links.
#include <doctest/doctest.h>

#include <sys/stat.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "dropped_file.hpp"
#include "machine_words.hpp"
#include "open_link.hpp"
#include "settings.hpp"

namespace tuxarium::viewer {
namespace {

namespace fs = std::filesystem;

// A new folder, removed at the end.
struct Folder {
  Folder() {
    std::random_device device;
    path = fs::temp_directory_path() / ("tuxarium-viewer-test-" + std::to_string(device()));
    fs::create_directories(path);
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  fs::path write(const std::string& name, const std::string& content) const {
    std::ofstream{path / name, std::ios::binary} << content;
    return path / name;
  }
  std::string read(const std::string& name) const {
    std::ifstream file{path / name, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
  }
  fs::path path;
};

std::string with(std::string bytes, std::size_t at, const std::string& part) { return bytes.replace(at, part.size(), part); }

}  // namespace

TEST_CASE("settings are read back as they were written") {
  Settings s;
  s.theme = imgui::Theme::nord;
  s.zoom = 1.25f;
  s.parts = {.clipboard = false, .status = true, .machine = true};
  s.width = 1000;
  s.height = 800;
  s.remember({"--boot", "linux:/a b\\c", "--append", "", "--ram", "64M"});
  s.remember({});
  const auto back = parse_settings(to_text(s));
  REQUIRE(back);
  CHECK(back->theme == imgui::Theme::nord);
  CHECK(back->zoom == 1.25f);
  CHECK_FALSE(back->parts.clipboard);
  CHECK(back->parts.machine);
  CHECK(back->width == 1000);
  CHECK(back->recent == s.recent);
}

TEST_CASE("the latest machines are remembered, each once") {
  Settings s;
  for (int i = 0; i < 30; ++i) s.remember({"--ram", std::to_string(i % 12)});
  CHECK(s.recent.size() == Settings::kMaxRecent);
  CHECK(s.recent.front() == MachineWords{"--ram", "5"});
  s.remember({"--ram", "3"});
  CHECK(s.recent.size() == Settings::kMaxRecent);
  CHECK(s.recent.front() == MachineWords{"--ram", "3"});
}

TEST_CASE("a bad settings file is a sentence that names the line, and is left alone") {
  const Folder folder;
  for (const std::string& bad : std::vector<std::string>{"theme = Dark\nzoom = big\n", "zoom = 900", "machine_panel = maybe", "no equals", "width = 7", "zoom = nan", "padding = -1",
                                "recent = a\\", std::string("a\0=b", 4)}) {
    CAPTURE(bad);
    const auto file = folder.write("viewer.conf", bad);
    const auto loaded = load_settings(file);
    REQUIRE_FALSE(loaded);
    CHECK(loaded.error().message.find("line ") != std::string::npos);
    CHECK(folder.read("viewer.conf") == bad);
  }
  CHECK_FALSE(load_settings(folder.write("large", std::string(70'000, '#'))));
  CHECK_FALSE(load_settings(folder.path));
  CHECK(load_settings(folder.path / "nothing"));
  CHECK(parse_settings("# a comment\n\nof = another version\n"));
}

TEST_CASE("any bytes are settings or a sentence") {
  std::random_device device;
  const auto seed = device();
  CAPTURE(seed);
  std::mt19937 random{seed};
  const std::string good = to_text(Settings{}) + "recent = --boot a\\ b\n";
  for (int i = 0; i < 2000; ++i) {
    std::string text = good;
    for (int k = 0; k < 5; ++k) text[random() % text.size()] = static_cast<char>(random());
    const auto settings = parse_settings(text);
    if (settings) CHECK(settings->recent.size() <= Settings::kMaxRecent);
    if (!settings) CHECK(settings.error().message.size() > 10);
  }
}

TEST_CASE("settings are saved whole, for the user alone") {
  const Folder folder;
  const auto file = folder.path / "deep" / "er" / "viewer.conf";
  Settings s;
  s.theme = imgui::Theme::light;
  REQUIRE(save_settings(file, s));
  CHECK(load_settings(file)->theme == imgui::Theme::light);
  struct stat status {};
  REQUIRE(::stat(file.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  CHECK(std::distance(fs::directory_iterator{file.parent_path()}, {}) == 1);
  const auto blocked = save_settings(folder.write("file", "") / "viewer.conf", s);
  REQUIRE_FALSE(blocked);
  CHECK(blocked.error().message.find("viewer.conf") != std::string::npos);
}

TEST_CASE("words of a machine") {
  const MachineWords words{"--boot", "linux:/a b", "x\\y\nz", "", "ä"};
  const auto back = to_words(to_line(words));
  REQUIRE(back);
  CHECK(*back == words);
  CHECK_FALSE(to_words("a\\"));
  CHECK_FALSE(to_words("a\\x"));
  CHECK(to_words("  ")->empty());
  CHECK(name_of({}) == "Tuxarium's Linux");
  CHECK(name_of({"--boot", "linux:/boot/bzImage"}) == "bzImage");
  CHECK(name_of({"--boot", "jslinux:/x/tap/"}) == "tap");
  CHECK(to_machine_options({"--ram", "32M"}));
  for (const MachineWords& bad : {MachineWords{"--no-such"}, MachineWords{"--cpu", "z80"}, MachineWords{"stray"}, MachineWords{"--help"}}) {
    CHECK_FALSE(to_machine_options(bad));
  }
}

TEST_CASE("dropped files are known by what is in them") {
  const Folder folder;
  const std::string blank(4096, '\0');
  const auto kind = [&](const std::string& content, const std::string& name = "file") {
    const auto file = recognize(folder.write(name, content));
    REQUIRE(file);
    return file->kind;
  };
  using Kind = DroppedFile::Kind;
  CHECK(kind(with(blank, 0x202, "HdrS")) == Kind::kernel);
  CHECK(kind(with(blank, 0, "\x7F" "ELF")) == Kind::kernel);
  CHECK(kind(with(blank, 64, std::string("\x02\xB0\xAD\x1B\x00\x00\x00\x00\xFE\x4F\x52\xE4", 12))) == Kind::multiboot);
  CHECK(kind("070701 and so on") == Kind::initrd);
  CHECK(kind("\x1F\x8B compressed") == Kind::initrd);
  CHECK(kind(blank) == Kind::image);
  CHECK(kind(blank, "bios.rom") == Kind::rom);
  CHECK_FALSE(recognize(folder.write("odd", "odd")));
  CHECK_FALSE(recognize(folder.write("empty", "")));
  CHECK_FALSE(recognize(folder.path));
  CHECK_FALSE(recognize(folder.path / "nothing"));
  CHECK_FALSE(recognize("/dev/null"));
  folder.write("hda000000000.bin", "x");
  CHECK(recognize(folder.path)->kind == Kind::pieces);
  folder.write("vmlinux-2.6.20.bin", "x");
  CHECK(recognize(folder.path)->kind == Kind::jslinux);
}

TEST_CASE("links go to xdg-open as one word, and only addresses do") {
  const Folder folder;
  const auto script = folder.write("xdg-open", "#!/bin/sh\nprintf '%s|' \"$@\" > " + (folder.path / "asked.new").string() + "\nmv " +
                                                   (folder.path / "asked.new").string() + " " + (folder.path / "asked").string() + "\n");
  fs::permissions(script, fs::perms::owner_all);
  const std::string before = std::getenv("PATH");
  ::setenv("PATH", (folder.path.string() + ":" + before).c_str(), 1);
  CHECK_FALSE(open_link("file:///etc/passwd"));
  CHECK_FALSE(open_link("--help"));
  REQUIRE(open_link("https://example.org/?a=$(id)&b='x y'"));
  for (int i = 0; i < 3000 && !fs::exists(folder.path / "asked"); ++i) std::this_thread::sleep_for(std::chrono::milliseconds{10});
  CHECK(folder.read("asked") == "https://example.org/?a=$(id)&b='x y'|");
  ::setenv("PATH", folder.path.c_str(), 1);
  fs::remove(script);
  const auto failed = open_link("https://example.org/");
  ::setenv("PATH", before.c_str(), 1);
  REQUIRE_FALSE(failed);
  CHECK(failed.error().message.find("xdg-open") != std::string::npos);
}

}  // namespace tuxarium::viewer
