/* Sluice: recurrent networks from a blob, without a heap. This header is the manual of the C
 * interface.
 *
 *   A model is an opened blob. It only points into the blob, which must stay where it is; it is
 * read-only and may be shared by threads. A stream is one sequence's state. All memory is the
 * caller's: handles, state, scratch. Nothing here allocates, prints, throws, reads a clock or the
 * environment, or keeps static state.
 *
 *   What can be wrong is found by sluice_open and sluice_start. After them, a step cannot fail.
 *
 *   The same blob and the same input give the same bits on every instruction set (scalar, AVX2,
 * AVX-512, NEON, ARMv7, Cortex-M), stepped frame by frame, run as a sequence, or stepped with other
 * streams.
 *
 *   A model works in its own number format (sluice_info.format). A frame x and an answer y are
 * arrays of SLUICE_F32      float and float SLUICE_INT8     int8_t and int16_t SLUICE_W8A16 int16_t
 * and int16_t A model that begins with an embedding takes ids: a frame is one int32_t in every
 * number format. sluice_quantize and sluice_dequantize make frames of floats, and floats of
 * answers; a last layer with sigmoid or softmax gives its logits in fixed point, and probabilities
 * only by sluice_dequantize.
 */
#ifndef SLUICE_H
#define SLUICE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_VERSION_MAJOR 0
#define SLUICE_VERSION_MINOR 1
#define SLUICE_VERSION_PATCH 0
#define SLUICE_BLOB_MAJOR 1 /* the newest blob format that this runtime reads */
#define SLUICE_BLOB_MINOR 0

/* What a blob, and the memory handed over, must be aligned to. 64 is faster for the blob. */
#define SLUICE_ALIGNMENT 16

typedef enum {
  SLUICE_OK = 0,
  SLUICE_NULL = 1,           /* a pointer that must not be null is null */
  SLUICE_MISALIGNED = 2,     /* the blob, state, scratch or arena is not at a multiple of 16 */
  SLUICE_TRUNCATED = 3,      /* fewer bytes than the blob says it has */
  SLUICE_NOT_A_BLOB = 4,     /* it does not begin with the magic number */
  SLUICE_NEWER_FORMAT = 5,   /* a newer blob format than this runtime reads */
  SLUICE_CHECKSUM = 6,       /* the CRC-32 does not fit: damaged in storage or transfer */
  SLUICE_STRUCTURE = 7,      /* a size, offset or reserved field of the blob is not valid */
  SLUICE_LAYER_MISSING = 8,  /* a layer kind that this build does not hold */
  SLUICE_FORMAT_MISSING = 9, /* a number format that this build does not hold */
  SLUICE_SHAPE = 10,         /* the layers do not fit one another */
  SLUICE_WEIGHTS =
      11, /* a weight or scale is infinite or not a number; in fixed point, a weight is -128 */
  SLUICE_ISA_UNKNOWN = 12,   /* no instruction set of that name in this build */
  SLUICE_ISA_MISSING = 13,   /* this CPU does not run that instruction set */
  SLUICE_USE = 14,           /* a use of 0 steps or 0 streams, or one that needs more than 4 GiB */
  SLUICE_STATE_SMALL = 15,   /* less state than sluice_needs says */
  SLUICE_SCRATCH_SMALL = 16, /* less scratch than sluice_needs says */
  SLUICE_OPTIONS = 17,       /* a training option is out of its range */
  SLUICE_ARENA_SMALL = 18,   /* less memory than sluice_train_needs says */
  SLUICE_BATCH = 19, /* a batch with more or longer sequences than announced, an empty one, or a
                        class out of range */
  SLUICE_NOT_TRAINABLE =
      20,            /* the network does not fit the loss, or a blob is not the trained network's */
  SLUICE_ORDER = 21, /* the weights lie in another core's order (sluice export --core), or sparse,
                        which this build lacks */
  SLUICE_NO_SELF_TEST = 22, /* the blob holds no self-test (sluice export --self-test) */
  SLUICE_SELF_TEST =
      23, /* the self-test gave other bits: the port, the compiler or the memory is at fault */
  SLUICE_GATHER = 24, /* training: the host's gather failed */
  SLUICE_STATUS_COUNT = 25
} sluice_status;

