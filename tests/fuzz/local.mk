# Fuzz targets: for libFuzzer where configured with --enable-fuzzing, otherwise as tests that run the
# seeds, whatever fuzzing has found, and all fixtures (replay.c).
FUZZERS = csv gzip corpus events ngrams columns map jmap prometheus jsonl cache \
  model use stream ledger state selection
FUZZ_TESTS = tests/fuzz/fuzz_csv tests/fuzz/fuzz_gzip tests/fuzz/fuzz_corpus \
  tests/fuzz/fuzz_events tests/fuzz/fuzz_ngrams tests/fuzz/fuzz_columns \
  tests/fuzz/fuzz_map tests/fuzz/fuzz_jmap \
  tests/fuzz/fuzz_prometheus \
  tests/fuzz/fuzz_jsonl tests/fuzz/fuzz_cache tests/fuzz/fuzz_model \
  tests/fuzz/fuzz_use tests/fuzz/fuzz_stream tests/fuzz/fuzz_ledger \
  tests/fuzz/fuzz_state tests/fuzz/fuzz_selection
check_PROGRAMS += $(FUZZ_TESTS)

if FUZZING
FUZZ_FLAGS_LINK = $(AM_LDFLAGS) -fsanitize=fuzzer
FUZZ_SUPPORT = tests/fuzz/support.c tests/fuzz/support.h
else
FUZZ_FLAGS_LINK = $(AM_LDFLAGS)
FUZZ_SUPPORT = tests/fuzz/support.c tests/fuzz/support.h tests/fuzz/replay.c
TESTS += $(FUZZ_TESTS)
endif

# They see all that is below the interface, and what tests of a corpus share.
FUZZ_CPPFLAGS = $(MODEL_CPPFLAGS) -I$(top_srcdir)/core/import -I$(top_srcdir)/core/stream \
  -I$(top_srcdir)/tests $(ZLIB_CFLAGS)
FUZZ_IMPORT_SUPPORT = $(FUZZ_SUPPORT) tests/fuzz/importing.c tests/fuzz/importing.h
FUZZ_SECTIONS_SUPPORT = $(FUZZ_SUPPORT) tests/fuzz/sections.c tests/fuzz/sections.h

tests_fuzz_fuzz_csv_SOURCES = tests/fuzz/fuzz_csv.c $(FUZZ_SUPPORT)
tests_fuzz_fuzz_csv_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_csv_CFLAGS = $(CORE_CFLAGS)
tests_fuzz_fuzz_csv_LDFLAGS = $(FUZZ_FLAGS_LINK)
tests_fuzz_fuzz_csv_LDADD = $(CORPUS_LIBS)

tests_fuzz_fuzz_gzip_SOURCES = tests/fuzz/fuzz_gzip.c $(FUZZ_SUPPORT)
tests_fuzz_fuzz_gzip_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_gzip_CFLAGS = $(CORE_CFLAGS)
tests_fuzz_fuzz_gzip_LDFLAGS = $(FUZZ_FLAGS_LINK)
tests_fuzz_fuzz_gzip_LDADD = $(CORPUS_LIBS)

tests_fuzz_fuzz_corpus_SOURCES = tests/fuzz/fuzz_corpus.c $(FUZZ_SUPPORT)
tests_fuzz_fuzz_corpus_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_corpus_CFLAGS = $(CORE_CFLAGS)
tests_fuzz_fuzz_corpus_LDFLAGS = $(FUZZ_FLAGS_LINK)
tests_fuzz_fuzz_corpus_LDADD = $(CORPUS_LIBS)

tests_fuzz_fuzz_map_SOURCES = tests/fuzz/fuzz_map.c $(FUZZ_SUPPORT)
tests_fuzz_fuzz_map_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_map_CFLAGS = $(CORE_CFLAGS)
tests_fuzz_fuzz_map_LDFLAGS = $(FUZZ_FLAGS_LINK)
tests_fuzz_fuzz_map_LDADD = $(CORPUS_LIBS)

tests_fuzz_fuzz_events_SOURCES = tests/fuzz/fuzz_events.c $(FUZZ_SUPPORT)
tests_fuzz_fuzz_events_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_events_CFLAGS = $(CORE_CFLAGS)
tests_fuzz_fuzz_events_LDFLAGS = $(FUZZ_FLAGS_LINK)
tests_fuzz_fuzz_events_LDADD = $(CORPUS_LIBS)

tests_fuzz_fuzz_ngrams_SOURCES = tests/fuzz/fuzz_ngrams.c $(FUZZ_SUPPORT)
tests_fuzz_fuzz_ngrams_CPPFLAGS = $(FUZZ_CPPFLAGS) -I$(top_srcdir)/core/explain
tests_fuzz_fuzz_ngrams_CFLAGS = $(CORE_CFLAGS)
tests_fuzz_fuzz_ngrams_LDFLAGS = $(FUZZ_FLAGS_LINK)
tests_fuzz_fuzz_ngrams_LDADD = $(EXPLAIN_LIBS) -lm

tests_fuzz_fuzz_columns_SOURCES = tests/fuzz/fuzz_columns.c $(FUZZ_SUPPORT)
tests_fuzz_fuzz_columns_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_columns_CFLAGS = $(CORE_CFLAGS)
tests_fuzz_fuzz_columns_LDFLAGS = $(FUZZ_FLAGS_LINK)
tests_fuzz_fuzz_columns_LDADD = $(IMPORT_LIBS)

tests_fuzz_fuzz_jmap_SOURCES = tests/fuzz/fuzz_jmap.c $(FUZZ_IMPORT_SUPPORT)
tests_fuzz_fuzz_jmap_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_jmap_CFLAGS = $(CORE_CFLAGS)
tests_fuzz_fuzz_jmap_LDFLAGS = $(FUZZ_FLAGS_LINK)
tests_fuzz_fuzz_jmap_LDADD = $(IMPORT_LIBS)

