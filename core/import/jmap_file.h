/* jmap_file: a file of class histograms, and the samples that it gives to a session. Only for
 * core/import. */
#ifndef KB_JMAP_FILE_H
#define KB_JMAP_FILE_H

#include "importer.h"

/* *WHOLE: how many histograms the file at PATH holds that have an end. What is wrong with it is
 * told when it is read. */
kb_status kb_jmap_count(const kb_importer *importer, const char *path, size_t *whole,
                        kb_error *err);

typedef struct kb_jmap_file {
    const char *path, *session;
    const char *time; /* of its sample; "": there was none when its histograms were counted */
    bool several;     /* each of its histograms is a sample, and their times are 0, 1, 2 and so on;
                         otherwise the first whole one is */
} kb_jmap_file;

/* Hands the readings to the intake. A histogram without an end is left out; that, and a file
 * without any, is damage. */
kb_status kb_jmap_read(const kb_importer *importer, const kb_jmap_file *file, kb_error *err);

#endif
