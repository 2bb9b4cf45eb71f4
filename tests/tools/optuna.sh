# The lines of tools/README.md that bring a study into Optuna, run unchanged. Skipped without Optuna
# (pip install optuna).
source "$(dirname "$0")/lib.sh"
python=${PYTHON:-python3}
"$python" -c 'import optuna' 2>/dev/null || { echo "skipped: Optuna is not installed"; exit 0; }
cat >small.toml <<END
[data]
train = "$repository/tools/recipes/japanese-vowels/train.csv"
target = "label"
validation = 0.2
[model]
layers = [{ gru = { value = 8, low = 4, high = 16, step = 2 } }, { dense = 9, activation = "softmax" }]
[train]
epochs = 4
batch = { value = 8, low = 4, high = 64, log = true, step = 2 }
optimizer = { value = "adam", choices = ["adam", "sgd"] }
momentum = { value = 0.0, low = 0.0, high = 0.95, when = { train.optimizer = "sgd" } }
learning_rate = { value = 1e-2, low = 1e-3, high = 100.0, log = true }
diverged = 1.5
monitor = "accuracy"
[tune]
method = "random"
trials = 20
halving = "halving"
eta = 2
END
works tune small.toml --study study.db --seeds 1
sed -n '/^```python$/,/^```$/p' "$repository/tools/README.md" | sed '1d;$d' >lines.py
[ "$(wc -l <lines.py)" -eq 10 ] || complain "$(wc -l <lines.py) lines, not 10"
"$python" lines.py >out 2>&1 || complain "the lines: $(tail -n 3 out)"
"${sluice[@]}" tune --study study.db --json >study.json
"$python" - >out 2>&1 <<'END' || complain "another study than ours: $(tail -n 3 out)"
import json, optuna
ours = json.load(open("study.json"))
study = optuna.load_study(storage="sqlite:///optuna.db", study_name="sluice")
trials = [t for t in ours["trials"] if t["state"] in ("complete", "pruned", "failed")]
assert len(study.trials) == len(trials) == 20
assert {t["state"] for t in trials} >= {"complete", "pruned"}
for theirs, one in zip(study.trials, trials):
    shown = {name: json.dumps(x) if isinstance(theirs.distributions[name], optuna.distributions.CategoricalDistribution) else x for name, x in one["parameters"].items() if name in theirs.params}
    assert theirs.params == shown, (theirs.params, shown)
    assert [*theirs.intermediate_values.values()] == [r["value"] for r in one["rungs"]]
best = ours["trials"][ours["best"]]
assert study.best_value == best["value"]
END
finish
