#include "keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "recipe.h"

namespace sluice::tools {
namespace {

constexpr double whole_limit = 9007199254740992.0;  // 2^53: every integer up to it is a double

using R = Recipe;

const Key table[] = {
    {.name = "data.train",
     .field = &R::train_file,
     .fallback = "",
     .noun = "a file name",
     .help = "Training data: CSV with one row a frame, or NumPy .npz. Relative to --data-dir where given, else to the recipe.",
     .file_name = true},
    {.name = "data.test",
     .field = &R::test_file,
     .fallback = "\"\"",
     .noun = "a file name",
     .help = "Test data, evaluated once after training; empty for none.",
     .file_name = true},
    {.name = "data.format",
     .field = &R::format,
     .fallback = "\"table\"",
     .noun = "a format of data",
     .help = "table: one row a frame, CSV or, where the name ends in .npz, NumPy's. text: one long text, UTF-8, whose every token is to be "
             "told from those before it; the inputs are ids, for an embedding. tsv: a text and its target a line, cells parted by tabs, "
             "after a header.",
     .words = {"table", "text", "tsv"}},
    {.name = "data.sequence",
     .field = &R::sequence,
     .fallback = "\"sequence\"",
     .noun = "a column name",
     .help = "Column that names a frame's sequence; the rows of one stand together. Empty: the whole file is one sequence."},
    {.name = "data.target",
     .field = &R::target,
     .fallback = "\"label\"",
     .noun = "a column name",
     .help = "Column of the target; a list of several for values."},
    {.name = "data.target_type",
     .field = &R::target_type,
     .fallback = "\"class\"",
     .noun = "a target type",
     .help = "Whether targets are classes or values.",
     .words = {"class", "value"}},
    {.name = "data.target_per",
     .field = &R::target_per,
     .fallback = "\"sequence\"",
     .noun = "a unit that has a target",
     .help = "Whether a sequence has one target or every row has its own; of rows, an empty cell is a masked step.",
     .words = {"sequence", "row"}},
    {.name = "data.ignore",
     .field = &R::ignore,
     .fallback = "[]",
     .noun = "a list of column names",
     .help = "Columns that are not features, such as a time or a number of the subject; all others are."},
    {.name = "data.features",
     .field = &R::features,
     .fallback = "[]",
     .noun = "a list of column names",
     .help = "The only columns that are features; empty for every column without another use."},
    {.name = "data.validation",
     .field = &R::validation,
     .fallback = "0.2",
     .noun = "a share of the sequences",
     .help = "Share of the training sequences held out for validation, stratified by class; of a text, and of windows, the last share in "
             "time order. 0 for none.",
     .min = 0,
     .max = 0.9},
    {.name = "data.group",
     .field = &R::group,
     .fallback = "\"\"",
     .noun = "a column name",
     .help = "Column whose values must not be split between training and validation; empty for none. Of tsv also \"containment\": a text "
             "goes with the longest training text that holds its tokens in a row, of equally long ones with the first."},
    {.name = "data.standardize",
     .field = &R::standardize,
     .fallback = "true",
     .noun = "a truth value",
     .help =
         "Subtract each feature's mean and divide by its standard deviation, both of the frames trained on, in the network's "
         "first layer. A constant feature becomes 0. Targets stay as they are: values learn best near deviation 1."},
    {.name = "data.standardize_target",
     .field = &R::standardize_target,
     .fallback = "false",
     .noun = "a truth value",
     .help = "Train on values less their mean, divided by their standard deviation, both of what is trained on (of windows: of the column's "
             "training rows, and less no mean where windows_target is \"difference\"). The model answers in the data's own units."},
    {.name = "data.text",
     .field = &R::text,
     .fallback = "\"text\"",
     .noun = "a column name",
     .help = "tsv: column of the text."},
    {.name = "data.tokens",
     .field = &R::tokens,
     .fallback = "\"auto\"",
     .noun = "a kind of tokens",
     .help = "characters: Unicode code points. words: what stands between white space (Unicode's White_Space). auto: characters of text, "
             "words of tsv. Ids are given by the training part, the most frequent token first, ties in order of first appearance; id 0 is "
             "padding and 1 the unknown token.",
     .words = {"auto", "characters", "words"}},
    {.name = "data.lower_case",
     .field = &R::lower_case,
     .fallback = "false",
     .noun = "a truth value",
     .help = "Read capitals as small letters: ASCII, Latin-1, Latin Extended-A, Greek and Cyrillic, one letter to one."},
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
     .field = &R::cut,
     .fallback = "\"back\"",
     .noun = "an end of a sequence",
     .help = "Which end data.max_steps drops.",
     .words = {"front", "back"}},
    {.name = "data.window",
     .field = &R::window,
     .fallback = "0",
     .noun = "a number of rows",
     .help = "table: the file is one series, and sequences are windows of so many rows; the target columns' next rows are the targets, and "
             "they may be features too. 0: it is no series. text: the tokens of a piece that training takes at once.",
     .min = 0,
     .max = 1000000000},
    {.name = "data.stride",
     .field = &R::stride,
     .fallback = "1",
     .noun = "a number of rows",
     .help = "Rows from the beginning of one window to that of the next.",
     .min = 1,
     .max = 1000000000},
    {.name = "data.horizon",
     .field = &R::horizon,
     .fallback = "1",
     .noun = "a number of rows",
     .help = "Rows after a window that are its targets: so many answers of each target column, all first rows' before all second rows'.",
     .min = 1,
     .max = 65536},
    {.name = "data.windows_target",
     .field = &R::windows_target,
     .fallback = "\"value\"",
     .noun = "a target of windows",
     .help = "What is answered of the next rows: their values, or the differences from the window's last row.",
     .words = {"value", "difference"}},
    {.name = "data.train_rows",
     .field = &R::train_rows,
     .fallback = "\"\"",
     .noun = "a range of rows",
     .help = "Rows (of text: tokens) of the training file to train on, \"first:end\" from 0, without the end; in place of data.validation."},
    {.name = "data.validation_rows",
     .field = &R::validation_rows,
     .fallback = "\"\"",
     .noun = "a range of rows",
     .help = "Rows of the training file to validate on, after data.train_rows."},
    {.name = "data.test_rows",
     .field = &R::test_rows,
     .fallback = "\"\"",
     .noun = "a range of rows",
     .help = "Rows of the training file to test on, evaluated once after training."},
    {.name = "data.reach_back",
     .field = &R::reach_back,
     .fallback = "false",
     .noun = "a truth value",
     .help = "Whether windows of validation and test may begin in the part before, so that their first row has a target, as is usual for the "
             "ETT series; else no window crosses a split. Targets never do.",
     .source = "Zhou et al. 2021"},

