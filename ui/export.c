#include "export.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void kb_export_name(kb_pane *pane, char *text, size_t size)
{
    char name[64];
    size_t length = 0;
    for (const char *s = pane->ops->name; *s && length + 1 < sizeof name; s++)
        name[length++] = (char)(isalnum((unsigned char)*s) ? tolower((unsigned char)*s) : '-');
    name[length] = '\0';
    if (pane->target.cluster)
        snprintf(text, size, "kaboom-%s-c%u.csv", name, pane->target.cluster);
    else
        snprintf(text, size, "kaboom-%s.csv", name);
}

void kb_export_path(const char *typed, char *path, size_t size)
{
    const char *home = getenv("HOME");
    if (strncmp(typed, "~/", 2) == 0 && home)
        snprintf(path, size, "%s%s", home, typed + 1);
    else
        snprintf(path, size, "%s", typed);
}

kb_status kb_export_allowed(const char *path, bool forced, kb_error *err)
{
    struct stat st;
    if (!*path)
        return kb_fail(err, KB_ERR_USAGE, "a file name is missing");
    if (!forced && stat(path, &st) == 0)
        return kb_fail(err, KB_ERR_USAGE,
                       "%s is there already; put ! behind the command to replace it", path);
    return KB_OK;
}

kb_status kb_export_pane(kb_pane *pane, const char *path, size_t *rows, kb_error *err)
{
    if (pane->wait[0])
        return kb_fail(err, KB_ERR_USAGE, "there is nothing to export yet");
    kb_list_sync(&pane->list, &pane->sheet);
    *rows = pane->list.shown;
    static const size_t none;
    return kb_sheet_write(&pane->sheet, pane->list.order ? pane->list.order : &none,
                          pane->list.shown, path, err);
}
