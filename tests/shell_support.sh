# shellcheck shell=sh
# What the shell tests share. To be sourced first:
#
#   . "${top_srcdir:-.}/tests/shell_support.sh"
#
# It finds the sources ($source_dir), what was built ($build_dir) and the program ($kaboom), and goes to an empty folder
# ($work) that is removed at the end, with a cache in it. A test prints a line for each claim, "ok NAME", "not ok NAME" or
# "skip NAME: why", and ends with none_failed. $tested_verb: what each run begins with, for tests of one verb.
set -u
LC_ALL=C
export LC_ALL
source_dir=$(cd "${top_srcdir:-.}" && pwd)
build_dir=$(cd "${top_builddir:-.}" && pwd)
kaboom=$build_dir/kaboom
failures=0 tested_verb=
work=$(mktemp -d "${TMPDIR:-/tmp}/kaboom-$(basename "$0" .sh).XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
cd "$work" || exit 1
XDG_CACHE_HOME=$work/cache
export XDG_CACHE_HOME
: "$source_dir" # not every test wants it

ok() { echo "ok $1"; }
not_ok() { # NAME [WHY]: with the end of what was said and the beginning of what came out
  echo "not ok $1${2:+ ($2)}"
  failures=$((failures + 1))
  if [ -s err ]; then tail -n 5 err | sed 's/^/#   /'; fi
  if [ -s out ]; then head -n 12 out | cut -c1-150 | sed 's/^/#   /'; fi
}
skip() { echo "skip $1: $2"; }
none_failed() { [ "$failures" -eq 0 ]; }

# Runs the program: result in out, messages in err, exit status in $status.
run() { # ARGUMENT...
  "$kaboom" ${tested_verb:+"$tested_verb"} "$@" >out 2>err </dev/null
  status=$?
}

gives() { # STATUS NAME ARGUMENT...: the exit status is STATUS
  wanted=$1 name=$2
  shift 2
  run "$@"
  if [ "$status" -eq "$wanted" ]; then ok "$name"; else not_ok "$name" "exit status $status, not $wanted"; fi
}

# ended_by SIGNAL STATUS NAME PHASE ARGUMENT...: the program, sent SIGNAL when it says that it has come to PHASE ("": after
# a second), ends with STATUS within three seconds (one, and what a busy machine takes), and without a result. Standard
# input is that of the caller.
ended_by() {
  signal=$1 wanted=$2 claim=$3 phase=$4
  shift 4
  : >err # what the last run said must not count
  exec 8<&0 # a shell gives what it starts in the background no input otherwise
  "$kaboom" ${tested_verb:+"$tested_verb"} "$@" --verbose <&8 >out 2>err &
  pid=$! tries=0
  exec 8<&-
  [ -n "$phase" ] || sleep 1
  while [ -n "$phase" ] && ! grep -q "$phase" err && kill -0 $pid 2>err.kill && [ $tries -lt 600 ]; do
    sleep 0.05
    tries=$((tries + 1))
  done
  kill -"$signal" $pid 2>err.kill
  sent=$(date +%s)
  wait $pid
  status=$?
  if [ "$status" -eq 0 ]; then
    skip "$claim" "it was done before the signal came"
    return
  fi
  holds "$claim" test "$status" -eq "$wanted"
  holds "$claim, at once" test $(($(date +%s) - sent)) -le 3
  holds "$claim, with no result" test ! -s out
}

header_is() { # NAME HEADER
  if [ "$(head -n 1 out)" = "$2" ]; then ok "$1"; else not_ok "$1"; fi
}

says() { # NAME TEXT: standard error has it
  if grep -qF -- "$2" err; then ok "$1"; else not_ok "$1" "no '$2'"; fi
}

holds() { # NAME COMMAND...: the command succeeds
  name=$1
  shift
  if "$@" >/dev/null 2>&1; then ok "$name"; else not_ok "$name"; fi
}

lines() { wc -l <"$1" | tr -d ' '; }

# part FROM TO CONDITION: of a generated corpus those sessions for whose line in sessions.csv the awk condition holds.
part() {
  mkdir "$2"
  awk -F, "NR == 1 || ($3)" "$1/sessions.csv" >"$2/sessions.csv"
  gzip -dc "$1/metrics.csv.gz" |
    awk -F, 'NR == FNR { kept[$1]; next } FNR == 1 || $1 in kept' "$2/sessions.csv" - >"$2/metrics.csv"
}
