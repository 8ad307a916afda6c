#!/bin/sh
# clusters, compare, name: what is planted in synthetic corpora is told, a cluster that grows, goes, returns, splits, merges;
# names stay with their clusters. Prints a line for each claim: "ok NAME", "not ok NAME".
# shellcheck disable=SC2016 # conditions in awk
# shellcheck source=tests/shell_support.sh
. "${top_srcdir:-.}/tests/shell_support.sh"

# row COLUMN VALUE COLUMN: of the last result, the third column where the first has VALUE.
cell() {
  awk -F, -v key="$1" -v value="$2" -v want="$3" '
    NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    $at[key] == value { print $at[want] }' out
}

# is NAME VALUE KEY KEYVALUE COLUMN: that cell of the last result is VALUE.
is() {
  found=$(cell "$3" "$4" "$5")
  if [ "$found" = "$2" ]; then ok "$1"; else not_ok "$1: '$found' instead of '$2'"; fi
}

# number_of LABEL: the cluster most sessions of LABEL are in.
number_of() {
  "$kaboom" assign all -m model.kb -q |
    awk -F, -v label="$1" 'NR == FNR { of[$1] = $5; next } of[$1] == label { n[$2]++ }
      END { for (c in n) if (n[c] > best) { best = n[c]; which = c } print which }' all/sessions.csv -
}

"$kaboom" generate all --sessions 600 --objects 80 --timesteps 40 --types 4 --seed 5 -q || exit 1
"$kaboom" train all -o model.kb -q --runs 1 -k 4 --threads 2 || exit 1
part all first '$3 == "3.1"'
part all second '$3 == "3.2"'
one=$(number_of type-01) two=$(number_of type-02) last=$(number_of type-04)

# --- counts ------------------------------------------------------------------------------------------------------
gives 0 "clusters" clusters all -m model.kb
holds "its columns" grep -qx "cluster,name,sessions,share,share_low,share_high,users,emerging,day_trend,day_p,day_q,version_trend,version_p,version_q" out
holds "its sessions are all" awk -F, 'NR > 1 { n += $3 } END { exit n != 600 }' out
holds "its shares add up" awk -F, 'NR > 1 { n += $4 } END { exit n < .999999 || n > 1.000001 }' out
holds "a row for the emerging ones" grep -q "^emerging,,[1-9]" out
holds "the type that was fixed falls" test "$(cell cluster "$two" version_q | awk '{ print ($1 < .01) }')" = 1
holds "downwards" test "$(cell cluster "$two" version_trend | awk '{ print ($1 < 0) }')" = 1
holds "the type that was made worse rises" test "$(cell cluster "$last" version_trend | awk '{ print ($1 > 3) }')" = 1
gives 0 "clusters by version" clusters all -m model.kb --by version
holds "its columns by version" grep -qx "cluster,name,version,sessions,of,share,share_low,share_high,users,trend,p,q" out
holds "a row for each version of each cluster" test "$(wc -l <out)" -eq 11
holds "none is left of the fixed type" grep -q "^$two,,3.2,[0-3],60," out
gives 0 "clusters by day" clusters all -m model.kb --by day
holds "days are dates" grep -q "^1,,2026-01-0[5-9]," out
holds "days add up" awk -F, 'NR > 1 { n += $4 } END { exit n != 600 }' out
gives 0 "clusters by day of some sessions" clusters all -m model.kb --by day --split later --trend any
holds "are those sessions" awk -F, 'NR > 1 { n += $4 } END { exit n != 60 }' out
gives 2 "an unknown --by" clusters all -m model.kb --by week

