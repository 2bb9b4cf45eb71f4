// Sequences from a file for training and evaluation. csv.cpp, npz.cpp, tsv.cpp and text.cpp read
// files into Rows or tokens; a DataSet is made of these.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sluice_train.h"
#include "vocabulary.h"

namespace sluice::tools {

enum class Format {
  table,  ///< CSV, or NumPy's .npz if the name ends so
  text,   ///< one long stream of tokens; the target of each is the next token
  tsv,    ///< one text per line, with its target
  wide,   ///< CSV with one row per sequence: the columns of a feature are its steps
  ucr,    ///< the UCR archive's text: one row per sequence, its class first, no header
  ts,     ///< sktime's .ts: one row per sequence, several dimensions, its class last
  arff,   ///< Weka's ARFF: one row per sequence, as in the UCR archive
};

/// What stands in place of a missing number of a feature.
enum class Fill {
  refuse,    ///< nothing: the file is refused
  previous,  ///< the value of the frame before; at the begin of a sequence the mean
  mean,      ///< the mean over the training rows
};

/// Where the class of a file's rows is said.
enum class TargetFrom {
  column,  ///< in a column
  file,    ///< in the file's name
  folder,  ///< in the name of the file's folder
};

/// How a table is read. What is empty is found out from the file.
struct Dialect {
  std::string separator = {};  ///< one character; a blank stands for any number of blanks and tabs
  std::string decimal = {};    ///< "." or ","
  /// Begin of a line that is no data; "auto": lines with '#' that do not have a row's cells.
  std::string comment = "auto";
  std::size_t skip_rows = 0;                ///< lines before the header that are no data
  std::vector<std::string> missing = {""};  ///< cells of numbers that mean a missing value
  Fill fill = Fill::refuse;
};

/// Rows [first, end) of a file, counted from 0; both 0: no range is given.
struct RowRange {
  std::size_t first = 0, end = 0;
  bool empty() const { return end == 0; }
};

/// Which row of a window tells its class: its last one, or the class of most of its rows; of
/// equally frequent classes the one that comes last.
enum class WindowClass { last, majority };

/// Which part of the training file is held out for validation.
enum class ValidationOrder {
  random,  ///< whole sequences, drawn by the seed
  time,    ///< the last share of a series, of the rows of each sequence, or of the sequences
};

/// How a series in time order (a table of rows or a stream of tokens) becomes sequences, and how
/// rows are held out.
struct Windows {
  std::size_t length = 0, stride = 1, horizon = 1;  ///< of a table; length 0: no windows
  WindowClass window_class = WindowClass::last;     ///< if targets are classes
  ValidationOrder order = ValidationOrder::time;
  bool difference = false;  ///< targets are the difference from the window's last row
  /// Inputs of validation and test windows may begin in the part before; targets never do.
  bool reach_back = false;
  double validation = 0;  ///< the share that is held out, if no ranges are given
  RowRange part[3];       ///< of the training file: training, validation, test
  RowRange only;          ///< of any other file; empty: all rows
};

/// A part of an answer that has a loss of its own, and columns of values that are its targets.
struct Head {
  std::string name;
  sluice_loss loss = SLUICE_MSE;
  double weight = 1;  ///< of its loss in the sum that is minimized
  double huber_delta = 1;
  std::size_t outputs = 1;  ///< numbers of the answer
  /// Columns of its targets: of cross entropy one, the class's number; else one for each output.
  std::size_t columns() const { return loss == SLUICE_CROSS_ENTROPY ? 1 : outputs; }
};

/// The use of each column. In a .npz these are names of arrays, except for features (array "x",
/// columns named x0, x1, ...).
struct Columns {
  /// Names the sequence of each frame; the rows of a sequence must be adjacent. Empty: the file is
  /// one sequence.
  std::string sequence;
  std::vector<std::string> target;  ///< one name for classes, one or more for values
  bool classes = true;              ///< targets are classes; false: values
  /// one target per row, masked if its cell is empty; false: one per sequence
  bool per_row = false;
  std::vector<std::string> ignore;  ///< columns that are not features
  /// Rows with the same value stay on one side of a split; empty: none. For texts also
  /// "containment".
  std::string group;
  /// The only features; empty: every column without another use.
  std::vector<std::string> features = {};
  Format format = Format::table;
  std::string text = {};  ///< column of the text in a TSV file
  TokenRules tokens = {false, false};
  /// The vocabulary was not limited, so a character that a model does not know is refused.
  bool every_character = false;
  std::size_t max_steps = 0;  ///< longer sequences are cut; 0: no limit
  bool cut_front = false;     ///< cuts the beginning of a sequence instead of its end
  Windows windows = {};
  bool differences = false;               ///< the network reads differences of features
  std::vector<std::string> changes = {};  ///< features whose differences are targets
  std::vector<Head> heads = {};  ///< of an answer in several parts; targets are values then, the
                                 ///< columns of all heads side by side
  Dialect dialect = {};
  TargetFrom target_from = TargetFrom::column;
  std::string time = {};                        ///< column of times; empty: none
  std::vector<std::string> time_features = {};  ///< "hour", "weekday", "yearday"
  /// A table without the column `sequence` is one sequence, named by its file.
  bool file_is_sequence = false;
  bool sequence_named = false;  ///< the recipe gives `sequence` another name than the default one
  /// [features] of a trained model: the means that stand for missing values; else empty
  std::vector<float> fill_means = {};
  /// Columns of any use whose cells are kept as text, to stand beside the answers; a file may lack
  /// them.
  std::vector<std::string> beside = {};
};

/// value of Columns::group that is not a column
constexpr const char* containment = "containment";

/// The contents that a file must have, from a model or from the training file. Empty lists are
/// learned from this file.
struct Expected {
  /// Selected by name, in this order; by position if the names are x0, x1, ...
  std::vector<std::string> features;
  std::vector<std::string> labels;  ///< names of the classes
  /// If false, target columns are ignored and may be missing.
  bool targets = true;
  Tokens tokens = {};  ///< of a model that reads text
  /// If true, columns that are not among the features are ignored; if false, they are refused.
  bool other_columns = false;
  bool chosen = false;  ///< the recipe chose the features among the columns (data.features)
  /// [features] 1 / deviation in the training data of the features, or of their differences if the
  /// network reads these; empty: unknown
  std::vector<float> scales = {};
  /// If true, the rows are divided into training, validation and test, as those of the training
  /// file are.
  bool divide = false;
  bool learning() const { return features.empty(); }
  bool divides() const { return learning() || divide; }
};

/// A file's rows before they are grouped into sequences. Texts are as in the file.
struct Rows {
  std::string file;
  std::vector<std::string> feature_names;
  std::vector<float> x;  ///< [rows][features]
  /// [rows][features] the file's numbers minus x; empty: x has all of them exactly, or this is
  /// unknown
  std::vector<float> rest = {};
  std::vector<std::string> sequence;   ///< [rows]
  std::vector<std::string> label;      ///< [rows], classes only; empty is masked
  std::vector<float> value;            ///< [rows][targets], values only; NaN is masked
  std::vector<float> value_rest = {};  ///< [rows][targets] of value, as `rest` is of x
  /// [targets] names of the targets if one array has several; empty: those of the columns
  std::vector<std::string> value_names = {};
  std::vector<std::string> group;  ///< [rows], or empty
  std::vector<std::string> text;   ///< [rows] in place of x, of a TSV file
  /// [columns.beside][rows] cells as in the file; those of a column that the file lacks are empty
  /// lists.
  std::vector<std::vector<std::string>> beside;
  /// [rows] line in the file, from 1; empty if the file has no lines
  std::vector<std::size_t> line;
  std::size_t rows = 0;
  std::string read_as = {};  ///< how the file differs from plain CSV; empty: it does not
  /// Adds a number to x or to `value`.
  /// @param exact  as the file has it
  void add_number(float number, double exact) { add(x, rest, number, exact); }
  void add_value(float number, double exact) { add(value, value_rest, number, exact); }
  /// Of rows from several files: the first row of each file and its name.
  std::vector<std::pair<std::size_t, std::string>> files = {};
  bool file_is_sequence = false;  ///< a file without a column of sequences is one
  std::vector<double> time = {};  ///< [rows], or empty
  std::string time_column = {};
  bool calendar = false;  ///< times are seconds since 1970

