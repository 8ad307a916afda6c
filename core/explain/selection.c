#include "selection.h"

#include <stdlib.h>
#include <string.h>

#include "csv_rows.h"
#include "memory.h"

/* --- conditions --------------------------------------------------------------------------- */

typedef enum selection_key {
    KEY_SESSION,
    KEY_USER,
    KEY_VERSION,
    KEY_SPLIT,
    KEY_LABEL,
    KEY_CLUSTER,
    KEYS
} selection_key;

static const char *const key_names[KEYS] = {"session", "user",  "version",
                                            "split",   "label", "cluster"};

struct condition {
    selection_key key;
    bool negated;
    const char *value;
    unsigned long cluster; /* value of KEY_CLUSTER */
};

static bool find_key(selection_key *key, const char *text, size_t length)
{
    for (int k = 0; k < KEYS; k++) {
        if (strlen(key_names[k]) == length && strncmp(key_names[k], text, length) == 0) {
            *key = (selection_key)k;
            return true;
        }
    }
    return false;
}

static kb_status check_value(struct condition *c, const kb_selecting *selecting, kb_error *err)
{
    kb_split split;
    char *end;
    if (c->key == KEY_SPLIT && !kb_split_parse(&split, c->value))
        return kb_fail(err, KB_ERR_USAGE,
                       "'%.60s' is not a split: train, validation, emerging or later", c->value);
    if (c->key != KEY_CLUSTER)
        return KB_OK;
    if (!selecting->clusters)
        return kb_fail(err, KB_ERR_USAGE, "there are no clusters without a model");
    c->cluster = strtoul(c->value, &end, 10);
    if (*end || *c->value < '0' || *c->value > '9')
        return kb_fail(err, KB_ERR_USAGE, "'%.60s' is not the number of a cluster", c->value);
    return KB_OK;
}

static kb_status parse_condition(struct condition *out, const kb_selecting *selecting,
                                 const char *text, kb_error *err)
{
    size_t length = strcspn(text, "=");
    if (!text[length])
        return kb_fail(err, KB_ERR_USAGE, "'%.100s' is not KEY=VALUE or KEY!=VALUE", text);
    *out = (struct condition){.value = text + length + 1};
    out->negated = length && text[length - 1] == '!';
    if (!find_key(&out->key, text, length - out->negated))
        return kb_fail(err, KB_ERR_USAGE,
                       "'%.*s' is not session, user, version, split, label or cluster",
                       (int)(length < 60 ? length : 60), text);
    return check_value(out, selecting, err);
}

static bool holds(const struct condition *c, const kb_selecting *selecting, size_t s)
{
    const kb_session *session = kb_corpus_session(selecting->corpus, s);
    if (c->key == KEY_CLUSTER)
        return (selecting->clusters[s] == c->cluster) != c->negated;
    const char *const has[KEYS] = {[KEY_SESSION] = session->name,
                                   [KEY_USER] = session->user,
                                   [KEY_VERSION] = session->version,
                                   [KEY_SPLIT] = kb_split_name(session->split),
                                   [KEY_LABEL] = session->label};
    return (strcmp(has[c->key], c->value) == 0) != c->negated;
}

kb_status kb_select_where(bool *chosen, const kb_selecting *selecting, const char *condition,
                          kb_error *err)
{
    struct condition c = {0};
    kb_status status = parse_condition(&c, selecting, condition, err);
    for (size_t s = 0; !status && s < kb_corpus_sessions(selecting->corpus); s++)
        chosen[s] = chosen[s] && holds(&c, selecting, s);
    return status;
}

/* --- names -------------------------------------------------------------------------------- */

struct naming {
    const kb_corpus *corpus;
    const char *path;
    bool *named;
};

static kb_status take_name(const struct naming *n, const kb_field *field, uint64_t line,
                           kb_error *err)
{
    size_t id = kb_store_find_session(kb_corpus_store(n->corpus), field->text);
    if (id == SIZE_MAX)
        return kb_fail(err, KB_ERR_FORMAT, "%s:%llu: no session '%.100s' in %s", n->path,
                       (unsigned long long)line, field->text, kb_corpus_path(n->corpus));
    n->named[id] = true;
    return KB_OK;
}

/* Where the names stand: *COLUMN, and whether the first row is one of them. */
static kb_status find_column(size_t *column, bool *headless, kb_csv *csv, const char *path,
                             kb_error *err)
{
    const kb_column session = {"session", false, NULL};
    kb_status status = kb_csv_find_column(csv, &session, column, err);
    if (status)
        return status;
    *headless = *column == SIZE_MAX && kb_csv_width(csv) == 1;
    if (*headless)
        *column = 0;
    if (*column == SIZE_MAX)
        return kb_fail(err, KB_ERR_FORMAT, "%s: no column 'session'", path);
    return KB_OK;
}

static kb_status take_names(const struct naming *n, kb_csv *csv, kb_error *err)
{
    size_t column = 0;
    bool headless = false, got = true;
    kb_status status = find_column(&column, &headless, csv, n->path, err);
    if (!status && headless) {
        kb_field name = kb_csv_name(csv, 0);
        status = take_name(n, &name, kb_csv_header_line(csv), err);
    }
    while (!status && got) {
        const kb_field *fields;
        status = kb_csv_next(csv, &fields, &got, err);
        if (!status && got && fields)
            status = take_name(n, &fields[column], kb_csv_line(csv), err);
    }
    return status;
}

kb_status kb_select_named(bool *chosen, const kb_corpus *corpus, const char *path,
                          const kb_progress *progress, kb_error *err)
{
    size_t sessions = kb_corpus_sessions(corpus);
    struct naming n = {corpus, path, kb_calloc(sessions, sizeof *n.named)};
    kb_problems *problems = kb_problems_create((kb_problem_listener){NULL, NULL});
    kb_csv *csv = NULL;
    kb_status status = n.named && problems ? KB_OK : kb_fail_memory(err, "the names of sessions");
    const kb_csv_options options = {.strict = true, .problems = problems, .progress = progress};
    if (!status)
        status = kb_csv_open(&csv, path, &options, err);
    if (!status)
        status = take_names(&n, csv, err);
    for (size_t s = 0; !status && s < sessions; s++)
        chosen[s] = chosen[s] && n.named[s];
    kb_csv_close(csv);
    kb_problems_free(problems);
    free(n.named);
    return status;
}
