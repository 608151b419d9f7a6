#include "machine/boot_plan.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <tuxarium/boot.hpp>
#include <vector>

#include "image_builders.hpp"

using namespace tuxarium;
using namespace tuxarium::test;
using machine::BootPlan;
using machine::make_boot_plan;
using machine::Placement;

namespace {

constexpr std::uint64_t kMiB = 1u << 20;
constexpr std::size_t kEsi = 6, kEbx = 3, kEax = 0, kEcx = 1;

bool has(const std::string& text, const std::string& part) {
  INFO(text);
  CHECK(text.ends_with("."));
  return text.find(part) != std::string::npos;
}

std::string problem(const BootSource& source, std::uint64_t ram = 16 * kMiB, ErrorCode code = ErrorCode::bad_image) {
  const auto plan = make_boot_plan(source, ram);
  REQUIRE(!plan.has_value());
  INFO(plan.error().message);
  CHECK(plan.error().code == code);
  return plan.error().message;
}

/// RAM as the plan leaves it; checks that everything lies inside and apart.
class Ram {
 public:
  Ram(const BootPlan& plan, std::uint64_t size) : bytes_(static_cast<std::size_t>(size)), used_(bytes_.size()) {
    for (const Placement& p : plan.placements) {
      REQUIRE(p.address() + std::uint64_t{p.bytes().size()} <= size);
      std::copy(p.bytes().begin(), p.bytes().end(), bytes_.begin() + p.address());
      const auto first = used_.begin() + p.address(), last = first + static_cast<std::ptrdiff_t>(p.bytes().size());
      REQUIRE(std::find(first, last, true) == last);
      std::fill(first, last, true);
    }
  }
  std::uint32_t u32(std::size_t at) const {
    std::uint32_t value = 0;
    std::memcpy(&value, &bytes_.at(at), 4);
    return value;
  }
  std::uint32_t u16(std::size_t at) const { return u32(at) & 0xffff; }
  std::uint32_t u8(std::size_t at) const { return u32(at) & 0xff; }
  std::uint64_t u64(std::size_t at) const { return u32(at) | std::uint64_t{u32(at + 4)} << 32; }
  std::string text(std::size_t at) const { return reinterpret_cast<const char*>(&bytes_.at(at)); }
  bool holds(std::size_t at, const Bytes& what) const {
    return std::equal(what.begin(), what.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(at));
  }

 private:
  Bytes bytes_;
  std::vector<bool> used_;
};

void check_flat(const Registers& r) {
  for (std::size_t i = 0; i < r.segment.size(); ++i) {
    CAPTURE(i);
    const SegmentView& s = r.segment[i];
    CHECK(s.base == 0);
    CHECK(s.limit == 0xffffffff);
    CHECK(s.valid);
    CHECK((s.access & 0x00c09800) == (i == 1 ? 0x00c09800u : 0x00c09000u));
  }
  CHECK(r.eflags == 2);
  CHECK((r.cr0 & 0x80000001) == 1);
}

/// Makes a plan for images with random damage; anything goes but a crash or a placement outside RAM.
template <class Source>
void damage(Source source, std::size_t interesting_bytes) {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random{seed};
  const Bytes good = source.kernel;
  for (int i = 0; i < 3000; ++i) {
    source.kernel = good;
    for (unsigned n = random() % 4; n-- != 0;) {
      const std::size_t at = random() % std::min(interesting_bytes, good.size());
      const unsigned values[] = {0x00, 0xff, 0x7f, 0x80, static_cast<unsigned>(random() & 0xff)};
      source.kernel[at] = static_cast<std::byte>(values[random() % 5]);
    }
    if (random() % 4 == 0) source.kernel.resize(random() % (good.size() + 1));
    const BootSource boot{source};
    const auto plan = make_boot_plan(boot, 8 * kMiB);
    if (plan) {
      const Ram checked{*plan, 8 * kMiB};
    } else {
      CHECK(plan.error().message.ends_with("."));
    }
  }
}

}  // namespace

TEST_CASE("no boot source, or RAM of an impossible size") {
  CHECK(has(problem({}, 16 * kMiB, ErrorCode::invalid_argument), "nothing to start"));
  for (const std::uint64_t ram : {std::uint64_t{0}, kMiB - 1, 3072 * kMiB + 1, ~std::uint64_t{0}}) {
    CHECK(has(problem(RomBoot{Bytes(16)}, ram, ErrorCode::invalid_argument), "1 MiB to 3 GiB"));
  }
}

