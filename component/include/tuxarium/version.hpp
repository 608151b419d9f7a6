// Version of the library, for the preprocessor and for people.
#pragma once

#define TUXARIUM_VERSION_MAJOR 0
#define TUXARIUM_VERSION_MINOR 1
#define TUXARIUM_VERSION_PATCH 0
#define TUXARIUM_VERSION_NUM 100  // MAJOR * 10000 + MINOR * 100 + PATCH
#define TUXARIUM_VERSION "0.1.0"
