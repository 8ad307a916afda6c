#include "data.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "memory.h"

enum { SLICE_SESSIONS = 64 };

static const double slice_seconds = 0.02;

void kb_data_init(kb_data *data, kb_workbench *workbench)
{
    *data = (kb_data){.workbench = workbench};
    kb_data_update(data);
}

/* --- caches ------------------------------------------------------------------------------- */
/* The slot of the answer for CLUSTER and N; a new answer takes the place of the one that was not
 * wanted for longest. */
static size_t find_slot(kb_data *data, const kb_slot *slots, size_t count, uint32_t cluster,
                        size_t n)
{
    size_t oldest = 0;
    data->clock++;
    for (size_t i = 0; i < count; i++)
        if (slots[i].made && slots[i].cluster == cluster && slots[i].n == n)
            return i;
    for (size_t i = 0; i < count; i++) {
        if (!slots[i].made)
            return i;
        if (slots[i].used < slots[oldest].used)
            oldest = i;
    }
    return oldest;
}

static bool holds(const kb_slot *slot, uint32_t cluster, size_t n)
{
    return slot->made && slot->cluster == cluster && slot->n == n;
}

static void drop_presences(kb_data *data)
{
    for (size_t i = 0; i < KB_PRESENCES; i++) {
        if (data->presence_slots[i].made)
            kb_presence_clear(&data->presences[i]);
        data->presence_slots[i].made = false;
    }
}

static void drop_ngrams(kb_data *data)
{
    for (size_t i = 0; i < KB_NGRAM_TABLES; i++) {
        if (data->ngram_slots[i].made)
            kb_ngrams_clear(&data->ngrams[i]);
        data->ngram_slots[i].made = false;
    }
}

static void drop_lifts(kb_data *data)
{
    for (size_t i = 0; i < KB_LIFT_TABLES; i++) {
        if (data->lift_slots[i].made)
            kb_lifts_clear(&data->lifts[i]);
        data->lift_slots[i].made = false;
    }
}

void kb_data_free(kb_data *data)
{
    drop_presences(data);
    drop_ngrams(data);
    drop_lifts(data);
    kb_truncations_clear(&data->truncations);
    kb_joined_clear(&data->joined);
    if (data->findings)
        kb_findings_release(data->findings);
    if (data->map)
        kb_map_release(data->map);
    free(data->log);
    free(data->clusters);
    free(data->object_sessions);
    free(data->counting);
    *data = (kb_data){0};
}

/* --- news --------------------------------------------------------------------------------- */
static void take_corpus(kb_data *data, const kb_corpus *corpus)
{
    data->corpus = corpus;
    for (size_t s = 0; s < kb_corpus_sessions(corpus); s++) {
        const kb_session *session = kb_corpus_session(corpus, s);
        data->splits[session->split]++;
        data->unreadable += !session->has_rows;
        size_t length = kb_store_length(kb_corpus_store(corpus), s);
        data->longest = length > data->longest ? length : data->longest;
    }
}

static kb_cluster_facts *find_cluster(const kb_data *data, uint32_t number)
{
    for (size_t i = 0; i < data->cluster_count; i++)
        if (data->clusters[i].number == number)
            return &data->clusters[i];
    return NULL;
}

static void count_members(kb_data *data)
{
    const kb_findings *findings = data->findings;
    for (size_t s = 0; s < findings->sessions; s++) {
        kb_cluster_facts *facts = find_cluster(data, findings->assigned[s].cluster);
        if (!facts)
            continue;
        facts->sessions++;
        facts->emerging += findings->assigned[s].emerging;
        facts->split[kb_corpus_session(data->corpus, s)->split]++;
    }
}

/* The clusters of the findings; a row for cluster 0 comes first and goes again when nobody is in
 * it. */
static void take_clusters(kb_data *data)
{
    const kb_findings *findings = data->findings;
    free(data->clusters);
    data->cluster_count = 0;
    data->clusters = kb_calloc(findings->k + 1, sizeof *data->clusters);
    if (!data->clusters || !data->corpus || findings->sessions != kb_corpus_sessions(data->corpus))
        return;
    data->cluster_count = findings->k + 1;
    data->clusters[0].threshold = NAN;
    data->clusters[0].name = "";
    for (size_t i = 0; i < findings->k; i++) {
        kb_cluster_facts *facts = &data->clusters[i + 1];
        facts->number = findings->clusters[i].number;
        facts->name = findings->names[i];
        facts->calibrated = findings->clusters[i].size;
        facts->threshold = findings->clusters[i].threshold;
    }
    count_members(data);
    if (data->clusters[0].sessions == 0)
        memmove(data->clusters, data->clusters + 1, --data->cluster_count * sizeof *data->clusters);
}

