#include "parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chart.h"
#include "memory.h"
#include "theme.h"

/* --- sessions as rows --------------------------------------------------------------------- */
const kb_sheet_column kb_session_columns[KB_SESSION_COLUMNS] = {
    {.name = "glyph", .title = " ", .width = 1, .drop = 1, .graphic = true},
    {.name = "session", .width = 10, .flexible = true},
    {.name = "cluster", .width = 7, .drop = 2},
    {.name = "distance", .width = 8, .drop = 5},
    {.name = "novelty", .width = 8, .drop = 4},
    {.name = "emerging", .width = 8, .drop = 3},
    {.name = "p_value", .width = 8, .drop = 10},
    {.name = "split", .width = 10, .drop = 6},
    {.name = "version", .width = 8, .drop = 7, .flexible = true},
    {.name = "user", .width = 8, .drop = 9, .flexible = true},
    {.name = "label", .width = 8, .drop = 8, .flexible = true},
};

static void assignment_cell(const kb_assignment *assigned, size_t column, kb_value *value)
{
    if (!assigned)
        return;
    if (column == 2) {
        kb_value_number(value, KB_VALUE_COUNT, assigned->cluster);
        value->ink = kb_theme_cluster(assigned->cluster);
    } else if (column == 3) {
        kb_value_number(value, KB_VALUE_REAL, assigned->distance);
    } else if (column == 4) {
        kb_value_number(value, KB_VALUE_REAL, assigned->novelty);
    } else if (column == 6) {
        kb_value_number(value, KB_VALUE_REAL, assigned->p_value);
    } else {
        kb_value_number(value, KB_VALUE_FLAG, assigned->emerging);
        value->ink = KB_INK_WARN;
    }
}

void kb_session_cell(const kb_data *data, size_t session, size_t column, kb_value *value)
{
    const kb_session *facts = kb_corpus_session(data->corpus, session);
    const char *const texts[] = {kb_split_name(facts->split), facts->version, facts->user,
                                 facts->label};
    if (column == 1)
        kb_value_text(value, facts->name);
    else if (column >= 2 && column <= 6)
        assignment_cell(kb_data_assigned(data, session), column, value);
    else if (column >= 7 && *texts[column - 7])
        kb_value_text(value, texts[column - 7]);
}

bool kb_ids_add(kb_ids *ids, size_t id)
{
    if (!kb_grow((void **)&ids->items, &ids->capacity, ids->count + 1, sizeof *ids->items))
        return false;
    ids->items[ids->count++] = id;
    return true;
}

void kb_ids_free(kb_ids *ids)
{
    free(ids->items);
    *ids = (kb_ids){0};
}

/* --- small drawings ----------------------------------------------------------------------- */
int kb_draw_fact(kb_canvas *canvas, int x, int y, int cols, const char *label, const char *value)
{
    int used = kb_canvas_text(canvas, x, y, cols, kb_ink_style(KB_INK_DIM), label);
    used += 1 + kb_canvas_text(canvas, x + used + 1, y, cols - used - 1, kb_ink_style(KB_INK_PLAIN),
                               value);
    return used + 2;
}

int kb_draw_cluster(kb_canvas *canvas, int x, int y, uint32_t number)
{
    char text[16];
    uint8_t ink = kb_theme_cluster(number);
    kb_canvas_put(canvas, x, y, U'●', kb_ink_style(ink));
    snprintf(text, sizeof text, "C%u", number);
    return 2 + kb_canvas_text(canvas, x + 2, y, 8, kb_bold_style(ink), text);
}

void kb_draw_series(kb_ui *ui, kb_canvas *canvas, kb_rect rect, size_t session, uint32_t object)
{
    size_t count;
    const float *values = kb_ui_series(ui, session, object, &count);
    if (values)
        kb_chart_sparkline(canvas, rect.x, rect.y, rect.cols, values, count, 0,
                           kb_ink_style(KB_INK_FIRST));
}

