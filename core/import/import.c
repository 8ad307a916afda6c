#include "import.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "field_map.h"
#include "importer.h"
#include "label_list.h"

/* --- formats and options ----------------------------------------------------------------- */
static const struct format {
    const char *name;
    kb_status (*import)(kb_importer *importer, const char *in, kb_error *err);
} formats[KB_IMPORT_FORMATS] = {
    [KB_IMPORT_JMAP] = {"jmap", kb_jmap_import},
    [KB_IMPORT_PROMETHEUS] = {"prometheus", kb_prometheus_import},
    [KB_IMPORT_JSONL] = {"jsonl", kb_jsonl_import},
};

const char *kb_import_format_name(kb_import_format format)
{
    return formats[format].name;
}

bool kb_import_format_parse(kb_import_format *out, const char *text)
{
    for (int i = 0; i < KB_IMPORT_FORMATS; i++) {
        if (strcmp(text, formats[i].name) == 0) {
            *out = (kb_import_format)i;
            return true;
        }
    }
    return false;
}

const char *kb_jmap_value_name(kb_jmap_value value)
{
    static const char *const names[KB_JMAP_VALUES] = {"bytes", "instances"};
    return names[value];
}

kb_import_options kb_import_defaults(void)
{
    return (kb_import_options){.value = KB_JMAP_BYTES,
                               .session_label = "instance",
                               .drop_labels = "instance,pod,node,host,hostname"};
}

static kb_status foreign(const char *option, kb_import_format owner, kb_import_format format,
                         kb_error *err)
{
    return kb_fail(err, KB_ERR_USAGE, "--%s belongs to %s, not to %s", option, formats[owner].name,
                   formats[format].name);
}

kb_status kb_import_check(kb_import_format format, const char *in, const kb_import_options *options,
                          kb_error *err)
{
    kb_import_options defaults = kb_import_defaults();
    if (format != KB_IMPORT_JMAP && options->value != defaults.value)
        return foreign("value", KB_IMPORT_JMAP, format, err);
    if (format != KB_IMPORT_PROMETHEUS &&
        strcmp(options->session_label, defaults.session_label) != 0)
        return foreign("session-label", KB_IMPORT_PROMETHEUS, format, err);
    if (format != KB_IMPORT_PROMETHEUS && strcmp(options->drop_labels, defaults.drop_labels) != 0)
        return foreign("drop-labels", KB_IMPORT_PROMETHEUS, format, err);
    if (format != KB_IMPORT_JSONL && options->fields)
        return foreign("fields", KB_IMPORT_JSONL, format, err);
    if (format == KB_IMPORT_JMAP && strcmp(in, "-") == 0)
        return kb_fail(err, KB_ERR_USAGE,
                       "jmap cannot read standard input: sessions and times are names of files");
    if (format == KB_IMPORT_PROMETHEUS)
        return kb_label_list_check(options->drop_labels, err);
    return format == KB_IMPORT_JSONL ? kb_field_map_check(options->fields, err) : KB_OK;
}

/* --- what the formats share -------------------------------------------------------------- */
kb_status kb_importer_report(const kb_importer *importer, uint64_t read, kb_error *err)
{
    kb_progress_state state = {.phase = "importing",
                               .done = importer->done + read,
                               .total = importer->total,
                               .bytes = true,
                               .rows = kb_intake_rows(importer->intake)};
    kb_progress_tell(importer->progress, &state);
    if (kb_cancelled(importer->progress))
        return kb_fail(err, KB_ERR_CANCELLED, "cancelled");
    return KB_OK;
}

void kb_importer_note(const kb_importer *importer, const char *format, ...)
{
    char text[2 * KB_REASON];
    va_list args;
    if (!importer->options->note)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    kb_printable(text);
    importer->options->note(importer->options->note_ctx, text);
}

static bool ends_with(const char *name, size_t length, const char *suffix)
{
    size_t n = strlen(suffix);
    return length >= n && memcmp(name + length - n, suffix, n) == 0;
}

