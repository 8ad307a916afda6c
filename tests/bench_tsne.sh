#!/bin/sh
# Maps, as ratios to scikit-learn's Barnes-Hut t-SNE of the same points in the same run.
# Usage: bench_tsne.sh TSNE [POINTS...], by default 2700 and 10000 points by both and 100000 by kaboom alone; 256 dimensions,
# 1,000 iterations, two threads, the two in turn, the best of RUNS each. PYTHON: the one that has scikit-learn.
# shellcheck source=tests/bench_support.sh
. "$(dirname "$0")/bench_support.sh"
tsne=$(absolute "$1") sklearn=$(cd "$(dirname "$0")" && pwd)/bench_tsne_sklearn.py
shift
python=${PYTHON:-python3} runs=${RUNS:-2} dimensions=256 iterations=1000 threads=2
OMP_NUM_THREADS=$threads
export OMP_NUM_THREADS
in_work_folder

# better KEY FILE BEST: FILE takes BEST's place when its seconds are fewer.
better() {
  if [ ! -f "$2" ] || [ "$(calculate %d "$(value seconds "$1") < $(value seconds "$2")")" -eq 1 ]; then mv "$1" "$2"; fi
}

headline "$threads threads, $dimensions dimensions, $iterations iterations, best of $runs"

# measure POINTS RUNS WITH_SKLEARN
measure() {
  rm -f ours theirs
  run=0 missing=
  while [ "$run" -lt "$2" ]; do
    "$tsne" "$1" $dimensions $iterations $threads points >one
    better one ours
    if [ "$3" = yes ] && [ -z "$missing" ]; then
      if "$python" "$sklearn" points $dimensions $iterations >one; then better one theirs; else missing=$(cat one); fi
    fi
    run=$((run + 1))
  done
  echo "$1 points: $(value seconds ours) s, $(value prepare_s ours) of them before the first iteration," \
    "$(value iteration_ms ours) ms an iteration; divergence $(value kl ours)"
  echo "$1 points: $(value later ours) more placed in $(value place_s ours) s"
  if [ -f theirs ]; then
    echo "$1 points: scikit-learn $(value version theirs) $(value seconds theirs) s, divergence $(value kl theirs):" \
      "ratio $(calculate %.3f "$(value seconds ours) / $(value seconds theirs)")"
  elif [ -n "$missing" ]; then
    echo "$1 points: $missing"
  fi
}

if [ $# -gt 0 ]; then
  for points; do measure "$points" "$runs" yes; done
else
  measure 2700 "$runs" yes
  measure 10000 "$runs" yes
  measure 100000 1 no
fi
