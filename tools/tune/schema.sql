-- A study of `sluice tune`, schema 1. Written with SQLite in write-ahead mode; times are seconds since 1970.

-- One row: the recipe and the settings of the study.
CREATE TABLE study (
  schema INTEGER NOT NULL,      -- 1
  version TEXT NOT NULL,        -- of sluice
  code_hash TEXT NOT NULL,      -- of the program that began the study
  recipe_file TEXT NOT NULL,    -- by its full name
  recipe TEXT NOT NULL,         -- its text, with the search space
  overrides TEXT NOT NULL,      -- JSON: [[key, value], ...] as --set gave them
  data_folder TEXT NOT NULL,    -- of --data-dir; empty: files are relative to the recipe
  recipe_hash TEXT NOT NULL,    -- of the resolved recipe and its space: only the same one, or one of wider ranges, may go on with the study
  data_hash TEXT NOT NULL,      -- of the data, as training reads them
  objective TEXT NOT NULL,      -- as train.monitor: what trials are ranked by, of validation
  higher_is_better INTEGER NOT NULL,  -- 1: an accuracy, say; values below are then negated, for the lower is the better here
  most_epochs INTEGER NOT NULL, -- the length of the schedule
  core TEXT NOT NULL,           -- of [device]; empty: none
  type TEXT NOT NULL,           -- the number format that quality is measured in: f32, int8, w8a16
  limits TEXT NOT NULL          -- JSON: [["flash", 16384], ...]
);

-- The space: one row for each parameter, behind those it depends on.
CREATE TABLE parameters (
  position INTEGER PRIMARY KEY, -- from 0
  name TEXT NOT NULL,           -- "train.learning_rate", "model.layers.1.gru"
  kind TEXT NOT NULL,           -- "choice", "whole", "real"
  low REAL, high REAL, step REAL, logarithmic INTEGER,  -- of numbers; step NULL: none, a factor where logarithmic
  choices TEXT,                 -- JSON: of a choice, its values as TOML
  conditions TEXT NOT NULL      -- JSON: [[name, [values as TOML]], ...]; all must hold for the parameter to be in force
);

CREATE TABLE trials (
  number INTEGER PRIMARY KEY,   -- from 0, the recipe's own values
  state TEXT NOT NULL,          -- waiting, running, pruned, complete, failed, unfit
  origin TEXT NOT NULL,         -- recipe, enqueued, or the method that chose the point
  seed INTEGER NOT NULL,        -- train.seed of the first training
  bracket INTEGER NOT NULL,     -- of successive halving: the epochs of its first rung; else 0
  until INTEGER NOT NULL,       -- the epochs that it is to train for, or was
  flash INTEGER, ram INTEGER, instructions INTEGER,  -- on the device, of its shape; NULL: none
  reason TEXT NOT NULL,         -- why it failed or is unfit
  seconds REAL NOT NULL,        -- that were spent on it
  worker TEXT NOT NULL,         -- who runs it
  heartbeat REAL NOT NULL       -- when it was last heard of: a trial that runs belongs to nobody a minute after
);

-- A trial's values: of each parameter in force.
CREATE TABLE trial_values (
  trial INTEGER NOT NULL REFERENCES trials, position INTEGER NOT NULL REFERENCES parameters,
  number REAL NOT NULL,         -- of a choice its index
  text TEXT NOT NULL,           -- as TOML
  PRIMARY KEY (trial, position)
);

-- How a trial stood after so many epochs: mean over folds and seeds of each one's best. The last rung is the trial's value.
CREATE TABLE rungs (
  trial INTEGER NOT NULL REFERENCES trials, epochs INTEGER NOT NULL, value REAL NOT NULL, error REAL,  -- error NULL: of one alone
  PRIMARY KEY (trial, epochs)
);

-- The trainings of a trial.
CREATE TABLE folds (
  trial INTEGER NOT NULL REFERENCES trials, fold INTEGER NOT NULL, seed INTEGER NOT NULL,
  epochs INTEGER NOT NULL, best_epoch INTEGER NOT NULL, value REAL NOT NULL,
  checkpoint BLOB,              -- to go on from; NULL where nothing is left to do
  PRIMARY KEY (trial, fold, seed)
);

-- What validation said, epoch after epoch, of the network in float.
CREATE TABLE curves (
  trial INTEGER NOT NULL, fold INTEGER NOT NULL, seed INTEGER NOT NULL, epoch INTEGER NOT NULL, value REAL NOT NULL,
  PRIMARY KEY (trial, fold, seed, epoch)
);

-- Trials trained again on all training data: the winner, and the exported ones.
CREATE TABLE finals (
  trial INTEGER NOT NULL REFERENCES trials, seed INTEGER NOT NULL, epochs INTEGER NOT NULL,
  measures TEXT NOT NULL,       -- JSON: of the test set; {} where there is none
  model BLOB NOT NULL,          -- the .slu
  PRIMARY KEY (trial, seed)
);