    {.name = "model.layers",
     .field = &R::layers,
     .fallback = "",
     .noun = "a list of layers",
     .help = "The network, layer by layer; their kinds and options stand below."},
    {.name = "model.init_from",
     .field = &R::init_from,
     .fallback = "\"\"",
     .noun = "a model's file name",
     .help = "Float model to start from in place of random weights, as --init says it: the same layers, but for a last one of another width, "
             "which begins anew. Standardization and vocabulary are the model's. Empty for none.",
     .file_name = true},
    {.name = "model.freeze",
     .field = &R::freeze,
     .fallback = "[]",
     .noun = "a list of layer numbers",
     .help = "Layers that keep their weights, counted from 1 as model.layers has them, such as [\"1\", \"2\"]; --freeze 1 adds one."},
    {.name = "model.dropout.input",
     .field = &R::dropout_input,
     .fallback = "0.0",
     .noun = "a rate of dropping",
     .help = "Rate at which standardized inputs are dropped while training, every number of every frame.",
     .min = 0,
     .max = 0.99,
     .source = "Srivastava et al. 2014"},
    {.name = "model.dropout.recurrent",
     .field = &R::dropout_recurrent,
     .fallback = "0.0",
     .noun = "a rate of dropping",
     .help = "Rate at which the state of every recurrent layer is dropped where it enters the recurrent products while training: one mask a "
             "sequence, the same at every step and for all gates. The state that is carried on is whole.",
     .min = 0,
     .max = 0.99,
     .source = "Gal, Ghahramani 2016; Semeniuta et al. 2016"},
    {.name = "model.dropout.output",
     .field = &R::dropout_output,
     .fallback = "0.0",
     .noun = "a rate of dropping",
     .help = "Rate at which what enters the last layer is dropped while training.",
     .min = 0,
     .max = 0.99,
     .source = "Srivastava et al. 2014"},
    {.name = "model.init.input",
     .field = &R::init_input,
     .fallback = "\"pytorch\"",
     .noun = "an initializer",
     .help = "Of recurrent layers' input weights. pytorch: U(-1/sqrt(units), 1/sqrt(units)); fans are those of one gate.",
     .words = {"pytorch", "xavier_uniform", "xavier_normal", "kaiming_uniform", "kaiming_normal", "orthogonal", "zeros"},
     .source = "xavier: Glorot, Bengio 2010; kaiming: He et al. 2015; orthogonal: Saxe et al. 2014"},
    {.name = "model.init.recurrent",
     .field = &R::init_recurrent,
     .fallback = "\"pytorch\"",
     .noun = "an initializer",
     .help = "Of recurrent layers' recurrent weights; likewise.",
     .words = {"pytorch", "xavier_uniform", "xavier_normal", "kaiming_uniform", "kaiming_normal", "orthogonal", "zeros"}},
    {.name = "model.init.output",
     .field = &R::init_output,
     .fallback = "\"pytorch\"",
     .noun = "an initializer",
     .help = "Of dense layers' weights; pytorch: U(-1/sqrt(inputs), 1/sqrt(inputs)). Embeddings begin as N(0, 1), as PyTorch's.",
     .words = {"pytorch", "xavier_uniform", "xavier_normal", "kaiming_uniform", "kaiming_normal", "orthogonal", "zeros"}},
    {.name = "model.init.bias",
     .field = &R::init_bias,
     .fallback = "\"pytorch\"",
     .noun = "an initializer",
     .help = "Of all biases.",
     .words = {"pytorch", "zeros"}},
    {.name = "model.init.forget_bias",
     .field = &R::init_forget_bias,
     .fallback = "0.0",
     .noun = "a bias",
     .help = "Added to the forget gates' bias of every LSTM. A positive one remembers.",
     .min = -100,
     .max = 100,
     .source = "Gers et al. 2000; Jozefowicz et al. 2015"},
    {.name = "model.init.update_bias",
     .field = &R::init_update_bias,
     .fallback = "0.0",
     .noun = "a bias",
     .help = "Added to the update gates' bias of every GRU. A positive one remembers, for h' = z h + (1 - z) n.",
     .min = -100,
     .max = 100},
    {.name = "model.batch_norm",
     .field = &R::batch_norm,
     .fallback = "\"pytorch\"",
     .noun = "a way to keep running moments",
     .help = "pytorch: they move by 0.1 towards a batch's, the variance divided by n - 1. keras: by 0.01, divided by n; there epsilon is 1e-3.",
     .words = {"pytorch", "keras"}},

