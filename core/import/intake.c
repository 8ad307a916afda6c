#include "intake.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "csv_rows.h"
#include "listing.h"
#include "memory.h"
#include "names.h"
#include "number.h"

/* What is known of one session: ids in texts, KB_NAME_NONE where nothing is. */
struct known {
    uint32_t traits[KB_TRAITS];
    bool told[KB_TRAITS]; /* that there is another value */
};

/* Why there may be nothing usable: what was said first. */
struct first {
    char *file; /* NULL: nothing was said */
    uint64_t line;
    char reason[KB_REASON];
};

struct kb_intake {
    const kb_import_options *options;
    kb_corpus_writer *writer;
    kb_table *metrics, *events; /* NULL before their first row */
    kb_problems *problems;
    kb_names *sessions, *objects, *users; /* seen so far */
    kb_names *listed, *texts;             /* sessions of which something is known, and what */
    struct known *known;                  /* by id in listed */
    size_t known_capacity;
    uint32_t *owners; /* by id in objects: the session that had it first; while nothing is shared */
    size_t owner_capacity;
    bool shared;       /* an object occurs in two sessions */
    kb_names *damaged; /* files */
    uint64_t readings, event_rows, left_out, described;
    struct first problem, idle;
};

/* --- opening and the end ----------------------------------------------------------------- */
static void dispose(kb_intake *intake)
{
    kb_problems_free(intake->problems);
    kb_names_free(intake->sessions);
    kb_names_free(intake->objects);
    kb_names_free(intake->users);
    kb_names_free(intake->listed);
    kb_names_free(intake->texts);
    kb_names_free(intake->damaged);
    free(intake->known);
    free(intake->owners);
    free(intake->problem.file);
    free(intake->idle.file);
    free(intake);
}

static bool allocate(kb_intake *intake)
{
    intake->problems = kb_problems_create(intake->options->problem);
    intake->sessions = kb_names_create();
    intake->objects = kb_names_create();
    intake->users = kb_names_create();
    intake->listed = kb_names_create();
    intake->texts = kb_names_create();
    intake->damaged = kb_names_create();
    return intake->problems && intake->sessions && intake->objects && intake->users &&
           intake->listed && intake->texts && intake->damaged;
}

kb_status kb_intake_open(kb_intake **out, const char *dir, const kb_import_options *options,
                         kb_error *err)
{
    *out = NULL;
    kb_intake *intake = kb_calloc(1, sizeof *intake);
    if (!intake)
        return kb_fail_memory(err, "an import");
    intake->options = options;
    kb_status status = allocate(intake) ? KB_OK : kb_fail_memory(err, "an import");
    if (!status)
        status = kb_corpus_writer_open(&intake->writer, dir, err);
    if (status) {
        kb_intake_abort(intake);
        return status;
    }
    *out = intake;
    return KB_OK;
}

void kb_intake_abort(kb_intake *intake)
{
    if (!intake)
        return;
    kb_corpus_writer_abort(intake->writer);
    dispose(intake);
}

static kb_cell cell_of(const kb_names *names, uint32_t id)
{
    if (id == KB_NAME_NONE)
        return (kb_cell){"", 0};
    return (kb_cell){kb_names_get(names, id), kb_names_length(names, id)};
}

static kb_status write_sessions(kb_intake *intake, kb_error *err)
{
    size_t count = kb_names_count(intake->listed);
    kb_table *table;
    if (!count)
        return KB_OK;
    kb_status status = kb_corpus_writer_table(intake->writer, &table, "sessions.csv",
                                              "session,user,version,split,label", err);
    for (uint32_t id = 0; id < count && !status; id++) {
        kb_cell cells[1 + KB_TRAITS] = {cell_of(intake->listed, id)};
        for (size_t t = 0; t < KB_TRAITS; t++)
            cells[1 + t] = cell_of(intake->texts, intake->known[id].traits[t]);
        status = kb_table_row(table, cells, 1 + KB_TRAITS, err);
    }
    return status;
}

/* "FILE:LINE: reason", or "line LINE: reason" where FILE is all of IN. */
static void place_text(char *text, size_t size, const struct first *first, const char *in)
{
    if (strcmp(first->file, in) != 0 && first->line)
        snprintf(text, size, "%.200s:%" PRIu64 ": %s", first->file, first->line, first->reason);
    else if (strcmp(first->file, in) != 0)
        snprintf(text, size, "%.200s: %s", first->file, first->reason);
    else if (first->line)
        snprintf(text, size, "line %" PRIu64 ": %s", first->line, first->reason);
    else
        snprintf(text, size, "%s", first->reason);
}

