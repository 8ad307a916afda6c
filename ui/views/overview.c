/* overview: what is going on: the stages of the work, the losses while training, what the corpus
 * and the model hold, and notes. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chart.h"
#include "job_text.h"
#include "memory.h"
#include "parts.h"
#include "theme.h"

/* --- the table: the training log ---------------------------------------------------------- */
enum column { PHASE, EPOCH, LOSS, RECONSTRUCTION, KL, CLUSTERING, VALIDATION, SECONDS, COLUMNS };

static const kb_sheet_column columns[COLUMNS] = {
    [PHASE] = {.name = "phase", .width = 12},
    [EPOCH] = {.name = "epoch", .width = 6},
    [LOSS] = {.name = "loss", .width = 10},
    [RECONSTRUCTION] = {.name = "reconstruction", .title = "reconstr.", .width = 10, .drop = 1},
    [KL] = {.name = "kl", .title = "KL", .width = 10, .drop = 2},
    [CLUSTERING] = {.name = "clustering", .width = 10, .drop = 3},
    [VALIDATION] = {.name = "validation", .width = 10, .drop = 1},
    [SECONDS] = {.name = "seconds", .width = 8, .drop = 4},
};

static void cell(void *ctx, size_t row, size_t column, kb_value *value)
{
    const kb_pane *pane = ctx;
    const kb_train_row *log = &pane->ui->data->log[row];
    const double numbers[COLUMNS] = {
        0,       (double)log->epoch, log->loss,       log->reconstruction,
        log->kl, log->clustering,    log->validation, log->seconds};
    if (column == PHASE)
        kb_value_text(value, log->phase);
    else
        kb_value_number(value, column == EPOCH ? KB_VALUE_COUNT : KB_VALUE_REAL, numbers[column]);
}

static void refresh(kb_pane *pane)
{
    pane->sheet = (kb_sheet){.columns = columns,
                             .column_count = COLUMNS,
                             .row_count = pane->ui->data->log_count,
                             .cell = cell,
                             .ctx = pane,
                             .version = pane->ui->data->log_count};
}

/* --- progress ----------------------------------------------------------------------------- */
static int draw_running(kb_canvas *canvas, kb_rect rect, const kb_work_state *state)
{
    char text[224], amount[96], rate[64];
    const kb_job_state *job = &state->job;
    kb_job_rate_text(job, rate, sizeof rate);
    kb_job_amount_text(job, amount, sizeof amount);
    snprintf(text, sizeof text, "%s  %s  %s", job->phase[0] ? job->phase : "starting", amount,
             rate);
    kb_canvas_text(canvas, rect.x, rect.y, rect.cols, kb_ink_style(KB_INK_PLAIN), text);
    int bar = rect.cols < 60 ? rect.cols - 6 : 54;
    double share = job->total ? (double)job->done / (double)job->total : 0;
    kb_canvas_fill(canvas, kb_rect_of(rect.x, rect.y + 1, bar, 1), U'·', kb_ink_style(KB_INK_DIM));
    kb_chart_bar(canvas, rect.x, rect.y + 1, bar, share, kb_ink_style(KB_INK_ACCENT));
    kb_canvas_print(canvas, rect.x + bar + 1, rect.y + 1, 5, kb_ink_style(KB_INK_PLAIN), "%3.0f%%",
                    100 * fmin(share, 1));
    return 2;
}

/* "load ✓ train ▸ calibrate map" as words in inks: what is done, what runs, what is to come. */
static void draw_stages(kb_canvas *canvas, kb_rect rect, const kb_data *data)
{
    static const char *const names[] = {"load", "train", "calibrate", "map"};
    bool halted = data->state.paused_by_error || data->state.cancelled,
         idle = data->state.stage == KB_STAGE_IDLE;
    bool mapped = data->map && data->map->iteration >= data->map->iterations;
    int x = rect.x;
    for (int i = 0; i < 4; i++) {
        int reached = (int)data->reached;
        bool running = (int)data->state.stage == i;
        bool made =
            i < reached || (i == reached && idle && !halted) || (i == KB_STAGE_MAP && mapped);
        bool stuck = idle && !made;
        const char *sign = running ? "▸" : stuck ? "×" : made ? "●" : "○";
        unsigned ink = running ? KB_INK_ACCENT
                       : stuck ? KB_INK_BAD
                       : made  ? KB_INK_GOOD
                               : KB_INK_DIM;
        x += kb_canvas_text(canvas, x, rect.y, rect.x + rect.cols - x, kb_ink_style(ink), sign) + 1;
        kb_style style = running ? kb_bold_style(ink) : kb_ink_style(ink);
        x += kb_canvas_text(canvas, x, rect.y, rect.x + rect.cols - x, style, names[i]) + 2;
    }
}

