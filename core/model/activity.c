#include "activity.h"

#include <math.h>
#include <stdlib.h>

#include "memory.h"

enum { ROWS = 256 };

/* Adds the divergences of N rows. */
static void add_divergence(double *kl, const float *mu, const float *logvar, size_t n, size_t z)
{
    for (size_t i = 0; i < n * z; i++) {
        double m = (double)mu[i], lv = (double)logvar[i];
        kl[i % z] += .5 * (m * m + exp(lv) - 1 - lv);
    }
}

kb_status kb_unit_divergence(double *kl, kb_network *net, kb_source *source,
                             const kb_progress *progress, kb_error *err)
{
    size_t z = net->layout.latent, step = net->batch < ROWS ? net->batch : ROWS, rows[ROWS];
    float *mu = kb_calloc(step * z, sizeof *mu), *logvar = kb_calloc(step * z, sizeof *logvar);
    kb_status status = mu && logvar ? KB_OK : kb_fail_memory(err, "latent units");
    for (size_t j = 0; j < z; j++)
        kl[j] = 0;
    for (size_t i = 0; !status && i < source->count; i += step) {
        size_t n = source->count - i < step ? source->count - i : step;
        for (size_t r = 0; r < n; r++)
            rows[r] = i + r;
        source->fill(source, net->dev, net->x, rows, n);
        kb_network_forward(net, n, 0, false, 0, 0);
        net->dev->ops->get(net->dev, mu, net->mu, n * z);
        net->dev->ops->get(net->dev, logvar, net->logvar, n * z);
        add_divergence(kl, mu, logvar, n, z);
        if (kb_cancelled(progress))
            status = kb_fail(err, KB_ERR_CANCELLED, "cancelled");
    }
    for (size_t j = 0; j < z; j++)
        kl[j] /= (double)source->count;
    free(mu);
    free(logvar);
    return status;
}

size_t kb_active_units(const double *kl, size_t n)
{
    size_t active = 0;
    for (size_t j = 0; j < n; j++)
        active += kl[j] >= KB_ACTIVE_NATS;
    return active;
}
