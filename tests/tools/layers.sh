#!/usr/bin/env bash
# Every layer, loss and option of a recipe from end to end: trained, kept, evaluated. Impossible
# ones are told in one line. Variants.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
awk 'BEGIN { print "sequence,label,x,y"
  for (s = 0; s < 24; s++) for (t = 0; t < 3 + s % 4; t++) printf "%d,%s,%.2f,%.2f\n", s, s % 2 ? "up" : "down", s % 2 ? t / 4 : -t / 4, (s * 7 + t * 3) % 5 / 5 }' >data.csv

# recipe LAYERS [LINE...]: of two classes
recipe() {
  local layers=$1
  shift
  printf '[data]\ntrain = "data.csv"\n[model]\nlayers = [%s]\n[train]\nepochs = 2\nbatch = 4\n' "$layers" >r.toml
  printf '%s\n' "$@" >>r.toml
}
softmax='{ dense = 2, activation = "softmax" }'

# --- every layer trains, the same bytes by one thread and two, and validation measured the run's
# model
n=0
for layers in '{ lstm = 5 }' '{ rnn = 5 }' '{ gru = 5, reset = "before" }' '{ lstm = 5, steps = "mean" }' '{ gru = 4, directions = "both" }' \
  '{ gru = 4, directions = "both" }, { lstm = 3, directions = "both", steps = "mean" }' '{ gru = 5, gates = "hard_sigmoid", slope = 0.2 }' \
  '{ lstm = 5, gates = "tanh" }' '{ lstm = 4, repeat = 3 }' '{ dense = 4, activation = "hard_sigmoid" }, { gru = 4, repeat = 2, tied = true }' \
  '{ gru = 5, steps = "every" }, { batch_norm = true, dropout = 0.3 }, { lstm = 4 }, { batch_norm = true }' \
  '{ layer_norm = true }, { gru = 5, recurrent_dropout = 0.2, gate_dropout = 0.1 }, { layer_norm = true, epsilon = 1e-3 }' \
  '{ fastgrnn = 5 }' '{ fastgrnn = 5, directions = "both", steps = "mean" }' '{ fastgrnn = 5, gates = "hard_sigmoid", repeat = 2 }' \
  '{ gru = 5, rank = 1 }' '{ lstm = 6, rank = 2, directions = "both" }, { rnn = 12, rank = 3, repeat = 2, tied = true, recurrent_dropout = 0.2 }' \
  '{ gru = 5, reset = "before", rank = 3 }, { batch_norm = true }, { fastgrnn = 9, rank = 4, steps = "mean" }' \
  '{ gru = 5, activation = "relu" }, { lstm = 2, activation = "linear", directions = "both" }, { rnn = 4, activation = "elu", alpha = 0.5, repeat = 2, tied = true }' \
  '{ gru = 6, activation = "softsign", reset = "before", rank = 2 }, { cell = "lstm", units = 4, activation = "leaky_relu", gates = "hard_sigmoid", slope = 0.2 }' \
  '{ dense = 6, activation = "prelu", name = "a" }, { dense = 5, activation = "gelu" }, { dense = 4, activation = "clip", low = 0, high = 6 }, { rnn = 4, activation = "selu" }, { dense = 4, activation = "elu" }' \
  '{ lstm = 12, projection = 5 }' '{ lstm = 5, projection = 3, directions = "both", recurrent_dropout = 0.2, repeat = 2 }, { lstm = 9, projection = 7, initial_state = true, peepholes = true, rank = 2, steps = "mean" }' \
  '{ lstm = 5, peepholes = true }' '{ lstm = 5, peepholes = true, cell_clip = 1.5, initial_state = true, directions = "both" }, { lstm = 4, cell_clip = 10, rank = 2 }' \
  '{ gru = 5, initial_state = true }, { lstm = 4, initial_state = true, directions = "both", steps = "mean" }' \
  '{ window = 3, dilation = 2 }, { dense = 5, activation = "relu" }, { gru = 4 }' \
  '{ window = 3, stride = 2 }, { dense = 5, activation = "relu" }, { window = 2, stride = 2, first = 1 }, { max_pool = 2, channels = 5 }, { gru = 4 }' \
  '{ window = 3, ahead = 1 }, { dense = 5 }, { batch_norm = true }, { window = 2, stride = 2, first = 1 }, { mean_pool = 2, channels = 5 }, { gru = 4, directions = "both" }' \
  '{ gru = 5, name = "x" }, { max_over_steps = true, name = "a" }, { mean_over_steps = true, from = "x", name = "b" }, { concat = ["a", "b"] }' \
  '{ lstm = 5, directions = "both", name = "x" }, { dense = 3, activation = "tanh" }, { dense = 1, name = "score" }, { attention = ["score", "x"] }' \
  '{ patches = 2, stride = 1, padding = "zero" }, { dense = 4, part = 2, activation = "prelu" }, { max_pool = 2, channels = 4 }, { gru = 4 }' \
  '{ patches = 2, stride = 1, padding = "reflect" }, { dense = 6, part = 2 }, { norm_pool = 2, channels = 3 }, { curve = true, activation = "log" }, { unit_norm = true }, { lstm = 3 }' \
  '{ dense = 6, name = "a" }, { patches = 4, count = 1 }, { layer_norm = true, name = "b" }, { patches = 2, skip = 4, from = "a" }, { layer_norm = true, name = "c" }, { concat = ["b", "c"] }, { gru = 4 }' \
  '{ dense = 6, name = "a" }, { mean_pool = 3, channels = 2 }, { rnn = 3, from = "a" }, { curve = true, activation = "softplus" }' \
  '{ dense = 6, activation = "silu" }, { dense = 5, activation = "hard_silu" }, { dense = 5, activation = "softplus" }, { dense = 5, activation = "gelu_tanh" }, { dense = 4, activation = "exponential" }, { dense = 4, activation = "leaky_relu", alpha = 0.2 }, { gru = 3 }'; do
  n=$((n + 1))
  recipe "$layers, $softmax"
  works train r.toml --threads 1 --out "one$n"
  works train r.toml --threads 2 --out "two$n"
  cmp -s "one$n/model.slu" "two$n/model.slu" || complain "$layers: one thread and two give other bytes"
  works eval "one$n" --data data.csv
  works inspect "one$n"
