noinst_LIBRARIES += libcore.a
libcore_a_CPPFLAGS = $(CORE_CPPFLAGS)
libcore_a_CFLAGS = $(CORE_CFLAGS)
libcore_a_SOURCES = \
  core/appraisal.c core/appraisal.h \
  core/assign.c \
  core/baselines.c core/baselines.h \
  core/calibrate.c \
  core/comparison.c core/comparison.h \
  core/drift.c core/drift.h core/drift_objects.c core/drift_private.h \
  core/emerging.c core/emerging.h \
  core/emerging_objects.c core/emerging_objects.h \
  core/emerging_spread.c core/emerging_spread.h \
  core/emerging_view.c core/emerging_view.h \
  core/filter.c core/filter.h \
  core/job.c core/job.h \
  core/job_text.c core/job_text.h \
  core/novelty.c core/novelty.h \
  core/pipeline.h \
  core/profile.c core/profile.h \
  core/runs.c core/runs.h \
  core/score.c \
  core/sweep.c core/sweep.h \
  core/tally.c core/tally.h \
  core/watch.c core/watch.h \
  core/watch_state.c core/watch_state.h \
  core/workbench.c core/workbench.h

if HAVE_CMOCKA
CORE_TESTS = tests/test_appraisal tests/test_comparison tests/test_drift tests/test_emerging tests/test_job \
  tests/test_no_memory_core tests/test_novelty tests/test_runs tests/test_small \
  tests/test_tally tests/test_train tests/test_workbench
check_PROGRAMS += $(CORE_TESTS)
TESTS += $(CORE_TESTS)
tests_test_appraisal_SOURCES = tests/test_appraisal.c tests/model_support.c tests/model_support.h
tests_test_appraisal_CPPFLAGS = $(CORE_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_appraisal_CFLAGS = $(TEST_CFLAGS)
tests_test_appraisal_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_test_comparison_SOURCES = tests/test_comparison.c
tests_test_comparison_CPPFLAGS = $(CORE_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_comparison_CFLAGS = $(TEST_CFLAGS)
tests_test_comparison_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_test_drift_SOURCES = tests/test_drift.c tests/corpus_files.h
tests_test_drift_CPPFLAGS = $(CORE_CPPFLAGS) $(ZLIB_CFLAGS) $(CMOCKA_CFLAGS)
tests_test_drift_CFLAGS = $(TEST_CFLAGS)
tests_test_drift_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_test_emerging_SOURCES = tests/test_emerging.c tests/corpus_files.h
tests_test_emerging_CPPFLAGS = $(CORE_CPPFLAGS) $(ZLIB_CFLAGS) $(CMOCKA_CFLAGS)
tests_test_emerging_CFLAGS = $(TEST_CFLAGS)
tests_test_emerging_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_test_tally_SOURCES = tests/test_tally.c tests/corpus_files.h
tests_test_tally_CPPFLAGS = $(CORE_CPPFLAGS) $(ZLIB_CFLAGS) $(CMOCKA_CFLAGS)
tests_test_tally_CFLAGS = $(TEST_CFLAGS)
tests_test_tally_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_test_job_SOURCES = tests/test_job.c
tests_test_job_CPPFLAGS = $(CORE_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_job_CFLAGS = $(TEST_CFLAGS)
tests_test_job_LDADD = libcore.a $(BASE_LIBS) $(CMOCKA_LIBS)
tests_test_no_memory_core_SOURCES = tests/test_no_memory_core.c tests/corpus_files.h tests/failing_memory.h
tests_test_no_memory_core_CPPFLAGS = $(CORE_CPPFLAGS) $(ZLIB_CFLAGS) $(CMOCKA_CFLAGS)
tests_test_no_memory_core_CFLAGS = $(TEST_CFLAGS)
tests_test_no_memory_core_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_test_novelty_SOURCES = tests/test_novelty.c tests/model_support.c tests/model_support.h
tests_test_novelty_CPPFLAGS = $(CORE_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_novelty_CFLAGS = $(TEST_CFLAGS)
tests_test_novelty_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/test_mutation
TESTS += tests/test_mutation
tests_test_mutation_SOURCES = tests/test_mutation.c tests/model_support.c tests/model_support.h
tests_test_mutation_CPPFLAGS = $(CORE_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_mutation_CFLAGS = $(TEST_CFLAGS)
tests_test_mutation_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_test_runs_SOURCES = tests/test_runs.c tests/model_support.c tests/model_support.h
tests_test_runs_CPPFLAGS = $(CORE_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_runs_CFLAGS = $(TEST_CFLAGS)
tests_test_runs_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_test_small_SOURCES = tests/test_small.c tests/model_support.c tests/model_support.h
tests_test_small_CPPFLAGS = $(CORE_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_small_CFLAGS = $(TEST_CFLAGS)
tests_test_small_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_test_train_SOURCES = tests/test_train.c tests/model_support.c tests/model_support.h
tests_test_train_CPPFLAGS = $(CORE_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_train_CFLAGS = $(TEST_CFLAGS)
tests_test_train_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
tests_test_workbench_SOURCES = tests/test_workbench.c tests/model_support.c tests/model_support.h
tests_test_workbench_CPPFLAGS = $(CORE_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_workbench_CFLAGS = $(TEST_CFLAGS)
tests_test_workbench_LDADD = $(CORE_LIBS) $(CMOCKA_LIBS)
endif
