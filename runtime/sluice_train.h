/* Sluice's trainer: the forward pass, back-propagation through time and the optimizer step, in one
 * arena that the caller hands over. It is a library of its own: firmware that only runs models does
 * not link it.
 *
 * A training begins with a blob of initial weights. Open it, start a trainer on it, take steps, and
 * store the weights into a copy of the blob. A whole program, for a float model that ends in a
 * softmax and answers once a sequence:
 *
 *     #include <stdio.h>
 *     #include <stdlib.h>
 *     #include <string.h>
 *     #include "sluice_train.h"
 *
 *     static _Alignas(SLUICE_ALIGNMENT) unsigned char blob[1 << 20], trained[1 << 20];
 *     static float frames[100 * 64];  // [steps][inputs] of the training sequence
 *
 *     int main(void) {
 *       FILE* file = fopen("model.slu", "rb");
 *       const size_t bytes = file ? fread(blob, 1, sizeof blob, file) : 0;
 *       sluice_model model;
 *       if (sluice_open(&model, blob, bytes, NULL) != SLUICE_OK) return 1;
 *       if (sluice_describe(&model).inputs > 64) return 1;
 *
 *       sluice_train_options options = sluice_train_defaults();
 *       options.max_sequences = 1;
 *       options.max_steps = 100;
 *       const uint64_t need = sluice_train_needs(&model, &options);
 *       sluice_trainer trainer;
 *       if (sluice_train_start(&trainer, &model, &options, malloc(need), need) != SLUICE_OK)
 *         return 1;
 *
 *       const int32_t target = 1;  // the class of the sequence
 *       sluice_sequence sequence = {0};
 *       sequence.x = frames, sequence.steps = 100, sequence.classes = &target;
 *       for (int step = 0; step < 20; ++step) {
 *         sluice_train_result result;
 *         if (sluice_train_step(&trainer, &sequence, 1, NULL, &result) != SLUICE_OK) return 1;
 *         printf("loss %f\n", result.loss_sum / result.weight);
 *       }
 *       memcpy(trained, blob, bytes);
 *       return sluice_train_store(&trainer, trained, bytes) != SLUICE_OK;
 *     }
 *
 * The same options, seed, batches and blob give the same bytes on every instruction set, for any
 * number of threads.
 */
#ifndef SLUICE_TRAIN_H
#define SLUICE_TRAIN_H

#include "sluice.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Losses --------------------------------------------------------------------------------- */

/* y is an output of the network, t its target, e = y - t. A loss is the mean over the valid targets
 * of a batch; if targets have weights (class_weights), the weighted sum divided by the sum of the
 * weights. */
typedef enum {
  SLUICE_CROSS_ENTROPY = 0, /* -log p[class]; the last layer is a Dense with softmax */
  SLUICE_MSE = 1,           /* e^2, mean over targets and outputs */
  /* as MSE, of e^2 / 2 if |e| <= huber_delta, else of huber_delta * (|e| - huber_delta / 2) (Huber
   * 1964) */
  SLUICE_HUBER = 2,
  /* binary cross entropy -(t log p + (1 - t) log(1 - p)); the last layer is a Dense with sigmoid */
  SLUICE_BINARY = 3
} sluice_loss;

/* The loss of one part of the answer (sluice_describe_answer). */
typedef struct {
  uint32_t loss; /* sluice_loss */
  float weight;  /* > 0: factor of the mean over the valid targets of this part */
} sluice_answer_options;

/* ---- Optimizers and learning rates ---------------------------------------------------------- */

/* w is a weight, g its gradient. */
typedef enum {
  SLUICE_ADAM = 0,  /* Kingma, Ba 2015 */
  SLUICE_ADAMW = 1, /* with decoupled weight decay: Loshchilov, Hutter 2019 */
  /* v = momentum * v + g; w -= rate * v, or with nesterov rate * (g + momentum * v) (as PyTorch) */
  SLUICE_SGD = 2,
  /* v = alpha * v + (1 - alpha) * g^2; w -= rate * g / (sqrt(v) + epsilon) (Hinton 2012, as
   * PyTorch) */
  SLUICE_RMSPROP = 3
} sluice_optimizer;

