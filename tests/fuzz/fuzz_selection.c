/* --where and --sessions. The lines of the first part of the input are conditions; the second part
 * is a file of names. Both choose from a corpus whose names are awkward to write.
 *
 * A condition and its negation choose no session twice and leave out none, and names that are
 * written down are read again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "corpus.h"
#include "selection.h"
#include "support.h"

enum { SESSIONS = 6 };

static const char rows[] = "session,time,object,value\na,1,o,1\n\"b, c\",1,o,1\n\"d\"\"e\",1,o,1\n"
                           "\"f\ng\",1,o,1\n h ,1,o,1\nsession,1,o,1\n";
static const char listing[] = "session,user,version,split,label\na,u,1.0,later,leak\n"
                              "\"b, c\",\"u=v\",1.0,validation,\nsession,!,,emerging,a=b\n";
static const uint32_t clusters[SESSIONS] = {1, 2, 0, 4294967295u, 2, 1};

/* The same for all inputs. */
static const kb_corpus *corpus(void)
{
    static kb_corpus *made;
    if (made)
        return made;
    char folder[FUZZ_PATH];
    kb_error err;
    kb_corpus_options options = kb_corpus_defaults();
    fuzz_folder_make(folder);
    fuzz_write(folder, "metrics.csv", rows, sizeof rows - 1, false);
    fuzz_write(folder, "sessions.csv", listing, sizeof listing - 1, false);
    fuzz_check(kb_corpus_load(&made, folder, &options, NULL, &err) == KB_OK, "%s", err.text);
    fuzz_folder_remove(folder);
    fuzz_check(kb_corpus_sessions(made) == SESSIONS, "not the corpus that was meant");
    return made;
}

static void choose_all(bool *chosen)
{
    for (size_t s = 0; s < SESSIONS; s++)
        chosen[s] = true;
}

/* --- conditions --------------------------------------------------------------------------- */

static kb_status where(bool *chosen, const char *condition)
{
    const kb_selecting selecting = {corpus(), clusters};
    kb_error err = {0};
    choose_all(chosen);
    kb_status status = kb_select_where(chosen, &selecting, condition, &err);
    fuzz_check(status == KB_OK || status == KB_ERR_USAGE, "status %d", (int)status);
    fuzz_check(status == KB_OK || *err.text, "refused without a word");
    return status;
}

/* KEY=VALUE with the other sign. The caller frees. */
static char *negated(const char *condition)
{
    size_t length = strlen(condition), at = strcspn(condition, "=");
    char *text = calloc(length + 2, 1);
    if (at && condition[at - 1] == '!') {
        memcpy(text, condition, at - 1);
        memcpy(text + at - 1, condition + at, length - at);
    } else {
        memcpy(text, condition, at);
        text[at] = '!';
        memcpy(text + at + 1, condition + at, length - at);
    }
    return text;
}

static void check_condition(const char *condition)
{
    const kb_selecting unclustered = {corpus(), NULL};
    bool chosen[SESSIONS], others[SESSIONS];
    kb_status status = where(chosen, condition);
    char *other = negated(condition);
    if (status == KB_OK)
        fuzz_check(where(others, other) == KB_OK, "'%s' is no condition", other);
    for (size_t s = 0; !status && s < SESSIONS; s++)
        fuzz_check(chosen[s] != others[s], "session %zu is in both halves or in none", s);
    free(other);
    choose_all(others);
    (void)kb_select_where(others, &unclustered, condition, NULL);
}

static void check_conditions(const fuzz_part *part)
{
    char *text = fuzz_string(part->body, part->size), *at = text;
    for (char *end; (end = strchr(at, '\n')); at = end + 1) {
        *end = '\0';
        check_condition(at);
    }
    check_condition(at);
    free(text);
}

/* --- names -------------------------------------------------------------------------------- */

static kb_status named(bool *chosen, const void *bytes, size_t size)
{
    kb_error err = {0};
    fuzz_file file = fuzz_file_make(bytes, size);
    choose_all(chosen);
    kb_status status = kb_select_named(chosen, corpus(), file.path, NULL, &err);
    fuzz_file_remove(&file);
    fuzz_check(status == KB_OK || status == KB_ERR_FORMAT || status == KB_ERR_DAMAGED,
               "status %d: %s", (int)status, err.text);
    return status;
}

static void write_name(FILE *f, const char *name)
{
    fputc('"', f);
    for (; *name; name++)
        fprintf(f, *name == '"' ? "\"\"" : "%c", *name);
    fputs("\"\n", f);
}

static void check_names(const fuzz_part *part)
{
    bool chosen[SESSIONS], again[SESSIONS];
    char *text;
    size_t size;
    if (named(chosen, part->body, part->size) != KB_OK)
        return;
    FILE *f = open_memstream(&text, &size);
    fputs("session\n", f);
    for (size_t s = 0; s < SESSIONS; s++)
        if (chosen[s])
            write_name(f, kb_corpus_session(corpus(), s)->name);
    fclose(f);
    fuzz_check(named(again, text, size) == KB_OK && memcmp(chosen, again, sizeof again) == 0,
               "names that were written are not read again");
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_part parts[FUZZ_PARTS];
    size_t count = fuzz_split(parts, data, size);
    check_conditions(&parts[0]);
    check_names(&parts[count > 1]);
    return 0;
}
