// Charts as SVG with titles, axes and units: curves, points, parallel coordinates, heat maps, bars.
// Each function returns the markup of a figure.
#pragma once
#include <limits>
#include <string>
#include <vector>

namespace sluice::tools {

struct Axis {
  std::string label;                                      ///< with its unit
  bool whole = false;                                     ///< no ticks between whole numbers
  double most = std::numeric_limits<double>::infinity();  ///< upper bound of the axis
  /// The axis may be logarithmic if the highest value is at least this many times the lowest.
  double wide = 30;

  // Not for heat maps and bars. Set if the ends of the axis are known beforehand:
  double low = 0, high = low;           ///< equal: the ends follow from the data
  bool logarithmic = false;             ///< between `low` and `high`
  std::vector<double> ticks = {};       ///< between `low` and `high`; empty: chosen by rule
  std::vector<std::string> names = {};  ///< names of 0, 1, ..., in place of numbers
  bool has_range() const { return high > low || !names.empty(); }
};

/// A curve or points. Values that are not finite are left out; a curve has a gap there.
struct Series {
  std::string name;  ///< in the legend; empty: not in the legend
  std::vector<double> x, y;
  int color = 1;  ///< 1 to series_colors
  bool points = false;
  bool faint = false;
};

/// A vertical line through the chart at x.
struct Mark {
  std::string name;
  double x;
};

struct LineChart {
  std::string title;  ///< describes the values in the chart
  Axis x, y;
  std::vector<Series> series;
  std::vector<Mark> marks = {};
  std::string note = {};
  bool logarithmic = false;  ///< y; only if all values are above 0 and spread wide enough
  bool square = false;       ///< both axes have the same range, and the diagonal is drawn
};
std::string line_chart(const LineChart& chart);

struct HeatMap {
  std::string title = {};
  Axis x = {}, y = {};
  std::size_t rows = 0, columns = 0;
  std::vector<double> values = {};  ///< [rows][columns], the first row on top
  std::vector<std::string> row_names = {},
                           column_names = {};  ///< empty: columns are numbered from `first`
  std::vector<std::string> texts = {};         ///< [rows][columns] text in the cells; empty: none
  /// Of the colors. If low < 0: from blue through nothing to orange, and low = -high.
  double low = 0, high = 1;
  std::string note = {};
  double first = 1;     ///< number of the first column
  double each = 1;      ///< number of steps in a column
  bool square = false;  ///< square cells, for a grid whose rows and columns have the same meaning
};
std::string heat_map(const HeatMap& map);

/// Bars side by side, a group for each row.
struct Bars {
  std::string title;
  Axis x;
  std::vector<std::string> rows = {}, series = {};
  std::vector<double> values = {};  ///< [rows][series]; NaN: no bar
  std::string note = {};
};
std::string bar_chart(const Bars& bars);

/// Points of one kind, which may be joined by a line. Values that are not finite are left out.
struct Points {
  enum Shape { dot, ring, cross, winner, none };
  std::string name = {};  ///< in the legend; empty: not in the legend
  std::vector<double> x = {}, y = {};
  Shape shape = dot;
  int color = 1;
  std::vector<double> error = {};  ///< length of the error bar in both directions; empty: none
  bool joined = false;             ///< joined by a line, in the order given
  bool valueless = false;          ///< the points have no y and are drawn above the chart
};

/// Colors behind the points, over the whole chart.
struct Background {
  std::size_t rows = 0, columns = 0;
  std::vector<double> shares;  ///< [rows][columns] in [0, 1], the first row on top
  std::string low, high;       ///< meaning of 0 and 1
};

struct Scatter {
  std::string title;
  Axis x, y;
  std::vector<Points> series;
  std::vector<Mark> marks = {};
  std::string note = {};
  Background ground = {};
};
std::string scatter(const Scatter& chart);

/// Parallel coordinates. The axes are horizontal, one below the other, so that any number of them
/// is readable on any screen.
struct Parallel {
  std::string title;
  std::vector<Axis> axes;  ///< must have ranges
  /// [lines][axes] NaN: the line has no value there and passes at the left.
  std::vector<std::vector<double>> lines;
  std::vector<double> shares;  ///< [lines] color, in [0, 1]; the highest is drawn on top
  std::size_t winner = 0;      ///< index of the winner's line
  std::string low, high;       ///< meaning of 0 and 1
  std::string note = {};
};
std::string parallel_coordinates(const Parallel& chart);

/// Returns fewer points that look the same: the lowest and the highest of every stretch of x.
Series thinned(const Series& series, std::size_t stretches);

}  // namespace sluice::tools