/* A model with a layer of both directions (sluice_info.whole_sequences) takes whole sequences:
 * every call of sluice_run, and every frame of sluice_step and sluice_step_many, is a sequence of
 * its own and begins from the zero state; use.steps must be the longest one's, for what is longer
 * is cut into sequences of that length. */

/* Handles: fixed size, owned by the caller, may be copied; they hold no memory of their own. */
typedef struct {
  uint64_t opaque[8];
} sluice_model;
typedef struct {
  uint64_t opaque[7];
} sluice_stream;

/* How a stream will be used: the most frames that go through the scratch at once in sluice_run, and
 * the most streams in sluice_step_many. Longer calls are cut into such pieces by themselves, with
 * the same result. {1, 1} on a board. */
typedef struct {
  uint32_t steps, streams;
} sluice_use;

/* Bytes. State belongs to one stream; scratch may be shared by all streams of one thread. Exact,
 * and the same on every core. */
typedef struct {
  uint32_t state, scratch;
} sluice_need;

typedef enum {
  SLUICE_LINEAR = 0,
  SLUICE_TANH = 1,
  SLUICE_SIGMOID = 2,
  SLUICE_RELU = 3,
  SLUICE_SOFTMAX = 4,
  SLUICE_HARD_SIGMOID = 5
} sluice_activation;
typedef enum {
  SLUICE_STANDARDIZE = 1,
  SLUICE_GRU = 2, /* resets after the recurrent product, with its two biases: PyTorch, cuDNN, Keras
                     with reset_after=True */
  SLUICE_DENSE = 3,
  SLUICE_EMBEDDING = 4,
  SLUICE_RNN = 5, /* tanh */
  SLUICE_LSTM = 6,
  SLUICE_GRU_BEFORE =
      7, /* resets before, one bias: Cho et al. 2014, Keras with reset_after=False */
  SLUICE_BATCH_NORM = 8,
  SLUICE_LAYER_NORM = 9,
  SLUICE_DIFFERENCE = 10, /* y = x - x of the step before; of a stream's first step 0 */
  SLUICE_SELECT = 11,     /* some numbers of x, in any order */
  SLUICE_CONCAT = 12,     /* joins: its sources, one behind another */
  SLUICE_ADD = 13,        /* joins: the sum of its sources, number by number */
  SLUICE_MULTIPLY = 14,   /* joins: the product of its sources, number by number */
  SLUICE_FASTGRNN =
      15 /* one matrix each over input and state, for gate and candidate: Kusupati et al. 2018 */
} sluice_layer_kind;
#define SLUICE_UNKNOWN_ID 1 /* what an id outside the vocabulary is taken for */
typedef enum {
  SLUICE_F32 = 0,
  SLUICE_INT8 = 1,
  SLUICE_W8A16 = 2
} sluice_format; /* kernels/README.md defines them */
typedef enum {
  SLUICE_SECTION_LAYERS = 1,
  SLUICE_SECTION_WEIGHTS = 2,
  SLUICE_SECTION_NAMES = 3,
  SLUICE_SECTION_LABELS = 4,
  SLUICE_SECTION_MADE = 5,
  SLUICE_SECTION_SCALES = 6,
  SLUICE_SECTION_SELF_TEST = 7,
  SLUICE_SECTION_VOCABULARY = 8,
  SLUICE_SECTION_LAYER_NAMES = 9
} sluice_section_kind;

typedef struct {
  uint32_t inputs, outputs; /* numbers in a frame x, and in an answer y */
  uint32_t layers;
  uint32_t bytes; /* the whole blob */
  uint32_t
      every_step;  /* 1: sluice_run answers for every frame; 0: for the last frame of the call */
  uint32_t format; /* sluice_format: of frames, answers and every layer */
  uint64_t macs;   /* multiply-accumulates of one step */
  uint32_t vocabulary;      /* ids that there are, where frames are ids; else 0 */
  uint32_t whole_sequences; /* 1: a layer goes in both directions */
  uint32_t answers; /* parts of an answer: 1, or the sources of a concat that ends the network
                       (sluice_describe_answer) */
} sluice_info;

