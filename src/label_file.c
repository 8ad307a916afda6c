#include "label_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void label_file_prepare(label_file *file, cli_console *console, const char *path,
                        output_format format)
{
    struct stat st;
    *file = (label_file){.console = console, .path = path, .format = format, .fd = -1};
    file->regular = path && (stat(path, &st) != 0 || S_ISREG(st.st_mode));
    if (path && format == OUTPUT_AUTO)
        file->format = OUTPUT_CSV;
}

static const char *name_of(const label_file *file)
{
    return file->path ? file->path : "standard output";
}

/* *OUT: PATH, opened to be appended to; its columns are named where it is empty. */
static kb_status open_rows(const label_file *file, output **out, int *fd, kb_error *err)
{
    struct stat st;
    FILE *f = file->path ? fopen(file->path, "ae") : stdout;
    if (!f || (*fd = fileno(f)) < 0 || fstat(*fd, &st) != 0) {
        kb_fail_errno(err, name_of(file), "cannot be written", errno);
        if (f && file->path)
            fclose(f);
        return KB_ERR_IO;
    }
    bool named = !S_ISREG(st.st_mode) || st.st_size == 0 || !file->path;
    *out = output_open_rows(f, file->format, cli_label_columns, CLI_LABEL_COLUMNS, named);
    if (!*out && file->path)
        fclose(f);
    return *out ? KB_OK : kb_fail_memory(err, "the output");
}

/* Labels that were handed on are on the disk, if there is one. */
static kb_status sync_rows(const label_file *file, kb_error *err)
{
    if (!file->regular || fsync(file->fd) == 0)
        return KB_OK;
    return kb_fail_errno(err, name_of(file), "cannot be synced", errno);
}

static kb_status take(void *ctx, const kb_labels *labels, kb_error *err)
{
    label_file *file = ctx;
    kb_status status = cli_write_labels(file->out, labels, name_of(file), err);
    return status ? status : sync_rows(file, err);
}

static kb_ledger_place place(void *ctx)
{
    const label_file *file = ctx;
    struct stat st;
    if (file->fd < 0 || fstat(file->fd, &st) != 0)
        return (kb_ledger_place){0};
    return (kb_ledger_place){(uint64_t)st.st_dev, (uint64_t)st.st_ino, (uint64_t)st.st_size};
}

static kb_status read_back(const label_file *file, const char *path, kb_ledger_place *from,
                           kb_ledger_reader reader, kb_error *err)
{
    kb_ledger_form form = file->format == OUTPUT_JSON ? KB_LEDGER_JSON : KB_LEDGER_CSV;
    uint64_t rows;
    kb_status status = kb_ledger_recover(path, form, CLI_LABEL_HEADER, from, reader, &rows, err);
    if (!status && rows && file->console->verbose)
        cli_say(file->console, "%s: %llu labels are in no state yet", path,
                (unsigned long long)rows);
    return status;
}

/* The file may have been renamed since the state was written, and not opened again: what it has got
 * since lies there. */
static kb_status read_renamed(const label_file *file, kb_ledger_place from, kb_ledger_reader reader,
                              kb_error *err)
{
    struct stat st;
    if (!from.inode || (stat(file->path, &st) == 0 && (uint64_t)st.st_ino == from.inode &&
                        (uint64_t)st.st_dev == from.device))
        return KB_OK;
    char *path = kb_ledger_find(file->path, &from);
    kb_status status = KB_OK;
    if (path)
        status = read_back(file, path, &from, reader, err);
    else
        cli_say(file->console,
                "%s: not the file that the state tells of, which is not beside it either: sessions "
                "that got a label within moments of the end may get another",
                file->path);
    free(path);
    return status;
}

static kb_status recover(void *ctx, kb_ledger_place from, kb_ledger_reader reader, kb_error *err)
{
    label_file *file = ctx;
    kb_status status = read_renamed(file, from, reader, err);
    if (!status)
        status = read_back(file, file->path, &from, reader, err);
    return status ? status : open_rows(file, &file->out, &file->fd, err);
}

/* A file that cannot be opened again is no reason to lose labels: the one that is open goes on. */
static kb_status reopen(void *ctx, kb_error *err)
{
    label_file *file = ctx;
    output *out;
    int fd;
    kb_error why = {0};
    int error = output_flush(file->out);
    if (error)
        return kb_fail_errno(err, name_of(file), "cannot be written", error);
    if (open_rows(file, &out, &fd, &why)) {
        cli_say(file->console, "the output stays as it was: %s", why.text);
        return KB_OK;
    }
    (void)output_close(file->out);
    file->out = out;
    file->fd = fd;
    return KB_OK;
}

kb_status label_file_sink(label_file *file, kb_watch_sink *sink, kb_error *err)
{
    *sink = (kb_watch_sink){.labels = {take, file}, .ctx = file};
    if (file->path)
        sink->reopen = reopen;
    if (!file->regular)
        return open_rows(file, &file->out, &file->fd, err);
    sink->place = place;
    sink->recover = recover;
    return KB_OK;
}

int label_file_close(label_file *file)
{
    if (!file->out)
        return CLI_DONE;
    int error = output_close(file->out);
    file->out = NULL;
    if (error && error != EPIPE)
        cli_say(file->console, "%s: %s", name_of(file), strerror(error));
    return error ? CLI_FAILED : CLI_DONE;
}
