/* dec_retry: deep embedded clustering that begins again when it diverges.
 *
 * Clustering is short, so that the last good state is where it began: the autoencoder's parameters.
 * From there it starts anew with a tenth of the learning rate. */
#ifndef KB_DEC_RETRY_H
#define KB_DEC_RETRY_H

#include "dec.h"

/* kb_dec_train, up to three times. WEIGHTS (layout.parameters floats) are what NET has at first.
 * NOTE (may be NULL) is told of each new start, with the options' ctx. KB_ERR_NUMERIC when the last
 * diverges too; then NET has WEIGHTS. */
kb_status kb_dec_retry(kb_network *net, const float *weights, kb_source *source,
                       const kb_dec_options *options, float *centroids, double *centroid_weights,
                       void (*note)(void *ctx, const char *text), kb_pool *pool,
                       const kb_progress *progress, kb_error *err);

#endif
