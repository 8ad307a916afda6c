#include "tally.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fdr.h"
#include "memory.h"
#include "trend.h"

const char *kb_tally_by_name(kb_tally_by by)
{
    return by == KB_BY_DAY ? "day" : "version";
}

const char *kb_trend_kind_name(kb_trend_kind kind)
{
    return kind == KB_TREND_ORDERED ? "ordered" : "any";
}

const char *kb_time_unit_name(kb_time_unit unit)
{
    static const char *const names[KB_TIME_UNITS] = {"auto", "s", "ms", "us", "ns"};
    return names[unit];
}

/* --- days --------------------------------------------------------------------------------- */

enum { DAY = 86400 };

static const int64_t FIRST_DATE = 365 * INT64_C(86400); /* earlier ones are counters, not dates */

static int64_t per_second(kb_time_unit unit, int64_t latest)
{
    static const int64_t in[KB_TIME_UNITS] = {0, 1, 1000, 1000000, 1000000000};
    if (unit != KB_UNIT_AUTO)
        return in[unit];
    for (int i = KB_UNIT_SECONDS; i < KB_UNIT_NANOSECONDS; i++)
        if (latest / in[i] < INT64_C(100000000000))
            return in[i];
    return in[KB_UNIT_NANOSECONDS];
}

static bool last_time(const kb_store *store, size_t session, int64_t *time)
{
    size_t length = kb_store_length(store, session);
    if (length)
        *time = kb_store_time(store, session, length - 1).whole;
    return length > 0;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* "YYYY-MM-DD" of a day since 1970-01-01 in the proleptic Gregorian calendar: eras of 400 years
 * that begin in March, so that the leap day comes last (Hinnant, "chrono-compatible low-level date
 * algorithms"). */
static void format_day(int64_t day, char *text, size_t size)
{
    int64_t from_zero = day + 719468, era = floor_div(from_zero, 146097);
    int64_t of_era = from_zero - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100),
            month = (5 * of_year + 2) / 153;
    int64_t of_month = of_year - (153 * month + 2) / 5 + 1;
    int64_t calendar = month < 10 ? month + 3 : month - 9;
    snprintf(text, size, "%04" PRId64 "-%02d-%02d", year + era * 400 + (calendar <= 2),
             (int)calendar, (int)of_month);
}

/* --- what is counted ---------------------------------------------------------------------- */

/* A session with a cluster. */
struct entry {
    size_t row, group;
    uint32_t user; /* KB_NAME_NONE: unknown */
    bool emerging;
    int64_t day;
    const char *version;
    bool known; /* its day or version */
};

struct tallying {
    const kb_tally_options *options;
    struct entry *entries;
    size_t count;
    kb_tally *out;
};

static size_t row_of(const kb_model *model, uint32_t number)
{
    size_t row = 0;
    while (row < kb_model_clusters(model) && kb_model_cluster(model, row)->number != number)
        row++;
    return row;
}

static bool take_users(struct entry *entries, size_t count, const kb_corpus *corpus,
                       const size_t *sessions, const kb_assignment *assigned)
{
    kb_names *users = kb_names_create();
    bool ok = users != NULL;
    size_t n = 0;
    for (size_t i = 0; ok && i < count; i++) {
        const char *user = kb_corpus_session(corpus, sessions[i])->user;
        if (!assigned[i].cluster)
            continue;
        struct entry *entry = &entries[n++];
        entry->user = *user ? kb_names_add(users, user, strlen(user)) : KB_NAME_NONE;
        ok = !*user || entry->user != KB_NAME_NONE;
    }
    kb_names_free(users);
    return ok;
}

static void take_days(struct tallying *t, const kb_store *store, const size_t *ids)
{
    int64_t latest = INT64_MIN, time;
    for (size_t s = 0; s < kb_store_sessions(store); s++)
        if (last_time(store, s, &time) && time > latest)
            latest = time;
    int64_t unit = per_second(t->options->unit, latest);
    for (size_t i = 0; i < t->count; i++) {
        struct entry *entry = &t->entries[i];
        entry->known = floor_div(latest, unit) >= FIRST_DATE && last_time(store, ids[i], &time);
        entry->day = entry->known ? floor_div(floor_div(time, unit), DAY) : 0;
    }
}

static kb_status take_entries(struct tallying *t, const kb_model *model, const kb_corpus *corpus,
                              const size_t *sessions, const kb_assignment *assigned, size_t count,
                              kb_error *err)
{
    size_t *ids = kb_calloc(count, sizeof *ids);
    t->entries = kb_calloc(count, sizeof *t->entries);
    bool ok = ids && t->entries;
    for (size_t i = 0; ok && i < count; i++) {
        if (!assigned[i].cluster)
            continue;
        const char *version = kb_corpus_session(corpus, sessions[i])->version;
        ids[t->count] = sessions[i];
        t->entries[t->count++] = (struct entry){.row = row_of(model, assigned[i].cluster),
                                                .emerging = assigned[i].emerging,
                                                .version = version,
                                                .known = *version != '\0'};
    }
    ok = ok && take_users(t->entries, count, corpus, sessions, assigned);
    if (ok && t->options->by == KB_BY_DAY)
        take_days(t, kb_corpus_store(corpus), ids);
    free(ids);
    return ok ? KB_OK : kb_fail_memory(err, "a tally");
}

/* --- groups ------------------------------------------------------------------------------- */

static int compare_known(const struct entry *a, const struct entry *b)
{
    return a->known == b->known ? 0 : a->known ? -1 : 1;
}

static int by_day(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int known = compare_known(x, y);
    return known ? known : (x->day > y->day) - (x->day < y->day);
}

static int by_version(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int known = compare_known(x, y);
    return known ? known : strverscmp(x->version, y->version);
}

static bool name_group(kb_tally_group *group, const struct entry *entry, kb_tally_by by)
{
    char day[48] = "";
    if (by == KB_BY_DAY && entry->known)
        format_day(entry->day, day, sizeof day);
    group->name = kb_strdup(by == KB_BY_DAY ? day : entry->known ? entry->version : "");
    return group->name != NULL;
}

/* Sorts the entries and makes a group of each run of equals. */
static kb_status make_groups(struct tallying *t, kb_error *err)
{
    kb_tally_by by = t->options->by;
    int (*compare)(const void *, const void *) = by == KB_BY_DAY ? by_day : by_version;
    size_t capacity = 0;
    kb_tally *out = t->out;
    qsort(t->entries, t->count, sizeof *t->entries, compare);
    for (size_t i = 0; i < t->count; i++) {
        struct entry *entry = &t->entries[i];
        if (!i || compare(entry - 1, entry) != 0) {
            if (!kb_grow((void **)&out->groups, &capacity, out->group_count + 1,
                         sizeof *out->groups))
                return kb_fail_memory(err, "a tally");
            kb_tally_group *group = &out->groups[out->group_count];
            *group =
                (kb_tally_group){.score = by == KB_BY_DAY ? entry->day : (int64_t)out->group_count};
            out->group_count++;
            if (!name_group(group, entry, by))
                return kb_fail_memory(err, "a tally");
        }
        entry->group = out->group_count - 1;
        out->groups[entry->group].sessions++;
    }
    return KB_OK;
}

/* --- rows --------------------------------------------------------------------------------- */

static kb_status make_rows(kb_tally *out, const kb_model *model, kb_error *err)
{
    size_t rows = kb_model_clusters(model) + 1;
    out->rows = kb_calloc(rows, sizeof *out->rows);
    if (!out->rows)
        return kb_fail_memory(err, "a tally");
    out->row_count = rows;
    for (size_t r = 0; r < rows; r++) {
        kb_tally_row *row = &out->rows[r];
        row->cluster = r + 1 < rows ? kb_model_cluster(model, r)->number : 0;
        row->cells = kb_calloc(out->group_count, sizeof *row->cells);
        if (!row->cells)
            return kb_fail_memory(err, "a tally");
    }
    return KB_OK;
}

static void count_sessions(struct tallying *t)
{
    kb_tally *out = t->out;
    for (size_t i = 0; i < t->count; i++) {
        struct entry *entry = &t->entries[i];
        out->rows[entry->row].emerging += entry->emerging;
        if (entry->emerging)
            entry->row = out->row_count - 1;
        out->rows[entry->row].sessions++;
        out->rows[entry->row].cells[entry->group].sessions++;
    }
    out->rows[out->row_count - 1].emerging = out->rows[out->row_count - 1].sessions;
}

static int by_user(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->row != y->row)
        return x->row < y->row ? -1 : 1;
    if (x->user != y->user)
        return x->user < y->user ? -1 : 1;
    return (x->group > y->group) - (x->group < y->group);
}

