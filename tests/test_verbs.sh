#!/bin/sh
# The verbs from end to end, as a script would use them: columns, exit statuses, signals, files that are whole or not there.
# Prints a line for each claim: "ok NAME", "not ok NAME", "skip NAME: why".
# shellcheck source=tests/shell_support.sh
. "${top_srcdir:-.}/tests/shell_support.sh"
sample=$source_dir/samples/crashes

small='--epochs 4 --dec-epochs 3 --hidden 32 --latent 8 --threads 2 --runs 1'

# --- a corpus to work on -------------------------------------------------------------------------
gives 0 "generate writes a corpus" generate corpus --sessions 80 --objects 40 --timesteps 24 --types 3 --seed 5
holds "generate is silent" test ! -s out
gives 1 "generate leaves a corpus that is there alone" generate corpus --sessions 80 --objects 40 --timesteps 24 --types 3
says "generate names the corpus that is there" "corpus: there is a corpus already"
gives 0 "generate again" generate again --sessions 80 --objects 40 --timesteps 24 --types 3 --seed 5
same=yes
for file in corpus/*; do cmp -s "$file" "again/${file#corpus/}" || same=no; done
holds "generate gives the same bytes for the same seed" test "$same" = yes

gives 0 "check finds nothing wrong with it" check corpus
header_is "check has items and values" "item,value"
holds "check counts the sessions" grep -qx "sessions,80" out

# --- train and what a model holds --------------------------------------------------------------
# shellcheck disable=SC2086 # $small is a list of words
gives 0 "train writes a model" train corpus -o model.kb $small --timesteps 24 --log log.csv --quiet
holds "train is silent on standard output" test ! -s out
holds "train --quiet is silent on standard error" test ! -s err
holds "the log has its columns" test "$(head -n 1 log.csv)" = \
  "phase,epoch,loss,reconstruction,kl,clustering,validation,seconds"
holds "the log has a row for each epoch" test "$(lines log.csv)" -gt 4
# shellcheck disable=SC2086
gives 0 "train again" train corpus -o model2.kb $small --timesteps 24 --quiet
holds "train gives the same bytes for the same seed" cmp model.kb model2.kb
# --- training that is interrupted ----------------------------------------------------------------
long="$small --timesteps 24 --epochs 2000 --patience 2000 --quiet"
# shellcheck disable=SC2086
gives 0 "train at one go" train corpus -o whole.kb $long
# killed SIGNAL: train with a checkpoint, killed once there is one (if it has not ended by then)
killed() {
  # shellcheck disable=SC2086
  "$kaboom" train corpus -o resumed.kb $long --checkpoint state --checkpoint-every 0.05 2>err >out </dev/null &
  pid=$! tries=0
  while [ ! -e state ] && [ ! -e resumed.kb ] && [ $tries -lt 400 ]; do
    sleep 0.05
    tries=$((tries + 1))
  done
  kill "-$1" $pid 2>/dev/null
  wait $pid 2>/dev/null
  rm -f state.*.tmp # SIGKILL leaves what was being written
}
for signal in KILL TERM; do
  rm -f resumed.kb state
  killed $signal
  # shellcheck disable=SC2086
  gives 0 "train goes on after SIG$signal" train corpus -o resumed.kb $long --checkpoint state
  holds "SIG$signal and going on give the model of training at one go" cmp whole.kb resumed.kb
  holds "the checkpoint is gone once the model is there" test ! -e state
done
printf 'no checkpoint\n' >state
# shellcheck disable=SC2086
gives 1 "a checkpoint that is none" train corpus -o resumed.kb $long --checkpoint state
says "a checkpoint that is none is told" "state: not a kaboom checkpoint"
gives 2 "a checkpoint in the model's place" train corpus -o y.kb --checkpoint y.kb
gives 2 "a checkpoint of several runs" train corpus -o y.kb --checkpoint state2 --runs 2
rm -f state
# shellcheck disable=SC2086
gives 0 "train for a second" train corpus -o limited.kb $small --timesteps 24 --epochs 1000000 --patience 1000000 \
  --time-limit 1
says "a training that was stopped in time says so" "--time-limit: the autoencoder stopped in epoch"
rm -f whole.kb resumed.kb limited.kb

# shellcheck disable=SC2086
gives 0 "train with another seed" train corpus -o model3.kb $small --timesteps 24 --quiet --seed 2
holds "another seed gives another model" test "$(cmp -s model.kb model3.kb && echo same)" != same
holds "nothing but models, log and corpora is left behind" test \
  "$(echo *)" = "again corpus err log.csv model.kb model2.kb model3.kb out"

# shellcheck disable=SC2086
gives 0 "train with several seeds" train corpus -o runs.kb $small --timesteps 24 --runs 2 --log runs.csv
says "the agreement of several seeds is told" "2 runs agree by"
holds "the log is that of one run" test "$(lines runs.csv)" -eq "$(lines log.csv)"
gives 0 "info of several seeds" info runs.kb
holds "info tells their agreement" grep -q "^training runs_agreement," out
# shellcheck disable=SC2086
gives 2 "no runs at all" train corpus -o x.kb $small --runs 0
rm runs.kb runs.csv

gives 0 "info tells what a model holds" info model.kb
header_is "info has items and values" "item,value"
holds "info tells the latent length" grep -qx "latent,8" out
holds "info tells the timesteps" grep -qx "timesteps,24" out
gives 0 "info tells what a corpus holds" info corpus
holds "info counts the sessions of a corpus" grep -qx "sessions,80" out

# --- the tables ------------------------------------------------------------------------------------
gives 0 "elbow" elbow corpus -m model.kb --kmin 2 --kmax 5
cp out elbow-all
gives 0 "elbow of one split" elbow corpus -m model.kb --kmin 2 --kmax 5 --split train
holds "elbow of one split is another" sh -c '! cmp -s out elbow-all'
header_is "elbow's columns" "k,silhouette,davies_bouldin,calinski_harabasz,inertia,chosen,joint_silhouette,stability"
holds "elbow chooses one k" test "$(awk -F, '$6 == 1' out | wc -l)" -eq 1
gives 0 "assign" assign corpus -m model.kb
header_is "assign's columns" "session,cluster,distance,novelty,emerging,p_value"
holds "assign has every session" test "$(lines out)" -eq 81
holds "assign goes by name" sh -c 'tail -n +2 out | cut -d, -f1 | sort -c'
mv out assigned
gives 0 "assign again" assign corpus -m model.kb
holds "assign gives the same bytes" cmp out assigned
gives 0 "assign on one thread" assign corpus -m model.kb --threads 1
# shellcheck disable=SC2016 # for the shell that is started
holds "assign finds the same clusters on one thread" sh -c \
  'cut -d, -f1,2 out >a; cut -d, -f1,2 assigned >b; cmp a b; e=$?; rm -f a b; exit $e'
gives 0 "assign one split" assign corpus -m model.kb --split emerging
holds "--split leaves out the other sessions" test \
  "$(lines out)" -eq "$(($(grep -c ',emerging,' corpus/sessions.csv) + 1))"
gives 0 "embed" embed corpus -m model.kb
header_is "embed's columns" "session,z1,z2,z3,z4,z5,z6,z7,z8"
holds "embed has every session" test "$(lines out)" -eq 81
gives 0 "project" project corpus -m model.kb --iterations 60 --perplexity 10
header_is "project's columns" "session,x,y,cluster"
mv out map
gives 0 "project again" project corpus -m model.kb --iterations 60 --perplexity 10
holds "project gives the same bytes" cmp out map
gives 0 "explain" explain corpus -m model.kb --by presence --top 3
header_is "explain's columns" "cluster,rank,object,presence,other,f1"
holds "explain --top keeps as many rows a cluster" sh -c '! cut -d, -f2 out | grep -qx 4'
gives 0 "score" score corpus -m model.kb
header_is "score's columns" "split,sessions,accuracy,nmi,ari,emerging_auroc"
holds "score ends with all sessions" sh -c 'tail -n 1 out | grep -q "^all,"'
gives 0 "score with baselines" score corpus -m model.kb --baselines
header_is "the columns of score with baselines" "split,sessions,accuracy,nmi,ari,emerging_auroc,clustering"
holds "baselines have the model's rows" test "$(grep -c ',components$' out)" -eq "$(grep -c ',model$' out)"
# shellcheck disable=SC2086
gives 0 "compare-variants" compare-variants corpus ${small% --runs 1} --timesteps 24 --kmin 2 --kmax 5
header_is "compare-variants' columns" \
  "variant,k,silhouette,davies_bouldin,calinski_harabasz,inertia,chosen,accuracy,nmi,ari,seconds,memory"
holds "it has each variant and k" test "$(cut -d, -f1,2 out | sort -u | wc -l)" -eq 17
holds "each variant chooses one k and is scored there" test "$(cut -d, -f7-9 out | grep -c '^1,[01]')" -eq 4
holds "what it cost is told once" test "$(cut -d, -f7,11,12 out | grep -c '^1,[0-9.]*,[0-9.]*$')" -eq 4
says "that indices do not compare is told" "not between variants"
gives 2 "compare-variants of one variant" compare-variants corpus --variant ae
gives 0 "ngrams of a corpus" ngrams corpus -n 3
header_is "ngrams' columns" "e0,e1,count,users"
mv out trigrams
gives 0 "ngrams of a file" ngrams corpus/events.csv.gz -n 3
holds "a file of events gives what its corpus gives" cmp out trigrams
gives 0 "ngrams of length 4" ngrams corpus -n 4 --top 2
header_is "n gives n - 1 event columns" "e0,e1,e2,count,users"
holds "ngrams --top keeps as many rows" test "$(lines out)" -le 3

# --- an n-gram table that was worked out by hand ------------------------------------------------------
cat >events.csv <<'END'
user,time,event
u1,1,a
u1,2,b
u1,3,app.launched
u1,4,app.terminated
u1,5,app.launched
u1,6,app.launched
u2,1,app.launched
u2,2,app.launched
u3,1,b
u3,2,app.launched
END
gives 0 "ngrams by hand" ngrams events.csv
cat >wanted <<'END'
e0,e1,count,users
,app.launched,1,1
,b,1,1
a,b,1,1
app.terminated,app.launched,1,1
END
holds "ngrams are those that were worked out by hand" cmp out wanted
"$kaboom" ngrams - <events.csv >out 2>err
holds "ngrams read standard input" cmp out wanted

# --- formats -------------------------------------------------------------------------------------------
gives 0 "json" ngrams events.csv --format json
cat >wanted <<'END'
[
{"e0":null,"e1":"app.launched","count":1,"users":1},
{"e0":null,"e1":"b","count":1,"users":1},
{"e0":"a","e1":"b","count":1,"users":1},
{"e0":"app.terminated","e1":"app.launched","count":1,"users":1}
]
END
holds "json is an array of objects" cmp out wanted
gives 0 "table" ngrams events.csv --format table
holds "a table has no commas" sh -c '! grep -q , out'
rm -f events.csv wanted trigrams map

# --- calibrate ------------------------------------------------------------------------------------------
cp model.kb before.kb
gives 0 "calibrate with a k" calibrate corpus -m model2.kb -k 3
header_is "calibrate prints the elbow table" \
  "k,silhouette,davies_bouldin,calinski_harabasz,inertia,chosen,joint_silhouette,stability"
holds "calibrate marks the k it was given" grep -Eq '^3,([^,]*,){4}1,' out
gives 0 "info after calibrate" info model2.kb
holds "calibrate writes its clusters into the model" grep -qx "clusters,3" out
gives 0 "calibrate by the elbow" calibrate corpus -m model2.kb -k auto --false-alarms 0.1

# --- standard input ----------------------------------------------------------------------------------------
gzip -dc corpus/metrics.csv.gz >metrics.csv
"$kaboom" assign - -m model.kb <metrics.csv >out 2>err
status=$?
holds "assign reads standard input" test "$status" -eq 0
holds "standard input gives what the corpus gives" cmp out assigned

# --- bad input -----------------------------------------------------------------------------------------------
mkdir bad
{
  cat metrics.csv
  i=0
  while [ $i -lt 25 ]; do
    echo "bad,$i,object,many"
    i=$((i + 1))
  done
} >bad/metrics.csv
gives 1 "check fails when there is a problem" check bad
holds "check prints every problem" test "$(grep -c '^problem,' out)" -eq 25
gives 0 "bad rows are left out" assign bad -m model.kb
holds "the first twenty are told" test "$(grep -c "bad/metrics.csv:[0-9]*: " err)" -eq 20
says "and their number" "25"
gives 1 "--strict stops at the first" assign bad -m model.kb --strict
holds "--strict tells one row" test "$(grep -c "metrics.csv:[0-9]*: " err)" -eq 1
holds "--strict prints no result" test ! -s out
gives 1 "a missing corpus" check nowhere
says "a missing corpus is named" "nowhere"
gives 1 "a corpus that is no corpus" assign model.kb -m model.kb
mkdir empty
gives 1 "an empty folder" check empty
head -c 200 model.kb >cut.kb
gives 1 "a model that was cut off" assign corpus -m cut.kb
says "a damaged model is named" "cut.kb"
gives 1 "a model that is none" assign corpus -m metrics.csv
gives 1 "a missing model" assign corpus -m nowhere.kb
rm -rf bad empty cut.kb

# --- forms of a corpus -------------------------------------------------------------------------------------------
mkdir wide wide/traces long
printf 'ts,a,b\n1,5,\n2,,\n3,0,7\n' >wide/traces/s1.csv
printf 'b,ts\n3,2026-05-01T10:00:00Z\n' | gzip >wide/traces/s2.csv.gz
gives 1 "a trace without its time column" check wide
holds "the columns of a trace are told" grep -qF "no column 'time' (the header has: ts, a, b)" out
gives 0 "wide form with names of columns" check wide --columns time=ts
holds "check counts traces" grep -qx "traces,2" out
holds "a row without a reading is a step" grep -qx "longest session,3" out
holds "check tells the density" grep -qx "density,0.375" out
gives 0 "a trace alone" check wide/traces/s1.csv --columns time=ts
printf 'session,time,object,value\ns1,1,a,5\ns1,3,a,0\ns1,3,b,7\ns2,1777629600,b,3\ns1,2,c,0\n' >long/metrics.csv
gives 0 "the same in long form" check long
holds "long form has the same readings" grep -qx "readings not zero,3" out
gives 0 "readings are held" check long --fill hold
holds "held readings count" grep -qx "readings not zero,4" out
gives 2 "a filling that is none" check long --fill last
gives 2 "a column that is none" check long --columns times=ts
says "the columns are told" "session, time, object, value, user"
# shellcheck disable=SC2086
gives 0 "train on held readings" train corpus -o held.kb $small --timesteps 24 --quiet --fill hold
gives 0 "info tells the filling" info held.kb
holds "a model knows its filling" grep -qx "fill,hold" out
gives 0 "a model's filling is used" assign corpus -m held.kb
gives 2 "a filling that the model contradicts" assign corpus -m held.kb --fill zero
gives 2 "a filling for a model" info held.kb --fill hold
rm -rf wide long held.kb

# --- damaged files -------------------------------------------------------------------------------------------------
cp -r corpus cut
head -c 20000 corpus/metrics.csv.gz >cut/metrics.csv.gz
gives 1 "check fails when a file is cut off" check cut
holds "what came before the cut is counted" grep -q "^sessions,80$" out
holds "the line of the cut is told" grep -q "^problem,cut/metrics.csv.gz:[0-9]*: truncated: " out
holds "check counts damaged files" grep -qx "damaged files,1" out
gives 1 "a verb on a damaged corpus ends with 1" assign cut -m model.kb
says "the damage is told" "cut/metrics.csv.gz:"
says "what is missing is told" "what a damaged file held after the damage is missing"
holds "what came before the damage is assigned" test "$(grep -c '^s[0-9]*,[1-9]' out)" -gt 5
gives 1 "--strict fails at the damage" assign cut -m model.kb --strict
holds "--strict prints nothing of a damaged corpus" test ! -s out
cp corpus/events.csv.gz cut/metrics.csv.gz
gives 1 "events are no readings" check cut
holds "a missing column is told with those found" grep -qF "no column 'object'" out
says "that nothing is left is told as well" "no usable session"
holds "it is part of the table" grep -q "^problem,.*no usable session" out
head -c 300 corpus/events.csv.gz >cut/events.csv.gz
gives 1 "ngrams of a log that is cut off" ngrams cut
holds "ngrams of what came before" test -s out
: >cut/metrics.csv.gz
gives 1 "an empty file" check cut
holds "an empty file is told" grep -q "cut/metrics.csv.gz: empty" out
rm cut/metrics.csv.gz
ln -s metrics.csv.gz cut/metrics.csv.gz # a link to itself, which not even root can read
gives 1 "a file that cannot be opened" check cut
holds "a file that cannot be opened is named" grep -q "cut/metrics.csv.gz: cannot open: " out
gives 1 "a corpus that is not there" check nowhere --format json
holds "it is a problem" grep -q '"problem".*nowhere: cannot open' out
rm -rf cut

# --- threads and the cache --------------------------------------------------------------------------------------------
gives 0 "generate a corpus worth keeping" generate large --sessions 300 --objects 120 --timesteps 60 --types 3 -q
holds "it is large enough" test "$(wc -c <large/metrics.csv.gz)" -gt 1048576
gunzip -k large/metrics.csv.gz
rm large/metrics.csv.gz
for threads in 1 2 5; do
  gives 0 "info with $threads threads" info large --threads $threads --no-cache
  mv out "large.$threads"
done
holds "threads change nothing" sh -c 'cmp large.1 large.2 && cmp large.1 large.5'
holds "--no-cache keeps nothing" test ! -e cache
sleep 2.1 # files that have just changed are not kept
gives 0 "info keeps what it reads" info large
holds "a cache is made for its owner" test "$(find cache/kaboom -maxdepth 0 -perm 700)" = cache/kaboom
gives 0 "info from the cache" info large --verbose
says "the cache is told" "large: readings taken from the cache"
holds "the cache changes nothing" cmp out large.1
gives 0 "the cache is listed" cache
header_is "cache's columns" "corpus,part,bytes,used,file"
holds "the cache tells of which corpus it is" grep -q "^$work/large,corpus," out
gives 0 "a limit" info large --cache-limit 1 --timesteps 59 --verbose
says "what is larger than the cache is told" "would be larger than the cache may be"
for file in cache/kaboom/*; do printf x | dd of="$file" bs=1 seek=5000 conv=notrunc 2>/dev/null; done
gives 0 "a damaged cache" info large
holds "a damaged cache changes nothing" cmp out large.1
gives 0 "check reads the files" check large --verbose
holds "check does not believe the cache" test "$(grep -c 'taken from the cache' err)" -eq 0
gives 0 "the cache is cleared" cache --clear
holds "cleared is empty" test -z "$(ls -A cache/kaboom)"
gives 2 "list and clear" cache --list --clear
gives 2 "an operand for cache" cache large
rm -rf cache
printf 'in the way' >cache
gives 0 "a cache that cannot be written" info large --verbose
says "a cache that cannot be written is a remark" "not kept in the cache: "
holds "a cache that cannot be written changes nothing" cmp out large.1
rm -rf cache large large.?

# --- wrong usage -----------------------------------------------------------------------------------------------
gives 2 "no operand" train -o x.kb
gives 2 "nothing at all"
gives 2 "an unknown option" assign corpus -m model.kb --shiny
says "usage errors point to the help" "Try 'kaboom assign --help'"
says "an unknown option is named" "--shiny"
gives 2 "an unknown letter" assign corpus -m model.kb -Z
gives 2 "an option of another verb" assign corpus -m model.kb --epochs 3
gives 2 "a number out of its range" train corpus -o x.kb --energy 1.5
says "the range is told" "--energy"
gives 2 "no number at all" train corpus -o x.kb --epochs many
gives 2 "a negative number" train corpus -o x.kb --epochs -1
gives 2 "a number with a tail" train corpus -o x.kb --learning-rate 1e-3x
gives 2 "a decay that is no number" train corpus -o x.kb --weight-decay nan
says "the word for the default is told" "or auto"
gives 2 "a decay of more than all" train corpus -o x.kb --weight-decay 100 --learning-rate .1
says "both are told" "--weight-decay: 100 times the learning rate 0.1"
gives 2 "a word that is none of the choices" train corpus -o x.kb --variant gan
says "the choices are told" "vae+dec"
gives 2 "a measure that is not there" explain corpus -m model.kb --by magic
gives 2 "no model" assign corpus
gives 2 "no output" train corpus
gives 2 "two operands" check corpus corpus
gives 2 "an option without its argument" assign corpus -m
gives 2 "kmin above what the sessions allow" elbow corpus -m model.kb --kmin 500 --kmax 600
says "kmin is told its limit" "--kmin 500: at most"
gives 1 "neither a verb nor a file" nope
says "neither a verb nor a file, by name" "nope: cannot open"
gives 2 "a verb that is misspelt" trian corpus
says "a verb that is misspelt is told" "'trian' is neither a verb nor"
gives 2 "kmin above kmax" elbow corpus -m model.kb --kmin 9 --kmax 3
gives 2 "n of 1" ngrams corpus -n 1
gives 2 "timesteps that the model contradicts" assign corpus -m model.kb --timesteps 25
gives 0 "timesteps that the model confirms" assign corpus -m model.kb --timesteps 24
gives 2 "a cluster that is not there" explain corpus -m model.kb --cluster 99
gives 2 "the explorer without a terminal" corpus
holds "wrong usage writes nothing" test ! -e x.kb
gives 0 "help" --help
holds "help lists the verbs" grep -q "ngrams" out
for verb in train calibrate elbow assign embed project explain ngrams score clusters compare drift name compare-variants check generate import info cache; do
  gives 0 "help of $verb" "$verb" --help
done
missing=
for verb in "" train calibrate elbow assign embed project explain ngrams score clusters compare drift name compare-variants check generate import info cache; do
  # shellcheck disable=SC2086 # no verb is no word
  for option in $("$kaboom" $verb --help | sed -n 's/^ .*--\([a-z-]*\)[= ].*/\1/p'); do
    grep -qE "Fl -$option( |\$)" "$source_dir/man/kaboom.1" || missing="$missing --$option"
  done
