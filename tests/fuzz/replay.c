/* The main function of fuzz targets in a build without libFuzzer: runs files, each as one input.
 *
 * Usage: fuzz_TARGET [FILE or FOLDER]... Without arguments: the target's seeds, those that
 * make_seeds has made for it, and all files in tests/files, whatever they were made for. */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "support.h"

/* nftw's callbacks are told nothing but the file. */
static size_t replayed;

static uint8_t *slurp(const char *path, size_t size)
{
    /* Just as many bytes as there are, so that reading behind them shows. */
    uint8_t *bytes = malloc(size ? size : 1);
    FILE *f = fopen(path, "rb");
    fuzz_check(bytes && f && fread(bytes, 1, size, f) == size, "%s: cannot be read", path);
    fclose(f);
    return bytes;
}

/* The name comes first: a crash is that of the file named last. */
static int replay_file(const char *path, const struct stat *about, int kind, struct FTW *ftw)
{
    (void)ftw;
    if (kind != FTW_F)
        return 0;
    printf("# %s\n", path);
    fflush(stdout);
    size_t size = (size_t)about->st_size;
    uint8_t *bytes = slurp(path, size);
    LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
    replayed++;
    return 0;
}

static size_t replay(const char *path)
{
    replayed = 0;
    nftw(path, replay_file, 16, FTW_PHYS);
    return replayed;
}

/* "fuzz_csv" of ".../fuzz_csv" is "csv". */
static const char *name_of(const char *program)
{
    const char *name = strstr(program, "fuzz_");
    for (const char *next = name; next; next = strstr(next + 1, "fuzz_"))
        name = next;
    return name ? name + strlen("fuzz_") : program;
}

static int replay_all(const char *name)
{
    const char *source = getenv("srcdir");
    char seeds[1024], made[1024], files[1024];
    snprintf(seeds, sizeof seeds, "%s/tests/fuzz/seeds/%s", source ? source : ".", name);
    snprintf(made, sizeof made, "tests/fuzz/made/%s", name);
    snprintf(files, sizeof files, "%s/tests/files", source ? source : ".");
    size_t seed_count = replay(seeds) + replay(made), count = seed_count + replay(files);
    printf("%s %s: %zu inputs\n", seed_count ? "ok" : "not ok", name, count);
    return seed_count ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc == 1)
        return replay_all(name_of(argv[0]));
    int status = 0;
    for (int i = 1; i < argc; i++) {
        size_t count = replay(argv[i]);
        printf("%s %s: %zu inputs\n", count ? "ok" : "not ok", argv[i], count);
        status |= !count;
    }
    return status;
}
