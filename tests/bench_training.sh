#!/bin/sh
# Training, as ratios to bare sgemm and to PyTorch in the same run. Usage: bench_training.sh KABOOM TOOL STEPS [CORPUS]
# Without CORPUS a full-size one is written first: 3,100 sessions of 592 objects and 100 steps, 2,500 of them to fit.
# Two threads. EPOCHS=N: whole epochs that the extrapolation is made from. PYTHON: the one that has torch.
# shellcheck source=tests/bench_support.sh
. "$(dirname "$0")/bench_support.sh"
kaboom=$(absolute "$1") tool=$(absolute "$2") steps=$(absolute "$3") corpus=${4-}
if [ -n "$corpus" ]; then corpus=$(absolute "$corpus"); fi
torch=$(cd "$(dirname "$0")" && pwd)/bench_training_torch.py
torch_loss=$(cd "$(dirname "$0")" && pwd)/bench_training_loss.py
epochs=${EPOCHS:-4} threads=2 python=${PYTHON:-python3}
in_work_folder
# The kernels that kaboom would take, for all.
core=${OPENBLAS_CORETYPE-$("$steps" core)}
if [ -n "$core" ]; then export OPENBLAS_CORETYPE="$core"; fi

headline "$("$kaboom" --version), $threads threads, extrapolated from $epochs epochs"
if [ -z "$corpus" ]; then
  corpus=$work/full
  "$kaboom" generate full --sessions 3100 --objects 592 --timesteps 100 --types 12 --shards 4 --quiet
  sleep 2.1 # files that have just been written are not kept
fi
"$kaboom" info "$corpus" --quiet >/dev/null

about() { sed -n "s/^$1,//p" about; }
step() { value "$1" step; }

# The least time between two rows of the log; with one epoch, what a step takes says it.
epoch_seconds() {
  awk -F, '$1 == "autoencoder" { if (n++ && (!best || $8 - last < best)) best = $8 - last; last = $8 }
           END { printf "%.3f", best }' log.csv
}

# measure NAME VARIANT OPTION...: a training of few epochs, then its steps by themselves.
measure() {
  name=$1 variant=$2
  shift 2
  echo "--- $name"
  ran=$("$tool" run "$kaboom" train "$corpus" -o model.kb --variant "$variant" --epochs "$epochs" --patience "$epochs" \
    --device cpu --threads $threads --log log.csv --quiet "$@")
  "$kaboom" info model.kb >about
  n=$(about 'training fitted_sessions') r=$(about inputs) h=$(about hidden) z=$(about latent) d=$(about dimensions)
  p=$(about parameters) batch=$(about 'training batch')
  "$steps" "$variant" "$n" "$r" "$h" "$z" "$batch" $threads 6 >step
  seconds=$(epoch_seconds) bound=$(calculate %.4f "$(step gflop_step) / $(step bare_gflops) * $n / $batch")
  echo "$n sessions, D $d, r $r, H $h, Z $z, batch $batch: $p parameters, OpenBLAS for $(step core)"
  echo "bare sgemm $(step bare_gflops) GFLOP/s, its shapes in training $(step products_gflops): $(step products_of_bare) of it"
  echo "step $(step step_ms) ms, products $(step products_ms), Adam $(step adam_ms); bound $(step bare_ms): $(step step_over_bound) x"
  echo "epoch $seconds s, bound $bound s: $(calculate %.3f "$seconds / $bound") x; 1,000 epochs" \
    "$(calculate %.1f "$seconds * 1000 / 60") minutes, bound $(calculate %.1f "$bound * 1000 / 60")"
  needed=$(calculate %.0f "4 * (4 * $p + $n * $r + $d * $r)")
  echo "peak resident ${ran#* } KiB: $(calculate %.2f "1024 * ${ran#* } / $needed") x (parameters + gradients + moments +" \
    "coordinates + basis)"
}

# The row-space epoch of the last measurement against the dense network's.
compare() {
  if dense=$("$python" "$torch" "$d" "$h" "$z" "$batch" $threads 2); then
    echo "PyTorch, dense: step $dense s, epoch $(calculate %.1f "$dense * $n / $batch") s: kaboom is" \
      "$(calculate %.1f "$dense * $n / $batch / $seconds") x faster"
  else
    echo "PyTorch: $dense"
  fi
}

# The validation loss that each reaches on a corpus of 600 sessions to fit, small enough for PyTorch to be waited for.
losses() { # EPOCHS BATCH
  "$kaboom" train small -o model.kb --variant vae --preset document --hidden 512 --latent 64 --epochs "$1" --patience "$1" \
    --batch "$2" --device cpu --threads $threads --log log.csv --quiet
  "$kaboom" info model.kb >about
  "$python" "$torch_loss" small log.csv "$(about inputs)" "$(about hidden)" "$(about latent)" \
    "$(about 'training batch')" $threads || test $? = 77
}

measure "document, VAE, 99% of the energy" vae --preset document
compare
measure "document, VAE, full rank" vae --preset document --energy 1
measure "document, AE, 99% of the energy" ae --preset document
epochs=20
measure "fast, VAE" vae

echo "--- losses on held-out sessions, the document preset with 512 hidden units and 64 latent ones"
"$kaboom" generate small --sessions 750 --objects 150 --timesteps 100 --types 12 --seed 7 --quiet
losses "${LOSS_EPOCHS:-100}" 600
losses "${LOSS_EPOCHS:-100}" 100
