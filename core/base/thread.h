/* thread: starting a thread the way all of ours start. */
#ifndef KB_THREAD_H
#define KB_THREAD_H

#include <pthread.h>

/* RUN(ARG) on a new thread, which blocks every signal but those of a fault of its own (SIGSEGV,
 * SIGBUS, SIGFPE, SIGILL, SIGABRT): those must reach their handler on the thread that made them,
 * and everything else is for the main thread. Returns 0 or an error number. */
int kb_thread_start(pthread_t *thread, void *(*run)(void *arg), void *arg);

#endif
