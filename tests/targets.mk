# Targets for people who work on kaboom; HACKING says when to use which.
.PHONY: check-asan check-tsan check-valgrind check-kills fuzz bench bench-reading bench-training bench-stream bench-tsne bench-novelty format lint

# Sanitizer builds live in folders of their own under the build folder.
check-asan:
	@$(sanitized_check) asan address,undefined
check-tsan:
	@$(sanitized_check) tsan thread
sanitized_check = $(SHELL) $(srcdir)/tests/sanitized.sh '$(abs_srcdir)' '$(MAKE)'

# The unit tests only: shells and what they start are not what should be watched.
check-valgrind: $(check_PROGRAMS)
	@failed=; $(AM_TESTS_ENVIRONMENT) srcdir='$(srcdir)'; export srcdir; \
	for test in $(check_PROGRAMS); do \
	  echo "valgrind $$test"; \
	  OPENBLAS_NUM_THREADS=1 valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite \
	    ./$$test >valgrind.out 2>&1 || [ $$? -eq 77 ] || { cat valgrind.out; failed="$$failed $$test"; }; \
	done; rm -f valgrind.out; test -z "$$failed" || { echo "failed:$$failed"; exit 1; }

# A watch killed KILLS times at random moments while sessions are written: each must have one label.
KILLS = 50
check-kills: kaboom tests/watch_killer
	@$(AM_TESTS_ENVIRONMENT) KILLS=$(KILLS) $(SHELL) $(srcdir)/tests/test_watch.sh | \
	  awk '/kills/ || /^not ok/ { print } /^not ok/ { bad = 1 } END { exit bad }'

# Each reader with made-up inputs for a while; "make fuzz FUZZ_SECONDS=5 FUZZ_TARGETS='csv model'".
FUZZ_SECONDS = 60
FUZZ_TARGETS = $(FUZZERS)
fuzz:
	@$(SHELL) $(srcdir)/tests/fuzz.sh '$(abs_srcdir)' '$(MAKE)' fuzz $(FUZZ_SECONDS) $(FUZZ_TARGETS)

# Reading as ratios to bare libraries and to pandas, then one corpus from reading to the map, with the seconds of
# each step. BENCH_CORPUS=DIR: that corpus for the ratios instead of a synthetic one.
bench: bench-reading bench-training bench-stream bench-tsne bench-novelty
	$(SHELL) $(srcdir)/tests/bench.sh ./kaboom
bench-reading: kaboom tests/bench_tool
	$(SHELL) $(srcdir)/tests/bench_reading.sh ./kaboom tests/bench_tool $(BENCH_CORPUS)

# Labels for streams: sessions a second, and memory from a thousand sessions to a million.
bench-stream: kaboom tests/bench_tool
	$(SHELL) $(srcdir)/tests/bench_stream.sh ./kaboom tests/bench_tool

# Training as ratios to bare sgemm of the same shapes and to PyTorch, with its memory; PYTHON names the one with torch.
bench-training: kaboom tests/bench_tool tests/bench_training
	$(SHELL) $(srcdir)/tests/bench_training.sh ./kaboom tests/bench_tool tests/bench_training $(BENCH_CORPUS)

# Maps as ratios to scikit-learn's; PYTHON names the one that has it.
bench-tsne: tests/bench_tsne
	$(SHELL) $(srcdir)/tests/bench_tsne.sh tests/bench_tsne

# What is new and what is called so, on labelled corpora; BENCH_CORPORA='DIR DIR' names them, SEEDS='1 2 3' those of
# training, PYTHON the python3 that has scikit-learn.
bench-novelty: kaboom
	$(SHELL) $(srcdir)/tests/bench_novelty.sh ./kaboom $(BENCH_CORPORA)

EXTRA_PROGRAMS += tests/bench_tool tests/bench_training tests/bench_tsne
CLEANFILES += tests/bench_tool tests/bench_training tests/bench_tsne
tests_bench_tsne_SOURCES = tests/bench_tsne.c
tests_bench_tsne_CPPFLAGS = $(CLUSTER_CPPFLAGS)
tests_bench_tsne_CFLAGS = $(TEST_CFLAGS)
tests_bench_tsne_LDADD = $(CLUSTER_LIBS)
tests_bench_training_SOURCES = tests/bench_training.c
tests_bench_training_CPPFLAGS = $(MODEL_CPPFLAGS) $(OPENBLAS_CFLAGS)
tests_bench_training_CFLAGS = $(TEST_CFLAGS)
tests_bench_training_LDADD = $(MODEL_LIBS)
tests_bench_tool_SOURCES = tests/bench_tool.c
tests_bench_tool_CPPFLAGS = $(BASE_CPPFLAGS) $(ZLIB_CFLAGS)
tests_bench_tool_CFLAGS = $(TEST_CFLAGS)
tests_bench_tool_LDADD = $(CSV_LIBS) $(ZLIB_LIBS)

format:
	cd $(srcdir) && find core ui src tests -name '*.[ch]' -exec clang-format -i {} +

lint:
	cd $(srcdir) && find core ui src tests -name '*.[ch]' -exec clang-format --dry-run -Werror {} +
	cd $(srcdir) && shellcheck quickstart .ci/run tests/*.sh
	cd $(srcdir) && mandoc -T lint -W warning man/*.[0-9]

EXTRA_DIST += tests/bench.sh tests/bench_novelty.sh tests/bench_novelty.py tests/bench_support.sh tests/bench_reading.sh \
  tests/bench_stream.sh tests/bench_training.sh tests/bench_training_torch.py tests/bench_training_loss.py tests/bench_tsne.sh \
  tests/bench_tsne_sklearn.py tests/fuzz.sh tests/sanitized.sh

# configure ends with "rm -f core" before it clears up after itself; a folder of that name stops it there.
DISTCLEANFILES = confdefs.h
