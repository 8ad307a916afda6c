#!/bin/sh
# "kaboom ngrams" from end to end: one length and several, exclusions, and clusters.
# Prints a line for each claim: "ok NAME", "not ok NAME".
# shellcheck source=tests/shell_support.sh
. "${top_srcdir:-.}/tests/shell_support.sh"
tested_verb=ngrams

is() { # NAME: out is what standard input says
  cat >wanted
  if cmp -s out wanted; then ok "$1"; else
    diff wanted out | sed 's/^/#   /' | head -8
    not_ok "$1"
  fi
}

# --- a published table ---------------------------------------------------------------------------
awk 'BEGIN {
  print "user,time,event"
  split("app.backgrounded app.backgrounded app.foregrounded", older, " ")
  split("app.background_update_started ui.refresh app.backgrounded", newer, " ")
  split("987 658 276", times, " ")
  for (row = 1; row <= 3; row++)
    for (i = 0; i < times[row]; i++) {
      u = "user" (i % 97); t += 10
      print u "," t ",app.launched"; print u "," t + 1 ",app.terminated"; print u "," t + 2 ",app.launched"
      print u "," t + 3 "," older[row]; print u "," t + 4 "," newer[row]
      print u "," t + 5 ",app.launched"; print u "," t + 6 ",app.terminated"
    }
}' >events.csv
gives 0 "the article's log" events.csv -n 3
is "the article's table" <<'END'
e0,e1,count,users
app.backgrounded,app.background_update_started,987,97
app.backgrounded,ui.refresh,658,97
app.foregrounded,app.backgrounded,276,97
END
holds "nothing is said of it" test ! -s err

# --- several lengths -------------------------------------------------------------------------------
gives 0 "several lengths" events.csv -n 2..4
is "shorter rows that longer ones explain are folded" <<'END'
n,e0,e1,e2,count,users
4,app.launched,app.backgrounded,app.background_update_started,987,97
4,app.launched,app.backgrounded,ui.refresh,658,97
4,app.launched,app.foregrounded,app.backgrounded,276,97
END
says "how many is told" "6 shorter rows folded into longer ones"
gives 0 "quiet" events.csv -n 2..4 --quiet
holds "quiet says nothing" test ! -s err
gives 0 "nothing is folded" events.csv -n 2..3 --fold none
is "all lengths" <<'END'
n,e0,e1,count,users
2,,app.background_update_started,987,97
3,app.backgrounded,app.background_update_started,987,97
2,,ui.refresh,658,97
3,app.backgrounded,ui.refresh,658,97
2,,app.backgrounded,276,97
3,app.foregrounded,app.backgrounded,276,97
END
for bad in 1..3 2.. ..3 3..2 2..65 2...3 2-3 2..3..4 "" 99999999999999999999999999..3; do
  gives 2 "lengths '$bad'" events.csv -n "$bad"
done

# --- exclusions ------------------------------------------------------------------------------------
cat >events.csv <<'END'
user,time,event
u,1,install
u,2,app.launched
u,3,a
u,4,app.updated
u,5,app.launched
u,6,b
u,7,app.launched
u,8,os.updated
u,9,c
u,10,app.launched
v,1,c
v,2,app.launched
END
gives 0 "no exclusions" events.csv -n 2
is "every start counts" <<'END'
e0,count,users
c,2,2
app.updated,1,1
b,1,1
install,1,1
END
gives 0 "first launches" events.csv -n 2 --exclude-first-launch
is "first launches are left out" <<'END'
e0,count,users
app.updated,1,1
b,1,1
c,1,1
END
says "how many is told, and why" "2 of 5 starts excluded: 2 the first of a user, 0 after an event, 0 before one"
gives 0 "after and before" events.csv -n 2 --exclude-after " c , app.updated" --exclude-before os.updated,nothing
is "starts beside an event are left out" <<'END'
e0,count,users
install,1,1
END
says "it is told" "4 of 5 starts excluded: 0 the first of a user, 3 after an event, 1 before one"
says "events that are not there are told" "1 event to exclude starts by is not in the log"
gives 0 "known events" events.csv -n 2 --exclude-known
is "updates are known" <<'END'
e0,count,users
c,2,2
install,1,1
END
gives 2 "an empty name" events.csv --exclude-after a,,b
says "it is told as the option's" "--exclude-after: an event needs a name"

