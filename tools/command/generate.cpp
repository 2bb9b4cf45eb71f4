// sluice run --generate: a language model continues a text. Each token is drawn from the
// probabilities that the model gives.
#include "generate.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>

#include "../../kernels/kernels.h"
#include "../../kernels/random.h"
#include "../common/error.h"
#include "../common/print.h"
#include "../common/safe_file.h"
#include "../data/parse_number.h"
#include "../data/vocabulary.h"
#include "../model/model_file.h"
#include "command.h"

namespace sluice::tools {
namespace {

constexpr long long most_tokens = 10'000'000;

long long whole(const std::string& text, const char* option, long long low, long long high,
                long long fallback) {
  if (text.empty()) return fallback;
  const auto n = parse_integer(text);
  if (!n || *n < low || *n > high)
    refuse("{} {}: is not a whole number from {} to {}", option, text,
           with_commas(std::uint64_t(low)), with_commas(std::uint64_t(high)));
  return *n;
}

float temperature_of(const std::string& text) {
  if (text.empty()) return 1;
  const auto t = parse_float(text);
  if (!t || !(*t >= 0 && *t <= 100))
    refuse("--temperature {}: is not a number from 0 to 100", text);
  return *t;
}

void check_model(const OwnedModel& model, const std::string& name) {
  const sluice_info info = model.info();
  if (!info.vocabulary)
    refuse(
        "{}: reads numbers, not text; --generate needs a model that was trained with data.format = "
        "\"text\"",
        name);
  const bool chances =
      sluice_describe_layer(&model.model, info.layers - 1).activation == SLUICE_SOFTMAX;
  if (!answered_frames(info).is_every())
    refuse("{}: answers some tokens only; --generate needs a model that answers each", name);
  if (!info.every_step || info.outputs != info.vocabulary || !chances)
    refuse(
        "{}: does not predict the next token ({} outputs for {} ids); --generate needs a softmax "
        "over all ids at every step",
        name, info.outputs, info.vocabulary);
  if (info.whole_sequences)
    refuse(
        "{}: a layer reads the text backwards from its end; --generate needs layers that read "
        "forwards only",
        name);
  if (!sluice_vocabulary_of(&model.model).ids)
    refuse("{}: its vocabulary was stripped; use the model as \"sluice train\" wrote it", name);
}

/// Returns the prompt's ids; the unknown id alone if the prompt has no token. Refuses a character
/// that the model does not know; an unknown word becomes the unknown id.
std::vector<std::int32_t> ids_of(const OwnedModel& model, const std::string& prompt) {
  check_text(prompt, "--prompt");
  std::vector<std::int32_t> ids;
  const bool words = sluice_vocabulary_of(&model.model).words;
  for (std::size_t at = 0, begin = 0;; begin = at) {
    const std::int32_t id = sluice_next_id(&model.model, prompt.data(), prompt.size(), &at);
    if (id < 0) break;
    if (id == SLUICE_UNKNOWN_ID && !words)
      refuse("--prompt: the model does not know the character \"{}\"",
             printable(prompt.substr(begin, at - begin)));
    ids.push_back(id);
  }
  if (ids.empty()) ids.push_back(SLUICE_UNKNOWN_ID);
  return ids;
}

}  // namespace

std::int32_t sampled_id(std::span<const float> chances, const TokenSampling& drawing,
                        float random) {
  std::vector<std::int32_t> ranked(chances.size() - first_token);
  std::iota(ranked.begin(), ranked.end(), std::int32_t(first_token));
  std::stable_sort(ranked.begin(), ranked.end(),
                   [&](std::int32_t a, std::int32_t b) { return chances[a] > chances[b]; });
  if (drawing.temperature == 0) return ranked.front();
  if (drawing.top_k && drawing.top_k < ranked.size()) ranked.resize(drawing.top_k);
  std::vector<float> p;
  for (const std::int32_t id : ranked) p.push_back(chances[id] / chances[ranked.front()]);
  const Kernels& kernels = *pick_kernels("scalar");
  kernels.log_f32(p.data(), p.data(), p.size());
  for (float& v : p) v /= drawing.temperature;
  kernels.exp_f32(p.data(), p.data(), p.size());
  double left = double(random) * std::accumulate(p.begin(), p.end(), 0.0);
  for (std::size_t i = 0; i < p.size(); ++i) {
    left -= double(p[i]);
    if (left < 0) return ranked[i];
  }
  return ranked.front();
}

std::string generated_text(const OwnedModel& model, const RunOptions& options) {
  check_model(model, options.model);
  const auto tokens = std::size_t(whole(options.generate, "--generate", 1, most_tokens, 1));
  const TokenSampling drawing{temperature_of(options.temperature),
                              std::size_t(whole(options.top_k, "--top-k", 1, most_ids, 0))};
  const auto seed = std::uint64_t(whole(options.seed, "--seed", 0, 0xFFFFFFFF, 0));
  std::vector<std::int32_t> ids = ids_of(model, options.prompt);
  const bool words = sluice_vocabulary_of(&model.model).words;
  std::vector<float> chances(model.info().outputs);
  OwnedStream stream(model.model, {1, 1});
  sluice_reset(&stream.stream);
  std::string text = options.prompt;
  for (std::size_t i = 0, written = 0; written < tokens; ++i) {
    stream.run(&ids[i], chances.data(), 1);
    if (i + 1 < ids.size()) continue;
    const Philox random =
        Philox::at(seed, std::uint32_t(written++), 0, 0, std::uint32_t(Purpose::generate) << 24);
    const std::int32_t id = sampled_id(chances, drawing, unit_float(random.word[0]));
    ids.push_back(id);
    std::size_t bytes = 0;
    const char* const token = sluice_token(&model.model, id, &bytes);
    if (words && !text.empty() && text.back() != ' ' && text.back() != '\n') text += ' ';
    text.append(token, bytes);
  }
  return text.ends_with('\n') ? text : text + "\n";
}

}  // namespace sluice::tools
