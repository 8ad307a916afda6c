#!/usr/bin/env python3
"""The validation loss that the dense network reaches in PyTorch, beside kaboom's from its log.

bench_training_loss.py CORPUS LOG.csv RANK HIDDEN LATENT BATCH THREADS

CORPUS is in long form with train and validation splits; LOG.csv is what

    kaboom train CORPUS -o MODEL --preset document --variant vae --patience E --epochs E --log LOG.csv

left, of as many epochs as are trained here, by the same recipe (Adam, warm-up, cosine decay, clipping), on
the same scaled inputs, centred (not divided by the root of their variance s^2, since PyTorch's own starting
weights would drown inputs of that size; the loss is divided by s^2). What of the held-out sessions
lies outside the RANK dimensions of kaboom's row space it cannot reconstruct, and its log leaves out; here
it is added to its loss. Prints what is missing and ends with 77 without torch, pandas or enough memory.
"""
import csv
import glob
import math
import sys

STEPS, WARM_UP, CLIP, BETA, LEAST_PRESENCE = 100, 50, 10, 3e-3, 0.01


def skip(why):
    print(why)
    sys.exit(77)


try:
    import numpy as np
    import pandas as pd
    import torch
except ImportError as missing:
    skip("%s is not installed" % missing.name)


def scaled(corpus):
    """Sessions x (objects x STEPS), left-padded, each series to [0, 1]; and the split of each session."""
    rows = pd.concat(pd.read_csv(f) for f in sorted(glob.glob(corpus + "/metrics*.csv*")))
    known = pd.read_csv(glob.glob(corpus + "/sessions.csv*")[0]).set_index("session")["split"]
    known = known[known.isin(["train", "validation"])]
    rows = rows[rows["session"].isin(known.index)]
    present = rows[rows["value"] != 0]
    train = present[present["session"].isin(known.index[known == "train"])]
    share = train.groupby("object")["session"].nunique() / (known == "train").sum()
    objects = {o: i for i, o in enumerate(sorted(share.index[share >= LEAST_PRESENCE]))}
    x = np.zeros((len(known), len(objects), STEPS), np.float32)
    place = {s: i for i, s in enumerate(known.index)}
    for session, part in rows.groupby("session"):
        times = np.unique(part["time"])[-STEPS:]
        part = part[part["time"].isin(times) & part["object"].isin(objects)]
        at = STEPS - len(times) + np.searchsorted(times, part["time"])
        x[place[session], part["object"].map(objects).to_numpy(int), at] = part["value"]
    low, high = x.min(2, keepdims=True), x.max(2, keepdims=True)
    flat = (high == low) & (high > 0)
    x = np.where(flat, 1, (x - low) / np.where(high > low, high - low, 1)).astype(np.float32)
    return x.reshape(len(known), -1), (known == "train").to_numpy()


def outside(fitted, held_out, rank):
    """Mean squared norm of what of HELD_OUT lies outside the RANK first components of FITTED."""
    values, u = np.linalg.eigh(fitted @ fitted.T)
    u, values = u[:, ::-1][:, :rank], values[::-1][:rank]
    y = held_out @ (fitted.T @ (u / np.sqrt(values)))
    return float(((held_out**2).sum(1) - (y**2).sum(1)).mean())


def main():
    corpus, log = sys.argv[1:3]
    rank, hidden, latent, batch, threads = map(int, sys.argv[3:])
    with open(log) as file:
        inside = [float(r["validation"]) for r in csv.DictReader(file) if r["phase"] == "autoencoder"]
    x, fitted = scaled(corpus)
    x -= x[fitted].mean(0)
    variance = float((x[fitted] ** 2).sum(1).mean())
    rest = outside(x[fitted], x[~fitted], rank) / variance
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    x, held_out = torch.from_numpy(x[fitted]), torch.from_numpy(x[~fitted])
    inputs, linear = x.shape[1], torch.nn.Linear
    encoder, mu, logvar = linear(inputs, hidden), linear(hidden, latent), linear(hidden, latent)
    decoder = torch.nn.Sequential(linear(latent, hidden), torch.nn.ELU(), linear(hidden, inputs))
    weights = [w for part in (encoder, mu, logvar, decoder) for w in part.parameters()]
    adam = torch.optim.Adam(weights, lr=1e-3, foreach=False)

    def loss_of(rows, noise):
        h = torch.nn.functional.elu(encoder(rows))
        m, v = mu(h), logvar(h).clamp(-12, 8)
        output = decoder(m + torch.exp(v / 2) * torch.randn_like(m) if noise else m)
        kl = (m.square() + v.exp() - 1 - v).sum() / 2
        return ((output - rows).square().sum() / variance + BETA * kl) / len(rows)

    steps, done, best = len(inside) * math.ceil(len(x) / batch), 0, float("inf")
    warm = min(WARM_UP, steps // 4 + 1)
    for epoch in range(len(inside)):
        for rows in torch.randperm(len(x)).split(batch):
            rate = 1e-3 * 0.5 * (1 + math.cos(math.pi * done / steps))
            for group in adam.param_groups:
                group["lr"] = rate * (done + 1) / warm if done < warm else rate
            adam.zero_grad(set_to_none=True)
            loss_of(x[rows], True).backward()
            torch.nn.utils.clip_grad_norm_(weights, CLIP)
            adam.step()
            done += 1
        with torch.no_grad():
            best = min(best, loss_of(held_out, False).item())
    ours = min(inside) + rest
    print("validation loss after %d epochs: PyTorch, dense, %.4f; kaboom %.4f (%.4f of it outside its space): %.3f x"
          % (len(inside), best, ours, rest, ours / best))


main()
