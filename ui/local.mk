# what ui is made of: pure parts (canvas to sheet), what the views look at (data), the views, and the terminal (screen, explorer)
noinst_LIBRARIES += libui.a
libui_a_CPPFLAGS = $(UI_CPPFLAGS) $(NCURSES_CFLAGS)
libui_a_CFLAGS = $(AM_CFLAGS)
libui_a_SOURCES = \
  ui/braille.c ui/braille.h \
  ui/canvas.c ui/canvas.h \
  ui/chart.c ui/chart.h \
  ui/data.c ui/data.h \
  ui/explorer.c ui/explorer.h \
  ui/export.c ui/export.h \
  ui/keys.c ui/keys.h \
  ui/list.c ui/list.h \
  ui/prompt.c ui/prompt.h \
  ui/screen.c ui/screen.h \
  ui/sheet.c ui/sheet.h \
  ui/shell.c ui/shell.h \
  ui/theme.c ui/theme.h \
  ui/view.c ui/view.h \
  ui/views/cluster.c \
  ui/views/clusters.c \
  ui/views/elbow.c \
  ui/views/map.c \
  ui/views/ngrams.c \
  ui/views/object.c \
  ui/views/objects.c \
  ui/views/overview.c \
  ui/views/parts.c ui/views/parts.h \
  ui/views/problems.c \
  ui/views/series.c \
  ui/views/session.c \
  ui/views/sessions.c

if HAVE_CMOCKA
ui_tests = tests/test_braille tests/test_canvas tests/test_keys tests/test_list \
  tests/test_shell
check_PROGRAMS += $(ui_tests)
TESTS += $(ui_tests)
UI_TEST_LIBS = libui.a $(BASE_LIBS) $(CMOCKA_LIBS)
tests_test_braille_SOURCES = tests/test_braille.c
tests_test_braille_CPPFLAGS = $(UI_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_braille_CFLAGS = $(TEST_CFLAGS)
tests_test_braille_LDADD = $(UI_TEST_LIBS)
tests_test_canvas_SOURCES = tests/test_canvas.c
tests_test_canvas_CPPFLAGS = $(UI_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_canvas_CFLAGS = $(TEST_CFLAGS)
tests_test_canvas_LDADD = $(UI_TEST_LIBS)
tests_test_keys_SOURCES = tests/test_keys.c
tests_test_keys_CPPFLAGS = $(UI_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_keys_CFLAGS = $(TEST_CFLAGS)
tests_test_keys_LDADD = $(UI_TEST_LIBS)
tests_test_list_SOURCES = tests/test_list.c
tests_test_list_CPPFLAGS = $(UI_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_list_CFLAGS = $(TEST_CFLAGS)
tests_test_list_LDADD = $(UI_TEST_LIBS)
# brings a workbench of its own, so libcore stays away
tests_test_shell_SOURCES = tests/test_shell.c
tests_test_shell_CPPFLAGS = $(UI_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_shell_CFLAGS = $(TEST_CFLAGS)
tests_test_shell_LDADD = libui.a libcore.a $(EXPLAIN_LIBS) $(CMOCKA_LIBS)
endif
