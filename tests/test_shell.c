/* shell: the explorer without a terminal, over an invented workbench: what is shown while things
 * load, train and fail, how one goes in and comes back, and that no key and no size breaks it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ftw.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rng.h"
#include "shell.h"

/* --- the invented workbench --------------------------------------------------------------- */
/* Sessions s0 .. s5 and one with a name that would harm a terminal; clusters 1 (s0 s1 s2) and 2
 * (the others). */
enum { SESSIONS = 7, CLUSTERS = 2, KS = 5, LOG = 4 };

struct kb_workbench {
    kb_work_state state;
    kb_corpus *corpus;
    bool loaded, found, mapped;
    kb_findings findings;
    kb_map map;
    kb_cluster clusters[CLUSTERS];
    char *names[CLUSTERS], no_name[1];
    kb_assignment assigned[SESSIONS];
    kb_elbow_row elbow[KS];
    float layout[2 * SESSIONS];
    kb_train_row log[LOG];
    /* What has been asked of it. */
    size_t recalibrated, last_k, cancelled, retrained;
};

int kb_workbench_fd(const kb_workbench *wb)
{
    (void)wb;
    return -1;
}

void kb_workbench_update(kb_workbench *wb, kb_work_state *state)
{
    *state = wb->state;
}

const kb_corpus *kb_workbench_corpus(const kb_workbench *wb)
{
    return wb->loaded ? wb->corpus : NULL;
}

static void *copy_of(const void *from, size_t bytes)
{
    void *copy = malloc(bytes + 1);
    assert_non_null(copy);
    memcpy(copy, from, bytes);
    return copy;
}

/* Every caller gets a copy of its own, so that whoever looks at one after its release is found out.
 */
const kb_findings *kb_workbench_findings(kb_workbench *wb)
{
    if (!wb->found)
        return NULL;
    kb_findings *copy = copy_of(&wb->findings, sizeof wb->findings);
    copy->clusters = copy_of(wb->clusters, copy->k * sizeof *copy->clusters);
    copy->names = copy_of(wb->names, copy->k * sizeof *copy->names);
    copy->assigned = copy_of(wb->assigned, sizeof wb->assigned);
    copy->elbow.rows = copy_of(wb->elbow, copy->elbow.count * sizeof *wb->elbow);
    return copy;
}

void kb_findings_release(const kb_findings *findings)
{
    free(findings->clusters);
    free(findings->names);
    free(findings->assigned);
    free(findings->elbow.rows);
    free((void *)(uintptr_t)findings);
}

const kb_map *kb_workbench_map(kb_workbench *wb)
{
    if (!wb->mapped)
        return NULL;
    kb_map *copy = copy_of(&wb->map, sizeof wb->map);
    copy->layout = copy_of(wb->layout, sizeof wb->layout);
    return copy;
}

void kb_map_release(const kb_map *map)
{
    free(map->layout);
    free((void *)(uintptr_t)map);
}

size_t kb_workbench_log(kb_workbench *wb, size_t from, kb_train_row *rows, size_t max)
{
    size_t count = 0;
    for (; from + count < wb->state.log_rows && count < max; count++)
        rows[count] = wb->log[from + count];
    return count;
}

size_t kb_workbench_notes(kb_workbench *wb, size_t i, const char **text)
{
    (void)wb;
    (void)i;
    *text = "no usable GPU, training on the CPU";
    return 1;
}

void kb_workbench_recalibrate(kb_workbench *wb, size_t k)
{
    wb->recalibrated++;
    wb->last_k = k;
}

void kb_workbench_retrain(kb_workbench *wb)
{
    wb->retrained++;
}

void kb_workbench_cancel(kb_workbench *wb)
{
    wb->cancelled++;
}

kb_status kb_workbench_save_model(kb_workbench *wb, const char *path, kb_error *err)
{
    (void)wb;
    return kb_fail(err, KB_ERR_USAGE, "%s: the model is being changed", path);
}