    {.name = "train.loss",
     .field = &R::loss,
     .fallback = "\"cross_entropy\"",
     .noun = "a loss",
     .help = "What training minimizes, a mean over valid targets: cross_entropy for classes; binary for two of them, or values of 0 to 1, by "
             "sigmoids; mse and huber for values; mse_sum adds up a sequence's steps and outputs, and is a mean over sequences.",
     .words = {"cross_entropy", "binary", "mse", "mse_sum", "huber"},
     .source = "-log p[class]; -(t log p + (1 - t) log(1 - p)); (y - value)^2; Huber 1964"},
    {.name = "train.huber_delta",
     .field = &R::huber_delta,
     .fallback = "1.0",
     .noun = "an error",
     .help = "huber: where the loss turns from a square into a line.",
     .min = 1e-6,
     .max = 1e6,
     .source = "e^2 / 2 where |e| <= delta, else delta * (|e| - delta / 2)"},
    {.name = "train.label_smoothing",
     .field = &R::label_smoothing,
     .fallback = "0.0",
     .noun = "a share of the target",
     .help = "Share of a class's target that is spread over all classes.",
     .min = 0,
     .max = 0.99,
     .source = "Szegedy et al. 2016"},
    {.name = "train.class_weights",
     .field = &R::class_weights,
     .fallback = "\"none\"",
     .noun = "weights of classes",
     .help = "none; balanced: targets / (classes * targets of the class), of what is trained on; or a number for each class in the order of "
             "labels, \"1, 2.5\". A mean is divided by the sum of its targets' weights."},
    {.name = "train.sampling",
     .field = &R::sampling,
     .fallback = "\"all\"",
     .noun = "a way to draw sequences",
     .help = "all: every sequence once an epoch. balanced: as many draws an epoch, every class as likely.",
     .words = {"all", "balanced"}},
    {.name = "train.epochs",
     .field = &R::epochs,
     .fallback = "60",
     .noun = "a number of epochs",
     .help = "Passes over the training sequences.",
     .min = 1,
     .max = 1000000},
    {.name = "train.batch",
     .field = &R::batch,
     .fallback = "16",
     .noun = "a batch size",
     .help = "Sequences in a batch; the last one of an epoch may be smaller. \"all\": every batch is the whole training part, for the "
             "full gradient.",
     .min = 1,
     .max = 65536,
     .words = {"all"}},
    {.name = "train.carry",
     .field = &R::carry,
     .fallback = "false",
     .noun = "a truth value",
     .help = "text: train the pieces of data.window tokens in their order, in train.batch parallel streams, each piece from the state that the "
             "one before left; gradients stay inside a piece (truncated back-propagation through time).",
     .source = "Williams, Peng 1990"},
    {.name = "train.bucket",
     .field = &R::bucket,
     .fallback = "false",
     .noun = "a truth value",
     .help = "Make batches of sequences of similar length: the shuffled order, sorted by length inside runs of 64 batches, and the batches "
             "shuffled again."},
    {.name = "train.optimizer",
     .field = &R::optimizer,
     .fallback = "\"adam\"",
     .noun = "an optimizer",
     .help = "adam; adamw with its decoupled weight decay; sgd, by train.momentum and train.nesterov; rmsprop.",
     .words = {"adam", "adamw", "sgd", "rmsprop"},
     .source = "Kingma, Ba 2015; Loshchilov, Hutter 2019; Hinton 2012"},
    {.name = "train.learning_rate",
     .field = &R::learning_rate,
     .fallback = "1e-3",
     .noun = "a learning rate",
     .help = "The optimizer's rate, at the start of the schedule.",
     .min = 1e-9,
     .max = 100},
    {.name = "train.beta1",
     .field = &R::beta1,
     .fallback = "0.9",
     .noun = "a decay rate",
     .help = "Decay of the gradient's running mean.",
     .min = 0,
     .max = 0.999999,
     .source = "Kingma, Ba 2015"},
    {.name = "train.beta2",
     .field = &R::beta2,
     .fallback = "0.999",
     .noun = "a decay rate",
     .help = "Decay of the squared gradient's running mean.",
     .min = 0,
     .max = 0.999999,
     .source = "Kingma, Ba 2015"},
    {.name = "train.epsilon",
     .field = &R::epsilon,
     .fallback = "1e-8",
     .noun = "an epsilon",
     .help = "Adam, rmsprop: added to the root of the squared gradient's mean.",
     .min = 1e-30,
     .max = 1,
     .source = "Kingma, Ba 2015"},
    {.name = "train.momentum",
     .field = &R::momentum,
     .fallback = "0.0",
     .noun = "a momentum",
     .help = "sgd: how much of the last step's direction goes on.",
     .min = 0,
     .max = 0.999999,
     .source = "v = momentum * v + g; w - rate * v"},
    {.name = "train.nesterov",
     .field = &R::nesterov,
     .fallback = "false",
     .noun = "a truth value",
     .help = "sgd: take the gradient as if the momentum's step were done already.",
     .source = "w - rate * (g + momentum * v); Sutskever et al. 2013"},
    {.name = "train.alpha",
     .field = &R::alpha,
     .fallback = "0.99",
     .noun = "a decay rate",
     .help = "rmsprop: decay of the squared gradient's running mean.",
     .min = 0,
     .max = 0.999999,
     .source = "v = alpha * v + (1 - alpha) * g^2; w - rate * g / (sqrt(v) + epsilon)"},
    {.name = "train.schedule",
     .field = &R::schedule,
     .fallback = "\"constant\"",
     .noun = "a schedule",
     .help = "The learning rate over the steps of the whole training: step and exponential multiply it by train.schedule_factor, step "
             "after every train.schedule_every epochs, exponential after each, plateau where validation stops to get better; cosine falls "
             "to 0; one-cycle rises over three tenths and falls.",
     .words = {"constant", "step", "exponential", "cosine", "one-cycle", "plateau"},
     .source = "cosine: rate * (1 + cos(pi * step / steps)) / 2, Loshchilov, Hutter 2017; one-cycle: Smith, Topin 2018, as PyTorch; "
               "plateau: as PyTorch's ReduceLROnPlateau, threshold 1e-4"},
    {.name = "train.schedule_every",
     .field = &R::schedule_every,
     .fallback = "10",
     .noun = "a number of epochs",
     .help = "The step schedule's epochs between two changes.",
     .min = 1,
     .max = 1000000},
    {.name = "train.schedule_factor",
     .field = &R::schedule_factor,
     .fallback = "0.1",
     .noun = "a factor",
     .help = "What the step, exponential and plateau schedules multiply the rate by.",
     .min = 1e-6,
     .max = 1},
    {.name = "train.plateau_patience",
     .field = &R::plateau_patience,
     .fallback = "10",
     .noun = "a number of validations",
     .help = "The plateau schedule lets so many validations in a row pass without an improvement of train.monitor; the next one lowers "
             "the rate.",
     .min = 0,
     .max = 1000000},
    {.name = "train.warmup",
     .field = &R::warmup,
     .fallback = "0",
     .noun = "a number of epochs",
     .help = "Epochs over which the rate rises to what the schedule says; 0 for none.",
     .min = 0,
     .max = 1000000,
     .source = "rate * (step + 1) / warm-up steps; Goyal et al. 2017"},
    {.name = "train.weight_decay",
     .field = &R::weight_decay,
     .fallback = "0.0",
     .noun = "a weight decay",
     .help = "Decoupled decay, by adamw, sgd and rmsprop. A number is for all weights but biases; { recurrent = 0.1, bias = 0.01 } for "
             "those it names.",
     .min = 0,
     .max = 100,
     .source = "w * (1 - rate * weight_decay); Loshchilov, Hutter 2019"},
    {.name = "train.l1",
     .field = &R::l1,
     .fallback = "0.0",
     .noun = "a penalty",
     .help = "Penalty on magnitudes, by weights as train.weight_decay; with train.l2 an elastic net. Not part of the validation loss.",
     .min = 0,
     .max = 1000000,
     .source = "loss + l1 * sum |w|; Tibshirani 1996; Zou, Hastie 2005"},
    {.name = "train.l1_step",
     .field = &R::l1_step,
     .fallback = "\"gradient\"",
     .noun = "a way to step",
     .help = "How l1 acts: in the gradient, by the signs of weights; or proximal, by moving weights towards 0 after each step, which makes "
             "exact zeros.",
     .words = {"gradient", "proximal"},
     .source = "proximal: w towards 0 by rate * l1; Parikh, Boyd 2014"},
    {.name = "train.l2",
     .field = &R::l2,
     .fallback = "0.0",
     .noun = "a penalty",
     .help = "Penalty on squares, by weights as train.weight_decay. Not part of the validation loss.",
     .min = 0,
     .max = 1000000,
     .source = "loss + l2 * sum w^2: the gradient 2 * l2 * w"},
    {.name = "train.elastic",
     .field = &R::elastic,
     .fallback = "0.0",
     .noun = "a penalty",
     .help = "An elastic net's lambda, in place of train.l1 and train.l2.",
     .min = 0,
     .max = 1000000,
     .source = "l1 = lambda * l1_ratio, l2 = lambda * (1 - l1_ratio); others halve the second"},
    {.name = "train.l1_ratio",
     .field = &R::l1_ratio,
     .fallback = "0.5",
     .noun = "a share of the penalty",
     .help = "train.elastic's share that is L1.",
     .min = 0,
     .max = 1},
    {.name = "train.max_norm",
     .field = &R::max_norm,
     .fallback = "0.0",
     .noun = "a norm",
     .help = "The largest norm of all weights into one unit (of an embedding, of one id's vector; of biases, of all), kept after every step; 0 "
             "for none. By weights as train.weight_decay.",
     .min = 0,
     .max = 1e30,
     .source = "Srivastava et al. 2014"},
    {.name = "train.embedding_rows",
     .field = &R::embedding_rows,
     .fallback = "\"all\"",
     .noun = "a choice of rows",
     .help = "Which of an embedding's vectors a step updates: all; or those of the ids in the batch, their moments too, which is faster and "
             "lets rare ones be.",
     .words = {"all", "seen"},
     .source = "seen: as PyTorch's SparseAdam"},
    {.name = "train.clip_value",
     .field = &R::clip_value,
     .fallback = "0.0",
     .noun = "a magnitude",
     .help = "The largest magnitude of each number of the gradient, before train.clip_norm; 0 for no clipping.",
     .min = 0,
     .max = 1e30},
    {.name = "train.clip_norm",
     .field = &R::clip_norm,
     .fallback = "0.0",
     .noun = "a norm",
     .help = "The longest gradient, all parameters together; a longer one is shortened to it. 0 for no clipping.",
     .min = 0,
     .max = 1e30,
     .source = "g * min(1, clip_norm / |g|); Pascanu et al. 2013"},
    {.name = "train.patience",
     .field = &R::patience,
     .fallback = "0",
     .noun = "a number of validations",
     .help = "Stop after so many validations in a row without an improvement of train.monitor, and keep the weights of the best epoch. "
             "0: train all epochs and keep the last weights; validation is then only reported.",
     .min = 0,
     .max = 1000000},
    {.name = "train.monitor",
     .field = &R::monitor,
     .fallback = "\"loss\"",
     .noun = "a measure of validation",
     .help = "What early stopping and the plateau schedule look at, and the best epoch is best by: the loss of validation, or its "
             "accuracy.",
     .words = {"loss", "accuracy"}},
    {.name = "train.min_improvement",
     .field = &R::min_improvement,
     .fallback = "0.0",
     .noun = "an improvement",
     .help = "Early stopping counts as an improvement only what is better by more than this.",
     .min = 0,
     .max = 1e30},
    {.name = "train.validate_every",
     .field = &R::validate_every,
     .fallback = "1",
     .noun = "a number of epochs",
     .help = "Epochs from one validation to the next; the last epoch always has one.",
     .min = 1,
     .max = 1000000},
    {.name = "train.diverged",
     .field = &R::diverged,
     .fallback = "1e4",
     .noun = "a factor",
     .help = "Training has diverged, and stops, where a batch's mean loss is above so many times the first epoch's mean (in the first "
             "epoch, its mean so far; taken as 1e-6 where it is less). 0: only where a loss or a gradient is not finite.",
     .min = 0,
     .max = 1e30},
    {.name = "train.checkpoint_seconds",
     .field = &R::checkpoint_seconds,
     .fallback = "30",
     .noun = "a number of seconds",
     .help = "Seconds from one checkpoint to the next, from which \"sluice train --resume\" goes on; the end of an epoch has one too, but "
             "at most one a second. 0: after every batch.",
     .min = 0,
     .max = 1000000,
     .never_changes_result = true},
    {.name = "train.seed",
     .field = &R::seed,
     .fallback = "1",
     .noun = "a seed",
     .help = "Of the split, the initial weights, the order of sequences and the dropout masks.",
     .min = 0,
     .max = whole_limit},
    {.name = "train.threads",
     .field = &R::threads,
     .fallback = "0",
     .noun = "a number of threads",
     .help = "Threads; 0 for all cores. Never changes the result.",
     .min = 0,
     .max = 1024,
     .never_changes_result = true},

