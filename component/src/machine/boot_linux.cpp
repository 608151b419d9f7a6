// Linux by its 32-bit boot protocol: Documentation/x86/boot.rst ("32-bit boot protocol") and zero-page.rst. Takes a bzImage with protocol
// version 2.02 or newer, or an i386 ELF vmlinux, for which the setup header is made here.
#include <algorithm>
#include <string>

#include "machine/elf_image.hpp"
#include "machine/ram_plan.hpp"

namespace tuxarium::machine {

namespace {

// Offsets in the bzImage's first sectors and, at the same places, in the zero page.
enum Header : std::size_t {
  kSetupSectors = 0x1f1,
  kSystemSize = 0x1f4,  // of the protected-mode code, in units of 16 bytes
  kBootFlag = 0x1fe,
  kJumpLength = 0x201,  // from 0x202 to the end of the header
  kMagic = 0x202,
  kVersion = 0x206,
  kLoaderType = 0x210,
  kLoadFlags = 0x211,
  kCode32Start = 0x214,
  kRamdiskImage = 0x218,
  kRamdiskSize = 0x21c,
  kCommandLinePointer = 0x228,
  kInitrdAddressMax = 0x22c,
  kExtendedLoadFlags = 0x236,
  kCommandLineSize = 0x238,
  kPreferredAddress = 0x258,
  kInitSize = 0x260,
  kHeaderEnd = 0x268,  // of the fields that are read here
};

// Offsets in the zero page only.
enum ZeroPage : std::size_t {
  kExtendedMemoryKib = 0x002,
  kAlternativeMemoryKib = 0x1e0,
  kE820Entries = 0x1e8,
  kSetupHeader = 0x1f1,
  kSetupHeaderEnd = 0x290,
  kE820Table = 0x2d0,
  kZeroPageBytes = 0x1000,
};

constexpr std::uint32_t kMagicHdrS = 0x53726448;
constexpr std::uint16_t kBootFlagValue = 0xaa55;
constexpr std::uint8_t kUnknownLoader = 0xff;
constexpr std::uint32_t kLoadedHigh = 0x01;
constexpr std::uint32_t kKernel64 = 0x0001;
constexpr std::uint16_t kVmlinuxProtocol = 0x0206;  // what the made header claims
constexpr std::uint32_t kDefaultInitrdAddressMax = 0x37ffffff;
constexpr std::size_t kMaxCommandLine = 2047, kOldCommandLine = 255;
constexpr std::uint16_t kCodeSelector = 0x10, kDataSelector = 0x18;
constexpr std::uint64_t kPage = 0x1000;
constexpr std::uint64_t kLowestFree = 0x8000;  // clear of the real-mode tables, which a kernel may read

/// The kernel in RAM and its setup header.
struct Kernel {
  std::uint32_t entry = 0;
  std::vector<std::byte> zero_page;  // with the setup header, nothing else filled in
  std::uint32_t initrd_address_max = kDefaultInitrdAddressMax;
  std::size_t command_line_limit = kMaxCommandLine;
};

std::string version_text(std::uint32_t version) {
  const std::uint32_t minor = version & 0xff;
  return std::to_string(version >> 8) + (minor < 10 ? ".0" : ".") + std::to_string(minor);
}

Result<void> check_setup(const ImageView& image) {
  if (auto ok = image.require(0, kVersion + 2, "the setup header up to its version"); !ok) return ok;
  if (image.u16(kBootFlag) != kBootFlagValue) return image.bad("it is neither an ELF file nor a bzImage (no boot flag 0xaa55 at byte 510)");
  if (image.u32(kMagic) != kMagicHdrS) return image.bad("it is no bzImage (no \"HdrS\" at byte 514)");
  const std::uint32_t version = image.u16(kVersion);
  if (version < 0x0202) {
    return image.unsupported("its boot protocol is " + version_text(version) + ", and 2.02 is the oldest that can be started");
  }
  if (auto ok = image.require(0, kHeaderEnd, "the setup header"); !ok) return ok;
  if ((image.u8(kLoadFlags) & kLoadedHigh) == 0) return image.unsupported("it is a zImage, which loads below 1 MiB; a bzImage is needed");
  if (version >= 0x020c && (image.u16(kExtendedLoadFlags) & kKernel64) != 0) {
    return image.unsupported("it is a 64-bit kernel and the machine's processor has 32 bits");
  }
  return {};
}

/// The protected-mode part of a bzImage.
Result<std::span<const std::byte>> system_code(const ImageView& image) {
  const std::uint32_t sectors = image.u8(kSetupSectors) == 0 ? 4 : image.u8(kSetupSectors);
  const std::uint64_t start = (std::uint64_t{sectors} + 1) * 512;
  if (auto ok = image.require(start, 1, "the protected-mode code"); !ok) return ok.error();
  const std::uint64_t announced = image.u16(kVersion) >= 0x0204 ? std::uint64_t{image.u32(kSystemSize)} * 16 : 0;
  if (announced > 15) {
    if (auto ok = image.require(start, announced - 15, "the protected-mode code"); !ok) return ok.error();
  }
  return image.slice(start, image.size() - start);
}

/// Where the code goes, and how much memory the kernel uses from there on before it looks at the memory map.
struct LoadPlace {
  std::uint64_t address, bytes;
};

Result<LoadPlace> load_place(const ImageView& image, std::uint64_t code_bytes) {
  if (image.u16(kVersion) < 0x020a) return LoadPlace{kHighRamStart, code_bytes};
  const std::uint64_t preferred = image.u32(kPreferredAddress) | std::uint64_t{image.u32(kPreferredAddress + 4)} << 32;
  if (preferred < kHighRamStart) return image.bad("its preferred address " + hex(preferred) + " is below 1 MiB");
  return LoadPlace{preferred, std::max<std::uint64_t>(code_bytes, image.u32(kInitSize))};
}

Result<Kernel> place_bzimage(const ImageView& image, RamPlan& ram, std::vector<Placement>& placements) {
  if (auto ok = check_setup(image); !ok) return ok.error();
  const auto code = system_code(image);
  if (!code) return code.error();
  const auto place = load_place(image, code->size());
  if (!place) return place.error();
  if (auto ok = ram.claim(image.name(), place->address, place->bytes); !ok) return ok.error();
  placements.emplace_back(static_cast<std::uint32_t>(place->address), *code);

  Kernel kernel;
  kernel.entry = static_cast<std::uint32_t>(place->address);
  const std::uint32_t version = image.u16(kVersion);
  if (version >= 0x0203) kernel.initrd_address_max = image.u32(kInitrdAddressMax);
  kernel.command_line_limit = kOldCommandLine;
  if (version >= 0x0206) kernel.command_line_limit = std::min<std::size_t>(image.u32(kCommandLineSize), kMaxCommandLine);
  kernel.zero_page.resize(kZeroPageBytes);
  const std::size_t end = std::min<std::size_t>(kMagic + image.u8(kJumpLength), kSetupHeaderEnd);
  if (end < kInitrdAddressMax) return image.bad("its setup header ends before the command line pointer");
  if (auto ok = image.require(kSetupHeader, end - kSetupHeader, "the setup header"); !ok) return ok.error();
  const auto header = image.slice(kSetupHeader, end - kSetupHeader);
  std::copy(header.begin(), header.end(), kernel.zero_page.begin() + kSetupHeader);
  return kernel;
}

Result<Kernel> place_vmlinux(const ImageView& image, RamPlan& ram, std::vector<Placement>& placements) {
  const auto entry = place_elf(image, ram, placements);
  if (!entry) return entry.error();
  Kernel kernel;
  kernel.entry = *entry;
  kernel.zero_page.resize(kZeroPageBytes);
  put16(kernel.zero_page, kBootFlag, kBootFlagValue);
  put32(kernel.zero_page, kMagic, kMagicHdrS);
  put16(kernel.zero_page, kVersion, kVmlinuxProtocol);
  kernel.zero_page[kLoadFlags] = std::byte{kLoadedHigh};
  put32(kernel.zero_page, kInitrdAddressMax, kDefaultInitrdAddressMax);
  put32(kernel.zero_page, kCommandLineSize, kMaxCommandLine);
  return kernel;
}

/// As high as the kernel can reach, so that it is clear of what the kernel takes before it knows of it.
Result<std::uint32_t> place_initrd(const LinuxBoot& source, const Kernel& kernel, RamPlan& ram, std::vector<Placement>& placements) {
  if (source.initrd.empty()) return std::uint32_t{0};
  const std::uint64_t top = std::min<std::uint64_t>(ram.ram_bytes(), std::uint64_t{kernel.initrd_address_max} + 1);
  const std::uint64_t size = source.initrd.size();
  if (size > top || ((top - size) & ~(kPage - 1)) < kHighRamStart) {
    return Error{ErrorCode::bad_image, "The initrd of " + std::to_string(size) + " bytes does not fit between 1 MiB and the address " +
                                           hex(top) + ", below which this kernel and this RAM allow it."};
  }
  const auto address = static_cast<std::uint32_t>((top - size) & ~(kPage - 1));
  if (auto ok = ram.claim("the initrd", address, size); !ok) return ok.error();
  placements.emplace_back(address, std::span{source.initrd});
  return address;
}

void put_memory_map(std::span<std::byte> zero_page, std::uint64_t ram_bytes) {
  constexpr std::uint32_t kRam = 1, kReserved = 2;
  struct Range {
    std::uint64_t first, end;
    std::uint32_t type;
  };
  const Range ranges[] = {{0, kLowRamEnd, kRam}, {kLowRamEnd, 0xa0000, kReserved}, {kHighRamStart, ram_bytes, kRam}};
  std::size_t count = 0;
  for (const Range& range : ranges) {
    if (range.first >= range.end) continue;
    const std::size_t at = kE820Table + 20 * count++;
    put64(zero_page, at, range.first);
    put64(zero_page, at + 8, range.end - range.first);
    put32(zero_page, at + 16, range.type);
  }
  zero_page[kE820Entries] = static_cast<std::byte>(count);
  const std::uint64_t high_kib = (ram_bytes - kHighRamStart) / 1024;
  put16(zero_page, kExtendedMemoryKib, static_cast<std::uint16_t>(std::min<std::uint64_t>(high_kib, 0xffff)));
  put32(zero_page, kAlternativeMemoryKib, static_cast<std::uint32_t>(high_kib));
}

std::vector<std::byte> descriptor_table() {
  std::vector<std::byte> table(32);
  put64(table, kCodeSelector, 0x00cf9b000000ffff);
  put64(table, kDataSelector, 0x00cf93000000ffff);
  return table;
}

/// Takes low memory for bytes that the kernel must find there.
Result<std::uint32_t> place_low(const std::string& what, std::vector<std::byte> bytes, RamPlan& ram, std::vector<Placement>& placements) {
  const auto address = ram.allocate(what, bytes.size(), kPage, kLowestFree, kLowRamEnd);
  if (address) placements.emplace_back(*address, std::move(bytes));
  return address;
}

}  // namespace

Result<BootPlan> plan_linux(const LinuxBoot& source, std::uint64_t ram_bytes) {
  RamPlan ram{ram_bytes};
  if (auto ok = ram.claim("the reserved area below 1 MiB", kLowRamEnd, kHighRamStart - kLowRamEnd); !ok) return ok.error();
  BootPlan plan;
  const ImageView image{source.kernel, "the Linux kernel"};
  auto kernel = is_elf(image) ? place_vmlinux(image, ram, plan.placements) : place_bzimage(image, ram, plan.placements);
  if (!kernel) return kernel.error();
  auto command_line = terminated_command_line(source.command_line, kernel->command_line_limit);
  if (!command_line) return command_line.error();
  const auto initrd = place_initrd(source, *kernel, ram, plan.placements);
  if (!initrd) return initrd.error();
  const auto text = place_low("the kernel command line", std::move(*command_line), ram, plan.placements);
  if (!text) return text.error();
  const auto gdt = place_low("the descriptor table", descriptor_table(), ram, plan.placements);
  if (!gdt) return gdt.error();

  std::vector<std::byte>& page = kernel->zero_page;
  page[kLoaderType] = std::byte{kUnknownLoader};
  put32(page, kCode32Start, kernel->entry);
  put32(page, kRamdiskImage, *initrd);
  put32(page, kRamdiskSize, static_cast<std::uint32_t>(source.initrd.size()));
  put32(page, kCommandLinePointer, *text);
  put_memory_map(page, ram_bytes);
  const auto zero_page = place_low("the boot parameters", std::move(page), ram, plan.placements);
  if (!zero_page) return zero_page.error();

  plan.registers = flat_registers(kCodeSelector, kDataSelector, kernel->entry);
  plan.registers.gpr[static_cast<std::size_t>(Gpr::esi)] = *zero_page;
  plan.registers.gdtr_base = *gdt;
  plan.registers.gdtr_limit = 31;
  return plan;
}

}  // namespace tuxarium::machine
