#!/usr/bin/env bash
# The promises of the command for a run: the same bytes from the same seed everywhere, consistent
# answers, interruption, a full disk.
#   ISAS       instruction sets of this build
#   REFERENCE  a folder: ROLE=native leaves its results there, ROLE=cross compares its own with them
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# A part of Japanese Vowels: every ninth utterance of training, every twentieth of the test set.
vowels=$repository/tools/recipes/japanese-vowels
awk -F, 'NR == 1 || $1 % 9 == 0' "$vowels/train.csv" >train.csv
awk -F, 'NR == 1 || $1 % 20 == 0' "$vowels/test.csv" >test.csv
cat >recipe.toml <<'END'
[data]
train = "train.csv"
test = "test.csv"
validation = 0.2

[model]
layers = [ { gru = 32 }, { dense = 9, activation = "softmax" } ]
dropout = { input = 0.2, output = 0.5 }

[train]
epochs = 4
batch = 16
optimizer = "adamw"
learning_rate = 5e-3
schedule = "cosine"
weight_decay = 1e-2
clip_norm = 1.0
patience = 3
threads = 1
END

# --- the same seed, the same bytes
works train recipe.toml --out run
works train recipe.toml --out two_threads --threads 2
works train recipe.toml --out seed_two --seed 2
works train recipe.toml --out set_two --set train.seed=2
same run/model.slu two_threads/model.slu "1 and 2 threads"
same run/log.jsonl two_threads/log.jsonl "1 and 2 threads"
same seed_two/model.slu set_two/model.slu "--seed is train.seed"
different run/model.slu seed_two/model.slu "two seeds"
for isa in $ISAS; do
  if SLUICE_ISA=$isa "${sluice[@]}" inspect run/model.slu >/dev/null 2>err; then
    SLUICE_ISA=$isa works train recipe.toml --out "on_$isa"
    same run/model.slu "on_$isa/model.slu" "the model trained on $isa"
    SLUICE_ISA=$isa works run run/model.slu --input test.csv --every-step --hex --output "$isa.csv"
    [ -e first.csv ] || cp "$isa.csv" first.csv
    same first.csv "$isa.csv" "answers on $isa"
  else
    grep -q 'this CPU does not run' err || complain "SLUICE_ISA=$isa: $(cat err)"
    echo "skipped, not run by this CPU: $isa"
  fi
done
if [ "$ROLE" = native ]; then
  rm -rf "$REFERENCE" && mkdir -p "$REFERENCE" && cp run/model.slu run/log.jsonl first.csv "$REFERENCE"
elif [ -e "$REFERENCE/model.slu" ]; then
  for file in model.slu log.jsonl; do same "run/$file" "$REFERENCE/$file" "trained here and natively"; done
  same first.csv "$REFERENCE/first.csv" "answered here and natively"
else
  echo "skipped: nothing to compare with; run the native tests first (they leave $REFERENCE)"
fi
[ "$(wc -l <run/log.jsonl)" -eq 4 ] || complain "log.jsonl has $(wc -l <run/log.jsonl) lines for 4 epochs"
works train run/recipe.toml --out again # the recipe as resolved
same run/model.slu again/model.slu "the resolved recipe"

# --- answers
works run run/model.slu --input test.csv
cp out answers.csv
works run run/model.slu --input test.csv --output file.csv
[ ! -s out ] || complain "--output leaves something on standard output"
same answers.csv file.csv "--output and standard output"
works run run/model.slu --input test.csv --every-step --output every.csv
rows=$(($(wc -l <test.csv) - 1)) sequences=$(tail -n +2 test.csv | cut -d, -f1 | uniq | wc -l)
[ "$(($(wc -l <every.csv) - 1))" -eq "$rows" ] || complain "--every-step: $(wc -l <every.csv) lines for $rows frames"
[ "$(($(wc -l <answers.csv) - 1))" -eq "$sequences" ] || complain "$(wc -l <answers.csv) lines for $sequences sequences"
# The last frame's answer is the sequence's, and so is what is told beside it.
awk -F, 'NR > 1 { line = $1; for (i = 3; i <= NF; i++) line = line "," $i; last[$1] = line; if (!($1 in seen)) { seen[$1]; order[++n] = $1 } }
  END { for (i = 1; i <= n; i++) print last[order[i]] }' every.csv >last.csv
tail -n +2 answers.csv >all.csv
same last.csv all.csv "the last step's answers and the sequence's"

