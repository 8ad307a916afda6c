/* sample_time: when samples were taken, as far as the names of their files tell. */
#ifndef KB_SAMPLE_TIME_H
#define KB_SAMPLE_TIME_H

#include <stdbool.h>
#include <stddef.h>

enum { KB_SAMPLE_TIME_ROOM = 64 };

/* Why names tell no times: one of them has none of the kind that others have (or none at all), or
 * the same as another. */
typedef struct kb_sample_fault {
    size_t name;
    bool same;
} kb_sample_fault;

/* Times for the files with these NAMES (without their folder): each name's date and time of ISO
 * 8601, also with '-' for ':' in the time of day and '_' for 'T'; or else the last number in each
 * name, its extension left out. True when every name has one of the same kind and no two are the
 * same time; false, with TIMES undefined and *FAULT the reason, otherwise, or for no memory. */
bool kb_sample_times(char (*times)[KB_SAMPLE_TIME_ROOM], const char *const *names, size_t count,
                     kb_sample_fault *fault);

/* Bytes of NAME without ".gz" and an extension (which has a letter in it: ".txt", but not ".5"). */
size_t kb_sample_stem(const char *name);

#endif
