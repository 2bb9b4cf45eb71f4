#include "style.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace sluice::tools {
namespace {

using Rgb = std::array<double, 3>;

/// Blue below zero and orange above it: colors that everybody can distinguish, unlike red and
/// green.
struct Theme {
  const char* plain;
  std::array<const char*, series_colors> series;
  std::vector<Rgb> amount, difference;  ///< stops at equal distances
};

const Theme& light() {
  static const Theme theme{
      "--paper:#ffffff;--ink:#16191d;--soft:#555d66;--rule:#d5dae0;--grid:#e9ecef;--card:#fbfbfc;--"
      "accent:#0b4f8a;",
      {"#0b4f8a", "#d9650f", "#1f7a5c", "#a03a86", "#56a0d3", "#7a6500", "#8a8f96", "#16191d"},
      {{247, 247, 245}, {158, 198, 222}, {44, 110, 158}, {8, 42, 77}},
      {{10, 54, 112}, {92, 148, 200}, {247, 247, 245}, {236, 150, 90}, {150, 52, 6}}};
  return theme;
}

const Theme& dark() {
  static const Theme theme{
      "--paper:#15181c;--ink:#e8eaed;--soft:#a3abb5;--rule:#3a4048;--grid:#272c33;--card:#1a1e23;--"
      "accent:#8cc0ff;",
      {"#8cc0ff", "#f08436", "#86e3c0", "#e58fd0", "#3f86c0", "#d8c14a", "#8a919a", "#f2f4f6"},
      {{29, 33, 38}, {24, 66, 98}, {74, 154, 196}, {228, 244, 255}},
      {{150, 202, 255}, {48, 108, 164}, {29, 33, 38}, {178, 88, 34}, {255, 186, 132}}};
  return theme;
}

std::string mixed(const std::vector<Rgb>& stops, double at) {
  const double place = at * double(stops.size() - 1);
  const std::size_t i = std::min(std::size_t(place), stops.size() - 2);
  const auto channel = [&](std::size_t k) {
    return int(
        std::floor(stops[i][k] + (place - double(i)) * (stops[i + 1][k] - stops[i][k]) + 0.5));
  };
  return fmt::format("#{:02x}{:02x}{:02x}", channel(0), channel(1), channel(2));
}

std::string variables(const Theme& theme) {
  std::string css = theme.plain;
  for (int i = 0; i < series_colors; ++i)
    css += fmt::format("--s{}:{};", i + 1, theme.series[std::size_t(i)]);
  for (int i = 0; i < amount_levels; ++i)
    css += fmt::format("--q{}:{};", i, mixed(theme.amount, double(i) / (amount_levels - 1)));
  for (int i = 0; i < signed_levels; ++i)
    css += fmt::format("--d{}:{};", i, mixed(theme.difference, double(i) / (signed_levels - 1)));
  return css;
}

constexpr const char* rules = R"css(* { box-sizing: border-box; }
html { color-scheme: light dark; -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 24px 20px 60px; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; line-height: 1.25; margin: 44px 0 10px; padding-top: 12px; border-top: 1px solid var(--rule); overflow-wrap: anywhere; }
h3 { font-size: 1.05rem; margin: 28px 0 8px; overflow-wrap: anywhere; }
p { margin: 8px 0; max-width: 76ch; overflow-wrap: anywhere; }
.lead { color: var(--soft); margin: 0 0 14px; }
.missing { border-left: 3px solid var(--s2); padding: 2px 0 2px 12px; }
.note { color: var(--soft); font-size: .85rem; line-height: 1.4; margin: 6px 0 0; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 230px), 1fr)); gap: 10px; margin: 16px 0; padding: 0; }
.facts div { border: 1px solid var(--rule); border-radius: 6px; background: var(--card); padding: 10px 14px; }
.facts dt { color: var(--soft); font-size: .85rem; }
.facts dd { margin: 0; font-size: 1.2rem; font-weight: 600; overflow-wrap: anywhere; }
.facts dd small { display: block; font-size: .85rem; font-weight: 400; color: var(--soft); }
.next { border-left: 3px solid var(--accent); padding: 2px 0 2px 12px; }
code { font: .92em ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
.wide { overflow-x: auto; margin: 10px 0; }
table { width: max-content; border-collapse: collapse; font-size: .92rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 4px 14px 4px 0; border-bottom: 1px solid var(--grid); vertical-align: top; max-width: 34ch; overflow-wrap: break-word; }
th { color: var(--soft); font-weight: 600; border-bottom-color: var(--rule); vertical-align: bottom; }
th.n, td.n { text-align: right; white-space: nowrap; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 430px), 1fr)); gap: 16px; margin: 14px 0; }
figure { margin: 0; min-width: 0; border: 1px solid var(--rule); border-radius: 6px; background: var(--card); padding: 12px 14px; }
figcaption { font-weight: 600; line-height: 1.35; margin-bottom: 4px; overflow-wrap: anywhere; }
.keys { display: flex; flex-wrap: wrap; gap: 2px 16px; font-size: .85rem; color: var(--ink); margin: 0 0 4px; }
.keys span { overflow-wrap: anywhere; }
.swatch { width: 26px; height: 9px; margin-right: 6px; }
svg.chart { display: block; width: 100%; max-width: 640px; height: auto; }
svg text { font-family: system-ui, -apple-system, "Segoe UI", sans-serif; font-size: 12px; fill: var(--ink); font-variant-numeric: tabular-nums; }
svg .tick { fill: var(--soft); }
svg .end { text-anchor: end; }
svg .mid { text-anchor: middle; }
svg .on { fill: var(--paper); }
svg .grid { stroke: var(--grid); fill: none; }
svg .axis { stroke: var(--soft); fill: none; }
svg .mark { stroke: var(--soft); stroke-dasharray: 2 3; fill: none; }
svg .line { fill: none; stroke-width: 1.8; stroke-linejoin: round; stroke-linecap: round; }
svg .faint { stroke-width: 1.1; stroke-opacity: .75; }
svg .dots { fill: none; stroke-width: 4; stroke-linecap: round; stroke-opacity: .55; }
svg .shape { fill: none; stroke-width: 1.4; }
svg .winner { fill: none; stroke-width: 2.4; }
svg .errors { fill: none; stroke-width: 1.2; }
svg .rail { stroke: var(--soft); fill: none; }
svg .thread { fill: none; stroke-width: 1.3; stroke-opacity: .8; stroke-linejoin: round; }
svg .solid { stroke-opacity: 1; }
svg .under { fill: none; stroke: var(--card); stroke-width: 7; stroke-linecap: round; }
svg .over { paint-order: stroke; stroke: var(--card); stroke-width: 4; stroke-linejoin: round; }
svg .node { fill: var(--paper); stroke: var(--rule); stroke-width: 1.2; }
svg .head { stroke: var(--ink); stroke-width: 1.8; }
svg .wire { fill: none; stroke-width: 1.4; }
svg .step { fill: none; stroke: var(--soft); stroke-width: 1.4; }
svg .tip { fill: var(--soft); }
svg .cut { fill: none; stroke: var(--card); stroke-width: 4.5; }
svg .cells { shape-rendering: crispEdges; }
.words { line-height: 2; font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .9rem; overflow-wrap: anywhere; white-space: pre-wrap; margin: 8px 0; }
.words span { padding: 2px 0; -webkit-print-color-adjust: exact; print-color-adjust: exact; }
.words .on { color: var(--paper); }
@media (max-width: 520px) {
  main { padding: 16px 12px 40px; }
  figure { padding: 10px 8px; }
  svg text { font-size: 14px; }
  th, td { padding-right: 10px; }
}
@media print {
  html { color-scheme: light; font-size: 12px; }
  main { max-width: none; padding: 0; }
  figure, tr, .facts div { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  .charts { grid-template-columns: 1fr 1fr; gap: 10px; }
  .wide { overflow: visible; }
  table { width: auto; }
  body { font-size: 1rem; }
}
)css";

