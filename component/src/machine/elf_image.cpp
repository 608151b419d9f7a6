#include "machine/elf_image.hpp"

#include <optional>
#include <string>

namespace tuxarium::machine {

namespace {

constexpr std::uint32_t kElfMagic = 0x464c457f;
constexpr std::uint64_t kHeaderBytes = 52, kProgramHeaderBytes = 32;
constexpr std::uint32_t kClass32 = 1, kClass64 = 2, kLittleEndian = 1, kExecutable = 2, kMachine386 = 3;
constexpr std::uint32_t kLoadable = 1;
constexpr std::uint32_t kMaxSegments = 256;

struct Segment {
  std::uint64_t offset, virtual_address, physical_address, file_bytes, memory_bytes;
};

Result<void> check_header(const ImageView& image) {
  if (auto ok = image.require(0, kHeaderBytes, "the ELF header"); !ok) return ok;
  if (image.u8(4) == kClass64) return image.unsupported("it is a 64-bit ELF file and the machine's processor has 32 bits");
  if (image.u8(4) != kClass32 || image.u8(5) != kLittleEndian) return image.bad("the ELF header's class or byte order is not that of i386");
  if (image.u16(18) != kMachine386)
    return image.unsupported("its ELF header is for processor type " + std::to_string(image.u16(18)) + ", not i386");
  if (image.u16(16) != kExecutable) return image.unsupported("its ELF header says that it is not an executable");
  return {};
}

Result<std::vector<Segment>> read_segments(const ImageView& image) {
  const std::uint64_t table = image.u32(28);
  const std::uint32_t entry_bytes = image.u16(42), entries = image.u16(44);
  if (entries == 0) return image.bad("it has no ELF program headers");
  if (entries > kMaxSegments) return image.bad("it has more than " + std::to_string(kMaxSegments) + " ELF program headers");
  if (entry_bytes < kProgramHeaderBytes)
    return image.bad("its ELF program headers have " + std::to_string(entry_bytes) + " bytes instead of 32");
  if (auto ok = image.require(table, std::uint64_t{entry_bytes} * entries, "the ELF program header table"); !ok) return ok.error();

  std::vector<Segment> segments;
  for (std::uint32_t i = 0; i < entries; ++i) {
    const std::uint64_t at = table + std::uint64_t{i} * entry_bytes;
    const Segment s{image.u32(at + 4), image.u32(at + 8), image.u32(at + 12), image.u32(at + 16), image.u32(at + 20)};
    if (image.u32(at) != kLoadable || s.memory_bytes == 0) continue;
    if (s.file_bytes > s.memory_bytes) return image.bad("ELF segment " + std::to_string(i) + " has more bytes in the file than in memory");
    if (auto ok = image.require(s.offset, s.file_bytes, "ELF segment " + std::to_string(i)); !ok) return ok.error();
    segments.push_back(s);
  }
  if (segments.empty()) return image.bad("it has no loadable ELF segment");
  return segments;
}

std::optional<std::uint32_t> physical_entry(std::uint64_t entry, const std::vector<Segment>& segments) {
  for (const Segment& s : segments) {
    if (entry >= s.physical_address && entry - s.physical_address < s.memory_bytes) return static_cast<std::uint32_t>(entry);
  }
  for (const Segment& s : segments) {
    if (entry >= s.virtual_address && entry - s.virtual_address < s.memory_bytes) {
      return static_cast<std::uint32_t>(s.physical_address + (entry - s.virtual_address));
    }
  }
  return std::nullopt;
}

}  // namespace

bool is_elf(const ImageView& image) { return image.contains(0, 4) && image.u32(0) == kElfMagic; }

Result<std::uint32_t> place_elf(const ImageView& image, RamPlan& ram, std::vector<Placement>& placements) {
  if (auto ok = check_header(image); !ok) return ok.error();
  const auto segments = read_segments(image);
  if (!segments) return segments.error();
  for (const Segment& s : *segments) {
    if (auto ok = ram.claim("a segment of " + image.name(), s.physical_address, s.memory_bytes); !ok) return ok.error();
    if (s.file_bytes != 0) {
      placements.emplace_back(static_cast<std::uint32_t>(s.physical_address), image.slice(s.offset, s.file_bytes));
    }
  }
  const auto entry = physical_entry(image.u32(24), *segments);
  if (!entry) return image.bad("its entry point " + hex(image.u32(24)) + " is in none of its segments");
  return *entry;
}

}  // namespace tuxarium::machine
