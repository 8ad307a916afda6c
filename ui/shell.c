#include "shell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "export.h"
#include "memory.h"
#include "parts.h"
#include "prompt.h"
#include "theme.h"

enum { DEPTH_MAX = 32, COLS_LEAST = 20, ROWS_LEAST = 6, ASIDE_COLS = 140, HELP_LINES = 96 };

static const kb_view_ops *const top_views[KB_TOP_VIEWS] = {
    &kb_overview_view, &kb_clusters_view, &kb_map_view,    &kb_elbow_view,
    &kb_sessions_view, &kb_objects_view,  &kb_ngrams_view, &kb_problems_view,
};

/* What the bottom line is used for. */
enum asking { ASK_NOTHING, ASK_COMMAND, ASK_FILTER, ASK_CANCEL, ASK_RETRAIN };

struct stack {
    kb_pane *panes[DEPTH_MAX];
    size_t depth;
};

struct kb_shell {
    kb_data data;
    kb_ui ui;
    struct stack stacks[KB_TOP_VIEWS]; /* each view keeps what is open in it */
    size_t tab;
    enum asking asking;
    kb_prompt prompt;
    char filter_before[KB_FILTER_MAX];
    bool help;
    size_t help_top;
    bool done, mouse, redraw;
    bool told_failure; /* the error of the stage that failed has been put on the bottom line */
    int tab_x[KB_TOP_VIEWS + 1]; /* where the tabs were drawn, for the mouse */
    int tab_row;
};

/* --- panes -------------------------------------------------------------------------------- */
static void pane_free(kb_pane *pane)
{
    if (pane->ops->leave)
        pane->ops->leave(pane);
    kb_list_free(&pane->list);
    free(pane->state);
    free(pane);
}

static kb_pane *pane_create(kb_shell *shell, const kb_view_ops *ops, kb_target target)
{
    kb_pane *pane = kb_calloc(1, sizeof *pane);
    if (!pane)
        return NULL;
    pane->ops = ops;
    pane->ui = &shell->ui;
    pane->target = target;
    kb_list_init(&pane->list);
    pane->state = kb_calloc(1, ops->state_size + 1);
    if (!pane->state) {
        free(pane);
        return NULL;
    }
    return pane;
}

static struct stack *stack_of(kb_shell *shell)
{
    return &shell->stacks[shell->tab];
}

static kb_pane *pane_of(kb_shell *shell)
{
    struct stack *stack = stack_of(shell);
    return stack->panes[stack->depth - 1];
}

static void refresh(kb_pane *pane)
{
    pane->wait[0] = '\0';
    pane->ops->refresh(pane);
    if (!pane->wait[0])
        kb_list_sync(&pane->list, &pane->sheet);
}

static void pop(kb_shell *shell)
{
    struct stack *stack = stack_of(shell);
    if (stack->depth > 1)
        pane_free(stack->panes[--stack->depth]);
}

/* Opens what a view has asked for. */
static void grant_wish(kb_shell *shell)
{
    struct stack *stack = stack_of(shell);
    const kb_view_ops *view = shell->ui.wish.view;
    shell->ui.wish.view = NULL;
    if (!view)
        return;
    if (stack->depth == DEPTH_MAX && !shell->ui.wish.instead) {
        kb_ui_complain(&shell->ui, "too many views are open; Esc closes one");
        return;
    }
    kb_pane *pane = pane_create(shell, view, shell->ui.wish.target);
    if (!pane) {
        kb_ui_complain(&shell->ui, "no memory for another view");
        return;
    }
    if (shell->ui.wish.instead)
        pane_free(stack->panes[--stack->depth]);
    stack->panes[stack->depth++] = pane;
    refresh(pane);
}

kb_status kb_shell_create(kb_shell **out, kb_workbench *workbench, bool unicode, bool mouse,
                          kb_error *err)
{
    kb_shell *shell = kb_calloc(1, sizeof *shell);
    *out = NULL;
    if (!shell)
        return kb_fail_memory(err, "the explorer");
    shell->mouse = mouse;
    shell->tab_row = -1;
    shell->ui = (kb_ui){
        .data = &shell->data, .ascii = !unicode, .dots = unicode ? KB_DOTS_BRAILLE : KB_DOTS_ASCII};
    kb_keys_init(&shell->ui.keys);
    kb_data_init(&shell->data, workbench);
    for (size_t i = 0; i < KB_TOP_VIEWS; i++) {
        shell->stacks[i].panes[0] = pane_create(shell, top_views[i], (kb_target){0});
        if (!shell->stacks[i].panes[0]) {
            kb_shell_free(shell);
            return kb_fail_memory(err, "the explorer's views");
        }
        shell->stacks[i].depth = 1;
    }
    *out = shell;
    return KB_OK;
}

