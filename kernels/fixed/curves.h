// Steps of cells in fixed point whose gates are a hard sigmoid, or whose candidate is not tanh.
#ifndef SLUICE_FIXED_CURVES_H
#define SLUICE_FIXED_CURVES_H

#include "layers.h"

namespace sluice {
namespace {

/// Returns u + 2^14 clamped to 0 to 32767, with u the hard sigmoid's slope times a number, in units
/// of 2^-15.
template <class V>
inline V hard_sigmoid_fixed(V u) {
  const V above = saturated<17>(u) + Make<V>::set(1 << 14);
  return at_most<15>(larger(above, Make<V>::set(0)));
}

/// The curves of other cells, chosen when the kernel is called.
struct ChosenCurves {
  FixedCurves f;
  template <class V>
  SLUICE_INLINE V gate(V u) const {
    return f.hard ? hard_sigmoid_fixed(u) : sigmoid_fixed(u);
  }
  /// u is in units of 2^-12 if the candidate is tanh, else in the unit of the state.
  template <class V>
  SLUICE_INLINE V candidate(V u) const {
    if (squashes()) return tanh_fixed(u);
    const V n = saturated<16>(u);
    return f.candidate == Activation::relu ? larger(n, Make<V>::set(0)) : n;
  }
  template <class V>
  SLUICE_INLINE V output(V o, V y) const {
    if (squashes()) return product_q15(o, y);
    const int down = 15 - f.shift_h;
    return saturated<16>(shift_right(o * y + Make<V>::set(1 << (down - 1)), down));
  }
  /// Returns whether the candidate is tanh.
  bool squashes() const { return f.candidate == Activation::tanh; }
};

/// A step with its curves.
template <class Step>
struct Curved : Step {
  FixedCurves f;
};

template <class Set, class Step>
inline void fixed_gates(const Curved<Step>& s, const Chunk& chunk) {
  gates_with<Set>(static_cast<const Step&>(s), chunk, ChosenCurves{s.f});
}
template <class Set>
inline void fixed_reset(const Curved<FixedGruBefore>& step, const Chunk& chunk, int16_t* s,
                        int16_t* z) {
  reset_with<Set>(step, chunk, s, z, ChosenCurves{step.f});
}
template <class Set>
inline void fixed_update(const Curved<FixedGruBefore>& step, const FixedMatrix& in,
                         const Chunk& chunk, const int16_t* z) {
  update_with<Set>(step, in, chunk, z, ChosenCurves{step.f});
}

template <class Set>
void gru_curve_q8(const FixedGru& s, const FixedCurves& f) {
  cell_fixed<Set, typename Set::Q8>(Curved<FixedGru>{s, f});
}
template <class Set>
void gru_curve_q16(const FixedGru& s, const FixedCurves& f) {
  cell_fixed<Set, typename Set::Q16>(Curved<FixedGru>{s, f});
}
template <class Set>
void lstm_curve_q8(const FixedLstm& s, const FixedCurves& f) {
  cell_fixed<Set, typename Set::Q8>(Curved<FixedLstm>{s, f});
}
template <class Set>
void lstm_curve_q16(const FixedLstm& s, const FixedCurves& f) {
  cell_fixed<Set, typename Set::Q16>(Curved<FixedLstm>{s, f});
}
template <class Set>
void rnn_curve_q8(const FixedRnn& s, const FixedCurves& f) {
  cell_fixed<Set, typename Set::Q8>(Curved<FixedRnn>{s, f});
}
template <class Set>
void rnn_curve_q16(const FixedRnn& s, const FixedCurves& f) {
  cell_fixed<Set, typename Set::Q16>(Curved<FixedRnn>{s, f});
}
template <class Set>
void gru_before_curve_q8(const FixedGruBefore& s, const FixedCurves& f) {
  gru_before_fixed<Set, typename Set::Q8>(Curved<FixedGruBefore>{s, f});
}
template <class Set>
void gru_before_curve_q16(const FixedGruBefore& s, const FixedCurves& f) {
  gru_before_fixed<Set, typename Set::Q16>(Curved<FixedGruBefore>{s, f});
}

}  // namespace
}  // namespace sluice

#endif
