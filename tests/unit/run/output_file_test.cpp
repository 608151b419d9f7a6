#include "output_file.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <span>
#include <string>

#include "clipboard_files.hpp"
#include "temporary_folder.hpp"

using namespace tuxarium::app;

namespace {
auto bytes(const std::string& text) { return std::as_bytes(std::span{text}); }
}  // namespace

TEST_CASE("a run that never starts leaves no file and changes none") {
  const TemporaryFolder folder;
  folder.write("old", "content");
  {
    CHECK(OutputFile::open(folder / "new").has_value());
    CHECK(OutputFile::open(folder / "old").has_value());
  }
  CHECK(folder.entries() == 1);
  CHECK(folder.read("old") == "content");
}

TEST_CASE("a run that starts empties the file and keeps it") {
  const TemporaryFolder folder;
  folder.write("old", "content");
  {
    auto file = OutputFile::open(folder / "old");
    REQUIRE(file.has_value());
    file->start();
    CHECK(file->write(bytes("ab")).has_value());
    CHECK(file->write(bytes("c")).has_value());
  }
  CHECK(folder.read("old") == "abc");
}

TEST_CASE("a folder that is not there is named") {
  const auto file = OutputFile::open("/no-such-folder/file");
  REQUIRE_FALSE(file.has_value());
  CHECK(file.error().message.find("/no-such-folder/file") != std::string::npos);
}

TEST_CASE("replacing leaves the new content and nothing else") {
  const TemporaryFolder folder;
  CHECK(check_replaceable(folder / "f").has_value());
  CHECK(folder.entries() == 0);
  CHECK(replace_file(folder / "f", bytes("one")).has_value());
  CHECK(replace_file(folder / "f", bytes("2")).has_value());
  CHECK(folder.read("f") == "2");
  CHECK(folder.entries() == 1);
  CHECK_FALSE(check_replaceable(folder.path()).has_value());
  CHECK_FALSE(check_replaceable("/no-such-folder/file").has_value());
  CHECK(replace_file("/dev/null", bytes("gone")).has_value());
  CHECK_FALSE(std::filesystem::is_regular_file("/dev/null"));
}

TEST_CASE("a symbolic link stays one") {
  const TemporaryFolder folder;
  folder.write("target", "old");
  std::filesystem::create_symlink(folder / "target", folder / "link");
  CHECK(replace_file(folder / "link", bytes("new")).has_value());
  CHECK(std::filesystem::is_symlink(folder / "link"));
  CHECK(folder.read("target") == "new");
}

TEST_CASE("the clipboard's files") {
  const TemporaryFolder folder;
  const std::string text("na\xc3\xafve\n\0x", 9);
  folder.write("in", text);
  auto files = ClipboardFiles::open(folder / "in", folder / "out");
  REQUIRE(files.has_value());
  CHECK(files->buffer()->text_for_guest() == text);
  CHECK(files->pump().has_value());
  CHECK_FALSE(std::filesystem::exists(folder / "out"));
  files->buffer()->text_from_guest("from the guest");
  CHECK(files->pump().has_value());
  CHECK(folder.read("out") == "from the guest");
  files->buffer()->text_from_guest("");
  CHECK(files->pump().has_value());
  CHECK(folder.read("out").empty());
  CHECK_FALSE(ClipboardFiles::open(folder / "missing", "").has_value());
  CHECK_FALSE(ClipboardFiles::open(folder.path(), "").has_value());
}
