#include "generate.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "corpus.h"
#include "corpus_writer.h"
#include "memory.h"
#include "world.h"

enum {
    FIRST_SECOND = 1767600000, /* when the first session begins */
    PERIOD = 5,                /* seconds between two samples */
    SPACING = 900, /* seconds between the beginnings of two sessions, of whichever users */
    MISC = -1,     /* the type of a session with nothing planted */
    SHARDS_MAX = 256
};

static const double MISC_SHARE = .04;
static const double TYPE_RATIO = .85;        /* each type is that much of the one before */
static const double WORKFLOW_PRESENCE = .45; /* of its objects, where a session follows it */
static const double LEAK_PRESENCE = .9, COMPANION_PRESENCE = .6;
static const double HABIT = .75;         /* how often an object behaves as it usually does */
static const double TYPICAL_END = .85;   /* how often the last events are those of the type */
static const double SHORT_SHARE = .15;   /* sessions that crashed early */
static const double EVICTED_SHARE = .06; /* runs without a crash that end without app.terminated */

/* --- options ------------------------------------------------------------------------------ */

kb_generate_options kb_generate_defaults(void)
{
    return (kb_generate_options){
        .sessions = 400, .objects = 200, .timesteps = 100, .types = 6, .seed = 1, .shards = 1};
}

static kb_status check_range(const char *option, size_t value, size_t low, size_t high,
                             kb_error *err)
{
    if (value >= low && value <= high)
        return KB_OK;
    return kb_fail(err, KB_ERR_USAGE, "%s is %zu; it must be between %zu and %zu", option, value,
                   low, high);
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

kb_status kb_generate_check(const kb_generate_options *options, kb_error *err)
{
    kb_status status = check_range("sessions", options->sessions, 20, 10000000, err);
    if (!status)
        status = check_range("objects", options->objects, 40, 1000000, err);
    if (!status)
        status = check_range("timesteps", options->timesteps, 10, 65535, err);
    /* Each type needs sessions to be found in and objects to leak. */
    size_t most = smaller(64, smaller(options->sessions / 10, options->objects / 5));
    if (!status)
        status = check_range("types", options->types, 1, most, err);
    return status ? status : check_range("shards", options->shards, 1, SHARDS_MAX, err);
}

/* --- the plan: which session is what ------------------------------------------------------ */

struct item {
    kb_split split;
    int crash; /* index into the world's crashes, or MISC */
};

static size_t share_of(size_t total, double share)
{
    return (size_t)llround((double)total * share);
}

/* How much of SPLIT each type has. Version 3.2 fixed the second type, and its fix made the last one
 * worse. */
static double weight_of(size_t type, size_t types, kb_split split)
{
    double weight = pow(TYPE_RATIO, (double)type);
    if (split == KB_SPLIT_LATER && types >= 4) {
        if (type == 1)
            return 0;
        if (type == types - 1)
            return 3 * weight;
    }
    return weight;
}

/* COUNTS (of the types) becomes how many of SESSIONS each gets: at least one where there are
 * enough, the rest by weight, what rounding leaves over to the first ones. */
static void apportion(size_t *counts, size_t types, kb_split split, size_t sessions)
{
    double total = 0;
    for (size_t y = 0; y < types; y++)
        total += weight_of(y, types, split);
    size_t floor = sessions >= 2 * types, left = sessions;
    for (size_t y = 0; y < types; y++) {
        double weight = weight_of(y, types, split);
        counts[y] = (size_t)((double)sessions * weight / total);
        if (weight > 0 && counts[y] < floor)
            counts[y] = floor;
        counts[y] = smaller(counts[y], left);
        left -= counts[y];
    }
    for (size_t y = 0; left; y = (y + 1) % types)
        if (weight_of(y, types, split) > 0) {
            counts[y]++;
            left--;
        }
}

static struct item *plan_known(struct item *item, kb_split split, size_t sessions, size_t types)
{
    size_t counts[64], misc = share_of(sessions, MISC_SHARE);
    for (size_t i = 0; i < misc; i++)
        *item++ = (struct item){split, MISC};
    apportion(counts, types, split, sessions - misc);
    for (size_t y = 0; y < types; y++)
        for (size_t i = 0; i < counts[y]; i++)
            *item++ = (struct item){split, (int)y};
    return item;
}

static void shuffle_items(kb_rng *rng, struct item *items, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t j = kb_rng_below(rng, i);
        struct item was = items[i - 1];
        items[i - 1] = items[j];
        items[j] = was;
    }
}

