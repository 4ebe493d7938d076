#include "journal/segment.h"

#include "base/checksum.h"
#include "journal/walk.h"

#include <stdio.h>
#include <string.h>

enum { CHECKED_FROM = 12, HEX_DIGITS = 16 };

static const char magic[] = {'p', 'a', 'y', 's', 'e', 'g', 'm', 't'};
static const char segment_prefix[] = "seg-";
static const char spare_prefix[] = "spare-";

void segment_name(uint64_t serial, char ret_name[DISK_NAME_MAX])
{
    (void)snprintf(ret_name, DISK_NAME_MAX, "%s%016llx", segment_prefix,
                   (unsigned long long)serial);
}

void segment_spare_name(uint64_t serial, char ret_name[DISK_NAME_MAX])
{
    (void)snprintf(ret_name, DISK_NAME_MAX, "%s%016llx", spare_prefix, (unsigned long long)serial);
}

static bool name_read(const char *name, const char *prefix, uint64_t *ret_serial)
{
    size_t size = strlen(prefix);
    static const char digits[] = "0123456789abcdef";

    if (strncmp(name, prefix, size) != 0 || strlen(name) != size + HEX_DIGITS) {
        return false;
    }
    *ret_serial = 0;
    for (const char *at = name + size; *at != '\0'; at++) {
        const char *digit = strchr(digits, *at);
        if (digit == NULL) {
            return false;
        }
        *ret_serial = *ret_serial << 4 | (uint64_t)(digit - digits);
    }
    return true;
}

bool segment_name_read(const char *name, uint64_t *ret_serial)
{
    return name_read(name, segment_prefix, ret_serial);
}

bool segment_spare_name_read(const char *name, uint64_t *ret_serial)
{
    return name_read(name, spare_prefix, ret_serial);
}

struct frame_stamp segment_stamp(const struct journal *journal,
                                 const struct journal_segment *segment)
{
    return frame_stamp(segment->serial, journal->journal_id, &journal->key);
}

size_t journal_segment_of(const struct journal *journal, uint64_t epoch)
{
    size_t low = 0;
    size_t high = journal->segment_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (journal->segments[middle].after < epoch) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low == 0 ? SIZE_MAX : low - 1;
}

static uint32_t header_checksum(const struct segment_header *header)
{
    struct span rest = {(const uint8_t *)header + CHECKED_FROM, sizeof(*header) - CHECKED_FROM};

    return checksum(0, rest);
}

static enum outcome check_header(const struct journal *journal, const struct segment_header *header,
                                 uint64_t serial, size_t size, struct fault *ret_fault)
{
    if (size < sizeof(*header) || memcmp(header->magic, magic, sizeof(magic)) != 0 ||
        header->checksum != header_checksum(header) || header->serial != serial) {
        return fault_is(ret_fault, BROKEN, FAULT_JOURNAL_CORRUPT,
                        "segment seg-%016llx: its header is damaged", (unsigned long long)serial);
    }
    if (header->version != FRAME_VERSION) {
        return fault_is(ret_fault, BROKEN, FAULT_JOURNAL_FORMAT,
                        "segment seg-%016llx has format %u; this payonce reads format %d",
                        (unsigned long long)serial, header->version, FRAME_VERSION);
    }
    if (journal->journal_id != 0 && header->journal_id != journal->journal_id) {
        return fault_is(ret_fault, BROKEN, FAULT_JOURNAL_CORRUPT,
                        "segment seg-%016llx is of another journal than the ones behind it",
                        (unsigned long long)serial);
    }
    return DONE;
}

/* The walk stands at the snapshot. */
static enum outcome load_snapshot(struct walk *walk, struct journal_segment *segment,
                                  struct fault *ret_fault)
{
    enum outcome outcome = walk_header(walk, WALK_AHEAD, ret_fault);

    if (outcome == DONE) {
        outcome = walk_load(walk, true, ret_fault);
    }
    if (outcome == DONE && walk_frame(walk)->kind == FRAME_SNAPSHOT &&
        walk_frame(walk)->number >= segment->after) {
        segment->snapshot = walk_frame(walk)->number;
        segment->seed_epoch = walk_frame(walk)->seed_epoch;
        segment->synced_upto = walk_frame(walk)->synced_upto;
        walk_skip(walk);
        segment->frames_at = walk->offset;
        return DONE;
    }
    if (outcome == BROKEN) {
        return BROKEN;
    }
    return fault_is(ret_fault, BROKEN, FAULT_JOURNAL_CORRUPT,
                    "segment seg-%016llx, offset %d: its snapshot is damaged",
                    (unsigned long long)segment->serial, DISK_BLOCK);
}

static enum outcome load_from(struct journal *journal, struct walk *walk,
                              struct journal_segment *segment, struct fault *ret_fault)
{
    const struct segment_header *header = (const struct segment_header *)(void *)journal->buffer;
    size_t size = 0;
    enum outcome outcome =
        disk_read(journal->disk, walk->file, 0, journal->buffer, DISK_BLOCK, &size, ret_fault);

    if (outcome == DONE) {
        outcome = check_header(journal, header, segment->serial, size, ret_fault);
    }
    if (outcome == DONE) {
        outcome = disk_size(journal->disk, walk->file, &segment->size, ret_fault);
    }
    if (outcome != DONE) {
        return outcome;
    }
    journal->journal_id = header->journal_id;
    journal->key = header->key;
    segment->previous = header->previous;
    segment->after = header->after;
    segment->after_chain = header->after_chain;
    segment->begun_ms = header->begun_ms;
    segment->seeds_follow = header->seeds_follow != 0;
    walk->stamp = segment_stamp(journal, segment);
    walk->end = segment->size;
    return load_snapshot(walk, segment, ret_fault);
}

enum outcome segment_load(struct journal *journal, uint64_t serial,
                          struct journal_segment *ret_segment, struct fault *ret_fault)
{
    struct walk walk;

    *ret_segment = (struct journal_segment){.serial = serial, .frames_at = DISK_BLOCK};
    enum outcome outcome = walk_open_own(&walk, journal, ret_segment, ret_fault);
    if (outcome == DONE) {
        outcome = load_from(journal, &walk, ret_segment, ret_fault);
        walk_close(&walk);
    }
    return outcome;
}

void segment_header_write(const struct journal *journal, const struct journal_segment *segment,
                          uint8_t *to)
{
    struct segment_header *header = (struct segment_header *)(void *)to;

    *header = (struct segment_header){
        .version = FRAME_VERSION,
        .serial = segment->serial,
        .previous = segment->previous,
        .journal_id = journal->journal_id,
        .key = journal->key,
        .after = segment->after,
        .after_chain = segment->after_chain,
        .begun_ms = segment->begun_ms,
        .seeds_follow = segment->seeds_follow,
    };
    memcpy(header->magic, magic, sizeof(magic));
    header->checksum = header_checksum(header);
}
