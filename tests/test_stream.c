#include <malloc.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rng.h"
#include "stream.h"

static kb_stream *new_stream(size_t timesteps, kb_fill fill, bool grouped, size_t open)
{
    kb_stream *stream;
    kb_stream_options options = {timesteps, fill, grouped, open, true};
    assert_int_equal(kb_stream_create(&stream, &options, 17, NULL), KB_OK);
    return stream;
}

static kb_field field(const char *text)
{
    return (kb_field){text, strlen(text)};
}

/* Returns whether the row was late. */
static bool add(kb_stream *stream, const char *session, int time, const char *object, float value,
                double now)
{
    kb_reading_row row = {field(session), field(object), {time, 0}, value};
    bool late;
    assert_int_equal(kb_stream_add(stream, &row, now, &late, NULL), KB_OK);
    return late;
}

/* --- as text ------------------------------------------------------------------------------ */

static void print_session(FILE *f, const kb_store *store, size_t s)
{
    fprintf(f, "%s:", kb_store_session_name(store, s));
    for (size_t i = 0; i < kb_store_length(store, s); i++)
        fprintf(f, " %d", (int)kb_store_time(store, s, i).whole);
    for (size_t i = 0; i < kb_store_series_count(store, s); i++) {
        kb_series series = kb_store_series(store, s, i);
        fprintf(f, " %s@%u", kb_store_object_name(store, series.object), series.first);
        for (uint32_t j = 0; j < series.count; j++)
            fprintf(f, " %g", (double)series.values[j]);
    }
    fputc('\n', f);
}

/* Takes all that has ended; a line a session, in the order of ending. The caller frees. */
static char *take_text(kb_stream *stream, size_t most)
{
    char *text;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    while (kb_stream_ended(stream)) {
        kb_stream_batch batch;
        assert_int_equal(kb_stream_take(stream, &batch, most, NULL), KB_OK);
        assert_in_range(batch.count, 1, most);
        for (size_t i = 0; i < batch.count; i++)
            print_session(f, kb_corpus_store(batch.corpus), batch.ids[i]);
        kb_stream_batch_clear(&batch);
    }
    fclose(f);
    return text;
}

static void expect_taken(kb_stream *stream, const char *wanted)
{
    char *text = take_text(stream, 2);
    assert_string_equal(text, wanted);
    free(text);
}

/* --- when sessions end -------------------------------------------------------------------- */

static void grouped_sessions_end_where_others_begin(void **state)
{
    (void)state;
    kb_stream *s = new_stream(10, KB_FILL_ZERO, true, 100);
    assert_false(add(s, "b", 1, "x", 1, 0));
    assert_false(add(s, "b", 2, "x", 2, 0));
    assert_int_equal(kb_stream_ended(s), 0);
    assert_false(add(s, "a", 1, "y", 3, 0));
    expect_taken(s, "b: 1 2 x@0 1 2\n");
    assert_true(add(s, "b", 3, "x", 3, 0));
    assert_false(add(s, "a", 2, "x", 4, 0));
    assert_int_equal(kb_stream_open(s), 1);
    kb_stream_end_all(s);
    assert_true(add(s, "a", 3, "x", 5, 0)); /* ended, and not yet taken */
    expect_taken(s, "a: 1 2 x@1 4 y@0 3\n");
    kb_stream_free(s);
}

static void one_more_ends_the_one_quiet_longest(void **state)
{
    (void)state;
    kb_stream *s = new_stream(10, KB_FILL_ZERO, false, 2);
    add(s, "a", 1, "x", 1, 0);
    add(s, "b", 1, "x", 2, 0);
    add(s, "a", 2, "x", 3, 0);
    add(s, "c", 1, "x", 4, 0);
    expect_taken(s, "b: 1 x@0 2\n");
    assert_int_equal(kb_stream_open(s), 2);
    kb_stream_free(s);
}

