#include "write_c.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>

#include "../common/error.h"
#include "../common/print.h"
#include "../recipe/made.h"

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

constexpr const char* float_frame =
    R"text( *   void frame(const model_input x[MODEL_INPUTS], model_output y[MODEL_OUTPUTS]) { sluice_step(&stream, x, y); }
)text";
constexpr const char* fixed_frame =
    R"text( *   void frame(const float x[MODEL_INPUTS], float y[MODEL_OUTPUTS]) {
 *     model_input numbers[MODEL_INPUTS];
 *     model_output answer[MODEL_OUTPUTS];
 *     sluice_quantize(&model, x, numbers, 1);
 *     sluice_step(&stream, numbers, answer);
 *     sluice_dequantize(&model, answer, y, 1);
 *   }
)text";

// The same for a model of which some frames have no answer.
constexpr const char* float_frame_of_some =
    R"text( *   int frame(const model_input x[MODEL_INPUTS], model_output y[MODEL_OUTPUTS]) {
 *     return sluice_step(&stream, x, y); // 1: y is the answer; 0: this frame has none
 *   }
)text";
constexpr const char* fixed_frame_of_some =
    R"text( *   int frame(const float x[MODEL_INPUTS], float y[MODEL_OUTPUTS]) {
 *     model_input numbers[MODEL_INPUTS];
 *     model_output answer[MODEL_OUTPUTS];
 *     sluice_quantize(&model, x, numbers, 1);
 *     if (!sluice_step(&stream, numbers, answer)) return 0; // this frame has no answer
 *     sluice_dequantize(&model, answer, y, 1);
 *     return 1;
 *   }
)text";

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
{frame}{about}{fixed}{order} */
#ifndef SLUICE_EXPORTED_MODEL_H
#define SLUICE_EXPORTED_MODEL_H

#include <stdint.h>

#define MODEL_INPUTS {inputs}
#define MODEL_OUTPUTS {outputs}
{window}#define MODEL_BLOB_BYTES {blob}
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

/// Returns text as lines of the comment at the head of a header, each of at most 100 columns.
std::string comment_of(const std::string& text) {
  constexpr std::size_t most = 97;  // and " * " in front
  std::string lines, line;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    std::string word = text.substr(at, end - at);
    for (std::size_t i = 1; i < word.size(); ++i)  // a name must not end the comment
      if (word[i - 1] == '*' && word[i] == '/') word.insert(i, " ");
    if (!line.empty() && line.size() + 1 + word.size() > most)
      lines += " * " + line + "\n", line.clear();
    line += (line.empty() ? "" : " ") + word;
    at = end + 1;
  }
  return line.empty() ? lines : lines + " * " + line + "\n";
}

/// Returns at most ten names, printable: "a, b, c and 7 more".
std::string some_names(const std::vector<std::string>& names) {
  constexpr std::size_t most = 10;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), most); ++i)
    text += (i ? ", " : "") + printable(names[i]);
  return names.size() > most ? fmt::format("{} and {} more", text, names.size() - most) : text;
}

std::string numbers_text(std::uint32_t n) {
  return n == 1 ? "1 number" : fmt::format("{} numbers", n);
}

/// Describes the numbers of a frame.
std::string frame_text(const OwnedModel& model, const Columns* columns) {
  const sluice_info info = model.info();
  if (info.vocabulary)
    return fmt::format("A frame is one id; an id outside of 0 to {} counts as the unknown one.",
                       info.vocabulary - 1);
  const std::vector<std::string> names = model.inputs();
  std::string text = fmt::format("A frame has {}", numbers_text(info.inputs));
  if (names.size() == info.inputs) text += ": " + some_names(names);
  if (columns) text += ", in the units of the training data";
  text += ".";
  if (columns && !columns->time_features.empty())
    text +=
        " The _sin and _cos of a part of the time are sine and cosine of 2 pi times its share: of "
        "hour the time of the day / 24 hours, of weekday the days since Monday / 7, of yearday "
        "the days since the first of January / 365.25.";
  return text;
}

/// Describes the numbers of an answer.
std::string answer_text(const OwnedModel& model, const Columns* columns) {
  const sluice_info info = model.info();
  const std::vector<std::string> labels = model.labels();
  const bool named = labels.size() == info.outputs;
  const bool classes = named && columns && columns->classes;
  std::string text = fmt::format("An answer has {}", numbers_text(info.outputs));
  if (classes)
    text += fmt::format(", one for each class: {}", some_names(labels));
  else if (named)
    text += fmt::format(": {}{}", some_names(labels),
                        columns ? ", in the units of the training data" : "");
  text += ".";
  if (columns && columns->windows.difference)
    text +=
        " The model has learned differences from the last frame and adds that frame itself, so "
        "that its answers are the values.";
  return text;
}