# --- evaluation, counted again from the answers
works eval run/model.slu --data test.csv --json
cp out eval.json
awk -F, 'NR == FNR { if (FNR > 1) label[$1] = $2; next }
  FNR == 1 { for (i = 2; i <= NF - 2; i++) name[i] = $i; if ($(NF - 1) != "predicted" || $NF != "true") print "no columns predicted, true"; next }
  { best = 2; for (i = 3; i <= NF - 2; i++) if ($i > $best) best = i
    n++; correct += name[best] == label[$1]; count[label[$1]]++
    if (name[best] != $(NF - 1) || label[$1] != $NF) print "beside the answer:", $0
    for (i = 2; i <= NF - 2; i++) if (name[i] == label[$1]) loss -= log($i) }
  END { for (c in count) if (count[c] > most) most = count[c]; printf "%d %.6f %.6f %.4f\n", n, correct / n, most / n, loss / n }' \
  test.csv answers.csv >counted
field() { sed -n "s/^  \"$1\": \\([-0-9.e]*\\),*\$/\\1/p" eval.json; }
echo "$(field sequences) $(field accuracy) $(field majority_accuracy) $(field loss)" |
  awk '{ printf "%d %.6f %.6f %.4f\n", $1, $2, $3, $4 }' >told
same counted told "eval and what its answers add up to: $(cat told), counted $(cat counted)"
works eval run/model.slu --data test.csv
grep -q 'majority' out || complain "eval does not show the majority class's accuracy: $(head -n 3 out)"

works run run/model.slu --input test.csv --json
[ "$(grep -c '"sequence": ' out)" -eq "$sequences" ] || complain "run --json: $(grep -c '"sequence": ' out) of $sequences sequences"
works bench run/model.slu
grep -q '^scalar' out || complain "bench does not show the scalar kernels: $(head -n 5 out)"
works bench run/model.slu --json
grep -q '"ns_per_step"' out || complain "bench --json: $(head -n 5 out)"

# --- early stopping: the epoch with the least validation loss is kept, and training ends `patience`
# epochs after it
works train recipe.toml --out early --set train.epochs=200 --set train.learning_rate=0.03
awk -F'[:,}]' '{ for (i = 1; i < NF; i++) if ($i ~ /"validation_loss"/) { n++; if (n == 1 || $(i + 1) < least) { least = $(i + 1); at = n } } }
  END { printf "%d %d %.4g\n", n, at, least }' early/log.jsonl >stopped
read -r epochs at least <stopped
{ [ "$epochs" -lt 200 ] && [ "$epochs" -eq $((at + 3)) ]; } || complain "stopped after $epochs epochs, the best was $at"
grep -q "^Validation.*loss $least" out || complain "the weights of epoch $at were not kept (loss $least): $(grep Validation out)"

# --- sizes
works inspect run/model.slu --json
[ "$(sed -n 's/^  "bytes": \([0-9]*\),$/\1/p' out)" = "$(wc -c <run/model.slu)" ] || complain "inspect's bytes are not the file's"
works inspect run/model.slu
works export run/model.slu --format slu --strip --out stripped
[ "$(wc -c <stripped/model.slu)" -lt "$(wc -c <run/model.slu)" ] || complain "--strip leaves nothing out"
hash() { "${sluice[@]}" inspect "$1" --json 2>/dev/null | grep '"hash"'; }
[ "$(hash stripped/model.slu)" = "$(hash run/model.slu)" ] || complain "--strip changes what the model computes"

# --- the same data as CSV and as NumPy writes it
golden=$repository/tests/golden
good_recipe | sed 's/dense = 2/dense = 3/; s/train.csv/sequences.csv/' >numbers.toml
works train numbers.toml --data-dir "$golden" --out from_csv
if "${sluice[@]}" train numbers.toml --data-dir "$golden" --out from_npz --set data.train=sequences.npz >out 2>err; then
  same from_csv/model.slu from_npz/model.slu "trained from CSV and from .npz"
  works run from_csv/model.slu --input "$golden/sequences.csv" --hex --output from_csv.csv
  works run from_csv/model.slu --input "$golden/sequences.npz" --hex --output from_npz.csv
  same from_csv.csv from_npz.csv "answers to CSV and to .npz"
else
  grep -q 'without .*zip\|libzip' err || complain "training from .npz: $(cat err)"
  echo "skipped, built without libzip: .npz"
fi

# --- values of every row, some of them masked
awk 'BEGIN {
  print "sequence,v,w,a"
  for (s = 0; s < 9; s++) for (t = 0; t < 6; t++) printf "%d,%s,%.3f,%.3f\n", s, t == 2 ? "" : s - t, t / 5, s / 9 + t / 7 }' >rows.csv
