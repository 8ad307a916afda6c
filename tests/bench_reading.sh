#!/bin/sh
# Reading, as ratios to references in the same run. Usage: bench_reading.sh KABOOM TOOL [CORPUS]
# Without CORPUS a full-size one is written first: 3,100 sessions of 592 objects and 100 steps in four shards.
# Two threads; each figure is the best of RUNS, and kaboom's is that of the whole process.
# shellcheck source=tests/bench_support.sh
. "$(dirname "$0")/bench_support.sh"
kaboom=$(absolute "$1") tool=$(absolute "$2") corpus=${3-}
if [ -n "$corpus" ]; then corpus=$(absolute "$corpus"); fi
runs=${RUNS:-5} threads=2 python=${PYTHON:-python3}
in_work_folder

# best COMMAND...: the least of what the command prints first, over all runs
best() {
  i=0
  while [ $i -lt "$runs" ]; do
    "$@"
    i=$((i + 1))
  done | sort -n | head -n 1
}
divide() { calculate %.2f "$1 / $2"; }
about() { sed -n "s/^$1,//p" about; }
load() { "$tool" run "$kaboom" info "$1" --no-cache --quiet --threads $threads; }

headline "$("$kaboom" --version), best of $runs, $threads threads"
if [ -z "$corpus" ]; then
  corpus=$work/full
  "$kaboom" generate full --sessions 3100 --objects 592 --timesteps 100 --types 12 --shards 4 --quiet
fi

echo "--- the full-size corpus"
"$kaboom" info "$corpus" --no-cache --quiet --threads $threads >about
echo "$(about rows) rows, $(du -bc "$corpus"/metrics*.csv.gz | tail -n 1 | cut -f1) bytes compressed"
bare=$(best "$tool" floor $threads "$corpus"/metrics*.csv.gz)
loaded=$(best load "$corpus")
seconds=${loaded% *} memory=${loaded#* }
echo "load $seconds s, zlib + libcsv alone $bare s: ratio $(divide "$seconds" "$bare")"
store=$(about 'bytes in memory') nonzero=$(about 'readings not zero')
echo "store $store bytes: $(divide "$store" "$((4 * nonzero))") x readings that are not zero x 4 bytes"
echo "peak resident $memory KiB: $(divide "$((1024 * memory))" "$store") x the store"
if "$python" -c 'import pandas' 2>/dev/null; then
  reference=$(RUNS=1 best "$tool" run "$python" -c "
import glob, pandas
table = pandas.concat([pandas.read_csv(name) for name in sorted(glob.glob('$corpus/metrics*.csv.gz'))])
table.sort_values(['session', 'object', 'time'], kind='stable')")
  echo "pandas read_csv + sort ${reference% *} s, ${reference#* } KiB: kaboom is $(divide "${reference% *}" "$seconds") x faster"
else
  echo "pandas: not installed"
fi
sleep 2.1 # files that have just been written are not kept
"$kaboom" info "$corpus" --quiet >/dev/null
cached=$(best "$tool" run "$kaboom" info "$corpus" --quiet --threads $threads)
echo "from the cache: load ${cached% *} s"
first=$(sed -n '2s/,.*//p' "$corpus"/sessions.csv)
echo "from the cache: first browsable screen (the list of sessions) $(best "$tool" screen "$first" 5 "$kaboom" "$corpus") s"

echo "--- as many sessions, more raw steps: 30 sessions of 3,500 objects, a window of 100"
for steps in 1000 3000 10000; do
  "$kaboom" generate "steps$steps" --sessions 30 --objects 3500 --timesteps $steps --types 3 --shards 4 --quiet
  loaded=$(RUNS=2 best load "steps$steps")
  "$kaboom" info "steps$steps" --no-cache --quiet >about
  echo "$steps steps: $(about rows) rows, ${loaded% *} s, ${loaded#* } KiB"
  rm -r "steps$steps"
done

echo "--- more sessions: 592 objects, 100 steps"
for sessions in 300 1200 3000 12000; do
  "$kaboom" generate "many$sessions" --sessions $sessions --objects 592 --timesteps 100 --types 12 --shards 4 --quiet
  loaded=$(RUNS=3 best load "many$sessions")
  "$kaboom" info "many$sessions" --no-cache --quiet >about
  echo "$sessions sessions: $(about rows) rows, ${loaded% *} s ($(awk -v s="${loaded% *}" -v r="$(about rows)" \
    'BEGIN { printf "%.1f", 1e9 * s / r }') ns a row), ${loaded#* } KiB ($(divide "$((1024 * ${loaded#* }))" \
    "$(about 'bytes in memory')") x the store)"
  rm -r "many$sessions"
done
