noinst_LIBRARIES += libcorpus.a
libcorpus_a_CPPFLAGS = $(CORPUS_CPPFLAGS) $(ZLIB_CFLAGS)
libcorpus_a_CFLAGS = $(CORE_CFLAGS)
libcorpus_a_SOURCES = \
  core/corpus/bytes.c core/corpus/bytes.h \
  core/corpus/corpus.c core/corpus/corpus.h \
  core/corpus/csv_rows.c core/corpus/csv_rows.h \
  core/corpus/events.c core/corpus/events.h \
  core/corpus/feature_view.c core/corpus/feature_view.h \
  core/corpus/ingest.c core/corpus/ingest.h \
  core/corpus/number.c core/corpus/number.h \
  core/corpus/order.c core/corpus/order.h \
  core/corpus/problems.c core/corpus/problems.h \
  core/corpus/store.c core/corpus/store.h
