#include "net/frame_queue.hpp"

#include <random>
#include <thread>

#include <doctest/doctest.h>

namespace tuxarium::net {
namespace {

using Bytes = std::vector<std::byte>;

TEST_CASE("frame queue: frames come out as they went in") {
  FrameQueue queue{4096};
  std::mt19937 random{1};
  Bytes out(2000);
  bool was_empty = false;
  for (int round = 0; round < 500; ++round) {
    const Bytes a(1 + random() % 1522, std::byte(round & 0xff)), b(1 + random() % 1522, std::byte(~round & 0xff));
    REQUIRE(queue.push(a, &was_empty));
    CHECK(was_empty);
    REQUIRE(queue.push(b, &was_empty));
    CHECK_FALSE(was_empty);
    REQUIRE(queue.pop(out) == a.size());
    CHECK(std::equal(a.begin(), a.end(), out.begin()));
    REQUIRE(queue.pop(out) == b.size());
    CHECK(std::equal(b.begin(), b.end(), out.begin()));
    CHECK(queue.pop(out) == 0);
  }
}

TEST_CASE("frame queue: a frame that does not fit is refused") {
  FrameQueue queue{4096};
  const Bytes frame(2000, std::byte{1});
  CHECK(queue.push(frame));
  CHECK(queue.push(frame));
  CHECK_FALSE(queue.push(frame));
  CHECK(queue.push(Bytes(90, std::byte{2})));
  CHECK(queue.clear() == 3);
  CHECK(queue.empty());
}

TEST_CASE("frame queue: between two threads") {
  FrameQueue queue{8192};
  constexpr std::uint32_t kFrames = 20'000;
  std::thread writer{[&] {
    for (std::uint32_t i = 0; i < kFrames;) {
      const Bytes frame(1 + i % 1500, std::byte(i & 0xff));
      if (queue.push(frame)) {
        ++i;
      } else {
        std::this_thread::yield();
      }
    }
  }};
  Bytes out(2000);
  bool right = true;
  for (std::uint32_t i = 0; i < kFrames;) {
    const std::size_t size = queue.pop(out);
    if (size == 0) {
      std::this_thread::yield();
      continue;
    }
    right = right && size == 1 + i % 1500 && out[0] == std::byte(i & 0xff) && out[size - 1] == std::byte(i & 0xff);
    ++i;
  }
  writer.join();
  CHECK(right);
}

}  // namespace
}  // namespace tuxarium::net
