#!/usr/bin/env bash
# Recipes whose layers read any earlier layer and join several: residual and dense connections,
# masks. They are trained, quantized, evaluated, and run on every instruction set. Wrong names are
# told in one line.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
awk 'BEGIN { print "sequence,label,x,y"
  for (s = 0; s < 24; s++) for (t = 0; t < 3 + s % 4; t++) printf "%d,%s,%.2f,%.2f\n", s, s % 2 ? "up" : "down", s % 2 ? t / 4 : -t / 4, (s * 7 + t * 3) % 5 / 5 }' >data.csv
softmax='{ dense = 2, activation = "softmax" }'

# recipe LAYERS
recipe() {
  printf '[data]\ntrain = "data.csv"\n[model]\nlayers = [%s]\n[train]\nepochs = 2\nbatch = 4\n' "$1" >r.toml
}

# --- every graph trains, the same bytes by one thread and two; in fixed point it answers the same
# on every instruction set
n=0
for layers in \
  "{ dense = 6, name = \"a\" }, { gru = 6, steps = \"every\", name = \"b\" }, { add = [\"a\", \"b\"], name = \"c\" }, { gru = 5 }, $softmax" \
  "{ dense = 5, activation = \"tanh\", name = \"a\", dropout = 0.2 }, { gru = 4, steps = \"every\", name = \"b\" }, { concat = [\"a\", \"b\", \"frame\"] }, { gru = 6, steps = \"every\", name = \"c\" }, { concat = [\"b\", \"c\", \"frame\"] }, { lstm = 5 }, $softmax" \
  "{ gru = 7, steps = \"every\" }, { dense = 2, activation = \"sigmoid\", name = \"m\" }, { multiply = [\"m\", \"frame\"] }, { gru = 5 }, $softmax" \
  "{ gru = 5, name = \"a\", steps = \"last\" }, { gru = 4, from = \"frame\", name = \"b\", steps = \"last\" }, { concat = [\"a\", \"b\", \"frame\"] }, $softmax" \
  "{ fastgrnn = 8, rank = 1, steps = \"every\", name = \"a\" }, { concat = [\"a\", \"frame\"] }, { gru = 7, reset = \"before\", rank = 4, steps = \"every\" }, { lstm = 6, rank = 3, steps = \"every\" }, { rnn = 7, rank = 2, steps = \"every\" }, { gru = 9, rank = 5 }, $softmax"; do
  n=$((n + 1))
  recipe "$layers"
  works train r.toml --threads 1 --out "one$n"
  works train r.toml --threads 2 --out "two$n"
  cmp -s "one$n/model.slu" "two$n/model.slu" || complain "$layers: one thread and two give other bytes"
  works train --resume "one$n"
  works eval "one$n" --data data.csv
  works inspect "one$n"
  grep -q ' reads ' out && grep -q 'layer names' out || complain "inspect does not show the graph: $(cat out)"
  grep -q '^o .* frame  ' out && grep -q '^o-.*\. ' out && grep -q "^o-.*' .* \(concat\|add\|multiply\) " out || complain "inspect does not draw the graph: $(cat out)"
  for type in int8 w8a16; do
    works quantize "one$n" --calibrate data.csv --type $type --out "q$n-$type.slu"
    for isa in scalar ${ISAS:-}; do
      SLUICE_ISA=$isa "${sluice[@]}" run "q$n-$type.slu" --input data.csv --every-step --hex --output "$isa.csv" >out 2>err || { grep -q 'does not run' err || complain "$isa: $(head -n 1 err)"; continue; }
      cmp -s scalar.csv "$isa.csv" || complain "$layers, $type: $isa answers otherwise than scalar code"
    done
  done
  works report "one$n"
  grep -q '<h2>Network' "one$n/report.html" && grep -q '<title>layer [0-9]*.*: \(concat\|add\|multiply\), .* reads [^,]*, ' "one$n/report.html" ||
    complain "$layers: the report does not draw the graph"
done

# --- a chain is a plain table
recipe "{ gru = 4 }, $softmax"
works train r.toml --out chain
works inspect chain
[ "$(sed -n 's/^1 *//p' out | head -n 1 | cut -d' ' -f1)" = standardize ] || complain "inspect draws a chain: $(cat out)"

# --- a resolved recipe says the same graph again
cp one1/recipe.toml again.toml && works train again.toml --data-dir . --out again
cmp -s one1/model.slu again/model.slu || complain "the resolved recipe trains another model"

# --- names
wrong() {
  recipe "$2, $softmax"
  refused 2 "$1" train r.toml --out wrong
  [ -e wrong ] && complain "$2 left a folder"
}
wrong 'r.toml:4: model.layers: layer 2: no layer before it is called "b"; there are "frame", "a"$' '{ gru = 4, name = "a", steps = "every" }, { gru = 3, from = "b" }'
wrong 'layer 2: no layer before it is called "fram"; did you mean "frame"\?' '{ gru = 4, steps = "every" }, { gru = 3, from = "fram" }'
wrong 'layer 1: no layer before it is called "later"; there is "frame"' '{ gru = 4, from = "later" }, { dense = 3, name = "later" }'
wrong 'layer 2 is called "a", and so is layer 1' '{ dense = 4, name = "a" }, { gru = 4, name = "a" }'
wrong 'layer 1: name: "frame" is the frame.s own name' '{ gru = 4, name = "frame" }'
wrong 'layer 1: name: "a b" is not a name; give letters' '{ gru = 4, name = "a b" }'
wrong 'layer 1: name: 3 is not a name' '{ gru = 4, name = 3 }'
wrong 'layer 2: add: a list of "a" alone; give a list of two or more names' '{ gru = 4, name = "a" }, { add = ["a"] }'
wrong 'layer 2: concat: an empty list; give a list of two or more names' '{ gru = 4, name = "a" }, { concat = [] }'
wrong 'layer 2: concat: "a"; give a list of two or more names' '{ gru = 4, name = "a" }, { concat = "a" }'
wrong 'layer 2: concat: 9 names; give at most 8' '{ gru = 4, name = "a" }, { concat = ["a", "a", "a", "a", "a", "a", "a", "a", "a"] }'
wrong 'layer 3: add wants equal widths, but "a" has 4 numbers and "b" 3' '{ dense = 4, name = "a" }, { gru = 3, name = "b" }, { add = ["a", "b"] }'
wrong 'layer 2: from: unknown key; concat has' '{ gru = 4, name = "a" }, { concat = ["a", "a"], from = "a" }'
wrong 'a recurrent layer follows one that has one output a sequence' '{ gru = 4, name = "a", steps = "last" }, { concat = ["a", "frame"] }, { gru = 3 }'
finish