# --- one model, two corpora ---------------------------------------------------------------------------------------
gives 0 "compare two corpora" compare first second -m model.kb
holds "its columns" grep -qx "cluster_a,name_a,cluster_b,name_b,change,shared,jaccard,a_in_b,b_in_a,similarity,sessions_a,share_a,sessions_b,share_b,p,q" out
is "the type that was fixed is gone" gone cluster_a "$two" change
is "the type that was made worse has grown" grown cluster_a "$last" change
gives 0 "compare them the other way round" compare second first -m model.kb
is "the type has come back" "come back" cluster_a "$two" change
is "the other has shrunk" shrunk cluster_a "$last" change
gives 2 "a model and a corpus" compare model.kb first
says "are told apart" "is a model and"
gives 1 "a model that is not there" compare nowhere.kb model.kb
says "it is named" "nowhere.kb: cannot be opened: No such file or directory"
gives 1 "a second model that is not there" compare model.kb nowhere.kb
gives 2 "two corpora without a model" compare first second
gives 2 "two models and -m" compare model.kb model.kb -m model.kb
gives 2 "two corpora and --corpus" compare first second -m model.kb --corpus all
gives 2 "--corpus-b alone" compare model.kb model.kb --corpus-b all
gives 2 "one operand" compare model.kb

# --- names -------------------------------------------------------------------------------------------------------
gives 0 "a cluster gets a name" name model.kb "$two" "Feed image cache"
gives 0 "a name in another script" name model.kb "$one" "Größe 名前"
gives 0 "a name is changed" name model.kb "$one" "Größe"
gives 0 "names are listed" name model.kb
holds "with these columns" grep -qx "cluster,name,sessions,state,calibration,until,back_as" out
is "the name is there" "Feed image cache" cluster "$two" name
is "and the other" "Größe" cluster "$one" name
gives 0 "clusters shows it" clusters all -m model.kb
is "beside its number" "Feed image cache" cluster "$two" name
gives 0 "info shows it" info model.kb
is "as an item" "Feed image cache" item "cluster $two name" value
cp model.kb named.kb
gives 0 "a name is taken away" name named.kb "$two" ""
run name named.kb
is "it is gone" "" cluster "$two" name
cp model.kb before.kb
gives 2 "a cluster that is not there" name model.kb 99 x
says "is told" "there is no cluster 99"
gives 2 "no number" name model.kb first x
gives 2 "number 0" name model.kb 0 x
gives 2 "no name" name model.kb 1
gives 2 "a control character" name model.kb 1 "$(printf 'a\033b')"
gives 2 "bad UTF-8" name model.kb 1 "$(printf 'a\377b')"
gives 2 "a long name" name model.kb 1 "$(printf '%0200d' 1)"
gives 2 "--from and a number" name model.kb 1 x --from named.kb
gives 2 "--corpus alone" name model.kb --corpus all
gives 2 "--overlap alone" name model.kb --overlap .3
gives 2 "--split without a corpus" name model.kb --from named.kb --split later
gives 1 "a model that is not there" name missing.kb 1 x
says "is told by its file" "missing.kb"
cp model.kb locked.kb
chmod 444 locked.kb
gives 1 "a model that may not be written" name locked.kb 1 x
says "is told so" "locked.kb: cannot be written"
holds "and is as it was" cmp locked.kb model.kb
holds "wrong use changes nothing" cmp before.kb model.kb

# --- a cluster goes and comes back --------------------------------------------------------------------------------
part all without '$5 != "type-02"'
cp model.kb gone.kb
gives 0 "a calibration without a type" calibrate without -m gone.kb -k 3
gives 0 "compare by members" compare model.kb gone.kb --corpus all
is "its sessions now lie in another's" merged cluster_a "$two" change
is "the others are the same" same cluster_a "$one" change
is "under their numbers" "$one" cluster_a "$one" cluster_b
gives 0 "compare with a corpus each" compare model.kb gone.kb --corpus all --corpus-b without
is "its cluster is gone" gone cluster_a "$two" change
is "the others are who they were" "$one" cluster_a "$one" cluster_b
gives 0 "compare them the other way round" compare gone.kb model.kb --corpus without --corpus-b all
is "it has come back" "come back" cluster_b "$two" change
run name gone.kb
is "it is kept as retired" retired cluster "$two" state
is "with its name" "Feed image cache" cluster "$two" name
is "and when it was seen" 1 cluster "$two" calibration
cp gone.kb back.kb
gives 0 "a calibration with the type again" calibrate all -m back.kb -k 4
run name back.kb
is "it is told to be back" back cluster "$two" state
again=$(cell cluster "$two" back_as)
is "under a number of its own" current cluster "$again" state
is "with its name" "Feed image cache" cluster "$again" name
is "the third calibration saw it" 3 cluster "$again" calibration
gives 0 "compare tells it" compare gone.kb back.kb --corpus all
is "it has come back" "come back" cluster_b "$again" change
is "as what it was" "$two" cluster_b "$again" cluster_a
is "with its name before" "Feed image cache" cluster_b "$again" name_a
gives 0 "compare without a corpus" compare gone.kb back.kb
is "knows it by its profile" "come back" cluster_b "$again" change
gives 0 "and tells that one is gone" compare model.kb gone.kb
is "likewise" gone cluster_a "$two" change
gives 0 "compare over both calibrations" compare model.kb back.kb --corpus all
is "it is the same" same cluster_b "$again" change
is "as at first" "$two" cluster_b "$again" cluster_a

