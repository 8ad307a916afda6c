#include "corpus_writer.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "gzout.h"
#include "memory.h"
#include "outfile.h"

struct kb_table {
    char *path;
    kb_gzout *packed; /* one of the two, until it is committed */
    kb_outfile *plain;
};

struct kb_corpus_writer {
    char *dir;
    bool made; /* the directory is ours to remove */
    kb_table **tables;
    size_t count, capacity;
};

/* --- opening ----------------------------------------------------------------------------- */
static kb_status check_absent(const char *dir, const char *folder, const char *prefix,
                              kb_error *err)
{
    kb_paths paths;
    if (access(folder, F_OK) != 0)
        return KB_OK;
    kb_status status = kb_paths_list(&paths, folder, prefix, err);
    if (status)
        return status;
    if (paths.count)
        status = kb_fail(err, KB_ERR_IO, "%s: there is a corpus already (%s)", dir, paths.items[0]);
    kb_paths_free(&paths);
    return status;
}

/* Every file that a reader of the corpus would take along with the new ones. */
static kb_status check_vacant(const char *dir, kb_error *err)
{
    static const char *const prefixes[] = {"metrics", "sessions", "events"};
    char *traces;
    kb_status status = KB_OK;
    if (asprintf(&traces, "%s/traces", dir) < 0)
        return kb_fail_memory(err, "a file name");
    for (size_t i = 0; !status && i < sizeof prefixes / sizeof *prefixes; i++)
        status = check_absent(dir, dir, prefixes[i], err);
    if (!status)
        status = check_absent(dir, traces, "", err);
    free(traces);
    return status;
}

kb_status kb_corpus_writer_open(kb_corpus_writer **out, const char *dir, kb_error *err)
{
    *out = NULL;
    kb_status status = check_vacant(dir, err);
    if (status)
        return status;
    kb_corpus_writer *writer = kb_calloc(1, sizeof *writer);
    char *copy = kb_strdup(dir);
    if (!writer || !copy) {
        free(writer);
        free(copy);
        return kb_fail_memory(err, "writing a corpus");
    }
    writer->dir = copy;
    *out = writer;
    return KB_OK;
}

static kb_status make_folder(kb_corpus_writer *writer, kb_error *err)
{
    if (mkdir(writer->dir, 0777) == 0)
        writer->made = true;
    else if (errno != EEXIST)
        return kb_fail_errno(err, writer->dir, "cannot be made", errno);
    return KB_OK;
}

static bool is_packed(const char *name)
{
    size_t n = strlen(name);
    return n > 3 && strcmp(name + n - 3, ".gz") == 0;
}

static kb_status open_file(kb_table *table, const char *dir, kb_error *err)
{
    if (access(table->path, F_OK) == 0)
        return kb_fail(err, KB_ERR_IO, "%s: there is a corpus already (%s)", dir, table->path);
    return is_packed(table->path) ? kb_gzout_open(&table->packed, table->path, err)
                                  : kb_outfile_open(&table->plain, table->path, err);
}

/* A table without a file, the last of the writer's. */
static kb_table *add_table(kb_corpus_writer *writer, const char *name)
{
    size_t bytes = strlen(writer->dir) + strlen(name) + 2;
    kb_table *table = kb_calloc(1, sizeof *table);
    char *path = malloc(bytes);
    if (!table || !path ||
        !kb_grow((void **)&writer->tables, &writer->capacity, writer->count + 1,
                 sizeof(kb_table *))) {
        free(table);
        free(path);
        return NULL;
    }
    snprintf(path, bytes, "%s/%s", writer->dir, name);
    table->path = path;
    writer->tables[writer->count++] = table;
    return table;
}

kb_status kb_corpus_writer_table(kb_corpus_writer *writer, kb_table **out, const char *name,
                                 const char *header, kb_error *err)
{
    *out = NULL;
    kb_table *table = add_table(writer, name);
    if (!table)
        return kb_fail_memory(err, "writing a corpus");
    kb_status status = make_folder(writer, err);
    if (!status)
        status = open_file(table, writer->dir, err);
    if (!status)
        status = kb_table_bytes(table, header, strlen(header), err);
    if (!status)
        status = kb_table_bytes(table, "\n", 1, err);
    if (!status)
        *out = table;
    return status;
}

/* --- rows -------------------------------------------------------------------------------- */
kb_status kb_table_bytes(kb_table *table, const char *bytes, size_t length, kb_error *err)
{
    return table->packed ? kb_gzout_write(table->packed, bytes, length, err)
                         : kb_outfile_write(table->plain, bytes, length, err);
}

static bool needs_quotes(const kb_cell *cell)
{
    for (size_t i = 0; i < cell->length; i++)
        if (cell->text[i] == ',' || cell->text[i] == '"' || cell->text[i] == '\n' ||
            cell->text[i] == '\r')
            return true;
    return false;
}

/* Between quotes a quote is written twice. */
static kb_status quoted(kb_table *table, const kb_cell *cell, kb_error *err)
{
    const char *s = cell->text, *end = s + cell->length;
    kb_status status = kb_table_bytes(table, "\"", 1, err);
    while (!status && s < end) {
        const char *quote = memchr(s, '"', (size_t)(end - s)), *next = quote ? quote + 1 : end;
        status = kb_table_bytes(table, s, (size_t)(next - s), err);
        if (!status && quote)
            status = kb_table_bytes(table, "\"", 1, err);
        s = next;
    }
    return status ? status : kb_table_bytes(table, "\"", 1, err);
}

kb_status kb_table_row(kb_table *table, const kb_cell *cells, size_t count, kb_error *err)
{
    kb_status status = KB_OK;
    for (size_t i = 0; i < count && !status; i++) {
        status = needs_quotes(&cells[i])
                     ? quoted(table, &cells[i], err)
                     : kb_table_bytes(table, cells[i].text, cells[i].length, err);
        if (!status)
            status = kb_table_bytes(table, i + 1 == count ? "\n" : ",", 1, err);
    }
    return status;
}

/* --- the end ----------------------------------------------------------------------------- */
/* What is committed is forgotten by its table, whatever comes of it. A table that never had a file
 * is nothing to write. */
static kb_status commit_table(kb_table *table, kb_error *err)
{
    kb_gzout *packed = table->packed;
    kb_outfile *plain = table->plain;
    table->packed = NULL;
    table->plain = NULL;
    if (packed)
        return kb_gzout_commit(packed, err);
    return plain ? kb_outfile_commit(plain, err) : KB_OK;
}

static void dispose(kb_corpus_writer *writer)
{
    for (size_t i = 0; i < writer->count; i++) {
        kb_table *table = writer->tables[i];
        kb_gzout_abort(table->packed);
        kb_outfile_abort(table->plain);
        free(table->path);
        free(table);
    }
    free(writer->tables);
    free(writer->dir);
    free(writer);
}

kb_status kb_corpus_writer_commit(kb_corpus_writer *writer, kb_error *err)
{
    kb_status status = KB_OK;
    size_t done = 0;
    while (!status && done < writer->count) {
        status = commit_table(writer->tables[done], err);
        done += !status;
    }
    if (!status) {
        dispose(writer);
        return KB_OK;
    }
    for (size_t i = 0; i < done; i++) /* they took nobody's place */
        unlink(writer->tables[i]->path);
    kb_corpus_writer_abort(writer);
    return status;
}

void kb_corpus_writer_abort(kb_corpus_writer *writer)
{
    if (!writer)
        return;
    bool made = writer->made;
    char *dir = writer->dir;
    writer->dir = NULL;
    dispose(writer);
    if (made)
        rmdir(dir);
    free(dir);
}
