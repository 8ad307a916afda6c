# what core/explain is made of
noinst_LIBRARIES += libexplain.a
libexplain_a_CPPFLAGS = $(EXPLAIN_CPPFLAGS)
libexplain_a_CFLAGS = $(CORE_CFLAGS)
libexplain_a_SOURCES = \
  core/explain/contrast.c core/explain/contrast.h core/explain/contrast_order.c \
  core/explain/fdr.c core/explain/fdr.h \
  core/explain/fisher.c core/explain/fisher.h \
  core/explain/fold.c core/explain/fold.h \
  core/explain/ngram_lift.c core/explain/ngram_lift.h \
  core/explain/ngram_table.c core/explain/ngram_table.h \
  core/explain/ngrams.c core/explain/ngrams.h \
  core/explain/odds.c core/explain/odds.h \
  core/explain/presence.c core/explain/presence.h \
  core/explain/ranktest.c core/explain/ranktest.h \
  core/explain/selection.c core/explain/selection.h \
  core/explain/session_join.c core/explain/session_join.h \
  core/explain/strata.c core/explain/strata.h \
  core/explain/traits.c core/explain/traits.h \
  core/explain/truncations.c core/explain/truncations.h \
  core/explain/tuples.c core/explain/tuples.h \
  core/explain/shares.c core/explain/shares.h \
  core/explain/stability.c core/explain/stability.h \
  core/explain/trend.c core/explain/trend.h

EXTRA_DIST += \
  tests/fixtures/effects/make.py \
  tests/fixtures/effects/odds.inc \
  tests/fixtures/effects/ranks.inc \
  tests/fixtures/ngrams/make.py \
  tests/fixtures/ngrams/units.py \
  tests/fixtures/ngrams/events.csv \
  tests/fixtures/ngrams/lifts.inc \
  tests/fixtures/proportions/make.py \
  tests/fixtures/proportions/fdr.inc \
  tests/fixtures/proportions/fisher.inc \
  tests/fixtures/shares/make.py \
  tests/fixtures/shares/shares.inc \
  tests/fixtures/stability/make.py \
  tests/fixtures/stability/stability.inc

if HAVE_CMOCKA
check_PROGRAMS += tests/test_contrast
TESTS += tests/test_contrast
tests_test_contrast_SOURCES = tests/test_contrast.c
tests_test_contrast_CPPFLAGS = $(EXPLAIN_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_contrast_CFLAGS = $(TEST_CFLAGS)
tests_test_contrast_LDADD = $(EXPLAIN_LIBS) $(CMOCKA_LIBS) -lm

check_PROGRAMS += tests/test_effects
TESTS += tests/test_effects
tests_test_effects_SOURCES = tests/test_effects.c
tests_test_effects_CPPFLAGS = $(EXPLAIN_CPPFLAGS) -I$(top_srcdir)/tests/fixtures/effects $(CMOCKA_CFLAGS)
tests_test_effects_CFLAGS = $(TEST_CFLAGS)
tests_test_effects_LDADD = $(EXPLAIN_LIBS) $(CMOCKA_LIBS) -lm

check_PROGRAMS += tests/test_proportions
TESTS += tests/test_proportions
tests_test_proportions_SOURCES = tests/test_proportions.c
tests_test_proportions_CPPFLAGS = $(EXPLAIN_CPPFLAGS) \
  -I$(top_srcdir)/tests/fixtures/proportions $(CMOCKA_CFLAGS)
tests_test_proportions_CFLAGS = $(TEST_CFLAGS)
tests_test_proportions_LDADD = $(EXPLAIN_LIBS) $(CMOCKA_LIBS) -lm

check_PROGRAMS += tests/test_shares
TESTS += tests/test_shares
tests_test_shares_SOURCES = tests/test_shares.c
tests_test_shares_CPPFLAGS = $(EXPLAIN_CPPFLAGS) -I$(top_srcdir)/tests/fixtures/shares $(CMOCKA_CFLAGS)
tests_test_shares_CFLAGS = $(TEST_CFLAGS)
tests_test_shares_LDADD = $(EXPLAIN_LIBS) $(CMOCKA_LIBS) -lm

check_PROGRAMS += tests/test_stability
TESTS += tests/test_stability
tests_test_stability_SOURCES = tests/test_stability.c
tests_test_stability_CPPFLAGS = $(EXPLAIN_CPPFLAGS) -I$(top_srcdir)/tests/fixtures/stability \
  $(CMOCKA_CFLAGS)
tests_test_stability_CFLAGS = $(TEST_CFLAGS)
tests_test_stability_LDADD = $(EXPLAIN_LIBS) $(CMOCKA_LIBS) -lm

check_PROGRAMS += tests/test_ngrams
TESTS += tests/test_ngrams
tests_test_ngrams_SOURCES = tests/test_ngrams.c
tests_test_ngrams_CPPFLAGS = $(EXPLAIN_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_ngrams_CFLAGS = $(TEST_CFLAGS)
tests_test_ngrams_LDADD = $(EXPLAIN_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += tests/test_ngram_lift tests/test_ngram_memory
TESTS += tests/test_ngram_lift tests/test_ngram_memory
tests_test_ngram_memory_SOURCES = tests/test_ngram_memory.c tests/corpus_draft.h tests/corpus_files.h \
  tests/failing_memory.h
tests_test_ngram_memory_CPPFLAGS = $(EXPLAIN_CPPFLAGS) -I$(top_srcdir)/tests $(ZLIB_CFLAGS) \
  $(CMOCKA_CFLAGS)
tests_test_ngram_memory_CFLAGS = $(TEST_CFLAGS)
tests_test_ngram_memory_LDADD = $(EXPLAIN_LIBS) $(CMOCKA_LIBS) -lm
tests_test_ngram_lift_SOURCES = tests/test_ngram_lift.c tests/corpus_draft.h tests/corpus_files.h
tests_test_ngram_lift_CPPFLAGS = $(EXPLAIN_CPPFLAGS) -I$(top_srcdir)/tests/fixtures/ngrams \
  -I$(top_srcdir)/tests $(ZLIB_CFLAGS) $(CMOCKA_CFLAGS)
tests_test_ngram_lift_CFLAGS = $(TEST_CFLAGS)
tests_test_ngram_lift_LDADD = $(EXPLAIN_LIBS) $(CMOCKA_LIBS) -lm

check_PROGRAMS += tests/test_presence
TESTS += tests/test_presence
tests_test_presence_SOURCES = tests/test_presence.c
tests_test_presence_CPPFLAGS = $(EXPLAIN_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_presence_CFLAGS = $(TEST_CFLAGS)
tests_test_presence_LDADD = $(EXPLAIN_LIBS) $(CMOCKA_LIBS)
endif
