#!/bin/sh
# emerging from end to end: its columns, what is planted, which sessions take part, what there is to compare with.
# Prints a line for each claim: "ok NAME", "not ok NAME".
# shellcheck disable=SC2016 # what is given to sh -c is expanded there
# shellcheck source=tests/shell_support.sh
. "${top_srcdir:-.}/tests/shell_support.sh"
tested_verb=emerging

# 3% of the sessions are of two new kinds, half of which have objects that no other session has.
"$kaboom" generate corpus --sessions 1200 --objects 120 --timesteps 24 --types 4 --seed 3 || exit 1
"$kaboom" train corpus -o model.kb --epochs 6 --dec-epochs 3 --hidden 32 --latent 8 --threads 2 -k 5 --runs 1 --quiet || exit 1
"$kaboom" assign corpus -m model.kb --format csv >assigned

# --- columns and what is planted -------------------------------------------------------------------------------------
gives 0 "emerging" corpus -m model.kb
header_is "a row for each object" group,kind,sessions,density,rank,object,presence,other,effect,q,gate,folded
holds "five objects of each group" sh -c 'tail -n +2 out | cut -d, -f1 | sort | uniq -c | awk "\$1 != 5 { exit 1 }"'
holds "with nothing to say of it" sh -c '! grep -q "compared with" err'
mv out objects
gives 0 "other threads" corpus -m model.kb --threads 3
holds "other threads give the same bytes" cmp out objects
gives 0 "sessions" corpus -m model.kb --show sessions
header_is "a row for each session" session,group,kind,novelty,p_value
mv out sessions
holds "they are those that assign calls emerging" sh -c '
  awk -F, "\$5 == 1 { print \$1 }" assigned >a; tail -n +2 sessions | cut -d, -f1 >b; cmp a b'
awk -F, 'NR == FNR { label[$1] = $5; next } FNR > 1 { print $2, label[$1] }' corpus/sessions.csv sessions >placed
new=$(awk '$2 == "emerging-new" { n[$1]++ } END { for (g in n) if (n[g] > most) { most = n[g]; best = g } print best }' placed)
holds "sessions of the new kind are one group, and it is a group" sh -c '
  test "$1" -gt 0 && awk -v g="$1" "\$2 == \"emerging-new\" { n++; m += \$1 == g } END { exit !(n >= 10 && m >= .9 * n) }" placed' - "$new"
holds "and nobody else is in it" sh -c 'awk -v g="$1" "\$1 == g && \$2 != \"emerging-new\" { exit 1 }" placed' - "$new"
holds "it is a clump" grep -q "^$new,clump," objects
holds "its first object leaks and is new" sh -c '
  object=$(awk -F, -v g="$1" "\$1 == g && \$5 == 1 { print \$6; if (\$8 != 0) exit 1 }" objects) &&
  grep -qx "emerging-new,$object,leak" corpus/truth.csv' - "$new"
gives 0 "groups" corpus -m model.kb --show groups
header_is "a row for each group" \
  group,kind,sessions,share,users,density,edge,cluster,novelty,medoid,first_version,last_version,object
holds "groups count their sessions" sh -c '
  tail -n +2 out | cut -d, -f1,3 | sort >a
  tail -n +2 sessions | cut -d, -f2 | sort | uniq -c | awk "{ print \$2 \",\" \$1 }" | sort >b; cmp a b'
holds "the medoid is of its group" sh -c '
  awk -F, "NR == FNR { group[\$1] = \$2; next } FNR > 1 && \$1 > 0 && group[\$10] != \$1 { exit 1 }" sessions out'
holds "a clump is where density reaches the edge" sh -c '
  awk -F, "NR > 1 && \$1 > 0 && (\$2 == \"clump\") != (\$6 >= \$7) { exit 1 }" out'
gives 0 "two objects of each group" corpus -m model.kb --top 2 --format json
holds "JSON has them" sh -c 'test "$(grep -o "\"rank\":2" out | wc -l)" -eq "$(tail -n +2 sessions | cut -d, -f2 | sort -u | wc -l)" && ! grep -q "\"rank\":3" out'

# --- which sessions take part ----------------------------------------------------------------------------------------
gives 0 "of one kind" corpus -m model.kb --show sessions --where label=emerging-new
holds "only these are grouped" sh -c '
  tail -n +2 out | cut -d, -f1 >a; awk "\$2 == \"emerging-new\"" placed | wc -l >n; test "$(wc -l <a)" -eq "$(cat n)"'
