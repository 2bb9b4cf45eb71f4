/* Sluice: runs recurrent networks from a blob, without a heap. This header is the manual of the C
 * interface. A whole program, for a model in any number format:
 *
 *     #include <stdio.h>
 *     #include "sluice.h"
 *
 *     static _Alignas(SLUICE_ALIGNMENT) unsigned char blob[65536], state[4096], scratch[16384];
 *
 *     int main(void) {
 *       FILE* file = fopen("model.slu", "rb");
 *       const size_t bytes = file ? fread(blob, 1, sizeof blob, file) : 0;
 *       const sluice_use use = {1, 1};  // one frame at a time, of one stream
 *       sluice_model model;
 *       sluice_stream stream;
 *       sluice_status status = sluice_open(&model, blob, bytes, NULL);
 *       if (status == SLUICE_OK)
 *         status = sluice_start(&stream, &model, use,  // checks the sizes of the memory
 *                               state, sizeof state, scratch, sizeof scratch);
 *       if (status != SLUICE_OK) {
 *         puts(sluice_status_text(status));
 *         return 1;
 *       }
 *       const sluice_info info = sluice_describe(&model);
 *       if (info.inputs > 64 || info.outputs > 16) return 1;
 *
 *       float values[64] = {0}, frame[64], answer[16], result[16];
 *       for (int t = 0; t < 100; ++t) {  // the stream keeps its state from step to step
 *         sluice_quantize(&model, values, frame, 1);  // floats into the model's number format
 *         sluice_step(&stream, frame, answer);
 *         sluice_dequantize(&model, answer, result, 1);  // and back
 *       }
 *       printf("%u\n", (unsigned)sluice_argmax(result, info.outputs));
 *       return 0;
 *     }
 *
 * Memory: the caller owns all of it: the blob, the handles, state and scratch. Nothing here
 * allocates, prints, throws, reads a clock or the environment, or keeps static state.
 *
 * Errors: sluice_open and sluice_start find everything that can be wrong and return a status. After
 * them, a step cannot fail.
 *
 * Threads: an opened model is read-only, and threads may share it. A stream belongs to one thread
 * at a time.
 *
 * Results: the same blob and the same input give the same bits on every instruction set (scalar,
 * AVX2, AVX-512, NEON, ARMv7, Cortex-M), whether a stream is stepped frame by frame, run as a
 * sequence, or stepped together with other streams.
 *
 * In the comments, [n][m] is the shape of an array, rows first. Frames and answers are arrays
 * without padding.
 */
#ifndef SLUICE_H
#define SLUICE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Versions and errors -------------------------------------------------------------------- */

#define SLUICE_VERSION_MAJOR 0
#define SLUICE_VERSION_MINOR 1
#define SLUICE_VERSION_PATCH 0
#define SLUICE_BLOB_MAJOR 1 /* the newest blob format that this runtime reads */
#define SLUICE_BLOB_MINOR 0

/* Returns the version of the library that is linked: major << 16 | minor << 8 | patch. */
uint32_t sluice_version(void);