static kb_status nothing_usable(const kb_intake *intake, const char *in, kb_error *err)
{
    const struct first *first = intake->problem.file ? &intake->problem : &intake->idle;
    char described[80] = "", why[KB_REASON + 240] = "";
    if (intake->described)
        snprintf(described, sizeof described, "; %" PRIu64 " line%s only describe%s %s",
                 intake->described, intake->described == 1 ? "" : "s",
                 intake->described == 1 ? "s" : "",
                 intake->described == 1 ? "a session" : "sessions");
    if (first->file)
        place_text(why, sizeof why, first, in);
    kb_fail(err, KB_ERR_FORMAT, "%.300s: no usable reading or event in it%s%s%s", in, described,
            *why ? "; " : "", why);
    if (err)
        kb_printable(err->text);
    return KB_ERR_FORMAT;
}

kb_status kb_intake_commit(kb_intake *intake, const char *in, kb_import_result *result,
                           kb_error *err)
{
    *result = (kb_import_result){.sessions = kb_names_count(intake->sessions),
                                 .objects = kb_names_count(intake->objects),
                                 .users = kb_names_count(intake->users),
                                 .readings = intake->readings,
                                 .events = intake->event_rows,
                                 .left_out = intake->left_out,
                                 .problems = kb_problems_count(intake->problems),
                                 .damaged = kb_names_count(intake->damaged)};
    kb_status status = KB_OK;
    if (!intake->readings && !intake->event_rows)
        status = nothing_usable(intake, in, err);
    if (!status)
        status = write_sessions(intake, err);
    if (status) {
        kb_intake_abort(intake);
        return status;
    }
    status = kb_corpus_writer_commit(intake->writer, err);
    dispose(intake);
    return status;
}

/* --- problems ---------------------------------------------------------------------------- */
/* Without memory nothing is remembered. */
static void remember_first(struct first *first, const kb_place *at, const char *reason)
{
    if (first->file)
        return;
    first->file = kb_strdup(at->file);
    first->line = at->line;
    snprintf(first->reason, sizeof first->reason, "%.200s%s%.300s", at->where ? at->where : "",
             at->where ? ": " : "", reason);
}

static kb_status tell(kb_intake *intake, const kb_place *at, kb_problem_kind kind,
                      const char *reason, kb_error *err)
{
    const char *where = at->where ? at->where : "", *colon = at->where ? ": " : "";
    remember_first(&intake->problem, at, reason);
    kb_problems_add(intake->problems, at->file, at->line, kind, "%.200s%s%s", where, colon, reason);
    if (!intake->options->strict)
        return KB_OK;
    char line[24] = "";
    if (at->line)
        snprintf(line, sizeof line, ":%" PRIu64, at->line);
    kb_fail(err, KB_ERR_FORMAT, "%s%s: %.200s%s%s", at->file, line, where, colon, reason);
    if (err)
        kb_printable(err->text);
    return KB_ERR_FORMAT;
}

uint64_t kb_intake_rows(const kb_intake *intake)
{
    return intake->readings + intake->event_rows;
}

kb_status kb_intake_reject(kb_intake *intake, const kb_place *at, kb_error *err, const char *format,
                           ...)
{
    char reason[KB_REASON];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    intake->left_out++;
    return tell(intake, at, KB_PROBLEM_OTHER, reason, err);
}

kb_status kb_intake_tell(kb_intake *intake, const kb_place *at, kb_error *err, const char *format,
                         ...)
{
    char reason[KB_REASON];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    return tell(intake, at, KB_PROBLEM_OTHER, reason, err);
}

void kb_intake_left_out(kb_intake *intake, uint64_t rows)
{
    intake->left_out += rows;
}

kb_status kb_intake_damage(kb_intake *intake, const char *file, uint64_t line,
                           const kb_error *damage, kb_error *err)
{
    size_t named = strlen(file);
    const char *reason = damage->text;
    if (strncmp(reason, file, named) == 0 && strncmp(reason + named, ": ", 2) == 0)
        reason += named + 2;
    if (kb_names_add(intake->damaged, file, strlen(file)) == KB_NAME_NONE)
        return kb_fail_memory(err, "the names of files");
    return tell(intake, &(kb_place){file, line, NULL}, KB_PROBLEM_DAMAGE, reason, err);
}

