#include "world.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "memory.h"

static const char *const modules[] = {
    "Timeline", "Composer", "Sticker", "Inbox",   "Lens",   "Atlas",   "Beacon",  "Market",
    "Wallet",   "Radio",    "Album",   "Poll",    "Circle", "Badge",   "Thread",  "Ticker",
    "Avatar",   "Caption",  "Gallery", "Journey", "Ledger", "Mention", "Postbox", "Voice",
};
static const char *const kinds[] = {
    "TextureCache", "CellView",    "ImageDecoder", "PageController", "RingBuffer",
    "TextLayout",   "NetworkTask", "Subscription", "LayerTree",      "Snapshot",
    "ShaderPass",   "FrameQueue",  "IndexNode",    "SyncRecord",     "GestureTracker",
    "AudioSample",  "MapTile",     "QueryResult",  "TimerBlock",     "Observer",
};
static const char *const actions[KB_ACTIONS] = {
    "timeline.scrolled", "timeline.refreshed", "photo.opened",     "photo.zoomed",
    "video.started",     "video.stopped",      "camera.opened",    "camera.closed",
    "chat.opened",       "chat.message_sent",  "search.submitted", "map.panned",
    "sync.started",      "sync.finished",      "app.backgrounded", "app.foregrounded",
};

enum { MODULES = sizeof modules / sizeof *modules, KINDS = sizeof kinds / sizeof *kinds };

const char *kb_world_action(uint32_t action)
{
    return actions[action];
}

/* --- memory ------------------------------------------------------------------------------- */

/* COUNT uninitialised items in the arena. Counts are bounded by the options, so the product cannot
 * overflow. */
static void *take(kb_world *world, size_t count, size_t size)
{
    return kb_arena_alloc(world->arena, count * size);
}

static bool take_crash(kb_world *world, kb_crash *crash)
{
    crash->leaks = take(world, world->leak_count, sizeof *crash->leaks);
    crash->shapes = take(world, world->leak_count, sizeof *crash->shapes);
    crash->companions = take(world, world->companion_count, sizeof *crash->companions);
    return crash->leaks && crash->shapes && crash->companions;
}

static bool take_all(kb_world *world)
{
    size_t crashes = world->types + 2;
    world->names = take(world, world->objects, sizeof *world->names);
    world->presence = take(world, world->objects, sizeof *world->presence);
    world->later = take(world, world->objects, sizeof *world->later);
    world->size = take(world, world->objects, sizeof *world->size);
    world->habit = take(world, world->objects, sizeof *world->habit);
    world->crashes = take(world, crashes, sizeof *world->crashes);
    bool ok = world->names && world->presence && world->later && world->size && world->habit &&
              world->crashes;
    for (size_t w = 0; w < KB_WORKFLOWS; w++) {
        world->workflows[w] = take(world, world->workflow_size, sizeof *world->workflows[w]);
        ok = ok && world->workflows[w];
    }
    for (size_t c = 0; ok && c < crashes; c++)
        ok = take_crash(world, &world->crashes[c]);
    return ok;
}

/* --- objects ------------------------------------------------------------------------------ */

static double zipf(double scale, size_t rank)
{
    return fmin(.95, scale / pow((double)rank + 1, .75));
}

/* The scale at which the mean presence is MEAN, by bisection. */
static double zipf_scale(size_t objects, double mean)
{
    double low = .01, high = 1e4;
    for (int round = 0; round < 60; round++) {
        double middle = sqrt(low * high), sum = 0;
        for (size_t rank = 0; rank < objects; rank++)
            sum += zipf(middle, rank);
        *(sum < mean * (double)objects ? &low : &high) = middle;
    }
    return low;
}

/* ORDER: the objects from the commonest to the rarest. About a tenth of a big app's objects are in
 * a session, more of a small one's. */
