#include "wire/frame_stream.hpp"

#include <random>
#include <vector>

#include <doctest/doctest.h>

#include "unit/wire/frame_record.hpp"

namespace tuxarium::wire {
namespace {

using Bytes = std::vector<std::byte>;

/// A frame of `size` bytes from station `station` that carries IPv4.
Bytes frame_of(std::size_t size, std::uint8_t station) {
  Bytes frame(size, std::byte{station});
  for (std::size_t i = 0; i < 6; ++i) frame[i] = std::byte{0xff};
  frame[6] = std::byte{0x02};
  frame[12] = std::byte{0x08};
  frame[13] = std::byte{0x00};
  return frame;
}

void append(Bytes& stream, const Bytes& frame) {
  const Bytes record = test::record_of(frame);
  stream.insert(stream.end(), record.begin(), record.end());
}

std::vector<Bytes> frames_in(FrameAssembler& assembler, std::span<const std::byte> stream, std::size_t chunk) {
  std::vector<Bytes> frames;
  while (!stream.empty()) {
    const std::size_t count = std::min(chunk, stream.size());
    assembler.feed(stream.first(count), [&](std::span<const std::byte> frame) { frames.emplace_back(frame.begin(), frame.end()); });
    stream = stream.subspan(count);
  }
  return frames;
}

TEST_CASE("frame stream: whole frames whatever the chunks") {
  Bytes stream;
  std::vector<Bytes> sent;
  for (const std::size_t size : {14, 60, 1514, 1522, 15, 256}) {
    sent.push_back(frame_of(size, static_cast<std::uint8_t>(size)));
    append(stream, sent.back());
  }
  for (const std::size_t chunk : {1u, 2u, 3u, 7u, 16u, 1000u, 100000u}) {
    CAPTURE(chunk);
    FrameAssembler assembler;
    CHECK(frames_in(assembler, stream, chunk) == sent);
    CHECK(assembler.frames() == sent.size());
    CHECK(assembler.skipped() == 0);
    CHECK_FALSE(assembler.partial());
  }
}

TEST_CASE("frame stream: a frame of any protocol passes while the place is known") {
  Bytes odd(60, std::byte{0xff});
  Bytes stream;
  append(stream, odd);
  FrameAssembler assembler;
  CHECK(frames_in(assembler, stream, 60) == std::vector<Bytes>{odd});
}

TEST_CASE("frame stream: goes on after a wrong length") {
  const Bytes good = frame_of(60, 3);
  for (const std::size_t garbage : {1u, 2u, 3u, 13u, 14u, 15u, 16u, 17u, 500u}) {
    for (const std::size_t chunk : {1u, 5u, 4096u}) {
      CAPTURE(garbage);
      CAPTURE(chunk);
      Bytes stream(garbage, std::byte{0});
      append(stream, good);
      append(stream, good);
      FrameAssembler assembler;
      const auto frames = frames_in(assembler, stream, chunk);
      REQUIRE(!frames.empty());
      CHECK(frames.back() == good);
      CHECK_FALSE(assembler.lost());
    }
  }
}

TEST_CASE("frame stream: lost bytes cost the frames around them and no more") {
  std::mt19937 random{20261123};
  Bytes stream;
  constexpr int kFrames = 400;
  std::vector<std::size_t> starts;
  for (int i = 0; i < kFrames; ++i) {
    starts.push_back(stream.size());
    Bytes frame = frame_of(60 + random() % 1400, static_cast<std::uint8_t>(i));
    for (std::size_t k = 14; k < frame.size(); ++k) frame[k] = std::byte(random() & 0xff);
    append(stream, frame);
  }
  // From the middle of frame 100 some bytes are gone.
  const auto hole = stream.begin() + static_cast<std::ptrdiff_t>(starts[100] + 30);
  stream.erase(hole, hole + 20);
  FrameAssembler assembler;
  const auto frames = frames_in(assembler, stream, 512);
  CHECK(frames.size() >= kFrames - 3);
  CHECK(frames.back().size() == stream.size() + 20 - starts.back() - kLengthBytes);
}

TEST_CASE("frame stream: any bytes at all") {
  std::mt19937 random{7};
  FrameAssembler assembler;
  std::size_t largest = 0;
  for (int round = 0; round < 2000; ++round) {
    Bytes chunk(random() % 300);
    for (std::byte& b : chunk) b = std::byte(random() & (round % 3 == 0 ? 0x07 : 0xff));
    assembler.feed(chunk, [&](std::span<const std::byte> frame) {
      largest = std::max(largest, frame.size());
      CHECK(frame.size() >= kMinFrame);
    });
  }
  CHECK(largest <= kMaxFrame);
}

}  // namespace
}  // namespace tuxarium::wire