tests_fuzz_fuzz_prometheus_SOURCES = tests/fuzz/fuzz_prometheus.c $(FUZZ_IMPORT_SUPPORT)
tests_fuzz_fuzz_prometheus_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_prometheus_CFLAGS = $(CORE_CFLAGS)
tests_fuzz_fuzz_prometheus_LDFLAGS = $(FUZZ_FLAGS_LINK)
tests_fuzz_fuzz_prometheus_LDADD = $(IMPORT_LIBS)

tests_fuzz_fuzz_jsonl_SOURCES = tests/fuzz/fuzz_jsonl.c $(FUZZ_IMPORT_SUPPORT)
tests_fuzz_fuzz_jsonl_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_jsonl_CFLAGS = $(CORE_CFLAGS)
tests_fuzz_fuzz_jsonl_LDFLAGS = $(FUZZ_FLAGS_LINK)
tests_fuzz_fuzz_jsonl_LDADD = $(IMPORT_LIBS)

tests_fuzz_fuzz_cache_SOURCES = tests/fuzz/fuzz_cache.c $(FUZZ_SECTIONS_SUPPORT)
tests_fuzz_fuzz_cache_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_cache_CFLAGS = $(CORE_CFLAGS)
tests_fuzz_fuzz_cache_LDFLAGS = $(FUZZ_FLAGS_LINK)
tests_fuzz_fuzz_cache_LDADD = $(CORPUS_LIBS)

tests_fuzz_fuzz_model_SOURCES = tests/fuzz/fuzz_model.c $(FUZZ_SECTIONS_SUPPORT)
tests_fuzz_fuzz_model_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_model_CFLAGS = $(CORE_CFLAGS)
tests_fuzz_fuzz_model_LDFLAGS = $(FUZZ_FLAGS_LINK)
tests_fuzz_fuzz_model_LDADD = $(MODEL_LIBS)

tests_fuzz_fuzz_stream_SOURCES = tests/fuzz/fuzz_stream.c $(FUZZ_SUPPORT)
tests_fuzz_fuzz_stream_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_stream_CFLAGS = $(CORE_CFLAGS)
tests_fuzz_fuzz_stream_LDFLAGS = $(FUZZ_FLAGS_LINK)
tests_fuzz_fuzz_stream_LDADD = $(STREAM_LIBS)

tests_fuzz_fuzz_ledger_SOURCES = tests/fuzz/fuzz_ledger.c $(FUZZ_SUPPORT)
tests_fuzz_fuzz_ledger_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_ledger_CFLAGS = $(CORE_CFLAGS)
tests_fuzz_fuzz_ledger_LDFLAGS = $(FUZZ_FLAGS_LINK)
tests_fuzz_fuzz_ledger_LDADD = $(STREAM_LIBS)

tests_fuzz_fuzz_use_SOURCES = tests/fuzz/fuzz_use.c $(FUZZ_SECTIONS_SUPPORT)
tests_fuzz_fuzz_use_CPPFLAGS = $(FUZZ_CPPFLAGS) $(CORE_CPPFLAGS)
tests_fuzz_fuzz_use_CFLAGS = $(CORE_CFLAGS)
tests_fuzz_fuzz_use_LDFLAGS = $(FUZZ_FLAGS_LINK)
tests_fuzz_fuzz_use_LDADD = $(CORE_LIBS)

tests_fuzz_fuzz_state_SOURCES = tests/fuzz/fuzz_state.c $(FUZZ_SECTIONS_SUPPORT)
tests_fuzz_fuzz_state_CPPFLAGS = $(FUZZ_CPPFLAGS) $(CORE_CPPFLAGS)
tests_fuzz_fuzz_state_CFLAGS = $(CORE_CFLAGS)
tests_fuzz_fuzz_state_LDFLAGS = $(FUZZ_FLAGS_LINK)
tests_fuzz_fuzz_state_LDADD = $(CORE_LIBS)

tests_fuzz_fuzz_selection_SOURCES = tests/fuzz/fuzz_selection.c $(FUZZ_SUPPORT)
tests_fuzz_fuzz_selection_CPPFLAGS = $(FUZZ_CPPFLAGS) -I$(top_srcdir)/core/explain
tests_fuzz_fuzz_selection_CFLAGS = $(CORE_CFLAGS)
tests_fuzz_fuzz_selection_LDFLAGS = $(FUZZ_FLAGS_LINK)
tests_fuzz_fuzz_selection_LDADD = $(EXPLAIN_LIBS) -lm

# Seeds that are better made than kept.
EXTRA_PROGRAMS += tests/fuzz/make_seeds
CLEANFILES += tests/fuzz/make_seeds tests/fuzz/made.stamp
tests_fuzz_make_seeds_SOURCES = tests/fuzz/make_seeds.c tests/fuzz/support.c tests/fuzz/support.h
tests_fuzz_make_seeds_CPPFLAGS = $(FUZZ_CPPFLAGS) $(CORE_CPPFLAGS)
tests_fuzz_make_seeds_CFLAGS = $(CORE_CFLAGS)
tests_fuzz_make_seeds_LDADD = $(CORE_LIBS)

check_DATA = tests/fuzz/made.stamp
tests/fuzz/made.stamp: tests/fuzz/make_seeds$(EXEEXT)
	$(AM_V_GEN)rm -rf tests/fuzz/made && tests/fuzz/make_seeds$(EXEEXT) tests/fuzz/made && : >$@

clean-local:
	rm -rf tests/fuzz/made

EXTRA_DIST += tests/fuzz/csv.dict tests/fuzz/jmap.dict tests/fuzz/json.dict tests/fuzz/seeds