static void draw_objects(kb_world *world, kb_rng *rng, const size_t *order)
{
    static const double habits[KB_CURVES_BACKGROUND] = {.4, .65, .85, 1};
    double mean = fmin(.5, fmax(.1, 17 / (double)world->objects));
    double scale = zipf_scale(world->objects, mean);
    for (size_t rank = 0; rank < world->objects; rank++) {
        size_t j = order[rank];
        world->presence[j] = zipf(scale, rank);
        world->size[j] = fmax(3, exp(4 + 1.5 * (double)kb_rng_normal(rng)));
        double u = kb_rng_uniform(rng);
        world->habit[j] = KB_CURVE_PLATEAU;
        while (u >= habits[world->habit[j]])
            world->habit[j]++;
    }
}

/* A new version: a twelfth of the objects trade their presence. SKIP is left alone: nobody has seen
 * those yet. */
static void draw_drift(kb_world *world, kb_rng *rng, const size_t *order, size_t known)
{
    for (size_t j = 0; j < world->objects; j++)
        world->later[j] = world->presence[j];
    for (size_t swap = 0; swap < known / 24 + 1; swap++) {
        size_t a = order[kb_rng_below(rng, known)], b = order[kb_rng_below(rng, known)];
        double was = world->later[a];
        world->later[a] = world->later[b];
        world->later[b] = was;
    }
}

/* --- crashes ------------------------------------------------------------------------------ */

/* A deck of objects to deal from: no object comes twice before all have come once. */
struct deck {
    size_t *cards, count, next;
};

static uint32_t deal(struct deck *deck, kb_rng *rng)
{
    if (deck->next == deck->count) {
        kb_rng_shuffle(rng, deck->cards, deck->count);
        deck->next = 0;
    }
    return (uint32_t)deck->cards[deck->next++];
}

static void draw_last_actions(kb_world *world, kb_rng *rng)
{
    size_t pairs[KB_ACTIONS * KB_ACTIONS];
    for (size_t i = 0; i < KB_ACTIONS * KB_ACTIONS; i++)
        pairs[i] = i;
    kb_rng_shuffle(rng, pairs, KB_ACTIONS * KB_ACTIONS);
    for (size_t c = 0; c < world->types + 2; c++) {
        world->crashes[c].last[0] = (uint32_t)(pairs[c] / KB_ACTIONS);
        world->crashes[c].last[1] = (uint32_t)(pairs[c] % KB_ACTIONS);
    }
}

static void name_crash(kb_crash *crash, size_t c, size_t types)
{
    if (c == types)
        snprintf(crash->label, sizeof crash->label, "emerging-new");
    else if (c == types + 1)
        snprintf(crash->label, sizeof crash->label, "emerging-mix");
    else
        snprintf(crash->label, sizeof crash->label, "type-%02zu", c + 1);
}

/* MIDDLE: objects of middling presence, so that neither leaks nor companions give a type away by
 * being there. NEVER: the objects kept for emerging-new. */
static void draw_crashes(kb_world *world, kb_rng *rng, struct deck *middle, const size_t *never)
{
    enum { LEAKS = KB_CURVES - KB_CURVES_BACKGROUND };
    for (size_t c = 0; c < world->types + 2; c++) {
        kb_crash *crash = &world->crashes[c];
        name_crash(crash, c, world->types);
        for (size_t i = 0; i < world->leak_count; i++) {
            crash->leaks[i] = c == world->types ? (uint32_t)never[i] : deal(middle, rng);
            crash->shapes[i] = (kb_curve)(KB_CURVES_BACKGROUND + (c + i / 2) % LEAKS);
        }
    }
    for (size_t c = 0; c < world->types + 2; c++)
        for (size_t i = 0; i < world->companion_count; i++)
            world->crashes[c].companions[i] = deal(middle, rng);
    draw_last_actions(world, rng);
}

static void draw_workflows(kb_world *world, kb_rng *rng, struct deck *known)
{
    for (size_t w = 0; w < KB_WORKFLOWS; w++)
        for (size_t i = 0; i < world->workflow_size; i++)
            world->workflows[w][i] = deal(known, rng);
}

/* --- names -------------------------------------------------------------------------------- */

/* What is used together is named together: the objects of a crash or a workflow come from one
 * module where they can. */
static void claim(size_t *module, const uint32_t *ids, size_t count, size_t wanted)
{
    for (size_t i = 0; i < count; i++)
        if (module[ids[i]] == MODULES)
            module[ids[i]] = wanted;
}