void kb_draw_notice(kb_canvas *canvas, kb_rect rect, unsigned ink, const char *text)
{
    int cells = kb_text_cells(text, canvas->ascii), cols = rect.cols - 2;
    if (cols < 1)
        return;
    int rows = (cells + cols - 1) / cols;
    int x = rect.x + 1 + (cells < cols ? (cols - cells) / 2 : 0);
    int y = rect.y + (rect.rows > rows ? (rect.rows - rows) / 2 : 0);
    kb_canvas_wrap(canvas, kb_rect_of(x, y, rect.x + 1 + cols - x, rect.y + rect.rows - y),
                   kb_ink_style(ink), text);
}

static void draw_cluster_object(kb_ui *ui, kb_canvas *canvas, kb_rect at, uint32_t cluster,
                                const kb_presence_row *row)
{
    enum { NUMBERS = 22, BAR = 10, NAME = 44 };
    int name = at.cols - NUMBERS - BAR - 2;
    name = name > NAME ? NAME : name;
    const char *text = kb_store_object_name(kb_corpus_store(ui->data->corpus), row->object);
    kb_canvas_text(canvas, at.x, at.y, name, kb_ink_style(KB_INK_PLAIN), text);
    kb_canvas_print(canvas, at.x + name + 1, at.y, NUMBERS, kb_ink_style(KB_INK_PLAIN),
                    "%6.1f%% %6.1f%%  %5.3f", 100 * row->presence, 100 * row->other, row->f1);
    kb_chart_bar(canvas, at.x + name + NUMBERS + 2, at.y, BAR, row->presence,
                 kb_ink_style(kb_theme_cluster(cluster)));
}

void kb_draw_cluster_objects(kb_ui *ui, kb_canvas *canvas, kb_rect rect, uint32_t cluster)
{
    const kb_presence *presence = kb_data_presence(ui->data, cluster);
    int x = rect.x + kb_draw_cluster(canvas, rect.x, rect.y, cluster);
    kb_canvas_text(canvas, x + 1, rect.y, rect.cols - 6, kb_bold_style(KB_INK_TITLE),
                   "objects: here, elsewhere, F");
    for (int i = 0; presence && i + 1 < rect.rows && (size_t)i < presence->count; i++)
        draw_cluster_object(ui, canvas, kb_rect_of(rect.x, rect.y + 1 + i, rect.cols, 1), cluster,
                            &presence->rows[i]);
}

void kb_draw_series_chart(kb_ui *ui, kb_canvas *canvas, kb_rect rect, size_t session,
                          uint32_t object)
{
    char title[256];
    size_t count, length = kb_store_length(kb_corpus_store(ui->data->corpus), session);
    const float *values = kb_ui_series(ui, session, object, &count);
    double *x = kb_calloc(length, sizeof *x), *y = kb_calloc(length, sizeof *y), most = 0;
    for (size_t i = 0; values && x && y && i < length; i++) {
        x[i] = (double)i + 1;
        y[i] = (double)values[count - length + i];
        most = fmax(most, y[i]);
    }
    if (values && x && y) {
        snprintf(title, sizeof title, "raw count by step   max %.6g   last %.6g", most,
                 length ? y[length - 1] : 0);
        kb_chart_series series = {.x = x, .y = y, .count = length, .ink = KB_INK_FIRST};
        kb_chart chart = {.title = title,
                          .series = &series,
                          .series_count = 1,
                          .mode = ui->dots,
                          .from_zero = true,
                          .integers = true,
                          .mark = NAN,
                          .cursor = NAN};
        kb_chart_draw(canvas, rect, &chart);
    }
    free(x);
    free(y);
}

static void draw_names(kb_ui *ui, kb_canvas *canvas, kb_rect rect, size_t session, uint32_t object)
{
    const kb_corpus *corpus = ui->data->corpus;
    int x = rect.x + 2 +
            kb_canvas_text(canvas, rect.x, rect.y, rect.cols / 2, kb_bold_style(KB_INK_TITLE),
                           kb_store_object_name(kb_corpus_store(corpus), object));
    kb_draw_fact(canvas, x, rect.y, rect.x + rect.cols - x, "in",
                 kb_corpus_session(corpus, session)->name);
}