void kb_shell_free(kb_shell *shell)
{
    if (!shell)
        return;
    for (size_t i = 0; i < KB_TOP_VIEWS; i++)
        while (shell->stacks[i].depth > 0)
            pane_free(shell->stacks[i].panes[--shell->stacks[i].depth]);
    kb_data_free(&shell->data);
    free(shell->ui.series);
    free(shell);
}

/* --- news --------------------------------------------------------------------------------- */
bool kb_shell_update(kb_shell *shell)
{
    bool changed = kb_data_update(&shell->data);
    const kb_work_state *state = &shell->data.state;
    if (state->paused_by_error && !shell->told_failure)
        kb_ui_complain(&shell->ui, "%s", state->job.error.text);
    shell->told_failure = state->paused_by_error;
    return changed;
}

bool kb_shell_work(kb_shell *shell)
{
    return kb_data_work(&shell->data);
}

bool kb_shell_done(const kb_shell *shell)
{
    return shell->done;
}

bool kb_shell_busy(const kb_shell *shell)
{
    return shell->data.state.stage != KB_STAGE_IDLE;
}

bool kb_shell_mouse_wanted(const kb_shell *shell)
{
    return shell->mouse;
}

bool kb_shell_redraw_wanted(kb_shell *shell)
{
    bool wanted = shell->redraw;
    shell->redraw = false;
    return wanted;
}

/* --- the bottom line ---------------------------------------------------------------------- */
static void ask(kb_shell *shell, enum asking what, const char *text)
{
    shell->asking = what;
    shell->ui.message[0] = '\0';
    kb_prompt_set(&shell->prompt, text);
}

static void goto_view(kb_shell *shell, size_t tab)
{
    if (shell->tab == tab)
        while (stack_of(shell)->depth > 1)
            pop(shell);
    shell->tab = tab;
}

static bool goto_view_named(kb_shell *shell, const char *name)
{
    for (size_t i = 0; i < KB_TOP_VIEWS; i++)
        if (strcasecmp(top_views[i]->name, name) == 0) {
            goto_view(shell, i);
            return true;
        }
    return false;
}

static void order_goto(kb_shell *shell, const char *name)
{
    const kb_corpus *corpus = shell->data.corpus;
    if (goto_view_named(shell, name))
        return;
    const kb_store *store = corpus ? kb_corpus_store(corpus) : NULL;
    size_t session = store ? kb_store_find_session(store, name) : SIZE_MAX;
    size_t object = store ? kb_store_find_object(store, name) : SIZE_MAX;
    if (session != SIZE_MAX)
        kb_ui_open(&shell->ui, &kb_session_view, (kb_target){.session = session});
    else if (object != SIZE_MAX)
        kb_ui_open(&shell->ui, &kb_object_view, (kb_target){.object = (uint32_t)object});
    else
        kb_ui_complain(&shell->ui, "there is no view, session or object called %s", name);
    grant_wish(shell);
}

static void order_export(kb_shell *shell, const char *typed, bool forced)
{
    char path[KB_PROMPT_MAX + 64];
    size_t rows = 0;
    kb_error err = {0};
    kb_export_path(typed, path, sizeof path);
    kb_status status = kb_export_allowed(path, forced, &err);
    if (!status)
        status = kb_export_pane(pane_of(shell), path, &rows, &err);
    if (status)
        kb_ui_complain(&shell->ui, "%s", err.text);
    else
        kb_ui_say(&shell->ui, "wrote %zu rows to %s", rows, path);
}

static void order_write(kb_shell *shell, const char *typed, bool forced)
{
    char path[KB_PROMPT_MAX + 64];
    kb_error err = {0};
    kb_export_path(typed, path, sizeof path);
    kb_status status = kb_export_allowed(path, forced, &err);
    if (!status)
        status = kb_workbench_save_model(shell->data.workbench, path, &err);
    if (status)
        kb_ui_complain(&shell->ui, "%s", err.text);
    else
        kb_ui_say(&shell->ui, "wrote the model to %s", path);
}

