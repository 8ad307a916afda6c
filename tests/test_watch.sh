#!/bin/sh
# assign as a filter and watch, as a service would use them: which sessions get a label, when, and that each gets one,
# whatever happens to the process, its inputs and its output in between.
# Prints a line for each claim: "ok NAME", "not ok NAME", "skip NAME: why".
# shellcheck source=tests/shell_support.sh
. "${top_srcdir:-.}/tests/shell_support.sh"
killer=$build_dir/tests/watch_killer
watch_pid=
end_watch() { if [ -n "$watch_pid" ]; then kill -KILL "$watch_pid" 2>/dev/null; fi; }
trap 'end_watch; rm -rf "$work"' EXIT
XDG_STATE_HOME=$work/states
export XDG_STATE_HOME

is() { # NAME GOT WANTED
  if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1 ($2, not $3)"; fi
}
# comes NAME COMMAND...: the command succeeds within ten seconds.
comes() {
  name=$1
  shift
  for _ in $(seq 100); do
    if "$@" >/dev/null 2>&1; then
      ok "$name"
      return
    fi
    sleep .1
  done
  not_ok "$name"
}
rows() { if [ -f "$1" ]; then tail -n +2 "$1" | wc -l | tr -d ' '; else echo 0; fi; }
has_rows() { [ "$(rows "$1")" -eq "$2" ]; }
has_text() { grep -qF -- "$2" "$1"; }
sorted() { tail -n +2 "$1" | sort; }
# Rows of the sessions numbered FIRST to LAST, without a header.
part() { awk -F, -v first="$1" -v last="$2" 'NR > 1 && $1 != s { s = $1; n++ } NR > 1 && n >= first && n <= last' all.csv; }
header=session,time,object,value

"$kaboom" generate corpus --sessions 200 --objects 50 --timesteps 20 --types 3 --seed 3 -q || exit 1
"$kaboom" train corpus -o model.kb --epochs 4 --dec-epochs 3 --hidden 32 --latent 8 --threads 2 -q 2>/dev/null || exit 1
gzip -dc corpus/metrics.csv.gz >all.csv
"$kaboom" assign corpus -m model.kb -q >assigned || exit 1
sorted assigned >wanted

# --- assign as a filter ------------------------------------------------------------------------------------
filter() { # ARGUMENT...: result in out, messages in err, exit status in $status
  "$kaboom" assign - -m model.kb "$@" >out 2>err
  status=$?
}
same_labels() { sorted "$1" | cmp -s - wanted; }

for how in "" --grouped "--open 1" "--grouped --threads 1"; do
  # shellcheck disable=SC2086 # $how is a list of words
  filter $how <all.csv
  is "assign - $how ends well" "$status" 0
  holds "assign - $how: the labels do not depend on which sessions come together" same_labels out
done
gzip -c all.csv | "$kaboom" assign - -m model.kb --grouped -q >out 2>err
holds "compressed rows" same_labels out
(head -n 1 all.csv && awk -F, 'NR > 1 { print ++n[$1] "," $0 }' all.csv | sort -t, -k1,1n -s | cut -d, -f2-) >by-time.csv
filter <by-time.csv
holds "rows of all sessions in turn, as long as they may be open" same_labels out

(echo $header && part 1 3 && part 1 1) >late.csv
filter --grouped <late.csv
is "a session that comes back is a failure" "$status" 1
says "late rows are told with their lines" "late: session"
says "late rows are counted" "came after the label"
is "a session that comes back has one label" "$(rows out)" 3
filter --grouped --strict <late.csv
is "the first late row ends a strict reading" "$status" 1
filter --open 2 <by-time.csv
is "more sessions than may be open are a failure" "$status" 1
says "which option helps is told" "--open"

filter --format json --grouped <all.csv
is "JSON is an object a line" "$(grep -c '^{"session":".*}$' out)" 200
filter --format table --grouped <all.csv
holds "a table has its columns" grep -q '^session  *cluster  *distance' out
filter --split train <all.csv
is "standard input has no splits" "$status" 2
"$kaboom" assign corpus -m model.kb --open 5 >out 2>err
is "a corpus has no stream" "$?" 2
printf 'session,time\n' >bad.csv
filter <bad.csv
is "a stream without the columns" "$status" 1
filter </dev/null
is "an empty stream" "$status" 1
gzip -c all.csv | head -c 20000 >cut.gz
filter --grouped <cut.gz
is "a stream that is cut off" "$status" 1
says "a stream that is cut off is told" "truncated"
holds "what came before is labelled" test "$(rows out)" -gt 3

