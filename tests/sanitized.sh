#!/bin/sh
# All tests in a build with sanitizers. Usage: sanitized.sh SOURCES MAKE FOLDER SANITIZERS
set -eu
sources=$1 make=$2 folder=$3 sanitizers=$4
mkdir -p "$folder"
cd "$folder"
[ -f Makefile ] || "$sources/configure" -q --enable-werror --enable-sanitizer="$sanitizers"
exec "$make" check
