// Rates over time as lines, drawn with what a draw list has.
#pragma once

#include <span>

#include <tuxarium_imgui/style.hpp>

#include "imgui_compat.hpp"
#include "text_line.hpp"
#include "traffic_history.hpp"

namespace tuxarium::imgui {

struct PlotLine {
  const char* name;
  TrafficHistory::Series series;
  Rgba color;
};

/// Puts a rate a second into words.
using RateWords = TextLine (*)(float rate);

/// A plot over the window's remaining width, `height` pixels high, with its title and the latest rates in it; the mouse shows those of a moment.
void draw_rate_plot(const char* title, std::span<const PlotLine> lines, const TrafficHistory& history, RateWords words, float height);

}  // namespace tuxarium::imgui