const char *kb_variant_name(kb_variant variant)
{
    return variant == KB_VARIANT_VAE_DEC ? "vae+dec" : "?";
}

/* --- the corpus --------------------------------------------------------------------------- */
static void write_file(const char *folder, const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

/* shared is everywhere, only1 in cluster 1 alone, only2 in cluster 2 alone; odd names both. */
static void write_corpus(const char *folder)
{
    char metrics[8192] = "session,time,object,value\n", *end = metrics + strlen(metrics);
    for (int s = 0; s < 6; s++)
        for (int time = 0; time < 10; time++)
            end += sprintf(end, "s%d,%d,shared,%d\ns%d,%d,only%d,%d\n", s, time, 5 + time, s, time,
                           s < 3 ? 1 : 2, time * time);
    end += sprintf(end, "\"\033[31mred\",1,\"ob\033]0;x\aject\",7\n\"\033[31mred\",2,shared,7\n");
    sprintf(end, "s0,not a time,shared,1\n");
    write_file(folder, "metrics.csv", metrics);
    write_file(
        folder, "sessions.csv",
        "session,user,version,split,label\ns0,ann,1.0,train,leak\ns1,bob,1.0,validation,leak\n"
        "s4,cid,2.0,emerging,\ns5,cid,2.0,later,\n");
    write_file(folder, "events.csv",
               "user,time,event\nann,1,open\nann,2,scroll\nann,3,app.launched\n"
               "cid,1,open\ncid,2,scroll\ncid,3,app.launched\ncid,4,zoom\ncid,5,app.launched\n");
}

static void invent_findings(kb_workbench *wb)
{
    const kb_corpus *corpus = wb->corpus;
    assert_int_equal(kb_corpus_sessions(corpus), SESSIONS);
    for (size_t s = 0; s < SESSIONS; s++) {
        const char *name = kb_corpus_session(corpus, s)->name;
        bool first = name[0] == 's' && name[1] < '3';
        wb->assigned[s] = (kb_assignment){.cluster = first ? 1 : 2,
                                          .distance = (double)s,
                                          .novelty = (double)s / 2,
                                          .emerging = strcmp(name, "s4") == 0};
        wb->layout[2 * s] = first ? 0.f : 10.f;
        wb->layout[2 * s + 1] = first ? 0.f : 10.f;
    }
    for (size_t i = 0; i < KS; i++)
        wb->elbow[i] = (kb_elbow_row){.k = i + 2,
                                      .silhouette = 0.5 - 0.1 * (double)i,
                                      .davies_bouldin = 1 + (double)i,
                                      .calinski_harabasz = 9,
                                      .inertia = 100 - (double)i,
                                      .chosen = i == 0};
    wb->clusters[0] = (kb_cluster){1, 3, 1.5, 3, 1};
    wb->names[0] = wb->names[1] = wb->no_name;
    wb->clusters[1] = (kb_cluster){2, 4, 1.5, 4, 1};
    wb->findings = (kb_findings){.serial = 1,
                                 .elbow = {.rows = wb->elbow,
                                           .count = KS,
                                           .best_silhouette = 2,
                                           .best_davies_bouldin = 2,
                                           .knee = 3},
                                 .k = CLUSTERS,
                                 .clusters = wb->clusters,
                                 .assigned = wb->assigned,
                                 .sessions = SESSIONS,
                                 .variant = KB_VARIANT_VAE_DEC};
    wb->map = (kb_map){
        .serial = 2, .iteration = 10, .iterations = 10, .layout = wb->layout, .sessions = SESSIONS};
    for (size_t i = 0; i < LOG; i++)
        wb->log[i] = (kb_train_row){.phase = "autoencoder",
                                    .epoch = i + 1,
                                    .epochs = 9,
                                    .loss = 1.0 / (double)(i + 1),
                                    .reconstruction = NAN,
                                    .kl = NAN,
                                    .clustering = NAN,
                                    .validation = 0.5,
                                    .seconds = 1};
}

struct world {
    char folder[256];
    kb_workbench wb;
    kb_shell *shell;
    kb_canvas canvas;
    int x, y;
};

static void news(struct world *world)
{
    kb_shell_update(world->shell);
    while (kb_shell_work(world->shell))
        ;
}

static void draw(struct world *world)
{
    kb_shell_draw(world->shell, &world->canvas, &world->x, &world->y);
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    const char *parent = getenv("TMPDIR");
    snprintf(world->folder, sizeof world->folder, "%s/kb-shell-XXXXXX", parent ? parent : "/tmp");
    if (!mkdtemp(world->folder) || chdir(world->folder) != 0)
        return -1;
    write_corpus(world->folder);
    kb_corpus_options options = kb_corpus_defaults();
    if (kb_corpus_load(&world->wb.corpus, world->folder, &options, NULL, NULL))
        return -1;
    invent_findings(&world->wb);
    world->wb.state = (kb_work_state){.stage = KB_STAGE_LOAD,
                                      .job = {.phase = "reading",
                                              .done = 3400000,
                                              .total = 10000000,
                                              .bytes = true,
                                              .rows = 250000},
                                      .problems = 1};
    if (kb_shell_create(&world->shell, &world->wb, true, true, NULL) ||
        !kb_canvas_resize(&world->canvas, 100, 30))
        return -1;
    *state = world;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)st;
    (void)kind;
    (void)where;
    return remove(path);
}