TEST_CASE("jslinux: places and registers of the old system") {
  const BootSource boot{JslinuxBoot{filled(300000, 1), filled(14786, 2), {}, "root=/dev/hda"}};
  const auto plan = make_boot_plan(boot, 16 * kMiB);
  REQUIRE(plan.has_value());
  const Ram ram{*plan, 16 * kMiB};
  CHECK(ram.holds(0x100000, filled(300000, 1)));
  CHECK(ram.holds(0x10000, filled(14786, 2)));
  CHECK(ram.text(0xf800) == "root=/dev/hda");
  const Registers& r = plan->registers;
  check_flat(r);
  CHECK(r.eip == 0x10000);
  CHECK(r.gpr[kEax] == 0x01000000);
  CHECK(r.gpr[kEbx] == 0);
  CHECK(r.gpr[kEcx] == 0xf800);
  for (const std::size_t zero : {2u, 4u, 5u, 6u, 7u}) CHECK(r.gpr[zero] == 0);
  CHECK(plan->rom.empty());
}

TEST_CASE("jslinux: the RAM disk") {
  const BootSource boot{JslinuxBoot{filled(1000, 1), filled(100, 2), filled(2 * kMiB, 3), ""}};
  const auto plan = make_boot_plan(boot, 16 * kMiB);
  REQUIRE(plan.has_value());
  CHECK(Ram{*plan, 16 * kMiB}.holds(0x400000, filled(2 * kMiB, 3)));
  CHECK(plan->registers.gpr[kEbx] == 2 * kMiB);
}

TEST_CASE("jslinux: what does not fit is named") {
  CHECK(has(problem(JslinuxBoot{{}, filled(1, 1), {}, ""}), "kernel is empty"));
  CHECK(has(problem(JslinuxBoot{filled(1, 1), {}, {}, ""}), "starter is empty"));
  CHECK(has(problem(JslinuxBoot{filled(1, 1), filled(0xf0001, 1), {}, ""}), "starter"));
  CHECK(make_boot_plan(JslinuxBoot{filled(1, 1), filled(0xf0000, 1), {}, ""}, 16 * kMiB).has_value());
  const std::string small = problem(JslinuxBoot{filled(3 * kMiB, 1), filled(1, 1), {}, ""}, 2 * kMiB);
  CHECK(has(small, "needs 4 MiB"));
  CHECK(has(small, "has 2 MiB"));
  CHECK(has(problem(JslinuxBoot{filled(3 * kMiB + 1, 1), filled(1, 1), filled(1, 1), ""}), "overlaps the JSLinux kernel"));
  CHECK(has(problem(JslinuxBoot{filled(1, 1), filled(1, 1), {}, std::string(2048, 'x')}, 16 * kMiB, ErrorCode::invalid_argument), "2047"));
  CHECK(make_boot_plan(JslinuxBoot{filled(1, 1), filled(1, 1), {}, std::string(2047, 'x')}, 16 * kMiB).has_value());
  CHECK(has(problem(JslinuxBoot{filled(1, 1), filled(1, 1), {}, std::string("a\0b", 3)}, 16 * kMiB, ErrorCode::invalid_argument), "NUL"));
}

TEST_CASE("rom: the reset state") {
  const BootSource boot{RomBoot{filled(65536, 1)}};
  const auto plan = make_boot_plan(boot, kMiB);
  REQUIRE(plan.has_value());
  CHECK(plan->placements.empty());
  CHECK(plan->rom.size() == 65536);
  const Registers& r = plan->registers;
  CHECK(r.eip == 0xfff0);
  CHECK(r.cr0 == 0x60000010);
  CHECK(r.segment[1].selector == 0xf000);
  CHECK(r.segment[1].base == 0xffff0000);
  CHECK(r.segment[1].limit == 0xffff);
  CHECK(r.segment[3].base == 0);
  CHECK(r.idtr_limit == 0xffff);
  for (const std::size_t size : {std::size_t{0}, std::size_t{15}, std::size_t{17}, std::size_t{(16u << 20) + 16}}) {
    CHECK(has(problem(RomBoot{Bytes(size)}), "16 bytes to 16 MiB"));
  }
}

