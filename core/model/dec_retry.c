#include "dec_retry.h"

enum { TRIES = 3 };

kb_status kb_dec_retry(kb_network *net, const float *weights, kb_source *source,
                       const kb_dec_options *options, float *centroids, double *centroid_weights,
                       void (*note)(void *ctx, const char *text), kb_pool *pool,
                       const kb_progress *progress, kb_error *err)
{
    kb_dec_options careful = *options;
    for (int left = TRIES - 1;; left--) {
        kb_status status =
            kb_dec_train(net, source, &careful, centroids, centroid_weights, pool, progress, err);
        if (status != KB_ERR_NUMERIC)
            return status;
        kb_network_put(net, weights);
        if (!left)
            return status;
        careful.learning_rate /= 10;
        if (note)
            note(options->ctx, "clustering diverged: it begins again, with a tenth of the learning "
                               "rate");
    }
}