static void order_sort(kb_shell *shell, const char *name)
{
    kb_pane *pane = pane_of(shell);
    bool backwards = name[0] == '-';
    if (!kb_pane_is_list(pane) || pane->wait[0]) {
        kb_ui_complain(&shell->ui, "there is no table here to sort");
        return;
    }
    for (size_t c = 0; c < pane->sheet.column_count; c++) {
        const kb_sheet_column *column = &pane->sheet.columns[c];
        bool same = strcasecmp(column->name, name + backwards) == 0 ||
                    (column->title && strcasecmp(column->title, name + backwards) == 0);
        if (same && !column->graphic) {
            kb_list_sort_by(&pane->list, (int)c, backwards);
            return;
        }
    }
    kb_ui_complain(&shell->ui, "there is no column called %s", name + backwards);
}

static void order_k(kb_shell *shell, const char *text)
{
    char *end;
    unsigned long k = strtoul(text, &end, 10);
    bool automatic = strcmp(text, "auto") == 0;
    if (!automatic && (*end || end == text || k < 2 || k > 100000)) {
        kb_ui_complain(&shell->ui, "k is \"%s\"; it must be a whole number from 2 on, or auto",
                       text);
    } else if (!shell->data.findings) {
        kb_ui_complain(&shell->ui, "there is no model to calibrate yet");
    } else {
        kb_workbench_recalibrate(shell->data.workbench, automatic ? 0 : k);
        kb_ui_say(&shell->ui, "calibrating again");
    }
}

static void order_bind(kb_shell *shell, const char *text)
{
    char key[16], name[48], rest;
    if (sscanf(text, "%15s %47s %c", key, name, &rest) != 2) {
        kb_ui_complain(&shell->ui, "bind takes a key and a command");
        return;
    }
    const char *wrong = kb_keys_bind(&shell->ui.keys, key, name);
    if (wrong)
        kb_ui_complain(&shell->ui, "%s: %s", text, wrong);
}

static void set_filter(kb_shell *shell, const char *text)
{
    kb_pane *pane = pane_of(shell);
    kb_list_set_filter(&pane->list, text);
}

static void give_order(kb_shell *shell, const kb_order_line *line)
{
    if (*kb_order_usage(line->order) && !*line->argument && line->order != KB_ORDER_FILTER) {
        kb_ui_complain(&shell->ui, "%s needs %s", line->name, kb_order_usage(line->order));
        return;
    }
    switch (line->order) {
    case KB_ORDER_NONE:
        break;
    case KB_ORDER_UNKNOWN:
        kb_ui_complain(&shell->ui, "there is no command called %s", line->name);
        break;
    case KB_ORDER_AMBIGUOUS:
        kb_ui_complain(&shell->ui, "more than one command begins with %s", line->name);
        break;
    case KB_ORDER_BIND:
        order_bind(shell, line->argument);
        break;
    case KB_ORDER_CANCEL:
        kb_workbench_cancel(shell->data.workbench);
        break;
    case KB_ORDER_EXPORT:
        order_export(shell, line->argument, line->forced);
        break;
    case KB_ORDER_FILTER:
        set_filter(shell, line->argument);
        break;
    case KB_ORDER_GOTO:
        order_goto(shell, line->argument);
        break;
    case KB_ORDER_HELP:
        shell->help = true;
        break;
    case KB_ORDER_K:
        order_k(shell, line->argument);
        break;
    case KB_ORDER_QUIT:
        shell->done = true;
        break;
    case KB_ORDER_RETRAIN:
        kb_workbench_retrain(shell->data.workbench);
        break;
    case KB_ORDER_SORT:
        order_sort(shell, line->argument);
        break;
    case KB_ORDER_WRITE:
        order_write(shell, line->argument, line->forced);
        break;
    }
}

/* The I-th thing that the argument of ORDER may be. */
static const char *candidate(void *ctx, kb_order order, size_t i)
{
    kb_shell *shell = ctx;
    const kb_pane *pane = pane_of(shell);
    const kb_corpus *corpus = shell->data.corpus;
    if (order == KB_ORDER_SORT)
        return i < pane->sheet.column_count ? pane->sheet.columns[i].name : NULL;
    if (order == KB_ORDER_K)
        return i == 0 ? "auto" : NULL;
    if (order != KB_ORDER_GOTO)
        return NULL;
    if (i < KB_TOP_VIEWS)
        return top_views[i]->name;
    i -= KB_TOP_VIEWS;
    size_t sessions = corpus ? kb_corpus_sessions(corpus) : 0;
    if (i < sessions)
        return kb_corpus_session(corpus, i)->name;
    i -= sessions;
    return corpus && i < kb_store_objects(kb_corpus_store(corpus))
               ? kb_store_object_name(kb_corpus_store(corpus), i)
               : NULL;
}