cat >rows.toml <<'END'
[data]
train = "rows.csv"
target = ["v", "w"]
target_type = "value"
target_per = "row"
validation = 0.3
[model]
layers = [ { gru = 3 }, { dense = 2 } ]
[train]
loss = "mse"
epochs = 3
END
works train rows.toml --out rows
awk -F, -v OFS=, 'NR > 1 && $2 != "" { $2 += 1000 } 1' rows.csv >far.csv
works train rows.toml --out far --set data.train=far.csv --set train.epochs=1
awk -F'[:,}]' '{ for (i = 1; i < NF; i++) if ($i ~ /"loss"/) exit !($(i + 1) < 1000) }' far/log.jsonl ||
  complain "targets around 1000 are not where the output begins: $(cat far/log.jsonl)"
works train rows.toml --out lone --set 'model.layers=[{gru=2}]'
works train rows.toml --out lone_dropped --set 'model.layers=[{gru=2}]' --set model.dropout.output=0.5
different lone/model.slu lone_dropped/model.slu "dropout before the last layer, which is the first too"
works eval rows/model.slu --data rows.csv --json
works run rows/model.slu --input rows.csv
[ "$(wc -l <out)" -eq 55 ] || complain "a model that answers every row gives $(wc -l <out) lines for 54 rows"

# --- SIGINT keeps the model so far and says how to go on
"${sluice[@]}" train recipe.toml --out interrupted --set train.epochs=1000000 --set train.patience=0 >out 2>err </dev/null &
training=$!
for _ in $(seq 600); do
  grep -q '^epoch' err && break
  sleep 0.1
done
kill -INT $training
wait $training
code=$?
[ $code -eq 130 ] || complain "SIGINT: exit code $code, not 130"
tail -n 1 err | grep -q 'interrupted.*interrupted/model\.slu.*' || complain "SIGINT: $(tail -n 1 err)"
works eval interrupted/model.slu --data test.csv
[ "$(ls -A interrupted | tr '\n' ' ')" = "checkpoint.slc log.jsonl model.slu recipe.toml " ] || complain "after SIGINT: $(ls -A interrupted)"

# --- output that cannot be written: exit code 1, in the same manner
"${sluice[@]}" run run/model.slu --input test.csv >/dev/full 2>err
echo $? >code && : >out
judge 1 'No space left' "run to a full device"
(sleep 0.5; "${sluice[@]}" run run/model.slu --input test.csv --every-step; echo $? >code) 2>err | true
[ "$(cat code)" = 1 ] && [ ! -s err ] || complain "a reader that went away: exit code $(cat code), $(cat err)"
refused 1 'proc/.*cannot' run run/model.slu --input test.csv --output /proc/answers.csv
refused 1 'cannot' train recipe.toml --out /proc/run
refused 1 'train\.csv/run.*cannot' train recipe.toml --out train.csv/run
refused 1 'cannot' export run/model.slu --out /proc/c
if can_lose_rights; then
  mkdir closed && chmod 555 closed
  without_rights refused 1 'closed.*[Pp]ermission' train recipe.toml --out closed/run
  without_rights refused 1 'closed.*[Pp]ermission' run run/model.slu --input test.csv --output closed/answers.csv
  chmod 755 closed
else
  echo "skipped, root cannot become another user here: a directory that cannot be written"
fi
"${sluice[@]}" train recipe.toml --out untold >out 2>/dev/full
[ $? -eq 0 ] && same run/model.slu untold/model.slu "trained where progress cannot be told"
mkdir -p folder/model.slu
refused 2 'folder.*model\.slu' train recipe.toml --out folder --force
# A limit on the size of files stands for a disk that fills up in the middle of a file. (It holds
# for standard error too, which cat reads.)
(
  ulimit -f 2
  trap '' XFSZ
  "${sluice[@]}" train recipe.toml --out full 2> >(cat >err)
  echo $? >code
)
[ "$(cat code)" = 1 ] || complain "a disk that fills up: exit code $(cat code), not 1"
tail -n 1 err | grep -q '^full/.*cannot be written' || complain "a disk that fills up: $(tail -n 1 err)"
absent full
if [ "$(id -u)" -eq 0 ] && mkdir small && mount -t tmpfs -o size=8k none small 2>/dev/null; then
  "${sluice[@]}" train recipe.toml --out small/run >out 2>err
  code=$?
  [ $code -eq 1 ] || complain "a full disk: exit code $code, not 1"
  tail -n 1 err | grep -q 'small/run.*No space left' || complain "a full disk: $(tail -n 1 err)"
  absent small/run
  umount small
else
  echo "skipped, no small disk to be had here: a full disk"
fi

finish