/* ITEMS in order of time: fitted and held-out sessions mixed, then the emerging ones, then those of
 * the next version. */
static void draw_plan(struct item *items, const kb_generate_options *options)
{
    kb_rng rng = kb_rng_start(options->seed, KB_STREAM_GENERATE + 100);
    size_t n = options->sessions, validation = share_of(n, .15), later = share_of(n, .10);
    size_t emerging = share_of(n, .03) > 2 ? share_of(n, .03) : 2;
    size_t train = n - validation - emerging - later;
    struct item *next = plan_known(items, KB_SPLIT_TRAIN, train, options->types);
    next = plan_known(next, KB_SPLIT_VALIDATION, validation, options->types);
    shuffle_items(&rng, items, train + validation);
    for (size_t i = 0; i < emerging; i++)
        *next++ = (struct item){KB_SPLIT_EMERGING, (int)(options->types + i % 2)};
    plan_known(next, KB_SPLIT_LATER, later, options->types);
    shuffle_items(&rng, next, later);
}

/* --- the files ---------------------------------------------------------------------------- */

struct files {
    kb_corpus_writer *writer;
    kb_table *metrics[SHARDS_MAX], *events, *sessions, *truth;
};

static kb_status open_shards(struct files *files, size_t shards, kb_error *err)
{
    kb_status status = KB_OK;
    for (size_t i = 0; !status && i < shards; i++) {
        char name[48] = "metrics.csv.gz";
        if (shards > 1)
            snprintf(name, sizeof name, "metrics-%03zu.csv.gz", i);
        status = kb_corpus_writer_table(files->writer, &files->metrics[i], name,
                                        "session,time,object,value", err);
    }
    return status;
}

static kb_status open_files(struct files *files, size_t shards, kb_error *err)
{
    kb_status status = open_shards(files, shards, err);
    if (!status)
        status = kb_corpus_writer_table(files->writer, &files->events, "events.csv.gz",
                                        "user,time,event,session", err);
    if (!status)
        status = kb_corpus_writer_table(files->writer, &files->sessions, "sessions.csv",
                                        "session,user,version,split,label,crashed_at", err);
    if (!status)
        status = kb_corpus_writer_table(files->writer, &files->truth, "truth.csv",
                                        "label,object,role", err);
    return status;
}

/* All names are made here and hold nothing that CSV would quote; LINE is longer than any row of
 * them. */
enum { LINE = 256 };

