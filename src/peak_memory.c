#include "peak_memory.h"

#include <math.h>
#include <stdio.h>

/* proc(5): writing 5 to clear_refs resets the peak, VmHWM. */
void cli_peak_reset(void)
{
    FILE *file = fopen("/proc/self/clear_refs", "we");
    if (!file)
        return;
    (void)!fputs("5", file);
    fclose(file);
}

double cli_peak_mib(void)
{
    char line[256];
    double kib = (double)NAN;
    FILE *file = fopen("/proc/self/status", "re");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "VmHWM: %lf kB", &kib) == 1)
            break;
    if (file)
        fclose(file);
    return kib / 1024;
}