TEST_CASE("bzImage: code, zero page, command line, initrd and processor") {
  const BootSource boot{LinuxBoot{bzimage({}), filled(100000, 3), "console=ttyS0"}};
  const auto plan = make_boot_plan(boot, 16 * kMiB);
  REQUIRE(plan.has_value());
  const Ram ram{*plan, 16 * kMiB};
  const Registers& r = plan->registers;
  check_flat(r);
  CHECK(r.eip == 0x100000);
  CHECK(ram.holds(0x100000, filled(20000, 9)));
  CHECK(r.segment[1].selector == 0x10);
  CHECK(r.segment[3].selector == 0x18);
  CHECK(ram.u64(r.gdtr_base + 0x10) == 0x00cf9b000000ffff);
  CHECK(ram.u64(r.gdtr_base + 0x18) == 0x00cf93000000ffff);
  CHECK(r.gdtr_limit == 31);
  for (const std::size_t zero : {3u, 5u, 7u}) CHECK(r.gpr[zero] == 0);

  const std::size_t page = r.gpr[kEsi];
  CHECK(page < 0x9fc00);
  CHECK(ram.u32(page + 0x202) == 0x53726448);
  CHECK(ram.u16(page + 0x1fe) == 0xaa55);
  CHECK(ram.u8(page + 0x210) == 0xff);
  CHECK(ram.u32(page + 0x214) == 0x100000);
  CHECK(ram.text(ram.u32(page + 0x228)) == "console=ttyS0");
  const std::uint32_t initrd = ram.u32(page + 0x218);
  CHECK(initrd % 4096 == 0);
  CHECK(initrd == (16 * kMiB - 100000) / 4096 * 4096);
  CHECK(ram.u32(page + 0x21c) == 100000);
  CHECK(ram.holds(initrd, filled(100000, 3)));
  CHECK(ram.u8(page + 0x1e8) == 3);
  CHECK(ram.u64(page + 0x2d0) == 0);
  CHECK(ram.u64(page + 0x2d8) == 0x9fc00);
  CHECK(ram.u32(page + 0x2e0) == 1);
  CHECK(ram.u64(page + 0x2d0 + 40) == 0x100000);
  CHECK(ram.u64(page + 0x2d8 + 40) == 15 * kMiB);
  CHECK(ram.u32(page + 0x1e0) == 15 * 1024);
  CHECK(ram.u8(page + 0x1ef) == 0);  // nothing from before the header
}

TEST_CASE("bzImage: preferred address, init size and initrd limit") {
  BzImage kernel{.preferred = 0x400000, .init_bytes = 0x300000, .initrd_max = 0xbfffff};
  const BootSource boot{LinuxBoot{bzimage(kernel), filled(5000, 3), ""}};
  const auto plan = make_boot_plan(boot, 16 * kMiB);
  REQUIRE(plan.has_value());
  CHECK(plan->registers.eip == 0x400000);
  const Ram ram{*plan, 16 * kMiB};
  CHECK(ram.u32(plan->registers.gpr[kEsi] + 0x218) == 0xbfe000);
  CHECK(make_boot_plan(boot, 12 * kMiB).has_value());
  CHECK(has(problem(boot, 6 * kMiB), "needs 7 MiB"));
  kernel.initrd_max = 0x6fffff;  // inside the kernel's memory
  CHECK(has(problem(LinuxBoot{bzimage(kernel), filled(5000, 3), ""}), "overlaps the Linux kernel"));
  kernel.preferred = 0x1000;
  CHECK(has(problem(LinuxBoot{bzimage(kernel), {}, ""}), "below 1 MiB"));
  kernel.preferred = 0xffffffffff000000;
  CHECK(has(problem(LinuxBoot{bzimage(kernel), {}, ""}), "beyond"));
}