static bool take_findings(kb_data *data)
{
    const kb_findings *findings = kb_workbench_findings(data->workbench);
    if (!findings)
        return false;
    if (data->findings && data->findings->serial == findings->serial) {
        kb_findings_release(findings);
        return false;
    }
    if (data->findings)
        kb_findings_release(data->findings);
    data->findings = findings;
    drop_presences(data);
    drop_lifts(data); /* what everybody did does not depend on clusters */
    take_clusters(data);
    return true;
}

static bool take_map(kb_data *data)
{
    const kb_map *map = kb_workbench_map(data->workbench);
    if (!map)
        return false;
    if (data->map && data->map->serial == map->serial) {
        kb_map_release(map);
        return false;
    }
    if (data->map)
        kb_map_release(data->map);
    data->map = map;
    return true;
}

/* Another training starts its log anew. */
static bool take_log(kb_data *data)
{
    size_t wanted = (size_t)data->state.log_rows, had = data->log_count;
    if (wanted < had || data->log_training != data->state.trainings)
        data->log_count = 0;
    data->log_training = data->state.trainings;
    if (wanted == data->log_count ||
        !kb_grow((void **)&data->log, &data->log_capacity, wanted, sizeof *data->log))
        return data->log_count != had;
    data->log_count += kb_workbench_log(data->workbench, data->log_count,
                                        data->log + data->log_count, wanted - data->log_count);
    return true;
}

static bool same_state(const kb_work_state *a, const kb_work_state *b)
{
    return a->stage == b->stage && strcmp(a->job.phase, b->job.phase) == 0 &&
           a->job.done == b->job.done && a->job.total == b->job.total &&
           a->job.finished == b->job.finished && a->paused_by_error == b->paused_by_error &&
           a->cancelled == b->cancelled && a->problems == b->problems;
}

bool kb_data_update(kb_data *data)
{
    kb_work_state old = data->state;
    kb_workbench_update(data->workbench, &data->state);
    bool changed = !same_state(&old, &data->state);
    if (data->state.stage != KB_STAGE_IDLE)
        data->reached = data->state.stage;
    const kb_corpus *corpus = kb_workbench_corpus(data->workbench);
    if (corpus && !data->corpus) {
        take_corpus(data, corpus);
        changed = true;
    }
    changed |= take_findings(data);
    changed |= take_map(data);
    changed |= take_log(data);
    data->version += changed;
    return changed;
}

/* --- work between frames ------------------------------------------------------------------ */
static double now_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void count_session(kb_data *data, const kb_store *store, size_t session)
{
    size_t count = kb_store_series_count(store, session);
    for (size_t i = 0; i < count; i++)
        data->counting[kb_store_series(store, session, i).object]++;
}

/* Goes on counting in how many sessions each object is present. False when there is nothing left to
 * do. */
static bool count_objects(kb_data *data)
{
    if (!data->corpus || data->object_sessions)
        return false;
    const kb_store *store = kb_corpus_store(data->corpus);
    size_t sessions = kb_store_sessions(store);
    if (!data->counting)
        data->counting = kb_calloc(kb_store_objects(store), sizeof *data->counting);
    if (!data->counting)
        return false;
    double until = now_seconds() + slice_seconds;
    while (data->counted < sessions && now_seconds() < until)
        for (size_t i = 0; i < SLICE_SESSIONS && data->counted < sessions; i++)
            count_session(data, store, data->counted++);
    if (data->counted < sessions)
        return true;
    data->object_sessions = data->counting;
    data->counting = NULL;
    data->version++;
    return true;
}

