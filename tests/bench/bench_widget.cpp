// CPU time of one frame with a terminal that changes completely in every frame, beside a frame with an empty window. No window system, no
// GPU: from NewFrame() to the end of Render(). Also: how fast the terminal takes in a flood.
// Usage: bench_widget [frames]
#include <imgui.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <tuxarium_imgui/terminal_widget.hpp>

namespace {

using tuxarium::imgui::TerminalOptions;
using tuxarium::imgui::TerminalWidget;

double cpu_microseconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_nsec) / 1e3;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Median over `frames`; `before` is not counted.
double frame_cost(int frames, const std::function<void(int)>& before, const std::function<void()>& contents) {
  std::vector<double> costs;
  for (int i = 0; i < frames; ++i) {
    before(i);
    const double start = cpu_microseconds();
    ImGui::NewFrame();
    ImGui::SetNextWindowPos({0, 0});
    ImGui::SetNextWindowSize(ImGui::GetIO().DisplaySize);
    ImGui::Begin("bench", nullptr, ImGuiWindowFlags_NoTitleBar);
    contents();
    ImGui::End();
    ImGui::Render();
    if (i >= frames / 10) costs.push_back(cpu_microseconds() - start);
  }
  return median(std::move(costs));
}

void feed(TerminalWidget& terminal, const std::string& bytes) { terminal.feed(std::as_bytes(std::span{bytes})); }

// A screen full of characters; with `colours`, each in other colours than its neighbour, which is the most there can be to draw.
std::string full_screen(int columns, int rows, int round, bool colours) {
  std::string all = "\x1b[m\x1b[H";
  for (int r = 0; r < rows; ++r) {
    for (int c = 0; c < columns; ++c) {
      const int n = r * 7 + c + round;
      if (colours) all += "\x1b[" + std::to_string(30 + n % 8) + ";" + std::to_string(40 + (n + 3) % 8) + "m";
      all += static_cast<char>('!' + n % 90);
    }
    if (r + 1 < rows) all += "\r\n";
  }
  return all;
}

void bench_redraw(int frames, int columns, int rows, bool colours) {
  TerminalOptions options;
  options.grid = {.columns = columns, .rows = rows};
  TerminalWidget terminal{options};
  const std::string screens[2] = {full_screen(columns, rows, 0, colours), full_screen(columns, rows, 1, colours)};
  const double cost = frame_cost(frames, [&](int i) { feed(terminal, screens[i % 2]); }, [&] { terminal.draw("terminal"); });
  std::printf("%3dx%-3d full redraw, %-21s %8.1f us a frame, %6d vertices\n", columns, rows,
              colours ? "colours in every cell" : "plain text", cost, ImGui::GetDrawData()->TotalVtxCount);
}

void bench_flood(const char* name, const std::string& piece) {
  TerminalWidget terminal;
  for (int i = 0; i < 12'000; ++i) feed(terminal, "fill the scrollback\r\n");
  constexpr std::size_t kBytes = 64u << 20;
  const double start = cpu_microseconds();
  for (std::size_t done = 0; done < kBytes; done += piece.size()) feed(terminal, piece);
  std::printf("%-34s %8.1f MB/s\n", name, static_cast<double>(kBytes) / (cpu_microseconds() - start));
}

}  // namespace

int main(int argc, char** argv) {
  const int frames = argc > 1 ? std::max(20, std::atoi(argv[1])) : 1000;
  ImGui::CreateContext();
  ImGuiIO& io = ImGui::GetIO();
  io.IniFilename = nullptr;
  io.DisplaySize = {1920, 1080};
  io.DeltaTime = 1.0f / 60;
  io.BackendFlags |= ImGuiBackendFlags_RendererHasVtxOffset;
  unsigned char* pixels = nullptr;
  int width = 0, height = 0;
  io.Fonts->GetTexDataAsRGBA32(&pixels, &width, &height);

  std::printf("empty window                        %12.1f us a frame\n", frame_cost(frames, [](int) {}, [] {}));
  bench_redraw(frames, 80, 30, false);
  bench_redraw(frames, 80, 30, true);
  bench_redraw(frames, 200, 60, false);
  bench_redraw(frames, 200, 60, true);

  std::string yes, listing;
  while (yes.size() < 4096) yes += "y\r\n";
  while (listing.size() < 4096) listing += "-rw-r--r--    1 root     root         1234 \x1b[1;34mname\x1b[0m\r\n";
  bench_flood("flood: yes", yes);
  bench_flood("flood: coloured listing", listing);
  ImGui::DestroyContext();
  return 0;
}
