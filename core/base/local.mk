noinst_LIBRARIES += libbase.a
libbase_a_CPPFLAGS = $(BASE_CPPFLAGS) $(ZLIB_CFLAGS)
libbase_a_CFLAGS = $(CORE_CFLAGS)
libbase_a_SOURCES = \
  core/base/container.c core/base/container.h \
  core/base/matrix.h \
  core/base/median.c core/base/median.h \
  core/base/memory.c core/base/memory.h \
  core/base/names.c core/base/names.h \
  core/base/outfile.c core/base/outfile.h \
  core/base/pool.c core/base/pool.h \
  core/base/progress.h \
  core/base/rng.c core/base/rng.h \
  core/base/secret.c core/base/secret.h \
  core/base/simd.h \
  core/base/sizes.h \
  core/base/sorting.c core/base/sorting.h \
  core/base/status.c core/base/status.h \
  core/base/thread.c core/base/thread.h

if HAVE_CMOCKA
check_PROGRAMS += tests/test_base
TESTS += tests/test_base
tests_test_base_SOURCES = tests/test_base.c
tests_test_base_CPPFLAGS = $(BASE_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_base_CFLAGS = $(TEST_CFLAGS)
tests_test_base_LDADD = $(BASE_LIBS) $(CMOCKA_LIBS)
endif
