// The decoder on any bytes: a length of at most 15 that lies in the input, register numbers in range, and the same answer however many bytes
// follow the instruction.
#include <cstdint>
#include <cstdlib>
#include <span>

#include "cpu/instruction.hpp"

namespace {

using namespace tuxarium::cpu;

void require(bool condition) {
  if (!condition) std::abort();
}

void check(std::span<const std::uint8_t> bytes, bool code32, std::uint32_t features) {
  Instruction i;
  const DecodeStatus status = decode(bytes, code32, features, i);
  if (status != DecodeStatus::ok) return;
  require(i.length >= 1 && i.length <= kMaxInstructionLength && i.length <= bytes.size());
  require(i.row != nullptr && i.row->mnemonic != Mnemonic::invalid && (features & feature_bit(i.row->feature)) != 0);
  require(i.base <= 8 && i.index <= 8 && i.index != 4 && i.scale <= 3 && i.segment <= 5 && i.reg <= 7 && i.rm <= 7);
  require(i.operand_size == 2 || i.operand_size == 4);
  require(i.address_size == 2 || i.address_size == 4);
  Instruction again;
  require(decode(bytes.first(i.length), code32, features, again) == DecodeStatus::ok && again.length == i.length && again.row == i.row);
  require(decode(bytes.first(i.length - 1u), code32, features, again) != DecodeStatus::ok);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::uint32_t features = (data[0] & 2) != 0 ? ~0u : feature_bit(Feature::base) | data[1];
  const std::span<const std::uint8_t> bytes{data + 2, size - 2};
  for (std::size_t at = 0; at < bytes.size(); ++at) check(bytes.subspan(at), (data[0] & 1) != 0, features);
  return 0;
}