typedef enum {
  SLUICE_OK = 0,
  SLUICE_NULL = 1,           /* a pointer that must not be null is null */
  SLUICE_MISALIGNED = 2,     /* the blob, state, scratch or arena is not at a multiple of 16 */
  SLUICE_TRUNCATED = 3,      /* there are fewer bytes than the blob's header says */
  SLUICE_NOT_A_BLOB = 4,     /* the bytes do not begin with the magic number */
  SLUICE_NEWER_FORMAT = 5,   /* the blob format is newer than this runtime reads */
  SLUICE_CHECKSUM = 6,       /* the CRC-32 does not match: damaged in storage or transfer */
  SLUICE_STRUCTURE = 7,      /* a size, offset or reserved field of the blob is not valid */
  SLUICE_LAYER_MISSING = 8,  /* the blob has a kind of layer that this build does not hold */
  SLUICE_FORMAT_MISSING = 9, /* the blob has a number format that this build does not hold */
  SLUICE_SHAPE = 10,         /* the layers do not fit one another */
  /* a weight or scale is infinite or not a number; in fixed point, a weight is -128 */
  SLUICE_WEIGHTS = 11,
  SLUICE_ISA_UNKNOWN = 12,   /* this build has no instruction set of that name */
  SLUICE_ISA_MISSING = 13,   /* this CPU does not run that instruction set */
  SLUICE_USE = 14,           /* the use has 0 steps or 0 streams, or needs more than 4 GiB */
  SLUICE_STATE_SMALL = 15,   /* the state has fewer bytes than sluice_needs says */
  SLUICE_SCRATCH_SMALL = 16, /* the scratch has fewer bytes than sluice_needs says */
  SLUICE_OPTIONS = 17,       /* a training option is out of its range */
  SLUICE_ARENA_SMALL = 18,   /* the arena has fewer bytes than sluice_train_needs says */
  /* the batch is empty, has more or longer sequences than announced, or a class out of range */
  SLUICE_BATCH = 19,
  /* the network does not fit the loss, or a blob is not the trained network's */
  SLUICE_NOT_TRAINABLE = 20,
  /* the weights are in another core's order (see sluice export --core), or they are sparse and this
   * build has no sparse products */
  SLUICE_ORDER = 21,
  SLUICE_NO_SELF_TEST = 22, /* the blob holds no self-test (sluice export --self-test) */
  /* the self-test gave other bits: the port, the compiler or the memory is at fault */
  SLUICE_SELF_TEST = 23,
  SLUICE_GATHER = 24, /* training: the host's gather failed */
  SLUICE_STATUS_COUNT = 25
} sluice_status;

/* Return a status's name ("SLUICE_CHECKSUM") and a sentence that explains it. Linked only when
 * called. */
const char* sluice_status_name(sluice_status status);
const char* sluice_status_text(sluice_status status);

/* ---- Open and describe a model -------------------------------------------------------------- */

/* An opened blob. The handle is of a fixed size, is owned by the caller and may be copied. It
 * points into the blob and holds no memory of its own. */
typedef struct {
  uint64_t opaque[8];
} sluice_model;

/* The alignment in bytes that a blob, and the memory handed over, must have. A blob at a multiple
 * of 64 is read faster. */
#define SLUICE_ALIGNMENT 16

/* Opens a blob in place, after checking all of it.
 * blob   at a multiple of SLUICE_ALIGNMENT; the caller keeps it, unmoved, as long as the model is
 *        used
 * bytes  its size; more than the blob itself has is allowed
 * isa    the instruction set: "scalar", "avx2", "avx2-vnni", "avx512", "avx512-vnni", "neon",
 *        "neon-dot" or "armv7"; on Cortex-M its only one. NULL for the best that this CPU runs */
sluice_status sluice_open(sluice_model* model, const void* blob, size_t bytes, const char* isa);

/* The number format of a model: of its frames, its answers and all of its layers. kernels/README.md
 * defines the arithmetic of each to the bit.
 *                  a frame    an answer
 *   SLUICE_F32     float      float
 *   SLUICE_INT8    int8_t     int16_t
 *   SLUICE_W8A16   int16_t    int16_t
 * A model in SLUICE_INT8 takes frames of int16_t, so that they keep their precision, if it begins
 * with a difference, or if it adds numbers of its frame to its answer, as one does that learned
 * differences from the last value. A model that begins with an embedding reads ids: its frame is
 * one int32_t in every format. sluice_info.frame_bytes tells them apart. */
typedef enum { SLUICE_F32 = 0, SLUICE_INT8 = 1, SLUICE_W8A16 = 2 } sluice_format;

typedef struct {
  uint32_t inputs, outputs; /* numbers in a frame, and in an answer */
  uint32_t layers;
  uint32_t bytes; /* size of the whole blob */
  /* 1: sluice_run gives an answer for every frame (but see stride); 0: one, for the last frame of
   * the call */
  uint32_t every_step;
  uint32_t format;     /* sluice_format */
  uint64_t macs;       /* multiply-accumulates of one step */
  uint32_t vocabulary; /* how many ids there are, if frames are ids; else 0 */
  /* 1: a layer goes in both directions or looks ahead, so that the model takes whole sequences:
   * every call of sluice_run, and every frame of sluice_step and sluice_step_many, is a sequence of
   * its own that begins from the state of sluice_reset. sluice_use.steps must then be the length of
   * the longest sequence: a longer one is cut into sequences of that length. */
  uint32_t whole_sequences;
  /* parts of an answer: 1, or the number of sources if the network ends in a concat
   * (sluice_describe_answer) */
  uint32_t answers;
  uint32_t frame_bytes; /* bytes of a number of a frame: 4, 2 or 1 */
  /* The frames of a sequence, counted from 0, that have an answer: first_answer, then every
   * stride-th one. 0 and 1 unless a window has a stride or begins later; the others have no
   * answer. */
  uint32_t first_answer, stride;
} sluice_info;
sluice_info sluice_describe(const sluice_model* model);

