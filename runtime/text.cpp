// Names and sentences. Linked only when called.
#include <string.h>

#include "anatomy.h"
#include "sluice.h"

namespace {

struct StatusText {
  sluice_status status;
  const char *name, *text;
};

#define SLUICE_TEXT(status, text) {status, #status, text}
constexpr StatusText statuses[] = {
    SLUICE_TEXT(SLUICE_OK, "all is well"),
    SLUICE_TEXT(SLUICE_NULL, "a pointer that must not be null is null"),
    SLUICE_TEXT(SLUICE_MISALIGNED,
                "a blob, state, scratch or arena is not at a multiple of 16 bytes"),
    SLUICE_TEXT(SLUICE_TRUNCATED,
                "the blob is cut short: there are fewer bytes than its header says"),
    SLUICE_TEXT(SLUICE_NOT_A_BLOB, "not a Sluice blob: it does not begin with the magic number"),
    SLUICE_TEXT(
        SLUICE_NEWER_FORMAT,
        "the blob's format is newer than this runtime; export it again, or update the runtime"),
    SLUICE_TEXT(SLUICE_CHECKSUM, "the blob is damaged: its checksum does not fit its bytes"),
    SLUICE_TEXT(SLUICE_STRUCTURE,
                "the blob is not valid: a size, offset or reserved field is wrong"),
    SLUICE_TEXT(SLUICE_LAYER_MISSING,
                "the blob needs a kind of layer that this build does not hold"),
    SLUICE_TEXT(SLUICE_FORMAT_MISSING,
                "the blob needs a number format that this build does not hold"),
    SLUICE_TEXT(SLUICE_SHAPE, "the blob is not valid: its layers do not fit one another"),
    SLUICE_TEXT(SLUICE_WEIGHTS,
                "the blob is not valid: a weight or scale is infinite, not a number, or in fixed "
                "point -128"),
    SLUICE_TEXT(SLUICE_ISA_UNKNOWN, "this build has no instruction set of that name"),
    SLUICE_TEXT(SLUICE_ISA_MISSING, "this CPU does not run that instruction set"),
    SLUICE_TEXT(SLUICE_USE,
                "a use must have 1 or more steps and streams, and need less than 4 GiB"),
    SLUICE_TEXT(SLUICE_STATE_SMALL, "the state has fewer bytes than sluice_needs says"),
    SLUICE_TEXT(SLUICE_SCRATCH_SMALL, "the scratch has fewer bytes than sluice_needs says"),
    SLUICE_TEXT(SLUICE_OPTIONS, "a training option is out of its range"),
    SLUICE_TEXT(SLUICE_ARENA_SMALL, "the arena has fewer bytes than sluice_train_needs says"),
    SLUICE_TEXT(SLUICE_BATCH,
                "the batch is empty, larger or longer than announced, lacks a target, or has a "
                "class out of range"),
    SLUICE_TEXT(SLUICE_NOT_TRAINABLE,
                "the network does not fit the loss, or the blob is not the trained network's"),
    SLUICE_TEXT(SLUICE_ORDER,
                "the blob's weights lie in another core's order; export it for this core (sluice "
                "export --core); or they are sparse, "
                "and this build leaves sparse products out (SLUICE_SPARSE)"),
    SLUICE_TEXT(SLUICE_NO_SELF_TEST,
                "the blob holds no self-test; export it with one (sluice export --self-test)"),
    SLUICE_TEXT(
        SLUICE_SELF_TEST,
        "the self-test gave other bits than at export: the port, the compiler or the memory "
        "is at fault"),
    SLUICE_TEXT(SLUICE_GATHER,
                "the host could not gather the results of the ranks that train together"),
};
#undef SLUICE_TEXT
/// Whether there is a text for every status, in the order of their numbers.
constexpr bool in_order() {
  unsigned n = 0;
  for (const StatusText& text : statuses)
    if (text.status != n++) return false;
  return n == SLUICE_STATUS_COUNT;
}
static_assert(in_order(), "a name and a sentence for every status");

/// Returns the number of a status, which it copies as bytes: a caller in C may pass any number, and
/// C++ must not read an enumeration with a value out of its range.
unsigned number_of(const sluice_status& status) {
  unsigned n = 0;
  memcpy(&n, &status, sizeof status);
  return n;
}

}  // namespace

const char* sluice_status_name(sluice_status status) {
  const unsigned n = number_of(status);
  return n < SLUICE_STATUS_COUNT ? statuses[n].name : "SLUICE_UNKNOWN";
}

const char* sluice_status_text(sluice_status status) {
  const unsigned n = number_of(status);
  return n < SLUICE_STATUS_COUNT ? statuses[n].text : "an unknown status";
}

const char* sluice_layer_name(uint32_t kind) {
  return sluice::is_known(kind) ? sluice::anatomy_of(kind).name : "unknown";
}

const char* sluice_activation_name(uint32_t activation) {
  switch (activation) {
    case SLUICE_LINEAR:
      return "linear";
    case SLUICE_TANH:
      return "tanh";
    case SLUICE_SIGMOID:
      return "sigmoid";
    case SLUICE_RELU:
      return "relu";
    case SLUICE_SOFTMAX:
      return "softmax";
    case SLUICE_HARD_SIGMOID:
      return "hard_sigmoid";
    case SLUICE_ELU:
      return "elu";
    case SLUICE_LEAKY_RELU:
      return "leaky_relu";
    case SLUICE_PRELU:
      return "prelu";
    case SLUICE_SILU:
      return "silu";
    case SLUICE_GELU:
      return "gelu";
    case SLUICE_GELU_TANH:
      return "gelu_tanh";
    case SLUICE_SOFTPLUS:
      return "softplus";
    case SLUICE_CLIP:
      return "clip";
    case SLUICE_SOFTSIGN:
      return "softsign";
    case SLUICE_EXPONENTIAL:
      return "exponential";
    case SLUICE_SELU:
      return "selu";
    case SLUICE_HARD_SILU:
      return "hard_silu";
    case SLUICE_SQRT:
      return "sqrt";
    case SLUICE_LOG:
      return "log";
    default:
      return "unknown";
  }
}

const char* sluice_format_name(uint32_t format) {
  switch (format) {
    case SLUICE_F32:
      return "f32";
    case SLUICE_INT8:
      return "int8";
    case SLUICE_W8A16:
      return "w8a16";
    default:
      return "unknown";
  }
}

uint32_t sluice_version(void) {
  return SLUICE_VERSION_MAJOR << 16 | SLUICE_VERSION_MINOR << 8 | SLUICE_VERSION_PATCH;
}