# --- growth between two calibrations -------------------------------------------------------------------------------
part all few '$5 != "type-01" || NR % 8 == 0'
cp model.kb few.kb
gives 0 "a calibration with little of a type" calibrate few -m few.kb -k 4
gives 0 "compare with a corpus each" compare few.kb model.kb --corpus few --corpus-b all
is "the type has grown" grown cluster_a "$one" change
gives 0 "the other way round" compare model.kb few.kb --corpus all --corpus-b few
is "it has shrunk" shrunk cluster_a "$one" change
gives 0 "a larger ratio" compare few.kb model.kb --corpus few --corpus-b all --ratio 50
is "is not reached" same cluster_a "$one" change
gives 0 "the same sessions" compare few.kb model.kb --corpus all
is "have not changed" same cluster_a "$one" change

# --- a split, a merger ---------------------------------------------------------------------------------------------
cp model.kb three.kb
gives 0 "a calibration with one cluster less" calibrate all -m three.kb -k 3
gives 0 "compare to it" compare model.kb three.kb --corpus all
holds "two are merged" test "$(cut -d, -f5 out | grep -c merged)" -eq 2
gives 0 "compare from it" compare three.kb model.kb --corpus all
holds "the one that is told apart again has come back" test "$(cut -d, -f5 out | grep -c "come back")" -eq 1
"$kaboom" train all -o coarse.kb -q --runs 1 -k 3 --threads 2 || exit 1
cp coarse.kb fine.kb
"$kaboom" name fine.kb 1 "the first" || exit 1
gives 0 "a calibration with one cluster more" calibrate all -m fine.kb -k 4
gives 0 "compare to that" compare coarse.kb fine.kb --corpus all
holds "one is split in two" test "$(cut -d, -f5 out | grep -c split)" -eq 2
holds "of which one keeps the number" awk -F, '$5 == "split" && $1 == $3 { n++ } END { exit n != 1 }' out
holds "the others are the same" test "$(sed '/^emerging/d' out | cut -d, -f5 | grep -c same)" -eq 2
gives 0 "large parts only" compare coarse.kb fine.kb --corpus all --part 0.99
holds "are none" test "$(cut -d, -f5 out | grep -c split)" -eq 0

# --- another training ----------------------------------------------------------------------------------------------
"$kaboom" train all -o other.kb -q --runs 1 -k 4 --seed 9 --threads 2 || exit 1
cp other.kb profiled.kb
gives 0 "names go to another training by members" name other.kb --from model.kb --corpus all
holds "those of all clusters that have one" test "$(wc -l <out)" -eq 3
holds "with these columns" grep -qx "cluster,name,from" out
new=$(cell from "$two" cluster)
run name other.kb
is "the name is in the model" "Feed image cache" cluster "$new" name
gives 0 "and by profiles" name profiled.kb --from model.kb
is "to the same cluster" "$new" from "$two" cluster
gives 0 "names that are there stay" name other.kb --from back.kb --corpus all
holds "none goes along" test "$(wc -l <out)" -eq 1
gives 0 "compare of two trainings" compare model.kb other.kb --corpus all
is "shows the same cluster" same cluster_a "$two" change
gives 0 "threads change nothing" compare model.kb other.kb --corpus all --threads 1
cp out once
run compare model.kb other.kb --corpus all --threads 3
holds "byte by byte" cmp once out

none_failed
