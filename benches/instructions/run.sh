#!/usr/bin/env bash
# How many instructions `flowc` takes, held to a ceiling: seconds tell nothing on a busy machine, instructions do.
#
#   benches/instructions/run.sh FLOWC [--bless]
#
# Counts with callgrind what a replay of 20,000 events takes beyond a replay of none, and what reading them alone takes,
# and fails when one of them is 3% above what ceilings.txt says. Who made something slower for a good reason, or faster,
# writes new ceilings with --bless. The counts depend on the compiler and the C library: where these differ from those
# of the ceilings, the counts are shown and nothing fails.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
flowc=$1
bless=${2:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
awk -v n=20000 -f "$here/events.awk" >"$work/events.jsonl"
: >"$work/none.jsonl"

count() {
  valgrind --tool=callgrind --callgrind-out-file=/dev/null "$@" 2>&1 >/dev/null |
    sed -n 's/.*Collected : //p' | head -1
}
machine="$(rustc --version), $(ldd --version | head -1), $(uname -m)"
# The same events for nobody: they are read, and no journey wants them.
sed 's/"cart_added"/"seen"/; s/"purchased"/"sold"/; s/"email_opened"/"told"/' "$work/events.jsonl" >"$work/strange.jsonl"
replay() {
  # One thread, since waiting for others is counted too.
  count "$flowc" run "$root/benches/w1/cart.flow" --threads 1 --quiet --out "$work/out" --events "$1"
}
measured() {
  local none all strange
  none=$(replay "$work/none.jsonl")
  all=$(replay "$work/events.jsonl")
  strange=$(replay "$work/strange.jsonl")
  echo "replay $((all - none))"
  echo "reading $((strange - none))"
}
measured >"$work/now.txt"
if [ "$bless" = --bless ]; then
  { echo "# $machine"; cat "$work/now.txt"; } >"$here/ceilings.txt"
  cat "$here/ceilings.txt"
  exit 0
fi
bad=0
while read -r name now; do
  ceiling=$(awk -v name="$name" '$1 == name { print $2 }' "$here/ceilings.txt")
  ratio=$(awk -v now="$now" -v ceiling="$ceiling" 'BEGIN { printf "%.3f", now / ceiling }')
  echo "$name: $now instructions, $ratio of the ceiling"
  if awk -v ratio="$ratio" 'BEGIN { exit !(ratio > 1.03) }'; then bad=1; fi
done <"$work/now.txt"
if [ "# $machine" != "$(head -1 "$here/ceilings.txt")" ]; then
  echo "not compared: the ceilings are of another compiler or C library ($(head -1 "$here/ceilings.txt"))"
elif [ "$bad" = 1 ]; then
  echo "more than 3% above a ceiling: see benches/README.md"
  exit 1
fi
