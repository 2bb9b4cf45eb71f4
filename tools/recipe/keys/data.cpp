// Keys of the data and of its sequences. key.h describes a key.
#include "sections.h"

namespace sluice::tools {
namespace {

const Key table[] = {
    {.name = "data.train",
     .field = &R::train_file,
     .fallback = "",
     .noun = "a file name",
     .help = "Training data: CSV with one row a frame, or NumPy .npz. Relative to --data-dir where "
             "given, else to the recipe.",
     .file_name = true,
     .measures = true},
    {.name = "data.test",
     .field = &R::test_file,
     .fallback = "\"\"",
     .noun = "a file name",
     .help = "Test data, evaluated once after training; empty for none.",
     .file_name = true,
     .measures = true},
    {.name = "data.format",
     .field = choice_field<&R::format>,
     .fallback = "\"table\"",
     .noun = "a format of data",
     .help = "table: one row a frame, CSV or, where the name ends in .npz, NumPy's. text: one long "
             "text, UTF-8, whose every token is to be "
             "told from those before it; the inputs are ids, for an embedding. tsv: a text and its "
             "target a line, cells parted by tabs, "
             "after a header.",
     .measures = true},
    {.name = "data.sequence",
     .field = &R::sequence,
     .fallback = "\"sequence\"",
     .noun = "a column name",
     .help = "Column that names a frame's sequence; the rows of one stand together. Empty: the "
             "whole file is one sequence.",
     .measures = true},
    {.name = "data.target",
     .field = &R::target,
     .fallback = "\"label\"",
     .noun = "a column name",
     .help =
         "Column of the target; a list of several for values. Where layers have a loss of their "
         "own, the columns of all of them, side by side in the answer's order: of cross_entropy "
         "one, the class's number from 0; of other losses one for each output.",
     .measures = true},
    {.name = "data.target_type",
     .field = choice_field<&R::target_type>,
     .fallback = "\"class\"",
     .noun = "a target type",
     .help = "Whether targets are classes or values.",
     .measures = true},
    {.name = "data.target_per",
     .field = choice_field<&R::target_per>,
     .fallback = "\"sequence\"",
     .noun = "a unit that has a target",
     .help = "Whether a sequence has one target or every row has its own; of rows, an empty cell "
             "is a masked step.",
     .measures = true},
    {.name = "data.ignore",
     .field = &R::ignore,
     .fallback = "[]",
     .noun = "a list of column names",
     .help = "Columns that are not features, such as a time or a number of the subject; all others "
             "are.",
     .measures = true},
    {.name = "data.features",
     .field = &R::features,
     .fallback = "[]",
     .noun = "a list of column names",
     .help = "The only columns that are features; empty for every column without another use."},
    {.name = "data.validation",
     .field = &R::validation,
     .fallback = "0.2",
     .noun = "a share of the sequences",
     .help = "Share of the training sequences held out for validation, stratified by class; of a "
             "text, and of windows, the last share in "
             "time order. 0 for none.",
     .min = 0,
     .max = 0.9,
     .measures = true},
    {.name = "data.thin",
     .field = &R::thin,
     .fallback = "\"\"",
     .noun = "a class and a share",
     .help = "LABEL:SHARE, such as \"7:0.1\": train on that share of the class's sequences, evenly "
             "taken, and on all others; to see what a "
             "rare class costs. What is held out, and the test file, stay whole. Empty for none."},
    {.name = "data.group",
     .field = &R::group,
     .fallback = "\"\"",
     .noun = "a column name",
     .help = "Column whose values must not be split between training and validation; empty for "
             "none. Of tsv also \"containment\": a text "
             "goes with the longest training text that holds its tokens in a row, of equally long "
             "ones with the first.",
     .measures = true},
    {.name = "data.differences",
     .field = &R::differences,
     .fallback = "false",
     .noun = "a truth value",
     .help = "The network sees how far each feature moved since the frame before, in its first "
             "layer, in place of the feature; of a "
             "sequence's first frame 0. For series whose level wanders."},
    {.name = "data.standardize",
     .field = &R::standardize,
     .fallback = "true",
     .noun = "a truth value",
     .help = "Subtract each feature's mean and divide by its standard deviation, both of the "
             "frames trained on, in the network's "
             "first layer. A constant feature becomes 0. Targets stay as they are: values learn "
             "best near deviation 1."},
    {.name = "data.standardize_target",
     .field = &R::standardize_target,
     .fallback = "false",
     .noun = "a truth value",
     .help = "Train on values less their mean, divided by their standard deviation, both of what "
             "is trained on (of windows: of the column's "
             "training rows, and less no mean where windows_target is \"difference\"). The model "
             "answers in the data's own units.",
     .measures = true},
    {.name = "data.text",
     .field = &R::text,
     .fallback = "\"text\"",
     .noun = "a column name",
     .help = "tsv: column of the text.",
     .measures = true},
    {.name = "data.tokens",
     .field = choice_field<&R::tokens>,
     .fallback = "\"auto\"",
     .noun = "a kind of tokens",
     .help = "characters: Unicode code points. words: what stands between white space (Unicode's "
             "White_Space). auto: characters of text, "
             "words of tsv. Ids are given by the training part, the most frequent token first, "
             "ties in order of first appearance; id 0 is "
             "padding and 1 the unknown token.",
     .measures = true},
    {.name = "data.lower_case",
     .field = &R::lower_case,
     .fallback = "false",
     .noun = "a truth value",
     .help = "Read capitals as small letters: ASCII, Latin-1, Latin Extended-A, Greek and "
             "Cyrillic, one letter to one."},
    {.name = "data.vocabulary",
     .field = &R::vocabulary,
     .fallback = "0",
     .noun = "a number of ids",
     .help = "The most ids to keep, padding and unknown among them; 0 for all.",
     .min = 0,
     .max = 65536},
    {.name = "data.max_steps",
     .field = &R::max_steps,
     .fallback = "0",
     .noun = "a number of steps",
     .help = "Longer sequences are cut to it, in training, validation, test and use; 0 for none.",
     .min = 0,
     .max = 1000000000},
    {.name = "data.cut",
     .field = choice_field<&R::cut>,
     .fallback = "\"back\"",
     .noun = "an end of a sequence",
     .help = "Which end data.max_steps drops."},
    {.name = "data.window",
     .field = &R::window,
     .fallback = "0",
     .noun = "a number of rows",
     .help = "table: the file is one series, and sequences are windows of so many rows; the target "
             "columns' next rows are the targets, and "
             "they may be features too. 0: it is no series. text: the tokens of a piece that "
             "training takes at once.",
     .min = 0,
     .max = 1000000000},
    {.name = "data.stride",
     .field = &R::stride,
     .fallback = "1",
     .noun = "a number of rows",
     .help = "Rows from the beginning of one window to that of the next.",
     .min = 1,
     .max = 1000000000,
     .measures = true},
    {.name = "data.horizon",
     .field = &R::horizon,
     .fallback = "1",
     .noun = "a number of rows",
     .help = "Rows after a window that are its targets: so many answers of each target column, all "
             "first rows' before all second rows'.",
     .min = 1,
     .max = 65536,
     .measures = true},
    {.name = "data.windows_target",
     .field = choice_field<&R::windows_target>,
     .fallback = "\"value\"",
     .noun = "a target of windows",
     .help = "What is learned of the next rows: their values, or the differences from the window's "
             "last row, which the model's last layer "
             "then adds back (in fixed point, where it has no such layer, sluice run and eval do).",
     .measures = true},
    {.name = "data.train_rows",
     .field = &R::train_rows,
     .fallback = "\"\"",
     .noun = "a range of rows",
     .help = "Rows (of text: tokens) of the training file to train on, \"first:end\" from 0, "
             "without the end; in place of data.validation.",
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
     .help = "Whether windows of validation and test may begin in the part before, so that their "
             "first row has a target, as is usual for the "
             "ETT series; else no window crosses a split. Targets never do.",
     .source = "Zhou et al. 2021"},
};

}  // namespace

std::span<const Key> data_keys() { return table; }

}  // namespace sluice::tools