# A corpus that is too large for memory: the same result, labels only held.
"$kaboom" generate large --sessions 3000 --objects 50 --timesteps 20 --types 3 --seed 4 -q
"$kaboom" assign large -m model.kb -q --no-cache >whole 2>err
"$kaboom" assign large -m model.kb --memory 1 --no-cache >swept 2>err
is "a corpus that is too large" "$?" 0
holds "gives the same bytes" cmp whole swept
holds "and is not read into memory" sh -c '! grep -q "read into memory" err'
"$kaboom" assign large -m model.kb --split emerging -q >whole
"$kaboom" assign large -m model.kb --split emerging -q --memory 1 >swept
holds "also of one split" cmp whole swept
mkdir mixed mixed/traces
(echo $header && part 1 20) >mixed/metrics-1.csv
(echo $header && part 30 40 && echo s0000001,bad,x,1) >mixed/metrics-2.csv
printf 'time,a,b\n1,2,3\n' >mixed/traces/wide.csv
printf 'time,a,b\n' >mixed/traces/empty.csv
printf 'session,split\nunseen,later\n' >mixed/sessions.csv
mkdir spread
{ echo $header && echo q,1,x,1 && seq 5000 | sed 's/.*/s&,1,x,1/' && echo q,2,x,1; } >spread/metrics.csv
head -c 6000000 /dev/zero | tr '\0' '\n' >>spread/metrics.csv
"$kaboom" assign spread -m model.kb -q --no-cache >whole 2>whole.err
"$kaboom" assign spread -m model.kb --memory 1 --no-cache >swept 2>err
holds "sessions that are spread: the same bytes" cmp whole swept
says "the corpus is read into memory, which is told" "far apart"
"$kaboom" assign mixed -m model.kb -q --no-cache >whole 2>whole.err
head -c 7000000 /dev/zero | tr '\0' '\n' >>mixed/metrics-2.csv
"$kaboom" assign mixed -m model.kb --memory 1 --no-cache >swept 2>err
holds "traces, listed sessions, bad rows: the same bytes" cmp whole swept
holds "and the same problems" cmp whole.err err

# Results are there before the stream ends.
mkfifo pipe
"$kaboom" assign - -m model.kb --grouped -q <pipe >live 2>err &
watch_pid=$!
exec 8>pipe
{ echo $header && part 1 4; } >&8
comes "a label is there once the next session begins" has_rows live 3
kill -TERM "$watch_pid"
wait "$watch_pid"
is "SIGTERM ends a filter" "$?" 143
exec 8>&-
"$kaboom" assign - -m model.kb --settle .3 -q <pipe >live 2>err &
watch_pid=$!
exec 8>pipe
{ echo $header && part 1 4; } >&8
comes "quiet sessions are complete with --settle" has_rows live 4
exec 8>&-
wait "$watch_pid"
is "the end of the stream" "$?" 0
watch_pid=

# --- watch -------------------------------------------------------------------------------------------------
start() { # ARGUMENT...: watches dir in the background
  "$kaboom" watch dir -m model.kb --settle .3 --summary 1 --threads 1 "$@" 2>>err &
  watch_pid=$!
}
stop() { # SIGNAL: ends the watch; its exit status in $status
  kill -"$1" "$watch_pid"
  wait "$watch_pid"
  status=$?
  watch_pid=
}
fresh() {
  rm -rf dir out.csv state state.lock err
  mkdir dir
}

