// Version of the Dear ImGui frontend, for the preprocessor and for people.
#pragma once

#define TUXARIUM_IMGUI_VERSION_NUM 100  // MAJOR * 10000 + MINOR * 100 + PATCH
#define TUXARIUM_IMGUI_VERSION "0.1.0"