done

# --- batch normalization is folded into the layer that follows, so the blob has none
works inspect one11
grep -v recipe out | grep -q batch_norm && complain "batch normalization is left in the blob: $(cat out)"
recipe "{ gru = 5 }, $softmax" && works train r.toml --out plain
[ "$("${sluice[@]}" inspect plain | grep -c gru)" = "$("${sluice[@]}" inspect one3 | grep -c gru)" ] || complain "inspect tells layers apart"

# --- losses, weights of classes, sampling, initializers, penalties
for line in 'loss = "binary"' 'class_weights = "balanced"' 'class_weights = "1, 2.5"' 'sampling = "balanced"' 'label_smoothing = 0.1' \
  'l2 = { recurrent = 1e-3, bias = 1e-4 }' 'elastic = 1e-3' 'max_norm = 1.0' 'weight_decay = { output = 0.1 }'; do
  last=$softmax
  [ "$line" = 'loss = "binary"' ] && last='{ dense = 1, activation = "sigmoid" }'
  recipe "{ gru = 4 }, $last" 'optimizer = "adamw"' "$line"
  rm -rf run && works train r.toml --out run
  works eval run --data data.csv
done
for way in xavier_uniform xavier_normal kaiming_uniform kaiming_normal orthogonal zeros; do
  recipe "{ lstm = 4 }, $softmax"
  rm -rf run && works train r.toml --out run --set model.init.input=$way --set model.init.recurrent=$way --set model.init.output=$way \
    --set model.init.bias=zeros --set model.init.forget_bias=1
done

