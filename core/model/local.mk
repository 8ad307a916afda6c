noinst_LIBRARIES += libmodel.a
libmodel_a_CPPFLAGS = $(MODEL_CPPFLAGS) $(OPENBLAS_CFLAGS) $(LAPACKE_CFLAGS) $(ZLIB_CFLAGS)
libmodel_a_CFLAGS = $(CORE_CFLAGS)
libmodel_a_SOURCES = \
  core/model/activity.c core/model/activity.h \
  core/model/autoencoder.c core/model/autoencoder.h \
  core/model/basis.c core/model/basis.h \
  core/model/basis_inputs.c core/model/basis_inputs.h \
  core/model/blocks.c core/model/blocks.h \
  core/model/centroids.c core/model/centroids.h \
  core/model/checkpoint.c core/model/checkpoint.h \
  core/model/courses.c core/model/courses.h \
  core/model/dec.c core/model/dec.h \
  core/model/lineage.c core/model/lineage.h \
  core/model/model.c core/model/model.h core/model/model_private.h \
  core/model/modelfile.c core/model/modelfile.h \
  core/model/mutation.c core/model/mutation.h \
  core/model/network.c core/model/network.h \
  core/model/options.c \
  core/model/range_finder.c core/model/range_finder.h \
  core/model/reference.c core/model/reference.h \
  core/model/source.c core/model/source.h \
  core/model/split.c core/model/split.h \
  core/model/train.c core/model/train.h \
  core/model/train_reference.c core/model/train_reference.h \
  core/model/view_choice.c core/model/view_choice.h

if HAVE_CMOCKA
MODEL_TESTS = tests/test_activity tests/test_autoencoder tests/test_basis tests/test_container tests/test_courses tests/test_dec \
  tests/test_lineage tests/test_modelfile tests/test_network tests/test_reference tests/test_row_space tests/test_view_choice
check_PROGRAMS += $(MODEL_TESTS)
TESTS += $(MODEL_TESTS)
tests_test_autoencoder_SOURCES = tests/test_autoencoder.c
tests_test_autoencoder_CPPFLAGS = $(MODEL_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_autoencoder_CFLAGS = $(TEST_CFLAGS)
tests_test_autoencoder_LDADD = $(MODEL_LIBS) $(CMOCKA_LIBS)
tests_test_courses_SOURCES = tests/test_courses.c
tests_test_courses_CPPFLAGS = $(MODEL_CPPFLAGS) -I$(top_srcdir)/tests/fixtures/novelty \
  $(CMOCKA_CFLAGS)
tests_test_courses_CFLAGS = $(TEST_CFLAGS)
tests_test_courses_LDADD = $(MODEL_LIBS) $(CMOCKA_LIBS)
tests_test_reference_SOURCES = tests/test_reference.c
tests_test_reference_CPPFLAGS = $(MODEL_CPPFLAGS) -I$(top_srcdir)/tests/fixtures/novelty \
  $(CMOCKA_CFLAGS)
tests_test_reference_CFLAGS = $(TEST_CFLAGS)
tests_test_reference_LDADD = $(MODEL_LIBS) $(CMOCKA_LIBS)
tests_test_network_SOURCES = tests/test_network.c
tests_test_network_CPPFLAGS = $(MODEL_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_network_CFLAGS = $(TEST_CFLAGS)
tests_test_network_LDADD = $(MODEL_LIBS) $(CMOCKA_LIBS)
tests_test_activity_SOURCES = tests/test_activity.c
tests_test_activity_CPPFLAGS = $(MODEL_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_activity_CFLAGS = $(TEST_CFLAGS)
tests_test_activity_LDADD = $(MODEL_LIBS) $(CMOCKA_LIBS)
tests_test_dec_SOURCES = tests/test_dec.c
tests_test_dec_CPPFLAGS = $(MODEL_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_dec_CFLAGS = $(TEST_CFLAGS)
tests_test_dec_LDADD = $(MODEL_LIBS) $(CMOCKA_LIBS)
tests_test_container_SOURCES = tests/test_container.c
tests_test_container_CPPFLAGS = $(MODEL_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_container_CFLAGS = $(TEST_CFLAGS)
tests_test_container_LDADD = $(MODEL_LIBS) $(CMOCKA_LIBS)
tests_test_lineage_SOURCES = tests/test_lineage.c tests/lineage_support.h
tests_test_lineage_CPPFLAGS = $(MODEL_CPPFLAGS) -I$(top_srcdir)/tests $(CMOCKA_CFLAGS)
tests_test_lineage_CFLAGS = $(TEST_CFLAGS)
tests_test_lineage_LDADD = $(MODEL_LIBS) $(CMOCKA_LIBS)
tests_test_modelfile_SOURCES = tests/test_modelfile.c tests/lineage_support.h
tests_test_modelfile_CPPFLAGS = $(MODEL_CPPFLAGS) -I$(top_srcdir)/tests $(CMOCKA_CFLAGS)
tests_test_modelfile_CFLAGS = $(TEST_CFLAGS)
tests_test_modelfile_LDADD = $(MODEL_LIBS) $(CMOCKA_LIBS)
tests_test_view_choice_SOURCES = tests/test_view_choice.c tests/corpus_files.h
tests_test_view_choice_CPPFLAGS = $(MODEL_CPPFLAGS) $(ZLIB_CFLAGS) $(CMOCKA_CFLAGS)
tests_test_view_choice_CFLAGS = $(TEST_CFLAGS)
tests_test_view_choice_LDADD = $(MODEL_LIBS) $(CMOCKA_LIBS)
tests_test_row_space_SOURCES = tests/test_row_space.c tests/model_support.c tests/model_support.h
tests_test_row_space_CPPFLAGS = $(MODEL_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_row_space_CFLAGS = $(TEST_CFLAGS)
tests_test_row_space_LDADD = $(MODEL_LIBS) $(CMOCKA_LIBS)
tests_test_basis_SOURCES = tests/test_basis.c tests/model_support.c tests/model_support.h
tests_test_basis_CPPFLAGS = $(MODEL_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_basis_CFLAGS = $(TEST_CFLAGS)
tests_test_basis_LDADD = $(MODEL_LIBS) $(CMOCKA_LIBS)
endif
