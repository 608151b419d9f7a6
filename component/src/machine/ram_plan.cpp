#include "machine/ram_plan.hpp"

#include <algorithm>
#include <cassert>
#include <cstdio>

namespace tuxarium::machine {

namespace {

constexpr std::uint64_t kAddressLimit = std::uint64_t{1} << 32;
constexpr std::uint32_t kFlatCode = 0x00c09b00, kFlatData = 0x00c09300;  // present, 32-bit, 4 KiB units, accessed
constexpr std::uint32_t kCr0ProtectionOn = 0x00000011;                   // PE, ET

void put(std::span<std::byte> image, std::size_t at, std::uint64_t value, std::size_t bytes) {
  assert(at + bytes <= image.size());
  for (std::size_t i = 0; i < bytes; ++i) image[at + i] = static_cast<std::byte>(value >> (8 * i) & 0xff);
}

std::string range(std::uint64_t first, std::uint64_t end) { return hex(first) + " to " + hex(end - 1); }

std::string mebibytes(std::uint64_t bytes) { return std::to_string((bytes + 0xfffff) >> 20) + " MiB"; }

std::string capitalized(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

}  // namespace

std::string hex(std::uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

const RamPlan::Claim* RamPlan::overlapping(std::uint64_t first, std::uint64_t end) const {
  const auto it = std::find_if(claims_.begin(), claims_.end(), [&](const Claim& c) { return first < c.end && c.first < end; });
  return it == claims_.end() ? nullptr : &*it;
}

Result<void> RamPlan::claim(const std::string& what, std::uint64_t address, std::uint64_t size) {
  if (size == 0) return {};
  if (address >= kAddressLimit || size > kAddressLimit - address) {
    return Error{ErrorCode::bad_image, capitalized(what) + " would end beyond the address " + hex(kAddressLimit - 1) + "."};
  }
  const std::uint64_t end = address + size;
  if (end > ram_bytes_) {
    return Error{ErrorCode::bad_image, capitalized(what) + " takes the addresses " + range(address, end) + " and so needs " +
                                           mebibytes(end) + " of RAM; the machine has " + std::to_string(ram_bytes_ >> 20) + " MiB."};
  }
  if (const Claim* other = overlapping(address, end)) {
    return Error{ErrorCode::bad_image, capitalized(what) + " (" + range(address, end) + ") overlaps " + other->what + " (" +
                                           range(other->first, other->end) + ")."};
  }
  claims_.push_back({what, address, end});
  return {};
}

Result<std::uint32_t> RamPlan::allocate(const std::string& what, std::uint64_t size, std::uint64_t alignment, std::uint64_t lowest,
                                        std::uint64_t end) {
  assert(size != 0);
  const std::uint64_t top = std::min({end, ram_bytes_, kAddressLimit});
  std::uint64_t first = (lowest + alignment - 1) & ~(alignment - 1);
  while (first < top && size <= top - first) {
    const Claim* other = overlapping(first, first + size);
    if (other == nullptr) {
      claims_.push_back({what, first, first + size});
      return static_cast<std::uint32_t>(first);
    }
    first = (other->end + alignment - 1) & ~(alignment - 1);
  }
  return Error{ErrorCode::bad_image, "There is no room for " + what + " (" + std::to_string(size) + " bytes) in the machine's " +
                                         std::to_string(ram_bytes_ >> 20) + " MiB of RAM; give it more."};
}

Result<std::vector<std::byte>> terminated_command_line(const std::string& text, std::size_t limit) {
  if (text.size() > limit) {
    return Error{ErrorCode::invalid_argument, "The kernel command line has " + std::to_string(text.size()) +
                                                  " bytes; this kernel takes at most " + std::to_string(limit) + "."};
  }
  if (text.find('\0') != std::string::npos) return Error{ErrorCode::invalid_argument, "The kernel command line has a NUL byte in it."};
  std::vector<std::byte> bytes(text.size() + 1);
  std::transform(text.begin(), text.end(), bytes.begin(), [](char c) { return static_cast<std::byte>(c); });
  return bytes;
}

void put16(std::span<std::byte> image, std::size_t at, std::uint16_t value) { put(image, at, value, 2); }
void put32(std::span<std::byte> image, std::size_t at, std::uint32_t value) { put(image, at, value, 4); }
void put64(std::span<std::byte> image, std::size_t at, std::uint64_t value) { put(image, at, value, 8); }

Registers flat_registers(std::uint16_t code_selector, std::uint16_t data_selector, std::uint32_t eip) {
  Registers r;
  for (SegmentView& segment : r.segment) segment = {data_selector, 0, 0xffffffff, kFlatData, true};
  r.segment[static_cast<std::size_t>(SegmentName::cs)] = {code_selector, 0, 0xffffffff, kFlatCode, true};
  r.ldtr = {0, 0, 0xffff, 0x8200, false};
  r.tr = {0, 0, 0xffff, 0x8b00, true};
  r.eip = eip;
  r.eflags = 2;
  r.cr0 = kCr0ProtectionOn;
  r.dr[6] = 0xffff0ff0;
  r.dr[7] = 0x00000400;
  return r;
}

}  // namespace tuxarium::machine