    {.name = "quantize.aware",
     .field = &R::quantize_aware,
     .fallback = "false",
     .noun = "a truth value",
     .help = "Train for fixed point: inputs, states and weights are rounded in every pass as the device will have them, validation "
             "runs the fixed-point model, and model.slu is that; model-f32.slu has the float weights it was made of.",
     .source = "straight-through gradients; Bengio, Leonard, Courville 2013"},
    {.name = "quantize.type",
     .field = &R::quantize_type,
     .fallback = "\"int8\"",
     .noun = "a number format",
     .help = "The fixed point to train for: weights of 8 bits, values of 8 or 16.",
     .words = {"int8", "w8a16"}},
    {.name = "quantize.ranges",
     .field = &R::quantize_ranges,
     .fallback = "\"min-error\"",
     .noun = "a choice of ranges",
     .help = "How training for fixed point chooses each feature's range: all values, all but a twentieth of a percent at either end, "
             "or the range of the least squared error.",
     .words = {"min-max", "percentile", "min-error"}},

    {.name = "device.core",
     .field = &R::device_core,
     .fallback = "\"\"",
     .noun = "a core",
     .help = "The core that will run the model, such as cortex-m4; with limits, what cannot fit is refused before training. Empty "
             "for none.",
     .never_changes_result = true},
    {.name = "device.type",
     .field = &R::device_type,
     .fallback = "\"int8\"",
     .noun = "a number format",
     .help = "The number format that will run there; with quantize.aware that of quantize.type.",
     .words = {"f32", "int8", "w8a16"},
     .never_changes_result = true},
    {.name = "device.flash",
     .field = &R::device_flash,
     .fallback = "\"\"",
     .noun = "an amount of memory",
     .help = "The most bytes of the model without names, labels and history: \"16 KiB\". Empty for no limit.",
     .never_changes_result = true},
    {.name = "device.ram",
     .field = &R::device_ram,
     .fallback = "\"\"",
     .noun = "an amount of memory",
     .help = "The most bytes of state and scratch of one stream, stepped frame by frame. Empty for no limit.",
     .never_changes_result = true},
    {.name = "device.instructions",
     .field = &R::device_instructions,
     .fallback = "0",
     .noun = "a number of instructions",
     .help = "The most instructions of a step; 0 for no limit.",
     .min = 0,
     .max = whole_limit,
     .never_changes_result = true},
    {.name = "device.flash_total",
     .field = &R::device_flash_total,
     .fallback = "\"\"",
     .noun = "an amount of memory",
     .help = "As device.flash, with the runtime's code and tables. Empty for no limit.",
     .never_changes_result = true},
    {.name = "device.ram_total",
     .field = &R::device_ram_total,
     .fallback = "\"\"",
     .noun = "an amount of memory",
     .help = "As device.ram, with the stack. Empty for no limit.",
     .never_changes_result = true},
};

/// How many letters differ: insertions, deletions, replacements, and neighbors that changed places (Damerau, Levenshtein).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = i + j;
        continue;
      }
      d[i][j] = std::min({d[i - 1][j - 1] + (a[i - 1] != b[j - 1]), d[i - 1][j] + 1, d[i][j - 1] + 1});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