typedef enum {
  SLUICE_STANDARDIZE = 1, /* y = (x - mean) * scale */
  /* resets after the recurrent product, with two biases: as PyTorch, cuDNN, and Keras with
   * reset_after=True */
  SLUICE_GRU = 2,
  SLUICE_DENSE = 3,
  SLUICE_EMBEDDING = 4, /* a column of weights for an id */
  SLUICE_RNN = 5,       /* h' = tanh(...) */
  SLUICE_LSTM = 6,
  /* resets before the recurrent product, with one bias: Cho et al. 2014, Keras with
   * reset_after=False */
  SLUICE_GRU_BEFORE = 7,
  SLUICE_BATCH_NORM = 8,
  SLUICE_LAYER_NORM = 9,
  SLUICE_DIFFERENCE = 10, /* y = x - x of the step before; 0 for a stream's first step */
  SLUICE_SELECT = 11,     /* some numbers of x, in any order, and zeros */
  SLUICE_CONCAT = 12,     /* joins: its sources, one behind another */
  SLUICE_ADD = 13,        /* joins: the sum of its sources, number by number */
  SLUICE_MULTIPLY = 14,   /* joins: the product of its sources, number by number */
  /* gate and candidate share one matrix over the input and one over the state: Kusupati et al.
   * 2018 */
  SLUICE_FASTGRNN = 15,
  /* x of some steps before and of this one, the oldest first; zeros before a stream's first step.
   * A Dense that reads it is a causal convolution over steps, a pooling a pooling over steps. It
   * may have an output at every few steps only, and then so have all layers that follow */
  SLUICE_WINDOW = 16,
  /* The frame is cut into equal parts, each of which holds rows of numbers, as many as the part has
   * outputs. For each of these, over the rows: */
  SLUICE_MAX_POOL = 17,  /* the largest number */
  SLUICE_MEAN_POOL = 18, /* the mean */
  SLUICE_NORM_POOL = 19, /* the root of the sum of squares, such as the magnitude of a spectrum */
  SLUICE_UNIT_NORM = 20, /* x / |x|, with |x| the root of the sum of squares */
  SLUICE_CURVE = 21,     /* f(x), number by number */
  /* With one output a sequence, over the steps so far: of each number the largest one, and the
   * mean */
  SLUICE_MAX_OVER_STEPS = 22,
  SLUICE_MEAN_OVER_STEPS = 23,
  /* joins a score and x: the mean of x over the steps so far, weighted by e^score */
  SLUICE_ATTENTION = 24
} sluice_layer_kind;

typedef enum {
  SLUICE_LINEAR = 0,
  SLUICE_TANH = 1,
  SLUICE_SIGMOID = 2,
  SLUICE_RELU = 3,
  SLUICE_SOFTMAX = 4,
  SLUICE_HARD_SIGMOID = 5, /* clip(slope * x + 1/2, 0, 1) */
  SLUICE_ELU = 6,          /* x if x > 0, else alpha * (e^x - 1) */
  SLUICE_LEAKY_RELU = 7,   /* x if x > 0, else alpha * x */
  SLUICE_PRELU = 8,        /* the same with a trained alpha for each unit */
  SLUICE_SILU = 9,         /* x * sigmoid(x) */
  SLUICE_GELU = 10,        /* x * P(x), P the normal distribution */
  SLUICE_GELU_TANH = 11,   /* its approximation by tanh */
  SLUICE_SOFTPLUS = 12,    /* log(1 + e^x) */
  SLUICE_CLIP = 13,        /* x, but at least `low` and at most `high` */
  SLUICE_SOFTSIGN = 14,    /* x / (1 + |x|) */
  SLUICE_EXPONENTIAL = 15, /* e^x */
  SLUICE_SELU = 16,        /* Klambauer et al. 2017 */
  SLUICE_HARD_SILU = 17,   /* x * clip(slope * x + 1/2, 0, 1) */
  SLUICE_SQRT = 18,        /* 0 for negative x */
  SLUICE_LOG = 19          /* of the smallest normal float, 2^-126, for every smaller x */
} sluice_activation;

