#!/bin/sh
# drift: sessions like the old ones, other shares of types, a new type, and a new population are told apart; by words, rows
# and exit statuses. Prints a line for each claim: "ok NAME", "not ok NAME".
# shellcheck disable=SC2016 # conditions in awk
# shellcheck source=tests/shell_support.sh
. "${top_srcdir:-.}/tests/shell_support.sh"
tested_verb=drift

# cell NAME COLUMN: of the last result, the column of the row of that name.
cell() {
  awk -F, -v name="$1" -v want="$2" '
    NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    $at["name"] == name { print $at[want] }' out
}

is() { # CLAIM VALUE NAME COLUMN: that cell of the last result is VALUE
  found=$(cell "$3" "$4")
  if [ "$found" = "$2" ]; then ok "$1"; else not_ok "$1" "'$found' instead of '$2'"; fi
}

meets() { # CLAIM CONDITION NAME COLUMN: for that cell, as x, the awk condition holds
  found=$(cell "$3" "$4")
  if awk -v x="$found" "BEGIN { exit !($2) }"; then ok "$1"; else not_ok "$1" "'$found'"; fi
}

rows_of() { awk -F, -v kind="$1" '$1 == kind { n++ } END { print n + 0 }' out; }

"$kaboom" generate all --sessions 900 --objects 120 --timesteps 40 --types 4 --seed 5 -q || exit 1
part all old '$4 == "validation" || ($4 == "train" && $1 ~ /[0-5]$/)'
part all new '$4 == "train" && $1 ~ /[6-9]$/'
"$kaboom" train old -o model.kb -q --runs 1 -k 4 --threads 2 || exit 1

# --- nothing has changed -------------------------------------------------------------------------------------------
gives 0 "held-out sessions" old -m model.kb --exit-status
header_is "its columns" "kind,name,was,now,psi,p_value,q_value,verdict,expected,level,distance"
is "held-out sessions recommend to keep" keep recommendation verdict
holds "it is said last" sh -c 'tail -n 1 err | grep -q "^kaboom: keep: 0.0% of the objects have moved"'
holds "the recommendation comes first" sh -c 'sed -n 2p out | grep -q "^overall,recommendation,,,,,,keep,"'
for figure in clusters emerging novelty objects unseen; do
  is "$figure are stable" stable "$figure" verdict
done
holds "a row for each cluster" test "$(rows_of cluster)" -eq 4
holds "twenty objects" test "$(rows_of object)" -eq 20
holds "by falling psi" awk -F, '$1 == "object" { if (n++ && $5 > last) bad = 1; last = $5 } END { exit bad }' out
holds "shares of clusters add up" awk -F, '$1 == "cluster" { a += $3; b += $4 } END { exit a < .99999 || a > 1.00001 || b < .99999 || b > 1.00001 }' out
holds "distances are what they were" awk -F, '$1 == "cluster" && ($11 < .8 || $11 > 1.25) { bad = 1 } END { exit bad }' out
cp out default.csv
gives 0 "the default is what was not fitted" old -m model.kb --split unfitted
holds "it is the same" cmp out default.csv
gives 0 "and that is the validation split here" old -m model.kb --split validation
holds "it is the same again" cmp out default.csv
gives 0 "the other half of the same population" new -m model.kb --exit-status
is "recommends to keep" keep recommendation verdict
is "its objects are stable" stable objects verdict
gives 0 "one thread" new -m model.kb --exit-status --threads 1 --top 1
holds "one object" test "$(rows_of object)" -eq 1
gives 0 "all objects" new -m model.kb --top all --quiet
holds "quiet says nothing" test ! -s err
holds "all objects are told" test "$(rows_of object)" -gt 100
holds "none is flagged" test "$(awk -F, '$1 == "object" && $8 != "stable"' out | wc -l)" -eq 0