TEST_CASE("bzImage: each bad image has its sentence") {
  const auto bad = [](const BzImage& image, ErrorCode code = ErrorCode::bad_image) {
    return problem(LinuxBoot{bzimage(image), {}, ""}, 16 * kMiB, code);
  };
  CHECK(has(problem(LinuxBoot{{}, {}, ""}), "truncated"));
  CHECK(has(problem(LinuxBoot{Bytes(10000), {}, ""}), "neither an ELF file nor a bzImage"));
  CHECK(has(bad({.magic = 0x53726449}), "HdrS"));
  CHECK(has(bad({.version = 0x0201}, ErrorCode::unsupported), "2.01"));
  CHECK(has(bad({.load_flags = 0}, ErrorCode::unsupported), "zImage"));
  CHECK(has(bad({.extended_load_flags = 1}, ErrorCode::unsupported), "64-bit"));
  CHECK(has(bad({.missing_code = 100}), "truncated"));
  CHECK(!has(problem(LinuxBoot{bzimage({}), filled(15 * kMiB + 1, 1), ""}), "truncated"));
  CHECK(has(problem(LinuxBoot{bzimage({}), filled(17 * kMiB, 1), ""}), "initrd"));
  CHECK(
      has(problem(LinuxBoot{bzimage({.command_line_size = 10}), {}, "12345678901"}, 16 * kMiB, ErrorCode::invalid_argument), "at most 10"));
  CHECK(has(problem(LinuxBoot{bzimage({.version = 0x0205}), {}, std::string(256, 'x')}, 16 * kMiB, ErrorCode::invalid_argument),
            "at most 255"));
}

TEST_CASE("bzImage: damage never crashes") { damage(LinuxBoot{bzimage({}), filled(5000, 1), "x"}, 0x270); }

TEST_CASE("vmlinux: segments at physical addresses, entry from virtual to physical, a made setup header") {
  for (const std::uint32_t entry : {0x100010u, 0xc0100010u}) {
    CAPTURE(entry);
    const BootSource boot{LinuxBoot{elf({.entry = entry}), {}, "a=b"}};
    const auto plan = make_boot_plan(boot, 16 * kMiB);
    REQUIRE(plan.has_value());
    const Ram ram{*plan, 16 * kMiB};
    CHECK(plan->registers.eip == 0x100010);
    CHECK(ram.holds(0x100000, filled(3000, 7)));
    const std::size_t page = plan->registers.gpr[kEsi];
    CHECK(ram.u32(page + 0x202) == 0x53726448);
    CHECK(ram.u16(page + 0x206) >= 0x0202);
    CHECK(ram.text(ram.u32(page + 0x228)) == "a=b");
    CHECK(ram.u8(page + 0x1e8) == 3);
  }
}

TEST_CASE("vmlinux: each bad image has its sentence") {
  const auto bad = [](const Elf& image, ErrorCode code = ErrorCode::bad_image) {
    return problem(LinuxBoot{elf(image), {}, ""}, 16 * kMiB, code);
  };
  CHECK(has(bad({.elf_class = 2}, ErrorCode::unsupported), "64-bit"));
  CHECK(has(bad({.byte_order = 2}), "byte order"));
  CHECK(has(bad({.machine = 40}, ErrorCode::unsupported), "processor type 40"));
  CHECK(has(bad({.type = 3}, ErrorCode::unsupported), "not an executable"));
  CHECK(has(bad({.program_headers = 0}), "no ELF program headers"));
  CHECK(has(bad({.program_headers = 1000}), "more than"));
  CHECK(has(bad({.table = 0xfffffff0}), "program header table"));
  CHECK(has(bad({.offset = 0xffffff00}), "ELF segment 0"));
  CHECK(has(bad({.memory_bytes = 10}), "more bytes in the file"));
  CHECK(has(bad({.physical = 0xffffff00, .memory_bytes = 0xffffff00}), "beyond the address"));
  CHECK(has(bad({.memory_bytes = 0x2000000}), "needs 33 MiB"));
  CHECK(has(bad({.entry = 0x50}), "entry point 0x50"));
  CHECK(has(bad({.physical = 0xa0000}), "reserved area"));
  CHECK(has(bad({.segment_type = 2}), "no loadable"));
  Bytes cut = elf({});
  cut.resize(40);
  CHECK(has(problem(LinuxBoot{cut, {}, ""}), "ELF header"));
}

TEST_CASE("vmlinux: damage never crashes") { damage(LinuxBoot{elf({}), filled(5000, 1), "x"}, 0x60); }

