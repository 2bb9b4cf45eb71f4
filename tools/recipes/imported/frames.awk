# Frames of a model from 16-bit samples at 8 kHz, one a line; an empty line ends a recording.
#   awk -v kind=silero|dtln|amp [-v most=FRAMES] [-v inputs=N] -f frames.awk
# Prints CSV: sequence, then the numbers of a frame. Ten recordings are a sequence.
# silero: 512 samples at 16 kHz (each sample, and the mean of two) behind 64 of the frame before.
# dtln: the magnitudes of the Fourier transform of 512 samples at 16 kHz, every 128 samples.
# amp: single samples, and 0.5 for the knobs that the other inputs are.
function flush_sequence(   i) {
  if (kind == "amp")
    for (i = 0; i < n; ++i) row(i, 1)
  if (kind == "silero")
    for (i = 0; i + 512 <= n; i += 512) row(i - 64, 576)
  if (kind == "dtln")
    for (i = 0; i + 512 <= n; i += 128) spectrum(i)
  n = 0; recordings = 0; ++sequence
}
function row(first, count,   i, line) {
  if (rows++ >= most) exit
  line = sequence
  for (i = first; i < first + count; ++i) line = line "," (i < 0 ? 0 : x[i])
  for (i = count; i < width; ++i) line = line ",0.5"
  print line
}
function spectrum(first,   k, i, re, im, line) {
  if (rows++ >= most) exit
  line = sequence
  for (k = 0; k <= 256; ++k) {
    re = im = 0
    for (i = 0; i < 512; ++i) {
      re += x[first + i] * cosine[k * i % 512]
      im += x[first + i] * cosine[(k * i + 128) % 512]
    }
    line = line "," sprintf("%.6g", sqrt(re * re + im * im))
  }
  print line
}
BEGIN {
  sequence = 0
  if (!most) most = 1000000
  if (!inputs) inputs = 1
  width = kind == "silero" ? 576 : kind == "dtln" ? 257 : inputs
  header = "sequence"
  for (i = 0; i < width; ++i) header = header ",x" i
  print header
  for (i = 0; i < 512; ++i) cosine[i] = cos(2 * 3.14159265358979 * i / 512)
}
NF == 0 { if (++recordings == 10) flush_sequence(); next }
{
  value = $1 / 32768
  if (kind != "amp") x[n++] = (last + value) / 2
  x[n++] = last = value
}
END { if (n && rows < most) flush_sequence() }
