/* The file that labels are appended to, in CSV and in JSON. What is recovered once must be so
 * again, and end with a whole row; what is no such file stays as it is. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ledger.h"
#include "support.h"

struct heard {
    FILE *f;
    char *text;
    size_t size;
};

static kb_status hear(void *ctx, const char *name, size_t length, kb_error *err)
{
    struct heard *heard = ctx;
    (void)err;
    fuzz_check(length > 0, "a session without a name");
    fwrite(name, 1, length, heard->f);
    fputc('\n', heard->f);
    return KB_OK;
}

static kb_status recover(const char *path, kb_ledger_form form, struct heard *heard, uint64_t *end)
{
    kb_ledger_place place = {0};
    uint64_t rows;
    heard->f = open_memstream(&heard->text, &heard->size);
    kb_status status = kb_ledger_recover(path, form, "session,cluster", &place,
                                         (kb_ledger_reader){hear, heard}, &rows, NULL);
    fclose(heard->f);
    *end = place.offset;
    return status;
}

static uint64_t size_of(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

static void check(const uint8_t *data, size_t size, kb_ledger_form form)
{
    struct heard once, twice;
    uint64_t end, again;
    fuzz_file file = fuzz_file_make(data, size);
    kb_status status = recover(file.path, form, &once, &end);
    if (status == KB_OK) {
        fuzz_check(end == size_of(file.path), "the file does not end where it should");
        fuzz_check(end == 0 || data[end - 1] == '\n', "the file ends in the middle of a row");
        fuzz_check(recover(file.path, form, &twice, &again) == KB_OK && again == end,
                   "what was recovered cannot be read again");
        fuzz_same("what was recovered, and what is then", once.text, twice.text);
        free(twice.text);
    } else {
        fuzz_check(size_of(file.path) == size, "what is no ledger was changed");
    }
    free(once.text);
    fuzz_file_remove(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check(data, size, KB_LEDGER_CSV);
    check(data, size, KB_LEDGER_JSON);
    return 0;
}
