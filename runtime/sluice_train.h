/* Sluice's trainer: forward, back-propagation through time, and the optimizer step, in one arena
 * that the caller hands over. A separate compile unit: firmware that only runs models does not link
 * it.
 *
 * Train what a blob holds: open a blob with initial weights, start a trainer on it, take steps,
 * store the weights into a copy of the blob. The same options, seed, batches and blob give the same
 * bytes on every instruction set, for any number of threads.
 */
#ifndef SLUICE_TRAIN_H
#define SLUICE_TRAIN_H

#include "sluice.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  uint64_t opaque[32];
} sluice_trainer;

typedef enum {
  SLUICE_CROSS_ENTROPY =
      0,          /* -log p[class], mean over valid targets; the last layer is Dense with softmax */
  SLUICE_MSE = 1, /* mean over valid targets and outputs of (y - value)^2 */
  SLUICE_HUBER = 2, /* likewise of e^2 / 2 where |e| <= huber_delta, else huber_delta * (|e| -
                       huber_delta / 2) (Huber 1964) */
  SLUICE_BINARY = 3 /* binary cross entropy -(t log p + (1 - t) log(1 - p)); the last layer is Dense
                       with sigmoid */
} sluice_loss;
typedef enum {
  SLUICE_ADAM = 0,  /* Kingma, Ba 2015 */
  SLUICE_ADAMW = 1, /* with decoupled weight decay: Loshchilov, Hutter 2019 */
  SLUICE_SGD = 2, /* v = momentum * v + g; w -= rate * v, or with nesterov rate * (g + momentum * v)
                     (PyTorch's) */
  SLUICE_RMSPROP = 3 /* v = alpha * v + (1 - alpha) * g^2; w -= rate * g / (sqrt(v) + epsilon)
                        (Hinton 2012, PyTorch's) */
} sluice_optimizer;
/* The rate at a step, counted from 0. With warmup_steps it is multiplied by (step + 1) /
 * warmup_steps as long as that is below 1. */
typedef enum {
  SLUICE_CONSTANT = 0,
  SLUICE_COSINE = 1, /* rate * (1 + cos(pi * step / total_steps)) / 2 (Loshchilov, Hutter 2017) */
  SLUICE_STEPS =
      2, /* rate * schedule_factor ^ (step / schedule_every), the quotient rounded down */
  SLUICE_ONE_CYCLE =
      3 /* by cosines from rate / 25 up to rate at 0.3 * total_steps - 1, and down to rate / 250,000
         * at the last step (Smith, Topin 2018, as PyTorch's OneCycleLR) */
} sluice_schedule;

/* Training for fixed point: the passes use weights and values rounded as on the device, and
 * gradients pass the roundings as if these were not there ("straight through": Bengio, Leonard,
 * Courville 2013). The update moves the weights themselves. */
typedef struct {
  void* context;
  /* Writes into seen what the passes use in place of weights; both lie as the blob's weight
   * section. Called once a batch. */
  void (*see)(void* context, const float* weights, float* seen);
  const float* unit; /* [layers] what a layer hands on, and its state, enter products as multiples
                      * of this, halves to the even one. 0: as they are. Read in every batch, so it
                      * may change, but not to or from 0 */
  float largest;     /* multiple, at most 32767; the smallest is -largest - 1 */
} sluice_rounding;

/* Kinds of weights, which may be penalized each in its own way. */
typedef enum {
  SLUICE_INPUT_WEIGHTS = 0,     /* of recurrent layers: over what enters */
  SLUICE_RECURRENT_WEIGHTS = 1, /* over the state */
  SLUICE_BIASES = 2,            /* and the weights and biases of normalizations */
  SLUICE_OUTPUT_WEIGHTS = 3,    /* of Dense layers */
  SLUICE_EMBEDDING_WEIGHTS = 4,
  SLUICE_GROUP_COUNT = 5
} sluice_weight_group;

/* 0: off. */
typedef struct {
  float l1, l2, weight_decay; /* as those of sluice_train_options, which these stand in place of */
  float max_norm; /* after the update, a row (all weights into one number) with a larger norm is
                   * scaled to it (Srivastava et al. 2014) */
} sluice_penalty;

/* A loss of one part of the answer (sluice_describe_answer). */
typedef struct {
  uint32_t loss; /* sluice_loss */
  float weight;  /* > 0: what the mean over its valid targets is multiplied by */
} sluice_answer_options;

/* What training does to one layer. Rates of dropping, in [0, 1). */
typedef struct {
  float dropout; /* on the layer's output as other layers read it, every number of every frame; the
                    same for all readers */
  float recurrent_dropout; /* on the state as it enters the recurrent products: one mask a sequence
                              for all steps and gates */
  float gate_dropout; /* on frame and state as the gates see them, of a GRU r and z, of an LSTM i, f
                       * and o: one mask a sequence for all steps. The candidate sees them whole. 0
                       * for other layers */
  uint32_t frozen;    /* 1: its weights stay as they are */
} sluice_layer_options;