static void count_users(struct tallying *t)
{
    qsort(t->entries, t->count, sizeof *t->entries, by_user);
    for (size_t i = 0; i < t->count; i++) {
        const struct entry *entry = &t->entries[i], *before = i ? entry - 1 : NULL;
        if (entry->user == KB_NAME_NONE)
            continue;
        kb_tally_row *row = &t->out->rows[entry->row];
        bool same = before && before->row == entry->row && before->user == entry->user;
        row->users += !same;
        row->cells[entry->group].users += !same || before->group != entry->group;
    }
}

/* --- trends ------------------------------------------------------------------------------- */

struct columns {
    int64_t *scores;
    uint64_t *hits, *totals;
    size_t count; /* groups that are known */
};

static kb_status test_row(kb_tally_row *row, const struct columns *c, kb_trend_kind kind,
                          kb_error *err)
{
    for (size_t g = 0; g < c->count; g++)
        c->hits[g] = row->cells[g].sessions;
    if (kind == KB_TREND_ORDERED)
        return kb_cochran_armitage(&row->trend, c->scores, c->hits, c->totals, c->count, err);
    row->trend = kb_chi_square_shares(c->hits, c->totals, c->count);
    return KB_OK;
}

static kb_status adjust(kb_tally *out, kb_error *err)
{
    double *ps = kb_calloc(out->row_count, sizeof *ps);
    if (!ps)
        return kb_fail_memory(err, "a tally");
    for (size_t r = 0; r < out->row_count; r++)
        ps[r] = out->rows[r].trend.p;
    kb_status status = kb_fdr(ps, ps, out->row_count, err);
    for (size_t r = 0; r < out->row_count; r++)
        out->rows[r].q = ps[r];
    free(ps);
    return status;
}