int level(double value, int levels) {
  return std::clamp(int(std::floor(value * (levels - 1) + 0.5)), 0, levels - 1);
}

}  // namespace

int amount_level(double share) { return level(share, amount_levels); }
std::string amount_class(double share) { return fmt::format("q{}", amount_level(share)); }
std::string signed_class(double value) {
  return fmt::format("d{}", level((value + 1) / 2, signed_levels));
}
bool is_strong(double share) { return amount_level(share) > amount_levels / 2; }

std::string style_sheet() {
  constexpr std::array dashes = {"", "7 3", "2 3", "9 3 2 3", "", "7 3", "2 3", "9 3 2 3"};
  std::string css = fmt::format(
      ":root {{ {} }}\n@media screen and (prefers-color-scheme: dark) {{ :root {{ {} }} }}\n",
      variables(light()), variables(dark()));
  css += rules;
  for (int i = 0; i < series_colors; ++i) {
    const std::string dash = dashes[std::size_t(i)];
    css += fmt::format(
        ".s{0} {{ stroke: var(--s{0}); }} .b{0} {{ fill: var(--s{0}); }}{1}\n", i + 1,
        dash.empty() ? "" : fmt::format(" .line.s{} {{ stroke-dasharray: {}; }}", i + 1, dash));
  }
  for (int i = 0; i < amount_levels; ++i)
    css += fmt::format(
        ".q{0} {{ fill: var(--q{0}); background: var(--q{0}); }} .thread.q{0} {{ fill: none; "
        "stroke: var(--q{0}); background: "
        "none; }}\n",
        i);
  for (int i = 0; i < signed_levels; ++i) css += fmt::format(".d{0} {{ fill: var(--d{0}); }}\n", i);
  return css;
}

}  // namespace sluice::tools
