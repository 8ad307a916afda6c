#include "order.h"

#include <stdbool.h>
#include <stdlib.h>

#include "memory.h"

static bool add_in_order(kb_names *sorted, const kb_names *names, const uint32_t *order,
                         uint32_t *new_id)
{
    for (size_t i = 0; i < kb_names_count(names); i++) {
        uint32_t old = order[i];
        new_id[old] = kb_names_add(sorted, kb_names_get(names, old), kb_names_length(names, old));
        if (new_id[old] == KB_NAME_NONE)
            return false;
    }
    return true;
}

kb_names *kb_names_in_order(const kb_names *names, uint32_t **new_id)
{
    size_t count = kb_names_count(names);
    kb_names *sorted = kb_names_create();
    uint32_t *order = kb_calloc(count, sizeof *order);
    *new_id = kb_calloc(count, sizeof **new_id);
    bool good = sorted && order && *new_id;
    if (good) {
        kb_names_sorted(names, order);
        good = add_in_order(sorted, names, order, *new_id);
    }
    free(order);
    if (!good) {
        kb_names_free(sorted);
        free(*new_id);
        *new_id = NULL;
        return NULL;
    }
    return sorted;
}
