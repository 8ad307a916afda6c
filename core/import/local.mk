# what core/import is made of
noinst_LIBRARIES += libimport.a
libimport_a_CPPFLAGS = $(IMPORT_CPPFLAGS)
libimport_a_CFLAGS = $(CORE_CFLAGS)
libimport_a_SOURCES = \
  core/import/field_map.c core/import/field_map.h \
  core/import/folder.c core/import/folder.h \
  core/import/histogram.c core/import/histogram.h \
  core/import/import.c core/import/import.h \
  core/import/importer.h \
  core/import/intake.c core/import/intake.h \
  core/import/jmap.c \
  core/import/jmap_file.c core/import/jmap_file.h \
  core/import/json_reader.c core/import/json_reader.h \
  core/import/json_text.c core/import/json_text.h \
  core/import/jsonl.c \
  core/import/label_list.c core/import/label_list.h \
  core/import/labels.c core/import/labels.h \
  core/import/lines.c core/import/lines.h \
  core/import/prometheus.c \
  core/import/sample_time.c core/import/sample_time.h \
  core/import/telltale.c core/import/telltale.h \
  core/import/twins.c core/import/twins.h \
  core/import/values.c core/import/values.h

EXTRA_DIST += \
  tests/files/import/README \
  tests/files/import/jcmd/histo-0030.txt \
  tests/files/import/jmap/leak/histo-0010.txt \
  tests/files/import/jmap/leak/histo-0020.txt \
  tests/files/import/jmap/leak/histo-0030.txt \
  tests/files/import/jmap/steady/histo-0010.txt \
  tests/files/import/jmap/steady/histo-0020.txt \
  tests/files/import/jmap/steady/histo-0030.txt \
  tests/files/import/jsonl/amplitude.jsonl \
  tests/files/import/jsonl/firebase.json \
  tests/files/import/jsonl/firebase.jsonl \
  tests/files/import/jsonl/mixpanel.jsonl \
  tests/files/import/jsonl/sentry.jsonl \
  tests/files/import/jsonl/telemetry.jsonl \
  tests/files/import/prometheus/empty.json \
  tests/files/import/prometheus/error.json \
  tests/files/import/prometheus/good/gc.json \
  tests/files/import/prometheus/good/memstats.json \
  tests/files/import/prometheus/good/process.json \
  tests/files/import/prometheus/not-counts.json \
  tests/files/import/prometheus/pods.json \
  tests/files/import/prometheus/rate.json \
  tests/files/import/prometheus/scalar.json \
  tests/files/import/prometheus/string.json \
  tests/files/import/prometheus/sum.json \
  tests/files/import/prometheus/vector.json

if HAVE_CMOCKA
check_PROGRAMS += tests/test_import_jmap tests/test_import_prometheus \
  tests/test_import_jsonl tests/test_import_shapes tests/test_import
TESTS += tests/test_import_jmap tests/test_import_prometheus \
  tests/test_import_jsonl tests/test_import_shapes tests/test_import

IMPORT_TEST_CPPFLAGS = $(IMPORT_CPPFLAGS) $(ZLIB_CFLAGS) $(CMOCKA_CFLAGS)
IMPORT_TEST_LIBS = $(IMPORT_LIBS) $(CMOCKA_LIBS)
IMPORT_TEST_SUPPORT = tests/import_support.c tests/import_support.h

tests_test_import_jmap_SOURCES = tests/test_import_jmap.c $(IMPORT_TEST_SUPPORT)
tests_test_import_jmap_CPPFLAGS = $(IMPORT_TEST_CPPFLAGS)
tests_test_import_jmap_CFLAGS = $(TEST_CFLAGS)
tests_test_import_jmap_LDADD = $(IMPORT_TEST_LIBS)

tests_test_import_prometheus_SOURCES = tests/test_import_prometheus.c $(IMPORT_TEST_SUPPORT)
tests_test_import_prometheus_CPPFLAGS = $(IMPORT_TEST_CPPFLAGS)
tests_test_import_prometheus_CFLAGS = $(TEST_CFLAGS)
tests_test_import_prometheus_LDADD = $(IMPORT_TEST_LIBS)

tests_test_import_jsonl_SOURCES = tests/test_import_jsonl.c $(IMPORT_TEST_SUPPORT)
tests_test_import_jsonl_CPPFLAGS = $(IMPORT_TEST_CPPFLAGS)
tests_test_import_jsonl_CFLAGS = $(TEST_CFLAGS)
tests_test_import_jsonl_LDADD = $(IMPORT_TEST_LIBS)

tests_test_import_shapes_SOURCES = tests/test_import_shapes.c $(IMPORT_TEST_SUPPORT)
tests_test_import_shapes_CPPFLAGS = $(IMPORT_TEST_CPPFLAGS)
tests_test_import_shapes_CFLAGS = $(TEST_CFLAGS)
tests_test_import_shapes_LDADD = $(IMPORT_TEST_LIBS)

tests_test_import_SOURCES = tests/test_import.c $(IMPORT_TEST_SUPPORT)
tests_test_import_CPPFLAGS = $(IMPORT_TEST_CPPFLAGS)
tests_test_import_CFLAGS = $(TEST_CFLAGS)
tests_test_import_LDADD = $(IMPORT_TEST_LIBS)
endif
