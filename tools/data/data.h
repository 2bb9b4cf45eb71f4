// Sequences from a file, as training and evaluation want them. A file becomes Rows (csv.cpp, npz.cpp), Rows become a DataSet.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::tools {

/// Which column is what. In a .npz these are names of arrays, but for features (array "x", columns named x0, x1, ...).
struct Columns {
  std::string sequence;             ///< names a frame's sequence; rows of one stand together. Empty: the file is one sequence
  std::vector<std::string> target;  ///< one for classes, one or more for values
  bool classes = true;              ///< targets are classes, else values
  bool per_row = false;             ///< one target a row, where an empty cell is masked; else one a sequence
  std::vector<std::string> ignore;  ///< not features
  std::string group;                ///< rows with the same value stay on one side of a split; empty: none
};

/// What a file must hold because a model, or the training file, says so. Empty lists: learned from this file.
struct Expected {
  std::vector<std::string> features;  ///< picked by name, in this order; by position where the names are x0, x1, ...
  std::vector<std::string> labels;    ///< classes
  bool targets = true;                ///< false: target columns are passed over where there are any, and need not be there
};

/// A file's rows, not yet sequences. Texts stand as the file writes them.
struct Rows {
  std::string file;
  std::vector<std::string> feature_names;
  std::vector<float> x;               ///< [rows][features]
  std::vector<std::string> sequence;  ///< [rows]
  std::vector<std::string> label;     ///< [rows], classes only; empty is masked
  std::vector<float> value;           ///< [rows][targets], values only; NaN is masked
  std::vector<std::string> group;     ///< [rows], or empty
  std::vector<std::size_t> line;      ///< [rows] in the file, from 1; empty where a file has no lines
  std::size_t rows = 0;
};

struct DataSet {
  std::vector<std::string> feature_names;
  std::vector<std::string> labels;  ///< names of the classes, or of the values
  bool classes = true, per_row = false;
  std::vector<float> x;              ///< [rows][features]
  std::vector<std::size_t> first;    ///< [sequences + 1] first row of each sequence, then rows
  std::vector<std::int32_t> target;  ///< [sequences] or [rows], classes only; -1 is masked
  std::vector<float> value;          ///< [sequences][outputs] or [rows][outputs], values only; NaN is masked
  std::vector<std::string> names;    ///< [sequences]
  std::vector<std::string> group;    ///< [sequences], or empty

  std::size_t features() const { return feature_names.size(); }
  std::size_t outputs() const { return labels.size(); }
  std::size_t sequences() const { return first.empty() ? 0 : first.size() - 1; }
  std::size_t steps(std::size_t sequence) const { return first[sequence + 1] - first[sequence]; }
  const float* frames(std::size_t sequence) const { return x.data() + first[sequence] * features(); }
  /// Where a sequence's targets begin, in units of one target, and how many it has.
  std::size_t target_begin(std::size_t sequence) const { return per_row ? first[sequence] : sequence; }
  std::size_t targets(std::size_t sequence) const { return per_row ? steps(sequence) : 1; }
};

/// Reads .npz by that ending, anything else as CSV. All bad input is refused (exit code 2) with file, line and column.
DataSet read_data(const std::string& path, const Columns& columns, const Expected& expected = {});

/// A file's rows alone, for a command that needs no sequences of targets.
Rows read_rows(const std::string& path, const Columns& columns, const Expected& expected = {});
Rows read_csv(std::string_view text, const std::string& file, const Columns& columns, const Expected& expected);
Rows read_npz(std::string_view bytes, const std::string& file, const Columns& columns, const Expected& expected);

/// Rows to sequences: checks that a sequence's rows stand together, and gives classes their numbers. Takes what it can of rows.
DataSet assemble(Rows rows, const Columns& columns, const Expected& expected);

/// Whether any of these sequences has a target that is not masked.
bool has_target(const DataSet& data, std::span<const std::size_t> sequences);

/// All sequences: 0, 1, 2, ...
std::vector<std::size_t> all_sequences(const DataSet& data);

/// "data.csv:12" or "data.npz: row 11": where a row stands, for messages.
std::string place(const Rows& rows, std::size_t row);

/// FNV-1a (64 bits) over everything that training sees of a data set: numbers, targets and names, not paths.
std::uint64_t data_hash(const DataSet& data);

/// Sequences held out of a data set: about `share` of them, stratified by class where a sequence has one, groups kept together,
/// at least one sequence of each class left for training. Both lists ascend. Empty `held_out`: none could be.
struct Split {
  std::vector<std::size_t> train, held_out;
};
Split split(const DataSet& data, double share, std::uint64_t seed);

/// Mean and 1 / standard deviation (population) of each feature over all frames of these sequences. A constant feature gets
/// scale 1, and so becomes 0.
struct Standardization {
  std::vector<float> mean, scale;  ///< [features]
};
Standardization standardization(const DataSet& data, std::span<const std::size_t> sequences);

}  // namespace sluice::tools