 private:
  static void add(std::vector<float>& to, std::vector<float>& rest, float number, double exact) {
    const double left = exact - double(number);  // NaN if the number is missing
    to.push_back(number);
    if (rest.empty() && (left == 0 || left != left)) return;
    rest.resize(to.size());
    if (left == left) rest.back() = float(left);
  }
};

/// The units of values: value = mean + deviation * standardized value.
struct Units {
  std::vector<double> mean, deviation;  ///< [outputs]; empty: values are not standardized
  bool empty() const { return deviation.empty(); }
};

struct DataSet {
  std::vector<std::string> feature_names;  ///< for text just "id"
  std::vector<std::string> labels;         ///< names of the classes, or of the values
  bool classes = true, per_row = false;
  std::vector<float> x;            ///< [rows][features]
  std::vector<std::int32_t> ids;   ///< [rows] in place of x, for text
  Tokens tokens;                   ///< the tokens of these ids
  std::vector<std::size_t> first;  ///< [sequences + 1] first row of each sequence, then rows
  std::size_t window = 0;  ///< if not 0, every sequence has this many rows, and sequences overlap
  std::vector<std::int32_t> target;  ///< [sequences] or [rows], classes only; -1 is masked
  /// Values only; NaN is masked. [sequences][outputs] or [rows][outputs]; for windows the columns
  /// of the targets in every row of the series, [rows][columns], which all windows share.
  /// value_at() finds the targets of each.
  std::vector<float> value;
  std::vector<std::string> names;  ///< [sequences]
  std::vector<std::string> group;  ///< [sequences], or empty
  /// [sequences] The part of each sequence if the parts are in time order: 0 training, 1
  /// validation, 2 test; else empty.
  std::vector<std::uint8_t> part;
  /// Of windows: the rows that statistics are computed from, each once.
  std::vector<RowRange> fit;
  std::vector<std::size_t>
      series;                 ///< of windows: [series + 1] first row of each series, then rows
  std::size_t too_short = 0;  ///< number of series in which a part holds no window
  std::size_t cut = 0;        ///< number of sequences that lost rows to max_steps
  /// [rows][features] Whether a number of x stands in the place of a missing one; empty: none does.
  /// Rows that are appended for validation are not in it.
  std::vector<std::uint8_t> filled;
  std::vector<std::string> missing;  ///< the cells that mean a missing value
  /// [sequences] Whether another piece of the same sequence comes before this one; empty: no.
  std::vector<std::uint8_t> goes_on;