done
holds "the manual has every option${missing:+ but$missing}" test -z "$missing"
gives 0 "version" --version
holds "the version is the program's" grep -q "^kaboom [0-9]" out
gives 0 "options may come before the verb" --seed 3 --format csv check corpus

# --- files that cannot be written ----------------------------------------------------------------------------------
if [ -c /dev/full ]; then
  for verb in "assign corpus -m model.kb" "elbow corpus -m model.kb" "drift corpus -m model.kb" "clusters corpus -m model.kb" \
    "check corpus" "ngrams corpus" "info model.kb" "--help"; do
    # shellcheck disable=SC2086 # a command line
    "$kaboom" $verb >/dev/full 2>err
    status=$?
    holds "a full disk fails: ${verb%% *}" test "$status" -eq 1
  done
  says "a full disk is told" "No space left"
else
  skip "a full disk" "there is no /dev/full"
fi
"$kaboom" embed corpus -m model.kb --quiet 2>err | head -n 1 >out
holds "a reader that goes away is no news" test ! -s err
# shellcheck disable=SC2086
gives 1 "a model in a folder that is not there" train corpus -o nowhere/model.kb $small
says "the model that cannot be written is named" "nowhere/model.kb"
holds "the other model is as it was" cmp model.kb before.kb
cp corpus/sessions.csv notes.csv
# shellcheck disable=SC2086
gives 1 "a model where another file is" train corpus -o notes.csv $small
says "what is there is told" "notes.csv: is not a model"
# shellcheck disable=SC2086
gives 1 "a log where another file is" train corpus -o x.kb --log model.kb $small
says "what is there instead of a log is told" "model.kb: is not a training log"
# shellcheck disable=SC2086
gives 2 "a log in the model's place" train corpus -o x.kb --log x.kb $small
holds "neither is written over" cmp notes.csv corpus/sessions.csv
(
  ulimit -f 1
  exec "$kaboom" generate large --sessions 200 --objects 60 >out 2>err
)
status=$?
holds "a file that may not grow fails" test "$status" -eq 1
says "a file that may not grow is told" "File too large"
"$kaboom" check - <&- >out 2>err
status=$?
holds "standard input that is closed fails" test "$status" -eq 1
holds "standard input that is closed is told" grep -q "cannot read: Bad file descriptor" out
"$kaboom" check corpus >&- 2>err
status=$?
holds "standard output that is closed fails" test "$status" -eq 1
says "standard output that is closed is told" "standard output: Bad file descriptor"