static int draw_work(kb_canvas *canvas, kb_rect rect, const kb_data *data)
{
    const kb_work_state *state = &data->state;
    draw_stages(canvas, rect, data);
    kb_rect below = kb_rect_of(rect.x, rect.y + 1, rect.cols, rect.rows - 1);
    if (state->paused_by_error)
        return 1 + kb_canvas_wrap(canvas, below, kb_ink_style(KB_INK_BAD), state->job.error.text);
    if (state->cancelled)
        return 1 +
               kb_canvas_wrap(canvas, below, kb_ink_style(KB_INK_WARN),
                              "Cancelled. What was made before can be browsed; r trains again.");
    if (state->stage == KB_STAGE_IDLE)
        return 1 + kb_canvas_wrap(canvas, below, kb_ink_style(KB_INK_GOOD), "Everything is done.");
    return 1 + draw_running(canvas, below, state);
}

/* --- facts -------------------------------------------------------------------------------- */
struct facts {
    kb_canvas *canvas;
    kb_rect rect;
    int row;
};

static void fact(struct facts *facts, const char *label, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void fact(struct facts *facts, const char *label, const char *format, ...)
{
    enum { LABEL = 11 };
    char text[512];
    va_list args;
    if (facts->row >= facts->rect.rows)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    int y = facts->rect.y + facts->row++;
    kb_canvas_text(facts->canvas, facts->rect.x, y, LABEL, kb_ink_style(KB_INK_DIM), label);
    kb_rect rest = kb_rect_of(facts->rect.x + LABEL, y, facts->rect.cols - LABEL,
                              facts->rect.rows - facts->row + 1);
    int used = kb_canvas_wrap(facts->canvas, rest, kb_ink_style(KB_INK_PLAIN), text);
    facts->row += used > 1 ? used - 1 : 0;
}

static void heading(struct facts *facts, const char *text)
{
    if (facts->row < facts->rect.rows)
        kb_canvas_text(facts->canvas, facts->rect.x, facts->rect.y + facts->row++, facts->rect.cols,
                       kb_bold_style(KB_INK_TITLE), text);
}

static void corpus_facts(struct facts *facts, const kb_data *data)
{
    if (!data->corpus)
        return;
    const kb_store *store = kb_corpus_store(data->corpus);
    const kb_events *events = kb_corpus_events(data->corpus);
    heading(facts, "Corpus");
    fact(facts, "path", "%s", kb_corpus_path(data->corpus));
    fact(facts, "sessions", "%zu: %zu train, %zu validation, %zu emerging, %zu later",
         kb_corpus_sessions(data->corpus), data->splits[0], data->splits[1], data->splits[2],
         data->splits[3]);
    if (data->unreadable)
        fact(facts, "", "%zu of them without a row that could be read", data->unreadable);
    fact(facts, "objects", "%zu over at most %zu steps", kb_store_objects(store),
         kb_store_timesteps(store));
    fact(facts, "rows", "%ju good, %ju bad%s", (uintmax_t)kb_corpus_rows(data->corpus),
         (uintmax_t)kb_corpus_bad_rows(data->corpus),
         kb_corpus_bad_rows(data->corpus) ? " (8: which)" : "");
    size_t damaged = kb_corpus_damaged(data->corpus);
    if (damaged)
        fact(facts, "damaged",
             damaged == 1 ? "%zu file; its end is missing" : "%zu files; their ends are missing",
             damaged);
    fact(facts, "readings", "%ju not zero, %.1f MB held", (uintmax_t)kb_store_nonzero(store),
         (double)kb_store_bytes(store) / 1e6);
    if (events)
        fact(facts, "events", "%zu of %zu kinds by %zu users", kb_events_count(events),
             kb_events_kinds(events), kb_events_users(events));
}

static void model_facts(struct facts *facts, const kb_data *data)
{
    size_t emerging = 0;
    if (!data->findings)
        return;
    const kb_findings *findings = data->findings;
    for (size_t i = 0; i < findings->sessions; i++)
        emerging += findings->assigned[i].emerging;
    heading(facts, "Model");
    fact(facts, "variant", "%s, %zu inputs, %zu hidden, %zu latent",
         kb_variant_name(findings->variant), findings->inputs, findings->hidden, findings->latent);
    fact(facts, "parameters", "%zu", findings->parameters);
    fact(facts, "clusters", "%zu", findings->k);
    fact(facts, "emerging", "%zu of %zu sessions", emerging, findings->sessions);
}

/* Newest first, as many as fit. */
static void notes(struct facts *facts, const kb_data *data)
{
    const char *text;
    size_t count = kb_workbench_notes(data->workbench, 0, &text);
    if (count)
        heading(facts, "Notes");
    for (size_t i = count; i > 0 && facts->row < facts->rect.rows; i--) {
        kb_workbench_notes(data->workbench, i - 1, &text);
        kb_rect left = kb_rect_of(facts->rect.x, facts->rect.y + facts->row, facts->rect.cols,
                                  facts->rect.rows - facts->row);
        facts->row += kb_canvas_wrap(facts->canvas, left, kb_ink_style(KB_INK_WARN), text);
    }
}

static void draw_facts(kb_canvas *canvas, kb_rect rect, const kb_data *data)
{
    struct facts facts = {canvas, rect, 0};
    corpus_facts(&facts, data);
    model_facts(&facts, data);
    notes(&facts, data);
}

/* --- losses ------------------------------------------------------------------------------- */
/* The epochs of the last phase only: the losses of two phases do not measure the same. Of very many
 * every so manieth, and the last. */
static void draw_losses(kb_pane *pane, kb_canvas *canvas, kb_rect rect)
{
    enum { POINTS = 2000 };
    const kb_data *data = pane->ui->data;
    size_t count = data->log_count, from = count;
    while (from > 0 && data->log[from - 1].phase == data->log[count - 1].phase)
        from--;
    size_t stride = (count - from) / POINTS + 1, rows = (count - from + stride - 1) / stride;
    double *x = kb_calloc(rows, sizeof *x), *loss = kb_calloc(rows, sizeof *loss);
    double *held = kb_calloc(rows, sizeof *held);
    for (size_t i = 0; x && loss && held && i < rows; i++) {
        const kb_train_row *row = &data->log[count - 1 - (rows - 1 - i) * stride];
        x[i] = (double)row->epoch;
        loss[i] = row->loss;
        held[i] = row->validation;
    }
    if (x && loss && held && rows) {
        char title[64];
        snprintf(title, sizeof title, "%s, epoch %zu of %zu", data->log[count - 1].phase,
                 data->log[count - 1].epoch, data->log[count - 1].epochs);
        kb_chart_series series[] = {
            {.name = isnan(data->log[count - 1].clustering) ? "training" : "KL(P||Q)",
             .x = x,
             .y = loss,
             .count = rows,
             .ink = KB_INK_FIRST},
            {.name = "validation", .x = x, .y = held, .count = rows, .ink = KB_INK_SECOND}};
        kb_chart chart = {.title = title,
                          .series = series,
                          .series_count = 2,
                          .mode = pane->ui->dots,
                          .logarithmic = true,
                          .integers = true,
                          .mark = NAN,
                          .cursor = NAN};
        kb_chart_draw(canvas, rect, &chart);
    }
    free(x);
    free(loss);
    free(held);
}

static void draw_clusters(kb_ui *ui, kb_canvas *canvas, kb_rect rect)
{
    if (!ui->data->cluster_count || rect.rows < 3)
        return;
    kb_canvas_text(canvas, rect.x, rect.y, rect.cols, kb_bold_style(KB_INK_TITLE),
                   "Clusters: sessions, and the object with the largest F");
    kb_draw_clusters(ui, canvas, kb_rect_of(rect.x, rect.y + 1, rect.cols, rect.rows - 1));
}

static void draw(kb_pane *pane, kb_canvas *canvas, kb_rect rect)
{
    const kb_data *data = pane->ui->data;
    int used = draw_work(canvas, rect, data) + (rect.rows >= 12);
    kb_rect rest = kb_rect_of(rect.x, rect.y + used, rect.cols, rect.rows - used);
    if (rest.rows <= 0)
        return;
    bool wide = rect.cols >= 76, beside = wide && data->log_count > 0;
    bool below = !wide && data->log_count > 0 && rest.rows >= 18;
    kb_rect facts = rest, losses = rest;
    if (beside) {
        facts.cols = rect.cols >= 150 ? 76 : rect.cols / 2 + 6;
        losses.x += facts.cols + 1;
        losses.cols -= facts.cols + 1;
        losses.rows = losses.rows > 24 ? 24 : losses.rows;
    } else if (below) {
        facts.rows -= 8;
        losses.y += facts.rows;
        losses.rows = 8;
    }
    kb_rect clusters = kb_rect_of(rest.x + 78, rest.y, rest.cols - 78, rest.rows);
    if (beside) {
        clusters.y += losses.rows + 1;
        clusters.rows -= losses.rows + 1;
    }
    draw_facts(canvas, facts, data);
    if (rect.cols >= 150)
        draw_clusters(pane->ui, canvas, clusters);
    if (beside || below)
        draw_losses(pane, canvas, losses);
}

const kb_view_ops kb_overview_view = {
    .name = "Overview",
    .scopes = KB_IN_CHART | KB_IN_WORK,
    .refresh = refresh,
    .draw = draw,
};
