#!/usr/bin/env bash
# Recipes whose answer has several parts, heads, each with a loss of its own: trained, evaluated,
# quantized and run on every instruction set, reported; losses recomputed from the model's answers;
# each error told in one line.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
awk 'BEGIN { print "sequence,vad,digit,pitch,x,y"
  for (s = 0; s < 60; s++) for (t = 0; t < 3 + s % 4; t++)
    printf "%d,%d,%d,%.3f,%.2f,%.2f\n", s, s % 2, s % 3, s % 2 * 1.5 + s % 3 - 1,
      (s % 2 ? t / 4 : -t / 4) + s % 5 / 50, s % 3 * t / 4 + (s * 7 + t * 3) % 5 / 20 }' >data.csv
vad='{ dense = 1, activation = "sigmoid", name = "vad", loss = "binary", weight = 0.5, from = "body" }'
digit='{ dense = 3, activation = "softmax", name = "digit", loss = "cross_entropy", from = "body" }'
pitch='{ dense = 1, name = "pitch", loss = "huber", weight = 2, from = "body" }'
body='{ gru = 6, name = "body" }'
three='"vad", "digit", "pitch"'

# recipe LAYERS TARGETS [LINES OF DATA [LINES OF TRAIN]]
recipe() {
  printf '[data]\ntrain = "data.csv"\ntarget = [%s]\n%s\n[model]\nlayers = [%s]\n[train]\nepochs = 12\nbatch = 8\nlearning_rate = 1e-2\n%s\n' \
    "$2" "${3:-}" "$1" "${4:-}" >r.toml
}

# --- the same bytes by one thread and two, by a written concat, by the resolved recipe, and after a
# resumption
recipe "$body, $vad, $digit, $pitch" "$three"
works train r.toml --threads 1 --out one
grep -q 'vad, weight 0.5: loss .* accuracy' out && grep -q 'pitch, weight 2: loss .* mean squared error' out || complain "no result for each head: $(cat out)"
grep -q 'validation .*, vad [0-9.]* %, digit [0-9.]* %, pitch [0-9.]' err || complain "no progress of each head: $(head -n 3 err)"
head -n 1 one/log.jsonl | grep -q '"validation_heads":{"vad":{"loss":[0-9.]*,"accuracy":[0-9.]*},"digit":{.*},"pitch":{"loss":[0-9.]*,"rmse":[0-9.]*}}' || complain "the log lacks heads: $(head -n 1 one/log.jsonl)"
works train r.toml --threads 2 --out two
same one/model.slu two/model.slu "one thread and two"
works train --resume one
recipe "$body, $vad, $digit, $pitch, { concat = [$three] }" "$three"
works train r.toml --out written
same one/model.slu written/model.slu "the concat that is written and the one that is added"
works train one/recipe.toml --data-dir . --out again
same one/model.slu again/model.slu "a recipe and the same as resolved"
recipe "$body, $vad, $digit, $pitch, { concat = [\"pitch\", \"vad\", \"digit\"] }" '"pitch", "vad", "digit"'
works train r.toml --out other
works run other --input data.csv
head -n 1 out | grep -q '^sequence,pitch,vad,digit.0,digit.1,digit.2,predicted_pitch,' || complain "the written concat does not give the order: $(head -n 1 out)"

# --- losses and accuracies recomputed from the answers
works run one --input data.csv --output answers.csv
head -n 1 answers.csv | grep -q '^sequence,vad,digit.0,digit.1,digit.2,pitch,predicted_vad,predicted_digit,predicted_pitch,true_vad,true_digit,true_pitch$' || complain "the answers are not named: $(head -n 1 answers.csv)"
awk -F, 'FNR == 1 { next } FILENAME == "data.csv" { truth[$1] = $2 "," $3 "," $4 + 0; next }
  { best = $4 > $3 ? 1 : 0; if ($5 > $(3 + best)) best = 2; split($0, f)
    if ($7 != ($2 > 0.5) || $8 != best || $9 != $6 || $10 "," $11 "," $12 + 0 != truth[$1]) exit 1 }' data.csv answers.csv ||
  complain "predicted or true is not that of the head: $(head -n 2 answers.csv)"
