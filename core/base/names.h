/* names: a set of strings, each known by a small number (its id, counted from 0 in the order of
 * adding). Strings are bytes with a length and may not hold NUL; the table owns its copies. Not
 * thread-safe while adding. */
#ifndef KB_NAMES_H
#define KB_NAMES_H

#include <stddef.h>
#include <stdint.h>

typedef struct kb_names kb_names;

#define KB_NAME_NONE UINT32_MAX

kb_names *kb_names_create(void); /* NULL: no memory */
void kb_names_free(kb_names *names);
size_t kb_names_count(const kb_names *names);

/* The id of the LENGTH bytes at S, adding them if they are new; KB_NAME_NONE when there is no
 * memory. */
uint32_t kb_names_add(kb_names *names, const char *s, size_t length);
/* The same where names mostly come again and again, or in the order in which they came before, as
 * in the rows of a file: what follows a name is tried before it is looked for. One trail goes with
 * one table; it begins as all zeros. */
typedef struct kb_names_trail {
    uint32_t last;  /* the id given last, + 1 */
    uint32_t *next; /* by id: what followed it last, + 1 */
    size_t capacity;
} kb_names_trail;

uint32_t kb_names_add_along(kb_names *names, kb_names_trail *trail, const char *s, size_t length);
void kb_names_trail_clear(kb_names_trail *trail);
/* The id, or KB_NAME_NONE when the name is not there. */
uint32_t kb_names_find(const kb_names *names, const char *s, size_t length);
/* The NUL-terminated name; valid until the table is freed. */
const char *kb_names_get(const kb_names *names, uint32_t id);
size_t kb_names_length(const kb_names *names, uint32_t id);

/* ORDER (kb_names_count ids) becomes the ids in bytewise order of their names. */
void kb_names_sorted(const kb_names *names, uint32_t *order);

#endif