# --- signals ---------------------------------------------------------------------------------------------------------
interrupted() { # NUMBER STATUS
  mkdir "signal$1"
  : >err # what the last run said must not count
  "$kaboom" train corpus -o "signal$1/model.kb" --log "signal$1/log.csv" --timesteps 24 --epochs 1000000 \
    --patience 1000000 --verbose >out 2>err &
  pid=$!
  tries=0
  while ! grep -q training err && [ $tries -lt 300 ]; do
    sleep 0.1
    tries=$((tries + 1))
  done
  kill -"$1" $pid
  wait $pid
  status=$?
  holds "signal $1 ends training with $2" test $status -eq "$2"
  holds "signal $1 leaves no file" test -z "$(ls -A "signal$1")"
}
interrupted INT 130
interrupted TERM 143
mkdir interrupted
cp model.kb interrupted
ended_by INT 130 "SIGINT ends an elbow" elbow elbow corpus -m interrupted/model.kb --bootstraps 1000 </dev/null
ended_by INT 130 "SIGINT ends a calibration" elbow calibrate corpus -m interrupted/model.kb --bootstraps 1000 </dev/null
ended_by TERM 143 "SIGTERM ends a calibration" elbow calibrate corpus -m interrupted/model.kb --bootstraps 1000 </dev/null
holds "the model is as it was" cmp model.kb interrupted/model.kb
holds "and nothing is beside it" test "$(ls -A interrupted)" = model.kb

