/* activity: which units of a variational autoencoder's latent space carry anything.
 *
 * A unit that the divergence from the prior has won over says the same of every session: its mean
 * is 0 and its deviation 1 whatever the input (posterior collapse). */
#ifndef KB_ACTIVITY_H
#define KB_ACTIVITY_H

#include "network.h"
#include "progress.h"
#include "source.h"

/* A unit with less divergence, in nats, is collapsed. */
#define KB_ACTIVE_NATS .01

/* KL (latent): the mean over the rows of SOURCE of each unit's divergence from the prior, (mu^2 +
 * exp(lv) - 1 - lv) / 2, in nats. NET is a VAE. KB_ERR_CANCELLED, KB_ERR_MEMORY. */
kb_status kb_unit_divergence(double *kl, kb_network *net, kb_source *source,
                             const kb_progress *progress, kb_error *err);

/* How many of the N are active. */
size_t kb_active_units(const double *kl, size_t n);

#endif
