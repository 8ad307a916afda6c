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
