/* A corpus: the input is several files (support.h). The heads of its parts say which: "m" readings,
 * "t" a trace, "s" sessions, "e" events, and a "z" behind that that the file is compressed. In the
 * first part "h" holds readings, "s" is strict, "c" names columns otherwise, "k" keeps the corpus
 * in a cache, and digits are the steps of a window (default 5).
 *
 * However many threads read it, in however many pieces, what is read and told must be the same. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "corpus.h"
#include "corpus_text.h"
#include "support.h"

static kb_corpus_options choose(const fuzz_part *part)
{
    kb_corpus_options options = kb_corpus_defaults();
    char *text = fuzz_string(part->body, part->size);
    const char *digits = strpbrk(text, "0123456789");
    unsigned long steps = digits ? strtoul(digits, NULL, 10) : 5;
    options.timesteps = steps < 1 ? 1 : steps > 300 ? 300 : (size_t)steps;
    options.fill = fuzz_has(part, 'h') ? KB_FILL_HOLD : KB_FILL_ZERO;
    options.strict = fuzz_has(part, 's');
    options.columns = fuzz_has(part, 'c') ? "session=id,time=ts,\"event=what, then\"" : NULL;
    free(text);
    return options;
}

/* Parts without a head that says what they are are readings. */
static void write_files(const char *folder, const fuzz_part *parts, size_t count)
{
    for (size_t i = count > 1; i < count; i++) {
        const fuzz_part *p = &parts[i];
        char kind = p->length ? p->head[0] : 'm', name[64];
        bool packed = p->length > 1 && p->head[1] == 'z';
        const char *suffix = packed ? ".gz" : "";
        if (kind == 's')
            snprintf(name, sizeof name, "sessions.csv%s", suffix);
        else if (kind == 't')
            snprintf(name, sizeof name, "traces/t%zu.csv%s", i, suffix);
        else
            snprintf(name, sizeof name, "%s%zu.csv%s", kind == 'e' ? "events" : "metrics", i,
                     suffix);
        fuzz_write(folder, name, p->body, p->size, packed);
    }
}

static bool has_only_traces(const fuzz_part *parts, size_t count)
{
    bool traces = false;
    for (size_t i = 1; i < count; i++) {
        char kind = parts[i].length ? parts[i].head[0] : 'm';
        traces |= kind == 't';
        if (kind != 't' && kind != 's' && kind != 'e')
            return false;
    }
    return traces;
}

static void check_lanes(const char *path, kb_corpus_options options, const char *plain,
                        uint64_t hash)
{
    options.pool = fuzz_pool();
    options.lane_bytes = 1 + hash % 100;
    char *text = load_text(path, options, NULL);
    fuzz_same("one thread and three", plain, text);
    free(text);
}

static kb_corpus *load(const char *path, const kb_corpus_options *options)
{
    kb_corpus *corpus;
    return kb_corpus_load(&corpus, path, options, NULL, NULL) == KB_OK ? corpus : NULL;
}

static bool same_series(const kb_store *a, const kb_series *x, const kb_store *b,
                        const kb_series *y)
{
    return strcmp(kb_store_object_name(a, x->object), kb_store_object_name(b, y->object)) == 0 &&
           x->first == y->first && x->count == y->count &&
           memcmp(x->values, y->values, x->count * sizeof *x->values) == 0;
}

static void expect_same_session(const kb_store *a, size_t s, const kb_store *b, size_t t)
{
    bool same = kb_store_length(a, s) == kb_store_length(b, t) &&
                kb_store_series_count(a, s) == kb_store_series_count(b, t);
    for (size_t i = 0; same && i < kb_store_length(a, s); i++)
        same = kb_time_compare(kb_store_time(a, s, i), kb_store_time(b, t, i)) == 0;
    for (size_t i = 0; same && i < kb_store_series_count(a, s); i++) {
        kb_series x = kb_store_series(a, s, i), y = kb_store_series(b, t, i);
        same = same_series(a, &x, b, &y);
    }
    fuzz_check(same, "%s is another session beside others", kb_store_session_name(a, s));
}

/* Traces are read with less work where there are no other readings; they must be the same beside
 * some. */
static void check_company(const char *path, const kb_corpus_options *options)
{
    static const char other[] = "session,time,object,value\nother,1,o,1\n";
    static const char renamed[] = "id,ts,object,value\nother,1,o,1\n";
    kb_corpus *alone = load(path, options), *together = NULL;
    const char *text = options->columns ? renamed : other;
    fuzz_write(path, "metrics.csv", text, strlen(text), false);
    if (alone)
        together = load(path, options);
    fuzz_check(!alone == !together, "traces that cannot be read beside others");
    for (size_t s = 0; alone && s < kb_corpus_sessions(alone); s++) {
        const kb_store *a = kb_corpus_store(alone), *b = kb_corpus_store(together);
        const char *name = kb_store_session_name(a, s);
        size_t t = kb_store_find_session(b, name);
        fuzz_check(t != SIZE_MAX, "%s is not there beside others", name);
        if (strcmp(name, "other") != 0)
            expect_same_session(a, s, b, t);
    }
    kb_corpus_free(alone);
    kb_corpus_free(together);
}

/* What is written to a cache comes back the same. */
static void check_cache(const char *path, const char *folder, kb_corpus_options options,
                        const char *plain)
{
    char place[2 * FUZZ_PATH];
    snprintf(place, sizeof place, "%s/cache", folder);
    kb_cache cache = kb_cache_defaults(place);
    cache.least = 0;
    cache.settled = -60;
    options.cache = &cache;
    char *written = load_text(path, options, NULL), *taken = load_text(path, options, NULL);
    fuzz_same("without and with a cache", plain, written);
    fuzz_same("read and taken from the cache", plain, taken);
    free(written);
    free(taken);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_part parts[FUZZ_PARTS];
    size_t count = fuzz_split(parts, data, size);
    const fuzz_part none = {.size = 0};
    kb_corpus_options options = choose(count > 1 ? &parts[0] : &none);
    char folder[FUZZ_PATH], path[2 * FUZZ_PATH];
    fuzz_folder_make(folder);
    snprintf(path, sizeof path, "%s/corpus", folder);
    mkdir(path, 0700);
    write_files(path, parts, count);
    char *plain = load_text(path, options, NULL);
    check_lanes(path, options, plain, fuzz_hash(data, size));
    if (count > 1 && fuzz_has(&parts[0], 'k'))
        check_cache(path, folder, options, plain);
    free(plain);
    if (has_only_traces(parts, count))
        check_company(path, &options);
    fuzz_folder_remove(folder);
    return 0;
}