static kb_status test_rows(kb_tally *out, kb_trend_kind kind, kb_error *err)
{
    size_t groups = out->group_count;
    struct columns c = {kb_calloc(groups, sizeof *c.scores), kb_calloc(groups, sizeof *c.hits),
                        kb_calloc(groups, sizeof *c.totals), 0};
    kb_status status =
        c.scores && c.hits && c.totals ? KB_OK : kb_fail_memory(err, "a test of trend");
    for (size_t g = 0; !status && g < groups && *out->groups[g].name; g++) {
        c.scores[g] = out->groups[g].score;
        c.totals[g] = out->groups[g].sessions;
        c.count++;
    }
    for (size_t r = 0; !status && r < out->row_count; r++) {
        kb_tally_row *row = &out->rows[r];
        row->share = out->sessions ? (double)row->sessions / (double)out->sessions : (double)NAN;
        row->interval = kb_wilson(row->sessions, out->sessions);
        status = test_row(row, &c, kind, err);
    }
    free(c.scores);
    free(c.hits);
    free(c.totals);
    return status ? status : adjust(out, err);
}

kb_status kb_tally_of(kb_tally *out, const kb_model *model, const kb_corpus *corpus,
                      const size_t *sessions, const kb_assignment *assigned, size_t count,
                      const kb_tally_options *options, kb_error *err)
{
    *out = (kb_tally){0};
    struct tallying t = {.options = options, .out = out};
    kb_status status = take_entries(&t, model, corpus, sessions, assigned, count, err);
    out->sessions = t.count;
    if (!status)
        status = make_groups(&t, err);
    if (!status)
        status = make_rows(out, model, err);
    if (!status) {
        count_sessions(&t);
        count_users(&t);
        status = test_rows(out, options->trend, err);
    }
    free(t.entries);
    if (status)
        kb_tally_clear(out);
    return status;
}

void kb_tally_clear(kb_tally *tally)
{
    for (size_t g = 0; g < tally->group_count; g++)
        free(tally->groups[g].name);
    for (size_t r = 0; r < tally->row_count; r++)
        free(tally->rows[r].cells);
    free(tally->groups);
    free(tally->rows);
    *tally = (kb_tally){0};
}