static void quiet_sessions_end_by_the_clock(void **state)
{
    (void)state;
    kb_stream *s = new_stream(10, KB_FILL_ZERO, false, 100);
    assert_true(isinf(kb_stream_quiet_since(s)));
    add(s, "a", 1, "x", 1, 1);
    add(s, "b", 1, "x", 2, 2);
    add(s, "a", 2, "x", 3, 3);
    assert_true(kb_stream_quiet_since(s) == 2);
    kb_stream_end_quiet(s, 1.5);
    assert_int_equal(kb_stream_ended(s), 0);
    kb_stream_end_quiet(s, 2);
    expect_taken(s, "b: 1 x@0 2\n");
    kb_stream_end(s, "a", 1);
    expect_taken(s, "a: 1 2 x@0 1 3\n");
    kb_stream_end(s, "a", 1);
    assert_int_equal(kb_stream_ended(s), 0);
    kb_stream_free(s);
}

static void what_has_a_label_elsewhere_is_dropped(void **state)
{
    (void)state;
    kb_stream *s = new_stream(10, KB_FILL_ZERO, false, 100);
    add(s, "a", 1, "x", 1, 0);
    add(s, "b", 1, "x", 2, 0);
    assert_int_equal(kb_stream_remember(s, "a", 1, NULL), KB_OK);
    assert_int_equal(kb_stream_remember(s, "never seen", 10, NULL), KB_OK);
    assert_true(add(s, "a", 2, "x", 1, 0));
    assert_true(add(s, "never seen", 2, "x", 1, 0));
    kb_stream_end_all(s);
    expect_taken(s, "b: 1 x@0 2\n");
    kb_stream_free(s);
}

/* --- a stream and a store ----------------------------------------------------------------- */

struct sample {
    char session[8], object[8];
    int time;
    float value;
};

enum { SAMPLES = 3000 };

static struct sample *make_samples(uint64_t seed)
{
    struct sample *samples = calloc(SAMPLES, sizeof *samples);
    kb_rng rng = kb_rng_start(seed, 9);
    for (size_t i = 0; i < SAMPLES; i++) {
        snprintf(samples[i].session, 8, "s%d", (int)(40 * kb_rng_uniform(&rng)));
        snprintf(samples[i].object, 8, "o%d", (int)(12 * kb_rng_uniform(&rng)));
        samples[i].time = (int)(30 * kb_rng_uniform(&rng));
        samples[i].value = (float)(int)(4 * kb_rng_uniform(&rng));
    }
    return samples;
}

static void add_samples(kb_stream *s, const struct sample *samples, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        assert_false(add(s, samples[i].session, samples[i].time, samples[i].object,
                         samples[i].value, (double)i));
}

/* What one ingest makes of all of them, in the order of last rows. */
static char *store_text(const struct sample *samples, size_t timesteps, kb_fill fill)
{
    kb_ingest *ingest;
    kb_ingest_options options = {timesteps, fill, false};
    assert_int_equal(kb_ingest_create(&ingest, &options, NULL), KB_OK);
    for (size_t i = 0; i < SAMPLES; i++) {
        const struct sample *p = &samples[i];
        uint32_t session = kb_ingest_session(ingest, p->session, strlen(p->session));
        uint32_t object = kb_ingest_object(ingest, p->object, strlen(p->object));
        kb_time time = {p->time, 0};
        assert_int_equal(kb_ingest_add(ingest, session, object, time, p->value, NULL), KB_OK);
    }
    kb_store *store;
    assert_int_equal(kb_store_assemble(&store, &ingest, 1, NULL, NULL, NULL), KB_OK);
    char *text;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    for (size_t i = 0; i < SAMPLES; i++) {
        bool last = true;
        for (size_t j = i + 1; last && j < SAMPLES; j++)
            last = strcmp(samples[i].session, samples[j].session) != 0;
        if (last)
            print_session(f, store, kb_store_find_session(store, samples[i].session));
    }
    fclose(f);
    kb_store_free(store);
    kb_ingest_free(ingest);
    return text;
}

static void expect_all(kb_stream *s, const char *wanted)
{
    kb_stream_end_all(s);
    char *text = take_text(s, 7);
    assert_string_equal(text, wanted);
    free(text);
}

