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

kb_corpus *generated_corpus(char *folder, size_t size)
{
    const char *base = getenv("TMPDIR");
    kb_error err = {0};
    snprintf(folder, size, "%s/kb-model-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(folder))
        stop(folder, "cannot be made");
    kb_generate_options generate = kb_generate_defaults();
    generate.sessions = 120;
    generate.objects = 60;
    generate.timesteps = 40;
    generate.types = 4;
    if (kb_generate(folder, &generate, NULL, &err))
        stop("generate", err.text);
    kb_corpus *corpus;
    kb_corpus_options options = kb_corpus_defaults();
    options.timesteps = 40;
    if (kb_corpus_load(&corpus, folder, &options, NULL, &err))
        stop("load", err.text);
    return corpus;
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