# --- import --------------------------------------------------------------------------------------------------------
files=$source_dir/tests/files/import
gives 0 "import jmap" import jmap "$files/jmap" heaps
header_is "import has items and values" "item,value"
holds "import counts the sessions" grep -qx "sessions,2" out
holds "import of what is in order is silent" test ! -s err
gives 0 "an imported corpus is in order" check heaps
holds "import writes the files that have rows" test "$(echo heaps/*)" = "heaps/metrics.csv.gz"
gives 0 "import jmap again" import jmap "$files/jmap" heaps2 --threads 2 --seed 7
holds "import gives the same bytes" cmp heaps/metrics.csv.gz heaps2/metrics.csv.gz
gives 0 "import jmap by instances" import jmap "$files/jmap" heaps3 --value instances
# shellcheck disable=SC2016 # likewise
holds "--value chooses the column" sh -c 'gzip -dc heaps3/metrics.csv.gz | grep -qx "leak,20,Leak\$Bitmap,3300"'
gives 1 "import leaves a corpus that is there alone" import jmap "$files/jmap" heaps --value instances
says "import names the corpus that is there" "heaps: there is a corpus already"
holds "the corpus that is there is as it was" cmp heaps/metrics.csv.gz heaps2/metrics.csv.gz
gives 0 "import prometheus" import prometheus "$files/prometheus/good" metrics
gives 0 "what prometheus said is in order" check metrics
gives 0 "import prometheus by another label" import prometheus "$files/prometheus/good" jobs --session-label job
holds "--session-label chooses the label" grep -qx "sessions,1" out
gives 0 "import tells what is no count" import prometheus "$files/prometheus/not-counts.json" counts
says "it is told by file and line" "not-counts.json:1: {job=\"prometheus\",kind=\"nan\"}: value 'NaN': not a number"
holds "it is counted" grep -qx "rows left out,18" out
gives 1 "--strict stops an import at the first" import prometheus "$files/prometheus/not-counts.json" strict --strict
holds "--strict tells one" test "$(grep -c "not-counts.json" err)" -eq 1
gives 1 "a query that failed" import prometheus "$files/prometheus/error.json" failed
says "what Prometheus said of it is told" "the query failed: bad_data: invalid parameter"
gives 1 "an import of nothing usable" import prometheus "$files/prometheus/empty.json" failed
says "its input is named" "empty.json: no usable reading or event"
gives 1 "an import of a missing file" import jsonl nowhere failed
says "the missing file is named" "nowhere: cannot open"
holds "failed imports leave nothing" test ! -e strict -a ! -e failed
gives 0 "import jsonl" import jsonl "$files/jsonl/telemetry.jsonl" logs \
  --fields time=t,readings=counts,version=app.version