static void sessions_are_those_of_a_store(void **state)
{
    (void)state;
    for (int fill = 0; fill < KB_FILLS; fill++)
        for (size_t timesteps = 3; timesteps < 40; timesteps += 18) {
            struct sample *samples = make_samples(timesteps);
            char *wanted = store_text(samples, timesteps, (kb_fill)fill);
            kb_stream *s = new_stream(timesteps, (kb_fill)fill, false, 1000);
            add_samples(s, samples, 0, SAMPLES);
            expect_all(s, wanted);
            kb_stream_free(s);
            free(wanted);
            free(samples);
        }
}

static kb_stream *through_a_record(kb_stream *s, size_t timesteps, kb_fill fill)
{
    kb_record record = {0};
    kb_stream_save(s, &record);
    kb_stream_free(s);
    s = new_stream(timesteps, fill, false, 1000);
    kb_record_reader reader = {record.bytes, record.length, false};
    assert_int_equal(kb_stream_restore(s, &reader, 0, NULL), KB_OK);
    assert_int_equal(reader.left, 0);
    kb_record_clear(&record);
    return s;
}

static void a_restart_changes_nothing(void **state)
{
    (void)state;
    for (int fill = 0; fill < KB_FILLS; fill++)
        for (size_t timesteps = 3; timesteps < 40; timesteps += 18) {
            struct sample *samples = make_samples(timesteps);
            char *wanted = store_text(samples, timesteps, (kb_fill)fill);
            kb_stream *s = new_stream(timesteps, (kb_fill)fill, false, 1000);
            for (size_t i = 0; i < SAMPLES; i += SAMPLES / 5) {
                add_samples(s, samples, i, i + SAMPLES / 5);
                s = through_a_record(s, timesteps, (kb_fill)fill);
            }
            expect_all(s, wanted);
            s = through_a_record(s, timesteps, (kb_fill)fill);
            assert_true(add(s, "s0", 1, "o1", 1, 0)); /* still known to have its label */
            kb_stream_free(s);
            free(wanted);
            free(samples);
        }
}

static void a_record_that_is_cut_off_is_refused(void **state)
{
    (void)state;
    kb_stream *s = new_stream(3, KB_FILL_HOLD, false, 1000);
    for (int i = 0; i < 9; i++)
        add(s, i % 2 ? "a" : "b", i, "x", (float)(i % 3), 0);
    kb_record record = {0};
    kb_stream_save(s, &record);
    kb_stream_free(s);
    for (size_t n = 0; n < record.length; n++) {
        kb_record_reader reader = {record.bytes, n, false};
        s = new_stream(3, KB_FILL_HOLD, false, 1000);
        assert_int_equal(kb_stream_restore(s, &reader, 0, NULL), KB_ERR_FORMAT);
        kb_stream_free(s);
    }
    kb_record_clear(&record);
}

static void shorter_windows_keep_their_ends(void **state)
{
    (void)state;
    struct sample *samples = make_samples(3);
    char *wanted = store_text(samples, 4, KB_FILL_ZERO);
    kb_stream *s = new_stream(20, KB_FILL_ZERO, false, 1000);
    add_samples(s, samples, 0, SAMPLES / 2);
    assert_int_equal(kb_stream_reshape(s, 4, KB_FILL_ZERO, NULL), KB_OK);
    add_samples(s, samples, SAMPLES / 2, SAMPLES);
    expect_all(s, wanted);
    kb_stream_free(s);
    free(wanted);
    free(samples);
}

