#include "table_layout.h"

#include <limits.h>

size_t table_natural(const table_column *columns, size_t count)
{
    size_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += columns[i].natural + (i ? TABLE_GAP : 0);
    return sum;
}

static void show(table_column *column, size_t *used)
{
    *used += column->least + (*used ? TABLE_GAP : 0);
    column->shown = true;
    column->width = column->least;
}

/* The smallest DROP above LAST, or LAST where there is none. */
static unsigned next_drop(const table_column *columns, size_t count, unsigned last)
{
    unsigned next = UINT_MAX;
    for (size_t i = 0; i < count; i++)
        if (columns[i].drop > last && columns[i].drop < next)
            next = columns[i].drop;
    return next == UINT_MAX ? last : next;
}

/* Returns the cells that are used. */
static size_t choose_columns(table_column *columns, size_t count, size_t limit)
{
    size_t used = 0;
    for (size_t i = 0; i < count; i++)
        if (!columns[i].drop)
            show(&columns[i], &used);
    unsigned last = 0;
    for (unsigned drop; (drop = next_drop(columns, count, last)) != last; last = drop)
        for (size_t i = 0; i < count; i++)
            if (columns[i].drop == drop && used + TABLE_GAP + columns[i].least <= limit)
                show(&columns[i], &used);
    return used;
}

static void shrink(table_column *columns, size_t count, size_t excess)
{
    while (excess--) {
        table_column *widest = NULL;
        for (size_t i = 0; i < count; i++)
            if (columns[i].width > columns[i].floor &&
                (!widest || columns[i].width > widest->width))
                widest = &columns[i];
        if (!widest)
            return;
        widest->width--;
    }
}

static void grow(table_column *columns, size_t count, size_t room)
{
    while (room--) {
        table_column *narrowest = NULL;
        for (size_t i = 0; i < count; i++)
            if (columns[i].shown && columns[i].width < columns[i].natural &&
                (!narrowest || columns[i].width < narrowest->width))
                narrowest = &columns[i];
        if (!narrowest)
            return;
        narrowest->width++;
    }
}

void table_lay_out(table_column *columns, size_t count, size_t limit)
{
    bool all = !limit || table_natural(columns, count) <= limit;
    for (size_t i = 0; i < count; i++) {
        columns[i].shown = all;
        columns[i].width = all ? columns[i].natural : 0;
    }
    if (all)
        return;
    size_t used = choose_columns(columns, count, limit);
    if (used > limit)
        shrink(columns, count, used - limit);
    else
        grow(columns, count, limit - used);
}