holds "import writes what is known of sessions" grep -qx "s-1,u-1,3.1,,feed-leak" logs/sessions.csv
gives 0 "what the log said is in order" check logs
"$kaboom" import jsonl - events --fields time=properties.time,user=properties.distinct_id \
  <"$files/jsonl/mixpanel.jsonl" >out 2>err
status=$?
holds "import reads standard input" test "$status" -eq 0
gives 0 "n-grams of an imported log" ngrams events -n 2
head -c 200 "$files/prometheus/good/gc.json" >cut.json
gives 1 "a document that was cut off before anything usable" import prometheus cut.json failed
head -c 1000 "$files/prometheus/good/gc.json" >cut.json
gives 1 "a document that was cut off fails" import prometheus cut.json saved
says "the damage is told" "cut.json:1: truncated: the JSON ends early"
says "what that means is told" "1 file is damaged: the result lacks what should be in it"
holds "what came before the damage is kept" grep -q "^readings,[1-9]" out
gives 0 "and is in order" check saved
gives 2 "import without operands" import
says "the operand that is missing is named" "FORMAT is missing"
gives 2 "import without OUT" import jmap heaps
says "the last operand is named" "OUT is missing"
gives 2 "import with too many operands" import jmap heaps failed more
says "the operand too many is named" "FORMAT IN OUT are enough: what is 'more'?"
gives 2 "import of an unknown format" import csv heaps failed
says "the formats are listed" "FORMAT 'csv' is not one of: jmap, prometheus, jsonl"
gives 2 "import with an empty operand" import jmap "" failed
says "the empty operand is named" "IN is empty"
gives 2 "import jmap from standard input" import jmap - failed
gives 2 "an option of another format" import jmap heaps failed --fields time=t
says "the format it belongs to is named" "--fields belongs to jsonl"
gives 2 "a map that is none" import jsonl "$files/jsonl/telemetry.jsonl" failed --fields time
says "what is wrong with the map is told" "is not KEY=PATH"
gives 2 "an option of another verb with import" import jmap heaps failed --epochs 3
holds "wrong usage of import writes nothing" test ! -e failed
if [ -c /dev/full ]; then
  "$kaboom" import jmap "$files/jmap" full >/dev/full 2>err
  status=$?
  holds "a full disk fails: import" test "$status" -eq 1
