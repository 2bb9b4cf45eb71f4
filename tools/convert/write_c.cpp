#include "write_c.h"

#include <fmt/format.h>

#include <iterator>

namespace sluice::tools {
namespace {

/// Returns a string literal of ASCII alone. Other bytes become three octal digits, which no
/// following digit can lengthen.
std::string c_string(const std::string& text) {
  std::string literal = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    // The question mark is escaped because it begins trigraphs.
    const bool plain = byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\' && c != '?';
    literal += plain ? std::string(1, c) : fmt::format("\\{:03o}", byte);
  }
  return literal + "\"";
}

constexpr const char* header_text =
    R"text(/* A Sluice model, written by `sluice export --format c`. Do not edit: export it again.
 *
 *   #include "model.h"
 *   #include "sluice.h"
 *
 *   static sluice_model model;
 *   static sluice_stream stream;
 *   MODEL_ALIGNED(16) static unsigned char state[MODEL_STATE_BYTES];
 *   MODEL_ALIGNED(16) static unsigned char scratch[MODEL_SCRATCH_BYTES];
 *
 *   int begin(void) {{
 *     const sluice_use use = {{1, 1}};
 *     sluice_status status = sluice_open(&model, model_blob, MODEL_BLOB_BYTES, NULL);
 *     if (status == SLUICE_OK) status = sluice_start(&stream, &model, use, state, sizeof state, scratch, sizeof scratch);
 *     return status;
 *   }}
 *
 *   void frame(const model_input x[MODEL_INPUTS], model_output y[MODEL_OUTPUTS]) {{ sluice_step(&stream, x, y); }}
{fixed}{order} */
#ifndef SLUICE_EXPORTED_MODEL_H
#define SLUICE_EXPORTED_MODEL_H

#include <stdint.h>

#define MODEL_INPUTS {inputs}
#define MODEL_OUTPUTS {outputs}
#define MODEL_BLOB_BYTES {blob}
#define MODEL_STATE_BYTES {state} /* of each stream, for sluice_use {{1, 1}} */
#define MODEL_SCRATCH_BYTES {scratch} /* shared by all streams of one thread, for sluice_use {{1, 1}} */
#define MODEL_HASH 0x{hash:016x}ULL /* sluice_hash: of shapes and weights */

#ifdef MODEL_ALIGNED
#elif defined(__cplusplus) && __cplusplus >= 201103L
#define MODEL_ALIGNED(bytes) alignas(bytes)
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define MODEL_ALIGNED(bytes) _Alignas(bytes)
#elif defined(__GNUC__) || defined(__clang__) || defined(__ARMCC_VERSION)
#define MODEL_ALIGNED(bytes) __attribute__((aligned(bytes)))
#else
#error "this compiler needs its own way to align an array: define MODEL_ALIGNED(bytes)"
#endif

typedef {input} model_input;   /* a number of a frame */
typedef {output} model_output; /* a number of an answer */
#define model_argmax(answer) {argmax}(answer, MODEL_OUTPUTS) /* the index of the largest */

#ifdef __cplusplus
extern "C" {{
#endif

extern const unsigned char model_blob[MODEL_BLOB_BYTES];
{labels}
#ifdef __cplusplus
}}
#endif
#endif
)text";

std::string header_of(const OwnedModel& model, bool labeled, const std::string& core) {
  const sluice_info info = model.info();
  const sluice_need need = sluice_needs(&model.model, {1, 1});
  const char* labels =
      labeled ? "extern const char *const model_labels[MODEL_OUTPUTS]; /* names of the outputs */\n"
              : "";
  const bool fixed = info.format != SLUICE_F32;
  const std::string fixed_text =
      fixed ? " *\n * This model is in fixed point. sluice_quantize makes frames of floats, "
              "sluice_dequantize floats of answers (and\n"
              " * probabilities of logits).\n"
            : "";
  const std::string ids =
      info.vocabulary
          ? fmt::format(
                " *\n * A frame is one id; an id outside of 0 to {} counts as the unknown one.\n",
                info.vocabulary - 1)
          : "";
  const char* whole = info.whole_sequences
                          ? " *\n * A layer goes in both directions: call sluice_run on whole "
                            "sequences, with the steps of the longest one in the use,\n * and "
                            "memory of the size that sluice_needs gives for it.\n"
                          : "";
  const std::string order =
      core.empty() ? ""
                   : fmt::format(
                         " *\n * Its weights are in the order that {} reads; sluice_open refuses "
                         "it on a core that reads another order.\n",
                         core);
  return fmt::format(header_text, fmt::arg("fixed", fixed_text + ids + whole),
                     fmt::arg("order", order), fmt::arg("output", fixed ? "int16_t" : "float"),
                     fmt::arg("input", info.vocabulary              ? "int32_t"
                                       : !fixed                     ? "float"
                                       : info.format == SLUICE_INT8 ? "int8_t"
                                                                    : "int16_t"),
                     fmt::arg("argmax", fixed ? "sluice_argmax_int16" : "sluice_argmax"),
                     fmt::arg("inputs", info.inputs), fmt::arg("outputs", info.outputs),
                     fmt::arg("blob", info.bytes), fmt::arg("state", need.state),
                     fmt::arg("scratch", need.scratch), fmt::arg("hash", sluice_hash(&model.model)),
                     fmt::arg("labels", labels));
}

std::string blob_array(const OwnedModel& model) {
  constexpr std::size_t per_line = 20;
  std::string text = "MODEL_ALIGNED(64) const unsigned char model_blob[MODEL_BLOB_BYTES] = {";
  const std::size_t bytes = model.info().bytes;  // a file may continue after its blob
  text.reserve(bytes * 5);
  for (std::size_t i = 0; i < bytes; ++i) {
    text += i % per_line == 0 ? "\n    " : " ";
    fmt::format_to(std::back_inserter(text), "{},", model.blob.data.get()[i]);
  }
  return text + "\n};\n";
}

std::string label_array(const std::vector<std::string>& labels) {
  std::string text = "\nconst char *const model_labels[MODEL_OUTPUTS] = {\n";
  for (const std::string& label : labels) text += "    " + c_string(label) + ",\n";
  return text + "};\n";
}

}  // namespace

CSource write_c(const OwnedModel& model, const std::string& core) {
  const std::vector<std::string> labels = model.labels();
  CSource result{header_of(model, !labels.empty(), core),
                 "/* A Sluice model: see model.h. */\n#include \"model.h\"\n\n"};
  result.source += blob_array(model);
  if (!labels.empty()) result.source += label_array(labels);
  return result;
}

}  // namespace sluice::tools