TEST_CASE("multiboot: ELF kernel, modules, memory map and registers") {
  const BootSource boot{MultibootBoot{elf({.multiboot_flags = 3}), {filled(5000, 1), filled(1, 2)}, "kernel -v"}};
  const auto plan = make_boot_plan(boot, 16 * kMiB);
  REQUIRE(plan.has_value());
  const Ram ram{*plan, 16 * kMiB};
  const Registers& r = plan->registers;
  check_flat(r);
  CHECK(r.gpr[kEax] == 0x2badb002);
  CHECK(r.eip == 0x100010);
  const std::size_t info = r.gpr[kEbx];
  CHECK((ram.u32(info) & 0x24d) == 0x24d);
  CHECK(ram.u32(info + 4) == 639);
  CHECK(ram.u32(info + 8) == 15 * 1024);
  CHECK(ram.text(ram.u32(info + 16)) == "kernel -v");
  CHECK(ram.text(ram.u32(info + 64)) == "tuxarium");
  REQUIRE(ram.u32(info + 20) == 2);
  const std::size_t modules = ram.u32(info + 24);
  const std::uint32_t first = ram.u32(modules), second = ram.u32(modules + 16);
  CHECK(first % 4096 == 0);
  CHECK(second % 4096 == 0);
  CHECK(ram.u32(modules + 4) == first + 5000);
  CHECK(ram.text(ram.u32(modules + 8)).empty());
  CHECK(ram.holds(first, filled(5000, 1)));
  CHECK(ram.holds(second, filled(1, 2)));
  CHECK(first >= 0x100000 + 0x4000);  // above the kernel's bss
  REQUIRE(ram.u32(info + 44) == 48);
  const std::size_t map = ram.u32(info + 48);
  CHECK(ram.u32(map) == 20);
  CHECK(ram.u64(map + 12) == 0x9fc00);
  CHECK(ram.u64(map + 28) == 0x100000);
  CHECK(ram.u64(map + 36) == 15 * kMiB);
}

TEST_CASE("multiboot: address fields instead of ELF") {
  const BootSource boot{MultibootBoot{multiboot_flat({}), {}, ""}};
  const auto plan = make_boot_plan(boot, 16 * kMiB);
  REQUIRE(plan.has_value());
  CHECK(plan->registers.eip == 0x200020);
  const Ram ram{*plan, 16 * kMiB};
  CHECK(ram.u32(0x200000) == 0x1badb002);  // the file's first 16 bytes lie before the load address
  CHECK(ram.u32(plan->registers.gpr[kEbx] + 20) == 0);
  CHECK((ram.u32(plan->registers.gpr[kEbx]) & 8) == 0);
}

TEST_CASE("multiboot: each bad image has its sentence") {
  const auto flat = [](const MultibootFlat& image, ErrorCode code = ErrorCode::bad_image) {
    return problem(MultibootBoot{multiboot_flat(image), {}, ""}, 16 * kMiB, code);
  };
  CHECK(has(problem(MultibootBoot{{}, {}, ""}), "no multiboot header"));
  CHECK(has(problem(MultibootBoot{elf({}), {}, ""}), "no multiboot header"));
  CHECK(has(flat({.checksum_error = 1}), "no multiboot header"));
  CHECK(has(flat({.header_at = 8192 - 8}), "no multiboot header"));
  CHECK(has(flat({.flags = 0x10004}, ErrorCode::unsupported), "video mode"));
  CHECK(has(flat({.flags = 0x10008}, ErrorCode::unsupported), "unknown features"));
  CHECK(has(flat({.flags = 0}), "no ELF file"));
  CHECK(has(flat({.load = 0x200001}), "does not agree"));
  CHECK(has(flat({.load = 0x100000}), "does not agree"));
  CHECK(has(flat({.load_end = 0x200000}), "load end"));
  CHECK(has(flat({.load_end = 0x300000}), "the part to load"));
  CHECK(has(flat({.bss_end = 0x200010}), "bss end"));
  CHECK(has(flat({.bss_end = 0xffffffff}), "needs 4096 MiB"));
  CHECK(has(flat({.entry = 0x1fffff}), "entry point"));
  CHECK(has(flat({.file_bytes = 40}), "address fields"));
  CHECK(has(problem(MultibootBoot{multiboot_flat({}), {{}}, ""}), "module 0"));
  CHECK(has(problem(MultibootBoot{multiboot_flat({}), {filled(15 * kMiB, 1)}, ""}), "no room for module 0"));
  CHECK(has(problem(MultibootBoot{multiboot_flat({}), std::vector<Bytes>(1025, Bytes(1)), ""}, 16 * kMiB, ErrorCode::invalid_argument),
            "1024"));
}