static void complete(kb_shell *shell)
{
    char shown[1024];
    size_t count = kb_prompt_complete(&shell->prompt, candidate, shell, shown, sizeof shown);
    if (count > 1)
        kb_ui_say(&shell->ui, "%s", shown);
    else
        shell->ui.message[0] = '\0';
}

static void answer(kb_shell *shell, int32_t key)
{
    enum asking asked = shell->asking;
    shell->asking = ASK_NOTHING;
    if (key != 'y' && key != 'Y')
        return;
    if (asked == ASK_CANCEL) {
        kb_workbench_cancel(shell->data.workbench);
        kb_ui_say(&shell->ui, "stopping");
    } else {
        kb_workbench_retrain(shell->data.workbench);
        kb_ui_say(&shell->ui, "training again with the next seed");
    }
}

static void finish_prompt(kb_shell *shell)
{
    enum asking asked = shell->asking;
    shell->asking = ASK_NOTHING;
    shell->ui.message[0] = '\0';
    if (asked == ASK_COMMAND) {
        kb_order_line line = kb_order_parse(shell->prompt.text);
        give_order(shell, &line);
    }
}

static void prompt_key(kb_shell *shell, int32_t key)
{
    bool filtering = shell->asking == ASK_FILTER;
    if (key == KB_KEY_ENTER) {
        finish_prompt(shell);
    } else if (key == KB_KEY_ESCAPE || (key == KB_KEY_BACKSPACE && !shell->prompt.length)) {
        if (filtering)
            set_filter(shell, shell->filter_before);
        shell->asking = ASK_NOTHING;
        shell->ui.message[0] = '\0';
    } else if (key == KB_KEY_TAB && !filtering) {
        complete(shell);
    } else if (kb_prompt_key(&shell->prompt, key)) {
        shell->ui.message[0] = '\0';
        if (filtering)
            set_filter(shell, shell->prompt.text);
    }
}

/* --- commands by key ---------------------------------------------------------------------- */
static unsigned scopes_of(const kb_pane *pane)
{
    unsigned scopes = pane->ops->scopes | KB_IN_ANY | KB_IN_WORK;
    if (kb_pane_is_list(pane))
        scopes = (scopes & ~(unsigned)KB_IN_MAP) | KB_IN_LIST;
    return scopes;
}

static void toggle_table(kb_pane *pane)
{
    char filter[KB_FILTER_MAX];
    snprintf(filter, sizeof filter, "%s", pane->list.filter);
    pane->as_table = !pane->as_table;
    kb_list_free(&pane->list);
    kb_list_set_filter(&pane->list, filter);
}

/* Another of the three views of a cluster in place of this one. */
static void open_sibling(kb_shell *shell, kb_do command)
{
    static const kb_view_ops *const siblings[] = {
        &kb_cluster_objects_view, &kb_cluster_sessions_view, &kb_cluster_ngrams_view};
    kb_pane *pane = pane_of(shell);
    size_t now = 0;
    for (size_t i = 0; i < 3; i++)
        now = siblings[i] == pane->ops ? i : now;
    size_t wanted = command == KB_DO_SIBLING ? (now + 1) % 3 : (size_t)(command - KB_DO_OBJECTS);
    if (wanted == now)
        return;
    kb_ui_open(&shell->ui, siblings[wanted], pane->target);
    shell->ui.wish.instead = true;
    grant_wish(shell);
}

static void back(kb_shell *shell)
{
    kb_pane *pane = pane_of(shell);
    if (pane->list.filter[0])
        kb_list_set_filter(&pane->list, "");
    else
        pop(shell);
}

static void propose_export(kb_shell *shell)
{
    char name[128], text[160];
    kb_export_name(pane_of(shell), name, sizeof name);
    snprintf(text, sizeof text, "export %s", name);
    ask(shell, ASK_COMMAND, text);
}

static void ask_filter(kb_shell *shell)
{
    kb_pane *pane = pane_of(shell);
    snprintf(shell->filter_before, sizeof shell->filter_before, "%s", pane->list.filter);
    ask(shell, ASK_FILTER, "");
}