void kb_intake_idle(kb_intake *intake, const kb_place *at, bool describes, const char *reason)
{
    intake->described += describes;
    remember_first(&intake->idle, at, reason);
}

/* --- what passes ------------------------------------------------------------------------- */
bool kb_intake_name(const char *what, kb_cell name, char *reason)
{
    if (!name.length)
        snprintf(reason, KB_REASON, "empty %s", what);
    else if (name.length > KB_FIELD_MAX)
        snprintf(reason, KB_REASON, "%s longer than %d bytes", what, KB_FIELD_MAX);
    else if (memchr(name.text, 0, name.length))
        snprintf(reason, KB_REASON, "%s with a NUL character", what);
    else if (!kb_utf8_valid(name.text, name.length))
        snprintf(reason, KB_REASON, "%s is not UTF-8", what);
    else
        return true;
    return false;
}

/* What is wrong with a field. */
struct fault {
    kb_problem_kind kind;
    char reason[KB_REASON];
};

static kb_status reject_fault(kb_intake *intake, const kb_place *at, const struct fault *fault,
                              kb_error *err)
{
    intake->left_out++;
    return tell(intake, at, fault->kind, fault->reason, err);
}

static bool good_name(const char *what, kb_cell name, struct fault *fault)
{
    fault->kind = KB_PROBLEM_NAME;
    return kb_intake_name(what, name, fault->reason);
}

/* The first characters of a cell, for a message. */
static int shown(kb_cell cell)
{
    enum { MOST = 60 };
    return cell.length < MOST ? (int)cell.length : MOST;
}

static bool good_time(kb_cell time, struct fault *fault)
{
    kb_time parsed;
    const char *wrong = kb_time_parse(&parsed, time.text, time.length);
    fault->kind = KB_PROBLEM_TIME;
    if (wrong)
        snprintf(fault->reason, KB_REASON, "time '%.*s': %s", shown(time), time.text, wrong);
    return !wrong;
}

static bool is_infinite(kb_cell value)
{
    size_t sign = value.length && (*value.text == '+' || *value.text == '-');
    size_t length = value.length - sign;
    const char *s = value.text + sign;
    return (length == 3 && memcmp(s, "Inf", 3) == 0) ||
           (length == 8 && memcmp(s, "Infinity", 8) == 0);
}

static bool good_value(kb_cell value, struct fault *fault)
{
    float parsed;
    const char *wrong = kb_value_parse(&parsed, value.text, value.length);
    bool number = !wrong || strcmp(wrong, "not a number") != 0;
    fault->kind = number ? KB_PROBLEM_RANGE : KB_PROBLEM_NUMBER;
    if (wrong && is_infinite(value))
        wrong = "infinite";
    if (wrong)
        snprintf(fault->reason, KB_REASON, "value '%.*s': %s", shown(value), value.text, wrong);
    return !wrong;
}

static kb_status open_table(kb_intake *intake, kb_table **table, const char *name,
                            const char *header, kb_error *err)
{
    return *table ? KB_OK : kb_corpus_writer_table(intake->writer, table, name, header, err);
}

static bool remember(kb_names *names, kb_cell name)
{
    return kb_names_add(names, name.text, name.length) != KB_NAME_NONE;
}

/* Both names, and whether the object occurs in another session as well; false: no memory. */
static bool remember_pair(kb_intake *intake, kb_cell session, kb_cell object)
{
    size_t before = kb_names_count(intake->objects);
    uint32_t s = kb_names_add(intake->sessions, session.text, session.length);
    uint32_t o = kb_names_add(intake->objects, object.text, object.length);
    if (s == KB_NAME_NONE || o == KB_NAME_NONE)
        return false;
    if (intake->shared)
        return true;
    if (!kb_grow((void **)&intake->owners, &intake->owner_capacity, (size_t)o + 1,
                 sizeof *intake->owners))
        return false;
    if (o == before)
        intake->owners[o] = s;
    intake->shared = intake->owners[o] != s;
    return true;
}

bool kb_intake_shared(const kb_intake *intake)
{
    return intake->shared;
}

bool kb_intake_apart(const kb_intake *intake)
{
    if (intake->shared)
        return false;
    for (size_t o = 1; o < kb_names_count(intake->objects); o++)
        if (intake->owners[o] != intake->owners[0])
            return true;
    return false;
}