/* The learning rate at a step, counted from 0. With warmup_steps it is multiplied by (step + 1) /
 * warmup_steps as long as that is below 1. */
typedef enum {
  SLUICE_CONSTANT = 0,
  SLUICE_COSINE = 1, /* rate * (1 + cos(pi * step / total_steps)) / 2 (Loshchilov, Hutter 2017) */
  /* rate * schedule_factor ^ (step / schedule_every), the quotient rounded down */
  SLUICE_STEPS = 2,
  /* along cosines: from rate / 25 up to rate at 0.3 * total_steps - 1, then down to rate / 250,000
   * at the last step (Smith, Topin 2018, as PyTorch's OneCycleLR) */
  SLUICE_ONE_CYCLE = 3
} sluice_schedule;

/* ---- Penalties ------------------------------------------------------------------------------ */

/* Groups of weights. Each may have penalties of its own. */
typedef enum {
  SLUICE_INPUT_WEIGHTS = 0,     /* of recurrent layers, over their input */
  SLUICE_RECURRENT_WEIGHTS = 1, /* of recurrent layers, over their state */
  SLUICE_BIASES = 2,            /* and the weights and biases of normalizations */
  SLUICE_OUTPUT_WEIGHTS = 3,    /* of Dense layers */
  SLUICE_EMBEDDING_WEIGHTS = 4,
  SLUICE_GROUP_COUNT = 5
} sluice_weight_group;

/* The penalties of a group; 0 turns each off. */
typedef struct {
  float l1, l2, weight_decay; /* replace the fields of these names in sluice_train_options */
  /* After the update, a row (all weights of one output) with a larger norm is scaled to this norm
   * (Srivastava et al. 2014). */
  float max_norm;
} sluice_penalty;

/* ---- Dropout and frozen layers -------------------------------------------------------------- */

/* How one layer is trained. Rates are rates of dropping, in [0, 1). While training, a kept number
 * is divided by 1 - rate. */
typedef struct {
  /* Of the layer's output, before other layers read it: every number of every frame, the same for
   * all readers. */
  float dropout;
  /* Of the state, before it enters the recurrent products (Gal, Ghahramani 2016): one mask a
   * sequence, for all steps and gates. The state that is carried to the next step is not masked. */
  float recurrent_dropout;
  /* Of the frame and the state, before they enter the gates: r and z of a GRU; i, f and o of an
   * LSTM. One mask a sequence, for all steps. The candidate reads them unmasked. Must be 0 for
   * other layers, and for matrices of low rank. */
  float gate_dropout;
  uint32_t frozen; /* 1: the layer keeps its weights */
} sluice_layer_options;

/* ---- Rounding ------------------------------------------------------------------------------- */

/* Training for fixed point: forward and backward passes use weights and values that are rounded as
 * on the device. The gradient ignores the rounding ("straight through": Bengio, Leonard, Courville
 * 2013). The update changes the unrounded weights. */
typedef struct {
  void* context;
  /* Writes the rounded weights, which the passes use, into rounded. weights and rounded have the
   * layout of the blob's weight section. Called once a batch. */
  void (*round_weights)(void* context, const float* weights, float* rounded);
  /* [layers] The step to which a layer's output and state are rounded, halves to even, before they
   * enter a product. 0 turns rounding off. It is read in every batch, so it may change, but not to
   * or from 0. */
  const float* unit;
  /* The largest rounded value, in units; at most 32767. The smallest is -largest - 1. */
  float largest;
} sluice_rounding;

/* ---- Options -------------------------------------------------------------------------------- */

/* Rates of dropping are in [0, 1). Weight matrices are penalized and decayed; biases are not,
 * unless `penalties` says so. Pointers must stay valid while the trainer is used. */