typedef struct {
  uint32_t kind, format; /* sluice_layer_kind, sluice_format */
  uint32_t activation;   /* sluice_activation; of a recurrent layer, that of its gates */
  uint32_t candidate;    /* sluice_activation of a recurrent layer's candidate: tanh or another */
  uint32_t every_step;   /* 1: the layer has an output for every step */
  uint32_t mean;         /* 1: a recurrent layer whose output is the mean over the steps so far */
  uint32_t both_directions; /* 1: a recurrent layer that goes in both directions */
  uint32_t initial_state; /* 1: a recurrent layer that begins from a state in the blob, not zero */
  uint32_t inputs, outputs; /* numbers that it reads, and numbers of its output */
  uint32_t sources;         /* 1, or how many sources it joins (sluice_layer_source) */
  uint32_t weight_bytes;    /* in the blob, padding included */
  uint32_t state_bytes;     /* in a stream's state */
  uint64_t parameters;      /* numbers, without padding */
  uint64_t macs; /* multiply-accumulates of a step; a sparse layer counts as if it were dense */
  /* recurrent: if its matrices have low rank, W = W1 W2, the number of columns of W1; else 0 */
  uint32_t rank;
  uint32_t peepholes; /* 1: an LSTM whose gates read its cell state */
  uint32_t cells;     /* of an LSTM with a projection: the cells of a direction; else 0 */
  float cell_clip;    /* the largest magnitude of an LSTM's cell state; 0: it is not clipped */
  /* fixed point: the matrices' blocks of 8 x 4 weights, and how many of them the blob stores, which
   * is fewer if the layer is sparse */
  uint32_t blocks, stored_blocks;
  /* the equal parts of its input to each of which a dense or pooling layer applies; of a window its
   * steps; else 0 */
  uint32_t parts;
  uint32_t dilation; /* of a window: every how many steps it takes one; else 0 */
  uint32_t stride;   /* of a window: every how many steps it has an output; else 0 */
  /* of a window: how many steps behind the one of its output it reads. Then the model takes whole
   * sequences */
  uint32_t ahead;
  uint32_t first; /* of a window: the step, counted from 0, of its first output */
} sluice_layer_info;

/* layer: 0 to sluice_info.layers - 1 */
sluice_layer_info sluice_describe_layer(const sluice_model* model, uint32_t layer);

/* Returns the source of a layer: 0 for the frame, else the number of a layer, counted from 1.
 * layer: 0 to sluice_info.layers - 1; source: 0 to sluice_layer_info.sources - 1 */
uint32_t sluice_layer_source(const sluice_model* model, uint32_t layer, uint32_t source);

/* A part of an answer: `outputs` numbers from index `first` on. They are the output of layer
 * `layer`, counted from 1. */
typedef struct {
  uint32_t layer, first, outputs;
} sluice_answer_info;

/* answer: 0 to sluice_info.answers - 1 */
sluice_answer_info sluice_describe_answer(const sluice_model* model, uint32_t answer);

/* Returns the name of the instruction set that the model runs on. */
const char* sluice_isa(const sluice_model* model);

/* Returns FNV-1a (64 bits) over shapes and weights in plain order, without padding. It identifies
 * the model's function, however the weights are stored. */
uint64_t sluice_hash(const sluice_model* model);

/* Return names as recipes write them: "gru", "tanh", "f32"; "unknown" for any other number. Linked
 * only when called. */
const char* sluice_layer_name(uint32_t kind);
const char* sluice_activation_name(uint32_t activation);
const char* sluice_format_name(uint32_t format); /* "f32", "int8", "w8a16" */

/* ---- Memory --------------------------------------------------------------------------------- */

/* How a stream will be used. A longer call is cut into pieces of this size, with the same result.
 * {1, 1} needs the least memory, and is right for a board. */
typedef struct {
  uint32_t steps;   /* the most frames that sluice_run puts through the scratch at once; >= 1 */
  uint32_t streams; /* the most streams that sluice_step_many steps at once; >= 1 */
} sluice_use;