static kb_status row(kb_table *table, kb_error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static kb_status row(kb_table *table, kb_error *err, const char *format, ...)
{
    char line[LINE];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    return kb_table_bytes(table, line, (size_t)length, err);
}

static kb_status write_truth(kb_table *table, const kb_world *world, kb_error *err)
{
    kb_status status = KB_OK;
    for (size_t c = 0; c < world->types + 2 && !status; c++) {
        const kb_crash *crash = &world->crashes[c];
        for (size_t i = 0; i < world->leak_count && !status; i++)
            status = row(table, err, "%s,%s,leak\n", crash->label, world->names[crash->leaks[i]]);
        for (size_t i = 0; i < world->companion_count && !status; i++)
            status = row(table, err, "%s,%s,companion\n", crash->label,
                         world->names[crash->companions[i]]);
    }
    return status;
}

/* --- sessions ----------------------------------------------------------------------------- */

struct generator {
    const kb_generate_options *options;
    const kb_world *world;
    struct files files;
    struct item *plan;
    int64_t *free_at; /* by user: the second from which nothing is known of them */
    size_t users;     /* with crash sessions */
    /* of the session at hand */
    double *chance;  /* by object */
    kb_curve *curve; /* by object, when present */
    double *y;       /* timesteps */
};

/* One session. */
struct session {
    const struct item *item;
    char name[24];
    size_t user;
    size_t length;  /* samples */
    int64_t launch; /* second of app.launched, and of the first sample */
};

static const kb_crash *crash_of(const struct generator *g, const struct session *s)
{
    return s->item->crash == MISC ? NULL : &g->world->crashes[s->item->crash];
}

static int64_t crash_second(const struct session *s)
{
    return s->launch + (int64_t)s->length * PERIOD;
}

/* g->chance becomes each object's chance to be present: busy and idle users, one of the workflows
 * or none, the companions. */
static void draw_chances(struct generator *g, const struct session *s, kb_rng *rng)
{
    const kb_world *world = g->world;
    const double *base = s->item->split == KB_SPLIT_LATER ? world->later : world->presence;
    double busy = exp(.25 * (double)kb_rng_normal(rng));
    for (size_t j = 0; j < world->objects; j++)
        g->chance[j] = fmin(.97, base[j] * busy);
    uint64_t w = kb_rng_below(rng, KB_WORKFLOWS + 1);
    for (size_t i = 0; w < KB_WORKFLOWS && i < world->workflow_size; i++) {
        double *chance = &g->chance[world->workflows[w][i]];
        *chance = fmax(*chance, WORKFLOW_PRESENCE);
    }
    const kb_crash *crash = crash_of(g, s);
    for (size_t i = 0; crash && i < world->companion_count; i++) {
        double *chance = &g->chance[crash->companions[i]];
        *chance = 1 - (1 - *chance) * (1 - COMPANION_PRESENCE);
    }
}

/* g->curve becomes how each object behaves, and g->chance 1 for the leaks that show in this
 * session. */
static void draw_curves(struct generator *g, const struct session *s, kb_rng *rng)
{
    const kb_world *world = g->world;
    for (size_t j = 0; j < world->objects; j++) {
        g->curve[j] = world->habit[j];
        if (kb_rng_uniform(rng) >= HABIT)
            g->curve[j] = (kb_curve)kb_rng_below(rng, KB_CURVES_BACKGROUND);
    }
    const kb_crash *crash = crash_of(g, s);
    for (size_t i = 0; crash && i < world->leak_count; i++)
        if (kb_rng_uniform(rng) < LEAK_PRESENCE) {
            g->chance[crash->leaks[i]] = 1;
            g->curve[crash->leaks[i]] = crash->shapes[i];
        }
}

/* One object's readings, from its first that is not zero: an object that is not allocated yet has
 * none. */
static kb_status write_object(struct generator *g, const struct session *s, size_t object,
                              double size, kb_error *err)
{
    kb_table *shard = g->files.metrics[(size_t)(s->item - g->plan) % g->options->shards];
    kb_status status = KB_OK;
    bool seen = false;
    for (size_t i = 0; i < s->length && !status; i++) {
        long value = lround(g->y[i] * size);
        seen = seen || value > 0;
        if (seen)
            status = row(shard, err, "%s,%" PRId64 ",%s,%ld\n", s->name,
                         s->launch + (int64_t)i * PERIOD, g->world->names[object], value);
    }
    return status;
}

static kb_status write_metrics(struct generator *g, const struct session *s, kb_rng *rng,
                               kb_error *err)
{
    draw_chances(g, s, rng);
    draw_curves(g, s, rng);
    kb_status status = KB_OK;
    for (size_t j = 0; j < g->world->objects && !status; j++) {
        if (kb_rng_uniform(rng) >= g->chance[j])
            continue;
        double size = g->world->size[j] * exp(.4 * (double)kb_rng_normal(rng));
        kb_curve_draw(g->curve[j], rng, g->y, s->length);
        status = write_object(g, s, j, fmax(size, 2), err);
    }
    return status;
}

static kb_status write_session(struct generator *g, const struct session *s, kb_error *err)
{
    const kb_crash *crash = crash_of(g, s);
    return row(g->files.sessions, err, "%s,user-%05zu,%s,%s,%s,%" PRId64 "\n", s->name, s->user,
               s->item->split == KB_SPLIT_LATER ? "3.2" : "3.1", kb_split_name(s->item->split),
               crash ? crash->label : "misc", crash_second(s));
}

/* --- event logs --------------------------------------------------------------------------- */

static kb_status write_event(struct generator *g, size_t user, double second, const char *event,
                             const char *session, kb_error *err)
{
    return row(g->files.events, err, "user-%05zu,%.3f,%s,%s\n", user, second, event, session);
}

/* app.launched, then COUNT actions, evenly paced but for chance, until END. */
static kb_status write_run(struct generator *g, kb_rng *rng, size_t user, double begin, double end,
                           size_t count, const char *session, kb_error *err)
{
    kb_status status = write_event(g, user, begin, "app.launched", session, err);
    double pace = (end - begin) / (double)(count + 1);
    for (size_t i = 0; i < count && !status; i++) {
        double second = begin + pace * ((double)i + .1 + .8 * kb_rng_uniform(rng));
        const char *action = kb_world_action((uint32_t)kb_rng_below(rng, KB_ACTIONS));
        status = write_event(g, user, second, action, session, err);
    }
    return status;
}

/* COUNT runs without a crash from *NOW on, which moves to where the last is over. Some are evicted
 * in the background. */
static kb_status write_quiet_runs(struct generator *g, kb_rng *rng, size_t user, size_t count,
                                  double *now, kb_error *err)
{
    kb_status status = KB_OK;
    for (size_t i = 0; i < count && !status; i++) {
        double end = *now + 60 + 240 * kb_rng_uniform(rng);
        status = write_run(g, rng, user, *now, end, kb_rng_below(rng, 7), "", err);
        bool evicted = kb_rng_uniform(rng) < EVICTED_SHARE;
        const char *last = evicted ? "app.backgrounded" : "app.terminated";
        if (!status)
            status = write_event(g, user, end, last, "", err);
        *now = end + 30 + 300 * kb_rng_exponential(rng);
    }
    return status;
}

/* The run that ends in the crash: its last two actions tend to be those of the type. */
static kb_status write_crash_run(struct generator *g, const struct session *s, kb_rng *rng,
                                 kb_error *err)
{
    const kb_crash *crash = crash_of(g, s);
    double begin = (double)s->launch, end = (double)crash_second(s) - 2;
    kb_status status =
        write_run(g, rng, s->user, begin, end, 6 + kb_rng_below(rng, 20), s->name, err);
    bool typical = crash && kb_rng_uniform(rng) < TYPICAL_END;
    for (size_t i = 0; i < 2 && !status; i++) {
        uint32_t any = (uint32_t)kb_rng_below(rng, KB_ACTIONS);
        const char *action = kb_world_action(typical ? crash->last[i] : any);
        status = write_event(g, s->user, end + (double)i, action, s->name, err);
    }
    return status;
}

/* --- all of it ---------------------------------------------------------------------------- */

static size_t draw_length(const struct generator *g, kb_rng *rng)
{
    size_t t = g->options->timesteps, least = t / 3;
    if (kb_rng_uniform(rng) >= SHORT_SHARE)
        return t;
    return least + kb_rng_below(rng, t - least + 1);
}

/* Session NUMBER with all that is told of it. Its random numbers are its own, whatever the others
 * are. */
static kb_status generate_session(struct generator *g, size_t number, kb_error *err)
{
    kb_rng rng = kb_rng_start(g->options->seed, KB_STREAM_GENERATE + 100 * (number + 2));
    struct session s = {.item = &g->plan[number], .user = kb_rng_below(&rng, g->users)};
    snprintf(s.name, sizeof s.name, "s%07zu", number + 1);
    s.length = draw_length(g, &rng);
    int64_t due = FIRST_SECOND + (int64_t)(number * SPACING);
    double now = (double)(due > g->free_at[s.user] ? due : g->free_at[s.user]);
    kb_status status = write_quiet_runs(g, &rng, s.user, kb_rng_below(&rng, 3), &now, err);
    s.launch = (int64_t)ceil(now);
    if (!status)
        status = write_session(g, &s, err);
    if (!status)
        status = write_crash_run(g, &s, &rng, err);
    now = (double)crash_second(&s) + 20 + 60 * kb_rng_uniform(&rng);
    if (!status)
        status = write_quiet_runs(g, &rng, s.user, 1, &now, err);
    g->free_at[s.user] = (int64_t)ceil(now);
    return status ? status : write_metrics(g, &s, &rng, err);
}

/* Users whose app never crashed have logs too. */
static kb_status generate_bystanders(struct generator *g, kb_error *err)
{
    kb_status status = KB_OK;
    kb_rng rng = kb_rng_start(g->options->seed, KB_STREAM_GENERATE + 200 * UINT64_C(100000000));
    for (size_t i = 0; i < g->options->sessions / 10 && !status; i++) {
        double now = FIRST_SECOND + 10000 * kb_rng_uniform(&rng);
        size_t runs = 1 + kb_rng_below(&rng, 5);
        status = write_quiet_runs(g, &rng, g->users + i, runs, &now, err);
    }
    return status;
}

static kb_status write_all(struct generator *g, const kb_progress *progress, kb_error *err)
{
    size_t n = g->options->sessions;
    kb_status status = write_truth(g->files.truth, g->world, err);
    for (size_t i = 0; i < n && !status; i++) {
        if (kb_cancelled(progress))
            return kb_fail(err, KB_ERR_CANCELLED, "cancelled");
        kb_progress_report(progress, "generating", i, n);
        status = generate_session(g, i, err);
    }
    if (!status)
        status = generate_bystanders(g, err);
    kb_progress_report(progress, "generating", n, n);
    return status;
}

static kb_status prepare(struct generator *g, kb_error *err)
{
    const kb_generate_options *options = g->options;
    g->users = options->sessions * 3 / 4;
    g->plan = kb_calloc(options->sessions, sizeof *g->plan);
    g->free_at = kb_calloc(g->users, sizeof *g->free_at);
    g->chance = kb_calloc(options->objects, sizeof *g->chance);
    g->curve = kb_calloc(options->objects, sizeof *g->curve);
    g->y = kb_calloc(options->timesteps, sizeof *g->y);
    if (!g->plan || !g->free_at || !g->chance || !g->curve || !g->y)
        return kb_fail_memory(err, "the sessions to generate");
    draw_plan(g->plan, options);
    return KB_OK;
}

static void dispose(struct generator *g)
{
    free(g->plan);
    free(g->free_at);
    free(g->chance);
    free(g->curve);
    free(g->y);
}

static kb_status generate_files(kb_corpus_writer *writer, const kb_generate_options *options,
                                const kb_world *world, const kb_progress *progress, kb_error *err)
{
    struct generator g = {.options = options, .world = world, .files = {.writer = writer}};
    kb_status status = prepare(&g, err);
    if (!status)
        status = open_files(&g.files, options->shards, err);
    if (!status)
        status = write_all(&g, progress, err);
    dispose(&g);
    return status;
}

kb_status kb_generate(const char *dir, const kb_generate_options *options,
                      const kb_progress *progress, kb_error *err)
{
    kb_corpus_writer *writer = NULL;
    kb_world *world = NULL;
    kb_status status = kb_generate_check(options, err);
    if (!status)
        status = kb_corpus_writer_open(&writer, dir, err);
    if (!status)
        status = kb_world_create(&world, options, err);
    if (!status)
        status = generate_files(writer, options, world, progress, err);
    kb_world_free(world);
    if (!status)
        return kb_corpus_writer_commit(writer, err);
    kb_corpus_writer_abort(writer);
    return status;
}
