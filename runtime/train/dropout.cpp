// Draws dropout masks (Srivastava et al. 2014; one mask for a whole sequence: Gal, Ghahramani
// 2016).
#include <string.h>

#include "train.h"

namespace sluice {

void drop(const Draw& draw, const sluice_sequence* batch, const Shard& shard, const Dropped& d) {
  const float kept = 1.0f / (1.0f - d.rate);
  for (int row = 0; row < d.rows; ++row) {
    const sluice_sequence& sequence = batch[shard.index[row % shard.sequences]];
    const uint64_t first = uint64_t(row / shard.sequences) * uint64_t(d.n);
    float* const x = d.x ? d.x + ptrdiff_t(row) * d.stride : nullptr;
    float* const mask = d.mask ? d.mask + ptrdiff_t(row) * d.stride : nullptr;
    Philox random{};
    for (int i = 0; i < d.n; ++i) {
      const uint64_t at = first + uint64_t(i);
      if (i == 0 || at % 4 == 0)
        random =
            Philox::at(draw.seed, uint32_t(at / 4), uint32_t(draw.step), uint32_t(sequence.number),
                       uint32_t(d.purpose) << 24 ^ d.layer << 8 ^ uint32_t(sequence.number >> 32));
      const float factor = unit_float(random.word[at % 4]) < d.rate ? 0.0f : kept;
      if (x) x[i] *= factor;
      if (mask) mask[i] = factor;
    }
    if (mask) memset(mask + d.n, 0, size_t(d.stride - d.n) * sizeof(float));
  }
}

SourceDrop drop_of(const OpenModel& model, const sluice_train_options& options, uint32_t source) {
  const bool ids = model.layers[0].kind == SLUICE_EMBEDDING;
  if (ids && source == 0) return {Purpose::input_dropout, 0, 0.0f};
  if (!ids && source == first_trained(model))
    return {Purpose::input_dropout, 0, options.dropout_input};
  const bool output = source + 1 == model.layer_count;
  const float plain = output               ? options.dropout_output
                      : ids && source == 1 ? options.dropout_input
                                           : 0.0f;
  const float rate = !options.layers ? plain : source ? options.layers[source - 1].dropout : 0.0f;
  return {output ? Purpose::output_dropout : Purpose::layer_dropout, output ? 0 : source, rate};
}

}  // namespace sluice
