// Five bodies under gravity, in double precision on the x87: additions, multiplications, a square root and a division for each pair.

#include "workloads.hpp"

namespace guest {

namespace {

struct Body {
  double x, y, z, vx, vy, vz, mass;
};

/// Round numbers of the size of the sun and its four large planets, in units of distance, year and mass that suit them.
constexpr Body kBodies[5] = {
    {0, 0, 0, 0, 0, 0, 39.5},
    {4.84, -1.16, -0.104, 0.606, 2.81, -0.0252, 0.0377},
    {8.34, 4.12, -0.404, -1.01, 1.82, 0.00842, 0.0113},
    {12.9, -15.1, -0.223, 1.08, 0.869, -0.0108, 0.00172},
    {15.4, -25.9, 0.179, 0.979, 0.595, -0.0348, 0.00203},
};

double root(double value) {
  asm("fsqrt" : "+t"(value));
  return value;
}

void advance(Body (&body)[5], double dt) {
  for (int i = 0; i < 5; ++i) {
    for (int j = i + 1; j < 5; ++j) {
      const double dx = body[i].x - body[j].x, dy = body[i].y - body[j].y, dz = body[i].z - body[j].z;
      const double square = dx * dx + dy * dy + dz * dz;
      const double magnitude = dt / (square * root(square));
      body[i].vx -= dx * body[j].mass * magnitude;
      body[i].vy -= dy * body[j].mass * magnitude;
      body[i].vz -= dz * body[j].mass * magnitude;
      body[j].vx += dx * body[i].mass * magnitude;
      body[j].vy += dy * body[i].mass * magnitude;
      body[j].vz += dz * body[i].mass * magnitude;
    }
  }
  for (Body& b : body) {
    b.x += dt * b.vx;
    b.y += dt * b.vy;
    b.z += dt * b.vz;
  }
}

}  // namespace

uint32_t x87_nbody() {
  Body body[5];
  for (int i = 0; i < 5; ++i) body[i] = kBodies[i];
  for (int i = 0; i < 60'000; ++i) advance(body, 0.01);
  return crc32(reinterpret_cast<const uint8_t*>(body), sizeof(body));
}

}  // namespace guest
