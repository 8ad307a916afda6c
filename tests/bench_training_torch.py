#!/usr/bin/env python3
"""The dense network that kaboom trains in the row space, in PyTorch: seconds of the best step.

bench_training_torch.py INPUTS HIDDEN LATENT BATCH THREADS STEPS

Prints what is missing and ends with 77 where it cannot be done: without torch, or with less memory
than parameters, gradients, Adam's moments and their temporaries take.
"""
import sys
import time


def available_bytes():
    for line in open("/proc/meminfo"):
        if line.startswith("MemAvailable:"):
            return 1024 * int(line.split()[1])
    return 0


def skip(why):
    print(why)
    sys.exit(77)


def main():
    inputs, hidden, latent, batch, threads, steps = map(int, sys.argv[1:])
    try:
        import torch
    except ImportError:
        skip("torch is not installed")
    parameters = 2 * inputs * hidden + 3 * hidden * latent
    if available_bytes() < 4 * 5.2 * parameters:
        skip("not enough memory for %.1f GB" % (4e-9 * 5.2 * parameters))
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    linear = torch.nn.Linear
    encoder, mu, logvar = linear(inputs, hidden), linear(hidden, latent), linear(hidden, latent)
    decoder = torch.nn.Sequential(linear(latent, hidden), torch.nn.ELU(), linear(hidden, inputs))
    weights = [w for part in (encoder, mu, logvar, decoder) for w in part.parameters()]
    adam = torch.optim.Adam(weights, lr=1e-3, foreach=False)
    x = torch.randn(batch, inputs) / inputs**0.5
    best = float("inf")
    for _ in range(steps):
        begun = time.monotonic()
        h = torch.nn.functional.elu(encoder(x))
        m, v = mu(h), logvar(h).clamp(-12, 8)
        output = decoder(m + torch.exp(v / 2) * torch.randn_like(m))
        kl = (m.square() + v.exp() - 1 - v).sum() / 2
        loss = ((output - x).square().sum() + 3e-3 * kl) / batch
        adam.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 10)
        adam.step()
        best = min(best, time.monotonic() - begun)
    print("%.3f" % best)


main()
