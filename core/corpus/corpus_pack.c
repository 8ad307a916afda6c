#include "corpus_pack.h"

#include <stdlib.h>
#include <string.h>

#include "corpus_private.h"
#include "events_pack.h"
#include "store_pack.h"

struct packed_session {
    uint32_t user, version, label, split;
};

struct packed_problem {
    uint64_t line, reason; /* the latter an offset in the reasons */
    uint32_t file, kind;
};

/* --- problems ----------------------------------------------------------------------------- */

/* The number of the file that is called NAME; COUNT: none of these. It is looked for from FROM on,
 * since problems come in the order of files. */
static size_t find_file(const char *name, const kb_file *files, size_t count, size_t from)
{
    for (size_t n = 0; n < count; n++) {
        size_t i = (from + n) % count;
        if (strcmp(files[i].path, name) == 0)
            return i;
    }
    return count;
}

/* ITEMS and REASONS have room for all problems. */
static size_t collect_problems(const kb_problems *problems, const kb_file *files, size_t count,
                               struct packed_problem *items, char *reasons, size_t *size)
{
    size_t taken = 0, file = 0;
    const char *name = NULL;
    *size = 0;
    for (size_t i = 0; i < kb_problems_kept(problems); i++) {
        kb_problem problem = kb_problems_get(problems, i);
        if (!name || strcmp(name, problem.file) != 0)
            file = find_file(problem.file, files, count, file);
        name = problem.file;
        if (file == count)
            continue;
        items[taken++] =
            (struct packed_problem){problem.line, *size, (uint32_t)file, (uint32_t)problem.kind};
        size_t n = strlen(problem.reason) + 1;
        memcpy(reasons + *size, problem.reason, n);
        *size += n;
    }
    return taken;
}

static kb_status pack_problems(const kb_corpus *corpus, kb_packer *packer, const kb_file *files,
                               size_t count, kb_error *err)
{
    const kb_problems *problems = corpus->problems;
    size_t kept = kb_problems_kept(problems), room = 1, size;
    if (kept != kb_problems_count(problems))
        return kb_fail(err, KB_ERR_USAGE, "there are more problems than can be kept");
    for (size_t i = 0; i < kept; i++)
        room += strlen(kb_problems_get(problems, i).reason) + 1;
    struct packed_problem *items = kb_arena_alloc(packer->arena, (kept ? kept : 1) * sizeof *items);
    char *reasons = kb_arena_alloc(packer->arena, room);
    if (!items || !reasons)
        return kb_fail_memory(err, "problems");
    size_t taken = collect_problems(problems, files, count, items, reasons, &size);
    kb_status status = kb_pack_array(packer, "problems", items, taken, sizeof *items, err);
    return status ? status : kb_pack_array(packer, "reasons", reasons, size, 1, err);
}

/* The packed problems, checked. */
struct packed_problems {
    const struct packed_problem *items;
    const char *reasons;
    size_t count;
};

static kb_status unpack_problems(struct packed_problems *out, kb_container_reader *reader,
                                 size_t files, bool strict, kb_error *err)
{
    const void *items, *reasons;
    size_t size;
    *out = (struct packed_problems){0};
    kb_status status =
        kb_unpack_array(reader, "problems", sizeof *out->items, &items, &out->count, err);
    if (!status)
        status = kb_unpack_array(reader, "reasons", 1, &reasons, &size, err);
    if (status)
        return status;
    out->items = items;
    out->reasons = reasons;
    if (out->count && (strict || !size || out->reasons[size - 1]))
        return kb_unpack_nonsense("problems", err);
    for (size_t i = 0; i < out->count; i++) {
        const struct packed_problem *p = &out->items[i];
        if (p->file >= files || p->kind >= KB_PROBLEM_KINDS || p->reason >= size)
            return kb_unpack_nonsense("problems", err);
    }
    return KB_OK;
}

static void tell_problems(kb_corpus *corpus, const struct packed_problems *problems,
                          const kb_file *files)
{
    for (size_t i = 0; i < problems->count; i++) {
        const struct packed_problem *p = &problems->items[i];
        kb_problems_add(corpus->problems, files[p->file].path, p->line, (kb_problem_kind)p->kind,
                        "%s", problems->reasons + p->reason);
    }
}

/* --- readings ----------------------------------------------------------------------------- */

static uint32_t text_id(const kb_corpus *corpus, const char *text)
{
    return kb_names_find(corpus->texts, text, strlen(text));
}

