// Keys of the search (`sluice tune`). key.h describes a key, recipe/space.h a range of values.
#include "sections.h"

namespace sluice::tools {
namespace {

const Key table[] = {
    {.name = "tune.method",
     .field = choice_field<&R::tune_method>,
     .fallback = "\"gaussian\"",
     .noun = "a search method",
     .help = "How the next point is chosen. grid: every combination; random: independent draws; "
             "sobol: an evenly spread sequence; gaussian: a Gaussian process with a Matern 5/2 "
             "kernel; forest: a random forest; tpe: Parzen estimators of the best points and of "
             "the others; genetic: a genetic algorithm.",
     .source = "Snoek et al. 2012; Hutter et al. 2011; Bergstra et al. 2011; tools/tune/README.md",
     .never_changes_result = true},
    {.name = "tune.acquisition",
     .field = choice_field<&R::tune_acquisition>,
     .fallback = "\"ei\"",
     .noun = "an acquisition",
     .help = "For gaussian and forest: the quantity to maximize. ei: the expected improvement; "
             "ucb: a confidence bound.",
     .source = "Jones et al. 1998; Srinivas et al. 2010",
     .never_changes_result = true},
    {.name = "tune.trials",
     .field = &R::tune_trials,
     .fallback = "50",
     .noun = "a number of trials",
     .help = "Number of trials of the whole study; the first has the recipe's own values.",
     .min = 1,
     .max = 1000000,
     .never_changes_result = true},
    {.name = "tune.halving",
     .field = choice_field<&R::tune_halving>,
     .fallback = "\"none\"",
     .noun = "a kind of halving",
     .help = "Train trials for few epochs first; of every tune.eta trials only the best continues, "
             "from where it stopped. halving: all trials stop first after tune.min_epochs; "
             "hyperband: trials take turns to stop first after that many epochs, after tune.eta "
             "times as many, and so on. The schedule spans train.epochs.",
     .source = "Li et al. 2018 (Hyperband), 2020 (asynchronous)",
     .never_changes_result = true},
    {.name = "tune.eta",
     .field = &R::tune_eta,
     .fallback = "3",
     .noun = "a factor",
     .help = "For halving and hyperband: of this many trials one continues, for this many times "
             "the epochs.",
     .min = 2,
     .max = 100,
     .never_changes_result = true},
    {.name = "tune.min_epochs",
     .field = &R::tune_min_epochs,
     .fallback = "1",
     .noun = "a number of epochs",
     .help = "For halving and hyperband: the epochs of the first rung.",
     .min = 1,
     .max = 1000000,
     .never_changes_result = true},
    {.name = "tune.validation",
     .field = choice_field<&R::tune_validation>,
     .fallback = "\"hold-out\"",
     .noun = "a kind of validation",
     .help = "Data on which train.monitor judges a trial. hold-out: the recipe's own validation "
             "part; k-fold: every sequence is held out once in tune.folds trainings, with classes "
             "spread evenly and groups (data.group) together; time: each of tune.folds blocks is "
             "held out in turn, after training on all blocks before it.",
     .never_changes_result = true},
    {.name = "tune.folds",
     .field = &R::tune_folds,
     .fallback = "5",
     .noun = "a number of folds",
     .help = "For k-fold and time: number of folds.",
     .min = 2,
     .max = 1000,
     .never_changes_result = true},
    {.name = "tune.repeats",
     .field = &R::tune_repeats,
     .fallback = "1",
     .noun = "a number of repeats",
     .help = "For k-fold: number of repeats, each with other folds.",
     .min = 1,
     .max = 1000,
     .never_changes_result = true},
    {.name = "tune.seeds",
     .field = &R::tune_seeds,
     .fallback = "1",
     .noun = "a number of seeds",
     .help = "Number of trainings of each fold, with train.seed, train.seed + 1, and so on.",
     .min = 1,
     .max = 1000,
     .never_changes_result = true},
    {.name = "tune.seed",
     .field = &R::tune_seed,
     .fallback = "1",
     .noun = "a seed",
     .help = "Seed of the folds and of the search method.",
     .min = 0,
     .max = whole_limit,
     .never_changes_result = true},
    {.name = "tune.max_failures",
     .field = &R::tune_max_failures,
     .fallback = "0",
     .noun = "a number of trials",
     .help = "Number of failed trials above which the study stops; 0: it never stops for failures.",
     .min = 0,
     .max = 1000000,
     .never_changes_result = true},
};

}  // namespace

std::span<const Key> tune_keys() { return table; }

}  // namespace sluice::tools