works eval one --data data.csv --json
mv out eval.json
awk -F, 'FNR == 1 { next }
  FILENAME == "data.csv" { vad[$1] = $2; digit[$1] = $3; pitch[$1] = $4; next }
  { n++; s = $1
    b -= vad[s] * log($2) + (1 - vad[s]) * log(1 - $2); right += ($2 > 0.5) == vad[s]
    c -= log($(3 + digit[s]))
    e = $6 - pitch[s]; e = e < 0 ? -e : e; h += e <= 1 ? e * e / 2 : e - 0.5 }
  END { printf "%.9f %.9f %.9f %.9f %.9f\n", b / n, right / n, c / n, h / n, 0.5 * b / n + c / n + 2 * h / n }' data.csv answers.csv >expected
awk '/"heads"/ { inside = 1 } !inside && /"loss":/ { total = $2 + 0 }
  inside && /^    "[a-z]*": \{/ { head = $1 } inside && /^      "loss":/ { loss[head] = $2 + 0 } inside && /^      "accuracy":/ { right[head] = $2 + 0 }
  END { printf "%.9f %.9f %.9f %.9f %.9f\n", loss["\"vad\":"], right["\"vad\":"], loss["\"digit\":"], loss["\"pitch\":"], total }' eval.json >got
paste -d ' ' expected got | awk '{ for (i = 1; i <= 5; i++) { d = $i - $(i + 5); if (d < 0) d = -d; if (d > 1e-5 || $i == 0) exit 1 } }' ||
  complain "eval says $(cat got), the answers $(cat expected)"
works eval one --data data.csv
grep -q '^digit, weight 1:$' out && grep -q '^ *true ' out || complain "eval has no table for each head: $(cat out)"

# --- inspect, fixed point, report
works inspect one
grep -q '^answer 2 (digit): outputs 2 to 4, from layer 4; loss cross_entropy, weight 1$' out || complain "inspect: $(grep '^answer' out)"
works inspect one --json
grep -q '"loss": "huber"' out || complain "inspect --json lacks the losses"
for type in int8 w8a16; do
  works quantize one --calibrate data.csv --type $type --out $type.slu --report $type.json
  grep -q 'vad accuracy *digit accuracy *pitch RMSE' out || complain "quantize has no column for each head: $(head -n 3 out)"
  grep -q 'dense  *answers of vad ' out && grep -q 'dense  *answers of digit ' out || complain "quantize's table of errors does not name the heads: $(cat out)"
  grep -q '"rmse":' $type.json || complain "quantize --report lacks heads"
  works eval $type.slu --data data.csv
  grep -q '  digit, weight 1: loss .*accuracy' out || complain "eval of $type: $(head -n 5 out)"
  for isa in scalar ${ISAS:-}; do
    SLUICE_ISA=$isa "${sluice[@]}" run "$type.slu" --input data.csv --hex --output "$isa.csv" >out 2>err || { grep -q 'does not run' err || complain "$isa: $(head -n 1 err)"; continue; }
    cmp -s scalar.csv "$isa.csv" || complain "$type: $isa answers otherwise than scalar code"
  done
done
works report one --out one.html
for text in 'vad: validation loss' 'digit: validation accuracy' 'pitch: root mean squared error of validation' '<h3>digit: weight 1, validation part</h3>' 'digit: accuracy, validation'; do
  grep -q -- "$text" one.html || complain "the report lacks \"$text\""
done
works report one two --out both.html
grep -q 'validation vad accuracy' both.html || complain "the comparison lacks heads"
recipe "$body, $vad, $digit, $pitch" "$three" 'test = "data.csv"' '[[variants]]
name = "a"'
works train r.toml --seeds 1..2 --out variants
grep -q 'test digit accuracy' out || complain "the table of variants lacks heads: $(cat out)"
recipe "$body, $vad, $digit, $pitch" "$three" '' '[quantize]
aware = true'
works train r.toml --out aware
grep -q 'digit, weight 1: loss' out || complain "trained for fixed point: $(cat out)"

# --- an answer for every row, with masked cells; a head with several outputs, a recurrent one
awk 'BEGIN { print "sequence,vad,a,b,x,y"
  for (s = 0; s < 24; s++) for (t = 0; t < 6; t++) printf "%d,%s,%.2f,%s,%.2f,%.2f\n", s, t % 3 ? (s + t) % 2 : "", t / 6, t % 2 ? s / 24 : "", (s + t) % 2 - t / 9, s / 24 }' >rows.csv