fresh
start -o out.csv --state state
{ echo $header && part 1 50; } >dir/metrics-1.csv
comes "sessions get labels" has_rows out.csv 50
{ part 51 60 && part 61 61 | head -c 30 | tr -d '\n'; } >>dir/metrics-1.csv
comes "what is appended gets labels" has_rows out.csv 60
sleep 1
is "a row without its end is not read" "$(rows out.csv)" 60
part 61 61 | tail -c +31 >>dir/metrics-1.csv
comes "its end comes" has_rows out.csv 61
mv dir/metrics-1.csv dir/metrics-1.csv.1
{ echo $header && part 62 70; } >dir/metrics-1.csv
part 71 75 >>dir/metrics-1.csv.1
comes "rotation: the new file and the rest of the old one" has_rows out.csv 75
{ echo $header && part 76 80; } >dir/metrics-1.csv
comes "truncation" has_rows out.csv 80
says "truncation is told" "read from its beginning"
{ echo $header && part 81 90; } | gzip -c >dir/.partial
head -c 300 dir/.partial >dir/metrics-2.csv.gz
sleep .8
is "a compressed file in parts is not read" "$(rows out.csv)" 80
says "and told" "metrics-2.csv.gz: truncated"
cp dir/.partial dir/metrics-2.csv.gz
comes "a compressed file that is whole" has_rows out.csv 90
mkdir dir/traces
part 91 91 | awk -F, 'NR == 1 { print "time," $3 } $3 != o && NR > 1 { exit } { o = $3; print $2 "," $4 }' >dir/traces/one.csv
comes "a trace" grep -q '^one,' out.csv
part 1 1 >>dir/metrics-1.csv
comes "a late row is told" has_text err "late: session"
holds "a summary line" grep -q 'kaboom: [0-9]* sessions, [0-9]* emerging' err
printf 'x,y\n1,2\n' >dir/metrics-3.csv
comes "a file without the columns is told" has_text err "metrics-3.csv"
mv dir away
comes "a folder that goes is told" has_text err "tried again"
mv away dir
part 92 95 >>dir/metrics-1.csv
comes "a folder that comes back" has_rows out.csv 95

"$kaboom" watch dir -m model.kb -o out.csv --state state >two 2>err2
is "a second watch with the same state" "$?" 2
cp model.kb good.kb
echo broken >model.kb
kill -HUP "$watch_pid"
comes "a broken model is told" has_text err "the model stays as it was"
cp good.kb model.kb
part 96 97 >>dir/metrics-1.csv
comes "and the old one stays" has_rows out.csv 97
kill -HUP "$watch_pid"
comes "a good one is taken" has_text err "read again"
mv out.csv out.1
part 98 99 >>dir/metrics-1.csv
comes "an output that was renamed is written on" has_rows out.1 99
kill -HUP "$watch_pid"
sleep .5
part 100 101 >>dir/metrics-1.csv
comes "and opened again after SIGHUP" has_rows out.csv 2
part 102 102 >>dir/metrics-1.csv
sleep .1
stop TERM
is "SIGTERM" "$status" 143
start -o out.csv --state state
comes "what was open goes on after a restart" has_rows out.csv 3
stop INT
is "SIGINT" "$status" 130
(sorted out.1 && sorted out.csv) | grep -v '^one,' | sort >got
holds "each session has the label that assign gives it, once" cmp got - <<EOF
$(head -n 90 wanted; sed -n '92,102p' wanted)
EOF

# Without the state the output still tells which sessions have a label.
(head -n 1 out.1 && tail -n +2 out.1 && tail -n +2 out.csv) >all-out.csv
mv all-out.csv out.csv
before=$(rows out.csv)
rm state
start -o out.csv --state state
sleep 1
part 103 104 >>dir/metrics-1.csv
comes "a lost state is made again from the output" has_rows out.csv $((before + 2))
stop TERM
is "a lost state gives no second label" "$(tail -n +2 out.csv | cut -d, -f1 | sort | uniq -d | wc -l | tr -d ' ')" 0

# A torn row is cut off, and its session gets its label.
fresh
{ echo $header && part 1 20; } >dir/metrics.csv
start -o out.csv --state state
comes "labels before a torn row" has_rows out.csv 20
stop KILL
size=$(wc -c <out.csv)
head -c $((size - 9)) out.csv >torn && cp torn out.csv
rm state
start -o out.csv --state state
comes "a torn row is written again" has_rows out.csv 20
stop TERM
sorted out.csv >got
holds "and whole" sh -c 'head -n 20 wanted | cmp - got'

fresh
echo "something else" >out.csv
start -o out.csv --state state
wait "$watch_pid"
is "an output that is something else" "$?" 1
is "is left alone" "$(cat out.csv)" "something else"

