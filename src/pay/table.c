#include "pay/table.h"

#include <string.h>

struct row_head {
    uint32_t size;
    uint8_t table;
    uint8_t number_count;
    uint8_t text_count;
    uint8_t zero;
};

_Static_assert(sizeof(struct row_head) == 8, "the format says 8");

const char *table_name(enum table table)
{
    switch (table) {
    case TABLE_TRANSACTIONS:
        return "payment_transactions";
    case TABLE_DUPLICATES:
        return "payment_duplicates";
    case TABLE_DEAD_LETTERS:
        return "payment_dead_letters";
    case TABLE_METRICS:
        return "payment_metrics";
    case TABLE_COUNT:
        break;
    }
    must_failed("a table has one of its values", __FILE__, __LINE__);
}

size_t row_write(const struct row *row, uint8_t *to)
{
    must(row->number_count <= ROW_NUMBERS_MAX);
    must(row->text_count <= ROW_TEXTS_MAX);

    size_t numbers_size = 8 * (size_t)row->number_count;
    uint8_t *sizes = to + sizeof(struct row_head) + numbers_size;
    uint8_t *at = sizes + 2 * (size_t)row->text_count;

    memcpy(to + sizeof(struct row_head), row->numbers, numbers_size);
    for (size_t index = 0; index < row->text_count; index++) {
        struct span text = row->texts[index];
        uint16_t size = text.at == NULL ? TEXT_NULL : (uint16_t)text.size;

        must(text.size < TEXT_NULL);
        memcpy(sizes + 2 * index, &size, sizeof(size));
        if (text.at != NULL && text.size > 0) {
            memcpy(at, text.at, text.size);
            at += text.size;
        }
    }
    while ((at - to) % 8 != 0) {
        *at++ = 0;
    }
    struct row_head head = {(uint32_t)(at - to), (uint8_t)row->table, row->number_count,
                            row->text_count, 0};
    memcpy(to, &head, sizeof(head));
    return head.size;
}

static bool row_texts(const uint8_t *sizes, const uint8_t *end, struct row *ret_row)
{
    const uint8_t *at = sizes + 2 * (size_t)ret_row->text_count;

    for (size_t index = 0; index < ret_row->text_count; index++) {
        uint16_t size;
        memcpy(&size, sizes + 2 * index, sizeof(size));
        if (size == TEXT_NULL) {
            ret_row->texts[index] = (struct span){NULL, 0};
            continue;
        }
        if ((size_t)(end - at) < size) {
            return false;
        }
        ret_row->texts[index] = (struct span){at, size};
        at += size;
    }
    return true;
}

size_t row_read(struct span bytes, struct row *ret_row)
{
    const uint8_t *at = bytes.at;
    struct row_head head;

    if (bytes.size < sizeof(head)) {
        return 0;
    }
    memcpy(&head, at, sizeof(head));
    size_t fixed = sizeof(head) + 8 * (size_t)head.number_count + 2 * (size_t)head.text_count;
    if (head.table >= TABLE_COUNT || head.number_count > ROW_NUMBERS_MAX ||
        head.text_count > ROW_TEXTS_MAX || head.size > bytes.size || head.size < fixed ||
        head.size % 8 != 0) {
        return 0;
    }
    ret_row->table = (enum table)head.table;
    ret_row->number_count = head.number_count;
    ret_row->text_count = head.text_count;
    memcpy(ret_row->numbers, at + sizeof(head), 8 * (size_t)head.number_count);
    const uint8_t *sizes = at + sizeof(head) + 8 * (size_t)head.number_count;
    return row_texts(sizes, at + head.size, ret_row) ? head.size : 0;
}