# --- variants and seeds: one command, one table, each run in its folder
recipe "{ gru = 4 }, $softmax" '[[variants]]' 'name = "plain"' '[[variants]]' 'name = "l2"' 'train.l2 = 1e-3' 'model.dropout.input = 0.1'
works train r.toml --seeds 1..2 --out study
for part in plain/seed-1 plain/seed-2 l2/seed-1 l2/seed-2; do [ -s "study/$part/model.slu" ] || complain "no study/$part/model.slu"; done
grep -q '^plain *2 .*±' out && grep -q '^l2 *2 .*±' out || complain "the table of variants: $(cat out)"
grep -q '^l2 = 0.001' study/l2/seed-1/recipe.toml || complain "a variant's key did not arrive"
cp out first
refused 2 '^--seeds 1,1: 1 is given twice' train r.toml --seeds 1,1 --out twice
works train r.toml --seeds 1..2 --out study
cmp -s out first || complain "complete runs are not taken as they are"
works train r.toml --seed 2 --variant l2 --out alone
cmp -s alone/l2/model.slu study/l2/seed-2/model.slu || complain "a variant alone is another"

# --- a rare class: of 12 sequences a tenth is one sequence, and the held-out part stays whole
recipe "{ gru = 5 }, $softmax"
works train r.toml --out thin --set data.validation=0 --set data.thin=up:0.1
grep -q 'rarest up (7.7 %) of 13 targets' err || complain "a tenth of a class is not one: $(head -n 1 err)"
refused 2 'there is no class "left"' train r.toml --out none --set data.thin=left:0.1
for thin in up up:0 up:2 up:x; do refused 2 'is not a class and a share' train r.toml --out none --set "data.thin=$thin"; done

# --- a model to start from, layers that stay
recipe "{ gru = 5 }, { gru = 4 }, $softmax"
works train r.toml --out first_run
works train r.toml --out second_run --init first_run/model.slu --freeze 1 --freeze 3 --seed 7
cmp -s first_run/model.slu second_run/model.slu && complain "nothing was learned from --init on"
works train r.toml --out again --init first_run/model.slu --freeze 1 --freeze 3 --seed 7
cmp -s again/model.slu second_run/model.slu || complain "--init gives other bytes the second time"
refused 2 '"9" is not a layer; give 1 to 3' train r.toml --out none --freeze 9
refused 2 'every layer' train r.toml --out none --freeze 1 --freeze 2 --freeze 3
recipe "{ lstm = 5 }, { gru = 4 }, $softmax"
refused 2 '^--init first_run/model.slu: layer 1 of .*first_run/model.slu has kind gru, but lstm here; give' train r.toml --out none --init first_run/model.slu

# --- the recipe explained
works train r.toml --explain --set train.l2=1e-3
grep -q '^  train.l2 = 0.001    # --set train.l2=1e-3$' out && grep -q 'Source: loss + l2 \* sum w^2' out || complain "--explain: $(grep -A4 'train.l2 =' out)"
grep -q 'layers = \[{ lstm = 5' out || complain "--explain does not tell the layers"