typedef struct {
  uint32_t kind, format, activation,
      every_step; /* sluice_layer_kind, sluice_format, sluice_activation (of a recurrent layer its
                     gates') */
  uint32_t mean,
      both_directions; /* recurrent: hands on the mean over steps; goes in both directions */
  uint32_t inputs, outputs;
  uint32_t sources;      /* what it reads: 1, or so many that it joins (sluice_layer_source) */
  uint32_t weight_bytes; /* in the blob, padding included */
  uint32_t state_bytes;
  uint64_t parameters; /* numbers without padding */
  uint64_t macs;       /* of a sparse layer too as if it stored all its blocks */
  uint32_t rank; /* recurrent: of matrices of low rank, W = W1 W2, the columns of W1; else 0 */
  uint32_t blocks, stored_blocks; /* fixed point: blocks of 8 x 4 weights, and how many of them lie
                                     in the blob: fewer where it is sparse */
} sluice_layer_info;

/* Opens a blob where it lies, after checking all of it.
 * blob   at a multiple of 16, kept by the caller as long as the model is used
 * isa    which instruction set: "scalar", "avx2", "avx2-vnni", "avx512", "avx512-vnni", "neon",
 * "neon-dot", "armv7"; on Cortex-M its one; NULL for the best that this CPU runs */
sluice_status sluice_open(sluice_model* model, const void* blob, size_t bytes, const char* isa);

sluice_info sluice_describe(const sluice_model* model);
sluice_layer_info sluice_describe_layer(const sluice_model* model,
                                        uint32_t layer); /* layer < sluice_info.layers */
/* Returns what a layer reads: 0 for the frame, else a layer's number, counted from 1. source <
 * sluice_layer_info.sources */
uint32_t sluice_layer_source(const sluice_model* model, uint32_t layer, uint32_t source);

/* A part of an answer: `outputs` numbers from number `first` on, the output of layer `layer`,
 * counted from 1. */
typedef struct {
  uint32_t layer, first, outputs;
} sluice_answer_info;
sluice_answer_info sluice_describe_answer(const sluice_model* model,
                                          uint32_t answer); /* answer < sluice_info.answers */
const char* sluice_isa(const sluice_model* model);
/* A section's bytes inside the blob; NULL and 0 when the blob does not have it
 * (sluice_section_kind). */
const void* sluice_section(const sluice_model* model, uint32_t kind, size_t* bytes);
/* FNV-1a (64 bits) over shapes and weights in plain order, without padding: what the model
 * computes, however it is stored. */
uint64_t sluice_hash(const sluice_model* model);

/* What a stream will need for this use; {0, 0} for a use that sluice_start refuses with SLUICE_USE.
 */
sluice_need sluice_needs(const sluice_model* model, sluice_use use);

/* Starts a stream in the caller's memory, its state reset to zero.
 * model must stay where it is while the stream is used. Scratch needs no initialization and holds
 * nothing between calls. */
sluice_status sluice_start(sluice_stream* stream, const sluice_model* model, sluice_use use,
                           void* state, size_t state_bytes, void* scratch, size_t scratch_bytes);

/* One frame: x [inputs] to y [outputs], in the model's number format. Here and below, x and y must
 * not overlap. */
void sluice_step(sluice_stream* stream, const void* x, void* y);
/* A sequence, or a part of one: x [steps][inputs]; y [steps][outputs] where sluice_info.every_step,
 * else [outputs]. The same bits as so many calls of sluice_step. With 0 steps it does nothing. */
void sluice_run(sluice_stream* stream, const void* x, void* y, size_t steps);
/* One frame of each of n streams of one model: x [n][inputs] to y [n][outputs]. Uses the scratch of
 * streams[0]. The streams must be different ones. The same bits as sluice_step on each. */
void sluice_step_many(sluice_stream* const* streams, size_t n, const void* x, void* y);

/* A stream's whole state, plain bytes, any value valid: copy it out to save, copy it in to go on.
 */
void* sluice_state(sluice_stream* stream, size_t* bytes);
void sluice_reset(sluice_stream* stream);

