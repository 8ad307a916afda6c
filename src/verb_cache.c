/* cache: what is kept of earlier readings. */
#include <string.h>
#include <time.h>

#include "verbs.h"
#include "work.h"

typedef struct cache_work {
    const cli_options *options;
    cli_console console;
    kb_cache_entries entries;
} cache_work;

static kb_status look(void *ctx, const kb_progress *progress, kb_error *err)
{
    cache_work *w = ctx;
    const char *folder = w->options->cache_folder;
    (void)progress;
    if (!*folder)
        return kb_fail(err, KB_ERR_IO,
                       "there is no cache: neither XDG_CACHE_HOME nor HOME names a place for it");
    return w->options->clear ? kb_cache_clear(folder, err)
                             : kb_cache_list(&w->entries, folder, err);
}

static void write_time(output *out, int64_t seconds)
{
    struct tm tm;
    time_t t = (time_t)seconds;
    char text[32];
    if (gmtime_r(&t, &tm) && strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm))
        output_text(out, text);
    else
        output_missing(out);
}

static int write_entries(cache_work *w)
{
    static const output_column columns[] = {{.name = "corpus"},
                                            {"part", .drop = 3},
                                            {"bytes", .drop = 1},
                                            {"used", .drop = 2},
                                            {"file", .drop = 4}};
    output *out = output_open(stdout, (output_format)w->options->format, columns,
                              sizeof columns / sizeof *columns, false);
    for (size_t i = 0; i < w->entries.count; i++) {
        const kb_cache_entry *entry = &w->entries.items[i];
        const char *dot = strchr(entry->name, '.');
        char path[sizeof w->options->cache_folder + 64];
        snprintf(path, sizeof path, "%s/%s", w->options->cache_folder, entry->name);
        output_text(out, entry->corpus);
        output_text(out, dot ? dot + 1 : "");
        output_count(out, entry->bytes);
        write_time(out, entry->used);
        output_text(out, path);
    }
    return cli_finish_output(&w->console, out);
}

int verb_cache(const cli_options *options)
{
    cache_work w = {.options = options};
    cli_console_start(&w.console, options);
    int status = cli_run(&w.console, look, &w);
    if (status == CLI_DONE && !options->clear)
        status = write_entries(&w);
    kb_cache_entries_free(&w.entries);
    return status;
}
