// A web server for the files of a folder, wrong on some requests by chance: `faulty_http_server FOLDER PERCENT SEED`. Prints its URL and
// runs until its stdin ends.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "faulty_server.hpp"

int main(int argc, char** argv) {
  using namespace tuxarium::net::test;
  if (argc != 4) return 2;
  FaultyServer::Files files;
  for (const auto& entry : std::filesystem::directory_iterator{argv[1]}) {
    std::ifstream file{entry.path(), std::ios::binary};
    files["/" + entry.path().filename().string()] = {std::istreambuf_iterator<char>{file}, {}};
  }
  const auto percent = std::strtoul(argv[2], nullptr, 10);
  std::mt19937 random{static_cast<std::mt19937::result_type>(std::strtoul(argv[3], nullptr, 10))};
  FaultyServer server{std::move(files), [&](const std::string& path) {
                        // Without its manifest a disk is another one.
                        if (!path.ends_with(".bin") || random() % 100 >= percent) return Fault::none;
                        return static_cast<Fault>(random() % kFaults);
                      }};
  std::printf("%s\n", server.url("/").c_str());
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  return 0;
}