# --- impossible recipes
refused_recipe() {
  local regex=$1
  rm -rf none
  refused 2 "$regex" train r.toml --out none
  [ ! -e none ] || complain "left behind: none"
}
recipe "{ gru = 4, gates = \"softplus\" }, $softmax" && refused_recipe '^r\.toml:4: model\.layers: layer 1: gates: "softplus" is unknown'
recipe "{ gru = 4, lstm = 4 }, $softmax" && refused_recipe 'both gru and lstm'
recipe "{ rnn = 4, gates = \"tanh\" }, $softmax" && refused_recipe 'gates: unknown key; rnn has its units, activation, alpha, steps'
recipe "{ batch_norm = 4 }, $softmax" && refused_recipe 'batch_norm: 4; give true'
recipe "{ gru = 4, repeat = 2, tied = true }, $softmax" && refused_recipe 'tied layers have as many inputs as outputs'
recipe "{ gru = 4, tied = true }, $softmax" && refused_recipe 'tied: there is one layer alone'
recipe "{ gru = 4, slope = 0.2 }, $softmax" && refused_recipe 'slope: there is no hard sigmoid'
recipe "{ gru = 4, peepholes = true }, $softmax" && refused_recipe 'peepholes: unknown key; gru has'
recipe "{ lstm = 4, projection = 2, gate_dropout = 0.1 }, $softmax" && refused_recipe 'gate_dropout: not of an LSTM with a projection'
recipe "{ lstm = 4, cell_clip = -1 }, $softmax" && refused_recipe 'cell_clip: -1; give 0 to 1000000'
recipe "{ gru = 4, rank = 4 }, $softmax" && refused_recipe '^r\.toml:4: model\.layers: layer 1: rank: 4 is not below the 4 units'
recipe "{ gru = 4, rank = -1 }, $softmax" && refused_recipe 'rank: -1; give 0 to 65535'
recipe "{ gru = 4, rank = 2, gate_dropout = 0.1 }, $softmax" && refused_recipe 'gate_dropout: not of matrices of low rank'
recipe "{ dense = 3, part = 3 }, { gru = 4 }, $softmax" && refused_recipe 'layer 1: part: 3 does not divide the 2 inputs'
recipe "{ max_pool = 3 }, { gru = 4 }, $softmax" && refused_recipe 'max_pool: 3 does not divide the 2 positions of 2 inputs'
recipe "{ patches = 3 }, { gru = 4 }, $softmax" && refused_recipe 'patches: 3 positions are more than the 2 of 2 inputs'
recipe "{ patches = 5, padding = \"reflect\" }, { gru = 4 }, $softmax" && refused_recipe 'padding: 2 positions cannot be reflected at the ends of 2'
recipe "{ patches = 2, skip = 1 }, { gru = 4 }, $softmax" && refused_recipe 'patches: 2 positions are more than the 2 of 2 inputs without the first 1'
recipe "{ patches = 2, skip = 1, padding = \"zero\" }, { gru = 4 }, $softmax" && refused_recipe 'skip: is of patches without padding'
recipe "{ window = 40000 }, { gru = 4 }, $softmax" && refused_recipe 'window: gives 80000 numbers; at most 65536 are possible'
recipe "{ gru = 4 }, { window = 2 }, $softmax" && refused_recipe 'layer 2: a window reads every step, but a layer before it has one output a sequence'
recipe "{ window = 3, ahead = 3 }, { gru = 4 }, $softmax" && refused_recipe 'ahead: 3 steps, but the window has 2 steps beside one'
recipe "{ window = 3, first = 3 }, { gru = 4 }, $softmax" && refused_recipe 'first: step 3, but the window needs only 2 steps before one'
recipe "{ window = 3, first = 1, ahead = 1 }, { gru = 4 }, $softmax" && refused_recipe 'ahead: is of a window that begins at the first step'
recipe "{ window = 2, stride = 65535 }, { window = 2, stride = 65535 }, { gru = 4 }, $softmax" && refused_recipe 'layer 2: strides and first steps of 4294836225 steps in all'
recipe "{ window = 300, first = 299 }, { gru = 4 }, $softmax" && refused_recipe 'have their first output at step 300; make them shorter'
recipe "{ dense = 4, name = \"a\" }, { window = 2, stride = 2 }, { dense = 4, name = \"b\" }, { add = [\"a\", \"b\"] }, { gru = 4 }, $softmax" &&
  refused_recipe 'layer 4: reads layer 1, which has an output at every step, but the window of layer 2 leaves steps out'