static void assign_modules(const kb_world *world, kb_rng *rng, size_t *module)
{
    size_t order[MODULES], next = 0;
    for (size_t i = 0; i < MODULES; i++)
        order[i] = i;
    kb_rng_shuffle(rng, order, MODULES);
    for (size_t j = 0; j < world->objects; j++)
        module[j] = MODULES;
    for (size_t c = 0; c < world->types + 2; c++)
        claim(module, world->crashes[c].leaks, world->leak_count, order[next++ % MODULES]);
    for (size_t w = 0; w < KB_WORKFLOWS; w++)
        claim(module, world->workflows[w], world->workflow_size, order[next++ % MODULES]);
    for (size_t j = 0; j < world->objects; j++)
        if (module[j] == MODULES)
            module[j] = kb_rng_below(rng, MODULES);
}

/* MODULE: room for one number an object. 7 has no factor in common with KINDS, so a module's names
 * differ until all kinds are used. */
static void draw_names(kb_world *world, kb_rng *rng, size_t *module)
{
    size_t used[MODULES] = {0};
    assign_modules(world, rng, module);
    for (size_t j = 0; j < world->objects; j++) {
        size_t m = module[j], k = used[m]++;
        const char *kind = kinds[(k * 7 + m * 3) % KINDS];
        if (k < KINDS)
            snprintf(world->names[j], KB_OBJECT_BYTES, "%s%s", modules[m], kind);
        else
            snprintf(world->names[j], KB_OBJECT_BYTES, "%s%s%zu", modules[m], kind, k / KINDS + 1);
    }
}

/* --- the world ---------------------------------------------------------------------------- */

/* ORDER and SPARE have room for one number an object. */
static void draw_world(kb_world *world, kb_rng *rng, size_t *order, size_t *spare)
{
    for (size_t j = 0; j < world->objects; j++)
        order[j] = j;
    kb_rng_shuffle(rng, order, world->objects);
    draw_objects(world, rng, order);
    /* The rarest objects are those that nobody has seen; a deck of the middle leaves out the ends
     * of the order. */
    size_t known = world->objects - world->leak_count;
    for (size_t i = known; i < world->objects; i++)
        world->presence[order[i]] = 0;
    draw_drift(world, rng, order, known);
    struct deck middle = {.cards = spare, .count = known * 6 / 10};
    middle.next = middle.count;
    for (size_t i = 0; i < middle.count; i++)
        spare[i] = order[known / 10 + i];
    draw_crashes(world, rng, &middle, order + known);
    struct deck all = {.cards = spare, .count = known, .next = known};
    for (size_t i = 0; i < known; i++)
        spare[i] = order[i];
    draw_workflows(world, rng, &all);
    draw_names(world, rng, spare);
}

static size_t clamp(size_t x, size_t low, size_t high)
{
    return x < low ? low : x > high ? high : x;
}

kb_status kb_world_create(kb_world **out, const kb_generate_options *options, kb_error *err)
{
    *out = NULL;
    kb_world *world = kb_calloc(1, sizeof *world);
    size_t *order = kb_calloc(options->objects, sizeof *order);
    size_t *spare = kb_calloc(options->objects, sizeof *spare);
    bool ok = world && order && spare && (world->arena = kb_arena_create());
    if (ok) {
        world->objects = options->objects;
        world->types = options->types;
        world->leak_count = clamp(options->objects / 30, 3, 6);
        world->companion_count = 2 * world->leak_count;
        world->workflow_size = clamp(options->objects / 12, 3, 40);
        ok = take_all(world);
    }
    if (ok) {
        kb_rng rng = kb_rng_start(options->seed, KB_STREAM_GENERATE);
        draw_world(world, &rng, order, spare);
        *out = world;
    } else {
        kb_world_free(world);
    }
    free(order);
    free(spare);
    return ok ? KB_OK : kb_fail_memory(err, "the synthetic world");
}

void kb_world_free(kb_world *world)
{
    if (!world)
        return;
    if (world->arena)
        kb_arena_free(world->arena);
    free(world);
}
