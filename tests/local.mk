# what tests is made of, beyond those that stand in the local.mk of what they test

# The explorer, and tables, on a terminal of their own.
if HAVE_CMOCKA
if HAVE_VTERM
check_PROGRAMS += tests/test_pty tests/test_explorer tests/test_tables
TESTS += tests/test_pty tests/test_explorer tests/test_tables
tests_test_pty_SOURCES = tests/test_pty.c tests/pty.c tests/pty.h
tests_test_pty_CPPFLAGS = $(BASE_CPPFLAGS) $(VTERM_CFLAGS) $(CMOCKA_CFLAGS)
tests_test_pty_CFLAGS = $(TEST_CFLAGS)
tests_test_pty_LDADD = $(VTERM_LIBS) $(CMOCKA_LIBS)
tests_test_explorer_SOURCES = tests/test_explorer.c tests/pty.c tests/pty.h tests/program_world.c tests/program_world.h
tests_test_explorer_CPPFLAGS = $(BASE_CPPFLAGS) $(VTERM_CFLAGS) $(CMOCKA_CFLAGS)
tests_test_explorer_CFLAGS = $(TEST_CFLAGS)
tests_test_explorer_LDADD = $(VTERM_LIBS) $(CMOCKA_LIBS)
EXTRA_tests_test_explorer_DEPENDENCIES = kaboom
tests_test_tables_SOURCES = tests/test_tables.c tests/pty.c tests/pty.h tests/program_world.c tests/program_world.h
tests_test_tables_CPPFLAGS = $(BASE_CPPFLAGS) $(VTERM_CFLAGS) $(CMOCKA_CFLAGS)
tests_test_tables_CFLAGS = $(TEST_CFLAGS)
tests_test_tables_LDADD = $(VTERM_LIBS) $(CMOCKA_LIBS)
EXTRA_tests_test_tables_DEPENDENCIES = kaboom
endif
endif
