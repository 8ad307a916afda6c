#!/bin/sh
# Fuzzes the readers one after the other, each for a while, in a build of its own; fails if anything was
# found. Usage: fuzz.sh SOURCES MAKE FOLDER SECONDS TARGET...
#
# FOLDER keeps the build, the inputs that are worth trying again (corpus/TARGET), what libFuzzer said
# (log/TARGET), and what was found (findings/TARGET). Seeds are only read.
# FUZZ_CC names the compiler, FUZZ_FLAGS more options of libFuzzer.
set -eu
sources=$1 make=$2 folder=$3 seconds=$4
shift 4
cc=${FUZZ_CC:-clang}

die() {
  printf 'fuzz: %s\n' "$*" >&2
  exit 1
}

check_compiler() {
  command -v "$cc" >/dev/null ||
    die "this needs clang, and there is no $cc (Debian: clang and libclang-rt-dev; FUZZ_CC names another one)"
  echo 'int LLVMFuzzerTestOneInput(const char *s, unsigned long n) { return s && n > 9 ? 0 : 0; }' >try.c
  "$cc" -fsanitize=fuzzer,address,undefined -o try try.c >try.log 2>&1 ||
    die "$cc cannot link with libFuzzer and the sanitizers (Debian: libclang-rt-dev): $(tail -n 1 try.log)"
}

build() { # TARGET...
  [ -f Makefile ] ||
    "$sources/configure" -q --enable-werror --enable-fuzzing --enable-tiny-buffers CC="$cc"
  programs=
  for target; do programs="$programs tests/fuzz/fuzz_$target"; done
  # shellcheck disable=SC2086 # a list of names
  "$make" tests/fuzz/made.stamp $programs
}

# Readers that take folders make many: best where no disk is.
choose_temporary() {
  parent=${TMPDIR:-/tmp}
  [ ! -w /dev/shm ] || parent=/dev/shm
  TMPDIR=$(mktemp -d "$parent/kb-fuzzing-XXXXXX")
  export TMPDIR
  trap 'rm -rf "$TMPDIR"' EXIT
  trap 'exit 130' INT TERM
}

dictionary_of() { # TARGET
  case $1 in
  csv | corpus | events | columns | selection) echo "-dict=$sources/tests/fuzz/csv.dict" ;;
  jmap) echo "-dict=$sources/tests/fuzz/jmap.dict" ;;
  prometheus | jsonl) echo "-dict=$sources/tests/fuzz/json.dict" ;;
  esac
}

seeds_of() { # TARGET
  for seeds in "$sources/tests/fuzz/seeds/$1" "tests/fuzz/made/$1" "$sources/tests/files"; do
    [ ! -d "$seeds" ] || echo "$seeds"
  done
}

fuzz() { # TARGET
  mkdir -p "corpus/$1" "findings/$1" log
  : >started
  # shellcheck disable=SC2046,SC2086 # lists of arguments
  "tests/fuzz/fuzz_$1" -max_total_time="$seconds" -timeout=25 -rss_limit_mb=2048 -report_slow_units=5 \
    -max_len=8192 -print_final_stats=1 -artifact_prefix="findings/$1/" $(dictionary_of "$1") \
    ${FUZZ_FLAGS-} "corpus/$1" $(seeds_of "$1") >"log/$1" 2>&1
}

# The last number behind WORD in what libFuzzer said.
number_of() { # WORD TARGET
  sed -n "s/.*$1: *\([0-9]*\).*/\1/p" "log/$2" | tail -n 1
}

# One line for TARGET, whose fuzzer ended with STATUS after SECONDS; fails if it found anything. What
# was found before does not count again.
summarise() { # TARGET STATUS SECONDS
  found=$(find "findings/$1" -type f -newer started | wc -l)
  [ "$found" -gt 0 ] || [ "$2" -eq 0 ] || found=1
  printf '%-12s %10s executions %5s s  coverage %5s  %s found\n' "$1" \
    "$(number_of stat::number_of_executed_units "$1")" "$3" "$(number_of cov "$1")" "$found"
  [ "$found" -eq 0 ]
}

# What a finding is shows in the log, at the first of these.
show() { # TARGET
  grep -n -m 1 -A 20 -E 'ERROR: |runtime error|differ|SUMMARY: |Assertion|slow-unit' "log/$1" || tail -n 20 "log/$1"
  find "findings/$1" -type f -newer started -printf "found: $folder/%p\n"
}

mkdir -p "$folder"
cd "$folder"
check_compiler
build "$@"
choose_temporary
export ASAN_OPTIONS="quarantine_size_mb=16${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
export UBSAN_OPTIONS="print_stacktrace=1${UBSAN_OPTIONS:+:$UBSAN_OPTIONS}"
export OPENBLAS_NUM_THREADS=1
: >summary
failed=0
for target; do
  echo "fuzzing $target for $seconds s"
  begin=$(date +%s) status=0
  fuzz "$target" || status=$?
  if ! summarise "$target" "$status" $(($(date +%s) - begin)) >>summary; then
    failed=1
    show "$target"
  fi
done
cat summary
exit $failed
