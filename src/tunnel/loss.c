#include "tunnel/loss.h"

static bool is_empty_road(const struct adit_loss_sample *sample)
{
    return sample->rtt_min_us >= ADIT_LOSS_RTT_MIN_US &&
           sample->rtt_us <= sample->rtt_min_us + sample->rtt_min_us / ADIT_LOSS_QUEUE_SHARE +
                                 ADIT_LOSS_QUEUE_US;
}

/* A full bottleneck drops many at once, and their recovery goes on when the queue has gone: only
 * its first loss tells something. */
static bool is_new_loss(const struct adit_loss *loss, const struct adit_loss_sample *sample)
{
    uint64_t episode_us = ADIT_LOSS_EPISODE_ROUND_TRIPS * sample->rtt_us;
    return sample->retransmitted > loss->retransmitted &&
           (!loss->was_recovering || sample->now_us - loss->sign_us > episode_us);
}

static void forgive(struct adit_loss *loss, uint64_t sent)
{
    loss->sent_since += sent;
    while (loss->signs > 0 && loss->sent_since >= ADIT_LOSS_FORGIVEN) {
        loss->sent_since -= ADIT_LOSS_FORGIVEN;
        loss->signs--;
    }
    if (loss->signs == 0) {
        loss->sent_since = 0;
    }
}

bool adit_loss_sample(struct adit_loss *loss, const struct adit_loss_sample *sample)
{
    forgive(loss, adit_subtract_floor_u64(sample->sent, loss->sent));
    if (is_new_loss(loss, sample)) {
        loss->sign_us = sample->now_us;
        if (is_empty_road(sample)) {
            bool is_close = loss->signs > 0 && sample->sent - loss->sign_sent < ADIT_LOSS_CLOSE;
            loss->signs = is_close ? ADIT_LOSS_SIGNS : loss->signs + 1;
            loss->sign_sent = sample->sent;
        }
    }
    loss->sent = sample->sent;
    loss->retransmitted = sample->retransmitted;
    loss->was_recovering = sample->is_recovering;
    loss->is_lossy = loss->is_lossy || loss->signs >= ADIT_LOSS_SIGNS;
    return loss->is_lossy;
}

void adit_loss_crawled(struct adit_loss *loss)
{
    if (loss->signs > 0) {
        loss->signs = ADIT_LOSS_SIGNS - 1;
    }
}
