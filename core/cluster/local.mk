# what core/cluster is made of
noinst_LIBRARIES += libcluster.a
libcluster_a_CPPFLAGS = $(CLUSTER_CPPFLAGS)
libcluster_a_CFLAGS = $(CORE_CFLAGS) $(OPENBLAS_CFLAGS) $(LAPACKE_CFLAGS)
libcluster_a_SOURCES = \
  core/cluster/affinity.c core/cluster/affinity.h \
  core/cluster/bootstrap.c core/cluster/bootstrap.h \
  core/cluster/elbow.c core/cluster/elbow.h \
  core/cluster/excess.c core/cluster/excess.h \
  core/cluster/field.c core/cluster/field.h \
  core/cluster/hungarian.c core/cluster/hungarian.h \
  core/cluster/kmeans.c core/cluster/kmeans.h \
  core/cluster/lapack.c core/cluster/lapack.h \
  core/cluster/neighbours.c core/cluster/neighbours.h \
  core/cluster/outliers.c core/cluster/outliers.h \
  core/cluster/pair_forces.c core/cluster/pair_forces.h \
  core/cluster/pca.c core/cluster/pca.h \
  core/cluster/points.c core/cluster/points.h \
  core/cluster/quadtree.c core/cluster/quadtree.h \
  core/cluster/quality.c core/cluster/quality.h \
  core/cluster/rays.c core/cluster/rays.h \
  core/cluster/representatives.c core/cluster/representatives.h \
  core/cluster/scores.c core/cluster/scores.h \
  core/cluster/tree_forces.c core/cluster/tree_forces.h \
  core/cluster/tsne.c core/cluster/tsne.h \
  core/cluster/tsne_place.c core/cluster/tsne_place.h \
  core/cluster/ward.c core/cluster/ward.h

EXTRA_DIST += \
  tests/fixtures/cluster/make.py \
  tests/fixtures/cluster/make_tsne.py \
  tests/fixtures/cluster/kmeans.inc \
  tests/fixtures/cluster/map.inc \
  tests/fixtures/cluster/quality.inc \
  tests/fixtures/cluster/scores.inc \
  tests/fixtures/cluster/tsne.inc \
  tests/fixtures/emerging/make.py \
  tests/fixtures/emerging/excess.inc \
  tests/fixtures/emerging/rays.inc \
  tests/fixtures/novelty/courses.inc \
  tests/fixtures/novelty/make.py \
  tests/fixtures/novelty/neighbours.inc \
  tests/fixtures/novelty/reference.inc

if HAVE_CMOCKA
CLUSTER_TESTS = tests/test_kmeans tests/test_quality tests/test_scores tests/test_elbow \
  tests/test_neighbours tests/test_outliers tests/test_tree_forces tests/test_tsne tests/test_tsne_place \
  tests/test_excess tests/test_rays
check_PROGRAMS += $(CLUSTER_TESTS)
TESTS += $(CLUSTER_TESTS)

CLUSTER_TEST_CPPFLAGS = $(CLUSTER_CPPFLAGS) -I$(top_srcdir)/tests/fixtures/cluster $(CMOCKA_CFLAGS)
CLUSTER_TEST_LIBS = $(CLUSTER_LIBS) $(CMOCKA_LIBS)

tests_test_kmeans_SOURCES = tests/test_kmeans.c
tests_test_kmeans_CPPFLAGS = $(CLUSTER_TEST_CPPFLAGS)
tests_test_kmeans_CFLAGS = $(TEST_CFLAGS)
tests_test_kmeans_LDADD = $(CLUSTER_TEST_LIBS)

tests_test_quality_SOURCES = tests/test_quality.c
tests_test_quality_CPPFLAGS = $(CLUSTER_TEST_CPPFLAGS)
tests_test_quality_CFLAGS = $(TEST_CFLAGS)
tests_test_quality_LDADD = $(CLUSTER_TEST_LIBS)

check_PROGRAMS += tests/test_representatives
TESTS += tests/test_representatives
tests_test_representatives_SOURCES = tests/test_representatives.c
tests_test_representatives_CPPFLAGS = $(CLUSTER_TEST_CPPFLAGS)
tests_test_representatives_CFLAGS = $(TEST_CFLAGS)
tests_test_representatives_LDADD = $(CLUSTER_TEST_LIBS)

tests_test_scores_SOURCES = tests/test_scores.c
tests_test_scores_CPPFLAGS = $(CLUSTER_TEST_CPPFLAGS)
tests_test_scores_CFLAGS = $(TEST_CFLAGS)
tests_test_scores_LDADD = $(CLUSTER_TEST_LIBS)

tests_test_elbow_SOURCES = tests/test_elbow.c
tests_test_elbow_CPPFLAGS = $(CLUSTER_TEST_CPPFLAGS)
tests_test_elbow_CFLAGS = $(TEST_CFLAGS)
tests_test_elbow_LDADD = $(CLUSTER_TEST_LIBS)

tests_test_tsne_SOURCES = tests/test_tsne.c
tests_test_tsne_CPPFLAGS = $(CLUSTER_TEST_CPPFLAGS)
tests_test_tsne_CFLAGS = $(TEST_CFLAGS)
tests_test_tsne_LDADD = $(CLUSTER_TEST_LIBS)
tests_test_neighbours_SOURCES = tests/test_neighbours.c
tests_test_neighbours_CPPFLAGS = $(CLUSTER_TEST_CPPFLAGS)
tests_test_neighbours_CFLAGS = $(TEST_CFLAGS)
tests_test_neighbours_LDADD = $(CLUSTER_TEST_LIBS)

tests_test_outliers_SOURCES = tests/test_outliers.c
tests_test_outliers_CPPFLAGS = $(CLUSTER_TEST_CPPFLAGS) -I$(top_srcdir)/tests/fixtures/novelty
tests_test_outliers_CFLAGS = $(TEST_CFLAGS)
tests_test_outliers_LDADD = $(CLUSTER_TEST_LIBS)

tests_test_tree_forces_SOURCES = tests/test_tree_forces.c
tests_test_tree_forces_CPPFLAGS = $(CLUSTER_TEST_CPPFLAGS)
tests_test_tree_forces_CFLAGS = $(TEST_CFLAGS)
tests_test_tree_forces_LDADD = $(CLUSTER_TEST_LIBS)

tests_test_tsne_place_SOURCES = tests/test_tsne_place.c
tests_test_tsne_place_CPPFLAGS = $(CLUSTER_TEST_CPPFLAGS)
tests_test_tsne_place_CFLAGS = $(TEST_CFLAGS)
tests_test_tsne_place_LDADD = $(CLUSTER_TEST_LIBS)

tests_test_excess_SOURCES = tests/test_excess.c
tests_test_excess_CPPFLAGS = $(CLUSTER_TEST_CPPFLAGS) -I$(top_srcdir)/tests/fixtures/emerging
tests_test_excess_CFLAGS = $(TEST_CFLAGS)
tests_test_excess_LDADD = $(CLUSTER_TEST_LIBS)

tests_test_rays_SOURCES = tests/test_rays.c
tests_test_rays_CPPFLAGS = $(CLUSTER_TEST_CPPFLAGS) -I$(top_srcdir)/tests/fixtures/emerging
tests_test_rays_CFLAGS = $(TEST_CFLAGS)
tests_test_rays_LDADD = $(CLUSTER_TEST_LIBS)
endif