static void cycle_dots(kb_shell *shell)
{
    kb_ui *ui = &shell->ui;
    ui->dots = ui->ascii ? KB_DOTS_ASCII : (kb_dots_mode)((ui->dots + 1) % KB_DOTS_MODES);
    kb_ui_say(ui, "drawing with %s", kb_dots_mode_name(ui->dots));
}

static void toggle_mouse(kb_shell *shell)
{
    shell->mouse = !shell->mouse;
    kb_ui_say(&shell->ui, shell->mouse ? "mouse on (hold Shift to select text)" : "mouse off");
}

/* What a command does whatever the view. */
static void act_anywhere(kb_shell *shell, kb_do command)
{
    if (command >= KB_DO_VIEW_1 && command <= KB_DO_VIEW_8) {
        goto_view(shell, (size_t)(command - KB_DO_VIEW_1));
        return;
    }
    switch (command) {
    case KB_DO_QUIT:
        shell->done = true;
        break;
    case KB_DO_HELP:
        shell->help = true;
        shell->help_top = 0;
        break;
    case KB_DO_BACK:
        back(shell);
        break;
    case KB_DO_NEXT_VIEW:
        shell->tab = (shell->tab + 1) % KB_TOP_VIEWS;
        break;
    case KB_DO_PREVIOUS_VIEW:
        shell->tab = (shell->tab + KB_TOP_VIEWS - 1) % KB_TOP_VIEWS;
        break;
    case KB_DO_FILTER:
        ask_filter(shell);
        break;
    case KB_DO_TABLE:
        toggle_table(pane_of(shell));
        break;
    case KB_DO_EXPORT:
        propose_export(shell);
        break;
    case KB_DO_COMMAND:
        ask(shell, ASK_COMMAND, "");
        break;
    case KB_DO_CANCEL:
        if (kb_shell_busy(shell))
            ask(shell, ASK_CANCEL, "");
        else
            kb_ui_say(&shell->ui, "no work is going on");
        break;
    case KB_DO_RETRAIN:
        ask(shell, ASK_RETRAIN, "");
        break;
    case KB_DO_WRITE:
        ask(shell, ASK_COMMAND, "write kaboom.model");
        break;
    case KB_DO_DOTS:
        cycle_dots(shell);
        break;
    case KB_DO_MOUSE:
        toggle_mouse(shell);
        break;
    case KB_DO_REDRAW:
        shell->redraw = true;
        break;
    case KB_DO_OBJECTS:
    case KB_DO_SESSIONS:
    case KB_DO_NGRAMS:
    case KB_DO_SIBLING:
        open_sibling(shell, command);
        break;
    default:
        break;
    }
}

static void perform(kb_shell *shell, kb_do command)
{
    kb_pane *pane = pane_of(shell);
    bool able = !pane->wait[0] || command == KB_DO_AUTOMATIC;
    if (able && pane->ops->act && pane->ops->act(pane, command)) {
        grant_wish(shell);
        return;
    }
    if (!pane->wait[0] && kb_pane_is_list(pane) && kb_list_do(&pane->list, &pane->sheet, command))
        return;
    act_anywhere(shell, command);
}

static void help_key(kb_shell *shell, int32_t key)
{
    if (key == 'j' || key == KB_KEY_DOWN)
        shell->help_top++;
    else if (key == KB_KEY_PAGE_DOWN || key == ' ')
        shell->help_top += 10;
    else if (key == 'k' || key == KB_KEY_UP)
        shell->help_top -= shell->help_top > 0;
    else if (key == KB_KEY_PAGE_UP)
        shell->help_top -= shell->help_top < 10 ? shell->help_top : 10;
    else
        shell->help = false;
}

void kb_shell_key(kb_shell *shell, int32_t key)
{
    /* News may have come since the last drawing; nothing below may look at what they have replaced.
     */
    refresh(pane_of(shell));
    if (shell->help) {
        help_key(shell, key);
    } else if (shell->asking == ASK_CANCEL || shell->asking == ASK_RETRAIN) {
        answer(shell, key);
    } else if (shell->asking != ASK_NOTHING) {
        prompt_key(shell, key);
    } else {
        shell->ui.message[0] = '\0';
        perform(shell, kb_keys_find(&shell->ui.keys, scopes_of(pane_of(shell)), key));
    }
}

/* --- the mouse ---------------------------------------------------------------------------- */
static bool click_tab(kb_shell *shell, const kb_mouse *mouse)
{
    if (mouse->y != shell->tab_row || mouse->kind != KB_MOUSE_PRESS)
        return false;
    for (size_t i = 0; i < KB_TOP_VIEWS; i++)
        if (mouse->x >= shell->tab_x[i] && mouse->x < shell->tab_x[i + 1]) {
            goto_view(shell, i);
            return true;
        }
    return false;
}

