#include "journal/frame.h"

#include "base/checksum.h"

#include <string.h>

enum { CHECKED_FROM = 12 }; /* The header's checksum covers what follows it. */

static const char magic[] = {'p', 'a', 'y', 'f', 'r', 'a', 'm', 'e'};

struct frame_stamp frame_stamp(uint64_t serial, uint64_t journal_id, const struct siphash_key *key)
{
    const uint64_t words[] = {serial, journal_id, key->k0, key->k1};

    return (struct frame_stamp){
        .serial = serial,
        .journal_id = journal_id,
        .seed = checksum(0, (struct span){words, sizeof(words)}),
    };
}

static uint64_t padded(uint64_t size, uint64_t unit)
{
    return (size + unit - 1) / unit * unit;
}

static uint64_t part_size(const struct frame_header *header, enum frame_part part)
{
    switch (part) {
    case FRAME_RANGES:
        return header->range_count * sizeof(struct epoch_range);
    case FRAME_TOTALS:
        return header->total_count * sizeof(struct epoch_total);
    case FRAME_DECISIONS:
        return header->decisions_size;
    case FRAME_ROWS:
        return header->rows_size;
    case FRAME_PARTS:
        break;
    }
    return 0;
}

struct frame_extent frame_extent(const struct frame_header *header, enum frame_part part)
{
    uint64_t at = FRAME_HEADER_SIZE;

    for (enum frame_part before = FRAME_RANGES; before < part; before++) {
        at += padded(part_size(header, before), 8);
    }
    return (struct frame_extent){at, part_size(header, part)};
}

size_t frame_header_size(const struct frame_header *header)
{
    struct frame_extent rows = frame_extent(header, FRAME_ROWS);

    return padded(rows.at + rows.size, DISK_BLOCK);
}

static void take_sizes(const struct epoch *epoch, struct frame_header *header)
{
    header->range_count = epoch->range_count;
    header->total_count = epoch->total_count;
    header->decisions_size = epoch->decisions.size;
    header->rows_size = epoch->rows.size;
}

size_t frame_size(const struct epoch *epoch)
{
    struct frame_header header = {.version = FRAME_VERSION};

    take_sizes(epoch, &header);
    return frame_header_size(&header);
}

/* The rows' checksum goes on to the frame's end: so every byte of it is checked by one. */
static struct span checked_bytes(const uint8_t *frame, enum frame_part part)
{
    const struct frame_header *header = (const struct frame_header *)(const void *)frame;
    struct frame_extent extent = frame_extent(header, part);
    size_t end =
        part == FRAME_ROWS ? frame_header_size(header) : padded(extent.at + extent.size, 8);

    return (struct span){frame + extent.at, end - extent.at};
}

static uint32_t part_checksum(const uint8_t *frame, enum frame_part part,
                              const struct frame_stamp *stamp)
{
    return checksum(stamp->seed, checked_bytes(frame, part));
}

static uint32_t header_checksum(const struct frame_header *header, const struct frame_stamp *stamp)
{
    struct span rest = {(const uint8_t *)header + CHECKED_FROM, FRAME_HEADER_SIZE - CHECKED_FROM};

    return checksum(stamp->seed, rest);
}

void frame_restamp(uint8_t *frame, const struct frame_stamp *stamp)
{
    struct frame_header *header = (struct frame_header *)(void *)frame;

    header->serial = stamp->serial;
    header->journal_id = stamp->journal_id;
    for (enum frame_part part = FRAME_RANGES; part < FRAME_PARTS; part++) {
        header->part_checksums[part] = part_checksum(frame, part, stamp);
    }
    header->checksum = header_checksum(header, stamp);
}

static void copy_part(uint8_t *frame, enum frame_part part, const void *from)
{
    const struct frame_header *header = (const struct frame_header *)(void *)frame;
    struct frame_extent extent = frame_extent(header, part);
    size_t end =
        part == FRAME_ROWS ? frame_header_size(header) : padded(extent.at + extent.size, 8);

    if (extent.size > 0) {
        memcpy(frame + extent.at, from, extent.size);
    }
    memset(frame + extent.at + extent.size, 0, end - extent.at - extent.size);
}