# --- other shares --------------------------------------------------------------------------------------------------
part all later '$4 == "later"'
gives 3 "a later version that has shares of its own" later -m model.kb --exit-status
is "recommends to calibrate" recalibrate recommendation verdict
says "the shares are told as why" "the clusters' shares have moved, PSI "
is "the clusters have drifted" drifted clusters verdict
is "its two new objects are told" moderate objects verdict
is "the one that went" drifted GalleryCellView verdict
meets "from most sessions" "x > .7" GalleryCellView was
meets "to few" "x < .2" GalleryCellView now
gives 0 "without --exit-status" later -m model.kb
gives 3 "a selection of sessions" all -m model.kb --exit-status --where version=3.2
cp out where.csv
"$kaboom" assign later -m model.kb -q >later.csv
gives 3 "sessions by name" all -m model.kb --exit-status --sessions later.csv
holds "are the same" cmp out where.csv
gives 4 "fewer objects may move" later -m model.kb --exit-status --objects 0.001
gives 0 "a q that nothing reaches" later -m model.kb --exit-status --alpha 0

# --- a new type ----------------------------------------------------------------------------------------------------
gives 0 "a new type among sessions like the old ones" all -m model.kb --exit-status --where split!=train \
  --where split!=later
is "recommends to keep" keep recommendation verdict
is "the emerging are told" moderate emerging verdict
says "with what they were" "17.9% of the sessions are emerging, "
is "objects of the others are stable" stable objects verdict
is "their novelty is, too" stable novelty verdict
meets "what no session had is told" "x > .005" unseen now

# --- a new population ----------------------------------------------------------------------------------------------
"$kaboom" generate other --sessions 300 --objects 120 --timesteps 40 --types 4 --seed 9 -q || exit 1
gives 4 "another population" other -m model.kb --exit-status
is "recommends to train anew" retrain recommendation verdict
says "hardly a session is known" "retrain: hardly a session is known to the model"
meets "most objects have moved" "x > .5" objects now
# Every third object has the readings of another: what sessions are made of changes, their names do not.
mkdir mixed
cp new/sessions.csv mixed
awk -F, 'NR == FNR { if (FNR > 1 && !($3 in at)) { at[$3] = n; name[n++] = $3 } next }
  FNR == 1 { print; next }
  { i = at[$3]; if (i % 3 == 0 && 2 * i < n) j = n - 1 - i; else if (2 * i >= n && (n - 1 - i) % 3 == 0) j = n - 1 - i; else j = i
    print $1 "," $2 "," name[j] "," $4 }' new/metrics.csv new/metrics.csv >mixed/metrics.csv
gives 4 "objects that change places" mixed -m model.kb --exit-status
is "recommend to train anew" retrain recommendation verdict
# Two thirds are emerging by now, so that the objects of the others are few readings to judge by.
holds "objects have moved" test "$(cell objects verdict)" != stable
is "what is left of known kinds is more novel" drifted novelty verdict

# --- signals ---------------------------------------------------------------------------------------------------------
mkfifo pipe
exec 9<>pipe
printf 'session,time,object,value\ns,1,o,1\n' >&9
ended_by INT 130 "SIGINT ends reading" "" - -m model.kb <&9
ended_by TERM 143 "SIGTERM ends reading" "" - -m model.kb --exit-status <&9
exec 9<&-

# --- formats and what is wrong ---------------------------------------------------------------------------------------
gives 0 "json" old -m model.kb --format json --top 1
holds "the recommendation is an object" grep -q '"name":"recommendation".*"verdict":"keep"' out
gives 2 "no model" old
gives 2 "an unknown split" old -m model.kb --split nightly
gives 2 "no session" old -m model.kb --where version=9
says "it is told" "no session of old is what is asked for"
gives 2 "a q above 1" old -m model.kb --alpha 2
"$kaboom" assign old -m model.kb --split unfitted >out 2>err
status=$?
holds "unfitted is a split of drift alone" test "$status" -eq 2
none_failed
