#!/bin/sh
# "kaboom project" from end to end: a new map, and new sessions in a map that does not move.
# Prints a line for each claim: "ok NAME", "not ok NAME".
# shellcheck source=tests/shell_support.sh
. "${top_srcdir:-.}/tests/shell_support.sh"
tested_verb=project

# All of A's sessions are in B, no farther than a hundredth away: embeddings depend a little on how many are made at once.
near() { # A B
  awk -F, 'NR == FNR { x[$1] = $2; y[$1] = $3; next }
           !($1 in x) || ($2 - x[$1])^2 + ($3 - y[$1])^2 > 1e-4 { far = 1 }
           END { exit far || !FNR }' "$2" "$1"
}
places() { tail -n +2 "$1" | cut -d, -f1-3 | sort; }

if ! "$kaboom" generate corpus --sessions 80 --objects 60 --timesteps 24 --types 3 --quiet >/dev/null ||
  ! "$kaboom" train corpus -o model.kb --timesteps 24 --epochs 4 --dec-epochs 3 --hidden 32 --latent 8 --quiet >/dev/null; then
  not_ok "a model"
  exit 1
fi

# Two corpora: the sessions of the training split, which are mapped, and the others.
mkdir old new
zcat corpus/sessions.csv.gz >sessions 2>/dev/null || cp corpus/sessions.csv sessions
gives 0 "the list of splits" corpus -m model.kb --split train --iterations 60
tail -n +2 out | cut -d, -f1 >mapped
cp out map
for file in corpus/metrics*; do
  case $file in *.gz) zcat "$file" ;; *) cat "$file" ;; esac |
    awk -F, -v old="old/$(basename "$file" .gz)" -v new="new/$(basename "$file" .gz)" '
      BEGIN { while ((getline name <"mapped") > 0) mapped[name] = 1 }
      FNR == 1 { for (i = 1; i <= NF; i++) if ($i == "session") at = i; print >old; print >new; next }
      { if ($at in mapped) print >old; else print >new }'
done

gives 0 "a map into which the other sessions are placed" corpus -m model.kb --into map
cp out whole
holds "every session has a row" test "$(lines out)" -eq 81
places map >a
places out >b
holds "what was in the map is where it was" sh -c 'comm -23 a b | cmp -s - /dev/null'
holds "the other sessions have places" sh -c '! grep -q ",,," out'
gives 0 "the same on one thread" corpus -m model.kb --into map --threads 1
holds "gives the same bytes" cmp out whole
gives 0 "one split of it" corpus -m model.kb --into map --split later
places out >a
places whole >b
holds "gives that split's rows" near a b
gives 0 "a map placed into itself" corpus -m model.kb --into map --split train
holds "is as it was" cmp out map

gives 0 "sessions of another corpus" new -m model.kb --into map --map-corpus old
places out >a
places whole | grep -vFf mapped >b
holds "come to the same places" near a b
gives 0 "fewer steps" new -m model.kb --into map --map-corpus old --iterations 20
places out >b
holds "come to other places" sh -c '! cmp -s a b'
gives 0 "a higher perplexity" new -m model.kb --into map --map-corpus old --perplexity 12
places out >b
holds "does, too" sh -c '! cmp -s a b'
head -n 30 map >part
gives 0 "part of a map" new -m model.kb --into part --map-corpus corpus
gzip -k map
gives 0 "a gzipped map" new -m model.kb --into map.gz --map-corpus old
places out >b
holds "is the same map" cmp a b
{ cat map; echo "gone,1,2,1"; } >longer
gives 0 "a map with a session that is not there" new -m model.kb --into longer --map-corpus old
says "tells so" "sessions are in old, and count"

gives 1 "none of the map's sessions" new -m model.kb --into map
says "says where they were looked for" "none of its sessions is in new"
gives 1 "no such map" corpus -m model.kb --into nowhere
printf 'session,x,y\na,1,2\nb,zero,1\n' >bad
gives 1 "a place that is not a number" corpus -m model.kb --into bad
says "is named" "bad:3: x 'zero': not a number"
printf 'session,x,y\na,1,2\na,1,2\n' >bad
gives 1 "a session that is there twice" corpus -m model.kb --into bad
says "is named, too" "bad:3: session 'a' is there twice"
printf 'session,x,y\na,,\n' >bad
gives 1 "a map without places" corpus -m model.kb --into bad
says "says so" "no session has a place"
printf 'session,x\na,1\n' >bad
gives 1 "a map without a column" corpus -m model.kb --into bad
gives 2 "--map-corpus without --into" corpus -m model.kb --map-corpus old
none_failed
