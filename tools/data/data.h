// Sequences from a file, as training and evaluation want them. A file becomes Rows (csv.cpp,
// npz.cpp), Rows become a DataSet.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sluice_train.h"
#include "vocabulary.h"

namespace sluice::tools {

enum class Format {
  table,  ///< CSV; NumPy's where the name ends in .npz
  text,   ///< one long stream of tokens: each one's target is the next
  tsv,    ///< a text a line, with its target
};

/// Rows [first, end) of a file, from 0; both 0: none said.
struct RowRange {
  std::size_t first = 0, end = 0;
  bool empty() const { return end == 0; }
};

/// How a series in time order, a table of rows or a stream of tokens, becomes sequences.
struct Windows {
  std::size_t length = 0, stride = 1, horizon = 1;  ///< of a table; length 0: it is no series
  bool difference = false;  ///< targets are the difference from the window's last row
  bool reach_back =
      false;  ///< inputs of validation and test may begin in the part before; targets never do
  double validation = 0;  ///< the last share of the rows, where no ranges are said
  RowRange part[3];       ///< of the training file: training, validation, test
  RowRange only;          ///< of any other file; empty: all of it
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

/// Which column is what. In a .npz these are names of arrays, but for features (array "x", columns
/// named x0, x1, ...).
struct Columns {
  std::string sequence;  ///< names a frame's sequence; rows of one stand together. Empty: the file
                         ///< is one sequence
  std::vector<std::string> target;  ///< one for classes, one or more for values
  bool classes = true;              ///< targets are classes, else values
  bool per_row = false;  ///< one target a row, where an empty cell is masked; else one a sequence
  std::vector<std::string> ignore;  ///< not features
  std::string group;  ///< rows with the same value stay on one side of a split; empty: none. Of
                      ///< texts also "containment"
  std::vector<std::string> features =
      {};  ///< the only ones; empty: every column without another use
  Format format = Format::table;
  std::string text = {};  ///< of a TSV file
  TokenRules tokens = {false, false};
  bool every_character =
      false;  ///< the vocabulary was not limited: a character that a model does not know is refused
  std::size_t max_steps = 0;  ///< longer sequences are cut; 0: none
  bool cut_front = false;     ///< their beginning goes, not their end
  Windows windows = {};
  std::vector<Head> heads = {};  ///< of an answer in several parts; targets are values then, the
                                 ///< columns of all heads side by side
};

constexpr const char* containment = "containment";  ///< in place of a group's column

/// What a file must hold because a model, or the training file, says so. Empty lists: learned from
/// this file.
struct Expected {
  std::vector<std::string>
      features;  ///< picked by name, in this order; by position where the names are x0, x1, ...
  std::vector<std::string> labels;  ///< classes
  bool targets =
      true;  ///< false: target columns are passed over where there are any, and need not be there
  Tokens tokens = {};  ///< of a model that reads text
  bool learning() const { return features.empty(); }
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
  std::vector<std::string> text;      ///< [rows] in place of x, of a TSV file
  std::vector<std::size_t> line;  ///< [rows] in the file, from 1; empty where a file has no lines
  std::size_t rows = 0;
};

/// What values are measured in: value = mean + deviation * standardized one.
struct Units {
  std::vector<double> mean, deviation;  ///< [outputs]; empty: their own
  bool empty() const { return deviation.empty(); }
};

struct DataSet {
  std::vector<std::string> feature_names;  ///< of text "id"
  std::vector<std::string> labels;         ///< names of the classes, or of the values
  bool classes = true, per_row = false;
  std::vector<float> x;            ///< [rows][features]
  std::vector<std::int32_t> ids;   ///< [rows] in place of x, of text
  Tokens tokens;                   ///< what they stand for
  std::vector<std::size_t> first;  ///< [sequences + 1] first row of each sequence, then rows
  std::size_t window = 0;  ///< where not 0, every sequence has so many rows, and they overlap
  std::vector<std::int32_t> target;  ///< [sequences] or [rows], classes only; -1 is masked
  std::vector<float>
      value;  ///< [sequences][outputs] or [rows][outputs], values only; NaN is masked
  std::vector<std::string> names;  ///< [sequences]
  std::vector<std::string> group;  ///< [sequences], or empty
  std::vector<std::uint8_t> part;  ///< [sequences] of what is parted in time order: training 0,
                                   ///< validation 1, test 2; else empty
  RowRange fit;                    ///< of a series, the rows that statistics come from
  std::size_t cut = 0;             ///< sequences that lost rows to max_steps
  std::vector<std::uint8_t>
      goes_on;  ///< [sequences] whether it is a piece that another one comes before; empty: none

  // Of windows:
  std::vector<float> last;  ///< [sequences][outputs] what a value was in the window's last row
  bool difference = false;  ///< value is the difference from it
  Units units;

  std::vector<float> own;  ///< where value is in standardized units: what it was

