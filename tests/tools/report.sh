#!/usr/bin/env bash
# The promises of `sluice report`: one page that stands alone, the same bytes everywhere, missing
# parts named, no other file overwritten.
#   ISAS       instruction sets of this build
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# well_formed FILE: every tag is closed by its own, in order; no bare & or <.
well_formed() {
  awk -v file="$1" '
    BEGIN { RS = "<"; depth = 0 }
    NR == 1 || /^!DOCTYPE/ { next }
    {
      end = index($0, ">")
      if (!end) { print "a bare < before " substr($0, 1, 30); exit }
      tag = substr($0, 1, end - 1); text = substr($0, end + 1)
      while (match(text, /&/)) {
        text = substr(text, RSTART)
        if (text !~ /^&(amp|lt|gt|quot|#39);/) { print "a bare & in " substr(text, 1, 30); exit }
        text = substr(text, 2)
      }
      if (tag ~ /\/$/) next
      name = tag; sub(/^\//, "", name); sub(/[ \n].*/, "", name)
      if (tag !~ /^\//) { open[++depth] = name; next }
      if (open[depth--] != name) { print "</" name "> closes another"; exit }
    }
    END { if (depth > 0) print "<" open[depth] "> stays open" }' "$1" >fault
  [ ! -s fault ] || complain "$1: $(cat fault)"
}

# has FILE REGEX, lacks FILE REGEX
has() { grep -Eq -- "$2" "$1" || complain "$1 has no /$2/"; }
lacks() { ! grep -Eq -- "$2" "$1" || complain "$1 has /$2/: $(grep -Eom 1 -- "$2" "$1")"; }

# A part of Japanese Vowels.
vowels=$repository/tools/recipes/japanese-vowels
mkdir data
awk -F, 'NR == 1 || $1 % 9 == 0' "$vowels/train.csv" >data/train.csv
awk -F, 'NR == 1 || $1 % 20 == 0' "$vowels/test.csv" >data/test.csv
cat >recipe.toml <<'END'
[data]
train = "data/train.csv"
test = "data/test.csv"
validation = 0.3

[model]
layers = [ { gru = 12 }, { dense = 9, activation = "softmax" } ]

[train]
epochs = 5
learning_rate = 2e-2
batch = 8
l2 = 1e-3
clip_norm = 0.5
END
works train recipe.toml --out run
cp run/model.slu before.slu
works report run
grep -q '^wrote run/report.html' out || complain "report says $(cat out)"
same run/model.slu before.slu "the model, before and after its report"
page=run/report.html
well_formed $page

# --- it stands alone: nothing to be fetched, no script, no path except the folder's name
lacks $page '<script|<link|<img|src=|@import|url\(|javascript:'
lacks $page "$PWD"
grep -Eo 'https?://[^"]*' $page | sort -u | grep -vx -e 'http://www.w3.org/1999/xhtml' -e 'http://www.w3.org/2000/svg' >links
[ ! -s links ] || complain "the page names $(cat links)"
has $page 'prefers-color-scheme: dark'
has $page '@media print'
for title in 'Loss: ' 'Accuracy: ' 'Learning rate: ' 'Gradient norm: clipping to a norm of 0.5' 'Weight norms under train.l2' 'Confusion: ' \
  'Every class' 'The network: ' 'int8 beside float' 'Cost on each core' 'Hidden state' 'Update gate z' 'Reset gate r' 'Saliency: ' 'Settings'; do
  has $page ">$title"
done

# --- the same bytes again, and on every instruction set
works report run --out again.html
same $page again.html "two reports of a run"
for isa in $ISAS; do
  SLUICE_ISA=$isa "${sluice[@]}" inspect run/model.slu >/dev/null 2>&1 || continue
  SLUICE_ISA=$isa works report run --out "$isa.html"
  same $page "$isa.html" "the report on $isa"
done

# --- its figures are those of the other commands
works eval run --data data/test.csv --json
tr -d ' \n' <out >eval.json
grep -o '"confusion":\[.*\]\]' eval.json | grep -o '[0-9]*' | grep -v '^0$' >counts
awk '/<figcaption>Confusion/ { on = 1 } /<\/svg>/ { on = 0 } on' $page |
  sed -n 's/.*class="mid\( on\)\{0,1\}">\([0-9]*\)<.*/\2/p' | tail -n +1 >drawn
head -n "$(wc -l <counts)" drawn >first_drawn
[ -s counts ] || complain "eval --json has no confusion"
same counts first_drawn "the confusion of eval and of the page"
accuracy=$(grep -o '"accuracy":[0-9.]*' eval.json | cut -d: -f2)
has $page "<td>accuracy</td><td class=\"n\">$(awk -v a="$accuracy" 'BEGIN { printf "%.1f %%", 100 * a }')</td>"
works quantize run --calibrate data/train.csv --out int8.slu
works inspect int8.slu --core cortex-m4 --json
instructions=$(grep -o '"instructions_per_step": [0-9]*' out | grep -o '[0-9]*$' | sed ':a;s/\([0-9]\)\([0-9]\{3\}\)\($\|,\)/\1,\2\3/;ta')
has $page "<td>cortex-m4</td><td>int8</td>.*<td class=\"n\">$instructions</td></tr>"
works eval int8.slu --data data/test.csv --json
accuracy=$(tr -d ' \n' <out | grep -o '"accuracy":[0-9.]*' | cut -d: -f2)
has $page "<td>accuracy, test</td>.*<td class=\"n\">$(awk -v a="$accuracy" 'BEGIN { printf "%.1f %%", 100 * a }')</td></tr>"

# --- sequences by name and by number
second=$(tail -n +2 data/test.csv | cut -d, -f1 | uniq | sed -n 2p)
works report run --sequence "$second" --out named.html
[ "$(grep -c '<h3>Sequence' named.html)" -eq 1 ] || complain "--sequence $second draws $(grep -c '<h3>Sequence' named.html)"
has named.html "<h3>Sequence $second</h3>"
refused 2 '^--sequence nobody: is not a sequence of the test part; give a name, or a number from 1 to [0-9]+$' report run --sequence nobody --out no.html
refused 2 '^--sequence 1: works only for the report of one run' report run run --sequence 1 --out no.html
absent no.html

# --- data that was removed, came back, or changed
mv data gone
works report run --out without.html
well_formed without.html
has without.html 'train.csv is missing'
has without.html '>Loss: '
has without.html 'Fixed point'
lacks without.html 'Confusion: '
works report run --data-dir gone --out back.html
same $page back.html "the report with its data elsewhere"
mkdir data && sed '2s/$/5/' gone/train.csv >data/train.csv && cp gone/test.csv data
works report run --out changed.html
has changed.html 'train.csv has changed since the training'
rm -r data && mv gone data

# --- runs that are not complete, logs with gaps, very long, or damaged
copy() { rm -rf "$1" && cp -r run "$1" && rm "$1/report.html"; }
copy open && rm open/model.slu
works report open
has open/report.html 'did not come to its end'
well_formed open/report.html
copy one && head -n 1 run/log.jsonl >one/log.jsonl
works report one
has one/report.html '>1 epoch<'
copy gaps && sed 's/"loss":[^,]*/"loss":null/' run/log.jsonl >gaps/log.jsonl
works report gaps
has gaps/report.html '>Loss: training – at the end, validation [0-9]'
copy long && awk '{ line = $0 } END { for (e = 1; e <= 10000; e++) { sub(/"epoch":[0-9]*/, "\"epoch\":" e, line); print line } }' run/log.jsonl >long/log.jsonl
works report long
[ "$(wc -c <long/report.html)" -lt 400000 ] || complain "10,000 epochs make a page of $(wc -c <long/report.html) bytes"
copy damaged && printf '{"epoch":6,"lo' >>damaged/log.jsonl
refused 2 '^damaged/log.jsonl:6: is not a line' report damaged
absent damaged/report.html
copy foreign && echo 'no model' >foreign/model.slu
refused 2 '^foreign/model.slu: not a Sluice blob' report foreign
copy newer && printf '\x63' | dd of=newer/model.slu bs=1 seek=4 conv=notrunc 2>/dev/null
refused 2 '^newer/model.slu: ' report newer

# --- folders that are no run, and files that must not be overwritten
refused 2 '^nowhere: no such folder' report nowhere
refused 2 '^recipe.toml: is a file, but not a tuning study' report recipe.toml
refused 2 '^data: is not a run and holds none' report data
printf 'SQLite format 3\0and no more' >broken.db
refused 2 '^broken.db: is a tuning study and gets a page of its own; give it alone$' report run broken.db --out no.html
refused 2 '^--sequence 1: works only for the report of one run; leave it out$' report broken.db --sequence 1
broken='is not a study, or is damaged'
has_tune || broken='is a tuning study, but this sluice was built without SQLite'
refused 2 "^broken.db: $broken" report broken.db
absent broken.html
refused 2 '^run/model.slu: exists and is not a report' report run --out run/model.slu
same run/model.slu before.slu "a model that a report was to replace"
refused 2 '' report
refused 1 'no/such/page.html' report run --out no/such/page.html

# --- classes whose names are markup; values; a text; both directions; fixed point
good_csv | sed "s/,up,/,\"<b>\&\"\"up\"\"'\",/" >train.csv
good_recipe >small.toml
works train small.toml --out small
works report small
well_formed small/report.html
has small/report.html '&lt;b&gt;&amp;&quot;up&quot;&#39;'
has small/report.html 'Nothing was held out'
awk 'BEGIN { print "sequence,y,a"; for (s = 0; s < 12; s++) for (t = 0; t < 6; t++) printf "s%d,%s,%.3f\n", s, t % 3 ? s * t / 50 : "", (s + t) / 9 }' >values.csv
works train small.toml --out values --set data.train=values.csv --set data.target=y --set data.target_type=value --set data.target_per=row \
  --set data.validation=0.25 --set train.loss=mse --set 'model.layers=[ { lstm = 4, directions = "both" }, { rnn = 3 }, { dense = 1 } ]'
works report values
well_formed values/report.html
has values/report.html 'predicted over true'
has values/report.html 'both directions have no fixed-point kernel'
has values/report.html 'have not been counted on any core'
awk 'BEGIN { for (i = 0; i < 400; i++) printf "ab <c>&%s", i % 7 ? " " : "\n" }' >text.txt
works train small.toml --out text --set data.train=text.txt --set data.format=text --set data.window=16 --set data.validation=0.2 \
  --set 'model.layers=[ { embedding = 4 }, { gru = 6 }, { dense = 9, activation = "softmax" } ]' --set data.vocabulary=9
works report text
well_formed text/report.html
has text/report.html 'Perplexity: '
has text/report.html 'vector of each token'
works train recipe.toml --out aware --set quantize.aware=true
works report aware
has aware/report.html 'It was trained for fixed point'

# --- several runs beside each other
works train recipe.toml --out wide --set 'model.layers=[ { gru = 14 }, { dense = 9, activation = "softmax" } ]' --seed 2
works report run wide aware --out compared.html
well_formed compared.html
for name in run wide aware; do has compared.html "<td>$name</td>"; done
has compared.html '<th>model.layers</th>|<th>train.seed</th>|<th class="n">train.seed</th>'
lacks compared.html '<th[^>]*>train.epochs</th>'
mkdir all && mv run wide all
works report all
grep -q '^wrote all/report.html' out || complain "a folder of runs: $(cat out)"
has all/report.html '2 runs compared'

# --- a tuning study, if this build has tuning
if has_tune; then
  sed -e 's/gru = 12/gru = { value = 8, low = 4, high = 12 }/' -e 's/^learning_rate = .*/learning_rate = { value = 2e-2, low = 1e-3, high = 0.1, log = true }/' \
    recipe.toml >space.toml
  printf '[device]\ncore = "cortex-m4"\nflash = "16 KiB"\n' >>space.toml
  works tune space.toml --study some.db --method random --trials 12 --seeds 1,2
  works report some.db
  grep -q '^wrote some.html' out || complain "report of a study says $(cat out)"
  well_formed some.html
  lacks some.html '<script|<link|<img|src=|@import|url\(|javascript:'
  lacks some.html "$PWD"
  for title in 'Search space' 'On the test set' 'Optimization history: the best loss is ' 'Validation while training' 'layers.1.gru: ' \
    'learning_rate: ' '12 complete trials together' 'Validation loss against flash' 'budget: 16,384' 'The ten best'; do
    has some.html ">$title"
  done
  has some.html 'matters most: alone it explains|the same for all'
  cp some.db read_only.db && chmod a-w read_only.db
  works report read_only.db --out other.html
  sed 's/read_only\.db/some.db/g' other.html >renamed.html
  same some.html renamed.html "the report of a study and of its copy that may not be written"
  works tune --study some.db --best
  best=$(sed -n 's/^best: trial \([0-9]*\),.*/\1/p' out)
  value=$(sed -n 's/.*validation loss \([0-9.]*\), as int8$/\1/p' out)
  accuracy=$(sed -n 's/.*, accuracy \(.* %\)$/\1/p' out)
  has some.html "the best loss is $value, of trial $best of 12<"
  has some.html "<dt>Test</dt><dd>$accuracy<"
  [ -n "$accuracy" ] || complain "tune --best says no accuracy: $(cat out)"
fi
finish