  // For windows only:
  std::size_t horizon = 1;  ///< rows after a window that are its targets
  /// Whether a target is the difference from the window's last row. `value` has the rows
  /// themselves.
  bool difference = false;
  bool standardized = false;  ///< whether value_at() standardizes these differences
  Units units;

  std::vector<float> own;  ///< if `value` is in standardized units: the original values

  std::vector<Head> heads;  ///< of an answer in several parts; labels are then names of columns

  bool file_is_sequence = false;  ///< each file without a column of sequences is one
  std::string read_as;  ///< how the file differs from plain CSV, as it was found out; or empty
  /// [features] the means that stand for missing values, if data.fill needs them
  std::vector<float> fill_means;

  /// [columns.beside][rows] or, for text, [columns.beside][sequences]: cells as in the file
  std::vector<std::vector<std::string>> beside;

  std::size_t features() const { return feature_names.size(); }
  std::size_t outputs() const { return labels.size(); }
  std::size_t sequences() const { return first.empty() ? 0 : first.size() - 1; }
  std::size_t steps(std::size_t sequence) const {
    return window ? window : first[sequence + 1] - first[sequence];
  }
  bool is_text() const { return !ids.empty(); }
  bool begins(std::size_t sequence) const { return goes_on.empty() || !goes_on[sequence]; }
  const float* frames(std::size_t sequence) const {
    return x.data() + first[sequence] * features();
  }
  /// Returns where a sequence's targets begin, counted in targets, and how many it has.
  std::size_t target_begin(std::size_t sequence) const {
    return per_row ? first[sequence] : sequence;
  }
  std::size_t targets(std::size_t sequence) const { return per_row ? steps(sequence) : 1; }
  /// Returns where the outputs() numbers of a target begin in `value`. For differences they are the
  /// rows that these are computed from.
  std::size_t value_begin(std::size_t target) const {
    return window ? (first[target] + window) * value_columns() : target * outputs();
  }
  std::size_t value_columns() const { return window ? outputs() / horizon : outputs(); }
  /// Returns number k of a target, in the units of `value`.
  float value_at(std::size_t target, std::size_t k) const {
    const float number = value[value_begin(target) + k];
    if (!difference) return number;
    const float change = number - last_at(target, k);
    return standardized ? float((double(change) - units.mean[k]) / units.deviation[k]) : change;
  }
  /// Returns the value in the last row of a window, in the units of the data.
  float last_at(std::size_t target, std::size_t k) const {
    const std::vector<float>& original = own.empty() ? value : own;
    return original[value_begin(target) - value_columns() + k % value_columns()];
  }
};

/// Reads a file, or all files of a text of names (files.h), in the format that `columns` gives. The
/// vocabulary of a text holds all tokens of the file until learn_vocabulary(). Windows of a
/// training file know their parts. Refuses all bad input (exit code 2) with file, line and column.
DataSet read_data(const std::string& path, const Columns& columns, const Expected& expected = {});

/// Returns a file's bytes, inflated if gzip has compressed them.
std::string read_data_file(const std::string& path);

/// Says in one line which features of these rows have missing values, and how many.
void tell_missing(const Rows& rows, const Columns& columns);
/// Puts the value of the frame before in the place of each missing one. A sequence that begins with
/// missing values keeps these.
void fill_previous(DataSet& data);
/// Returns the mean of each feature over the values that are there in these sequences. Refuses a
/// feature without any; `file` is the training data.
std::vector<float> present_means(const DataSet& data, std::span<const std::size_t> train,
                                 const std::string& file);
/// Puts the means in the place of missing values; without means, does nothing.
void fill_means(DataSet& data, const std::vector<float>& means);

/// Reads the rows of a file, or of all files of a text of names, alone. The sequences of several
/// files have the names of their files.
Rows read_rows(const std::string& path, const Columns& columns, const Expected& expected = {});

/// Reads the rows of a file in one format; `file` is its name.
using RowReader = Rows(std::string_view text, const std::string& file, const Columns& columns,
                       const Expected& expected);
RowReader read_csv, read_npz, read_npy, read_tsv, read_wide, read_ucr, read_ts, read_arff;

/// Returns whether a file of this format holds texts.
bool holds_texts(Format format);
/// Returns whether each row of such a file is a sequence of frames.
bool row_is_sequence(Format format);

/// Reads one stream of tokens, each with the next token as its target, as one sequence. A training
/// file becomes one sequence per part.
DataSet read_stream(std::string_view text, const std::string& file, const Columns& columns,
                    const Expected& expected);

/// Turns each row's text into the tokens of its sequence.
void add_tokens(const Rows& rows, const Columns& columns, const Expected& expected, DataSet& data);

/// Renumbers the tokens by their frequency in these sequences, most frequent first, and keeps at
/// most `limit` of them; 0 keeps all. Refuses data that nothing can be learned from; `file` is the
/// training data.
void learn_vocabulary(DataSet& data, std::span<const std::size_t> train, std::size_t limit,
                      const std::string& file);

/// Returns the parts of a file of this many rows in time order: training, then validation and test
/// if they exist. Refuses ranges that overlap or leave the file.
std::vector<RowRange> parts_of(const Windows& windows, std::size_t rows, bool learning,
                               const std::string& file);

/// Sequences held out of a data set: about `share` of them, stratified by class if a sequence has
/// one. Groups stay together, and at least one sequence of each class remains for training. Both
/// lists ascend. `held_out` is empty if no sequence could be held out.
struct Split {
  std::vector<std::size_t> train, held_out;
  std::vector<std::size_t> test = {};  ///< of a series in time order
};

/// Holds rows out of a table in time order, if the columns say so: sequences are cut where a part
/// ends. Rows outside every part are dropped.
void hold_out_rows(DataSet& data, const Columns& columns, const Expected& expected,
                   const std::string& file);

/// Fills in the rows that statistics are computed from, and the units of the targets, once the
/// series to train on are known.
void fit_series(DataSet& data, std::span<const std::size_t> train);

/// Returns the class of a window by the classes of its rows, of which -1 is none; -1 if it has
/// none.
std::int32_t class_of_window(std::span<const std::int32_t> rows, WindowClass which,
                             std::size_t classes);

/// Adds the sequences of another file as the validation part.
void append_validation(DataSet& data, Split& split, DataSet validation);

/// Cuts each sequence, a series whose features are columns of numbers, into windows. The rows after
/// a window are its targets; if these are classes, the rows of the window.
DataSet cut_windows(DataSet rows, const Columns& columns, const Expected& expected,
                    const std::string& file);

/// Groups rows into sequences: checks that the rows of a sequence are adjacent, and numbers the
/// classes. Moves its parts out of `rows`.
DataSet assemble(Rows rows, const Columns& columns, const Expected& expected);

/// Refuses (exit code 2) a feature or a target much of whose variation, or that of its differences
/// if these are computed, is lost in float32, as that of Unix times is. In the data of a model
/// whose scales are known, only a loss that counts beside the deviation of its training data is
/// refused.
/// @param first  [sequences + 1] first row of each sequence, then rows
void check_precision(const Rows& rows, const Columns& columns, const Expected& expected,
                     std::span<const std::size_t> first);

/// Refuses (exit code 2) a value that is no target of its head: a class's number that is none, or a
/// target of the binary loss outside 0 to 1.
void check_heads(const Rows& rows, const Columns& columns);

/// Returns the targets of one head as a data set of their own, without frames. Targets of cross
/// entropy are classes, which are called by their numbers. So are those of a binary head with one
/// output, if all of them are 0 or 1.
DataSet head_targets(const DataSet& data, std::size_t head);

/// Returns a name for each number of an answer to this data: its labels; of heads "vad" for a head
/// with one output, else "tone.pitch", by column, or "digit.3", by class.
std::vector<std::string> output_names(const DataSet& data);

/// Whether any of these sequences has a target that is not masked.
bool has_target(const DataSet& data, std::span<const std::size_t> sequences);

/// Returns the numbers of all sequences: 0, 1, 2, ...
std::vector<std::size_t> all_sequences(const DataSet& data);

/// Returns the place of a row for messages: "data.csv:12" or "data.npz: row 11".
std::string place(const Rows& rows, std::size_t row);

/// Drops rows of sequences that are longer than columns.max_steps.
void cut_long(DataSet& data, const Columns& columns);

/// Returns the group of each text: the number of the longest text that contains its tokens in a
/// row, and of equally long ones the first.
std::vector<std::size_t> containment_groups(std::span<const std::int32_t> ids,
                                            std::span<const std::size_t> first);

/// Returns FNV-1a (64 bits) over everything in a data set that affects training: numbers, targets
/// and names, but not paths.
std::uint64_t data_hash(const DataSet& data);

/// Holds out about `share` of the sequences that have a target. Data whose parts are in time order
/// is split by these parts, whatever the share.
Split split(const DataSet& data, double share, std::uint64_t seed);

/// Returns the sequences of every group; without groups, each sequence by itself.
std::vector<std::vector<std::size_t>> groups_of(const DataSet& data);

/// Returns `folds` splits in which every sequence is held out once. Classes are spread as evenly as
/// the groups, which stay together, allow. A repeat has other folds.
std::vector<Split> k_folds(const DataSet& data, std::size_t folds, std::uint64_t seed,
                           std::uint32_t repeat);

/// Divides the sequences, in the order of the file, into folds + 1 blocks. Each block except the
/// first is held out after training on all blocks before it.
std::vector<Split> time_folds(const DataSet& data, std::size_t folds);

/// Mean and 1 / standard deviation (population) of each feature over all frames of these sequences.
/// A constant feature gets scale 1 and thus becomes 0.
struct Standardization {
  std::vector<float> mean, scale;  ///< [features]
};
/// Computes them.
/// @param differences  whether to take the differences of each frame from the one before it, which
/// are 0 for the first frame of a sequence
Standardization standardization(const DataSet& data, std::span<const std::size_t> sequences,
                                bool differences = false);

/// Converts values to units of their standard deviation over the training sequences (for windows,
/// over their rows), and back.
/// @param given  the units to take; empty: those of the training data
void standardize_targets(DataSet& data, std::span<const std::size_t> train,
                         const Units& given = {});
void restore_targets(DataSet& data);

/// Cuts the training sequences into pieces of at most `steps` rows, each a sequence of its own.
/// Every row has its target.
void cut_pieces(DataSet& data, Split& split, std::size_t steps);

/// Orders an epoch's shuffled sequences into batches of similar length: sorts them by length within
/// each run of 64 batches (equal lengths keep their order), then shuffles the full batches. A last
/// batch that is not full stays last.
void bucket(std::vector<std::size_t>& order, const DataSet& data, std::size_t batch,
            std::uint64_t seed, std::uint32_t epoch);

}  // namespace sluice::tools
