/* program_world: a folder of its own in which the tests of the built program make corpora and
 * models. */
#ifndef KB_TEST_PROGRAM_WORLD_H
#define KB_TEST_PROGRAM_WORLD_H

#include <stdbool.h>

enum { WORLD_PATH = 512 };

struct world {
    char program[WORLD_PATH], folder[WORLD_PATH];
};

/* An empty folder that is called after NAME, and the kaboom beside the folder of this test. */
bool world_open(struct world *world, const char *name);
void world_close(const struct world *world);

/* Runs COMMAND by the shell in the folder, with $KABOOM; fails the test if that fails. */
void run(const struct world *world, const char *command);

#endif