static void a_whole_session_is_laid_over_an_open_one(void **state)
{
    (void)state;
    kb_ingest *ingest;
    kb_ingest_options options = {10, KB_FILL_ZERO, true};
    assert_int_equal(kb_ingest_create(&ingest, &options, NULL), KB_OK);
    uint32_t session = kb_ingest_session(ingest, "a", 1), y = kb_ingest_object(ingest, "y", 1);
    uint32_t x = kb_ingest_object(ingest, "x", 1);
    assert_int_equal(kb_ingest_add(ingest, session, x, (kb_time){1, 0}, 0, NULL), KB_OK);
    assert_int_equal(kb_ingest_add(ingest, session, y, (kb_time){3, 0}, 7, NULL), KB_OK);
    assert_int_equal(kb_ingest_settle(ingest, NULL), KB_OK);
    kb_stream *s = new_stream(10, KB_FILL_ZERO, false, 100);
    add(s, "a", 1, "x", 5, 0);
    add(s, "a", 2, "x", 6, 0);
    bool late;
    assert_int_equal(kb_stream_adopt(s, ingest, "a", 1, 0, &late, NULL), KB_OK);
    assert_false(late);
    kb_stream_end_all(s);
    expect_taken(s, "a: 1 2 3 x@1 6 y@2 7\n"); /* its zero has replaced the 5 */
    assert_int_equal(kb_stream_adopt(s, ingest, "a", 1, 0, &late, NULL), KB_OK);
    assert_true(late);
    kb_ingest_free(ingest);
    kb_stream_free(s);
}

/* --- memory ------------------------------------------------------------------------------- */

static size_t memory_after(kb_stream *s, size_t from, size_t to)
{
    char session[32], object[32];
    for (size_t i = from; i < to; i++) {
        snprintf(session, sizeof session, "session-%zu", i);
        snprintf(object, sizeof object, "object-%zu", i / 2);
        add(s, session, 1, object, 1, 0);
        add(s, session, 2, "common", 2, 0);
        if (kb_stream_ended(s) >= KB_STREAM_BATCH) {
            char *text = take_text(s, KB_STREAM_BATCH);
            free(text);
        }
    }
    return mallinfo2().uordblks;
}

/* Each session has another name, and every other one another object. */
static void memory_follows_the_open_sessions(void **state)
{
    (void)state;
    enum { FEW = 300000, MANY = 1200000 };
    kb_stream *s = new_stream(10, KB_FILL_ZERO, true, 100);
    size_t few = memory_after(s, 0, FEW), many = memory_after(s, FEW, MANY);
    assert_in_range(many, 0, few + few / 4);
    kb_stream_free(s);
}

static void the_last_names_are_remembered(void **state)
{
    (void)state;
    enum { ROOM = 50, NAMES = 5000 };
    kb_recent *recent = kb_recent_create(ROOM, 3);
    uint64_t hashes[NAMES];
    for (size_t i = 0; i < NAMES; i++) {
        char name[32];
        int n = snprintf(name, sizeof name, "name %zu", i);
        hashes[i] = kb_recent_hash(recent, name, (size_t)n);
        assert_false(kb_recent_has(recent, hashes[i]));
        kb_recent_add(recent, hashes[i]);
        kb_recent_add(recent, hashes[i / 2 + i / 4]); /* is there, or was forgotten */
        size_t there = 0;
        for (size_t j = 0; j <= i; j++)
            there += kb_recent_has(recent, hashes[j]);
        assert_int_equal(there, kb_recent_count(recent));
        assert_true(kb_recent_has(recent, hashes[i]));
        assert_in_range(there, 1, ROOM);
    }
    for (size_t i = 0; i < kb_recent_count(recent); i++)
        assert_true(kb_recent_has(recent, kb_recent_get(recent, i)));
    kb_recent_free(recent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grouped_sessions_end_where_others_begin),
        cmocka_unit_test(one_more_ends_the_one_quiet_longest),
        cmocka_unit_test(quiet_sessions_end_by_the_clock),
        cmocka_unit_test(what_has_a_label_elsewhere_is_dropped),
        cmocka_unit_test(sessions_are_those_of_a_store),
        cmocka_unit_test(a_restart_changes_nothing),
        cmocka_unit_test(a_record_that_is_cut_off_is_refused),
        cmocka_unit_test(shorter_windows_keep_their_ends),
        cmocka_unit_test(a_whole_session_is_laid_over_an_open_one),
        cmocka_unit_test(memory_follows_the_open_sessions),
        cmocka_unit_test(the_last_names_are_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