/* Finds the first object of one cluster that lacks it. */
static bool find_top_object(kb_data *data)
{
    for (size_t i = 0; i < data->cluster_count; i++) {
        kb_cluster_facts *facts = &data->clusters[i];
        if (facts->has_top)
            continue;
        const kb_presence *presence = facts->number ? kb_data_presence(data, facts->number) : NULL;
        bool any = presence && presence->count > 0;
        facts->has_top = true;
        facts->top_object = any ? presence->rows[0].object : KB_NAME_NONE;
        facts->top_f1 = any ? presence->rows[0].f1 : NAN;
        data->version++;
        return true;
    }
    return false;
}

bool kb_data_work(kb_data *data)
{
    return count_objects(data) || find_top_object(data);
}

/* --- answers ------------------------------------------------------------------------------ */
uint64_t kb_data_serial(const kb_data *data)
{
    return data->findings ? data->findings->serial : 0;
}

const kb_cluster_facts *kb_data_cluster(const kb_data *data, uint32_t number)
{
    return find_cluster(data, number);
}

const kb_assignment *kb_data_assigned(const kb_data *data, size_t session)
{
    return data->findings && session < data->findings->sessions ? &data->findings->assigned[session]
                                                                : NULL;
}

uint32_t kb_data_cluster_of(const kb_data *data, size_t session)
{
    const kb_assignment *assigned = kb_data_assigned(data, session);
    return assigned ? assigned->cluster : 0;
}

static bool *members(const kb_data *data, uint32_t cluster)
{
    size_t sessions = kb_corpus_sessions(data->corpus);
    bool *member = kb_calloc(sessions, sizeof *member);
    for (size_t s = 0; member && s < sessions; s++)
        member[s] = kb_data_cluster_of(data, s) == cluster;
    return member;
}

static kb_status count_presence(const kb_data *data, kb_presence *out, uint32_t cluster)
{
    bool *member = members(data, cluster);
    kb_status status =
        member ? kb_presence_of(out, data->corpus, member, NULL, NULL) : KB_ERR_MEMORY;
    free(member);
    return status;
}

const kb_presence *kb_data_presence(kb_data *data, uint32_t cluster)
{
    if (!data->corpus || !data->findings)
        return NULL;
    size_t i = find_slot(data, data->presence_slots, KB_PRESENCES, cluster, 0);
    kb_slot *slot = &data->presence_slots[i];
    if (!holds(slot, cluster, 0)) {
        if (slot->made)
            kb_presence_clear(&data->presences[i]);
        data->presences[i] = (kb_presence){0};
        *slot = (kb_slot){.made = true, .cluster = cluster};
        slot->status = count_presence(data, &data->presences[i], cluster);
    }
    slot->used = data->clock;
    return slot->status ? NULL : &data->presences[i];
}

/* Once for all: neither depends on clusters. */
static void find_sequences(kb_data *data)
{
    kb_truncation_options starts = kb_truncation_defaults();
    kb_join_options how = kb_join_defaults();
    if (data->has_sequences)
        return;
    data->has_sequences = true;
    if (!kb_truncations_find(&data->truncations, kb_corpus_events(data->corpus), NULL, &starts,
                             NULL, NULL))
        kb_join_sessions(&data->joined, data->corpus, &data->truncations, starts.start, starts.end,
                         &how, NULL, NULL);
}

static kb_status count_ngrams(kb_data *data, kb_ngrams *out, size_t n)
{
    kb_ngram_options options = kb_ngram_defaults();
    options.least = options.most = n;
    find_sequences(data);
    return kb_ngrams_of(out, kb_corpus_events(data->corpus), &data->truncations, &options, NULL,
                        NULL);
}

const kb_ngrams *kb_data_ngrams(kb_data *data, size_t n)
{
    if (!data->corpus || !kb_corpus_events(data->corpus))
        return NULL;
    size_t i = find_slot(data, data->ngram_slots, KB_NGRAM_TABLES, 0, n);
    kb_slot *slot = &data->ngram_slots[i];
    if (!holds(slot, 0, n)) {
        if (slot->made)
            kb_ngrams_clear(&data->ngrams[i]);
        data->ngrams[i] = (kb_ngrams){0};
        *slot = (kb_slot){.made = true, .n = n};
        slot->status = count_ngrams(data, &data->ngrams[i], n);
    }
    slot->used = data->clock;
    return slot->status ? NULL : &data->ngrams[i];
}

