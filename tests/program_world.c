#include "program_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void run(const struct world *world, const char *command)
{
    char line[6 * WORLD_PATH];
    snprintf(line, sizeof line, "cd '%s' && KABOOM='%s' && %s", world->folder, world->program,
             command);
    int status = system(line);
    if (status != 0)
        fail_msg("%s: status %d", command, status);
}

bool world_open(struct world *world, const char *name)
{
    const char *parent = getenv("TMPDIR");
    ssize_t length = readlink("/proc/self/exe", world->program, sizeof world->program - 16);
    if (length <= 0)
        return false;
    world->program[length] = '\0';
    *strrchr(world->program, '/') = '\0';
    strcpy(strrchr(world->program, '/'), "/kaboom");
    snprintf(world->folder, sizeof world->folder, "%s/kb-%s-XXXXXX", parent ? parent : "/tmp",
             name);
    return mkdtemp(world->folder) != NULL;
}

void world_close(const struct world *world)
{
    run(world, "cd / && rm -rf \"$OLDPWD\"");
}