typedef struct {
  uint32_t loss, optimizer, schedule; /* sluice_loss, sluice_optimizer, sluice_schedule */
  uint32_t total_steps;               /* of the schedules cosine and one cycle; >= 1 */
  float learning_rate;                /* > 0 */
  float beta1, beta2;                 /* of Adam and AdamW, [0, 1) */
  float epsilon;                      /* > 0 */
  float weight_decay; /* decoupled; not of Adam: w is multiplied by 1 - rate * weight_decay */
  float l2;           /* adds l2 * sum w^2 to the loss: 2 * l2 * w to the gradient */
  float l1;           /* adds l1 * sum |w| to the loss: l1 * sign(w) to the gradient, sign(0) = 0 */
  /* 1: l1 is a separate step after the update instead, which moves w towards 0 by rate * l1 and so
   * makes exact zeros */
  uint32_t proximal;
  /* [SLUICE_GROUP_COUNT] replaces l1, l2 and weight_decay; NULL: the same for all matrices */
  const sluice_penalty* penalties;
  /* [floats of the weight section] every weight is multiplied by its entry after the update: 0
   * holds it at zero, 1 leaves it alone. NULL: none. Read at every step, so it may change in
   * between */
  const float* mask;
  /* Of an embedding, 1: only the rows (ids) that occur in the batch, and their moments, are
   * penalized and updated (lazily, as PyTorch's SparseAdam); 0: all rows */
  uint32_t embedding_rows;
  /* Each number of the penalized gradient is clipped to -clip_value to clip_value, before clip_norm
   * applies; 0 turns it off */
  float clip_value;
  float momentum;                        /* of SGD, [0, 1) */
  uint32_t nesterov;                     /* of SGD; 1: Nesterov's momentum */
  float alpha;                           /* of RMSprop, [0, 1) */
  uint32_t schedule_every, warmup_steps; /* >= 1; 0 for no warm-up */
  float schedule_factor;                 /* (0, 1] */
  float clip_norm;     /* gradient * min(1, clip_norm / |gradient|); 0 turns it off */
  float dropout_input; /* rate for the standardized inputs, every element of every frame */
  /* rate for the output of the layer before the last; ignored if `layers` is given */
  float dropout_output;
  const sluice_layer_options* layers; /* [layers]; NULL: none */
  /* [sluice_info.answers] replaces `loss`: each part of the answer has a loss of its own, and their
   * sum is minimized. Targets are then given as sluice_sequence.values. NULL: one loss */
  const sluice_answer_options* answers;
  float huber_delta; /* > 0 */
  /* [0, 1): the target of the class is 1 - label_smoothing + label_smoothing / classes, that of
   * every other class label_smoothing / classes (Szegedy et al. 2016). A binary target t becomes
   * t * (1 - label_smoothing) + label_smoothing / 2 */
  float label_smoothing;
  /* 1: the losses of a sequence are added up instead of averaged; the mean is over sequences */
  uint32_t sum_over_steps;
  /* [classes] of cross entropy, [2] of binary: weights of the targets; a mean is then divided by
   * the sum of its targets' weights. NULL: all 1 */
  const float* class_weights;
  float batch_norm_momentum; /* [0, 1]: the share by which running moments move to a batch's */
  /* 1: the running variance is that of a batch divided by n (as Keras); 0: by n - 1 (as PyTorch) */
  uint32_t batch_norm_biased;
  uint64_t seed;          /* of the dropout masks */
  uint32_t max_sequences; /* the most sequences in a batch; 1 to 2^20 */
  uint32_t max_steps;     /* the most frames in a sequence; 1 to 2^20 */
  /* How many shards of 8 sequences are in memory at the same time, and so can be computed in
   * parallel: 8 on a desktop, 1 on a board; 1 to 2^20. Changes memory, not bits. Batch
   * normalization needs all shards of a batch in memory at the same time, whatever this says. */
  uint32_t shards;
  const sluice_rounding* rounding; /* NULL: none */
} sluice_train_options;