# --- clusters ---------------------------------------------------------------------------------------
for option in "--join time" "--clock-skew 3" "--support 2" "--cluster 1" "--split train" "--no-cache" "--timesteps 9" "--fill hold"; do
  # shellcheck disable=SC2086 # a command line
  gives 2 "without a model there is no $option" events.csv $option
done
says "it is told" "--fill goes with -m MODEL, --where or --sessions"
if ! "$kaboom" generate corpus --sessions 120 --objects 40 --timesteps 24 --types 3 --seed 5 >out 2>err ||
  ! "$kaboom" train corpus -o model.kb --epochs 20 --dec-epochs 3 --hidden 32 --latent 8 --threads 2 -q >out 2>err; then
  not_ok "a model to work with"
  exit 1
fi
gives 0 "by cluster" corpus -m model.kb
holds "its columns" test "$(head -n 1 out)" = "cluster,rank,e0,e1,count,users,sessions,share,other,lift,p_value,q_value"
says "how sequences were joined is told" "sequences joined to sessions: "
cp out all
gives 0 "the first of each cluster" corpus -m model.kb --top 1 --threads 1
holds "are the first of all" sh -c 'grep "^cluster\|^[0-9]*,1," all | cmp - out'
gives 0 "one cluster" corpus -m model.kb --cluster 2
holds "is as among all" sh -c 'grep "^cluster\|^2," all | cmp - out'
gives 0 "everything that was seen" corpus -m model.kb --support 1 -n 2..4 --fold none
holds "its columns have n" test "$(head -n 1 out)" = "cluster,rank,n,e0,e1,e2,count,users,sessions,share,other,lift,p_value,q_value"
# Counts over all clusters are what was joined, for each length at least that of the shortest.
joined=$(sed -n 's/.*: \([0-9]*\) of [0-9]* sequences joined.*/\1/p' err)
holds "counts of the shortest length sum up to the sequences" test \
  "$(awk -F, '$3 == 2 { sum += $7 } END { print sum + 0 }' out)" -eq "$joined"
holds "shares of a cluster sum up to 1" sh -c \
  "awk -F, '\$3 == 2 { s[\$1] += \$10 } END { for (c in s) if (s[c] < .999999 || s[c] > 1.000001) exit 1 }' out"
# --- sessions that are described ----------------------------------------------------------------
gives 0 "a cluster that is described" corpus -m model.kb --where cluster=2
cut -d, -f2-11 out >described # q-values are of fewer tests
grep '^cluster\|^2,' all | cut -d, -f2-11 >of_cluster
holds "gives the rows of the cluster" cmp described of_cluster
gives 0 "a set without a model" corpus --where version=3.1
holds "is called 0" test "$(sed 1d out | cut -d, -f1 | sort -u)" = 0
cp out by_version
awk -F, 'NR > 1 && $3 == "3.1" { print $1 }' corpus/sessions.csv >names
gives 0 "sessions of a file" corpus --sessions names
holds "are the same set" cmp out by_version
gives 2 "nobody" corpus --where version=none
gives 2 "no condition" corpus --where nonsense
gives 2 "a cluster without a model" corpus --where version=3.1 --cluster 1
gives 2 "a cluster that is not there" corpus -m model.kb --cluster 99
gives 1 "a log without a corpus" events.csv -m model.kb
mv corpus/events.csv.gz kept.csv.gz
gives 1 "a corpus without a log" corpus -m model.kb
says "it is told" "the corpus has no event log"

# --- users across shards ------------------------------------------------------------------------------
# The same log in one file, and as it comes from several collectors: each user's events in all of them.
gzip -dc kept.csv.gz >whole.csv
cp -r corpus sharded
cp whole.csv corpus/events.csv
for i in 1 2 3; do
  head -n 1 whole.csv >sharded/events-$i.csv
  sed 1d whole.csv | awk -v shard=$i 'NR % 3 + 1 == shard' >>sharded/events-$i.csv
done
gives 0 "one file" corpus -m model.kb -n 2..4
cp out all
gives 0 "three files" sharded -m model.kb -n 2..4 --threads 3
holds "give the same rows" cmp out all
gives 0 "read from the cache" sharded -m model.kb -n 2..4
holds "as well" cmp out all

# --- a user who never stops ---------------------------------------------------------------------------
awk 'BEGIN { print "user,time,event"
  for (i = 0; i < 100000; i++) print "u," i "," (i % 4 == 3 ? "app.launched" : "e" i % 4) }' >long.csv
gives 0 "a user with 100,000 events" long.csv -n 3
is "is counted to the end" <<'END'
e0,e1,count,users
e1,e2,25000,1
END
none_failed
