// The search for a good recipe: `sluice tune`. (key.h says what a key is; recipe/space.h how a
// value says what it may be.)
#include "sections.h"

namespace sluice::tools {
namespace {

const Key table[] = {
    {.name = "tune.method",
     .field = choice_field<&R::tune_method>,
     .fallback = "\"gaussian\"",
     .noun = "a search method",
     .help = "How the next point is chosen: grid, every combination; random, independent draws; "
             "sobol, an even sequence; gaussian, a "
             "Gaussian process with Matern 5/2; forest, a random forest; tpe, Parzen estimators of "
             "the good and of the rest; genetic.",
     .source = "Snoek et al. 2012; Hutter et al. 2011; Bergstra et al. 2011; tools/tune/README.md",
     .never_changes_result = true},
    {.name = "tune.acquisition",
     .field = choice_field<&R::tune_acquisition>,
     .fallback = "\"ei\"",
     .noun = "an acquisition",
     .help = "What gaussian and forest maximize: ei, the expected improvement; ucb, a confidence "
             "bound.",
     .source = "Jones et al. 1998; Srinivas et al. 2010",
     .never_changes_result = true},
    {.name = "tune.trials",
     .field = &R::tune_trials,
     .fallback = "50",
     .noun = "a number of trials",
     .help = "Trials that a study has in the end; the first is the recipe as it is.",
     .min = 1,
     .max = 1000000,
     .never_changes_result = true},
    {.name = "tune.halving",
     .field = choice_field<&R::tune_halving>,
     .fallback = "\"none\"",
     .noun = "a kind of halving",
     .help = "Trials train for few epochs first, and only the best of every tune.eta go on, from "
             "where they stopped: halving, all from "
             "tune.min_epochs; hyperband, in turns from there and from eta times as many, and so "
             "on. The schedule spans train.epochs.",
     .source = "Li et al. 2018 (Hyperband), 2020 (asynchronous)",
     .never_changes_result = true},
    {.name = "tune.eta",
     .field = &R::tune_eta,
     .fallback = "3",
     .noun = "a factor",
     .help = "Of halving: one trial in so many goes on, for so many times the epochs.",
     .min = 2,
     .max = 100,
     .never_changes_result = true},
    {.name = "tune.min_epochs",
     .field = &R::tune_min_epochs,
     .fallback = "1",
     .noun = "a number of epochs",
     .help = "Of halving: the epochs of the first rung.",
     .min = 1,
     .max = 1000000,
     .never_changes_result = true},
    {.name = "tune.validation",
     .field = choice_field<&R::tune_validation>,
     .fallback = "\"hold-out\"",
     .noun = "a kind of validation",
     .help = "What a trial is judged by, always train.monitor: hold-out, the recipe's own "
             "validation part; k-fold, every sequence held out "
             "once in tune.folds trainings, classes spread evenly and groups (data.group) "
             "together; time, each of tune.folds blocks held out "
             "in turn, after training on what comes before it.",
     .never_changes_result = true},
    {.name = "tune.folds",
     .field = &R::tune_folds,
     .fallback = "5",
     .noun = "a number of folds",
     .help = "Of k-fold and time.",
     .min = 2,
     .max = 1000,
     .never_changes_result = true},
    {.name = "tune.repeats",
     .field = &R::tune_repeats,
     .fallback = "1",
     .noun = "a number of repeats",
     .help = "Of k-fold: so many times, with other folds each time.",
     .min = 1,
     .max = 1000,
     .never_changes_result = true},
    {.name = "tune.seeds",
     .field = &R::tune_seeds,
     .fallback = "1",
     .noun = "a number of seeds",
     .help = "Trainings of each fold, with train.seed, train.seed + 1, and so on.",
     .min = 1,
     .max = 1000,
     .never_changes_result = true},
    {.name = "tune.seed",
     .field = &R::tune_seed,
     .fallback = "1",
     .noun = "a seed",
     .help = "Of the folds, and of what the method draws.",
     .min = 0,
     .max = whole_limit,
     .never_changes_result = true},
    {.name = "tune.max_failures",
     .field = &R::tune_max_failures,
     .fallback = "0",
     .noun = "a number of trials",
     .help = "The study ends when more trials than this have failed; 0: it goes on whatever fails.",
     .min = 0,
     .max = 1000000,
     .never_changes_result = true},
};

}  // namespace

std::span<const Key> tune_keys() { return table; }

}  // namespace sluice::tools