TEST_CASE("multiboot: damage never crashes") {
  damage(MultibootBoot{multiboot_flat({}), {filled(5000, 1)}, "x"}, 64);
  damage(MultibootBoot{elf({.multiboot_flags = 3}), {}, "x"}, 160);
}

TEST_CASE("loaders: folders and files, and what is wrong with them") {
  const auto folder = std::filesystem::temp_directory_path() / ("tuxarium boot " + std::to_string(std::random_device{}()));
  std::filesystem::create_directory(folder);
  const auto write = [&](const char* name, std::size_t size) { std::ofstream{folder / name} << std::string(size, 'x'); };
  const auto message = [](const Result<BootSource>& result, ErrorCode code) {
    REQUIRE(!result.has_value());
    CHECK(result.error().code == code);
    return result.error().message;
  };
  CHECK(has(message(load_jslinux_boot(folder / "none"), ErrorCode::not_found), "folder"));
  CHECK(has(message(load_jslinux_boot(folder), ErrorCode::not_found), "vmlinux-2.6.20.bin"));
  write("vmlinux-2.6.20.bin", 10);
  CHECK(has(message(load_jslinux_boot(folder), ErrorCode::not_found), "linuxstart.bin"));
  write("linuxstart.bin", 0);
  CHECK(has(message(load_jslinux_boot(folder), ErrorCode::bad_image), "empty"));
  write("linuxstart.bin", 5);
  auto boot = load_jslinux_boot(folder);
  REQUIRE(boot.has_value());
  CHECK(std::get<JslinuxBoot>(*boot).command_line == "console=ttyS0 root=/dev/hda ro init=/sbin/init notsc=1");
  CHECK(std::get<JslinuxBoot>(*load_jslinux_boot(folder, "x")).command_line == "x");
  write("root.bin", 7);
  boot = load_jslinux_boot(folder);
  REQUIRE(boot.has_value());
  CHECK(std::get<JslinuxBoot>(*boot).initrd.size() == 7);
  CHECK(std::get<JslinuxBoot>(*boot).command_line == "console=ttyS0 root=/dev/ram0 rw init=/sbin/init notsc=1");

  CHECK(has(message(load_linux_boot(folder), ErrorCode::invalid_argument), "not a regular file"));
  CHECK(has(message(load_linux_boot(folder / "root.bin", folder / "none"), ErrorCode::not_found), "initrd"));
  CHECK(std::get<LinuxBoot>(*load_linux_boot(folder / "root.bin", folder / "root.bin", "y")).initrd.size() == 7);
  CHECK(std::get<RomBoot>(*load_rom_boot(folder / "root.bin")).image.size() == 7);
  CHECK(has(message(load_rom_boot(folder / "none"), ErrorCode::not_found), "ROM"));
  write("rom", (16u << 20) + 1);
  CHECK(has(message(load_rom_boot(folder / "rom"), ErrorCode::bad_image), "16777217"));
  CHECK(std::get<MultibootBoot>(*load_multiboot(folder / "root.bin", {folder / "root.bin"}, "")).modules.size() == 1);
  CHECK(has(message(load_multiboot(folder / "root.bin", {folder / "none"}), ErrorCode::not_found), "module"));
  std::filesystem::remove_all(folder);
}

TEST_CASE("the images of the old system") {
  if (!std::filesystem::is_directory(TUXARIUM_JSLINUX_TAP)) {
    std::puts("skipped: no ../shared/jslinux-tap");
    return;
  }
  const auto boot = load_jslinux_boot(TUXARIUM_JSLINUX_TAP);
  REQUIRE(boot.has_value());
  const auto plan = make_boot_plan(*boot, 16 * kMiB);
  REQUIRE(plan.has_value());
  CHECK(Ram{*plan, 16 * kMiB}.u32(0x10000) == 0x013000bc);  // mov esp, 0x13000
}
