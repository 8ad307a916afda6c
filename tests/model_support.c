#include "model_support.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "generate.h"

static void stop(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    abort();
}

static void make_folder(char *folder, size_t size)
{
    const char *base = getenv("TMPDIR");
    snprintf(folder, size, "%s/kb-model-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(folder))
        stop(folder, "cannot be made");
}

static kb_corpus *load(const char *folder, size_t timesteps)
{
    kb_error err = {0};
    kb_corpus *corpus;
    kb_corpus_options options = kb_corpus_defaults();
    options.timesteps = timesteps;
    if (kb_corpus_load(&corpus, folder, &options, NULL, &err))
        stop("load", err.text);
    return corpus;
}

kb_corpus *generated_corpus_of(char *folder, size_t size, size_t sessions, size_t objects,
                               size_t timesteps)
{
    kb_error err = {0};
    kb_generate_options generate = kb_generate_defaults();
    generate.sessions = sessions;
    generate.objects = objects;
    generate.timesteps = timesteps;
    generate.types = 4;
    make_folder(folder, size);
    if (kb_generate(folder, &generate, NULL, &err))
        stop("generate", err.text);
    return load(folder, timesteps);
}

kb_corpus *generated_corpus(char *folder, size_t size)
{
    return generated_corpus_of(folder, size, 120, 60, 40);
}

kb_corpus *plain_corpus(char *folder, size_t size, size_t sessions)
{
    char path[1024];
    make_folder(folder, size);
    snprintf(path, sizeof path, "%s/metrics.csv", folder);
    FILE *f = fopen(path, "w");
    if (!f)
        stop(path, "cannot be written");
    fputs("session,time,object,value\n", f);
    for (size_t s = 0; s < sessions; s++)
        for (size_t t = 0; t < 8; t++)
            for (size_t o = 0; o < 3; o++)
                fprintf(f, "s%zu,%zu,o%zu,%zu\n", s, t, o, (s % 2 == o % 2) * t * (o + 1) + s % 3);
    fclose(f);
    return load(folder, 8);
}

void remove_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        unlink(path);
    }
    if (dir)
        closedir(dir);
    rmdir(folder);
}
