#!/bin/sh
# All tests in a build with sanitizers. Usage: sanitized.sh SOURCES MAKE FOLDER SANITIZERS
set -eu
sources=$1 make=$2 folder=$3 sanitizers=$4
mkdir -p "$folder"
cd "$folder"
[ -f Makefile ] || "$sources/configure" -q --enable-werror --enable-sanitizer="$sanitizers"
# OpenBLAS was not compiled with the sanitizer, so that its threads look as if they raced.
TSAN_OPTIONS=ignore_noninstrumented_modules=1${TSAN_OPTIONS:+:$TSAN_OPTIONS}
export TSAN_OPTIONS
exec "$make" check
