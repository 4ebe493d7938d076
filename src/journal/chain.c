#include "journal/chain.h"

#include "os/digest.h"

#include <string.h>

_Static_assert((int)CHAIN_SIZE <= (int)DIGEST_SIZE, "a chain is the front of a digest");

struct chain chain_next(const struct epoch *epoch)
{
    /* The lengths stand first, so that no two histories are the same bytes cut differently. */
    const uint64_t lengths[] = {epoch->number, epoch->range_count, epoch->total_count,
                                epoch->decisions.size};
    const struct span pieces[] = {
        {epoch->prev_chain.bytes, CHAIN_SIZE},
        {lengths, sizeof(lengths)},
        {epoch->ranges, epoch->range_count * sizeof(struct epoch_range)},
        {epoch->totals, epoch->total_count * sizeof(struct epoch_total)},
        {epoch->decisions.at, epoch->decisions.size},
    };
    uint8_t bytes[DIGEST_SIZE];
    struct chain chain;

    digest(pieces, sizeof(pieces) / sizeof(pieces[0]), bytes);
    memcpy(chain.bytes, bytes, CHAIN_SIZE);
    return chain;
}
