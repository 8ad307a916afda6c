#!/bin/sh
# explain from end to end: the columns of each measure, sessions chosen by hand, what goes with what, cancelling.
# Prints a line for each claim: "ok NAME", "not ok NAME".
# shellcheck disable=SC2016 # what is given to sh -c is expanded there
# shellcheck source=tests/shell_support.sh
. "${top_srcdir:-.}/tests/shell_support.sh"
tested_verb=explain

# shares NAME COLUMN...: what stands in these columns lies in 0..1 or is missing.
shares() {
  name=$1
  shift
  for column; do
    awk -F, -v column="$column" '
      NR == 1 { for (i = 1; i <= NF; i++) if ($i == column) at = i; if (!at) exit 1; next }
      $at != "" && ($at < 0 || $at > 1) { exit 1 }' out || { not_ok "$name ($column)"; return; }
  done
  ok "$name"
}

"$kaboom" generate corpus --sessions 160 --objects 60 --timesteps 24 --types 3 --seed 5 || exit 1
"$kaboom" train corpus -o model.kb --epochs 4 --dec-epochs 3 --hidden 32 --latent 8 --threads 2 -k 4 --quiet || exit 1
"$kaboom" assign corpus -m model.kb --format csv >assigned

# --- each measure and its columns ------------------------------------------------------------------------------------
test_columns=inside,outside,effect,low,high,p,q
gives 0 "by presence" corpus -m model.kb --by presence
header_is "presence has the published columns" cluster,rank,object,presence,other,f1
gives 0 "by absence" corpus -m model.kb --by absence
header_is "absence's columns" cluster,rank,object,absence,other,f1,$test_columns
shares "absence has shares" absence other f1 p q
gives 0 "by mean" corpus -m model.kb --by mean
header_is "mean's columns" cluster,rank,object,mean,other,ratio,$test_columns
gives 0 "by odds" corpus -m model.kb --by odds
header_is "odds' columns" cluster,rank,object,presence,other,f1,$test_columns,gate,folded,also
gives 0 "by rank" corpus -m model.kb --by rank
header_is "rank's columns" cluster,rank,object,level,other,d,d_low,d_high,$test_columns,gate,folded,also
shares "rank has areas" effect low high p q
gives 0 "by growth" corpus -m model.kb --by growth
header_is "growth's columns" cluster,rank,object,growth,other,d,d_low,d_high,$test_columns,gate,folded,also
gives 0 "by mutation" corpus -m model.kb --by mutation
header_is "mutation's columns" cluster,rank,object,share,low,high,zeroed,zeroed_flips,injected,injected_flips
shares "mutation has shares" share low high
mv out mutation
gives 0 "by mutation again" corpus -m model.kb --by mutation --threads 3
holds "mutation gives the same bytes with other threads" cmp out mutation
gives 0 "by combined" corpus -m model.kb --by combined
header_is "combined's columns" cluster,rank,object,presence,other,f1,score,lead,$test_columns,gate,folded,also
shares "combined has shares and areas" presence other f1 effect low high p q
mv out combined
gives 0 "by nothing that was said" corpus -m model.kb
holds "combined is what rows are ranked by" cmp out combined
holds "every cluster has ten rows" sh -c 'tail -n +2 out | cut -d, -f1 | sort | uniq -c | awk "\$1 != 10 { exit 1 }"'

# A mutated object counts each session of the cluster once.
holds "mutation counts the sessions of a cluster" sh -c '
  size=$(cut -d, -f2 assigned | grep -cx 1)
  awk -F, -v size="$size" "\$1 == 1 && \$7 + \$9 != size { exit 1 }" mutation'

# --- sessions chosen by hand -----------------------------------------------------------------------------------------
gives 0 "the sessions of a label, without a model" corpus --where label=type-01 --top 5
holds "a set has no cluster's number" sh -c 'tail -n +2 out | grep -q "^,1," && ! tail -n +2 out | grep -qv "^,"'
leaks=$(sed -n 's/^type-01,\(.*\),leak$/\1/p' corpus/truth.csv)
holds "the planted leaks are what a label is about" sh -c "
  cut -d, -f3 out | tail -n +2 >first
  found=\$(printf '%s\n' '$leaks' | grep -cxFf first)
  test \"\$found\" -ge 3"
mv out by-label
gives 0 "a label among all labels" corpus -m model.kb --where label=type-01 --top 5
holds "a model changes nothing about a set" cmp out by-label
awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) { if ($i == "session") s = i; if ($i == "label") l = i } print "session"; next }
  $l == "type-01" { print $s }' corpus/sessions.csv >names
