noinst_LIBRARIES += libcorpus.a
libcorpus_a_CPPFLAGS = $(CORPUS_CPPFLAGS) $(ZLIB_CFLAGS)
libcorpus_a_CFLAGS = $(CORE_CFLAGS)
libcorpus_a_SOURCES = \
  core/corpus/ahead.c core/corpus/ahead.h \
  core/corpus/assemble.c \
  core/corpus/bytes.c core/corpus/bytes.h \
  core/corpus/cache.c core/corpus/cache.h \
  core/corpus/columns.c core/corpus/columns.h \
  core/corpus/corpus.c core/corpus/corpus.h \
  core/corpus/corpus_load.c \
  core/corpus/corpus_pack.c core/corpus/corpus_pack.h \
  core/corpus/corpus_writer.c core/corpus/corpus_writer.h \
  core/corpus/csv_marks.c core/corpus/csv_marks.h \
  core/corpus/csv_rows.c core/corpus/csv_rows.h \
  core/corpus/csv_text.c core/corpus/csv_text.h \
  core/corpus/curve.c core/corpus/curve.h \
  core/corpus/events.c core/corpus/events.h \
  core/corpus/events_pack.c core/corpus/events_pack.h \
  core/corpus/feature_view.c core/corpus/feature_view.h \
  core/corpus/scaling.c core/corpus/scaling.h \
  core/corpus/files.c core/corpus/files.h \
  core/corpus/foreign.c core/corpus/foreign.h \
  core/corpus/generate.c core/corpus/generate.h \
  core/corpus/gzout.c core/corpus/gzout.h \
  core/corpus/ingest.c core/corpus/ingest.h \
  core/corpus/lanes.c core/corpus/lanes.h \
  core/corpus/listing.c core/corpus/listing.h \
  core/corpus/map_file.c core/corpus/map_file.h \
  core/corpus/metrics.c core/corpus/metrics.h \
  core/corpus/number.c core/corpus/number.h \
  core/corpus/order.c core/corpus/order.h \
  core/corpus/pack.c core/corpus/pack.h \
  core/corpus/pairs.c core/corpus/pairs.h \
  core/corpus/partial.c core/corpus/partial.h \
  core/corpus/problems.c core/corpus/problems.h \
  core/corpus/store.c core/corpus/store.h \
  core/corpus/store_pack.c core/corpus/store_pack.h \
  core/corpus/world.c core/corpus/world.h \
  core/corpus/corpus_private.h core/corpus/events_private.h

EXTRA_DIST += \
  tests/files/bad-checksum.csv.gz \
  tests/files/bad-corrupt.csv.gz \
  tests/files/bad-long-field.csv \
  tests/files/bad-no-column.csv \
  tests/files/bad-open-quote.csv \
  tests/files/bad-rows.csv \
  tests/files/bad-trailing.csv.gz \
  tests/files/bad-truncated.csv.gz \
  tests/files/good-crlf-bom.csv \
  tests/files/good-members.csv.gz \
  tests/files/good-quoted.csv

if HAVE_CMOCKA
check_PROGRAMS += tests/test_map_file tests/test_number tests/test_csv_rows tests/test_store tests/test_events \
  tests/test_corpus tests/test_lanes tests/test_cache tests/test_no_memory \
  tests/test_feature_view tests/test_scaling
TESTS += tests/test_map_file tests/test_number tests/test_csv_rows tests/test_store tests/test_events \
  tests/test_corpus tests/test_lanes tests/test_cache tests/test_no_memory \
  tests/test_feature_view tests/test_scaling

CORPUS_TEST_CPPFLAGS = $(CORPUS_CPPFLAGS) $(ZLIB_CFLAGS) $(CMOCKA_CFLAGS)
CORPUS_TEST_LIBS = $(CORPUS_LIBS) $(CMOCKA_LIBS)

tests_test_map_file_SOURCES = tests/test_map_file.c
tests_test_map_file_CPPFLAGS = $(CORPUS_TEST_CPPFLAGS)
tests_test_map_file_CFLAGS = $(TEST_CFLAGS)
tests_test_map_file_LDADD = $(CORPUS_TEST_LIBS)