  std::vector<Head> heads;  ///< of an answer in several parts; labels are then names of columns

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
  /// Where a sequence's targets begin, in units of one target, and how many it has.
  std::size_t target_begin(std::size_t sequence) const {
    return per_row ? first[sequence] : sequence;
  }
  std::size_t targets(std::size_t sequence) const { return per_row ? steps(sequence) : 1; }
};

/// Reads what columns.format says; a table's .npz by that ending, any other table as CSV. A text's
/// vocabulary is all that the file holds, until learn_vocabulary; a series' windows know their
/// parts where it is the training file. All bad input is refused (exit code 2) with file, line and
/// column.
DataSet read_data(const std::string& path, const Columns& columns, const Expected& expected = {});

/// A file's rows alone, for a command that needs no sequences of targets.
Rows read_rows(const std::string& path, const Columns& columns, const Expected& expected = {});
Rows read_csv(std::string_view text, const std::string& file, const Columns& columns,
              const Expected& expected);
Rows read_npz(std::string_view bytes, const std::string& file, const Columns& columns,
              const Expected& expected);
Rows read_tsv(std::string_view text, const std::string& file, const Columns& columns,
              const Expected& expected);

/// One stream of tokens, each with the next one as its target: a sequence, or in the training file
/// one a part.
DataSet read_stream(std::string_view text, const std::string& file, const Columns& columns,
                    const Expected& expected);

/// Each row's text becomes the tokens of its sequence.
void add_tokens(const Rows& rows, const Columns& columns, const Expected& expected, DataSet& data);

/// Numbers the tokens anew by what these sequences hold, most frequent first; 0 keeps all. Refused
/// where nothing can be learned from them; `file` is the training data.
void learn_vocabulary(DataSet& data, std::span<const std::size_t> train, std::size_t limit,
                      const std::string& file);

/// The parts of a file of so many rows in time order, first training, then validation and test
/// where there are any. Refused where ranges overlap or leave the file.
std::vector<RowRange> parts_of(const Windows& windows, std::size_t rows, bool learning,
                               const std::string& file);

/// One series, each of its features a column of numbers, as windows: the rows after each are its
/// targets.
DataSet cut_windows(DataSet rows, const Columns& columns, const Expected& expected,
                    const std::string& file);

/// Rows to sequences: checks that a sequence's rows stand together, and gives classes their
/// numbers. Takes what it can of rows.
DataSet assemble(Rows rows, const Columns& columns, const Expected& expected);

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

/// All sequences: 0, 1, 2, ...
std::vector<std::size_t> all_sequences(const DataSet& data);

/// "data.csv:12" or "data.npz: row 11": where a row stands, for messages.
std::string place(const Rows& rows, std::size_t row);

/// Drops rows of sequences longer than columns.max_steps.
void cut_long(DataSet& data, const Columns& columns);

/// Groups of texts where each belongs to the longest that holds its tokens in a row, of equally
/// long ones to the first: that one's number.
std::vector<std::size_t> containment_groups(std::span<const std::int32_t> ids,
                                            std::span<const std::size_t> first);

/// FNV-1a (64 bits) over everything that training sees of a data set: numbers, targets and names,
/// not paths.
std::uint64_t data_hash(const DataSet& data);

/// Sequences held out of a data set: about `share` of them, stratified by class where a sequence
/// has one, groups kept together, at least one sequence of each class left for training. Both lists
/// ascend. Empty `held_out`: none could be.
struct Split {
  std::vector<std::size_t> train, held_out;
  std::vector<std::size_t> test = {};  ///< of a series in time order
};
/// What is parted in time order is split so, whatever the share.
Split split(const DataSet& data, double share, std::uint64_t seed);

/// The sequences of every group; where there are none, each by itself.
std::vector<std::vector<std::size_t>> groups_of(const DataSet& data);

/// So many splits, in which every sequence is held out once: classes of sequences spread as evenly
/// as groups, which stay together, allow. A repeat has other folds.
std::vector<Split> k_folds(const DataSet& data, std::size_t folds, std::uint64_t seed,
                           std::uint32_t repeat);

/// The sequences as the file has them, in folds + 1 blocks: each but the first is held out, after
/// training on all before it.
std::vector<Split> time_folds(const DataSet& data, std::size_t folds);

/// Mean and 1 / standard deviation (population) of each feature over all frames of these sequences.
/// A constant feature gets scale 1, and so becomes 0.
struct Standardization {
  std::vector<float> mean, scale;  ///< [features]
};
/// @param differences  of how far each frame is from the one before it; 0 for a sequence's first
Standardization standardization(const DataSet& data, std::span<const std::size_t> sequences,
                                bool differences = false);

/// Values from here on in units of their deviation, by the training sequences (of windows, rows);
/// and back.
void standardize_targets(DataSet& data, std::span<const std::size_t> train);
void restore_targets(DataSet& data);

/// Cuts the sequences trained on into pieces of at most `steps` rows, each a sequence of its own.
/// Every row has its target.
void cut_pieces(DataSet& data, Split& split, std::size_t steps);

/// Puts an epoch's shuffled order into batches of similar length: sorted by length inside each run
/// of 64 batches, ties as they were, then the full batches shuffled. A last batch that is not full
/// stays last.
void bucket(std::vector<std::size_t>& order, const DataSet& data, std::size_t batch,
            std::uint64_t seed, std::uint32_t epoch);

}  // namespace sluice::tools
