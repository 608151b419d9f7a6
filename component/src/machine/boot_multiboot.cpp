// Kernels of the Multiboot Specification 0.6.96: header (3.1), machine state (3.2), information structure (3.3). Not modelled: a video
// mode, drives, symbols, an APM or VBE table.
#include <algorithm>
#include <string>

#include "machine/elf_image.hpp"
#include "machine/ram_plan.hpp"

namespace tuxarium::machine {

namespace {

constexpr std::uint32_t kHeaderMagic = 0x1badb002, kLoaderMagic = 0x2badb002;
constexpr std::uint64_t kHeaderBytes = 12, kAddressFieldsBytes = 20, kSearchBytes = 8192;
constexpr std::uint32_t kWantsAlignedModules = 1u << 0, kWantsMemoryInfo = 1u << 1, kWantsVideo = 1u << 2, kHasAddresses = 1u << 16;
constexpr std::uint32_t kMandatory = 0xffff;
constexpr std::uint64_t kPage = 4096, kLowestFree = 0x8000;
constexpr std::size_t kMaxModules = 1024, kMaxCommandLine = 65535;
constexpr std::uint16_t kCodeSelector = 0x10, kDataSelector = 0x18;
constexpr char kLoaderName[] = "tuxarium";

// Information structure: offsets and flags.
enum Info : std::size_t {
  kInfoFlags = 0,
  kMemoryLower = 4,
  kMemoryUpper = 8,
  kCommandLine = 16,
  kModuleCount = 20,
  kModuleTable = 24,
  kMapLength = 44,
  kMapAddress = 48,
  kBootLoaderName = 64,
  kInfoBytes = 120,
};
constexpr std::uint32_t kHasMemory = 1u << 0, kHasCommandLine = 1u << 2, kHasModules = 1u << 3, kHasMap = 1u << 6, kHasLoaderName = 1u << 9;

/// The header's place, or an error when the first 8192 bytes have none.
Result<std::uint64_t> find_header(const ImageView& image) {
  const std::uint64_t end = std::min(image.size(), kSearchBytes);
  for (std::uint64_t at = 0; at + kHeaderBytes <= end; at += 4) {
    if (image.u32(at) == kHeaderMagic && image.u32(at) + image.u32(at + 4) + image.u32(at + 8) == 0) return at;
  }
  return image.bad("there is no multiboot header with a right checksum in its first " + std::to_string(end) + " bytes");
}

/// Places an image by the address fields of its header and returns the entry point.
Result<std::uint32_t> place_by_addresses(const ImageView& image, std::uint64_t header, RamPlan& ram, std::vector<Placement>& placements) {
  if (auto ok = image.require(header + kHeaderBytes, kAddressFieldsBytes, "the header's address fields"); !ok) return ok.error();
  const std::uint64_t header_address = image.u32(header + 12), load = image.u32(header + 16), load_end = image.u32(header + 20),
                      bss_end = image.u32(header + 24), entry = image.u32(header + 28);
  if (header_address < load || header_address - load > header) {
    return image.bad("its load address " + hex(load) + " does not agree with the place of its multiboot header");
  }
  const std::uint64_t offset = header - (header_address - load);
  if (load_end != 0 && load_end <= load) return image.bad("its load end " + hex(load_end) + " is not above its load address " + hex(load));
  const std::uint64_t bytes = load_end != 0 ? load_end - load : image.size() - offset;
  if (auto ok = image.require(offset, bytes, "the part to load"); !ok) return ok.error();
  if (bss_end != 0 && bss_end < load + bytes) return image.bad("its bss end " + hex(bss_end) + " is below the end of what it loads");
  const std::uint64_t memory_bytes = bss_end != 0 ? bss_end - load : bytes;
  if (entry < load || entry - load >= memory_bytes) return image.bad("its entry point " + hex(entry) + " is outside of what it loads");
  if (auto ok = ram.claim(image.name(), load, memory_bytes); !ok) return ok.error();
  placements.emplace_back(static_cast<std::uint32_t>(load), image.slice(offset, bytes));
  return static_cast<std::uint32_t>(entry);
}

Result<std::uint32_t> place_kernel(const ImageView& image, RamPlan& ram, std::vector<Placement>& placements) {
  const auto header = find_header(image);
  if (!header) return header.error();
  const std::uint32_t flags = image.u32(*header + 4);
  if ((flags & kWantsVideo) != 0) return image.unsupported("its multiboot header asks for a video mode and the machine has no display");
  if ((flags & kMandatory & ~(kWantsAlignedModules | kWantsMemoryInfo)) != 0) {
    return image.unsupported("its multiboot header asks for unknown features (flags " + hex(flags) + ")");
  }
  if ((flags & kHasAddresses) != 0) return place_by_addresses(image, *header, ram, placements);
  if (!is_elf(image)) return image.bad("it is no ELF file, and its multiboot header has no address fields");
  return place_elf(image, ram, placements);
}

/// Takes the lowest free memory for bytes made here.
Result<std::uint32_t> place_free(const std::string& what, std::vector<std::byte> bytes, RamPlan& ram, std::vector<Placement>& placements) {
  const auto address = ram.allocate(what, bytes.size(), 16, kLowestFree, ram.ram_bytes());
  if (address) placements.emplace_back(*address, std::move(bytes));
  return address;
}

/// Places the modules on page boundaries above 1 MiB, and makes their table.
Result<std::vector<std::byte>> place_modules(const MultibootBoot& source, RamPlan& ram, std::vector<Placement>& placements) {
  if (source.modules.size() > kMaxModules) {
    return Error{ErrorCode::invalid_argument, "A multiboot kernel can have at most " + std::to_string(kMaxModules) + " modules, not " +
                                                  std::to_string(source.modules.size()) + "."};
  }
  std::vector<std::byte> table(16 * source.modules.size());
  for (std::size_t i = 0; i < source.modules.size(); ++i) {
    const std::string what = "module " + std::to_string(i);
    const std::span<const std::byte> module{source.modules[i]};
    if (module.empty()) return Error{ErrorCode::bad_image, "The image of multiboot " + what + " is empty."};
    const auto address = ram.allocate(what, module.size(), kPage, kHighRamStart, ram.ram_bytes());
    if (!address) return address.error();
    placements.emplace_back(*address, module);
    put32(table, 16 * i, *address);
    put32(table, 16 * i + 4, static_cast<std::uint32_t>(*address + module.size()));
  }
  return table;
}

std::vector<std::byte> memory_map(std::uint64_t ram_bytes) {
  constexpr std::size_t kEntryBytes = 24;  // its own size field, which does not count itself, included
  constexpr std::uint32_t kRam = 1;
  std::vector<std::byte> map(ram_bytes > kHighRamStart ? 2 * kEntryBytes : kEntryBytes);
  const auto put_entry = [&](std::size_t at, std::uint64_t first, std::uint64_t end) {
    put32(map, at, kEntryBytes - 4);
    put64(map, at + 4, first);
    put64(map, at + 12, end - first);
    put32(map, at + 20, kRam);
  };
  put_entry(0, 0, kLowRamEnd);
  if (ram_bytes > kHighRamStart) put_entry(kEntryBytes, kHighRamStart, ram_bytes);
  return map;
}

}  // namespace

Result<BootPlan> plan_multiboot(const MultibootBoot& source, std::uint64_t ram_bytes) {
  RamPlan ram{ram_bytes};
  if (auto ok = ram.claim("the reserved area below 1 MiB", kLowRamEnd, kHighRamStart - kLowRamEnd); !ok) return ok.error();
  BootPlan plan;
  const ImageView image{source.kernel, "the multiboot kernel"};
  const auto entry = place_kernel(image, ram, plan.placements);
  if (!entry) return entry.error();
  auto module_table = place_modules(source, ram, plan.placements);
  if (!module_table) return module_table.error();

  std::vector<std::byte> info(kInfoBytes);
  std::uint32_t flags = kHasMemory | kHasCommandLine | kHasMap | kHasLoaderName;
  put32(info, kMemoryLower, kLowRamEnd / 1024);
  put32(info, kMemoryUpper, static_cast<std::uint32_t>((ram_bytes - kHighRamStart) / 1024));

  auto command_line = terminated_command_line(source.command_line, kMaxCommandLine);
  if (!command_line) return command_line.error();
  const auto text = place_free("the kernel command line", std::move(*command_line), ram, plan.placements);
  if (!text) return text.error();
  put32(info, kCommandLine, *text);

  const auto name_bytes = std::as_bytes(std::span{kLoaderName});
  const auto name = place_free("the loader's name", {name_bytes.begin(), name_bytes.end()}, ram, plan.placements);
  if (!name) return name.error();
  put32(info, kBootLoaderName, *name);

  if (!module_table->empty()) {
    // A module has no text of its own: all share the NUL that ends the loader's name.
    for (std::size_t at = 8; at < module_table->size(); at += 16) put32(*module_table, at, *name + sizeof kLoaderName - 1);
    put32(info, kModuleCount, static_cast<std::uint32_t>(source.modules.size()));
    const auto table = place_free("the module table", std::move(*module_table), ram, plan.placements);
    if (!table) return table.error();
    put32(info, kModuleTable, *table);
    flags |= kHasModules;
  }

  std::vector<std::byte> map = memory_map(ram_bytes);
  put32(info, kMapLength, static_cast<std::uint32_t>(map.size()));
  const auto map_address = place_free("the memory map", std::move(map), ram, plan.placements);
  if (!map_address) return map_address.error();
  put32(info, kMapAddress, *map_address);
  put32(info, kInfoFlags, flags);
  const auto info_address = place_free("the multiboot information", std::move(info), ram, plan.placements);
  if (!info_address) return info_address.error();

  plan.registers = flat_registers(kCodeSelector, kDataSelector, *entry);
  plan.registers.gpr[static_cast<std::size_t>(Gpr::eax)] = kLoaderMagic;
  plan.registers.gpr[static_cast<std::size_t>(Gpr::ebx)] = *info_address;
  return plan;
}

}  // namespace tuxarium::machine