tests_test_number_SOURCES = tests/test_number.c
tests_test_number_CPPFLAGS = $(CORPUS_TEST_CPPFLAGS)
tests_test_number_CFLAGS = $(TEST_CFLAGS)
tests_test_number_LDADD = $(CORPUS_TEST_LIBS)

tests_test_csv_rows_SOURCES = tests/test_csv_rows.c tests/corpus_files.h
tests_test_csv_rows_CPPFLAGS = $(CORPUS_TEST_CPPFLAGS)
tests_test_csv_rows_CFLAGS = $(TEST_CFLAGS)
tests_test_csv_rows_LDADD = $(CORPUS_TEST_LIBS)

tests_test_store_SOURCES = tests/test_store.c
tests_test_store_CPPFLAGS = $(CORPUS_TEST_CPPFLAGS)
tests_test_store_CFLAGS = $(TEST_CFLAGS)
tests_test_store_LDADD = $(CORPUS_TEST_LIBS)

tests_test_events_SOURCES = tests/test_events.c tests/corpus_files.h
tests_test_events_CPPFLAGS = $(CORPUS_TEST_CPPFLAGS)
tests_test_events_CFLAGS = $(TEST_CFLAGS)
tests_test_events_LDADD = $(CORPUS_TEST_LIBS)

tests_test_corpus_SOURCES = tests/test_corpus.c tests/corpus_files.h tests/corpus_text.h
tests_test_corpus_CPPFLAGS = $(CORPUS_TEST_CPPFLAGS)
tests_test_corpus_CFLAGS = $(TEST_CFLAGS)
tests_test_corpus_LDADD = $(CORPUS_TEST_LIBS)

tests_test_cache_SOURCES = tests/test_cache.c tests/corpus_files.h tests/corpus_text.h
tests_test_cache_CPPFLAGS = $(CORPUS_TEST_CPPFLAGS)
tests_test_cache_CFLAGS = $(TEST_CFLAGS)
tests_test_cache_LDADD = $(CORPUS_TEST_LIBS)

tests_test_no_memory_SOURCES = tests/test_no_memory.c tests/corpus_files.h \
  tests/failing_memory.h
tests_test_no_memory_CPPFLAGS = $(CORPUS_TEST_CPPFLAGS)
tests_test_no_memory_CFLAGS = $(TEST_CFLAGS)
tests_test_no_memory_LDADD = $(CORPUS_TEST_LIBS)

tests_test_lanes_SOURCES = tests/test_lanes.c tests/corpus_files.h tests/corpus_text.h
tests_test_lanes_CPPFLAGS = $(CORPUS_TEST_CPPFLAGS)
tests_test_lanes_CFLAGS = $(TEST_CFLAGS)
tests_test_lanes_LDADD = $(CORPUS_TEST_LIBS)

tests_test_feature_view_SOURCES = tests/test_feature_view.c tests/corpus_files.h
tests_test_feature_view_CPPFLAGS = $(CORPUS_TEST_CPPFLAGS)
tests_test_feature_view_CFLAGS = $(TEST_CFLAGS)
tests_test_feature_view_LDADD = $(CORPUS_TEST_LIBS)
tests_test_scaling_SOURCES = tests/test_scaling.c
tests_test_scaling_CPPFLAGS = $(CORPUS_TEST_CPPFLAGS)
tests_test_scaling_CFLAGS = $(TEST_CFLAGS)
tests_test_scaling_LDADD = $(CORPUS_TEST_LIBS)
endif

if HAVE_CMOCKA
check_PROGRAMS += tests/test_generate
TESTS += tests/test_generate
tests_test_generate_SOURCES = tests/test_generate.c
tests_test_generate_CPPFLAGS = $(CORPUS_TEST_CPPFLAGS)
tests_test_generate_CFLAGS = $(TEST_CFLAGS)
tests_test_generate_LDADD = $(CORPUS_TEST_LIBS)
endif

if HAVE_CMOCKA
check_PROGRAMS += tests/test_corpus_writer
TESTS += tests/test_corpus_writer
tests_test_corpus_writer_SOURCES = tests/test_corpus_writer.c tests/corpus_files.h
tests_test_corpus_writer_CPPFLAGS = $(CORPUS_TEST_CPPFLAGS)
tests_test_corpus_writer_CFLAGS = $(TEST_CFLAGS)
tests_test_corpus_writer_LDADD = $(CORPUS_TEST_LIBS)
endif