/* Returns PyTorch 2.13's defaults: Adam, rate 1e-3, betas 0.9 and 0.999, alpha 0.99, epsilon 1e-8,
 * schedule steps by 0.1, everything else off; and batches of 16 sequences of 1,000 steps. */
sluice_train_options sluice_train_defaults(void);

/* ---- Batches -------------------------------------------------------------------------------- */

/* One sequence and its targets. The caller owns the arrays and keeps them during the call. */
typedef struct {
  /* [steps][inputs] as the model's first layer reads them: the model itself standardizes them */
  const float* x;
  uint32_t steps; /* 1 or more, so that the model answers at least one (sluice_info.first_answer) */
  /* The sequence's number in the data set. Dropout masks depend on the seed, the step and it. */
  uint64_t number;
  /* Targets of cross entropy: [1], or [steps] for a model that answers every step; -1 is masked.
   * Also of binary with one output, as 0 or 1, instead of values. Those of steps without an answer
   * (sluice_info.stride) do not count; so it is with values. */
  const int32_t* classes;
  /* Targets of the other losses: [outputs], or [steps][outputs]; NaN is masked. Binary: 0 to 1. If
   * each part of the answer has a loss, the targets of the parts follow one another: one number,
   * the class, for cross entropy, and as many as the part has outputs for the other losses. */
  const float* values;
  const int32_t* ids; /* [steps] replaces x for a model that begins with an embedding */
  /* The stream's state, in the layout and size of sluice_state, for long sequences in pieces: the
   * sequence begins from it, and leaves its last state in it. No gradient goes back through it.
   * NULL: begins like a stream after sluice_reset. */
  float* state;
  /* With state, 1: this is the first piece of the long sequence, which begins like a stream after
   * sluice_reset and only leaves its last state in `state`. So an initial state of the model
   * receives its gradient. 0: the sequence begins from `state`. */
  uint32_t begins;
} sluice_sequence;

typedef struct {
  /* Sum of the losses over valid targets (values: over their outputs too), weighted, without
   * penalties. With several losses: the sum of their weighted means, times `weight`. */
  double loss_sum;
  double weight;        /* the mean loss is loss_sum / weight; the sum of the targets' weights */
  uint64_t targets;     /* valid targets (mse: numbers) */
  uint64_t correct;     /* cross entropy: targets whose class had the largest output */
  double gradient_norm; /* of the penalized gradient, before clipping */
  double learning_rate; /* of this step */
  /* after clipping by value and by norm; infinite or NaN if the gradient is */
  double gradient_norm_clipped;
} sluice_train_result;

/* ---- Threads and processes ------------------------------------------------------------------ */

/* Bytes that one rank has and others receive, at the same place in their memory. */
typedef struct {
  void* data;
  uint64_t bytes;
  uint32_t from; /* the rank that has them */
  uint32_t to;   /* the rank that receives them; SLUICE_EVERY_RANK: all */
} sluice_piece;
#define SLUICE_EVERY_RANK 0xFFFFFFFFu

/* How the work is spread. All zero: one thread of one process.
 *
 * Several processes (ranks) may train together. Each starts a trainer with the same options on the
 * same blob, and takes the same steps, of the same whole batches, with its own rank. A batch is cut
 * into shards of 8 sequences, and each rank computes every ranks-th of them. gather then brings the
 * losses, states and partial sums of all shards to every rank. It brings each rank one slice of all
 * shards' gradients; the rank adds them up in the order of the shards, as one process does, and
 * gather brings the sums to every rank. So after every step all ranks hold the same weights, equal
 * to the bit to those of one process. */