fi

import_interrupted() { # NUMBER STATUS
  mkfifo "pipe$1"
  : >err
  "$kaboom" import jsonl "pipe$1" "signalled$1" >out 2>err &
  pid=$!
  exec 9>"pipe$1"
  printf '{"session":"s","time":1,"object":"o","value":2}\n' >&9
  tries=0
  while [ -z "$(ls -A "signalled$1" 2>/dev/null)" ] && [ $tries -lt 300 ]; do
    sleep 0.1
    tries=$((tries + 1))
  done
  holds "an import has begun to write" test -n "$(ls -A "signalled$1")"
  kill -"$1" $pid
  wait $pid
  status=$?
  exec 9>&-
  holds "signal $1 ends an import with $2" test $status -eq "$2"
  holds "signal $1 leaves nothing of an import" test ! -e "signalled$1"
}
import_interrupted INT 130
import_interrupted TERM 143

# --- the sample ------------------------------------------------------------------------------------------------------
if [ -d "$sample" ]; then
  gives 0 "the sample is in order" check "$sample"
  # shellcheck disable=SC2086
  gives 0 "train on the sample" train "$sample" -o sample.kb $small --quiet
  gives 0 "assign the sample" assign "$sample" -m sample.kb
  gives 0 "explain the sample" explain "$sample" -m sample.kb
  holds "the sample has something to explain" test "$(lines out)" -gt 5
  gives 0 "ngrams of the sample" ngrams "$sample"
  holds "the sample has sequences before a crash" test "$(lines out)" -gt 2
else
  not_ok "the sample is there"
fi
none_failed