# Without a file the labels go to standard output; a state is kept where states are kept.
fresh
{ echo $header && part 1 5; } >dir/metrics.csv
start --format json >out.json
has_lines() { [ "$(grep -c '^{"session":".*}$' "$1")" -eq "$2" ]; }
comes "JSON lines on standard output" has_lines out.json 5
stop TERM
holds "the state is below XDG_STATE_HOME" sh -c 'ls states/kaboom/watch-*.state'
start >out.csv
part 6 7 >>dir/metrics.csv
comes "and known after an orderly end" has_rows out.csv 2
stop TERM

# The output's disk is full.
if [ -w /dev/full ]; then
  fresh
  { echo $header && part 1 5; } >dir/metrics.csv
  start -o /dev/full --state state
  wait "$watch_pid"
  is "a full disk is a failure" "$?" 1
  says "a full disk is told" "/dev/full: cannot be written"
  start -o out.csv --state state
  comes "and nothing is lost" has_rows out.csv 5
  stop TERM
else
  skip "a full disk" "there is no /dev/full"
fi
if [ "$(id -u)" -ne 0 ]; then
  fresh
  { echo $header && part 1 5; } >dir/metrics.csv
  chmod 000 dir/metrics.csv
  start -o out.csv --state state
  comes "a file that may not be read is told" has_text err "Permission denied"
  chmod 644 dir/metrics.csv
  comes "and read once it may" has_rows out.csv 5
  stop TERM
else
  skip "permission" "root may read everything"
fi

# A rate that departs from its history: hundreds of sessions as usual, then one kind only.
fresh
start -o out.csv --state state --alarm .001
{ echo $header && part 1 200 && part 1 200 | sed 's/^/again-/'; } >dir/metrics.csv
comes "a history" has_rows out.csv 400
sleep 1.5
cluster=$(tail -n +2 out.csv | cut -d, -f2 | sort | uniq -c | sort -n | awk 'NR == 1 { print $2 }')
session=$(awk -F, -v c="$cluster" '$2 == c { print $1; exit }' assigned)
[ -n "$session" ] || session=$(awk -F, 'NR == 2 { print $1 }' assigned)
for i in $(seq 60); do grep "^$session," all.csv | sed "s/^/more-$i-/"; done >>dir/metrics.csv
comes "a rate that departs is told" has_text err "alarm: "
stop TERM
is "bad usage: no settling" "$("$kaboom" watch dir -m model.kb --settle never >two 2>&1; echo $?)" 2
is "bad usage: a table in a file" "$("$kaboom" watch dir -m model.kb -o x --format table >two 2>&1; echo $?)" 2
is "no such folder" "$("$kaboom" watch nowhere -m model.kb --state s >two 2>&1; echo $?)" 1

# --- units for systemd -------------------------------------------------------------------------------------
mkdir units
printf '[Service]\nExecStart=/bin/true\n' >units/nothing.service
if systemd-analyze verify units/nothing.service >/dev/null 2>&1; then
  for unit in "$source_dir"/samples/*.service "$source_dir"/samples/*.timer; do
    sed -e "s|/usr/local/bin/kaboom|$kaboom|" -e /^Documentation/d "$unit" >"units/${unit##*/}"
  done
  systemd-analyze verify units/kaboom-* >err 2>&1
  is "the units are as systemd wants them" "$? $(wc -l <err | tr -d ' ')" "0 0"
else
  skip "the units are as systemd wants them" "systemd-analyze is not there, or does not work"
fi

# --- SIGKILL under load ------------------------------------------------------------------------------------
kills() { # FORM KILLS SEED
  fresh
  if ! "$killer" "$kaboom" model.kb all.csv dir out.csv state "$1" "$2" "$3" >killed 2>err; then
    not_ok "$2 kills: the watch survives"
    return
  fi
  if [ "$1" = json ]; then
    sed 's/^{"session":"\([^"]*\)".*/\1/' out.csv | sort >got
    cut -d, -f1 wanted >names
    holds "$2 kills ($1): every session has one label" cmp got names
  else
    sorted out.csv >got
    holds "$2 kills ($1): every session has one label, which is that of assign" cmp got wanted
  fi
}
kills csv "${KILLS:-8}" 1
kills json 4 2

none_failed