/* Runs the sequences that the blob holds for it and compares every bit of the answers: whether this
 * port is right is known without a desk. stream: started; reset before and after. SLUICE_OK,
 * SLUICE_SELF_TEST, SLUICE_NO_SELF_TEST, or SLUICE_STRUCTURE. step: may be NULL; the first step
 * that differed, counted from 0 through all sequences. Linked only when called. */
sluice_status sluice_selftest(sluice_stream* stream, uint32_t* step);

/* Tracing, in builds with SLUICE_TRACE (the host tools; off for firmware unless asked for): after
 * each step that a stream takes alone (not with others in sluice_step_many), trace is called with
 * the frame as layer 0 and then with what each layer hands on, layers counted from 1; values are in
 * the model's number format. NULL ends it. Without SLUICE_TRACE nothing is ever called. */
typedef void (*sluice_tracer)(void* context, uint32_t layer, const void* values, uint32_t n);
void sluice_trace(sluice_stream* stream, sluice_tracer trace, void* context);
/* One traced value as a line of text that is the same on the desk and on the board, "step 3 layer 1
 * unit 17: -1234" (floats as the 8 digits of their bits), ended by a line feed and NUL; returns its
 * length without the NUL. values: as the tracer was given them. */
size_t sluice_trace_line(const sluice_model* model, uint32_t step, uint32_t layer, uint32_t unit,
                         const void* values, char line[72]);

/* Frames [n][inputs] of floats into the model's format, and answers [n][outputs] of it into floats;
 * to the bit the same on every core. For SLUICE_F32 plain copies. Out of the calibrated range the
 * nearest number is taken, for NaN the lowest. Linked only when called. sluice_dequantize ends with
 * the last layer's sigmoid or softmax. */
void sluice_quantize(const sluice_model* model, const float* x, void* q, size_t n);
void sluice_dequantize(const sluice_model* model, const void* y, float* values, size_t n);

/* The index of the largest of n >= 1 numbers, the first one of equals; a NaN is never the largest.
 */
size_t sluice_argmax(const float* y, size_t n);
size_t sluice_argmax_int16(
    const int16_t* y, size_t n); /* of answers in fixed point: logits order as probabilities do */

/* Names ("SLUICE_CHECKSUM") and sentences; linked only when called. */
const char* sluice_status_name(sluice_status status);
const char* sluice_status_text(sluice_status status);
const char* sluice_layer_name(uint32_t kind); /* "gru"; "unknown" where it is */
const char* sluice_activation_name(uint32_t activation);
const char* sluice_format_name(uint32_t format); /* "f32", "int8", "w8a16" */
/* Texts, for a model that was trained on one (SLUICE_SECTION_VOCABULARY): its tokens' ids, by the
 * rules of its training. Text is UTF-8. A token is a code point, or a word: what stands between
 * white space (Unicode's White_Space, no-break spaces too), punctuation included. Lower case is
 * made of ASCII, Latin-1, Latin Extended-A, Greek and Cyrillic, one letter to one; text is not
 * normalized. Id 0 is padding and belongs to no token; 1 is the unknown one, and that of each byte
 * that is not UTF-8. A build without embeddings (SLUICE_LAYERS) knows no vocabulary. Linked only
 * when called. */
typedef struct {
  uint32_t ids;        /* 0: the model has no vocabulary; else at least 3 */
  uint32_t words;      /* 1: tokens are words; 0: code points */
  uint32_t lower_case; /* 1: of "Word" the vocabulary holds "word" */
} sluice_vocabulary;
sluice_vocabulary sluice_vocabulary_of(const sluice_model* model);
/* The id of the next token at or after text[*at], which moves behind it; -1 where there is none. A
 * word that the text ends in is taken as whole. */
int32_t sluice_next_id(const sluice_model* model, const char* text, size_t bytes, size_t* at);
/* The token of an id inside the blob, not ended by NUL; of 0, 1 and ids that the vocabulary lacks 0
 * bytes. */
const char* sluice_token(const sluice_model* model, int32_t id, size_t* bytes);

uint32_t sluice_version(void); /* major << 16 | minor << 8 | patch of the library that is linked */

#ifdef __cplusplus
}
#endif
#endif