recipe '{ gru = 5, name = "body" }, { dense = 1, activation = "sigmoid", name = "vad", loss = "binary" }, { gru = 2, name = "both", loss = "mse", from = "body" }' '"vad", "a", "b"' 'target_per = "row"'
sed -i 's/data.csv/rows.csv/' r.toml
works train r.toml --out rows
works run rows --input rows.csv
head -n 1 out | grep -q '^sequence,step,vad,both.a,both.b,predicted_vad,predicted_both.a,predicted_both.b,true_vad,true_both.a,true_both.b$' || complain "rows: $(head -n 1 out)"
works eval rows --data rows.csv --json
grep -q '"targets": 96,' out || complain "masked rows of vad count: $(grep targets out)"
works report rows --out rows.html

# --- a search: the weighted sum is judged, the test figures name heads; a weight cannot be searched
if has_tune; then
  recipe "$body, $vad, $digit, $pitch" "$three" 'test = "data.csv"'
  sed -i 's/gru = 6/gru = { value = 4, low = 2, high = 8 }/; s/epochs = 12/epochs = 2/' r.toml
  works tune r.toml --study s.db --trials 3 --threads 1
  works tune --study s.db --best
  grep -q 'vad accuracy [0-9.]* .*%' out || complain "the study's test figures lack heads: $(cat out)"
  works report s.db --out study.html
  sed -i 's/weight = 2/weight = { value = 2, low = 1, high = 3 }/' r.toml
  refused 2 'layers.4.weight: cannot be searched' tune r.toml --study t.db --trials 3
fi

# --- errors
# wrong REGEX LAYERS [TARGETS [LINES OF DATA [LINES OF TRAIN]]]
wrong() {
  recipe "$2" "${3:-$three}" "${4:-}" "${5:-}"
  refused 2 "$1" train r.toml --out wrong
  [ -e wrong ] && complain "$2 left a folder"
}
wrong '^r.toml:6: model.layers: layer 2: loss: "binry" is unknown; did you mean "binary"\?$' "$body, ${vad/binary/binry}, $digit, $pitch"
wrong '^r.toml:6: model.layers: layer 2: loss: "mse_sum" is unknown; ' "$body, ${vad/binary/mse_sum}, $digit, $pitch"
for weight in 0 -1 inf nan; do wrong "^r.toml:6: model.layers: layer 2: weight: .*give 1e-06 to 1" "$body, ${vad/0.5/$weight}, $digit, $pitch"; done
wrong 'layer 2: weight: "much"; give a number$' "$body, ${vad/0.5/\"much\"}, $digit, $pitch"
wrong 'layer 1: weight: is the factor of a loss, and the layer has none; give it a loss too$' "{ gru = 6, name = \"body\", weight = 1 }, $vad, $digit, $pitch"
wrong 'layer 2 alone has a loss; give a loss to two layers or more, or train.loss for one answer$' "$body, $vad"
wrong 'layer 3 has a loss, but no name; give it one' "$body, $vad, ${digit/name = \"digit\", /}, $pitch"
wrong 'layer 5 comes last and has no loss, but others have; give it one, or leave it out$' "$body, $vad, $digit, $pitch, { dense = 3, from = \"body\" }"
wrong 'layer 5 reads layer 3 \("digit"\), whose softmax is a part of the answer; let it read an earlier layer, by from$' "$body, $vad, $digit, $pitch, { dense = 3, from = \"digit\", name = \"more\", loss = \"mse\" }"
wrong 'layer 3 reads layer 2 \("vad"\), whose sigmoid is a part of the answer' "$body, $vad, ${digit/, from = \"body\"/}, $pitch"
wrong 'layer 3: loss: cross_entropy wants probabilities; give \{ dense = 3, activation = "softmax" \}$' "$body, $vad, ${digit/softmax/tanh}, $pitch"
wrong 'layer 2: loss: binary wants a probability; give \{ dense = 1, activation = "sigmoid" \}$' "$body, ${vad/sigmoid/tanh}, $digit, $pitch"
wrong 'layer 4: dropout on the output of a head would drop answers; leave it out$' "$body, $vad, $digit, ${pitch/name/dropout = 0.5, name}"
wrong 'layer 5: concat: "body" has no loss; in an answer of several parts each has one$' "$body, $vad, $digit, $pitch, { concat = [\"vad\", \"body\"] }"
wrong 'layer 5: concat: "vad" twice; a part of the answer is there once$' "$body, $vad, $digit, $pitch, { concat = [\"vad\", \"vad\"] }"
wrong 'layer 4 \("pitch"\) has a loss, but the concat that ends the network leaves it out$' "$body, $vad, $digit, $pitch, { concat = [\"vad\", \"digit\"] }"
nine=''
for i in 1 2 3 4 5 6 7 8 9; do nine="$nine, { dense = 1, name = \"h$i\", loss = \"mse\", from = \"body\" }"; done
wrong '9 layers have a loss; an answer has at most 8 parts$' "$body$nine"
wrong '^r.toml:3: data.target: 2 columns, but the heads have 3: "vad" has 1, "digit" has 1, "pitch" has 1; name the columns of all heads' "$body, $vad, $digit, $pitch" '"vad", "digit"'
wrong 'data.target: 1 column, but the heads have 3' "$body, $vad, $digit, $pitch" '"vad"'
wrong 'layer 2 \("vad"\) answers a sequence, but layer 4 \("digit"\) every row; give the recurrent layers before them the same steps$' \
  "{ gru = 6, name = \"body\", steps = \"last\" }, $vad, { gru = 4, from = \"frame\", steps = \"every\", name = \"beside\" }, ${digit/body/beside}, $pitch"
