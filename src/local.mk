# what src is made of: the program, and what is tested through it
bin_PROGRAMS += kaboom
kaboom_CPPFLAGS = $(SRC_CPPFLAGS)
kaboom_CFLAGS = $(CORE_CFLAGS)
kaboom_LDADD = $(SRC_LIBS)
kaboom_SOURCES = \
  src/cell_text.c src/cell_text.h \
  src/cluster_ngrams.c \
  src/describe.c src/describe.h \
  src/explain_columns.c \
  src/explain_groups.c src/explain_groups.h \
  src/label_file.c src/label_file.h \
  src/label_rows.c src/label_rows.h \
  src/main.c \
  src/judgement.c src/judgement.h \
  src/ngram_columns.c src/ngram_columns.h \
  src/options.c src/options.h \
  src/option_table.c src/option_table.h \
  src/output.c src/output.h \
  src/peak_memory.c src/peak_memory.h \
  src/run.c src/run.h \
  src/table_layout.c src/table_layout.h \
  src/terminal_width.c src/terminal_width.h \
  src/verb_assign.c \
  src/verb_cache.c \
  src/verb_calibrate.c \
  src/verb_check.c \
  src/verb_clusters.c \
  src/verb_compare.c \
  src/verb_drift.c \
  src/verb_elbow.c \
  src/verb_embed.c \
  src/verb_emerging.c \
  src/verb_explain.c \
  src/verb_explore.c \
  src/verb_generate.c \
  src/verb_import.c \
  src/verb_info.c \
  src/verb_name.c \
  src/verb_ngrams.c \
  src/verb_project.c \
  src/verb_score.c \
  src/verb_train.c \
  src/verb_variants.c \
  src/verb_watch.c \
  src/verbs.h \
  src/work.c src/work.h

if HAVE_CMOCKA
check_PROGRAMS += tests/test_cell_text tests/test_output tests/test_table_layout
TESTS += tests/test_cell_text tests/test_output tests/test_table_layout
tests_test_cell_text_SOURCES = tests/test_cell_text.c src/cell_text.c
tests_test_cell_text_CPPFLAGS = $(SRC_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_cell_text_CFLAGS = $(TEST_CFLAGS)
tests_test_cell_text_LDADD = $(CMOCKA_LIBS)
tests_test_table_layout_SOURCES = tests/test_table_layout.c src/table_layout.c
tests_test_table_layout_CPPFLAGS = $(SRC_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_table_layout_CFLAGS = $(TEST_CFLAGS)
tests_test_table_layout_LDADD = $(CMOCKA_LIBS)
tests_test_output_SOURCES = tests/test_output.c src/cell_text.c src/output.c src/table_layout.c \
  src/terminal_width.c
tests_test_output_CPPFLAGS = $(SRC_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_output_CFLAGS = $(TEST_CFLAGS)
tests_test_output_LDADD = $(CORPUS_LIBS) $(CMOCKA_LIBS)
endif

# Shell tests run what the build made; they find it and the sources by these.
AM_TESTS_ENVIRONMENT = top_srcdir='$(top_srcdir)'; top_builddir='$(top_builddir)'; \
  export top_srcdir top_builddir;
SHELL_TESTS = tests/test_verbs.sh tests/test_ngrams_verb.sh tests/test_project_verb.sh \
  tests/test_explain.sh tests/test_emerging.sh tests/test_versions.sh tests/test_drift.sh \
  tests/test_watch.sh tests/test_layers.sh
TESTS += $(SHELL_TESTS)
EXTRA_DIST += $(SHELL_TESTS) tests/shell_support.sh

# Kills a watch again and again: for tests/test_watch.sh.
check_PROGRAMS += tests/watch_killer
tests_watch_killer_SOURCES = tests/watch_killer.c
tests_watch_killer_CPPFLAGS = $(BASE_CPPFLAGS) $(ZLIB_CFLAGS)
tests_watch_killer_CFLAGS = $(TEST_CFLAGS)
tests_watch_killer_LDADD = $(ZLIB_LIBS)