bool near(std::size_t differ, std::string_view word) {
  return differ <= std::max<std::size_t>(word.size() > 2, word.size() / 3);
}

std::string_view last_part(std::string_view name) { return name.substr(name.rfind('.') + 1); }

std::string number_text(double value) { return fmt::format("{}", value); }

/// `text` in lines of at most `width` letters, each after `indent`.
std::string wrapped(std::string_view text, std::size_t width, std::string_view indent) {
  std::string out, line;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    if (!line.empty() && line.size() + 1 + word.size() > width) {
      out += fmt::format("{}{}\n", indent, line);
      line.clear();
    }
    line += line.empty() ? "" : " ";
    line += word;
  }
  return out + fmt::format("{}{}\n", indent, line);
}

}  // namespace

std::span<const Key> keys() { return table; }

const Key* find_key(std::string_view name) {
  for (const Key& key : table)
    if (key.name == name) return &key;
  return nullptr;
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> words) {
  std::string_view best;
  std::size_t least = 0;
  for (std::string_view candidate : words) {
    const std::size_t differ = distance(word, candidate);
    if (near(differ, word) && (best.empty() || differ < least)) best = candidate, least = differ;
  }
  return best;
}

std::string_view nearest_key(std::string_view name) {
  std::string_view best;
  std::size_t least = 0;
  for (const Key& key : table) {
    const std::size_t last = distance(last_part(name), last_part(key.name));
    if (!near(last, last_part(name))) continue;
    // The section decides only between keys that are equally near: a key in the wrong section is a common slip.
    const std::size_t differ = last * 1000 + distance(name, key.name);
    if (best.empty() || differ < least) best = key.name, least = differ;
  }
  return best;
}

