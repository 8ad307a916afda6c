#include "view.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "memory.h"

void kb_ui_open(kb_ui *ui, const kb_view_ops *view, kb_target target)
{
    ui->wish.view = view;
    ui->wish.target = target;
    ui->wish.instead = false;
}

static void tell(kb_ui *ui, bool alarming, const char *format, va_list args)
{
    vsnprintf(ui->message, sizeof ui->message, format, args);
    ui->alarming = alarming;
}

void kb_ui_say(kb_ui *ui, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    tell(ui, false, format, args);
    va_end(args);
}

void kb_ui_complain(kb_ui *ui, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    tell(ui, true, format, args);
    va_end(args);
}

const float *kb_ui_series(kb_ui *ui, size_t session, uint32_t object, size_t *count)
{
    kb_series series;
    if (!ui->data->corpus)
        return NULL;
    const kb_store *store = kb_corpus_store(ui->data->corpus);
    size_t steps = ui->data->longest, length = kb_store_length(store, session);
    if (!ui->series)
        ui->series = kb_calloc(steps, sizeof *ui->series);
    if (!ui->series)
        return NULL;
    memset(ui->series, 0, steps * sizeof *ui->series);
    if (kb_store_find_series(store, session, object, &series))
        memcpy(ui->series + (steps - length) + series.first, series.values,
               series.count * sizeof *ui->series);
    *count = steps;
    return ui->series;
}

size_t kb_pane_row(kb_pane *pane)
{
    if (pane->wait[0])
        return SIZE_MAX;
    kb_list_sync(&pane->list, &pane->sheet);
    return kb_list_row(&pane->list);
}
