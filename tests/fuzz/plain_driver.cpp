// Runs a fuzz target without libFuzzer: COUNT random inputs from SEED. Every run with the same arguments gives the same inputs.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr std::size_t kMostBytes = 4096;

std::vector<std::uint8_t> random_input(std::uint64_t seed) {
  std::mt19937_64 random{seed};
  std::vector<std::uint8_t> input(random() % (kMostBytes + 1));
  for (std::uint8_t& byte : input) byte = static_cast<std::uint8_t>(random());
  return input;
}

}  // namespace

int main(int argc, char** argv) {
  const unsigned long count = argc > 1 ? std::strtoul(argv[1], nullptr, 0) : 100;
  const std::uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 0) : 1;
  std::printf("%lu inputs, seed %llu\n", count, static_cast<unsigned long long>(seed));
  for (unsigned long i = 0; i < count; ++i) {
    // One line at a time, so that a crash leaves the number of its input.
    if (i % 50 == 0) std::printf("from input %lu\n", i);
    std::fflush(stdout);
    const std::vector<std::uint8_t> input = random_input(seed * 1'000'003 + i);
    LLVMFuzzerTestOneInput(input.data(), input.size());
  }
  std::printf("done\n");
  return 0;
}