holds "and they are one group" sh -c 'test "$(tail -n +2 out | cut -d, -f2 | sort -u)" = 1'
gives 0 "of one split" corpus -m model.kb --split later --show sessions
holds "only its sessions are grouped" sh -c '
  tail -n +2 out | while IFS=, read -r session rest; do grep -q "^$session,[^,]*,[^,]*,later," corpus/sessions.csv || exit 1; done'
gives 0 "of no session" corpus -m model.kb --where label=nobody
holds "nothing is emerging" test "$(lines out)" -eq 1
header_is "and the header is there" group,kind,sessions,density,rank,object,presence,other,effect,q,gate,folded
awk -F, 'NR > 1 { print $1 }' sessions | head -n 3 >three
gives 0 "of three sessions by name" corpus -m model.kb --sessions three --show sessions
holds "three sessions are stragglers" sh -c 'tail -n +2 out | cut -d, -f2,3 | sort | uniq -c | grep -qx " *3 0,stragglers"'

# --- nothing known to compare with -----------------------------------------------------------------------------------
mkdir alone
cp corpus/sessions.csv alone
zcat corpus/metrics.csv.gz | awk -F, 'NR == FNR { wanted[$1] = $5 == "emerging-new"; next } FNR == 1 || wanted[$1]' \
  corpus/sessions.csv - >alone/metrics.csv
gives 0 "without known sessions" alone -m model.kb
says "the model's training is compared with, and this is told" "groups are compared with what the model keeps of its training"
holds "new objects come first" sh -c '
  object=$(awk -F, "\$1 == 1 && \$5 == 1 { print \$6; if (\$8 != 0) exit 1 }" out) &&
  grep -q "^emerging-new,$object," corpus/truth.csv'
gives 0 "quietly" alone -m model.kb --quiet
holds "quiet says nothing" test ! -s err

# --- signals ---------------------------------------------------------------------------------------------------------
"$kaboom" generate many --sessions 2500 --objects 300 --timesteps 10 --types 4 --seed 8 -q || exit 1
ended_by INT 130 "SIGINT ends the search for groups" "comparing sessions" many -m model.kb </dev/null
ended_by TERM 143 "SIGTERM ends the search for groups" "comparing sessions" many -m model.kb </dev/null
mkfifo pipe
exec 9<>pipe
printf 'session,time,object,value\ns,1,o,1\n' >&9
ended_by INT 130 "SIGINT ends reading" "" - -m model.kb <&9
ended_by TERM 143 "SIGTERM ends reading" "" - -m model.kb <&9
exec 9<&-
"$kaboom" emerging corpus -m model.kb --quiet 2>err | head -n 1 >out
holds "a reader that goes away is no news" test ! -s err
if [ -c /dev/full ]; then
  "$kaboom" emerging corpus -m model.kb >/dev/full 2>err
  status=$?
  holds "a full disk fails" test "$status" -eq 1
  says "a full disk is told" "No space left"
fi

# --- thresholds without validation sessions --------------------------------------------------------------------------
mkdir unheld
cp corpus/metrics.csv.gz unheld
sed 's/,validation,/,train,/' corpus/sessions.csv >unheld/sessions.csv
"$kaboom" train unheld -o unheld.kb --epochs 6 --dec-epochs 3 --hidden 32 --latent 8 --threads 2 -k 5 --runs 1 --quiet || exit 1
item() { "$kaboom" info unheld.kb --format csv | sed -n "s/^$1,//p"; }
holds "held-out sessions alone say what is emerging" test "$(item 'known sessions')" -eq "$(item 'held out sessions')"
gives 0 "emerging" unheld -m unheld.kb --show groups
holds "new objects are told" sh -c 'tail -n +2 out | grep -q "^1,clump,"'
"$kaboom" calibrate unheld -m unheld.kb -k 5 --false-alarms .001 --quiet >table || exit 1
holds "where they are too few all that are not fitted do, but those called emerging" test "$(item 'known sessions')" -eq \
  $(($(item 'held out sessions') + $(grep -c ',later,' unheld/sessions.csv)))

# --- wrong usage -----------------------------------------------------------------------------------------------------
gives 2 "no model" corpus
gives 2 "a condition that is none" corpus -m model.kb --where label
gives 2 "something else to show" corpus -m model.kb --show clusters
gives 1 "no such corpus" nowhere -m model.kb

none_failed