/* Sizes in bytes, exact, and the same on every core. */
typedef struct {
  uint32_t state;   /* of one stream */
  uint32_t scratch; /* all streams of one thread may share it */
} sluice_need;

/* Returns the memory that a stream needs for this use; {0, 0} for a use that sluice_start refuses
 * with SLUICE_USE. */
sluice_need sluice_needs(const sluice_model* model, sluice_use use);

/* ---- Streams and steps ---------------------------------------------------------------------- */

/* One sequence in progress. The handle is of a fixed size, is owned by the caller and may be
 * copied. It points to the model, the state and the scratch. */
typedef struct {
  uint64_t opaque[7];
} sluice_stream;

/* Starts a stream in the caller's memory, with its state reset (sluice_reset).
 * model    must stay where it is while the stream is used
 * state    at a multiple of SLUICE_ALIGNMENT, of this stream alone
 * scratch  at a multiple of SLUICE_ALIGNMENT; it needs no initialization and holds nothing between
 *          calls */
sluice_status sluice_start(sluice_stream* stream, const sluice_model* model, sluice_use use,
                           void* state, size_t state_bytes, void* scratch, size_t scratch_bytes);

/* Computes one step: frame x [inputs] to answer y [outputs], in the model's number format. Returns
 * 1; or 0 if the frame has no answer (sluice_info.stride), and then leaves y as it is. Here and
 * below, x and y must not overlap. */
int sluice_step(sluice_stream* stream, const void* x, void* y);

/* Computes a sequence, or a part of one: x [steps][inputs]; y [answers][outputs] if
 * sluice_info.every_step, else [outputs]. Returns the number of answers: `steps`, or 1; if some
 * frames have no answer, as many as the others are, or 1 if there is any. The bits are those of as
 * many calls of sluice_step. 0 steps do nothing. */
size_t sluice_run(sluice_stream* stream, const void* x, void* y, size_t steps);

/* Computes one step of each of n streams of one model: x [n][inputs] to y [n][outputs]. The streams
 * must be different ones. The scratch of streams[0] serves all. The bits are those of sluice_step
 * on each stream. Returns how many of them have an answer.
 * answered  [n], or NULL: receives 1 for each stream that has an answer, else 0 */
size_t sluice_step_many(sluice_stream* const* streams, size_t n, const void* x, void* y,
                        uint8_t* answered);

/* Returns a stream's whole state, and its size if bytes is not NULL. It is plain bytes, and any
 * value is valid: copy it out to save it, copy it in to continue from there. */
void* sluice_state(sluice_stream* stream, size_t* bytes);

/* Sets the state as at the start: to zero, or for a layer with an initial state
 * (sluice_layer_info.initial_state) to that. */
void sluice_reset(sluice_stream* stream);

/* Return the index of the largest of n >= 1 numbers, the first one of equals. A NaN is never the
 * largest. The second one is for answers in fixed point: logits have the order of their
 * probabilities. */
size_t sluice_argmax(const float* y, size_t n);
size_t sluice_argmax_int16(const int16_t* y, size_t n);

/* ---- Floats in and out ---------------------------------------------------------------------- */

/* Convert n frames [n][inputs] of floats into the model's number format, and n answers [n][outputs]
 * from it into floats. For SLUICE_F32 they copy. In fixed point the results are the same bits on
 * every core:
 * - sluice_quantize takes the nearest number of the calibrated range, and for NaN the lowest one.
 *   For a model that reads ids it drops the fraction; the unknown id stands for any float that is
 *   below 0, 65,536 or more, or not a number.
 * - If an answer, or a part of it, comes from a layer with sigmoid or softmax, a step in fixed
 *   point gives the logits. sluice_dequantize applies the function, and so gives probabilities.
 * Linked only when called. */
void sluice_quantize(const sluice_model* model, const float* x, void* q, size_t n);
void sluice_dequantize(const sluice_model* model, const void* y, float* values, size_t n);

/* ---- Text ----------------------------------------------------------------------------------- */

