#!/bin/sh
# Builds the peers named, or all of them: every folder here that has a `build`.
set -eu
cd "$(dirname "$0")"
[ $# -gt 0 ] || set -- */build
for peer in "$@"; do
  peer=${peer%/build}
  [ -x "$peer/build" ] || { echo "build.sh: there is no peer '$peer'" >&2; exit 1; }
  echo "building $peer" >&2
  "$peer/build"
done