/* The place of the cluster among the findings', from 1, or 0. */
static uint32_t group_of_cluster(const kb_data *data, uint32_t cluster)
{
    for (size_t c = 0; cluster && c < data->findings->k; c++)
        if (data->findings->clusters[c].number == cluster)
            return (uint32_t)(c + 1);
    return 0;
}

static kb_status count_lifts(kb_data *data, kb_lifts *out, size_t n)
{
    size_t sessions = kb_corpus_sessions(data->corpus);
    uint32_t *groups = kb_calloc(sessions, sizeof *groups);
    find_sequences(data);
    if (!groups || (data->truncations.count && !data->joined.sessions)) {
        free(groups);
        return KB_ERR_MEMORY;
    }
    for (size_t s = 0; s < sessions; s++)
        groups[s] = group_of_cluster(data, kb_data_cluster_of(data, s));
    kb_lift_input input = {.events = kb_corpus_events(data->corpus),
                           .truncations = &data->truncations,
                           .sessions = data->joined.sessions,
                           .groups = groups,
                           .group_count = data->findings->k};
    kb_lift_options options = kb_lift_defaults();
    options.ngrams.least = options.ngrams.most = n;
    options.rare = true;
    kb_status status = kb_lifts_of(out, &input, &options, NULL, NULL);
    free(groups);
    return status;
}

const kb_lifts *kb_data_lifts(kb_data *data, size_t n)
{
    if (!data->corpus || !kb_corpus_events(data->corpus) || !data->findings)
        return NULL;
    size_t i = find_slot(data, data->lift_slots, KB_LIFT_TABLES, 0, n);
    kb_slot *slot = &data->lift_slots[i];
    if (!holds(slot, 0, n)) {
        if (slot->made)
            kb_lifts_clear(&data->lifts[i]);
        data->lifts[i] = (kb_lifts){0};
        *slot = (kb_slot){.made = true, .n = n};
        slot->status = count_lifts(data, &data->lifts[i], n);
    }
    slot->used = data->clock;
    return slot->status ? NULL : &data->lifts[i];
}

size_t kb_data_lift_rows(const kb_data *data, const kb_lifts *lifts, uint32_t cluster,
                         size_t *count)
{
    size_t first = 0, end;
    uint32_t group = group_of_cluster(data, cluster);
    while (first < lifts->count && lifts->rows[first].group < group)
        first++;
    for (end = first; end < lifts->count && lifts->rows[end].group == group;)
        end++;
    *count = end - first;
    return first;
}

/* --- waiting ------------------------------------------------------------------------------ */
const char *kb_stage_name(kb_stage stage)
{
    switch (stage) {
    case KB_STAGE_LOAD:
        return "loading";
    case KB_STAGE_TRAIN:
        return "training";
    case KB_STAGE_CALIBRATE:
        return "calibrating";
    case KB_STAGE_MAP:
        return "laying out the map";
    case KB_STAGE_IDLE:
        return "done";
    }
    return "";
}

/* "Waiting for WHAT: training, 34%", or why there will be none. */
static const char *wait_text(const kb_data *data, const char *what, char *text, size_t size)
{
    const kb_work_state *state = &data->state;
    if (state->paused_by_error)
        snprintf(text, size, "No %s: %s", what, state->job.error.text);
    else if (state->cancelled)
        snprintf(text, size, "No %s: the work was cancelled (r starts it again)", what);
    else if (state->stage == KB_STAGE_IDLE)
        snprintf(text, size, "No %s", what);
    else if (state->job.total)
        snprintf(text, size, "Waiting for the %s: %s, %s %.0f%%", what, kb_stage_name(state->stage),
                 state->job.phase, 100.0 * (double)state->job.done / (double)state->job.total);
    else
        snprintf(text, size, "Waiting for the %s: %s %s", what, kb_stage_name(state->stage),
                 state->job.phase);
    return text;
}

const char *kb_data_wait_corpus(const kb_data *data, char *text, size_t size)
{
    return data->corpus ? NULL : wait_text(data, "corpus", text, size);
}

const char *kb_data_wait_findings(const kb_data *data, char *text, size_t size)
{
    return data->findings && data->corpus ? NULL : wait_text(data, "clusters", text, size);
}

const char *kb_data_wait_map(const kb_data *data, char *text, size_t size)
{
    return data->map && data->corpus ? NULL : wait_text(data, "map", text, size);
}