/* A model that was trained on texts holds its vocabulary (SLUICE_SECTION_VOCABULARY). These
 * functions turn a text into ids, by the rules of the training:
 * - Text is UTF-8. It is not normalized.
 * - A token is a code point, or a word: the characters between white space (Unicode's White_Space,
 *   no-break spaces included), with their punctuation.
 * - Lower case is defined for ASCII, Latin-1, Latin Extended-A, Greek and Cyrillic, one letter to
 *   one letter.
 * - Id 0 is padding and belongs to no token. Id 1 is the unknown token, and also that of each byte
 *   that is not UTF-8.
 * A build without embeddings (SLUICE_LAYERS) has no vocabulary. Linked only when called. */
#define SLUICE_UNKNOWN_ID 1 /* also replaces an id outside the vocabulary that enters a step */

typedef struct {
  uint32_t ids;        /* 0: the model has no vocabulary; else at least 3 */
  uint32_t words;      /* 1: tokens are words; 0: code points */
  uint32_t lower_case; /* 1: text is made lower case: for "Word" the vocabulary holds "word" */
} sluice_vocabulary;
sluice_vocabulary sluice_vocabulary_of(const sluice_model* model);

/* Returns the id of the next token at or after text[*at] and moves *at behind it; -1 if there is
 * none. A word at the end of the text counts as complete. */
int32_t sluice_next_id(const sluice_model* model, const char* text, size_t bytes, size_t* at);

/* Returns the token of an id, inside the blob and not ended by NUL, and its length. Ids 0 and 1,
 * and ids that the vocabulary lacks, have 0 bytes. */
const char* sluice_token(const sluice_model* model, int32_t id, size_t* bytes);

/* ---- Sections of the blob ------------------------------------------------------------------- */

/* runtime/README.md defines their contents. */
typedef enum {
  SLUICE_SECTION_LAYERS = 1,
  SLUICE_SECTION_WEIGHTS = 2,
  SLUICE_SECTION_NAMES = 3,  /* of the inputs */
  SLUICE_SECTION_LABELS = 4, /* of the outputs */
  SLUICE_SECTION_MADE = 5,   /* how the model was made, as JSON */
  SLUICE_SECTION_SCALES = 6,
  SLUICE_SECTION_SELF_TEST = 7,
  SLUICE_SECTION_VOCABULARY = 8,
  SLUICE_SECTION_LAYER_NAMES = 9
} sluice_section_kind;

/* Returns a section's bytes inside the blob, and their number; NULL and 0 if the blob does not have
 * it. kind: sluice_section_kind */
const void* sluice_section(const sluice_model* model, uint32_t kind, size_t* bytes);

/* ---- Trace ---------------------------------------------------------------------------------- */

/* Receives the n values of a frame (layer 0) or of a layer's output (layers counted from 1), in the
 * model's number format. */
typedef void (*sluice_tracer)(void* context, uint32_t layer, const void* values, uint32_t n);

/* Sets the function to call in every later step that the stream takes alone (not together with
 * others in sluice_step_many): first with the frame, then with the output of each layer. NULL ends
 * the trace. Only builds with SLUICE_TRACE (the host tools; for firmware it is off by default) call
 * it. */
void sluice_trace(sluice_stream* stream, sluice_tracer trace, void* context);

/* Writes one traced value as a line of text, such as "step 3 layer 1 unit 17: -1234", ended by a
 * line feed and NUL. The desktop and the board write the same line; a float is written as the 8
 * hexadecimal digits of its bits. Returns the length without the NUL.
 * values: as the tracer received them; unit: which one of them */
size_t sluice_trace_line(const sluice_model* model, uint32_t step, uint32_t layer, uint32_t unit,
                         const void* values, char line[72]);

/* ---- Self-test ------------------------------------------------------------------------------ */

/* Runs the test sequences that the blob holds (SLUICE_SECTION_SELF_TEST) and compares every bit of
 * the answers. So a board can check its own port, without the tools. Returns SLUICE_OK,
 * SLUICE_SELF_TEST, SLUICE_NO_SELF_TEST, or SLUICE_STRUCTURE if the section is not valid.
 * stream  started; it is reset before and after
 * step    may be NULL; else, on SLUICE_SELF_TEST, the first step that differed, counted from 0
 *         through all sequences
 * Linked only when called. */
sluice_status sluice_selftest(sluice_stream* stream, uint32_t* step);

#ifdef __cplusplus
}
#endif
#endif
