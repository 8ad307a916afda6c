/* peak_memory: the most memory that the process has held since it was last asked to forget. */
#ifndef KB_CLI_PEAK_MEMORY_H
#define KB_CLI_PEAK_MEMORY_H

/* From now on. Does nothing where the kernel cannot (peaks then count from the start). */
void cli_peak_reset(void);
/* Resident memory in MiB; NAN where the kernel does not tell. */
double cli_peak_mib(void);

#endif