typedef struct {
  void* context;
  /* Calls task(argument, i) for every i < n, in any order and in any number of threads, and returns
   * when all are done. NULL: one after the other. */
  void (*parallel_for)(void* context, uint32_t n, void (*task)(void* argument, uint32_t i),
                       void* argument);
  uint32_t rank;  /* the number of this process, from 0 */
  uint32_t ranks; /* how many processes there are; 0 or 1: this one is alone */
  /* Fills, at every rank, the pieces that this rank receives. All ranks call it with pieces that
   * differ only in their addresses. Returns 0, or anything else if it failed: the step then ends
   * with SLUICE_GATHER, and the weights are those from before the step. */
  int (*gather)(void* context, const sluice_piece* pieces, uint32_t n);
} sluice_host;

/* ---- The trainer ---------------------------------------------------------------------------- */

/* The handle is of a fixed size and is owned by the caller. */
typedef struct {
  uint64_t opaque[32];
} sluice_trainer;

/* Returns the bytes of the arena, exact; 0 for options that sluice_train_start refuses. */
uint64_t sluice_train_needs(const sluice_model* model, const sluice_train_options* options);

/* Starts a trainer from the model's weights.
 * model  it and its blob must stay valid while the trainer is used; the blob is not changed
 * arena  at a multiple of 16, of at least sluice_train_needs bytes; it holds weights, gradient,
 *        moments and all values of a batch */
sluice_status sluice_train_start(sluice_trainer* trainer, const sluice_model* model,
                                 const sluice_train_options* options, void* arena, size_t bytes);

/* Takes one step on a batch of n sequences: forward, backward, update.
 * A batch without a valid target changes nothing except the step number. SLUICE_BATCH, and
 * SLUICE_OPTIONS for a rank that is not below ranks, are returned before anything is changed.
 * host    may be NULL: one thread of one process
 * result  may be NULL */
sluice_status sluice_train_step(sluice_trainer* trainer, const sluice_sequence* sequences,
                                uint32_t n, const sluice_host* host, sluice_train_result* result);

/* Writes the weights as trained so far into blob, which must be a copy of the blob that training
 * started from, and corrects its checksum. */
sluice_status sluice_train_store(const sluice_trainer* trainer, void* blob, size_t bytes);

/* Multiplies the learning rate of all later steps by factor, 0 or more. It replaces the factor set
 * before (1 at the start). It serves schedules that depend on results. */
sluice_status sluice_train_set_rate(sluice_trainer* trainer, double factor);

/* ---- Gradients ------------------------------------------------------------------------------ */

/* Both return a gradient in the layout of the blob's weight section, penalized and clipped by value
 * but not by norm. It is a view into the arena, valid until the next call. */

/* Computes the gradient of a batch without an update, for tests and for optimizers of your own, and
 * fills result. Returns NULL on an error; *status says which. result and status may be NULL. */
const float* sluice_train_gradient(sluice_trainer* trainer, const sluice_sequence* sequences,
                                   uint32_t n, const sluice_host* host, sluice_train_result* result,
                                   sluice_status* status);

/* Returns the gradient of the last batch. It is meaningless before the first batch, and after one
 * without valid targets. */
const float* sluice_train_last_gradient(const sluice_trainer* trainer);

/* ---- Checkpoints ---------------------------------------------------------------------------- */

/* Save and restore everything that a training carries from step to step: weights, moments, the
 * number of the step, the optimizer's powers, the factor of the rate. After restoring it into a
 * trainer that was started in the same way, on any machine of the same byte order, the following
 * steps give the same bits. The state is plain bytes: any bytes of the right size are safe to
 * restore. Another size is refused (SLUICE_STATE_SMALL) and changes nothing. The size depends on
 * the trainer, and is exact. */
size_t sluice_train_state_bytes(const sluice_trainer* trainer);
sluice_status sluice_train_save(const sluice_trainer* trainer, void* state, size_t bytes);
sluice_status sluice_train_restore(sluice_trainer* trainer, const void* state, size_t bytes);

#ifdef __cplusplus
}
#endif
#endif
