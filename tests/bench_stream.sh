#!/bin/sh
# Labels for streams: sessions a second, and memory from a thousand sessions to a million.
# Usage: bench_stream.sh KABOOM TOOL [SESSIONS]
# Two threads. Small sessions have some 370 rows each, full ones 7,600. Seconds are those of the whole process, reading of
# the model included.
# shellcheck source=tests/bench_support.sh
. "$(dirname "$0")/bench_support.sh"
kaboom=$(absolute "$1") tool=$(absolute "$2") most=${3:-1000000} threads=2
in_work_folder

headline "$("$kaboom" --version), $threads threads"

# figures NAME SESSIONS OPTION...: rows of FILE, repeated, through the filter
figures() {
  name=$1 sessions=$2
  shift 2
  taken=$("$tool" repeat "$sessions" <rows.csv |
    "$tool" run "$kaboom" assign - -m model.kb -q --threads $threads "$@")
  echo "$taken" | awk -v n="$sessions" -v name="$name" '{ printf "%s, %d sessions: %.2f s, %.0f a second, peak resident %d KiB\n", name, n, $1, n / $1, $2 }'
}

"$kaboom" generate small --sessions 300 --objects 60 --timesteps 20 --types 4 --seed 3 -q
"$kaboom" train small -o model.kb -q --threads $threads 2>/dev/null
gzip -dc small/metrics.csv.gz >rows.csv
n=1000
while [ "$n" -le "$most" ]; do
  figures "small, grouped" "$n" --grouped
  figures "small, 4096 open" "$n" --open 4096
  n=$((10 * n))
done

"$kaboom" generate full --sessions 3100 --objects 592 --timesteps 100 --types 12 --seed 1 -q
"$kaboom" train full -o model.kb -q --threads $threads 2>/dev/null
gzip -dc full/metrics*.csv.gz >rows.csv
figures "full, grouped" 1000 --grouped
figures "full, grouped" 10000 --grouped
sleep 2.1 # files that have just been written are not kept
"$kaboom" assign full -m model.kb -q >/dev/null
"$tool" run "$kaboom" assign full -m model.kb -q --threads $threads |
  awk '{ printf "full, readings in the cache, 3100 sessions: %.2f s, %.0f a second\n", $1, 3100 / $1 }'
