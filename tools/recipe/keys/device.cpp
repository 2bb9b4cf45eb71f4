// Fixed point, and the device to fit. (key.h says what a key is.)
#include "sections.h"

namespace sluice::tools {
namespace {

const Key table[] = {
    {.name = "quantize.aware",
     .field = &R::quantize_aware,
     .fallback = "false",
     .noun = "a truth value",
     .help = "Train for fixed point: inputs, states and weights are rounded in every pass as the "
             "device will have them, validation "
             "runs the fixed-point model, and model.slu is that; model-f32.slu has the float "
             "weights it was made of. Not for a GRU "
             "that resets before.",
     .source = "straight-through gradients; Bengio, Leonard, Courville 2013"},
    {.name = "quantize.type",
     .field = choice_field<&R::quantize_type>,
     .fallback = "\"int8\"",
     .noun = "a number format",
     .help = "The fixed point to train for: weights of 8 bits, values of 8 or 16.",
     .words = only(SLUICE_INT8, SLUICE_W8A16)},
    {.name = "quantize.ranges",
     .field = choice_field<&R::quantize_ranges>,
     .fallback = "\"min-error\"",
     .noun = "a choice of ranges",
     .help = "How training for fixed point chooses each feature's range: all values, all but a "
             "twentieth of a percent at either end, "
             "or the range of the least squared error."},
    {.name = "device.core",
     .field = &R::device_core,
     .fallback = "\"\"",
     .noun = "a core",
     .help = "The core that will run the model, such as cortex-m4; with limits, what cannot fit is "
             "refused before training. Empty "
             "for none.",
     .never_changes_result = true},
    {.name = "device.type",
     .field = choice_field<&R::device_type>,
     .fallback = "\"int8\"",
     .noun = "a number format",
     .help = "The number format that will run there; with quantize.aware that of quantize.type.",
     .never_changes_result = true},
    {.name = "device.flash",
     .field = &R::device_flash,
     .fallback = "\"\"",
     .noun = "an amount of memory",
     .help = "The most bytes of the model without names, labels and history: \"16 KiB\". Empty for "
             "no limit.",
     .never_changes_result = true},
    {.name = "device.ram",
     .field = &R::device_ram,
     .fallback = "\"\"",
     .noun = "an amount of memory",
     .help = "The most bytes of state and scratch of one stream, stepped frame by frame. Empty for "
             "no limit.",
     .never_changes_result = true},
    {.name = "device.instructions",
     .field = &R::device_instructions,
     .fallback = "0",
     .noun = "a number of instructions",
     .help = "The most instructions of a step; 0 for no limit.",
     .min = 0,
     .max = whole_limit,
     .never_changes_result = true},
    {.name = "device.flash_total",
     .field = &R::device_flash_total,
     .fallback = "\"\"",
     .noun = "an amount of memory",
     .help = "As device.flash, with the runtime's code and tables. Empty for no limit.",
     .never_changes_result = true},
    {.name = "device.ram_total",
     .field = &R::device_ram_total,
     .fallback = "\"\"",
     .noun = "an amount of memory",
     .help = "As device.ram, with the stack. Empty for no limit.",
     .never_changes_result = true},
};

}  // namespace

std::span<const Key> device_keys() { return table; }

}  // namespace sluice::tools