/// Describes the frames that have an answer, if not all have one.
std::string steps_text(const sluice_info& info) {
  if (answered_frames(info).is_every()) return "";
  return fmt::format(
      " Not every frame has an answer: the first one is that of frame {} of a sequence, counted "
      "from 1, and after it {} one. sluice_step returns 1 for these, and else 0 and leaves y as it "
      "is.",
      info.first_answer + 1,
      info.stride == 1 ? "every frame has" : fmt::format("one frame in {} has", info.stride));
}

/// Describes the sequences that the model takes.
std::string sequences_text(const OwnedModel& model, const Columns* columns) {
  const sluice_info info = model.info();
  if (info.whole_sequences)
    return "A layer goes in both directions or looks ahead: call sluice_run on whole sequences, "
           "with the steps of the longest one in the use, and memory of the size that sluice_needs "
           "gives for it.";
  if (columns && columns->windows.length)
    return fmt::format(
        "The model has learned windows of MODEL_WINDOW = {} frames. Call sluice_reset, then step "
        "through the frames of a window; the answer of the last one counts. Without the reset the "
        "state of earlier frames goes on, which the model has not learned.",
        columns->windows.length);
  if (columns && columns->format == Format::text)
    return "The model has learned one long stream; call sluice_reset before another text.";
  return fmt::format("A stream keeps its state from frame to frame. Call sluice_reset before {}.{}",
                     columns ? "every sequence" : "a new sequence",
                     info.every_step
                         ? ""
                         : " The answer after the last frame of a sequence is the one that the "
                           "model has learned.");
}

std::string sequence_text(const OwnedModel& model, const Columns* columns) {
  return sequences_text(model, columns) + steps_text(model.info());
}

/// Returns the columns of the data that a model was trained on; nothing if it has no record.
std::optional<Columns> columns_of_model(const OwnedModel& model) {
  try {
    return columns_of_made(model.made(), "the model");
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::string header_of(const OwnedModel& model, const OwnedModel& named, bool labeled,
                      const std::string& core) {
  const std::optional<Columns> known = columns_of_model(named);
  const Columns* const columns = known ? &*known : nullptr;
  const sluice_info info = model.info();
  const sluice_need need = sluice_needs(&model.model, {1, 1});
  const char* labels =
      labeled ? "extern const char *const model_labels[MODEL_OUTPUTS]; /* names of the outputs */\n"
              : "";
  const std::string window = columns && columns->windows.length
                                 ? fmt::format("#define MODEL_WINDOW {} /* frames of a window */\n",
                                               columns->windows.length)
                                 : "";
  const bool fixed = info.format != SLUICE_F32, some = !answered_frames(info).is_every();
  const std::string fixed_text =
      fixed ? " *\n * This model is in fixed point. sluice_quantize makes frames of floats, "
              "sluice_dequantize floats of answers (and\n"
              " * probabilities of logits).\n"
            : "";
  const std::string about = " *\n" + comment_of(frame_text(named, columns)) + " *\n" +
                            comment_of(answer_text(named, columns)) + " *\n" +
                            comment_of(sequence_text(named, columns));
  const std::string order =
      core.empty() ? ""
                   : fmt::format(
                         " *\n * Its weights are in the order that {} reads; sluice_open refuses "
                         "it on a core that reads another order.\n",
                         core);
  return fmt::format(
      header_text,
      fmt::arg("frame", fixed && !info.vocabulary ? (some ? fixed_frame_of_some : fixed_frame)
                        : some                    ? float_frame_of_some
                                                  : float_frame),
      fmt::arg("about", about), fmt::arg("fixed", fixed_text), fmt::arg("window", window),
      fmt::arg("order", order), fmt::arg("output", fixed ? "int16_t" : "float"),
      fmt::arg("input", info.vocabulary         ? "int32_t"
                        : !fixed                ? "float"
                        : info.frame_bytes == 1 ? "int8_t"
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

CSource write_c(const OwnedModel& model, const OwnedModel& named, const std::string& core) {
  const std::vector<std::string> labels = model.labels();
  CSource result{header_of(model, named, !labels.empty(), core),
                 "/* A Sluice model: see model.h. */\n#include \"model.h\"\n\n"};
  result.source += blob_array(model);
  if (!labels.empty()) result.source += label_array(labels);
  return result;
}

}  // namespace sluice::tools
