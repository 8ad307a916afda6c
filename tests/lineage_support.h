/* What the tests of earlier clusters share: whether two are the same. */
#ifndef KB_TEST_LINEAGE_SUPPORT_H
#define KB_TEST_LINEAGE_SUPPORT_H

#include "lineage.h"

static inline void assert_same_retired(const kb_retired *a, const kb_retired *b)
{
    assert_int_equal(a->number, b->number);
    assert_int_equal(a->size, b->size);
    assert_int_equal(a->calibration, b->calibration);
    assert_int_equal(a->until.whole, b->until.whole);
    assert_int_equal(a->until.atto, b->until.atto);
    assert_int_equal(a->profiled, b->profiled);
    assert_int_equal(a->back_as, b->back_as);
}

#endif
