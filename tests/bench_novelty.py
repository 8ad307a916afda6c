#!/usr/bin/env python3
"""Novelty and false alarms of KABOOM on labelled corpora, by scikit-learn's ROC.

usage: bench_novelty.py KABOOM CORPUS...

SEEDS (environment, default "1"): for each of them an eighth of a corpus's fitted sessions, drawn by it, is kept out as
fresh ones; a model is trained on the rest with that seed and defaults, and all sessions are assigned. Novel are
sessions of split "emerging" with a label that train lacks, known all others that are not fitted. For each novel
label, and for all of them where there are several: the area under the curve of novelty against the known ones, and
how many of the novel are called emerging. Then the share of fresh sessions called emerging, with its standard error,
after calibrating for .05 and for .01, and what the model says of itself.

Labels are read here and never by KABOOM, which gets a copy of sessions.csv without them.
"""
import csv
import gzip
import math
import os
import random
import subprocess
import sys
import tempfile

FALSE_ALARMS = ("0.05", "0.01")


def rows_of(path):
    with gzip.open(path, "rt", newline="") if path.endswith(".gz") else open(path, newline="") as f:
        return list(csv.DictReader(f))


def sessions_file(corpus):
    for name in ("sessions.csv", "sessions.csv.gz"):
        if os.path.exists(os.path.join(corpus, name)):
            return os.path.join(corpus, name)
    return None


def is_fitted(row):
    return row.get("split", "") in ("", "train")


def lay_out(corpus, rows, seed, folder):
    """CORPUS in FOLDER, without labels and events; the names of the sessions that are kept out."""
    for name in os.listdir(corpus):
        if name.startswith("metrics") or name == "traces":
            os.symlink(os.path.join(os.path.abspath(corpus), name), os.path.join(folder, name))
    fitted = [row["session"] for row in rows if is_fitted(row)]
    fresh = set(random.Random(seed).sample(fitted, len(fitted) // 8))
    with open(os.path.join(folder, "sessions.csv"), "w", newline="") as f:
        out = csv.writer(f)
        out.writerow(["session", "split"])
        for row in rows:
            out.writerow([row["session"], "later" if row["session"] in fresh else row.get("split", "")])
    return fresh


def run(kaboom, *args):
    done = subprocess.run([kaboom, *args, "--threads", "2", "--quiet"], check=True, stdout=subprocess.PIPE, text=True)
    return list(csv.DictReader(done.stdout.splitlines()))


def curve(roc_auc_score, novelty, novel, known):
    return roc_auc_score([1] * len(novel) + [0] * len(known), [novelty[s] for s in novel + known])


def report_novel(kind, area, emerging, novel):
    found = sum(emerging[s] for s in novel)
    print("  %s: %d sessions, area %.4f, called emerging %.2f" % (kind, len(novel), area, found / len(novel)))


def measure(kaboom, corpus, seed, roc_auc_score):
    rows = rows_of(sessions_file(corpus))
    label = {row["session"]: row.get("label", "") for row in rows}
    taught = {row.get("label", "") for row in rows if is_fitted(row)}
    with tempfile.TemporaryDirectory() as folder:
        fresh = lay_out(corpus, rows, seed, folder)
        model = os.path.join(folder, "model")
        run(kaboom, "train", folder, "-o", model, "--seed", str(seed))
        print("%s, seed %d" % (os.path.basename(os.path.normpath(corpus)), seed))
        for alpha in FALSE_ALARMS:
            run(kaboom, "calibrate", folder, "-m", model, "--false-alarms", alpha, "--seed", str(seed))
            assigned = [row for row in run(kaboom, "assign", folder, "-m", model) if row["novelty"]]
            novelty = {row["session"]: float(row["novelty"]) for row in assigned}
            emerging = {row["session"]: row["emerging"] == "1" for row in assigned}
            if alpha == FALSE_ALARMS[0]:
                report_areas(rows, fresh, label, taught, novelty, emerging, roc_auc_score)
            kept_out = [s for s in fresh if s in emerging]
            share = sum(emerging[s] for s in kept_out) / len(kept_out)
            told = {row["item"]: row["value"] for row in run(kaboom, "info", model)}
            p = float(alpha)
            print("  --false-alarms %s: %.4f of %d fresh sessions (standard error %.4f), measured by the model %.4f of %s" % (
                alpha, share, len(kept_out),
                math.sqrt(p * (1 - p) * (1 / len(kept_out) + 1 / float(told["known sessions"]))),
                float(told["false alarms measured"]), told["known sessions"]), flush=True)


def report_areas(rows, fresh, label, taught, novelty, emerging, roc_auc_score):
    novel = [row["session"] for row in rows if row.get("split") == "emerging" and label[row["session"]] not in taught]
    others = set(novel)
    known = [row["session"] for row in rows
             if row["session"] not in others and (row["session"] in fresh or not is_fitted(row))]
    novel, known = [s for s in novel if s in novelty], [s for s in known if s in novelty]
    kinds = sorted({label[s] for s in novel})
    for kind in kinds:
        some = [s for s in novel if label[s] == kind]
        report_novel(kind, curve(roc_auc_score, novelty, some, known), emerging, some)
    if len(kinds) > 1:
        report_novel("all", curve(roc_auc_score, novelty, novel, known), emerging, novel)


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    try:
        import sklearn
        from sklearn.metrics import roc_auc_score
    except ImportError:
        print("without scikit-learn: no novelty")
        return
    print("scikit-learn %s" % sklearn.__version__)
    for corpus in sys.argv[2:]:
        if not sessions_file(corpus):
            print("%s: no sessions.csv there" % corpus)
            continue
        for seed in os.environ.get("SEEDS", "1").split():
            measure(sys.argv[1], corpus, int(seed), roc_auc_score)


if __name__ == "__main__":
    main()