void kb_draw_series_beside(kb_ui *ui, kb_canvas *canvas, kb_rect rect, size_t session,
                           uint32_t object)
{
    draw_names(ui, canvas, rect, session, object);
    rect.y++;
    rect.rows = rect.rows > 24 ? 24 : rect.rows - 1;
    kb_draw_series_chart(ui, canvas, rect, session, object);
}

void kb_draw_clusters(kb_ui *ui, kb_canvas *canvas, kb_rect rect)
{
    enum { BAR = 12 };
    const kb_data *data = ui->data;
    double all = data->corpus ? (double)kb_corpus_sessions(data->corpus) : 1;
    for (int i = 0; i < rect.rows && (size_t)i < data->cluster_count; i++) {
        const kb_cluster_facts *facts = &data->clusters[i];
        bool named = facts->has_top && facts->top_object != KB_NAME_NONE;
        int x = rect.x + kb_draw_cluster(canvas, rect.x, rect.y + i, facts->number) + 1, bar = 0;
        x = x < rect.x + 6 ? rect.x + 6 : x;
        kb_canvas_print(canvas, x, rect.y + i, 6, kb_ink_style(KB_INK_PLAIN), "%6zu",
                        facts->sessions);
        if (rect.cols >= 50) {
            kb_chart_bar(canvas, x + 7, rect.y + i, BAR, (double)facts->sessions / all,
                         kb_ink_style(kb_theme_cluster(facts->number)));
            bar = BAR + 1;
        }
        if (named)
            kb_canvas_text(canvas, x + 8 + bar, rect.y + i, rect.x + rect.cols - x - 8 - bar,
                           kb_ink_style(KB_INK_PLAIN),
                           kb_store_object_name(kb_corpus_store(data->corpus), facts->top_object));
    }
}

static void window_text(const kb_store *store, size_t session, char *text, size_t size)
{
    char from[64], to[64];
    size_t length = kb_store_length(store, session);
    if (length == 0) {
        snprintf(text, size, "no row of it could be read");
        return;
    }
    kb_time_format(kb_store_time(store, session, 0), from, sizeof from);
    kb_time_format(kb_store_time(store, session, length - 1), to, sizeof to);
    snprintf(text, size, "%zu steps, time %s to %s", length, from, to);
}

static int draw_session_verdict(kb_ui *ui, kb_canvas *canvas, kb_rect rect, size_t session)
{
    char text[96];
    const kb_assignment *assigned = kb_data_assigned(ui->data, session);
    if (!assigned)
        return 0;
    int x = rect.x + 2 + kb_draw_cluster(canvas, rect.x, rect.y, assigned->cluster);
    snprintf(text, sizeof text, "%.4g", assigned->distance);
    x += kb_draw_fact(canvas, x, rect.y, rect.x + rect.cols - x, "distance", text);
    snprintf(text, sizeof text, "%.4g", assigned->novelty);
    x += kb_draw_fact(canvas, x, rect.y, rect.x + rect.cols - x, "novelty", text);
    if (assigned->emerging)
        kb_canvas_text(canvas, x, rect.y, rect.x + rect.cols - x, kb_bold_style(KB_INK_WARN),
                       "EMERGING");
    return 1;
}