static void mouse_on_list(kb_shell *shell, kb_pane *pane, const kb_mouse *mouse)
{
    if (mouse->kind == KB_MOUSE_WHEEL_UP || mouse->kind == KB_MOUSE_WHEEL_DOWN) {
        for (int i = 0; i < 3; i++)
            kb_list_do(&pane->list, &pane->sheet,
                       mouse->kind == KB_MOUSE_WHEEL_UP ? KB_DO_UP : KB_DO_DOWN);
    } else if (mouse->kind == KB_MOUSE_PRESS && mouse->button == 1 &&
               kb_rect_holds(pane->rows, mouse->x, mouse->y)) {
        if (kb_list_click(&pane->list, &pane->sheet, pane->rows, mouse->x, mouse->y))
            perform(shell, KB_DO_OPEN);
    }
}

void kb_shell_mouse(kb_shell *shell, const kb_mouse *mouse)
{
    kb_pane *pane = pane_of(shell);
    if (shell->help || shell->asking != ASK_NOTHING) {
        shell->help &= mouse->kind != KB_MOUSE_PRESS;
        return;
    }
    refresh(pane);
    if (click_tab(shell, mouse))
        return;
    if (mouse->kind == KB_MOUSE_PRESS && mouse->button == 3)
        back(shell);
    else if (pane->wait[0])
        return;
    else if (kb_pane_is_list(pane))
        mouse_on_list(shell, pane, mouse);
    else if (pane->ops->mouse && pane->ops->mouse(pane, pane->body, mouse))
        grant_wish(shell);
}

/* --- drawing ------------------------------------------------------------------------------ */
static void draw_tabs(kb_shell *shell, kb_canvas *canvas, int y)
{
    kb_style bar = {.ink = KB_INK_BAR, .paper = KB_PAPER_BAR};
    kb_style here = {.ink = KB_INK_SELECTED, .paper = KB_PAPER_SELECTED, .attributes = KB_BOLD};
    bool names = canvas->cols >= 79;
    int x = 1;
    kb_canvas_fill(canvas, kb_rect_of(0, y, canvas->cols, 1), U' ', bar);
    for (size_t i = 0; i < KB_TOP_VIEWS; i++) {
        kb_style style = i == shell->tab ? here : bar;
        char text[32];
        snprintf(text, sizeof text, names || i == shell->tab ? "%zu %s" : "%zu", i + 1,
                 top_views[i]->name);
        shell->tab_x[i] = x;
        x += kb_canvas_text(canvas, x, y, canvas->cols - x, style, text) + 1;
    }
    shell->tab_x[KB_TOP_VIEWS] = x;
    shell->tab_row = y;
}

static const char *work_text(const kb_shell *shell, char *text, size_t size, unsigned *ink)
{
    const kb_work_state *state = &shell->data.state;
    *ink = KB_INK_ACCENT;
    text[0] = '\0';
    if (state->paused_by_error) {
        *ink = KB_INK_BAD;
        snprintf(text, size, "failed (1: why)");
    } else if (state->cancelled) {
        *ink = KB_INK_WARN;
        snprintf(text, size, "cancelled");
    } else if (state->stage != KB_STAGE_IDLE && state->job.total) {
        snprintf(text, size, "%s %.0f%%", state->job.phase,
                 100.0 * (double)state->job.done / (double)state->job.total);
    } else if (state->stage != KB_STAGE_IDLE) {
        snprintf(text, size, "%s", kb_stage_name(state->stage));
    }
    return text;
}

static void pane_title(kb_pane *pane, char *text, size_t size)
{
    if (pane->ops->title)
        pane->ops->title(pane, text, size);
    else
        snprintf(text, size, "%s", pane->ops->name);
}

/* "Clusters > C3 objects > heap  snapshot 4  12 of 40 rows  /text": the last breadcrumb is the one
 * that must be seen. */