kb_status kb_intake_reading(kb_intake *intake, const kb_place *at, kb_cell session, kb_cell time,
                            kb_cell object, kb_cell value, kb_error *err)
{
    struct fault fault;
    if (!good_name("session", session, &fault) || !good_name("object", object, &fault) ||
        !good_time(time, &fault) || !good_value(value, &fault))
        return reject_fault(intake, at, &fault, err);
    kb_status status =
        open_table(intake, &intake->metrics, "metrics.csv.gz", "session,time,object,value", err);
    if (status)
        return status;
    if (!remember_pair(intake, session, object))
        return kb_fail_memory(err, "names");
    intake->readings++;
    const kb_cell cells[] = {session, time, object, value};
    return kb_table_row(intake->metrics, cells, 4, err);
}

kb_status kb_intake_event(kb_intake *intake, const kb_place *at, kb_cell user, kb_cell time,
                          kb_cell event, kb_cell session, kb_error *err)
{
    struct fault fault;
    if (!good_name("user", user, &fault) || !good_time(time, &fault) ||
        !good_name("event", event, &fault) ||
        (session.length && !good_name("session", session, &fault)))
        return reject_fault(intake, at, &fault, err);
    kb_status status =
        open_table(intake, &intake->events, "events.csv.gz", "user,time,event,session", err);
    if (status)
        return status;
    if (!remember(intake->users, user))
        return kb_fail_memory(err, "names");
    intake->event_rows++;
    const kb_cell cells[] = {user, time, event, session};
    return kb_table_row(intake->events, cells, 4, err);
}

/* --- what is known of sessions ----------------------------------------------------------- */
static const char *const trait_names[KB_TRAITS] = {"user", "version", "split", "label"};

static bool good_split(kb_cell text, struct fault *fault)
{
    char name[16];
    kb_split split;
    snprintf(name, sizeof name, "%.*s", shown(text), text.text);
    bool good = strlen(name) == text.length && kb_split_parse(&split, name);
    fault->kind = KB_PROBLEM_SESSION;
    if (!good)
        snprintf(fault->reason, KB_REASON,
                 "split '%.*s': neither train, validation, emerging nor later", shown(text),
                 text.text);
    return good;
}

static struct known *known_of(kb_intake *intake, kb_cell session)
{
    size_t before = kb_names_count(intake->listed);
    uint32_t id = kb_names_add(intake->listed, session.text, session.length);
    if (id == KB_NAME_NONE || !kb_grow((void **)&intake->known, &intake->known_capacity,
                                       (size_t)id + 1, sizeof *intake->known))
        return NULL;
    struct known *known = &intake->known[id];
    if (kb_names_count(intake->listed) == before)
        return known;
    *known = (struct known){0};
    for (size_t t = 0; t < KB_TRAITS; t++)
        known->traits[t] = KB_NAME_NONE;
    return known;
}

static kb_status set_trait(kb_intake *intake, struct known *known, const kb_place *at,
                           kb_cell session, size_t trait, kb_cell text, kb_error *err)
{
    uint32_t id = kb_names_add(intake->texts, text.text, text.length);
    if (id == KB_NAME_NONE)
        return kb_fail_memory(err, "names");
    if (known->traits[trait] == KB_NAME_NONE)
        known->traits[trait] = id;
    if (known->traits[trait] == id || known->told[trait])
        return KB_OK;
    known->told[trait] = true;
    char reason[KB_REASON];
    snprintf(reason, sizeof reason, "session '%.*s' has %s '%.60s' already, '%.*s' is ignored",
             shown(session), session.text, trait_names[trait],
             kb_names_get(intake->texts, known->traits[trait]), shown(text), text.text);
    return tell(intake, at, KB_PROBLEM_SESSION, reason, err);
}

kb_status kb_intake_session(kb_intake *intake, const kb_place *at, kb_cell session,
                            const kb_cell traits[KB_TRAITS], kb_error *err)
{
    struct fault fault;
    kb_status status = KB_OK;
    if (!good_name("session", session, &fault))
        return tell(intake, at, fault.kind, fault.reason, err);
    for (size_t t = 0; t < KB_TRAITS && !status; t++) {
        if (!traits[t].length)
            continue;
        if (!good_name(trait_names[t], traits[t], &fault) ||
            (t == KB_TRAIT_SPLIT && !good_split(traits[t], &fault))) {
            status = tell(intake, at, fault.kind, fault.reason, err);
            continue;
        }
        struct known *known = known_of(intake, session);
        if (!known || !remember(intake->sessions, session))
            return kb_fail_memory(err, "names");
        status = set_trait(intake, known, at, session, t, traits[t], err);
    }
    return status;
}
