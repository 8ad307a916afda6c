/* problems: every bad row of the input as FILE:LINE: reason. */
#include <stdio.h>
#include <string.h>

#include "parts.h"
#include "theme.h"

enum column { FILE_NAME, LINE, REASON, COLUMNS };

static const kb_sheet_column columns[COLUMNS] = {
    [FILE_NAME] = {.name = "file", .width = 16, .flexible = true},
    [LINE] = {.name = "line", .width = 10},
    [REASON] = {.name = "reason", .width = 20, .flexible = true},
};

/* The file's path below the corpus. */
static const char *path_inside(const kb_corpus *corpus, const char *file)
{
    const char *folder = kb_corpus_path(corpus);
    size_t n = strlen(folder);
    if (strncmp(file, folder, n) != 0 || !file[n])
        return file;
    return file[n] == '/' ? file + n + 1 : n && folder[n - 1] == '/' ? file + n : file;
}

static void cell(void *ctx, size_t row, size_t column, kb_value *value)
{
    const kb_pane *pane = ctx;
    const kb_corpus *corpus = pane->ui->data->corpus;
    kb_problem problem = kb_problems_get(kb_corpus_problems(corpus), row);
    if (column == FILE_NAME)
        kb_value_text(value, path_inside(corpus, problem.file));
    else if (column == REASON)
        kb_value_text(value, problem.reason);
    else if (problem.line)
        kb_value_number(value, KB_VALUE_COUNT, (double)problem.line);
}

static void refresh(kb_pane *pane)
{
    const kb_data *data = pane->ui->data;
    if (kb_data_wait_corpus(data, pane->wait, sizeof pane->wait))
        return;
    const kb_problems *problems = kb_corpus_problems(data->corpus);
    if (kb_problems_count(problems) == 0) {
        snprintf(pane->wait, sizeof pane->wait, "Every row could be read.");
        return;
    }
    pane->sheet = (kb_sheet){.columns = columns,
                             .column_count = COLUMNS,
                             .row_count = kb_problems_kept(problems),
                             .cell = cell,
                             .ctx = pane,
                             .version = 1};
}

static void title(kb_pane *pane, char *text, size_t size)
{
    snprintf(text, size, "Problems (%ju)", (uintmax_t)pane->ui->data->state.problems);
}

static int head(kb_pane *pane, kb_canvas *canvas, kb_rect rect)
{
    const kb_problems *problems = kb_corpus_problems(pane->ui->data->corpus);
    if (kb_problems_kept(problems) == kb_problems_count(problems) || rect.rows < 4)
        return 0;
    kb_canvas_print(canvas, rect.x, rect.y, rect.cols, kb_ink_style(KB_INK_WARN),
                    "the first %zu of %ju problems; `kaboom check` tells all",
                    kb_problems_kept(problems), (uintmax_t)kb_problems_count(problems));
    return 1;
}

const kb_view_ops kb_problems_view = {
    .name = "Problems",
    .title = title,
    .refresh = refresh,
    .head = head,
};