static void draw_crumbs(kb_shell *shell, kb_canvas *canvas, int y)
{
    char text[320], work[96], facts[320];
    unsigned ink;
    struct stack *stack = stack_of(shell);
    kb_pane *pane = pane_of(shell);
    int room = canvas->cols - 2 - (int)strlen(work_text(shell, work, sizeof work, &ink)), x = 1;
    for (size_t i = 0; i < stack->depth && x < room; i++) {
        pane_title(stack->panes[i], text, sizeof text);
        bool last = i + 1 == stack->depth;
        int most = last ? room - x : (room - x) / 3;
        x += kb_canvas_text(canvas, x, y, most,
                            last ? kb_bold_style(KB_INK_TITLE) : kb_ink_style(KB_INK_DIM), text);
        if (!last)
            x += kb_canvas_text(canvas, x, y, room - x, kb_ink_style(KB_INK_DIM), " › ");
    }
    int used = 0;
    facts[0] = '\0';
    if (kb_data_serial(&shell->data))
        used = snprintf(facts, sizeof facts, "  snapshot %ju",
                        (uintmax_t)kb_data_serial(&shell->data));
    if (!pane->wait[0] && (kb_pane_is_list(pane) || pane->list.filter[0]))
        snprintf(facts + used, sizeof facts - (size_t)used,
                 pane->list.filter[0] ? "  %zu of %zu rows" : "  %zu rows", pane->list.shown,
                 pane->sheet.row_count);
    x += kb_canvas_text(canvas, x, y, room - x, kb_ink_style(KB_INK_DIM), facts);
    if (pane->list.filter[0]) {
        snprintf(text, sizeof text, "  filter: %s (Esc)", pane->list.filter);
        kb_canvas_text(canvas, x, y, room - x, kb_bold_style(KB_INK_WARN), text);
    }
    kb_canvas_text_right(canvas, canvas->cols - 1 - (int)strlen(work), y, (int)strlen(work),
                         kb_ink_style(ink), work);
}

static void draw_list_pane(kb_pane *pane, kb_canvas *canvas, kb_rect rect)
{
    int used = pane->ops->head ? pane->ops->head(pane, canvas, rect) : 0;
    pane->rows = kb_rect_of(rect.x, rect.y + used, rect.cols, rect.rows - used);
    bool beside = pane->ops->aside && !pane->as_table && rect.cols >= ASIDE_COLS;
    if (beside)
        pane->rows.cols = rect.cols * 11 / 20;
    int row;
    kb_list_draw(&pane->list, &pane->sheet, canvas, pane->rows, &row);
    if (row >= 0) {
        pane->ui->cursor_x = pane->rows.x;
        pane->ui->cursor_y = row;
    }
    if (!beside)
        return;
    kb_rect side = kb_rect_of(rect.x + pane->rows.cols + 2, pane->rows.y,
                              rect.cols - pane->rows.cols - 2, pane->rows.rows);
    kb_rect old = kb_canvas_clip(canvas, side);
    pane->ops->aside(pane, canvas, side);
    canvas->clip = old;
}

static void draw_pane(kb_pane *pane, kb_canvas *canvas, kb_rect rect)
{
    kb_rect old = kb_canvas_clip(canvas, rect);
    pane->body = rect;
    if (pane->wait[0])
        kb_draw_notice(canvas, rect, KB_INK_DIM, pane->wait);
    else if (kb_pane_is_list(pane))
        draw_list_pane(pane, canvas, rect);
    else
        pane->ops->draw(pane, canvas, rect);
    canvas->clip = old;
}

/* A long text is cut at its beginning, so that the cursor can be seen. */
static void draw_prompt(kb_shell *shell, kb_canvas *canvas, int y)
{
    const kb_prompt *prompt = &shell->prompt;
    char before[KB_PROMPT_MAX];
    snprintf(before, sizeof before, "%.*s", (int)prompt->cursor, prompt->text);
    kb_canvas_put(canvas, 0, y, shell->asking == ASK_FILTER ? U'/' : U':',
                  kb_bold_style(KB_INK_ACCENT));
    int cells = kb_text_cells(before, canvas->ascii), room = canvas->cols - 2;
    const char *from = prompt->text;
    for (int skip = cells - room; skip > 0 && *from;) {
        char32_t c;
        size_t length = kb_utf8_decode(from, &c);
        from += length ? length : 1;
        snprintf(before, sizeof before, "%.*s", (int)(prompt->text + prompt->cursor - from), from);
        cells = kb_text_cells(before, canvas->ascii);
        skip = cells - room;
    }
    kb_canvas_text(canvas, 1, y, canvas->cols - 1, kb_ink_style(KB_INK_PLAIN), from);
    shell->ui.cursor_x = 1 + cells;
    shell->ui.cursor_y = y;
    int used = 2 + kb_text_cells(from, canvas->ascii);
    if (shell->ui.message[0])
        kb_canvas_text(canvas, used + 2, y, canvas->cols - used - 2, kb_ink_style(KB_INK_DIM),
                       shell->ui.message);
}

