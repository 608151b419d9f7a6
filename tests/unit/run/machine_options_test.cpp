#include "machine_options.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "temporary_folder.hpp"

using namespace tuxarium;
using namespace tuxarium::app;

namespace {

Result<Config> config_of(const std::vector<std::string>& arguments) {
  CLI::App app;
  MachineOptions options;
  options.add_to(app);
  app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  return options.build();
}

std::string message_of(const std::vector<std::string>& arguments) {
  const auto config = config_of(arguments);
  return config ? std::string{} : config.error().message;
}

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("sizes") {
  CHECK(parse_size("16M").value() == 16u << 20);
  CHECK(parse_size("512k").value() == 512u << 10);
  CHECK(parse_size("3G").value() == std::uint64_t{3} << 30);
  CHECK(parse_size("4096").value() == 4096);
  for (const char* text : {"", "M", "x", "16 M", "16MB", "-1", "1.5G", "99999999999999999999", "17179869184G"}) {
    INFO(text);
    CHECK_FALSE(parse_size(text).has_value());
  }
}

TEST_CASE("clocks") {
  CHECK(parse_clock("host").value().source == TimeSource::host_clock);
  CHECK(parse_clock("cycles").value().source == TimeSource::cycles);
  CHECK_FALSE(parse_clock("cycles").value().rate.has_value());
  CHECK(parse_clock("cycles:10M").value().rate == 10'000'000);
  CHECK(parse_clock("cycles:1234567").value().rate == 1'234'567);
  for (const char* text : {"", "sun", "cycles:", "cycles:x", "cycles:10MM", "host:1", "cyclesx"}) CHECK_FALSE(parse_clock(text).has_value());
}

TEST_CASE("disks: only the ending is an option") {
  auto disk = parse_disk_spec("dir:a b,c").value();
  CHECK(disk.kind == DiskSpec::Kind::directory);
  CHECK(disk.path == "a b,c");
  disk = parse_disk_spec("file:x:y,z.img").value();
  CHECK(disk.kind == DiskSpec::Kind::file);
  CHECK(disk.path == "x:y,z.img");
  CHECK_FALSE(disk.read_only);
  disk = parse_disk_spec("file:x.img,ro").value();
  CHECK(disk.path == "x.img");
  CHECK(disk.read_only);
  disk = parse_disk_spec("file:x,ro,rw").value();
  CHECK(disk.path == "x,ro");
  CHECK_FALSE(disk.read_only);
  disk = parse_disk_spec("https://h:1/x,y/,ro").value();
  CHECK(disk.kind == DiskSpec::Kind::web);
  CHECK(disk.path == "https://h:1/x,y/");
  CHECK(disk.read_only);
  CHECK_FALSE(parse_disk_spec("http://h/").value().read_only);
  CHECK(parse_disk_spec("none").value().kind == DiskSpec::Kind::none);
  for (const char* text : {"", "x.img", "file:", "dir:", "file:,ro", "http:x"}) {
    INFO(text);
    CHECK_FALSE(parse_disk_spec(text).has_value());
  }
}

TEST_CASE("boot sources") {
  CHECK(parse_boot_spec("jslinux:a dir").value().path == "a dir");
  CHECK(parse_boot_spec("linux:k").value().kind == BootSpec::Kind::linux_kernel);
  CHECK(parse_boot_spec("rom:k:l").value().path == "k:l");
  CHECK(parse_boot_spec("multiboot:k").value().kind == BootSpec::Kind::multiboot);
  CHECK(parse_boot_spec("default").value().kind == BootSpec::Kind::own_guest);
  for (const char* text : {"", "jslinux", "jslinux:", "floppy:x"}) CHECK_FALSE(parse_boot_spec(text).has_value());
}

#ifdef TUXARIUM_HAS_GUEST
TEST_CASE("without --boot it is the program's own Linux, with its disk unless --hda names another one") {
  const TemporaryFolder folder;
  folder.write("disk", std::string(512, 'x'));
  const auto own = config_of({});
  REQUIRE(own.has_value());
  REQUIRE(std::holds_alternative<LinuxBoot>(own->boot));
  CHECK(std::get<LinuxBoot>(own->boot).root_disk != nullptr);
  const auto named = config_of({"--boot", "default", "--hda", "file:" + (folder / "disk"), "--append", "console=ttyS0 single"});
  REQUIRE(named.has_value());
  CHECK(std::get<LinuxBoot>(named->boot).root_disk == nullptr);
  CHECK(std::get<LinuxBoot>(named->boot).command_line == "console=ttyS0 single");
  CHECK(named->hda != nullptr);
}
#else
TEST_CASE("without --boot the message teaches it") { CHECK(holds(message_of({}), "--boot jslinux:DIR")); }
#endif

TEST_CASE("each wrong option is named") {
  const TemporaryFolder folder;
  folder.write("rom", std::string(64, '\xf4'));
  const std::string rom = "rom:" + (folder / "rom");
  CHECK(message_of({"--boot", rom}).empty());
  CHECK(holds(message_of({"--boot", rom, "--ram", "lots"}), "--ram"));
  CHECK(holds(message_of({"--boot", rom, "--clock", "sun"}), "--clock"));
  CHECK(holds(message_of({"--boot", rom, "--hda", "disk.img"}), "--hda"));
  CHECK(holds(message_of({"--boot", rom, "--hdb", "file:"}), "--hdb"));
  CHECK(holds(message_of({"--boot", rom, "--append", "x"}), "--append"));
  CHECK(holds(message_of({"--boot", "rom:" + (folder / "missing")}), "missing"));
  CHECK(holds(message_of({"--boot", "jslinux:" + folder.path()}), folder.path()));
  CHECK(holds(message_of({"--boot", rom, "--hda", "file:" + (folder / "gone.img")}), "gone.img"));
  folder.write("disk", std::string(512, 'x'));
  const std::string disk = "file:" + (folder / "disk");
  CHECK(holds(message_of({"--boot", rom, "--hda", disk, "--hdb", disk}), "same file"));
  CHECK(message_of({"--boot", rom, "--hda", disk + ",ro", "--hdb", disk + ",ro"}).empty());
}

TEST_CASE("an overlay takes the writes of the first disk and is kept") {
  const TemporaryFolder folder;
  folder.write("rom", std::string(64, '\xf4'));
  folder.write("disk", std::string(1024, 'x'));
  const std::string rom = "rom:" + (folder / "rom"), overlay = folder / "over lay";
  for (const char* ending : {"", ",ro"}) {
    auto config = config_of({"--boot", rom, "--hda", "file:" + (folder / "disk") + ending, "--overlay", overlay});
    REQUIRE(config.has_value());
    REQUIRE(config->hda != nullptr);
    CHECK_FALSE(config->hda->read_only());
    std::vector<std::byte> sector(512);
    REQUIRE(config->hda->read(1, sector) == BlockStatus::done);
    CHECK(sector[0] == (*ending == 0 ? std::byte{'x'} : std::byte{'n'}));
    sector.assign(512, std::byte{'n'});
    CHECK(config->hda->write(1, sector) == BlockStatus::done);
    CHECK(folder.read("disk") == std::string(1024, 'x'));
  }
  CHECK(holds(message_of({"--boot", rom, "--overlay", overlay}), "--overlay"));
  CHECK(holds(message_of({"--boot", rom, "--hda", "file:" + (folder / "rom"), "--overlay", overlay}), "rom"));
  CHECK(holds(message_of({"--boot", rom, "--hda", "file:" + (folder / "disk"), "--overlay", folder / "disk"}), "not an overlay"));
}

TEST_CASE("what was asked for is in the Config") {
  const TemporaryFolder folder;
  folder.write("rom", std::string(64, '\xf4'));
  folder.write("disk", std::string(1024, 'x'));
  const auto config = config_of({"--boot", "rom:" + (folder / "rom"), "--ram", "32M", "--clock", "cycles:5M", "--seed", "7", "--cpu", "jslinux", "--hda",
                                 "file:" + (folder / "disk") + ",ro"});
  REQUIRE(config.has_value());
  CHECK(config->ram_bytes == 32u << 20);
  CHECK(config->time == TimeSource::cycles);
  CHECK(config->cycles_per_second == 5'000'000);
  CHECK(config->seed == 7);
  CHECK(config->cpu == CpuModel::jslinux);
  CHECK(!config->cpu_extensions.sse3);
  CHECK(std::holds_alternative<RomBoot>(config->boot));
  REQUIRE(config->hda != nullptr);
  CHECK(config->hda->sector_count() == 2);
  CHECK(config->hda->read_only());
  CHECK(config->hdb == nullptr);
}

TEST_CASE("processor models by name") {
  const TemporaryFolder folder;
  folder.write("rom", std::string(64, '\xf4'));
  const std::string rom = "rom:" + (folder / "rom");
  for (const auto& [name, model] : {std::pair{"486", CpuModel::i486}, {"pentium", CpuModel::pentium}, {"i686", CpuModel::i686}, {"full", CpuModel::full}}) {
    const auto config = config_of({"--boot", rom, "--cpu", name});
    REQUIRE(config.has_value());
    CHECK(config->cpu == model);
  }
  CHECK(config_of({"--boot", rom})->cpu == CpuModel::full);
}

TEST_CASE("additions to the processor") {
  const TemporaryFolder folder;
  folder.write("rom", std::string(64, '\xf4'));
  const std::string rom = "rom:" + (folder / "rom");
  const auto config = config_of({"--boot", rom, "--cpu-add", "sse3,popcnt"});
  REQUIRE(config.has_value());
  CHECK(config->cpu_extensions.sse3);
  CHECK(config->cpu_extensions.popcnt);
  CHECK(holds(message_of({"--boot", rom, "--cpu", "jslinux", "--cpu-add", "sse3"}), "--cpu-add"));
}

TEST_CASE("a JSLinux folder brings its disk, written only in memory") {
  const TemporaryFolder folder;
  folder.write("vmlinux-2.6.20.bin", std::string(4096, 'k'));
  folder.write("linuxstart.bin", std::string(1024, 's'));
  CHECK(holds(message_of({"--boot", "jslinux:" + folder.path()}), "root.bin"));
  std::filesystem::create_directory(folder / "hao");
  folder.write("hao/hda000000000.bin", std::string(65536, 'd'));
  auto config = config_of({"--boot", "jslinux:" + folder.path()});
  REQUIRE(config.has_value());
  REQUIRE(config->hda != nullptr);
  CHECK(config->hda->sector_count() == 128);
  CHECK_FALSE(config->hda->read_only());
  std::vector<std::byte> sector(512, std::byte{'n'});
  CHECK(config->hda->write(0, sector) == BlockStatus::done);
  CHECK(folder.read("hao/hda000000000.bin") == std::string(65536, 'd'));
  config = config_of({"--boot", "jslinux:" + folder.path(), "--hda", "none"});
  REQUIRE(config.has_value());
  CHECK(config->hda == nullptr);
}