wrong 'answers every row, but data.target_per is "sequence"' "{ gru = 6, name = \"body\", steps = \"every\" }, $vad, $digit, $pitch"
wrong '^r.toml:11: train.loss: layers have losses of their own; leave it out$' "$body, $vad, $digit, $pitch" "$three" '' 'loss = "huber"'
wrong '^r.toml:4: data.target_type: layers have losses of their own, which decide the type of the targets; leave it out$' "$body, $vad, $digit, $pitch" "$three" 'target_type = "class"'
wrong '^r.toml:4: data.standardize_target: .* the answer has several parts; leave it out$' "$body, $vad, $digit, $pitch" "$three" 'standardize_target = true'
wrong '^r.toml:4: data.window: the targets of windows are one answer' "$body, $vad, $digit, $pitch" "$three" 'window = 3'
wrong '^r.toml:4: data.format: in a text the targets are tokens' "$body, $vad, $digit, $pitch" "$three" 'format = "text"'
wrong '^r.toml:11: train.monitor: of an answer in several parts the sum of the losses is watched; give "loss"$' "$body, $vad, $digit, $pitch" "$three" '' 'monitor = "mae"'
wrong '^r.toml:11: train.class_weights: is for classes; leave it out$' "$body, $vad, $digit, $pitch" "$three" '' 'class_weights = "balanced"'
# wrong_data REGEX SED: the same of the data.
wrong_data() {
  recipe "$body, $vad, $digit, $pitch" "$three"
  sed -i 's/data.csv/bad.csv/' r.toml
  sed "$2" data.csv >bad.csv
  refused 2 "$1" train r.toml --out wrong
  refused 2 "$1" eval one --data bad.csv
}
wrong_data 'bad.csv:3: digit: 3 is not a class of "digit"; give a whole number from 0 to 2$' '3s/^0,0,0/0,0,3/'
wrong_data 'bad.csv:3: digit: -1 is not a class of "digit"' '3s/^0,0,0/0,0,-1/'
wrong_data 'bad.csv:3: digit: 0.5 is not a class of "digit"' '3s/^0,0,0/0,0,0.5/'
wrong_data 'bad.csv:3: digit: "two" is not a number' '3s/^0,0,0/0,0,two/'
wrong_data 'bad.csv:3: vad: 1.5 is not a target of "vad", whose loss is binary; give 0 to 1$' '3s/^0,0,0/0,1.5,0/'
wrong_data 'bad.csv:[0-9]*: pitch: the sequence has no value' 's/^\(0,0,0\),-1.000/\1,/'
finish
