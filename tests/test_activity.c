/* activity: collapsed latent units are counted as such. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

#include "activity.h"

enum { N = 11, INPUTS = 3, HIDDEN = 4, LATENT = 5, BATCH = 4 };

struct fixture {
    kb_device *dev;
    kb_network net;
    kb_source *source;
    float *w;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    float x[N * INPUTS];
    kb_layout layout;
    for (size_t i = 0; i < N * INPUTS; i++)
        x[i] = (float)(i % 7) / 7 - .4F;
    assert_int_equal(kb_layout_make(&layout, true, INPUTS, HIDDEN, LATENT, NULL), KB_OK);
    assert_int_equal(kb_device_open_cpu(&f->dev, NULL, NULL), KB_OK);
    assert_int_equal(kb_network_create(&f->net, &layout, f->dev, BATCH, NULL), KB_OK);
    assert_int_equal(kb_source_coordinates(&f->source, f->dev, x, N, INPUTS, NULL), KB_OK);
    f->w = calloc(layout.parameters, sizeof *f->w); /* all units are the prior */
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    kb_source_free(f->source);
    kb_network_free(&f->net);
    kb_device_close(f->dev);
    free(f->w);
    free(f);
    return 0;
}

static size_t active(struct fixture *f, double *kl)
{
    kb_network_put(&f->net, f->w);
    assert_int_equal(kb_unit_divergence(kl, &f->net, f->source, NULL, NULL), KB_OK);
    return kb_active_units(kl, LATENT);
}

static void units_that_are_the_prior_are_collapsed(void **state)
{
    double kl[LATENT];
    assert_int_equal(active(*state, kl), 0);
    for (size_t j = 0; j < LATENT; j++)
        assert_true(kl[j] == 0);
}

static void divergence_is_that_of_the_formula(void **state)
{
    struct fixture *f = *state;
    double kl[LATENT];
    f->w[f->net.layout.tensors[KB_MU_B].offset + 1] = 1;
    f->w[f->net.layout.tensors[KB_LOGVAR_B].offset + 3] = -2;
    f->w[f->net.layout.tensors[KB_MU_B].offset + 4] = .05F; /* too little to tell anything */
    assert_int_equal(active(f, kl), 2);
    assert_true(fabs(kl[1] - .5) < 1e-6);
    assert_true(fabs(kl[3] - .5 * (exp(-2) + 1)) < 1e-6);
    assert_true(fabs(kl[4] - .00125) < 1e-6);
    assert_true(kl[0] == 0 && kl[2] == 0);
}

static void cancelling_stops_it(void **state)
{
    struct fixture *f = *state;
    double kl[LATENT];
    atomic_bool cancel = true;
    kb_progress progress = {.cancel = &cancel};
    assert_int_equal(kb_unit_divergence(kl, &f->net, f->source, &progress, NULL), KB_ERR_CANCELLED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(units_that_are_the_prior_are_collapsed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(divergence_is_that_of_the_formula, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cancelling_stops_it, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("activity", tests, NULL, NULL);
}