static bool is_wanted(const kb_entry *entry, const char *const *suffixes, size_t count)
{
    size_t length = strlen(entry->name);
    if (entry->kind != KB_ENTRY_FILE)
        return false;
    if (ends_with(entry->name, length, ".gz"))
        length -= 3;
    for (size_t i = 0; i < count; i++)
        if (ends_with(entry->name, length, suffixes[i]))
            return true;
    return false;
}

/* Those that are wanted come first; returns how many. */
static size_t keep_wanted(kb_folder *folder, const char *const *suffixes, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < folder->count; i++) {
        kb_entry entry = folder->entries[i];
        if (!is_wanted(&entry, suffixes, count))
            continue;
        folder->entries[i] = folder->entries[kept];
        folder->entries[kept++] = entry;
    }
    return kept;
}

static kb_status none_wanted(const char *in, const char *const *suffixes, size_t count,
                             kb_error *err)
{
    char names[100] = "";
    for (size_t i = 0; i < count; i++) {
        size_t used = strlen(names);
        const char *before = i == 0 ? "" : i + 1 < count ? ", " : " or ";
        snprintf(names + used, sizeof names - used, "%s*%s", before, suffixes[i]);
    }
    return kb_fail(err, KB_ERR_FORMAT, "%s: no %s in this directory, with or without .gz behind it",
                   in, names);
}

static kb_status list_files(kb_importer *importer, kb_folder *folder, size_t *files, const char *in,
                            const char *const *suffixes, size_t count, kb_error *err)
{
    struct stat about;
    bool standard = strcmp(in, "-") == 0;
    *files = 1;
    if (!standard && stat(in, &about) != 0)
        return kb_fail_errno(err, in, "cannot open", errno);
    importer->directory = !standard && S_ISDIR(about.st_mode);
    if (!importer->directory)
        return kb_folder_single(folder, in, err);
    kb_status status = kb_folder_read(folder, in, err);
    if (status)
        return status;
    *files = keep_wanted(folder, suffixes, count);
    return *files ? KB_OK : none_wanted(in, suffixes, count, err);
}

kb_status kb_importer_files(kb_importer *importer, const char *in, const char *const *suffixes,
                            size_t count,
                            kb_status (*read)(void *ctx, const char *path, kb_error *err),
                            void *ctx, kb_error *err)
{
    kb_folder folder = {0};
    size_t files = 0;
    kb_status status = list_files(importer, &folder, &files, in, suffixes, count, err);
    for (size_t i = 0; i < files && !status; i++)
        importer->total += folder.entries[i].bytes;
    for (size_t i = 0; i < files && !status; i++) {
        status = kb_importer_report(importer, 0, err);
        if (!status)
            status = read(ctx, folder.entries[i].path, err);
        importer->done += folder.entries[i].bytes;
    }
    kb_folder_clear(&folder);
    return status;
}

/* --- all of it --------------------------------------------------------------------------- */
static void note_apart(const kb_importer *importer)
{
    if (kb_intake_apart(importer->intake))
        kb_importer_note(
            importer,
            "no object occurs in more than one session, so that clusters of them would "
            "mean nothing%s",
            importer->advice);
}

kb_status kb_import(kb_import_result *out, kb_import_format format, const char *in, const char *dir,
                    const kb_import_options *options, const kb_progress *progress, kb_error *err)
{
    *out = (kb_import_result){0};
    kb_status status = kb_import_check(format, in, options, err);
    kb_importer importer = {.options = options, .progress = progress};
    if (!status)
        status = kb_intake_open(&importer.intake, dir, options, err);
    if (!status)
        status = formats[format].import(&importer, in, err);
    if (!status)
        status = kb_importer_report(&importer, 0, err);
    if (status) {
        kb_intake_abort(importer.intake);
        return status;
    }
    note_apart(&importer);
    kb_progress_report(progress, "writing", importer.total, importer.total);
    return kb_intake_commit(importer.intake, in, out, err);
}