void frame_write(const struct epoch *epoch, enum frame_kind kind, const struct frame_stamp *stamp,
                 uint64_t synced_upto, uint64_t synced_seeds, uint8_t *to)
{
    struct frame_header *header = (struct frame_header *)(void *)to;

    *header = (struct frame_header){
        .version = FRAME_VERSION,
        .kind = (uint8_t)kind,
        .seed_last = epoch->seed_last != 0,
        .number = epoch->number,
        .synced_upto = synced_upto,
        .synced_seeds = synced_seeds,
        .prev_chain = epoch->prev_chain,
        .chain = epoch->chain,
        .decided_ms = epoch->decided_ms,
        .sealed_ms = epoch->sealed_ms,
        .watermark_ms = epoch->watermark_ms,
        .newest_accepted_ms = epoch->newest_accepted_ms,
        .seed_epoch = epoch->seed_epoch,
        .message_count = epoch->message_count,
        .row_count = epoch->row_count,
    };
    memcpy(header->magic, magic, sizeof(magic));
    memcpy(header->seq_next, epoch->seq_next, sizeof(header->seq_next));
    take_sizes(epoch, header);
    copy_part(to, FRAME_RANGES, epoch->ranges);
    copy_part(to, FRAME_TOTALS, epoch->totals);
    copy_part(to, FRAME_DECISIONS, epoch->decisions.at);
    copy_part(to, FRAME_ROWS, epoch->rows.at);
    frame_restamp(to, stamp);
}

/* Before they are added up: lengths from a disk may be anything. */
static bool sizes_fit(const struct frame_header *header, uint64_t size_max)
{
    return header->range_count <= size_max / sizeof(struct epoch_range) &&
           header->total_count <= size_max / sizeof(struct epoch_total) &&
           header->decisions_size <= size_max && header->rows_size <= size_max &&
           frame_header_size(header) <= size_max;
}

bool frame_header_whole(const struct frame_header *header, const struct frame_stamp *stamp,
                        uint64_t size_max)
{
    return memcmp(header->magic, magic, sizeof(magic)) == 0 &&
           header->checksum == header_checksum(header, stamp) && header->serial == stamp->serial &&
           header->journal_id == stamp->journal_id && header->version == FRAME_VERSION &&
           header->kind <= FRAME_SNAPSHOT && size_max <= INT64_MAX / 8 &&
           sizes_fit(header, size_max);
}

bool frame_part_whole(const uint8_t *frame, enum frame_part part, const struct frame_stamp *stamp)
{
    const struct frame_header *header = (const struct frame_header *)(const void *)frame;

    return header->part_checksums[part] == part_checksum(frame, part, stamp);
}

void frame_epoch(uint8_t *frame, bool with_rows, struct epoch *ret_epoch)
{
    const struct frame_header *header = (const struct frame_header *)(void *)frame;
    struct frame_extent decisions = frame_extent(header, FRAME_DECISIONS);
    struct frame_extent rows = frame_extent(header, FRAME_ROWS);

    *ret_epoch = (struct epoch){
        .kind = header->kind == FRAME_SEED ? EPOCH_SEED : EPOCH_DECIDED,
        .seed_last = header->seed_last,
        .number = header->number,
        .journal_id = header->journal_id,
        .prev_chain = header->prev_chain,
        .chain = header->chain,
        .decided_ms = header->decided_ms,
        .sealed_ms = header->sealed_ms,
        .watermark_ms = header->watermark_ms,
        .newest_accepted_ms = header->newest_accepted_ms,
        .seed_epoch = header->seed_epoch,
        .message_count = header->message_count,
        .row_count = header->row_count,
        .ranges = (struct epoch_range *)(void *)(frame + FRAME_HEADER_SIZE),
        .range_count = header->range_count,
        .totals = (struct epoch_total *)(void *)(frame + frame_extent(header, FRAME_TOTALS).at),
        .total_count = header->total_count,
        .decisions = {frame + decisions.at, decisions.size, decisions.size},
    };
    memcpy(ret_epoch->seq_next, header->seq_next, sizeof(ret_epoch->seq_next));
    if (with_rows) {
        ret_epoch->rows = (struct epoch_bytes){frame + rows.at, rows.size, rows.size};
    }
}
