#!/bin/sh
# Seconds of each step on a synthetic corpus. Usage: bench.sh KABOOM [SESSIONS [OBJECTS [TIMESTEPS]]]
# shellcheck source=tests/bench_support.sh
. "$(dirname "$0")/bench_support.sh"
kaboom=$(absolute "$1") sessions=${2:-2800} objects=${3:-592} timesteps=${4:-100}
in_work_folder

now() { date +%s.%N; }
step() { # NAME ARGUMENT...
  name=$1
  shift
  begun=$(now)
  "$kaboom" "$@" --quiet >"$name.out"
  awk -v name="$name" -v from="$begun" -v to="$(now)" 'BEGIN { printf "%-10s %8.2f s\n", name, to - from }'
}

headline "$("$kaboom" --version), $sessions sessions, $objects objects, $timesteps steps"
step generate generate corpus --sessions "$sessions" --objects "$objects" --timesteps "$timesteps"
step check check corpus --timesteps "$timesteps"
step train train corpus -o model.kb --timesteps "$timesteps"
step elbow elbow corpus -m model.kb
step assign assign corpus -m model.kb
step project project corpus -m model.kb
step explain explain corpus -m model.kb
step ngrams ngrams corpus
"$kaboom" score corpus -m model.kb --format table
