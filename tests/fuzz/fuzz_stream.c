/* A stream of readings. The first part of the input has options: "h" holds readings, "g" its rows
 * are grouped, digits are the steps of a window (default 5). Then come readings, in long form.
 *
 * As long as nothing is late, the sessions must be those of a corpus that is read at once; also
 * when the stream is saved and restored in the middle. And whatever the bytes are, as a record they
 * must be refused or understood. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "corpus.h"
#include "corpus_text.h"
#include "follow.h"
#include "rates.h"
#include "stream.h"
#include "support.h"

struct run {
    kb_stream_options options;
    kb_stream *stream;
    kb_stream_count count;
    uint64_t restart; /* a row behind which the stream is saved and restored; 0: none */
    FILE *f;
    char *text;
    size_t size;
};

static kb_stream_options choose(const fuzz_part *part)
{
    char *text = fuzz_string(part->body, part->size);
    const char *digits = strpbrk(text, "0123456789");
    unsigned long steps = digits ? strtoul(digits, NULL, 10) : 5;
    free(text);
    return (kb_stream_options){.timesteps = steps < 1     ? 1
                                            : steps > 300 ? 300
                                                          : (size_t)steps,
                               .fill = fuzz_has(part, 'h') ? KB_FILL_HOLD : KB_FILL_ZERO,
                               .grouped = fuzz_has(part, 'g'),
                               .open = 1u << 20};
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A line a session, without what counts the store. */
static void take_all(struct run *r)
{
    while (kb_stream_ended(r->stream)) {
        kb_stream_batch batch;
        fuzz_check(kb_stream_take(r->stream, &batch, KB_STREAM_BATCH, NULL) == KB_OK, "take");
        for (size_t i = 0; i < batch.count; i++)
            fuzz_check(batch.ids[i] < kb_corpus_sessions(batch.corpus), "an id that is none");
        print_store(r->f, kb_corpus_store(batch.corpus));
        kb_stream_batch_clear(&batch);
    }
}

static void restart(struct run *r)
{
    kb_record record = {0};
    kb_stream_save(r->stream, &record);
    kb_stream_free(r->stream);
    fuzz_check(kb_stream_create(&r->stream, &r->options, 5, NULL) == KB_OK, "create");
    kb_record_reader reader = {record.bytes, record.length, false};
    fuzz_check(kb_stream_restore(r->stream, &reader, 0, NULL) == KB_OK, "a record of our own");
    fuzz_check(reader.left == 0, "a record is not read to its end");
    kb_record_clear(&record);
}

static void read_rows(struct run *r, kb_csv *csv)
{
    bool got = true;
    for (uint64_t row = 1; got; row++) {
        const kb_field *fields;
        if (kb_csv_next(csv, &fields, &got, NULL) != KB_OK)
            return;
        if (got && fields &&
            kb_stream_row(r->stream, csv, fields, (double)row, &r->count, NULL) != KB_OK)
            return;
        if (row == r->restart)
            restart(r);
        if (kb_stream_ended(r->stream) >= KB_STREAM_BATCH)
            take_all(r);
    }
}

static void run(struct run *r, const char *path)
{
    kb_column columns[KB_METRIC_COLUMNS];
    kb_metrics_columns(columns, NULL);
    kb_problems *problems = kb_problems_create((kb_problem_listener){0});
    kb_csv_options reading = {
        .columns = columns, .column_count = KB_METRIC_COLUMNS, .problems = problems};
    kb_csv *csv;
    r->f = open_memstream(&r->text, &r->size);
    fuzz_check(kb_stream_create(&r->stream, &r->options, 5, NULL) == KB_OK, "create");
    if (kb_csv_open(&csv, path, &reading, NULL) == KB_OK) {
        read_rows(r, csv);
        kb_csv_close(csv);
    }
    kb_stream_end_all(r->stream);
    take_all(r);
    kb_stream_free(r->stream);
    kb_problems_free(problems);
    fclose(r->f);
}

/* The sessions of a text in the order of their names: what print_store says of each, and of objects
 * and sums nothing. */
static char *in_order(const char *text)
{
    char *copy = strdup(text), *result, **items = calloc(strlen(text) + 1, sizeof *items);
    size_t count = 0, size;
    for (char *at = copy; (at = strstr(at, "session ")); at++)
        if (at == copy || at[-1] == '\n')
            items[count++] = at;
    for (char *at = copy; (at = strchr(at, '\n')); at++)
        if (at[1] != ' ')
            *at = '\0';
    qsort(items, count, sizeof *items, by_text);
    FILE *f = open_memstream(&result, &size);
    for (size_t i = 0; i < count; i++)
        fprintf(f, "%s\n", items[i]);
    fclose(f);
    free(items);
    free(copy);
    return result;
}

static bool has_line_breaks(const uint8_t *data, size_t size)
{
    return memchr(data, '"', size) != NULL; /* names that the text above cannot tell apart */
}

static void check_corpus(const struct run *r, const char *path)
{
    kb_corpus_options options = kb_corpus_defaults();
    kb_corpus *corpus;
    options.timesteps = r->options.timesteps;
    options.fill = r->options.fill;
    if (kb_corpus_load(&corpus, path, &options, NULL, NULL) != KB_OK)
        return;
    char *text;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    print_store(f, kb_corpus_store(corpus));
    fclose(f);
    kb_corpus_free(corpus);
    char *whole = in_order(text), *streamed = in_order(r->text);
    fuzz_same("a corpus and a stream", whole, streamed);
    free(whole);
    free(streamed);
    free(text);
}

static void check_records(const uint8_t *data, size_t size)
{
    const uint32_t numbers[] = {1, 2};
    kb_stream_options options = {.timesteps = 3, .fill = KB_FILL_HOLD, .open = 10};
    kb_follow_options following = {.settle = 1, .timesteps = 3};
    kb_stream *stream;
    kb_follow *follow;
    kb_record_reader reader = {data, size, false};
    fuzz_check(kb_stream_create(&stream, &options, 5, NULL) == KB_OK, "create");
    (void)kb_stream_restore(stream, &reader, 0, NULL);
    kb_stream_free(stream);
    reader = (kb_record_reader){data, size, false};
    if (kb_follow_create(&follow, "/", &following, NULL) == KB_OK) {
        (void)kb_follow_restore(follow, &reader, NULL);
        kb_follow_free(follow);
    }
    reader = (kb_record_reader){data, size, false};
    kb_rates *rates = kb_rates_create(numbers, 2);
    (void)kb_rates_restore(rates, &reader, NULL);
    kb_rates_close(rates, .01);
    kb_rates_free(rates);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_part parts[FUZZ_PARTS];
    size_t count = fuzz_split(parts, data, size);
    const fuzz_part *rows = &parts[count > 1];
    uint64_t hash = fuzz_hash(data, size);
    fuzz_file file = fuzz_file_make(rows->body, rows->size);
    struct run r = {.options = choose(&parts[0])};
    run(&r, file.path);
    struct run again = {.options = r.options, .restart = 1 + hash % 20};
    again.options.grouped = false;
    if (!r.options.grouped) {
        run(&again, file.path);
        if (!has_line_breaks(rows->body, rows->size)) {
            char *once = in_order(r.text), *twice = in_order(again.text);
            fuzz_same("a stream and one with a restart", once, twice);
            free(once);
            free(twice);
        }
        free(again.text);
    }
    if (!r.count.late && !has_line_breaks(rows->body, rows->size))
        check_corpus(&r, file.path);
    free(r.text);
    fuzz_file_remove(&file);
    check_records(data, size);
    return 0;
}