static void draw_bottom(kb_shell *shell, kb_canvas *canvas, int y)
{
    char hints[512];
    const kb_pane *pane = pane_of(shell);
    unsigned scopes = scopes_of(pane);
    if (!(pane->ops->scopes & KB_IN_WORK))
        scopes &= ~(unsigned)KB_IN_WORK;
    if (shell->asking == ASK_COMMAND || shell->asking == ASK_FILTER) {
        draw_prompt(shell, canvas, y);
    } else if (shell->asking != ASK_NOTHING) {
        const char *question = shell->asking == ASK_CANCEL
                                   ? "Stop the running work? (y/n) "
                                   : "Train again from the start, with the next seed? (y/n) ";
        shell->ui.cursor_x =
            kb_canvas_text(canvas, 0, y, canvas->cols - 1, kb_bold_style(KB_INK_WARN), question);
        shell->ui.cursor_y = y;
    } else if (shell->ui.message[0]) {
        kb_canvas_text(canvas, 0, y, canvas->cols,
                       kb_bold_style(shell->ui.alarming ? KB_INK_BAD : KB_INK_GOOD),
                       shell->ui.message);
    } else {
        kb_keys_hints(&shell->ui.keys, scopes, canvas->cols, hints, sizeof hints);
        kb_canvas_text(canvas, 0, y, canvas->cols, kb_ink_style(KB_INK_DIM), hints);
    }
}

static void draw_help(kb_shell *shell, kb_canvas *canvas)
{
    enum { KEYS = 24 };
    kb_help_line lines[HELP_LINES];
    size_t count = kb_keys_help(&shell->ui.keys, scopes_of(pane_of(shell)), lines, HELP_LINES);
    int cols = canvas->cols < 86 ? canvas->cols : 86;
    int rows = canvas->rows < (int)count + 2 ? canvas->rows : (int)count + 2;
    kb_rect box = kb_rect_of((canvas->cols - cols) / 2, (canvas->rows - rows) / 2, cols, rows);
    size_t page = (size_t)(rows - 2);
    if (shell->help_top + page > count)
        shell->help_top = count > page ? count - page : 0;
    kb_canvas_fill(canvas, box, U' ', kb_ink_style(KB_INK_PLAIN));
    kb_canvas_box(canvas, box, kb_ink_style(KB_INK_ACCENT),
                  page < count ? "Keys (j, k scroll; any other key closes)"
                               : "Keys (any key closes)");
    int keys = cols < 60 ? cols / 3 : KEYS;
    for (size_t i = 0; i < page && shell->help_top + i < count; i++) {
        const kb_help_line *line = &lines[shell->help_top + i];
        int y = box.y + 1 + (int)i;
        kb_canvas_text(canvas, box.x + 2, y, keys - 1, kb_bold_style(KB_INK_ACCENT), line->keys);
        kb_canvas_text(canvas, box.x + 2 + keys, y, cols - keys - 4, kb_ink_style(KB_INK_PLAIN),
                       line->text);
    }
    shell->ui.cursor_x = box.x + 1;
    shell->ui.cursor_y = box.y + 1;
}

void kb_shell_draw(kb_shell *shell, kb_canvas *canvas, int *x, int *y)
{
    canvas->ascii = shell->ui.ascii;
    kb_canvas_clear(canvas);
    shell->ui.cursor_x = -1;
    shell->ui.cursor_y = 0;
    shell->tab_row = -1;
    if (canvas->cols < COLS_LEAST || canvas->rows < ROWS_LEAST) {
        kb_canvas_text(canvas, 0, 0, canvas->cols, kb_bold_style(KB_INK_BAD), "too small");
    } else {
        kb_pane *pane = pane_of(shell);
        bool tabs = canvas->rows >= 10;
        refresh(pane);
        if (tabs)
            draw_tabs(shell, canvas, 0);
        draw_crumbs(shell, canvas, tabs);
        draw_pane(pane, canvas, kb_rect_of(0, tabs + 1, canvas->cols, canvas->rows - 2 - tabs));
        draw_bottom(shell, canvas, canvas->rows - 1);
        if (shell->help)
            draw_help(shell, canvas);
    }
    *x = shell->ui.cursor_x;
    *y = shell->ui.cursor_y;
}
