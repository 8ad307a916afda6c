/* autoencoder, checkpoint: training that is stopped, diverges or runs out of time.
 * Batches come from a source that can be told to do harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "autoencoder.h"
#include "checkpoint.h"
#include "dec.h"
#include "rng.h"

/* --- an allocator that counts ------------------------------------------------------------- */

static atomic_long allocations;

#if defined(__GLIBC__) && !defined(KB_SANITIZED)
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *p, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size)
{
    atomic_fetch_add(&allocations, 1);
    return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    atomic_fetch_add(&allocations, 1);
    return __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
    atomic_fetch_add(&allocations, 1);
    return __libc_realloc(p, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    atomic_fetch_add(&allocations, 1);
    return __libc_memalign(alignment, size);
}
#endif

/* --- a source ----------------------------------------------------------------------------- */

enum { FITTED = 50, HELD_OUT = 10, INPUTS = 12, HIDDEN = 8, LATENT = 3, BATCH = 16, EPOCHS = 12 };

struct source {
    kb_source base;
    float x[FITTED * INPUTS];
    size_t fills;            /* so far */
    size_t bad_from, bad_to; /* fills that give NAN */
    size_t cancel_at;        /* the fill at which the flag is raised; 0: none */
    atomic_bool *cancel;
};

static void fill(kb_source *base, kb_device *dev, kb_span to, const size_t *rows, size_t n)
{
    struct source *s = (struct source *)base;
    float batch[FITTED * INPUTS];
    s->fills++;
    bool bad = s->fills >= s->bad_from && s->fills < s->bad_to;
    for (size_t i = 0; i < n * INPUTS; i++)
        batch[i] = bad ? NAN : s->x[rows[i / INPUTS] * INPUTS + i % INPUTS];
    dev->ops->put(dev, to, batch, n * INPUTS);
    if (s->fills == s->cancel_at)
        atomic_store(s->cancel, true);
}

struct fixture {
    kb_device *dev;
    kb_layout layout;
    kb_network net;
    struct source fitted, held_out;
    float *weights;
    atomic_bool cancel;
    kb_progress progress;
    char path[64];
    size_t epochs; /* that were told of */
    long allocations_before, allocations_within;
    char notes[1024];
    kb_autoencoder_options options;
    kb_autoencoder_result result;
};

/* Sessions of four kinds with some noise. */
static void make_source(struct source *s, size_t count, uint64_t seed)
{
    kb_rng rng = kb_rng_start(seed, KB_STREAM_TEST);
    *s = (struct source){.base = {count, INPUTS, fill, NULL}};
    for (size_t i = 0; i < count * INPUTS; i++)
        s->x[i] = (float)((i / INPUTS) % 4 == i % 4) * .5f + .05f * kb_rng_normal(&rng);
}

static void count_epoch(void *ctx, const kb_autoencoder_epoch *epoch)
{
    struct fixture *f = ctx;
    f->epochs++;
    assert_true(isfinite(epoch->loss.total));
    if (f->epochs > 1)
        f->allocations_within += atomic_load(&allocations) - f->allocations_before;
    f->allocations_before = atomic_load(&allocations);
}

static void keep_note(void *ctx, const char *text)
{
    struct fixture *f = ctx;
    size_t used = strlen(f->notes);
    snprintf(f->notes + used, sizeof f->notes - used, "%s\n", text);
}

static void open_fixture(struct fixture *f)
{
    *f = (struct fixture){0};
    kb_error err;
    assert_int_equal(kb_device_open_cpu(&f->dev, NULL, &err), KB_OK);
    assert_int_equal(kb_layout_make(&f->layout, true, INPUTS, HIDDEN, LATENT, &err), KB_OK);
    assert_int_equal(kb_network_create(&f->net, &f->layout, f->dev, FITTED, &err), KB_OK);
    f->weights = calloc(f->layout.parameters, sizeof *f->weights);
    kb_layout_initialise(&f->layout, f->weights, 1, 1);
    kb_network_put(&f->net, f->weights);
    make_source(&f->fitted, FITTED, 1);
    make_source(&f->held_out, HELD_OUT, 2);
    f->fitted.cancel = f->held_out.cancel = &f->cancel;
    f->progress.cancel = &f->cancel;
    const char *folder = getenv("TMPDIR");
    snprintf(f->path, sizeof f->path, "%.40s/kb-XXXXXX", folder ? folder : "/tmp");
    close(mkstemp(f->path));
    unlink(f->path);
    f->options = (kb_autoencoder_options){.batch = BATCH,
                                          .epochs = EPOCHS,
                                          .patience = EPOCHS,
                                          .optimiser = kb_optimiser_plain(1e-2, 10),
                                          .kl_weight = 1e-3,
                                          .seed = 1,
                                          .seconds = INFINITY,
                                          .key = "batch=16\nseed=1\n",
                                          .checkpoint_every = INFINITY,
                                          .epoch = count_epoch,
                                          .note = keep_note,
                                          .ctx = f};
}

static void close_fixture(struct fixture *f)
{
    unlink(f->path);
    free(f->weights);
    kb_network_free(&f->net);
    kb_device_close(f->dev);
}

static kb_status train(struct fixture *f, kb_error *err)
{
    return kb_autoencoder_train(&f->net, f->weights, &f->fitted.base, &f->held_out.base,
                                &f->options, &f->result, &f->progress, err);
}

static void assert_finite(const struct fixture *f)
{
    for (size_t i = 0; i < f->layout.parameters; i++)
        assert_true(isfinite(f->weights[i]));
}

/* --- tests -------------------------------------------------------------------------------- */

static void an_epoch_allocates_nothing(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    assert_int_equal(train(&f, NULL), KB_OK);
    assert_int_equal(f.epochs, EPOCHS);
    assert_int_equal(f.allocations_within, 0);
#if defined(__GLIBC__) && !defined(KB_SANITIZED)
    assert_true(atomic_load(&allocations) > 0); /* ours are counted */
#endif
    close_fixture(&f);
}

static void divergence_leads_back_to_the_best_weights(void **state)
{
    (void)state;
    struct fixture f;
    kb_error err;
    open_fixture(&f);
    f.fitted.bad_from = 10; /* in the third epoch of four batches */
    f.fitted.bad_to = 11;
    assert_int_equal(train(&f, &err), KB_OK);
    assert_non_null(strstr(f.notes, "back to the best weights"));
    assert_int_equal(f.epochs, EPOCHS - 1);
    assert_finite(&f);
    assert_true(isfinite(f.result.best_loss) && f.result.best_epoch != 3);
    close_fixture(&f);
}

static void divergence_for_good_ends_with_the_best_weights(void **state)
{
    (void)state;
    struct fixture f;
    kb_error err;
    open_fixture(&f);
    f.options.epochs = 2 + EPOCHS;
    f.fitted.bad_from = 9;
    f.fitted.bad_to = SIZE_MAX;
    assert_int_equal(train(&f, &err), KB_OK);
    assert_non_null(strstr(f.notes, "ends with the best weights"));
    assert_int_equal(f.epochs, 2);
    assert_true(f.result.best_epoch >= 1 && f.result.best_epoch <= 2);
    assert_finite(&f);
    close_fixture(&f);
}

static void divergence_from_the_start_is_an_error(void **state)
{
    (void)state;
    struct fixture f;
    kb_error err;
    open_fixture(&f);
    f.fitted.bad_to = SIZE_MAX;
    assert_int_equal(train(&f, &err), KB_ERR_NUMERIC);
    assert_int_equal(f.epochs, 0);
    close_fixture(&f);
}

static void without_time_a_step_is_made_and_kept(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    f.options.seconds = 0;
    assert_int_equal(train(&f, NULL), KB_OK);
    assert_int_equal(f.fitted.fills, 1);
    assert_int_equal(f.result.epochs, 1);
    assert_int_equal(f.result.best_epoch, 1);
    assert_non_null(strstr(f.notes, "--time-limit"));
    close_fixture(&f);
}

/* Stops the training at its fill number AT (of SOURCE), and goes on in another process's stead:
 * with a new network that knows nothing. */
static void stop_and_go_on(size_t at, bool while_validating, const float *expected,
                           const kb_autoencoder_result *result)
{
    struct fixture first, second;
    kb_error err;
    open_fixture(&first);
    first.options.checkpoint = first.path;
    *(while_validating ? &first.held_out.cancel_at : &first.fitted.cancel_at) = at;
    assert_int_equal(train(&first, &err), KB_ERR_CANCELLED);
    assert_int_equal(access(first.path, R_OK), 0);
    open_fixture(&second);
    second.options.checkpoint = first.path;
    if (train(&second, &err))
        fail_msg("%s", err.text);
    assert_non_null(strstr(second.notes, "leads on"));
    assert_memory_equal(second.weights, expected,
                        second.layout.parameters * sizeof *second.weights);
    assert_int_equal(second.result.best_epoch, result->best_epoch);
    assert_int_equal(second.result.epochs, result->epochs);
    assert_true(second.result.best_loss == result->best_loss);
    close_fixture(&second);
    close_fixture(&first);
}

static void what_was_stopped_anywhere_goes_on_to_the_same_bytes(void **state)
{
    (void)state;
    struct fixture whole;
    open_fixture(&whole);
    assert_int_equal(train(&whole, NULL), KB_OK);
    for (size_t at = 1; at <= whole.fitted.fills; at += 3)
        stop_and_go_on(at, false, whole.weights, &whole.result);
    for (size_t at = 1; at <= whole.held_out.fills; at += 3)
        stop_and_go_on(at, true, whole.weights, &whole.result);
    close_fixture(&whole);
}

/* A training that left a checkpoint of its end. */
static void train_checkpointed(struct fixture *f)
{
    open_fixture(f);
    f->options.checkpoint = f->path;
    f->options.checkpoint_every = 0;
    assert_int_equal(train(f, NULL), KB_OK);
}

/* A finished training's checkpoint is of all of it: nothing is trained again. */
static void a_finished_training_is_not_trained_again(void **state)
{
    (void)state;
    struct fixture first, second;
    train_checkpointed(&first);
    open_fixture(&second);
    second.options.checkpoint = first.path;
    assert_int_equal(train(&second, NULL), KB_OK);
    assert_int_equal(second.fitted.fills, 0);
    assert_memory_equal(first.weights, second.weights,
                        first.layout.parameters * sizeof *first.weights);
    close_fixture(&second);
    close_fixture(&first);
}

static void checkpoints_of_other_trainings_are_refused_with_what_differs(void **state)
{
    (void)state;
    struct fixture f;
    kb_error err;
    train_checkpointed(&f);
    f.options.key = "batch=16\nseed=2\n";
    assert_int_equal(train(&f, &err), KB_ERR_USAGE);
    assert_non_null(strstr(err.text, "seed=1"));
    assert_non_null(strstr(err.text, "seed=2"));
    assert_null(strstr(err.text, "batch"));
    close_fixture(&f);
}

static void damage(const char *path, long at)
{
    FILE *file = fopen(path, "r+b");
    fseek(file, at, SEEK_SET);
    int byte = getc(file);
    fseek(file, at, SEEK_SET);
    putc(byte ^ 0x41, file);
    fclose(file);
}

static void damaged_checkpoints_are_refused(void **state)
{
    (void)state;
    struct fixture f;
    kb_error err;
    train_checkpointed(&f);
    FILE *file = fopen(f.path, "rb");
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    fclose(file);
    size_t refused = 0, tried = 0;
    for (long at = 0; at < size; at += size / 41 + 1, tried++) {
        damage(f.path, at);
        kb_status status = train(&f, &err);
        refused += status != KB_OK;
        if (status)
            assert_int_equal(status, KB_ERR_FORMAT);
        damage(f.path, at);
    }
    assert_true(refused + 4 >= tried); /* a few bytes are padding between sections */
    assert_int_equal(truncate(f.path, size / 2), 0);
    assert_int_equal(train(&f, &err), KB_ERR_FORMAT);
    close_fixture(&f);
}

/* --- deep embedded clustering -------------------------------------------------------------- */

static bool enough(void *ctx, size_t epochs)
{
    (void)ctx;
    return epochs == 2;
}

static void count_clustering(void *ctx, size_t number, double loss)
{
    (void)loss;
    *(size_t *)ctx = number;
}

static void clustering_can_be_told_that_it_is_enough(void **state)
{
    (void)state;
    struct fixture f;
    size_t epochs = 0;
    kb_dec_result result;
    const kb_dec_options options = {.clusters = 4,
                                    .epochs = 5,
                                    .batch = 32,
                                    .learning_rate = 1e-3,
                                    .seed = 1,
                                    .epoch = count_clustering,
                                    .stop = enough,
                                    .ctx = &epochs};
    open_fixture(&f);
    assert_int_equal(train(&f, NULL), KB_OK);
    assert_int_equal(kb_dec_train(&result, &f.net, &f.fitted.base, &options, NULL, NULL, NULL),
                     KB_OK);
    assert_int_equal(epochs, 2);
    for (size_t i = 0; i < result.clusters * LATENT; i++)
        assert_true(isfinite(result.centroids[i]));
    kb_dec_result_clear(&result);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_epoch_allocates_nothing),
        cmocka_unit_test(divergence_leads_back_to_the_best_weights),
        cmocka_unit_test(divergence_for_good_ends_with_the_best_weights),
        cmocka_unit_test(divergence_from_the_start_is_an_error),
        cmocka_unit_test(without_time_a_step_is_made_and_kept),
        cmocka_unit_test(what_was_stopped_anywhere_goes_on_to_the_same_bytes),
        cmocka_unit_test(a_finished_training_is_not_trained_again),
        cmocka_unit_test(checkpoints_of_other_trainings_are_refused_with_what_differs),
        cmocka_unit_test(damaged_checkpoints_are_refused),
        cmocka_unit_test(clustering_can_be_told_that_it_is_enough),
    };
    return cmocka_run_group_tests_name("autoencoder", tests, NULL, NULL);
}
