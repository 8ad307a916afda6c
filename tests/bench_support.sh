# shellcheck shell=sh
# What the benchmarks share. To be sourced first:
#
#   . "$(dirname "$0")/bench_support.sh"
#
# Files that were given are made absolute before in_work_folder: it goes to an empty folder ($work), with a cache in it, that
# is removed at the end.
set -eu
absolute() { case $1 in /*) echo "$1" ;; *) echo "$PWD/$1" ;; esac; }

in_work_folder() {
  work=$(mktemp -d "${TMPDIR:-/tmp}/kaboom-bench.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  cd "$work"
  XDG_CACHE_HOME=$work/cache
  export XDG_CACHE_HOME
}

# headline WHAT: the machine, and what is measured on it
headline() {
  echo "$(getconf _NPROCESSORS_ONLN) cores, $1"
  sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo 2>/dev/null | head -n 1
}

calculate() { awk "BEGIN { printf \"$1\", $2 }"; }
value() { sed -n "s/^$1=//p" "$2"; } # KEY FILE: of a file of KEY=VALUE
