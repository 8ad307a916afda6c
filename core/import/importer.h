/* importer: what the modules of the formats share while they read. Only for core/import. */
#ifndef KB_IMPORTER_H
#define KB_IMPORTER_H

#include "folder.h"
#include "intake.h"

typedef struct kb_importer {
    const kb_import_options *options;
    const kb_progress *progress;
    kb_intake *intake;
    uint64_t done, total;   /* bytes of the files as they are on the disk: of those that are done
                               with, and of all */
    bool directory;         /* the files come from one (kb_importer_files) */
    char advice[KB_REASON]; /* for when no object occurs in more than one session; or "" */
} kb_importer;

/* A remark for people. */
void kb_importer_note(const kb_importer *importer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* READ bytes of the file at hand are done with. KB_ERR_CANCELLED when the caller should stop. */
kb_status kb_importer_report(const kb_importer *importer, uint64_t read, kb_error *err);

/* Hands each file behind IN to READ, in name order: IN itself, or in a directory the files whose
 * names end in one of SUFFIXES, ".gz" behind them or not; without one KB_ERR_FORMAT. */
kb_status kb_importer_files(kb_importer *importer, const char *in, const char *const *suffixes,
                            size_t count,
                            kb_status (*read)(void *ctx, const char *path, kb_error *err),
                            void *ctx, kb_error *err);

/* Each reads all of IN into the importer's intake. */
kb_status kb_jmap_import(kb_importer *importer, const char *in, kb_error *err);
kb_status kb_prometheus_import(kb_importer *importer, const char *in, kb_error *err);
kb_status kb_jsonl_import(kb_importer *importer, const char *in, kb_error *err);

#endif