static kb_status pack_sessions(const kb_corpus *corpus, kb_packer *packer, kb_error *err)
{
    size_t count = kb_corpus_sessions(corpus), bytes;
    struct packed_session *items = kb_size_mul(count, sizeof *items, &bytes)
                                       ? kb_arena_alloc(packer->arena, bytes ? bytes : 1)
                                       : NULL;
    uint64_t *rows = kb_arena_alloc(packer->arena, sizeof *rows);
    if (!items || !rows)
        return kb_fail_memory(err, "sessions");
    for (size_t s = 0; s < count; s++) {
        const kb_session *from = &corpus->sessions[s];
        items[s] =
            (struct packed_session){text_id(corpus, from->user), text_id(corpus, from->version),
                                    text_id(corpus, from->label), (uint32_t)from->split};
    }
    *rows = corpus->rows;
    kb_status status = kb_pack_array(packer, "rows", rows, 1, sizeof *rows, err);
    if (!status)
        status = kb_pack_names(packer, "texts", corpus->texts, err);
    return status ? status : kb_pack_array(packer, "described", items, count, sizeof *items, err);
}

kb_status kb_corpus_pack_readings(const kb_corpus *corpus, kb_packer *packer, const kb_file *files,
                                  size_t count, kb_error *err)
{
    kb_status status = pack_problems(corpus, packer, files, count, err);
    if (!status)
        status = pack_sessions(corpus, packer, err);
    return status ? status : kb_store_pack(corpus->store, packer, err);
}

/* What becomes part of the corpus when all of it makes sense. */
struct readings {
    kb_store *store;
    kb_names *texts;
    kb_session *sessions;
    uint64_t rows;
    struct packed_problems problems;
};

static kb_status describe(struct readings *r, const struct packed_session *items, kb_error *err)
{
    size_t count = kb_store_sessions(r->store), texts = kb_names_count(r->texts), usable = 0;
    r->sessions = kb_calloc(count, sizeof *r->sessions);
    if (!r->sessions)
        return kb_fail_memory(err, "the list of sessions");
    for (size_t s = 0; s < count; s++) {
        const struct packed_session *p = &items[s];
        if (p->user >= texts || p->version >= texts || p->label >= texts || p->split >= KB_SPLITS)
            return kb_unpack_nonsense("described", err);
        r->sessions[s] = (kb_session){kb_store_session_name(r->store, s),
                                      kb_names_get(r->texts, p->user),
                                      kb_names_get(r->texts, p->version),
                                      kb_names_get(r->texts, p->label),
                                      (kb_split)p->split,
                                      kb_store_length(r->store, s) > 0};
        usable += r->sessions[s].has_rows;
    }
    return usable ? KB_OK : kb_unpack_nonsense("windows", err);
}

static kb_status unpack_readings(struct readings *r, kb_container_reader *reader, size_t files,
                                 size_t timesteps, bool strict, kb_error *err)
{
    const void *items, *rows;
    size_t count, one;
    kb_status status = unpack_problems(&r->problems, reader, files, strict, err);
    if (!status)
        status = kb_unpack_array(reader, "rows", sizeof r->rows, &rows, &one, err);
    if (!status)
        status = kb_unpack_names(reader, "texts", false, &r->texts, err);
    if (!status)
        status = kb_unpack_array(reader, "described", sizeof(struct packed_session), &items, &count,
                                 err);
    if (!status)
        status = kb_store_unpack(&r->store, reader, timesteps, err);
    if (status)
        return status;
    if (one != 1 || count != kb_store_sessions(r->store))
        return kb_unpack_nonsense("described", err);
    r->rows = *(const uint64_t *)rows;
    return describe(r, items, err);
}

kb_status kb_corpus_unpack_readings(kb_corpus *corpus, kb_container_reader *reader,
                                    const kb_file *files, size_t count, size_t timesteps,
                                    bool strict, kb_error *err)
{
    struct readings r = {0};
    kb_status status = unpack_readings(&r, reader, count, timesteps, strict, err);
    if (status) {
        kb_store_free(r.store);
        kb_names_free(r.texts);
        free(r.sessions);
        return status;
    }
    corpus->store = r.store;
    corpus->texts = r.texts;
    corpus->sessions = r.sessions;
    corpus->rows = r.rows;
    tell_problems(corpus, &r.problems, files);
    return KB_OK;
}

/* --- events ------------------------------------------------------------------------------- */

kb_status kb_corpus_pack_events(const kb_corpus *corpus, kb_packer *packer, const kb_file *files,
                                size_t count, kb_error *err)
{
    kb_status status = pack_problems(corpus, packer, files, count, err);
    return status ? status : kb_events_pack(corpus->events, packer, err);
}

kb_status kb_corpus_unpack_events(kb_corpus *corpus, kb_container_reader *reader,
                                  const kb_file *files, size_t count, bool strict, kb_error *err)
{
    struct packed_problems problems;
    kb_events *events = NULL;
    kb_status status = unpack_problems(&problems, reader, count, strict, err);
    if (!status)
        status = kb_events_unpack(&events, reader, err);
    if (status)
        return status;
    corpus->events = events;
    tell_problems(corpus, &problems, files);
    return KB_OK;
}
