#!/bin/sh
# Novelty and false alarms with defaults, two threads.
# Usage: bench_novelty.sh KABOOM [CORPUS...], by default one that "kaboom generate" writes; SEEDS: those of training.
# PYTHON: the one that has scikit-learn.
# shellcheck source=tests/bench_support.sh
. "$(dirname "$0")/bench_support.sh"
kaboom=$(absolute "$1") measure=$(cd "$(dirname "$0")" && pwd)/bench_novelty.py
shift
python=${PYTHON:-python3}
count=$#
while [ "$count" -gt 0 ]; do
  set -- "$@" "$(absolute "$1")"
  shift
  count=$((count - 1))
done
in_work_folder
headline "2 threads"
if [ $# -eq 0 ]; then
  "$kaboom" generate --quiet generated
  set -- generated
fi
"$python" "$measure" "$kaboom" "$@"