int kb_draw_session_facts(kb_ui *ui, kb_canvas *canvas, kb_rect rect, size_t session)
{
    char text[256];
    const kb_session *facts = kb_corpus_session(ui->data->corpus, session);
    const char *const pairs[][2] = {{"split", kb_split_name(facts->split)},
                                    {"version", facts->version},
                                    {"user", facts->user},
                                    {"label", facts->label}};
    int rows = draw_session_verdict(ui, canvas, rect, session), x = rect.x;
    for (size_t i = 0; i < 4; i++)
        if (*pairs[i][1])
            x += kb_draw_fact(canvas, x, rect.y + rows, rect.x + rect.cols - x, pairs[i][0],
                              pairs[i][1]);
    window_text(kb_corpus_store(ui->data->corpus), session, text, sizeof text);
    kb_draw_fact(canvas, rect.x, rect.y + rows + 1, rect.cols, "window", text);
    return rows + 2;
}

void kb_draw_session_objects(kb_ui *ui, kb_canvas *canvas, kb_rect rect, size_t session)
{
    enum { NUMBER = 9 };
    kb_session_object *objects = NULL;
    size_t count = kb_session_objects(ui->data, session, &objects);
    const kb_store *store = kb_corpus_store(ui->data->corpus);
    int name = rect.cols / 3, spark = rect.cols - name - NUMBER - 2;
    for (int i = 0; i < rect.rows && (size_t)i < count; i++) {
        kb_canvas_text(canvas, rect.x, rect.y + i, name, kb_ink_style(KB_INK_PLAIN),
                       kb_store_object_name(store, objects[i].object));
        kb_draw_series(ui, canvas, kb_rect_of(rect.x + name + 1, rect.y + i, spark, 1), session,
                       objects[i].object);
        kb_canvas_print(canvas, rect.x + rect.cols - NUMBER, rect.y + i, NUMBER,
                        kb_ink_style(KB_INK_DIM), "%9.6g", (double)objects[i].most);
    }
    free(objects);
}

/* --- the objects of one session ----------------------------------------------------------- */
static int by_rank(const void *a, const void *b)
{
    const kb_session_object *x = a, *y = b;
    if (x->ranked != y->ranked)
        return x->ranked ? -1 : 1;
    if (x->ranked)
        return (x->rank > y->rank) - (x->rank < y->rank);
    if (x->most != y->most)
        return x->most > y->most ? -1 : 1;
    return (x->object > y->object) - (x->object < y->object);
}

static int by_object(const void *a, const void *b)
{
    const kb_session_object *x = a, *y = b;
    return (x->object > y->object) - (x->object < y->object);
}

static kb_session_object object_of(const kb_series *series, size_t length)
{
    kb_session_object object = {.object = series->object};
    for (uint32_t i = 0; i < series->count; i++)
        object.most = series->values[i] > object.most ? series->values[i] : object.most;
    if ((size_t)series->first + series->count == length)
        object.last = series->values[series->count - 1];
    return object;
}

/* OBJECTS stand by rising object; the ranking names each object at most once. */
static void take_ranks(kb_session_object *objects, size_t count, const kb_presence *presence)
{
    for (size_t rank = 0; rank < presence->count; rank++) {
        kb_session_object wanted = {.object = presence->rows[rank].object};
        kb_session_object *found = bsearch(&wanted, objects, count, sizeof *objects, by_object);
        if (!found)
            continue;
        found->ranked = true;
        found->rank = rank + 1;
        found->presence = presence->rows[rank].presence;
        found->other = presence->rows[rank].other;
        found->f1 = presence->rows[rank].f1;
    }
}

size_t kb_session_objects(kb_data *data, size_t session, kb_session_object **out)
{
    const kb_store *store = kb_corpus_store(data->corpus);
    size_t count = kb_store_series_count(store, session), length = kb_store_length(store, session);
    *out = kb_calloc(count, sizeof **out);
    if (!*out)
        return 0;
    for (size_t i = 0; i < count; i++) {
        kb_series series = kb_store_series(store, session, i);
        (*out)[i] = object_of(&series, length);
    }
    uint32_t cluster = kb_data_cluster_of(data, session);
    const kb_presence *presence = cluster ? kb_data_presence(data, cluster) : NULL;
    if (presence)
        take_ranks(*out, count, presence);
    qsort(*out, count, sizeof **out, by_rank);
    return count;
}