recipe "{ gru = 4, name = \"x\" }, { dense = 2, name = \"s\" }, { attention = [\"s\", \"x\"] }, $softmax" && refused_recipe 'attention: give two names, of a score of one number'
recipe "{ max_over_steps = true }, { gru = 4 }, $softmax" && refused_recipe 'a recurrent layer follows one that has one output a sequence'
recipe "{ window = 2 }, { gru = 4 }, $softmax" 'truncate = 2'
refused 2 'a window begins each piece of a sequence with zeros' train r.toml --out none --set data.target_per=row
recipe "{ gru = 4 }, { dense = 2, rank = 1 }" && refused_recipe 'rank: unknown key; dense has'
recipe "{ gru = 4, rank = 2 }, $softmax" 'prune = 0.5' 'prune_every = 1' && refused_recipe 'no recurrent layer of whole matrices learns'
recipe "{ gru = 4, dropout = 1.0 }, $softmax" && refused_recipe 'dropout: 1; give 0 to 0.99'
recipe "{ embedding = 4 }, { gru = 4 }, $softmax" && refused_recipe 'an embedding reads text'
recipe "{ gru = 4 }, { embedding = 4 }, $softmax" && refused_recipe 'an embedding is the first layer'
recipe '{ gru = 4 }, { dense = 2, activation = "softmax", dropout = 0.1 }' && refused_recipe 'would drop answers'
recipe "{ gru = 4 }, $softmax" 'loss = "binary"' && refused_recipe 'binary wants a probability'
recipe "{ gru = 4 }, $softmax" 'class_weights = "1, 2, 3"' && refused_recipe '3 weights, but .* has 2 classes'
recipe "{ gru = 4 }, $softmax" 'class_weights = "1, minus"' && refused_recipe '"minus" is not a weight'
recipe "{ gru = 4 }, $softmax" 'l2 = { state = 1 }' && refused_recipe 'state: is not a kind of weights'
recipe "{ gru = 4 }, $softmax" 'l2 = 1e-3' 'elastic = 1e-3' && refused_recipe 'stands in place of train\.l1 and train\.l2'
recipe "{ gru = 4 }, $softmax" '[[variants]]' 'name = "a"' '[[variants]]' 'name = "a"' && refused_recipe "another variant's already"
recipe "{ gru = 4 }, $softmax" '[[variants]]' 'name = "a/b"' && refused_recipe "will not do as a folder's name"
recipe "{ gru = 4 }, $softmax" '[[variants]]' 'name = "a"' 'train.epoch = 1' && refused_recipe '^r\.toml:[0-9]+: train\.epoch: unknown key'
recipe "{ gru = 4 }, $softmax" '[[variants]]' 'name = "a"' && refused 2 'no such variant' train r.toml --variant b --out none
recipe "{ gru = 4 }, $softmax"
for seeds in 3..1 x 1..x 1,,2; do refused 2 "^--seeds $seeds: " train r.toml --seeds $seeds --out none; done

# --- the cost on a device is told for layers that were counted, and for no others
recipe "{ gru = 5 }, { batch_norm = true }, $softmax" '[device]' 'core = "cortex-m4"' 'type = "f32"' 'flash = "64 KiB"'
works train r.toml --out device
recipe "{ lstm = 5, gates = \"tanh\" }, $softmax" '[device]' 'core = "cortex-m4"' 'type = "f32"' && refused_recipe 'the instructions of layer 2 \(lstm\) have not been counted'
recipe "{ lstm = 5, steps = \"mean\" }, $softmax" '[device]' 'core = "cortex-m4"' && refused_recipe 'layer 2 \(lstm\): the mean over steps has no fixed-point kernel'
recipe "{ lstm = 5 }, $softmax" '[device]' 'core = "cortex-m4"' 'flash = "64 KiB"'
works train r.toml --out device_lstm
grep -q 'cortex-m4, int8: flash .* of 65,536 bytes' out || complain "train does not tell what an LSTM costs: $(tail -n 3 out)"
refused 2 '^--core cortex-m4: the instructions of layer 2 \(gru, both directions\)' inspect one5 --core cortex-m4
works quantize one13 --calibrate data.csv --type int8 --out fast.slu
works inspect fast.slu --core cortex-m4
grep -q '^instructions a step' out || complain "inspect does not tell the cost of a FastGRNN: $(cat out)"
works export one1 --core cortex-m4 --out c

# --- a model that reads ids gets ids
awk 'BEGIN { for (i = 0; i < 200; i++) printf "abc abd\n" }' >text.txt
printf '[data]\ntrain = "text.txt"\nformat = "text"\nwindow = 20\n[model]\nlayers = [{ embedding = 4 }, { gru = 5 }, { dense = 8, activation = "softmax" }]\n[train]\nepochs = 1\n' >t.toml
works train t.toml --out ids
works export ids --self-test 2 --out ids_c
grep -q 'typedef int32_t model_input;' ids_c/model.h || complain "a model of ids takes $(grep model_input ids_c/model.h | head -n 1)"
works bench ids