static int tear_down(void **state)
{
    struct world *world = *state;
    kb_shell_free(world->shell);
    kb_canvas_free(&world->canvas);
    kb_corpus_free(world->wb.corpus);
    int failed = chdir("/") | nftw(world->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(world);
    return failed;
}

/* Everything is done: the usual case. */
static void finish_work(struct world *world)
{
    world->wb.loaded = world->wb.found = world->wb.mapped = true;
    world->wb.state.stage = KB_STAGE_IDLE;
    world->wb.state.log_rows = LOG;
    news(world);
}

static void type(struct world *world, const char *keys)
{
    for (; *keys; keys++)
        kb_shell_key(world->shell, (unsigned char)*keys);
    draw(world);
}

static void press(struct world *world, int32_t key)
{
    kb_shell_key(world->shell, key);
    draw(world);
}

/* The row of the screen that TEXT stands in, or -1. */
static int row_with(struct world *world, const char *text)
{
    char row[2048];
    for (int y = 0; y < world->canvas.rows; y++) {
        kb_canvas_row_text(&world->canvas, y, row, sizeof row);
        if (strstr(row, text))
            return y;
    }
    return -1;
}

static void see(struct world *world, const char *text)
{
    char row[2048];
    if (row_with(world, text) >= 0)
        return;
    for (int y = 0; y < world->canvas.rows; y++) {
        kb_canvas_row_text(&world->canvas, y, row, sizeof row);
        print_error("%s\n", row);
    }
    fail_msg("'%s' is not on the screen", text);
}

/* --- while it works ----------------------------------------------------------------------- */
static void every_view_says_what_it_waits_for(void **state)
{
    struct world *world = *state;
    for (const char *tab = "2345678"; *tab; tab++) {
        type(world, (char[]){*tab, 0});
        see(world, "Waiting for the");
        see(world, "reading 34%");
    }
    type(world, "1");
    see(world, "reading  3.4 of 10.0 MB, 0.2 M rows");
}

static void what_is_known_can_be_browsed_while_it_trains(void **state)
{
    struct world *world = *state;
    world->wb.loaded = true;
    world->wb.state.stage = KB_STAGE_TRAIN;
    world->wb.state.log_rows = 2;
    strcpy(world->wb.state.job.phase, "training");
    news(world);
    type(world, "5");
    see(world, "7 rows");
    type(world, "/s4\r\r");
    see(world, "only2");
    type(world, "6");
    see(world, "shared");
    see(world, "100.0%");
    type(world, "7");
    see(world, "open");
    type(world, "8");
    see(world, "metrics.csv");
    type(world, "2");
    see(world, "Waiting for the clusters: training, training 34%");
    type(world, "1");
    see(world, "autoencoder, epoch 2 of 9");
    see(world, "no usable GPU");
}

static void an_error_stands_in_full_on_the_overview_and_on_the_bottom_line(void **state)
{
    struct world *world = *state;
    world->wb.state.stage = KB_STAGE_IDLE;
    world->wb.state.paused_by_error = true;
    strcpy(world->wb.state.job.error.text, "metrics.csv.gz: the stream ends early");
    news(world);
    draw(world);
    char bottom[512];
    kb_canvas_row_text(&world->canvas, 29, bottom, sizeof bottom);
    assert_string_equal(bottom, "metrics.csv.gz: the stream ends early");
    type(world, "2");
    see(world, "No clusters: metrics.csv.gz: the stream ends early");
    see(world, "failed");
    type(world, "1");
    see(world, "the stream ends early");
}

static void stopping_and_retraining_ask_first(void **state)
{
    struct world *world = *state;
    type(world, "c");
    see(world, "Stop the running work? (y/n)");
    type(world, "n");
    assert_int_equal(world->wb.cancelled, 0);
    type(world, "cy");
    assert_int_equal(world->wb.cancelled, 1);
    type(world, "rx");
    assert_int_equal(world->wb.retrained, 0);
    type(world, "ry");
    assert_int_equal(world->wb.retrained, 1);
    finish_work(world);
    type(world, "c");
    see(world, "no work is going on");
}

/* --- going in and coming back ------------------------------------------------------------- */
static void a_cluster_leads_to_its_objects_sessions_and_ngrams(void **state)
{
    struct world *world = *state;
    finish_work(world);
    type(world, "2j\r");
    see(world, "Clusters (2) › C2 objects");
    see(world, "snapshot 1");
    /* only2 is in 3 of the 4 sessions here and in none of the others: F = .75 / (.75 + .375) */
    int row = row_with(world, "only2");
    char text[512];
    kb_canvas_row_text(&world->canvas, row, text, sizeof text);
    assert_non_null(strstr(text, "75.0%"));
    assert_non_null(strstr(text, "0.6667"));
    type(world, "\t");
    see(world, "C2 sessions");
    see(world, "4 rows");
    type(world, "\t");
    see(world, "C2 n-grams (n = 3)");
    see(world, "3 of 3 such launches have a session");
    /* cid zoomed once of twice, and nobody else did; ann scrolled, too, the only time. */
    kb_canvas_row_text(&world->canvas, row_with(world, "zoom"), text, sizeof text);
    assert_non_null(strstr(text, "50.0%"));
    assert_non_null(strstr(text, "0.0%"));
    assert_null(strstr(text, "100.0%"));
    kb_canvas_row_text(&world->canvas, row_with(world, "scroll"), text, sizeof text);
    assert_non_null(strstr(text, "100.0%"));
    assert_true(row_with(world, "zoom") < row_with(world, "scroll"));
    type(world, "+");
    see(world, "(n = 4)");
    type(world, "-o");
    see(world, "C2 objects");
    type(world, "s");
    see(world, "C2 sessions");
    press(world, KB_KEY_ESCAPE);
    see(world, "Clusters (2)");
    assert_int_equal(row_with(world, "›"), -1);
    assert_int_equal(world->y, 4); /* on the second cluster, where it was */
}

static void an_object_leads_to_its_series(void **state)
{
    struct world *world = *state;
    finish_work(world);
    type(world, "2\r/only1\r\r");
    see(world, "presence in each cluster");
    see(world, "100.0%");
    see(world, "sessions of C1 that have it");
    type(world, "\r");
    see(world, "only1 in s0");
    see(world, "max 81   last 81");
    type(world, "t");
    see(world, "10 rows");
    press(world, KB_KEY_BACKSPACE);
    see(world, "sessions of C1 that have it");
    type(world, "t");
    see(world, "with it");
    press(world, KB_KEY_ESCAPE);
    see(world, "C1 objects");
    see(world, "filter: only1");
    press(world, KB_KEY_ESCAPE);
    see(world, "C1 objects");
    assert_int_equal(row_with(world, "filter:"), -1);
    type(world, "5");
    type(world, "2");
    see(world, "C1 objects"); /* as it was left */
    type(world, "2");
    assert_int_equal(row_with(world, "›"), -1); /* and again: to its start */
}

static void a_new_snapshot_takes_the_place_of_the_old_one(void **state)
{
    struct world *world = *state;
    finish_work(world);
    type(world, "2j\r");
    world->wb.findings.serial = 7;
    world->wb.findings.k = 1;
    for (size_t s = 0; s < SESSIONS; s++)
        world->wb.assigned[s].cluster = 1;
    news(world);
    draw(world);
    see(world, "snapshot 7");
    see(world, "no cluster of this number");
    press(world, KB_KEY_ESCAPE);
    see(world, "Clusters (1)");
    see(world, "100.0%");
}

static void the_map_tells_what_is_under_the_crosshair(void **state)
{
    struct world *world = *state;
    finish_work(world);
    type(world, "3");
    see(world, "4 points: 4 of C2; 1 emerging");
    see(world, "nearest: \\x1b[31mred");
    type(world, "\r");
    see(world, "Map › \\x1b[31mred");
    press(world, KB_KEY_ESCAPE);
    for (int i = 0; i < 100; i++)
        kb_shell_key(world->shell, 'l');
    for (int i = 0; i < 30; i++)
        kb_shell_key(world->shell, 'k');
    type(world, "0t");
    see(world, "7 rows");
    type(world, "/s4\r\r");
    see(world, "Map › s4");
    see(world, "EMERGING");
}

static void another_k_is_asked_for_at_the_elbow(void **state)
{
    struct world *world = *state;
    finish_work(world);
    type(world, "4");
    see(world, "k = 2 in use; silhouette 2, Davies-Bouldin 2, knee 3. Candidate: 2");
    type(world, "]]]");
    see(world, "Candidate: 5");
    type(world, "[\r");
    assert_int_equal(world->wb.recalibrated, 1);
    assert_int_equal(world->wb.last_k, 4);
    type(world, "a");
    assert_int_equal(world->wb.recalibrated, 2);
    assert_int_equal(world->wb.last_k, 0);
    type(world, ":k 3\r");
    assert_int_equal(world->wb.last_k, 3);
    type(world, ":k 1\r");
    see(world, "it must be a whole number from 2 on");
    assert_int_equal(world->wb.recalibrated, 3);
    type(world, "t");
    see(world, "Calinski-H.");
}

static void a_model_without_an_elbow_table_says_so(void **state)
{
    struct world *world = *state;
    world->wb.findings.elbow = (kb_elbow){0};
    finish_work(world);
    type(world, "4");
    see(world, "Press a to compute one");
    type(world, "\r");
    assert_int_equal(world->wb.recalibrated, 0);
    type(world, "a");
    assert_int_equal(world->wb.recalibrated, 1);
}

static void names_of_clusters_are_shown(void **state)
{
    struct world *world = *state;
    static char name[] = "Feed image cache";
    world->wb.names[1] = name;
    finish_work(world);
    type(world, "2");
    see(world, "Feed image cache");
    type(world, "j\r");
    see(world, "C2 objects: Feed image cache");
}

/* --- the command line --------------------------------------------------------------------- */
static void an_export_never_replaces_a_file_unasked(void **state)
{
    struct world *world = *state;
    char text[256];
    finish_work(world);
    type(world, "2x");
    see(world, ":export kaboom-clusters.csv");
    type(world, "\r");
    see(world, "wrote 2 rows to kaboom-clusters.csv");
    FILE *f = fopen("kaboom-clusters.csv", "r");
    assert_non_null(f);
    assert_non_null(fgets(text, sizeof text, f));
    assert_int_equal(strncmp(text, "cluster,name,sessions,share,emerging,", 37), 0);
    assert_non_null(fgets(text, sizeof text, f));
    assert_int_equal(strncmp(text, "1,,3,0.428571429,0,", 19), 0);
    fclose(f);
    type(world, "x\r");
    see(world, "is there already");
    type(world, ":export! kaboom-clusters.csv\r");
    see(world, "wrote 2 rows");
    type(world, ":export /nonexistent-folder/x.csv\r");
    see(world, "/nonexistent-folder/x.csv");
    type(world, "w\r");
    see(world, "the model is being changed");
}

static void commands_complete_and_explain_themselves(void **state)
{
    struct world *world = *state;
    finish_work(world);
    type(world, "5:so\tn\t\r");
    see(world, "▲novelty");
    type(world, ":sort -session\r");
    see(world, "▼session");
    type(world, ":sort nothing\r");
    see(world, "there is no column called nothing");
    type(world, ":goto s4\r");
    see(world, "› s4");
    type(world, ":goto only2\r");
    see(world, "› only2");
    type(world, ":goto elbow\r");
    see(world, "Candidate");
    type(world, ":goto nowhere\r");
    see(world, "there is no view, session or object called nowhere");
    type(world, ":export\r");
    see(world, "export needs FILE");
    type(world, ":nonsense\r");
    see(world, "there is no command called nonsense");
    type(world, ":bind F5 leave\r");
    press(world, KB_KEY_F1 + 4);
    assert_true(kb_shell_done(world->shell));
}

static void help_opens_over_any_view_and_closes(void **state)
{
    struct world *world = *state;
    finish_work(world);
    type(world, "3?");
    see(world, "zoom in");
    type(world, "jjjk ");
    press(world, KB_KEY_ESCAPE);
    assert_int_equal(row_with(world, "zoom in"), -1);
    type(world, "q");
    assert_true(kb_shell_done(world->shell));
}

static void the_mouse_switches_views_and_opens_rows(void **state)
{
    struct world *world = *state;
    finish_work(world);
    draw(world);
    kb_mouse mouse = {.kind = KB_MOUSE_PRESS, .button = 1, .x = 14, .y = 0};
    kb_shell_mouse(world->shell, &mouse);
    draw(world);
    see(world, "top object");
    mouse.y = 4;
    kb_shell_mouse(world->shell, &mouse);
    draw(world);
    assert_int_equal(world->y, 4);
    kb_shell_mouse(world->shell, &mouse);
    draw(world);
    see(world, "C2 objects");
    mouse.button = 3;
    kb_shell_mouse(world->shell, &mouse);
    draw(world);
    see(world, "Clusters (2)");
    type(world, "M");
    assert_false(kb_shell_mouse_wanted(world->shell));
}

/* --- whatever happens --------------------------------------------------------------------- */
/* No cell ever holds a control character, and the cursor is on the screen. */
static void check_screen(struct world *world)
{
    draw(world);
    for (int i = 0; i < world->canvas.cols * world->canvas.rows; i++) {
        char32_t glyph = world->canvas.cells[i].glyph;
        if (glyph && (glyph < 0x20 || (glyph >= 0x7F && glyph < 0xA0)))
            fail_msg("the character %x is on the screen", (unsigned)glyph);
    }
    if (world->x >= 0)
        assert_true(world->x < world->canvas.cols && world->y < world->canvas.rows);
}

static int32_t any_key(kb_rng *rng)
{
    static const char keys[] = "12345678jkhlHJKLgGnNosetdbMxwcr:/?[]<>+-0a yS\r\033\t\177abq";
    if (kb_rng_below(rng, 6) == 0)
        return KB_KEY_UP + (int32_t)kb_rng_below(rng, 32);
    return (unsigned char)keys[kb_rng_below(rng, sizeof keys - 1)];
}

/* A step of the work: things come, change and go as they might. */
static void any_news(struct world *world, kb_rng *rng)
{
    kb_workbench *wb = &world->wb;
    wb->loaded = true;
    wb->found |= kb_rng_below(rng, 3) == 0;
    wb->mapped |= kb_rng_below(rng, 4) == 0;
    wb->state.stage = (kb_stage)kb_rng_below(rng, KB_STAGE_IDLE + 1);
    wb->state.log_rows = kb_rng_below(rng, LOG + 1);
    wb->findings.serial += kb_rng_below(rng, 2);
    wb->map.serial += kb_rng_below(rng, 2);
    wb->findings.k = 1 + kb_rng_below(rng, CLUSTERS);
    wb->findings.elbow.count = kb_rng_below(rng, KS + 1);
    wb->map.iteration = kb_rng_below(rng, 11);
    for (size_t s = 0; s < SESSIONS; s++) {
        wb->assigned[s].cluster = (uint32_t)kb_rng_below(rng, CLUSTERS + 1);
        wb->layout[2 * s] = kb_rng_below(rng, 5) ? kb_rng_normal(rng) : NAN;
    }
    kb_shell_update(world->shell);
    kb_shell_work(world->shell);
}

static void no_key_and_no_size_breaks_it(void **state)
{
    enum { STEPS = 12000 };
    static const int sizes[][2] = {{1, 1},   {19, 6},   {20, 5},   {20, 6},  {21, 7}, {40, 10},
                                   {80, 24}, {140, 30}, {200, 50}, {300, 3}, {25, 90}};
    struct world *world = *state;
    kb_rng rng = kb_rng_start(11, KB_STREAM_TEST);
    for (int i = 0; i < STEPS; i++) {
        if (kb_rng_below(&rng, 40) == 0) {
            const int *size = sizes[kb_rng_below(&rng, sizeof sizes / sizeof *sizes)];
            assert_true(kb_canvas_resize(&world->canvas, size[0], size[1]));
        }
        if (kb_rng_below(&rng, 25) == 0)
            any_news(world, &rng);
        if (kb_rng_below(&rng, 12) == 0) {
            kb_mouse mouse = {.kind = kb_rng_below(&rng, 5),
                              .button = 1 + (int)kb_rng_below(&rng, 3),
                              .x = (int)kb_rng_below(&rng, 210),
                              .y = (int)kb_rng_below(&rng, 55)};
            kb_shell_mouse(world->shell, &mouse);
        }
        kb_shell_key(world->shell, any_key(&rng));
        if (i % 4 == 0)
            check_screen(world);
    }
}

#define shell_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        shell_test(every_view_says_what_it_waits_for),
        shell_test(what_is_known_can_be_browsed_while_it_trains),
        shell_test(an_error_stands_in_full_on_the_overview_and_on_the_bottom_line),
        shell_test(stopping_and_retraining_ask_first),
        shell_test(a_cluster_leads_to_its_objects_sessions_and_ngrams),
        shell_test(an_object_leads_to_its_series),
        shell_test(a_new_snapshot_takes_the_place_of_the_old_one),
        shell_test(the_map_tells_what_is_under_the_crosshair),
        shell_test(another_k_is_asked_for_at_the_elbow),
        shell_test(a_model_without_an_elbow_table_says_so),
        shell_test(names_of_clusters_are_shown),
        shell_test(an_export_never_replaces_a_file_unasked),
        shell_test(commands_complete_and_explain_themselves),
        shell_test(help_opens_over_any_view_and_closes),
        shell_test(the_mouse_switches_views_and_opens_rows),
        shell_test(no_key_and_no_size_breaks_it),
    };
    if (!setlocale(LC_CTYPE, "C.UTF-8") && !setlocale(LC_CTYPE, "en_US.UTF-8"))
        return 77;
    return cmocka_run_group_tests_name("shell", tests, NULL, NULL);
}
