#!/usr/bin/env python3
"""The same points laid out by scikit-learn: seconds and the final divergence of Barnes-Hut t-SNE.

bench_tsne_sklearn.py FILE DIMENSIONS ITERATIONS; OMP_NUM_THREADS says how many threads. Prints what is missing and ends
with 77 where scikit-learn is not installed.
"""
import os
import sys
import time


def main():
    try:
        import numpy
        import sklearn
        from sklearn.manifold import TSNE
    except ImportError:
        print("scikit-learn is not installed")
        sys.exit(77)
    path, dimensions, iterations = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    x = numpy.fromfile(path, dtype=numpy.float32).reshape(-1, dimensions)
    steps = {"max_iter": iterations} if hasattr(TSNE(), "max_iter") else {"n_iter": iterations}
    # It would otherwise end as soon as there is nothing to gain.
    tsne = TSNE(
        method="barnes_hut", init="pca", random_state=0, n_iter_without_progress=iterations, min_grad_norm=0.0,
        n_jobs=int(os.environ.get("OMP_NUM_THREADS", "1")), **steps
    )
    begun = time.perf_counter()
    tsne.fit(x)
    print("seconds=%.3f\nkl=%.4f\nversion=%s" % (time.perf_counter() - begun, tsne.kl_divergence_, sklearn.__version__))


main()