# --- every cell in fixed point: as good as in float; and its costs
for run in one1 one2 one3 one13; do
  for type in int8 w8a16; do
    works quantize $run --calibrate data.csv --type $type --out $run-$type.slu
    works eval $run-$type.slu --data data.csv
    if [ $run != one13 ]; then works inspect $run-$type.slu --core cortex-m0; fi
    [ $run = one13 ] || grep -q 'instructions a step' out || complain "the cost of $run: $(cat out)"
    works export $run-$type.slu --core cortex-m55 --format slu --self-test 2 --out $run-$type
    works run $run-$type/model.slu --input data.csv --output m55.csv
    works run $run-$type.slu --input data.csv --output own.csv
    cmp -s m55.csv own.csv || complain "$run-$type: the order of a core changes the answers"
  done
done
recipe "{ lstm = 5 }, { rnn = 4 }, { fastgrnn = 4 }, $softmax" && works train r.toml --out aware --set quantize.aware=true
works inspect aware
grep -q int8 out || complain "trained for fixed point, but is $(head -n 1 out)"
# Hard gates, candidates whose state has a unit of its own, and curves that saturation makes.
recipe '{ gru = 5, activation = "relu", gates = "hard_sigmoid", slope = 0.2 }, { lstm = 4, activation = "linear" }, { dense = 4, activation = "clip", low = 0, high = 1.5 }, { rnn = 4, activation = "relu" }, '"{ dense = 4, activation = \"hard_sigmoid\" }, $softmax"
for type in int8 w8a16; do
  rm -rf curved curved.slu && works train r.toml --out curved --set quantize.aware=true --set quantize.type=$type
  works inspect curved
  works train r.toml --force --out curved && works quantize curved --calibrate data.csv --type $type --out curved.slu
  works eval curved.slu --data data.csv
done
recipe "{ gru = 5, reset = \"before\" }, $softmax"
refused 2 'quantize\.aware.*: layer 2 \(gru_before\): the trainer cannot round r \* h' train r.toml --out none --set quantize.aware=true

# --- a layer without an integer form is refused by name
for run in one4 one5 one8 one15 one19 one20 one21 one22; do
  refused 2 'layer [0-9]+ .*it can be run in f32 only' quantize $run --calibrate data.csv --out q.slu
done
# --- a variant that diverges is told, the others are trained and compared; a variant that cannot be
# trained stops all of them before
recipe "{ gru = 4 }, $softmax" '[[variants]]' 'name = "wild"' 'train.optimizer = "sgd"' 'train.learning_rate = 100.0' 'train.diverged = 1.0' \
  '[[variants]]' 'name = "tame"'
"${sluice[@]}" train r.toml --out wild >out 2>err </dev/null
[ $? -eq 1 ] || complain "a variant that diverges: exit code, $(tail -n 1 err)"
tail -n 1 err | grep -q '^1 of these trainings diverged: wild/wild$' || complain "a variant that diverges: $(tail -n 1 err)"
grep -q '^wild  *0 of 1  *diverged' out && grep -q '^tame  *1 ' out || complain "a variant that diverges in the table: $(cat out)"
recipe "{ gru = 4 }, $softmax" '[[variants]]' 'name = "good"' '[[variants]]' 'name = "bad"' 'model.layers = [ { gru = 4 }, { dense = 3, activation = "softmax" } ]'
refused 2 'the last layer has 3 units, but .* 2 classes' train r.toml --out half
absent half
refused 2 '^--resume study: holds a study' train --resume study

# --- a pruned run: the share of zeros is logged and drawn
recipe "{ gru = 16 }, $softmax" 'prune = 0.5' 'prune_every = 1'
works train r.toml --out pruned
works report pruned
grep -q 'Pruned: blocks of 8 x 4 weights that are zero' pruned/report.html || complain "the report of a pruned run has no chart of its zeros"
# Half of the blocks are 50 on an axis in percent: of the chart's ticks one is 20 or more.
sed -n '/share of blocks (%)/,/class="axis"/s/.*class="tick end">\([0-9.]*\)<.*/\1/p' pruned/report.html |
  awk '$1 >= 20 { found = 1 } END { exit !found }' || complain "the chart of zeros is not in percent"

