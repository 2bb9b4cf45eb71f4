// Keys of the data and of its sequences. key.h describes a key.
#include "sections.h"

namespace sluice::tools {
namespace {

const Key table[] = {
    {.name = "data.train",
     .field = &R::train_file,
     .fallback = "",
     .noun = "a file name",
     .help = "Training data: CSV with one row per frame, NumPy .npz or .npy, or another "
             "data.format. An .npz has an array x of [frames][features], with the arrays of "
             "data.sequence and data.target beside it, or of [sequences][steps][features], with "
             "data.target of one number per sequence or per step, and the array lengths if "
             "sequences end early; the features are x0, x1, .... The columns of an .npy of two "
             "dimensions are x0, x1, ... too. A list, or a "
             "pattern such as \"gestures/*/*.csv\", gives several files, in the order of the list "
             "and of the names; a file without the column of data.sequence is one sequence then. "
             "Relative to --data-dir if that is given, else to the recipe's folder.",
     .file_name = true,
     .several = true,
     .measures = true},
    {.name = "data.validation_file",
     .field = &R::validation_file,
     .fallback = "\"\"",
     .noun = "a file name",
     .help = "Validation data in a file of its own, in place of a part of data.train. Empty for "
             "none. It may be several files. The winner of a study is not trained on it.",
     .file_name = true,
     .several = true,
     .measures = true},
    {.name = "data.test",
     .field = &R::test_file,
     .fallback = "\"\"",
     .noun = "a file name",
     .help = "Test data, evaluated once after training. Empty for none. It may be several files.",
     .file_name = true,
     .several = true,
     .measures = true},
    {.name = "data.format",
     .field = choice_field<&R::format>,
     .fallback = "\"table\"",
     .noun = "a format of data",
     .help = "Format of the data. table: one row per frame, CSV, or NumPy if the name ends in "
             ".npz; text: one long text in UTF-8, in which each token is predicted from the "
             "tokens before it (the inputs are ids, for an embedding); tsv: one text and its "
             "target per line, in cells separated by tabs, after a header; wide: one row per "
             "sequence, after a header: the columns of a feature are its steps, and columns with "
             "numbers such as ax_0, ax_1, ..., ay_0, ... belong to the features ax and ay and are "
             "taken in the order of these numbers (without numbers, in the order of the file); a "
             "sequence may end early with empty cells; ucr: the UCR "
             "archive's text: one row per sequence, its class first, no header; ts: sktime's .ts; "
             "arff: Weka's ARFF, one row per sequence. Any file may be compressed by gzip.",
     .measures = true},
    {.name = "data.separator",
     .field = &R::separator,
     .fallback = "\"auto\"",
     .noun = "a separator of cells",
     .help = "Separator of the cells of a table: a character such as \";\", \"tab\", or "
             "\"blanks\" for any number of blanks and tabs. auto: found out from each file.",
     .measures = true},
    {.name = "data.decimal",
     .field = choice_field<&R::decimal>,
     .fallback = "\"auto\"",
     .noun = "a decimal mark",
     .help = "Decimal mark of the numbers in a table. The other mark may then stand between groups "
             "of three digits: 1,198.50 or 1.198,50. auto: found out from each file.",
     .measures = true},
    {.name = "data.comment",
     .field = &R::comment,
     .fallback = "\"auto\"",
     .noun = "the begin of a comment",
     .help = "Lines of a table that begin with this text are passed over. Empty for none. auto: "
             "lines that begin with \"#\" before the header, and after it those that do not have "
             "a row's cells.",
     .measures = true},
    {.name = "data.skip_rows",
     .field = &R::skip_rows,
     .fallback = "0",
     .noun = "a number of lines",
     .help = "Number of lines at the begin of a table that are passed over, before its header.",
     .min = 0,
     .max = 1000000000,
     .measures = true},
    {.name = "data.missing",
     .field = &R::missing,
     .fallback = "[\"\", \"?\", \"NA\", \"N/A\", \"NaN\", \"nan\", \"null\", \"None\"]",
     .noun = "a list of texts",
     .help = "Cells that mean a missing value where a number is expected; a number such as "
             "\"-9999\" means every spelling of it. In NumPy's files these are the numbers of the "
             "list, and always NaN. data.fill says what becomes of a missing feature; a missing "
             "target of a row is masked. A class is missing only if its cell is empty.",
     .empty_items = true,
     .measures = true},
    {.name = "data.fill",
     .field = choice_field<&R::fill>,
     .fallback = "\"refuse\"",
     .noun = "a way to fill in missing values",
     .help =
         "Value in place of a missing feature. refuse: none, the file is refused; previous: the "
         "value of the frame before in the sequence, and at its begin the mean; mean: the mean "
         "of the feature over the training rows, which the model records. Of windows, missing "
         "values of target columns are filled with previous too, and masked with mean. A "
         "device must fill in the values of its frames by itself.",
     .measures = true},
    {.name = "data.sequence",
     .field = &R::sequence,
     .fallback = "\"sequence\"",
     .noun = "a column name",
     .help = "Column that names the sequence of each frame. The rows of a sequence must be "
             "adjacent. Empty: the whole file is one sequence. With data.window it is empty unless "
             "it is given; each sequence is then a series of its own, which no window leaves.",
     .measures = true},
    {.name = "data.target",
     .field = &R::target,
     .fallback = "\"label\"",
     .noun = "a column name",
     .help = "Column of the target; for values, a list may name several. If layers have a loss of "
             "their own, this lists the columns of all these layers, side by side in the order of "
             "the answer: one column for cross_entropy, with the number of the class from 0, and "
             "one for each output for any other loss.",
     .measures = true},
    {.name = "data.target_type",
     .field = choice_field<&R::target_type>,
     .fallback = "\"class\"",
     .noun = "a target type",
     .help = "Whether targets are classes or values. With data.window: values, unless this or "
             "data.window_class is given, or the last layer is a softmax.",
     .measures = true},
    {.name = "data.target_per",
     .field = choice_field<&R::target_per>,
     .fallback = "\"sequence\"",
     .noun = "a unit that has a target",
     .help = "Whether each sequence has one target, or each row has its own. With one per row, an "
             "empty cell masks the step.",
     .measures = true},
    {.name = "data.target_from",
     .field = choice_field<&R::target_from>,
     .fallback = "\"column\"",
     .noun = "a place of the target",
     .help = "Where the class of a file's sequences is said. column: in the column of data.target; "
             "folder: it is the name of the file's folder; file: it is the file's name without its "
             "ending and without a number at its end, so that circle_01.csv is \"circle\".",
     .measures = true},
    {.name = "data.time",
     .field = &R::time,
     .fallback = "\"\"",
     .noun = "a column name",
     .help = "Column of times, in ISO 8601 (also 20240504T230000) or as numbers. It is not a "
             "feature. Times that are not in "
             "order, are there twice or have gaps are told. Empty for none.",
     .measures = true},
    {.name = "data.time_features",
     .field = &R::time_features,
     .fallback = "[]",
     .noun = "a list of parts of a time",
     .help = "Features that are computed from data.time, each as sine and cosine of 2 pi times the "
             "share of its period, such as hour_sin and hour_cos. \"hour\": the time of the day / "
             "24 hours; \"weekday\": the days since Monday / 7; \"yearday\": the days since the "
             "first of January / 365.25. Times that are numbers count as seconds since 1970, or as "
             "milliseconds, microseconds or nanoseconds if they are too large for seconds. On a "
             "device the frame holds these numbers, which the firmware computes.",
     .measures = true},
    {.name = "data.ignore",
     .field = &R::ignore,
     .fallback = "[]",
     .noun = "a list of column names",
     .help = "Columns that are not features, such as a time or the number of a subject. All other "
             "columns without another use are features.",
     .measures = true},
    {.name = "data.features",
     .field = &R::features,
     .fallback = "[]",
     .noun = "a list of column names",
     .help = "The only columns that are features. Empty: every column without another use."},
    {.name = "data.validation",
     .field = &R::validation,
     .fallback = "0.2",
     .noun = "a share of the sequences",
     .help = "Share of the training sequences that is held out for validation, stratified by "
             "class; sequences without a target are never held out. data.validation_order says "
             "which share. 0 for none.",
     .min = 0,
     .max = 0.9,
     .measures = true},
    {.name = "data.validation_order",
     .field = choice_field<&R::validation_order>,
     .fallback = "\"random\"",
     .noun = "an order of validation",
     .help = "Which share is held out. random: whole sequences, drawn by train.seed. time: the "
             "last one in the order of the file: with windows the last rows of each series; with a "
             "target for each row the last rows of each sequence; else the last sequences. If it "
             "is not given: time for a text, for windows, with data.train_rows, and where each row "
             "of a single sequence (data.sequence = \"\") has a target; else random.",
     .measures = true},
    {.name = "data.thin",
     .field = &R::thin,
     .fallback = "\"\"",
     .noun = "a class and a share",
     .help = "LABEL:SHARE, such as \"7:0.1\": train on that share of the sequences of the class, "
             "evenly taken, and on all sequences of the other classes. This measures the effect "
             "of a rare class. The validation and the test data stay whole. Empty for none."},
    {.name = "data.group",
     .field = &R::group,
     .fallback = "\"\"",
     .noun = "a column name",
     .help = "Column whose equal values must not be split between training and validation. Empty "
             "for none. For tsv also \"containment\": a text stays together with the longest "
             "training text that holds its tokens in a row; of equally long ones, with the first.",
     .measures = true},
    {.name = "data.differences",
     .field = &R::differences,
     .fallback = "false",
     .noun = "a truth value",
     .help = "Give the network, in its first layer, the difference of each feature from the frame "
             "before, in place of the feature; 0 in the first frame of a sequence. Use it for "
             "series whose level drifts. In fixed point a frame then has 16 bits, and a level that "
             "drifts out of the range of the calibration data, and by more than half of it, "
             "saturates."},
    {.name = "data.standardize",
     .field = &R::standardize,
     .fallback = "true",
     .noun = "a truth value",
     .help = "Subtract the mean of each feature and divide by its standard deviation, in the "
             "first layer of the network. Both are computed from the training frames. A constant "
             "feature becomes 0. Targets are not changed; values are learned best if their "
             "deviation is near 1."},
    {.name = "data.standardize_target",
     .field = &R::standardize_target,
     .fallback = "false",
     .noun = "a truth value",
     .help = "Train on values minus their mean, divided by their standard deviation. Both are "
             "computed from the training targets; for windows, from the training rows of the "
             "column, and with data.windows_target = \"difference\" no mean is subtracted. The "
             "model answers in the units of the data.",
     .measures = true},
    {.name = "data.text",
     .field = &R::text,
     .fallback = "\"text\"",
     .noun = "a column name",
     .help = "For tsv: column of the text.",
     .measures = true},
    {.name = "data.tokens",
     .field = choice_field<&R::tokens>,
     .fallback = "\"auto\"",
     .noun = "a kind of tokens",
     .help = "Unit of a text. characters: Unicode code points; words: the characters between "
             "white space (Unicode's White_Space); auto: characters for text, words for tsv. The "
             "training part determines the ids: the most frequent token comes first, and equally "
             "frequent ones are in the order of their first appearance. Id 0 is padding, and id 1 "
             "is the unknown token.",
     .measures = true},
    {.name = "data.lower_case",
     .field = &R::lower_case,
     .fallback = "false",
     .noun = "a truth value",
     .help = "Read capital letters as small letters: ASCII, Latin-1, Latin Extended-A, Greek and "
             "Cyrillic, one letter to one letter."},
    {.name = "data.vocabulary",
     .field = &R::vocabulary,
     .fallback = "0",
     .noun = "a number of ids",
     .help = "Largest number of ids to keep, including padding and the unknown token. 0 for all.",
     .min = 0,
     .max = 65536},
    {.name = "data.max_steps",
     .field = &R::max_steps,
     .fallback = "0",
     .noun = "a number of steps",
     .help = "Longer sequences are cut to this number of steps, in training, validation, test and "
             "use. 0 for no limit.",
     .min = 0,
     .max = 1000000000},
    {.name = "data.cut",
     .field = choice_field<&R::cut>,
     .fallback = "\"back\"",
     .noun = "an end of a sequence",
     .help = "End of a sequence at which data.max_steps drops steps."},
    {.name = "data.window",
     .field = &R::window,
     .fallback = "0",
     .noun = "a number of rows",
     .help = "For a table: the file is one series, or one for each data.sequence, and sequences "
             "are windows of this many rows. The targets are the values of the target columns in "
             "the rows after a window; these columns may be features too. If the targets are "
             "classes, data.window_class says which is a window's. 0: no windows. For text: "
             "number of tokens of a piece, which training processes at once.",
     .min = 0,
     .max = 1000000000},
    {.name = "data.stride",
     .field = &R::stride,
     .fallback = "1",
     .noun = "a number of rows",
     .help = "Number of rows from the begin of one window to the begin of the next.",
     .min = 1,
     .max = 1000000000,
     .measures = true},
    {.name = "data.horizon",
     .field = &R::horizon,
     .fallback = "1",
     .noun = "a number of rows",
     .help = "Number of rows after a window that are its targets. The answer has this many values "
             "for each target column: first those of all columns in the first row, then those in "
             "the second row, and so on.",
     .min = 1,
     .max = 65536,
     .measures = true},
    {.name = "data.windows_target",
     .field = choice_field<&R::windows_target>,
     .fallback = "\"value\"",
     .noun = "a target of windows",
     .help = "Targets of windows. value: the values of the next rows; difference: their "
             "differences from the last row of the window. The last layer of the model then adds "
             "that row back, in fixed point too, where a frame then has 16 bits.",
     .measures = true},
    {.name = "data.window_class",
     .field = choice_field<&R::window_class>,
     .fallback = "\"last\"",
     .noun = "a class of a window",
     .help = "Which class a window has, if the target is a column of classes. last: that of its "
             "last row; majority: that of most of its rows, and of equally frequent ones the one "
             "that comes last. A window without a class is left out.",
     .measures = true},
    {.name = "data.train_rows",
     .field = &R::train_rows,
     .fallback = "\"\"",
     .noun = "a range of rows",
     .help = "Rows (for text: tokens) of the training file to train on, in place of "
             "data.validation: \"first:end\", counted from 0, without the end. A sequence with a "
             "target for each row may be cut by it, any other sequence not.",
     .measures = true},
    {.name = "data.validation_rows",
     .field = &R::validation_rows,
     .fallback = "\"\"",
     .noun = "a range of rows",
     .help = "Rows of the training file to validate on, after data.train_rows.",
     .measures = true},
    {.name = "data.test_rows",
     .field = &R::test_rows,
     .fallback = "\"\"",
     .noun = "a range of rows",
     .help = "Rows of the training file to test on, evaluated once after training.",
     .measures = true},
    {.name = "data.reach_back",
     .field = &R::reach_back,
     .fallback = "false",
     .noun = "a truth value",
     .help = "Whether windows of validation and test may begin in the part before, so that the "
             "first row of the part has a target; this is usual for the ETT series. false: no "
             "window crosses a split. Targets never cross one. If data.sequence names several "
             "series, whose parts are short, and the targets are values: true, unless it is given.",
     .source = "Zhou et al. 2021"},
};

}  // namespace

std::span<const Key> data_keys() { return table; }

}  // namespace sluice::tools
