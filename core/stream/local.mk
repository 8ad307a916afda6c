# what core/stream is made of
noinst_LIBRARIES += libstream.a
libstream_a_CPPFLAGS = $(STREAM_CPPFLAGS)
libstream_a_CFLAGS = $(CORE_CFLAGS)
libstream_a_SOURCES = \
  core/stream/follow.c core/stream/follow.h \
  core/stream/ledger.c core/stream/ledger.h \
  core/stream/rates.c core/stream/rates.h \
  core/stream/recent.c core/stream/recent.h \
  core/stream/record.c core/stream/record.h \
  core/stream/stream.c core/stream/stream.h \
  core/stream/trace.c core/stream/trace.h

EXTRA_DIST += tests/fixtures/stream/make.py tests/fixtures/stream/rates.inc

if HAVE_CMOCKA
STREAM_TESTS = tests/test_follow tests/test_ledger tests/test_rates tests/test_stream
check_PROGRAMS += $(STREAM_TESTS)
TESTS += $(STREAM_TESTS)
STREAM_TEST_CPPFLAGS = $(STREAM_CPPFLAGS) -I$(top_srcdir)/tests/fixtures/stream $(ZLIB_CFLAGS) \
  $(CMOCKA_CFLAGS)
STREAM_TEST_LIBS = $(STREAM_LIBS) $(CMOCKA_LIBS)
tests_test_follow_SOURCES = tests/test_follow.c tests/corpus_files.h
tests_test_follow_CPPFLAGS = $(STREAM_TEST_CPPFLAGS)
tests_test_follow_CFLAGS = $(TEST_CFLAGS)
tests_test_follow_LDADD = $(STREAM_TEST_LIBS)
tests_test_ledger_SOURCES = tests/test_ledger.c tests/corpus_files.h
tests_test_ledger_CPPFLAGS = $(STREAM_TEST_CPPFLAGS)
tests_test_ledger_CFLAGS = $(TEST_CFLAGS)
tests_test_ledger_LDADD = $(STREAM_TEST_LIBS)
tests_test_rates_SOURCES = tests/test_rates.c
tests_test_rates_CPPFLAGS = $(STREAM_TEST_CPPFLAGS)
tests_test_rates_CFLAGS = $(TEST_CFLAGS)
tests_test_rates_LDADD = $(STREAM_TEST_LIBS)
tests_test_stream_SOURCES = tests/test_stream.c
tests_test_stream_CPPFLAGS = $(STREAM_TEST_CPPFLAGS)
tests_test_stream_CFLAGS = $(TEST_CFLAGS)
tests_test_stream_LDADD = $(STREAM_TEST_LIBS)
endif