/* Rates are rates of dropping, in [0, 1). Weight matrices are penalized and decayed; biases are
 * not, unless `penalties` says so. */
typedef struct {
  uint32_t loss, optimizer, schedule;
  uint32_t total_steps; /* of cosine and one cycle; >= 1 */
  float learning_rate;  /* > 0 */
  float beta1, beta2;   /* [0, 1) */
  float epsilon;        /* > 0 */
  float weight_decay;   /* decoupled, not of Adam: w is multiplied by 1 - rate * weight_decay */
  float l2;             /* adds l2 * sum w^2 to the loss: 2 * l2 * w to the gradient */
  float l1;          /* adds l1 * sum |w| to the loss: l1 * sign(w) to the gradient, sign(0) = 0 */
  uint32_t proximal; /* 1: l1 is a step of its own after the update instead, towards 0 by rate * l1,
                        which makes exact zeros */
  const sluice_penalty* penalties; /* [SLUICE_GROUP_COUNT] in place of l1, l2 and weight_decay;
                                    * NULL: none. Must stay while the trainer is used */
  const float* mask; /* [floats of the weight section] what every weight is multiplied by after the
                      * update: 0 holds it at zero, 1 leaves it alone. NULL: none. Read at every
                      * step, so it may change in between */
  uint32_t
      embedding_rows; /* 1: of an embedding, only the rows (ids) that a batch has seen are penalized
                       * and updated, their moments too (lazily, as PyTorch's SparseAdam); 0: all */
  float clip_value;   /* each number of the penalized gradient to -clip_value to clip_value, before
                         clip_norm; 0 for none */
  float momentum;     /* SGD's, [0, 1) */
  uint32_t nesterov;  /* SGD: 1 for Nesterov's */
  float alpha;        /* RMSprop's, [0, 1) */
  uint32_t schedule_every, warmup_steps; /* >= 1; 0 for none */
  float schedule_factor;                 /* (0, 1] */
  float clip_norm;                       /* gradient * min(1, clip_norm / |gradient|); 0 for none */
  float dropout_input;                   /* on standardized inputs, every element of every frame */
  float dropout_output; /* on the output of the layer before the last; not if `layers` is given */
  const sluice_layer_options*
      layers; /* [layers]; NULL: none. Must stay while the trainer is used */
  const sluice_answer_options*
      answers; /* [sluice_info.answers] in place of `loss`: a loss for each part of the answer, the
                * sum of which is minimized; targets are values then. NULL: one loss. Must stay
                * while the trainer is used */
  float huber_delta;          /* > 0 */
  float label_smoothing;      /* [0, 1): a class's target is 1 - label_smoothing + label_smoothing /
                               * classes, the others' the last term (Szegedy et al. 2016); of binary
                               * targets t * (1 - label_smoothing) + label_smoothing / 2 */
  uint32_t sum_over_steps;    /* 1: a sequence's losses are added up, not averaged; the mean is over
                                 sequences */
  const float* class_weights; /* [classes] of cross entropy and binary (there 2); a mean is then
                               * divided by the sum of its targets' weights; NULL: all 1. Must stay
                               * while the trainer is used */
  float batch_norm_momentum;  /* [0, 1]: running moments move by it towards a batch's */
  uint32_t batch_norm_biased; /* 1: the running variance is that of a batch, divided by n (Keras's);
                                 0: by n - 1 (PyTorch's) */
  uint64_t seed;              /* of the dropout masks */
  uint32_t max_sequences;     /* the most sequences in a batch */
  uint32_t max_steps;         /* the most frames in a sequence */
  uint32_t shards; /* shards of 8 sequences in flight: 8 on the desk, 1 on a board; changes memory,
                      not bits */
  const sluice_rounding* rounding; /* NULL: none; must stay while the trainer is used */
} sluice_train_options;

/* PyTorch 2.13's defaults: Adam, rate 1e-3, betas 0.9 and 0.999, alpha 0.99, epsilon 1e-8, steps by
 * 0.1, everything else off; 16 sequences of 1,000 steps. */
sluice_train_options sluice_train_defaults(void);

/* Bytes that one rank has and others are to get, to where the same thing lies with them. */
typedef struct {
  void* data;
  uint64_t bytes;
  uint32_t from; /* the rank that has them */
  uint32_t to;   /* the rank that is to get them; SLUICE_EVERY_RANK: every one */
} sluice_piece;
#define SLUICE_EVERY_RANK 0xFFFFFFFFu

/* Where the work goes. All zero: one thread of one process.
 *
 * Several processes, ranks, may train together: each starts a trainer with the same options on the
 * same blob, and takes the same steps, of the same whole batches, with its own rank. A batch is cut
 * into shards of 8 sequences; every ranks-th of them is a rank's own to compute. gather brings all
 * shards' losses, states and partial sums to every rank, and their gradients by slices, one to each
 * rank, which adds them up in the order of the shards, as one process does, and then the sums to
 * every rank. So all ranks hold the same weights after every step, those that one process would
 * have, to the bit. */
