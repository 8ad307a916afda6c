#include "judgement.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "modelfile.h"

/* A corpus as one model wants it, and the sessions that are asked for. */
struct reading {
    kb_corpus *corpus;
    size_t *ids, count;
};

static void reading_clear(struct reading *r)
{
    kb_corpus_free(r->corpus);
    free(r->ids);
    *r = (struct reading){0};
}

/* AGAIN: it was read before, for the other model, and its problems were told. */
static kb_status read_for(cli_judgement *j, struct reading *r, const char *path,
                          const kb_model *model, bool again, const kb_progress *progress,
                          kb_error *err)
{
    cli_work *work = &j->work;
    kb_corpus_options reading = cli_reading(work);
    reading.skip_events = true;
    if (again)
        reading.problem = (kb_problem_listener){0};
    kb_status status = kb_features_adopt(kb_model_features(model), &reading,
                                         model == j->a ? j->name_a : j->name_b, err);
    if (!status && again)
        status = kb_corpus_load(&r->corpus, path, &reading, progress, err);
    else if (!status)
        status = cli_read_corpus(work, &r->corpus, path, &reading, progress, err);
    if (!status && !again)
        j->damaged += kb_corpus_damaged(r->corpus);
    return status ? status : cli_select(work, r->corpus, &r->ids, &r->count, err);
}

static bool same_reading(const kb_model *a, const kb_model *b)
{
    const kb_features *x = kb_model_features(a), *y = kb_model_features(b);
    return kb_features_timesteps(x) == kb_features_timesteps(y) &&
           kb_features_fill(x) == kb_features_fill(y);
}

/* Room for COUNT more, which are zeroed. */
static bool more(void *items, size_t old, size_t count, size_t size)
{
    void **array = items;
    size_t all, bytes;
    if (!kb_size_add(old, count, &all) || !kb_size_mul(all, size, &bytes))
        return false;
    void *grown = realloc(*array, bytes ? bytes : 1);
    if (!grown)
        return false;
    *array = grown;
    memset((char *)grown + old * size, 0, count * size);
    return true;
}

static kb_status assign_first(cli_judgement *j, const struct reading *r,
                              const kb_progress *progress, kb_error *err)
{
    size_t n = j->count;
    if (!more(&j->assigned_a, n, r->count, sizeof *j->assigned_a) ||
        !more(&j->retired, n, r->count, sizeof *j->retired))
        return kb_fail_memory(err, "assignments");
    kb_status status = kb_assign(j->assigned_a + n, j->a, r->corpus, r->ids, r->count, j->work.pool,
                                 progress, err);
    if (!status && j->b != j->a)
        status = kb_assign_retired(j->retired + n, j->a, r->corpus, r->ids, r->count, j->work.pool,
                                   progress, err);
    return status;
}

static kb_status assign_second(cli_judgement *j, const struct reading *r,
                               const kb_progress *progress, kb_error *err)
{
    if (!more(&j->assigned_b, j->count, r->count, sizeof *j->assigned_b))
        return kb_fail_memory(err, "assignments");
    return kb_assign(j->assigned_b + j->count, j->b, r->corpus, r->ids, r->count, j->work.pool,
                     progress, err);
}

/* Somebody may have changed the files between two readings. */
static kb_status check_same(const struct reading *r, const struct reading *again, const char *path,
                            kb_error *err)
{
    bool same = r->count == again->count;
    for (size_t i = 0; same && i < r->count; i++)
        same = strcmp(kb_corpus_session(r->corpus, r->ids[i])->name,
                      kb_corpus_session(again->corpus, again->ids[i])->name) == 0;
    return same ? KB_OK : kb_fail(err, KB_ERR_IO, "%s: changed while it was read", path);
}

static kb_status judge_corpus(cli_judgement *j, const char *path, const kb_progress *progress,
                              kb_error *err)
{
    struct reading r = {0}, again = {0};
    kb_status status = read_for(j, &r, path, j->a, false, progress, err);
    bool twice = !same_reading(j->a, j->b);
    if (!status)
        status = assign_first(j, &r, progress, err);
    if (!status && twice && strcmp(path, "-") == 0)
        status =
            kb_fail(err, KB_ERR_USAGE,
                    "-: the models want sessions of different lengths or filling, and standard "
                    "input can be read once");
    if (!status && twice)
        status = read_for(j, &again, path, j->b, true, progress, err);
    if (!status && twice)
        status = check_same(&r, &again, path, err);
    if (!status && j->b != j->a)
        status = assign_second(j, twice ? &again : &r, progress, err);
    if (!status)
        j->count += r.count;
    reading_clear(&r);
    reading_clear(&again);
    return status;
}

kb_status cli_judge(cli_judgement *j, const kb_progress *progress, kb_error *err)
{
    kb_status status = kb_pool_create(&j->work.pool, j->work.options->threads, err);
    if (!status)
        status = kb_model_load(&j->a, j->name_a, err);
    if (!status && j->name_b != j->name_a)
        status = kb_model_load(&j->b, j->name_b, err);
    else if (!status)
        j->b = j->a;
    for (size_t i = 0; !status && i < 2 && j->corpora[i]; i++) {
        status = judge_corpus(j, j->corpora[i], progress, err);
        if (!i)
            j->first = j->count;
    }
    return status;
}

kb_status cli_compare(const cli_judgement *j, kb_comparison *out, kb_error *err)
{
    bool any = j->corpora[0] != NULL, two = j->corpora[1] != NULL;
    kb_side a = {.model = j->a, .count = j->count, .end = two ? j->first : j->count};
    kb_side b = {.model = j->b, .count = j->count, .begin = two ? j->first : 0, .end = j->count};
    if (any) {
        a.assigned = j->assigned_a;
        a.retired = j->retired;
        b.assigned = j->b == j->a ? j->assigned_a : j->assigned_b;
    }
    return kb_compare(out, &a, &b, &j->work.options->comparison, err);
}

int cli_judgement_end(cli_judgement *j, int status)
{
    status = cli_end_damaged(&j->work.console, j->damaged, status);
    if (j->b != j->a)
        kb_model_free(j->b);
    kb_model_free(j->a);
    free(j->assigned_a);
    free(j->assigned_b);
    free(j->retired);
    return cli_work_end(&j->work, status);
}