# --- settings that make no sense together
recipe "{ gru = 16 }, $softmax"
refused 2 'train\.prune=0\.5: no recurrent layer of whole matrices learns' train r.toml --out run2 --set train.prune=0.5 --set train.prune_every=1 --set 'model.freeze=[1]'
refused 2 'every class has weight 0' train r.toml --out run2 --set train.class_weights=0,0
refused 2 'train\.sampling balances' train r.toml --out run2 --set train.class_weights=balanced --set train.sampling=balanced
refused 2 'quantize\.aware.*cannot round a batch normalization' train r.toml --out run2 --set quantize.aware=true \
  --set 'model.layers=[{gru=4,steps="every"},{batch_norm=true},{gru=4},{dense=2,activation="softmax"}]'
awk -F, 'NR == 1 || $2 == "up"' data.csv >one.csv
refused 2 'one\.csv: one class, "up"' train r.toml --out run2 --set data.train=one.csv
refused 2 'binary is for values of 0 to 1, but .* has -' train r.toml --out run2 --set train.loss=binary --set data.target=x --set data.ignore=label \
  --set data.target_type=value --set data.target_per=row --set 'model.layers=[{gru=4},{dense=1,activation="sigmoid"}]'
refused 2 'softmax over one unit is 1' train r.toml --out run2 --set 'model.layers=[{gru=4},{dense=1,activation="softmax"}]'
awk -F, 'NR == 1 || $1 == 0' data.csv >single.csv
refused 2 'one sequence cannot be both held out and trained on' train r.toml --out run2 --set data.train=single.csv
absent run2
recipe "{ gru = 4, directions = \"both\" }, $softmax"
rm -rf run && works train r.toml --out run
refused 2 '^--every-step: run takes whole sequences' run run --input data.csv --every-step

# --- a run does not begin from a model that it replaces, and the model of the replaced run is gone
refused 2 'lies in the run.s own folder' train r.toml --init run/model.slu --out run --force
[ -s run/model.slu ] || complain "a refused training took the model away"
touch run/model-int8.slu run/report.html
"${sluice[@]}" train r.toml --out run --force --set train.epochs=1000000 >out 2>err </dev/null &
for _ in $(seq 100); do sleep 0.1; [ -e run/checkpoint.slc ] && break; done
sleep 0.2
kill -9 $!
wait $! 2>/dev/null
absent run/model.slu run/model-int8.slu run/report.html

# --- a model that answers every second row, from the third one on
awk 'BEGIN { srand(5); print "s,a,b,y"
  for (s = 0; s < 30; ++s) for (t = h = 0; t < 11; ++t) { a = rand(); b = rand(); h = h / 2 + a - b; printf "%d,%.3f,%.3f,%.3f\n", s, a, b, h } }' >rows.csv
cat >rows.toml <<'END'
[data]
train = "rows.csv"
sequence = "s"
target = "y"
target_per = "row"
target_type = "value"
validation = 0.2
[model]
layers = [ { window = 3, stride = 2, first = 2 }, { dense = 8, activation = "tanh" }, { gru = 8 }, { dense = 1 } ]
[train]
loss = "mse"
epochs = 3
END
works train rows.toml --out rows
works report rows --out rows.html
works quantize rows --calibrate rows.csv --out rows8.slu --report rows8.html
works run rows8.slu --input rows.csv
[ "$(awk -F, '$1 == 7 { printf "%s ", $2 }' out)" = "2 4 6 8 10 " ] || complain "steps with an answer: $(head -n 7 out)"
works run rows --input rows.csv --json
grep -q '"sequence": "7", "steps": \[2, 4, 6, 8, 10\]' out || complain "steps with an answer, as JSON: $(head -n 3 out)"
works eval rows8.slu --data rows.csv --json
grep -q '"targets": 150,' out || complain "30 sequences of 5 answers: $(cat out)"
works inspect rows
grep -q 'answers every 2 steps, from step 3 on' out || complain "inspect: $(head -n 1 out)"
works export rows --format c --self-test 2 --out rows-c
grep -q 'that of frame 3 of a sequence' rows-c/model.h || complain "model.h says nothing of frames without an answer"
head -n 2 rows.csv >short.csv
refused 2 'sequence 0 has 1 step, and the model gives its first answer at step 3' eval rows --data short.csv

finish
