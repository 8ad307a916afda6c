noinst_LIBRARIES += libcompute.a
libcompute_a_CPPFLAGS = $(COMPUTE_CPPFLAGS) $(OPENBLAS_CFLAGS) -DKB_PKGLIBDIR='"$(pkglibdir)"'
# Square roots and comparisons become vector code only when nobody looks at errno or at floating-point traps.
libcompute_a_CFLAGS = $(CORE_CFLAGS) -fno-math-errno -fno-trapping-math
libcompute_a_SOURCES = \
  core/compute/blas_kernels.c core/compute/blas_kernels.h \
  core/compute/cpu_kernels.c core/compute/cpu_kernels.h \
  core/compute/device.h \
  core/compute/device_cpu.c \
  core/compute/device_load.c core/compute/device_load.h \
  core/compute/fastmath.h

EXTRA_DIST += core/compute/fastmath.py

if HAVE_CMOCKA
check_PROGRAMS += tests/test_blas_kernels
TESTS += tests/test_blas_kernels
tests_test_blas_kernels_SOURCES = tests/test_blas_kernels.c
tests_test_blas_kernels_CPPFLAGS = $(COMPUTE_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_blas_kernels_CFLAGS = $(TEST_CFLAGS)
tests_test_blas_kernels_LDADD = $(COMPUTE_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += tests/test_device
TESTS += tests/test_device
tests_test_device_SOURCES = tests/test_device.c
tests_test_device_CPPFLAGS = $(COMPUTE_CPPFLAGS) $(CMOCKA_CFLAGS)
tests_test_device_CFLAGS = $(TEST_CFLAGS)
tests_test_device_LDADD = $(COMPUTE_LIBS) $(CMOCKA_LIBS)
EXTRA_tests_test_device_DEPENDENCIES = $(TEST_MODULES)

# Compute modules and drivers that the loader must take or refuse.
TEST_MODULES = tests/kaboom-good.so tests/kaboom-old.so tests/kaboom-hollow.so tests/kaboom-mixed.so tests/kaboom-sorry.so \
  tests/driver-ok.so tests/driver-empty.so
# No check_PROGRAMS: they are libraries, and nothing may run them.
EXTRA_PROGRAMS += $(TEST_MODULES)
CLEANFILES += $(TEST_MODULES)
PLUGIN_FLAGS_C = $(TEST_CFLAGS) -fPIC
PLUGIN_FLAGS_LINK = $(AM_LDFLAGS) -shared
tests_kaboom_good_so_SOURCES = tests/device_module.c core/base/status.c
tests_kaboom_good_so_CPPFLAGS = $(COMPUTE_CPPFLAGS)
tests_kaboom_good_so_CFLAGS = $(PLUGIN_FLAGS_C)
tests_kaboom_good_so_LDFLAGS = $(PLUGIN_FLAGS_LINK)
tests_kaboom_old_so_SOURCES = tests/device_module.c core/base/status.c
tests_kaboom_old_so_CPPFLAGS = $(COMPUTE_CPPFLAGS) -DMODULE_ABI=0
tests_kaboom_old_so_CFLAGS = $(PLUGIN_FLAGS_C)
tests_kaboom_old_so_LDFLAGS = $(PLUGIN_FLAGS_LINK)
tests_kaboom_mixed_so_SOURCES = tests/device_module.c core/base/status.c
tests_kaboom_mixed_so_CPPFLAGS = $(COMPUTE_CPPFLAGS) -DDEVICE_ABI=99
tests_kaboom_mixed_so_CFLAGS = $(PLUGIN_FLAGS_C)
tests_kaboom_mixed_so_LDFLAGS = $(PLUGIN_FLAGS_LINK)
tests_kaboom_sorry_so_SOURCES = tests/device_module.c core/base/status.c
tests_kaboom_sorry_so_CPPFLAGS = $(COMPUTE_CPPFLAGS) -DOPEN_FAILS=1
tests_kaboom_sorry_so_CFLAGS = $(PLUGIN_FLAGS_C)
tests_kaboom_sorry_so_LDFLAGS = $(PLUGIN_FLAGS_LINK)
tests_kaboom_hollow_so_SOURCES = tests/device_driver.c
tests_kaboom_hollow_so_CFLAGS = $(PLUGIN_FLAGS_C)
tests_kaboom_hollow_so_LDFLAGS = $(PLUGIN_FLAGS_LINK)
tests_driver_ok_so_SOURCES = tests/device_driver.c
tests_driver_ok_so_CPPFLAGS = -DCU_INIT=0
tests_driver_ok_so_CFLAGS = $(PLUGIN_FLAGS_C)
tests_driver_ok_so_LDFLAGS = $(PLUGIN_FLAGS_LINK)
tests_driver_empty_so_SOURCES = tests/device_driver.c
tests_driver_empty_so_CPPFLAGS = -DCU_INIT=100
tests_driver_empty_so_CFLAGS = $(PLUGIN_FLAGS_C)
tests_driver_empty_so_LDFLAGS = $(PLUGIN_FLAGS_LINK)
endif
