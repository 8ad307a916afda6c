# Targets for people who work on kaboom; HACKING says when to use which.
.PHONY: check-asan check-tsan check-valgrind bench format lint

# Sanitizer builds live in folders of their own under the build folder.
check-asan:
	@$(sanitized_check) asan address,undefined
check-tsan:
	@$(sanitized_check) tsan thread
sanitized_check = $(SHELL) $(srcdir)/tests/sanitized.sh '$(abs_srcdir)' '$(MAKE)'

# The unit tests only: shells and what they start are not what should be watched.
check-valgrind: $(check_PROGRAMS)
	@failed=; $(AM_TESTS_ENVIRONMENT) srcdir='$(srcdir)'; export srcdir; \
	for test in $(check_PROGRAMS); do \
	  echo "valgrind $$test"; \
	  OPENBLAS_NUM_THREADS=1 valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite \
	    ./$$test >valgrind.out 2>&1 || { cat valgrind.out; failed="$$failed $$test"; }; \
	done; rm -f valgrind.out; test -z "$$failed" || { echo "failed:$$failed"; exit 1; }

# One corpus of the size given, from reading to the map, with the seconds of each step.
bench: kaboom
	$(SHELL) $(srcdir)/tests/bench.sh ./kaboom

format:
	cd $(srcdir) && find core ui src tests -name '*.[ch]' -exec clang-format -i {} +

lint:
	cd $(srcdir) && find core ui src tests -name '*.[ch]' -exec clang-format --dry-run -Werror {} +
	cd $(srcdir) && shellcheck quickstart .ci/run tests/*.sh
	cd $(srcdir) && mandoc -T lint -W warning man/*.[0-9]

EXTRA_DIST += tests/bench.sh tests/sanitized.sh

# configure ends with "rm -f core" before it clears up after itself; a folder of that name stops it there.
DISTCLEANFILES = confdefs.h
