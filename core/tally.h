/* tally: how many sessions each cluster has, of how many users, and whether its share changes from
 * day to day or from version to version. */
#ifndef KB_TALLY_H
#define KB_TALLY_H

#include "corpus.h"
#include "model.h"
#include "shares.h"

typedef enum kb_tally_by {
    KB_BY_DAY,    /* the UTC day of the session's last reading */
    KB_BY_VERSION /* of sessions.csv; ordered as versions are, 3.9 before 3.10 */
} kb_tally_by;

enum { KB_TALLY_BYS = 2 };

const char *kb_tally_by_name(kb_tally_by by); /* "day", "version" */

typedef enum kb_trend_kind {
    KB_TREND_ORDERED, /* rises or falls: Cochran-Armitage, days by their date, versions by rank */
    KB_TREND_ANY      /* differs at all: Pearson's chi-square */
} kb_trend_kind;

enum { KB_TREND_KINDS = 2 };

const char *kb_trend_kind_name(kb_trend_kind kind); /* "ordered", "any" */

/* What one is in times. */
typedef enum kb_time_unit {
    KB_UNIT_AUTO, /* by the corpus's latest time: seconds below 1e11 (until the year 5138),
                     milliseconds below 1e14, microseconds below 1e17, nanoseconds */
    KB_UNIT_SECONDS,
    KB_UNIT_MILLISECONDS,
    KB_UNIT_MICROSECONDS,
    KB_UNIT_NANOSECONDS
} kb_time_unit;

enum { KB_TIME_UNITS = 5 };

const char *kb_time_unit_name(kb_time_unit unit); /* "auto", "s", "ms", "us", "ns" */

typedef struct kb_tally_group {
    char *name;      /* "2026-05-01", "3.1"; "" for sessions of which it is not known */
    int64_t score;   /* days since 1970-01-01, or the rank of the version */
    size_t sessions; /* of all clusters, the emerging ones included */
} kb_tally_group;

typedef struct kb_tally_cell {
    size_t sessions, users;
} kb_tally_cell;

typedef struct kb_tally_row {
    uint32_t cluster; /* number; 0: the emerging sessions of all clusters */
    size_t sessions;  /* without the emerging ones */
    size_t emerging;  /* those nearest to this cluster */
    size_t users;     /* different names; sessions without a user are of none */
    double share;     /* sessions / all */
    kb_interval interval;
    kb_share_test trend;  /* over groups that are known */
    double q;             /* by Benjamini and Hochberg over the rows */
    kb_tally_cell *cells; /* one a group */
} kb_tally_row;

typedef struct kb_tally {
    size_t sessions; /* that have a cluster */
    size_t group_count;
    kb_tally_group *groups; /* in order; the unknown one last, where there is one */
    size_t row_count;
    kb_tally_row *rows; /* the model's clusters by number, those of no session too, then the
                           emerging sessions */
} kb_tally;

typedef struct kb_tally_options {
    kb_tally_by by;
    kb_trend_kind trend;
    kb_time_unit unit;
} kb_tally_options;

/* Of SESSIONS (COUNT ids of CORPUS), session i as ASSIGNED[i] says; those without a cluster are
 * left out. A corpus whose latest time is before 1971 has times but no dates: no day is known. OUT
 * is cleared by the caller on success. KB_ERR_MEMORY. */
kb_status kb_tally_of(kb_tally *out, const kb_model *model, const kb_corpus *corpus,
                      const size_t *sessions, const kb_assignment *assigned, size_t count,
                      const kb_tally_options *options, kb_error *err);
void kb_tally_clear(kb_tally *tally);

#endif
