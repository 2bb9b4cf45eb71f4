// Ten Adam steps on made-up sequences. The same code runs on the host and on a board, and a test
// compares their bytes.
#ifndef SLUICE_TESTS_FIRMWARE_TRAINING_H
#define SLUICE_TESTS_FIRMWARE_TRAINING_H

#include <string.h>

#include "sluice_train.h"

struct MadeUpBatch {
  static constexpr uint32_t sequences = 12, steps = 9, features = 3, classes = 3;
  float x[sequences][steps][features];
  int32_t target[sequences];
  sluice_sequence list[sequences];
};

inline void make_up(MadeUpBatch& batch) {
  uint32_t word = 7;
  for (uint32_t s = 0; s < MadeUpBatch::sequences; ++s) {
    batch.target[s] = int32_t(s % MadeUpBatch::classes);
    for (uint32_t t = 0; t < MadeUpBatch::steps; ++t)
      for (uint32_t i = 0; i < MadeUpBatch::features; ++i) {
        word = word * 1664525u + 1013904223u;
        batch.x[s][t][i] =
            float(int32_t(word) >> 16) / 32768.0f + float(s % MadeUpBatch::classes == i);
      }
    batch.list[s] = {};
    batch.list[s].x = batch.x[s][0];
    batch.list[s].steps = MadeUpBatch::steps - s % 3;
    batch.list[s].number = s;
    batch.list[s].classes = batch.target + s;
  }
}

inline sluice_train_options training_options() {
  sluice_train_options options = sluice_train_defaults();
  options.optimizer = SLUICE_ADAMW;
  options.schedule = SLUICE_COSINE;
  options.total_steps = 10;
  options.learning_rate = 0.02f;
  options.weight_decay = 0.01f;
  options.clip_norm = 0.5f;
  options.l2 = 1e-4f;
  options.dropout_input = 0.25f;
  options.seed = 5;
  options.max_sequences = MadeUpBatch::sequences;
  options.max_steps = MadeUpBatch::steps;
  options.shards = 1;
  return options;
}

/// Trains the model, and writes the weights into `stored`, a copy of its blob.
inline sluice_status train_ten_steps(const sluice_model* model, MadeUpBatch& batch, void* arena,
                                     size_t bytes, uint8_t* stored, size_t blob_bytes) {
  const sluice_train_options options = training_options();
  sluice_trainer trainer;
  sluice_status status = sluice_train_start(&trainer, model, &options, arena, bytes);
  make_up(batch);
  for (int step = 0; step < 10 && status == SLUICE_OK; ++step)
    status = sluice_train_step(&trainer, batch.list, MadeUpBatch::sequences, nullptr, nullptr);
  return status ? status : sluice_train_store(&trainer, stored, blob_bytes);
}

#endif