typedef struct {
  void* context;
  /* Calls task(argument, i) for every i < n, in any order, at the same time or not, and returns
   * when all are done. NULL: one after the other. */
  void (*parallel_for)(void* context, uint32_t n, void (*task)(void* argument, uint32_t i),
                       void* argument);
  uint32_t rank, ranks; /* this process, from 0, of how many; ranks 0 or 1: alone */
  /* Fills, at every rank, the pieces that it is to get. All ranks call it with pieces that differ
   * in nothing but where they lie. Returns 0, or anything else where that failed: the step then
   * ends with SLUICE_GATHER, the weights as they were before it. */
  int (*gather)(void* context, const sluice_piece* pieces, uint32_t n);
} sluice_host;

typedef struct {
  const float* x; /* [steps][inputs], as the model's first layer wants them (standardized by the
                     model itself) */
  uint32_t steps; /* 1 or more */
  uint64_t
      number; /* the sequence's number in the data set: dropout masks depend on seed, step and it */
  const int32_t* classes; /* cross entropy: [1], or [steps] for a model that answers every step; -1
                           * is masked. Binary with one output: 0 or 1, in place of values */
  const float* values;    /* of the other losses: [outputs], or [steps][outputs]; NaN is masked.
                           * Binary: 0 to 1. With a loss for each part of the answer, the targets of
                           * one part after another: of cross entropy one number, the class, of
                           * other losses as many as the part has outputs */
  const int32_t* ids;     /* [steps] in place of x, for a model that begins with an embedding */
  float* state; /* the stream's state (as sluice_state has it, sluice_needs says its size) that the
                 * sequence begins with and is left at, for long sequences in pieces; no gradient
                 * goes back through it. NULL: zero */
} sluice_sequence;

typedef struct {
  double loss_sum;  /* summed over valid targets (values: over their outputs too), weighted; without
                     * penalties. With several losses the sum of their weighted means, times
                     * `weight` */
  double weight;    /* what the mean divides it by: the sum of the targets' weights */
  uint64_t targets; /* valid ones (mse: numbers) */
  uint64_t correct; /* cross entropy: where the largest output was the class */
  double gradient_norm;         /* of the penalized gradient, before clipping */
  double learning_rate;         /* of this step */
  double gradient_norm_clipped; /* after clipping by value and by norm; infinite or NaN where the
                                   gradient is */
} sluice_train_result;

/* Bytes of the arena, exact; 0 for options that sluice_train_start refuses. */
uint64_t sluice_train_needs(const sluice_model* model, const sluice_train_options* options);

/* model and its blob must stay while the trainer is used; the blob is not changed. arena at a
 * multiple of 16. */
sluice_status sluice_train_start(sluice_trainer* trainer, const sluice_model* model,
                                 const sluice_train_options* options, void* arena, size_t bytes);

/* One batch: forward, backward, update. result may be NULL. A batch with no valid target changes
 * nothing but the step number. SLUICE_BATCH, SLUICE_OPTIONS (a host's rank that is none): refused
 * before anything is changed. */
sluice_status sluice_train_step(sluice_trainer* trainer, const sluice_sequence* sequences,
                                uint32_t n, const sluice_host* host, sluice_train_result* result);

/* The gradient of a batch without an update, in the layout of the blob's weight section (tests, and
 * optimizers of your own): fills result and returns a view into the arena, valid until the next
 * call; NULL and *status otherwise. */
const float* sluice_train_gradient(sluice_trainer* trainer, const sluice_sequence* sequences,
                                   uint32_t n, const sluice_host* host, sluice_train_result* result,
                                   sluice_status* status);

/* The weights as trained so far, written into a copy of the blob that training started from; its
 * checksum made right. */
sluice_status sluice_train_store(const sluice_trainer* trainer, void* blob, size_t bytes);

/* All that a training carries from step to step, as plain bytes: weights, moments, the step's
 * number, the optimizer's powers, the factor of the rate. Restored into a trainer that was started
 * in the same way, on any machine of the same byte order, the steps that follow give the same bits.
 * Any bytes of that size are safe to restore; bytes of another size are refused
 * (SLUICE_STATE_SMALL) and change nothing. The size is that of one trainer, and exact. */
size_t sluice_train_state_bytes(const sluice_trainer* trainer);
sluice_status sluice_train_save(const sluice_trainer* trainer, void* state, size_t bytes);
sluice_status sluice_train_restore(sluice_trainer* trainer, const void* state, size_t bytes);

/* Multiplies the rates of all steps to come by factor, 0 or more, in place of the factor set before
 * (1 at the start): for a schedule that looks at results. */
sluice_status sluice_train_set_rate(sluice_trainer* trainer, double factor);

/* The gradient of the last batch, as the optimizer met it but for clipping by norm, in the layout
 * of the blob's weight section; valid until the next call. Meaningless before the first batch and
 * after one without valid targets. */
const float* sluice_train_last_gradient(const sluice_trainer* trainer);

#ifdef __cplusplus
}
#endif
#endif
