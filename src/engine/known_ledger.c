#include "engine/known_ledger.h"

#include "base/checksum.h"

#include <stdio.h>
#include <string.h>

static const char file_name[] = "ledger";
static const char new_name[] = "ledger.new";
static const char magic[8] = {'P', 'A', 'Y', 'L', 'E', 'D', 'G', '2'};

struct file_bytes {
    char magic[8];
    uint32_t checksum;
    uint32_t zero;
    uint64_t epoch;
    uint64_t begun_by;
    struct chain chain;
    char type[KNOWN_LEDGER_TYPE_SIZE];
    char path[KNOWN_LEDGER_PATH_SIZE];
};

_Static_assert(sizeof(struct file_bytes) == 80 + KNOWN_LEDGER_PATH_SIZE, "as drawn in the header");
_Static_assert((int)SINK_PATH_MAX < (int)KNOWN_LEDGER_PATH_SIZE, "a sink's path fits");

static uint32_t checksum_of(const struct file_bytes *bytes)
{
    enum { BEFORE = sizeof(bytes->magic) + sizeof(bytes->checksum) };

    return checksum(0, (struct span){(const uint8_t *)bytes + BEFORE, sizeof(*bytes) - BEFORE});
}

static bool whole(const struct file_bytes *bytes, size_t size)
{
    return size == sizeof(*bytes) && memcmp(bytes->magic, magic, sizeof(magic)) == 0 &&
           bytes->checksum == checksum_of(bytes) && bytes->type[KNOWN_LEDGER_TYPE_SIZE - 1] == 0 &&
           bytes->path[KNOWN_LEDGER_PATH_SIZE - 1] == 0;
}

enum outcome known_ledger_read(struct disk *disk, struct known_ledger *ret_known,
                               struct fault *ret_fault)
{
    struct file_bytes bytes;
    size_t size = 0;

    memset(ret_known, 0, sizeof(*ret_known));
    enum outcome outcome =
        disk_read_whole(disk, file_name, &bytes, sizeof(bytes), &size, ret_fault);
    if (outcome != DONE) {
        return outcome == LATER ? DONE : outcome;
    }
    if (!whole(&bytes, size)) {
        return fault_is(ret_fault, BROKEN, FAULT_JOURNAL_CORRUPT,
                        "journal/%s, which says where the ledger stood, is damaged (%zu bytes)",
                        file_name, size);
    }
    ret_known->known = true;
    ret_known->epoch = bytes.epoch;
    ret_known->begun_by = bytes.begun_by;
    ret_known->chain = bytes.chain;
    memcpy(ret_known->type, bytes.type, sizeof(bytes.type));
    memcpy(ret_known->path, bytes.path, sizeof(bytes.path));
    return DONE;
}

void known_ledger_of(const struct sink *ledger, uint64_t epoch, const struct chain *chain,
                     struct known_ledger *ret_known)
{
    memset(ret_known, 0, sizeof(*ret_known));
    ret_known->known = true;
    ret_known->epoch = epoch;
    ret_known->chain = *chain;
    (void)snprintf(ret_known->type, sizeof(ret_known->type), "%s", ledger->type->name);
    (void)snprintf(ret_known->path, sizeof(ret_known->path), "%s", ledger->settings.path);
}

enum outcome known_ledger_write(struct disk *disk, const struct known_ledger *known,
                                struct fault *ret_fault)
{
    struct file_bytes bytes;

    memset(&bytes, 0, sizeof(bytes));
    memcpy(bytes.magic, magic, sizeof(magic));
    bytes.epoch = known->epoch;
    bytes.begun_by = known->begun_by;
    bytes.chain = known->chain;
    memcpy(bytes.type, known->type, sizeof(bytes.type));
    memcpy(bytes.path, known->path, sizeof(bytes.path));
    bytes.checksum = checksum_of(&bytes);

    return disk_replace(disk, file_name, new_name, (struct span){&bytes, sizeof(bytes)}, ret_fault);
}

bool known_ledger_same_place(const struct known_ledger *left, const struct known_ledger *right)
{
    return memcmp(left->type, right->type, sizeof(left->type)) == 0 &&
           memcmp(left->path, right->path, sizeof(left->path)) == 0;
}