gives 0 "the sessions of a file" corpus --sessions names --top 5
holds "a file chooses what a condition does" cmp out by-label
gives 0 "conditions and a cluster" corpus -m model.kb --cluster 1 --where split!=train --where version=3.1
gives 0 "a cluster as a condition" corpus -m model.kb --where cluster=1 --by presence
mv out condition
gives 0 "a cluster" corpus -m model.kb --cluster 1 --by presence
holds "a condition on the cluster is the cluster" sh -c 'sed "s/^1,/,/" out | cmp - condition'
gives 0 "mutations of a set" corpus -m model.kb --where label=type-01 --by mutation --top 1
gives 2 "no session at all" corpus --where version=9
says "no session at all is told" "no session of corpus"
gives 2 "a key that is not there" corpus --where colour=red
says "the keys are told" "--where: 'colour' is not session, user, version, split, label or cluster"
gives 2 "a cluster without a model" corpus --where cluster=1
says "a cluster without a model is told" "no clusters without a model"
gives 1 "a file that is not there" corpus --sessions nope.csv
echo nobody >stranger
gives 1 "a name that is not there" corpus --sessions stranger
says "the name is told with its line" "stranger:1: no session 'nobody' in corpus"
gives 2 "neither a model nor a set" corpus
gives 2 "mutations without a model" corpus --where label=type-01 --by mutation
gives 2 "representatives without a model" corpus --where label=type-01 --representatives 2
gives 2 "a cluster of no model" corpus --where label=type-01 --cluster 1
gives 2 "an empty condition" corpus --where ""

# --- confounders and duplicates --------------------------------------------------------------------------------------
object=$(sed -n '2s/^,1,\([^,]*\),.*/\1/p' by-label)
gives 0 "given an object" corpus --where label=type-01 --given "$object"
header_is "given's columns" cluster,rank,object,presence,other,f1,score,lead,$test_columns,gate,given,given_low,given_high,given_p,given_q,folded,also
holds "an object does not explain itself away" sh -c "! grep -q '^,[1-9],$object,' out"
for measure in growth rank odds; do
  gives 0 "given an object by $measure" corpus --where label=type-01 --given "$object" --by $measure
done
for measure in presence absence mean mutation; do
  gives 2 "given an object by $measure" corpus -m model.kb --given "$object" --by $measure
done
gives 2 "given what is not there" corpus --where label=type-01 --given Nothing
says "what is not there is told" "--given: corpus has no object 'Nothing'"

awk 'BEGIN { srand(4); print "session,time,object,value"
  for (s = 0; s < 40; s++) { name = (s < 15 ? "in" : "out") s
    print name ",0,always,1"
    for (t = 0; t < 8; t++) { v = int(1 + rand() * 50 * (s < 15 ? 1 + t * t : 1))
      print name "," t ",leak," v; print name "," t ",twin," 2 * v; print name "," t ",noise," int(1 + rand() * 50) } } }' >twins.csv
awk 'BEGIN { for (s = 0; s < 15; s++) print "in" s }' >inside
gives 0 "near-duplicates" twins.csv --sessions inside
holds "near-duplicates are one row" sh -c 'grep -q "^,1,\(leak\),.*,1,twin$\|^,1,twin,.*,1,leak$" out && test "$(grep -c "^,.*,leak,\|^,.*,twin," out)" -eq 1'
gives 0 "near-duplicates unfolded" twins.csv --sessions inside --fold off
holds "near-duplicates can be two rows" sh -c 'test "$(grep -c "^,[12],leak,\|^,[12],twin," out)" -eq 2'

# --- representatives -------------------------------------------------------------------------------------------------
gives 0 "representatives" corpus -m model.kb --representatives 2 --cluster 1
header_is "representatives' columns" cluster,kind,rank,session,distance
holds "a medoid, two typical and two extreme ones" sh -c 'tail -n +2 out | cut -d, -f1-3 | tr "\n" " " | grep -qx "1,medoid,1 1,typical,1 1,typical,2 1,extreme,1 1,extreme,2 "'
holds "representatives are of the cluster" sh -c 'tail -n +2 out | while IFS=, read -r c k r session d; do grep -q "^$session,1," assigned || exit 1; done'
gives 0 "representatives of a set" corpus -m model.kb --representatives 1 --where label=type-01
gives 2 "representatives given an object" corpus -m model.kb --representatives 1 --given "$object"

# --- what is folded can be read back ------------------------------------------------------------------------------------
mkdir twins
awk 'BEGIN {
  print "session,time,object,value" >"twins/metrics.csv"
  print "session,label" >"twins/sessions.csv"
  count = split("Alpha Cache|Beta Cache|b;c\\d|e \"f\"", names, "|")
  for (s = 1; s <= 40; s++) {
    leak = s <= 20
    print "s" s "," (leak ? "leak" : "other") >"twins/sessions.csv"
    for (t = 0; t < 12; t++) {
      print "s" s "," t ",noise," 1 + (s * 7 + t * 3) % 5 >"twins/metrics.csv"
      for (i = 1; i <= count && (leak || s % 7 == 0); i++) {
        name = names[i]
        gsub("\"", "\"\"", name)
        print "s" s "," t ",\"" name "\"," 1 + t * 3 * leak + s % 3 >"twins/metrics.csv"
      }
    }
  }
}'
gives 0 "objects that are alike" twins --where label=leak --by odds --top 1
holds "their names have a semicolon between them, and a backslash before their own" \
  grep -q ',3,"Beta Cache;b\\;c\\\\d;e ""f"""$' out
gives 0 "objects that are alike, as JSON" twins --where label=leak --by odds --format json
holds "JSON has an array of names" grep -qF '"folded":3,"also":["Beta Cache","b;c\\d","e \"f\""]}' out
holds "and an empty one where nothing is folded" grep -qF '"folded":0,"also":[]}' out

none_failed