std::string_view type_name(const Key& key) {
  constexpr std::array names = {"true or false", "a whole number",          "a number",
                                "text",          "text or a list of texts", "a list of layers",
                                "a number, or a table of numbers by input, recurrent, bias, output and embedding"};
  return names[key.field.index()];
}

bool is_choice(const Key& key) { return !key.words.empty() && key.min == key.max; }

std::string allowed(const Key& key) {
  std::string words;
  for (std::size_t i = 0; i < key.words.size(); ++i)
    words += fmt::format("{}\"{}\"", i == 0 ? "" : i + 1 == key.words.size() ? " or " : ", ", key.words[i]);
  if (is_choice(key)) return words;
  if (key.min == key.max) return std::string(type_name(key));
  // An upper limit that nobody meets in earnest is not worth the reader's time.
  const std::string range = key.max >= 1000000 ? number_text(key.min) + " or more"
                                               : fmt::format("{} to {}", number_text(key.min), number_text(key.max));
  return words.empty() ? range : fmt::format("{}, or {}", range, words);
}

namespace {

/// What a key takes, what it is for, and where that comes from; without its name.
std::string explanation(const Key& key) {
  std::string text = is_choice(key) ? allowed(key) : std::string(type_name(key));
  if (key.min != key.max) text += ", " + allowed(key);
  text += key.fallback.empty() ? " (must be given)\n" : fmt::format(" (default {})\n", key.fallback);
  text += wrapped(key.help, 100, "      ");
  if (!key.source.empty()) text += fmt::format("      Source: {}\n", key.source);
  return text;
}

/// Calls f for every key, after a section's head where one begins.
template <class F>
std::string by_section(F f) {
  std::string text, section;
  for (const Key& key : table) {
    const std::string its_section(key.name.substr(0, key.name.find('.')));
    if (its_section != section) text += fmt::format("{}[{}]\n", section.empty() ? "" : "\n", its_section);
    section = its_section;
    text += f(key);
  }
  return text;
}

}  // namespace

std::string key_manual() {
  return by_section([](const Key& key) {
    return fmt::format("  {}: {}{}", key.name, explanation(key), key.name == "model.layers" ? layer_manual() : "");
  });
}

std::string explained(const Recipe& recipe) {
  return by_section([&](const Key& key) {
    const auto origin = recipe.origin.find(std::string(key.name));
    return fmt::format("  {} = {}{}\n      {}", key.name, value_text(recipe, key),
                       origin == recipe.origin.end() ? "" : fmt::format("    # {}", origin->second), explanation(key));
  });
}

}  // namespace sluice::tools
