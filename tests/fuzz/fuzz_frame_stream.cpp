// The stream of a server taken apart into frames. The input's first byte says how it is cut; what comes out must not depend on that, every frame
// has a possible size, and after any input the stream is found again.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <span>
#include <vector>

#include "wire/frame_stream.hpp"

namespace {

using Frames = std::vector<std::vector<std::byte>>;
using tuxarium::wire::FrameAssembler;

void feed(FrameAssembler& assembler, std::span<const std::byte> data, Frames& frames) {
  assembler.feed(data, [&](std::span<const std::byte> frame) {
    if (frame.size() < tuxarium::wire::kMinFrame || frame.size() > tuxarium::wire::kMaxFrame) std::abort();
    frames.emplace_back(frame.begin(), frame.end());
  });
}

/// An ARP frame behind its length.
std::vector<std::byte> good_record() {
  std::vector<std::byte> record(2 + 60);
  record[1] = std::byte{60};
  record[8] = std::byte{2};
  record[14] = std::byte{8};
  record[15] = std::byte{6};
  return record;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto bytes = std::as_bytes(std::span{data + 1, size - 1});
  FrameAssembler whole, cut;
  Frames from_whole, from_cut;
  feed(whole, bytes, from_whole);
  std::mt19937 random{data[0]};
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t count = std::min<std::size_t>(bytes.size() - at, 1 + random() % (1 + data[0]));
    feed(cut, bytes.subspan(at, count), from_cut);
    at += count;
  }
  if (from_whole != from_cut || whole.skipped() != cut.skipped() || whole.lost() != cut.lost()) std::abort();

  // The longest wrong frame swallows some of these.
  const auto record = good_record();
  for (std::size_t fed = 0; fed < 3 * tuxarium::wire::kMaxFrame; fed += record.size()) feed(whole, record, from_whole);
  if (whole.lost() || from_whole.empty() || !std::equal(record.begin() + 2, record.end(), from_whole.back().begin(), from_whole.back().end())) std::abort();
  return 0;
}
