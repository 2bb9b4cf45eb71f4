// Charts as SVG with titles, axes and units: curves, points, parallel coordinates, heat maps, bars.
// Each function gives a figure's markup.
#pragma once
#include <limits>
#include <string>
#include <vector>

namespace sluice::tools {

struct Axis {
  std::string label;                                      ///< with its unit
  bool whole = false;                                     ///< no ticks between whole numbers
  double most = std::numeric_limits<double>::infinity();  ///< no axis goes beyond it
  /// where it may be logarithmic: it is from values on that spread so many times
  double wide = 30;

  // Not of heat maps and bars: where the axis' ends are known beforehand.
  double low = 0, high = low;           ///< the same: over what is drawn
  bool logarithmic = false;             ///< between these ends
  std::vector<double> ticks = {};       ///< between them; empty: where they stand by rule
  std::vector<std::string> names = {};  ///< of 0, 1, ..., in place of numbers
  bool has_range() const { return high > low || !names.empty(); }
};

/// A curve, or points. What is not finite is left out, and a curve has a gap there.
struct Series {
  std::string name;  ///< in the legend; empty: not there
  std::vector<double> x, y;
  int color = 1;  ///< 1 to series_colors
  bool points = false;
  bool faint = false;
};

/// A line across the chart at x.
struct Mark {
  std::string name;
  double x;
};

struct LineChart {
  std::string title;  ///< says what one sees
  Axis x, y;
  std::vector<Series> series;
  std::vector<Mark> marks = {};
  std::string note = {};
  bool logarithmic = false;  ///< y, where all values are above 0 and spread wide enough
  bool square = false;       ///< both axes the same, with their diagonal
};
std::string line_chart(const LineChart& chart);

struct HeatMap {
  std::string title = {};
  Axis x = {}, y = {};
  std::size_t rows = 0, columns = 0;
  std::vector<double> values = {};  ///< [rows][columns], the first row on top
  std::vector<std::string> row_names = {},
                           column_names = {};  ///< empty: numbered, columns from `first`
  std::vector<std::string> texts = {};         ///< [rows][columns] in the cells; empty: none
  /// Of the colors. If low < 0: from blue through nothing to orange, and low = -high.
  double low = 0, high = 1;
  std::string note = {};
  double first = 1;     ///< number of the first column
  double each = 1;      ///< how many numbers a column stands for
  bool square = false;  ///< cells, of a grid whose rows are what its columns are
};
std::string heat_map(const HeatMap& map);

/// Bars side by side, a group a row.
struct Bars {
  std::string title;
  Axis x;
  std::vector<std::string> rows = {}, series = {};
  std::vector<double> values = {};  ///< [rows][series]; NaN: none
  std::string note = {};
};
std::string bar_chart(const Bars& bars);

/// Points of one kind, and what joins them. What is not finite is left out.
struct Points {
  enum Shape { dot, ring, cross, winner, none };
  std::string name = {};  ///< in the legend; empty: not there
  std::vector<double> x = {}, y = {};
  Shape shape = dot;
  int color = 1;
  std::vector<double> error = {};  ///< a bar so far up and down; empty: none
  bool joined = false;             ///< by a line, in the order given
  bool valueless = false;          ///< they have no y, and stand above the chart
};

/// Colors under points, over the whole chart.
struct Ground {
  std::size_t rows = 0, columns = 0;
  std::vector<double> shares;  ///< [rows][columns] in [0, 1], the first row on top
  std::string low, high;       ///< what 0 and 1 stand for
};

struct Scatter {
  std::string title;
  Axis x, y;
  std::vector<Points> series;
  std::vector<Mark> marks = {};
  std::string note = {};
  Ground ground = {};
};
std::string scatter(const Scatter& chart);

/// Parallel coordinates; the axes lie flat, one below the other, so that any number of them can be
/// read on any screen.
struct Parallel {
  std::string title;
  std::vector<Axis> axes;  ///< with their ranges
  /// [lines][axes]; NaN: the line has no place there, and passes at the left
  std::vector<std::vector<double>> lines;
  std::vector<double> shares;  ///< [lines] of the colors, in [0, 1]; the highest on top
  std::size_t winner = 0;      ///< of the lines
  std::string low, high;       ///< what 0 and 1 stand for
  std::string note = {};
};
std::string parallel_coordinates(const Parallel& chart);

/// Fewer points that look the same: of every stretch of x the lowest and the highest.
Series thinned(const Series& series, std::size_t stretches);

}  // namespace sluice::tools
