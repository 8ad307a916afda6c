/* sizes: buffers and limits that short inputs can reach the ends of, in a build for fuzzing.
 *
 * What happens where a buffer ends, or behind a limit of 64 MiB, is otherwise only seen with inputs
 * that are too large to try many of. */
#ifndef KB_SIZES_H
#define KB_SIZES_H

/* USUAL; TINY in a build that was configured with --enable-tiny-buffers. */
#ifdef KB_TINY_BUFFERS
#define KB_SIZE(usual, tiny) (tiny)
#else
#define KB_SIZE(usual, tiny) (usual)
#endif

#endif
