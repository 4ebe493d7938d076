#include "cmd/suggest.h"

#include <string.h>

static unsigned smaller(unsigned left, unsigned right)
{
    return left < right ? left : right;
}

unsigned suggest_distance(const char *left, const char *right)
{
    unsigned rows[3][SUGGEST_WORD_MAX + 1]; /* Of row i: i % 3. */
    size_t left_size = strnlen(left, SUGGEST_WORD_MAX);
    size_t right_size = strnlen(right, SUGGEST_WORD_MAX);

    for (size_t column = 0; column <= right_size; column++) {
        rows[0][column] = (unsigned)column;
    }
    for (size_t row = 1; row <= left_size; row++) {
        unsigned *here = rows[row % 3];
        const unsigned *above = rows[(row + 2) % 3];
        const unsigned *two_above = rows[(row + 1) % 3];
        here[0] = (unsigned)row;
        for (size_t column = 1; column <= right_size; column++) {
            bool same = left[row - 1] == right[column - 1];
            unsigned least = above[column - 1] + (same ? 0U : 1U);
            least = smaller(least, smaller(above[column], here[column - 1]) + 1);
            if (row > 1 && column > 1 && left[row - 1] == right[column - 2] &&
                left[row - 2] == right[column - 1]) {
                least = smaller(least, two_above[column - 2] + 1);
            }
            here[column] = least;
        }
    }
    return rows[left_size % 3][right_size];
}

void suggest_offer(struct suggestion *suggestion, const char *candidate)
{
    unsigned distance = suggest_distance(suggestion->word, candidate);
    size_t size = strlen(suggestion->word);

    /* A third of the letters may be wrong; a word of two letters resembles anything. */
    if (distance > (size < 3 ? 1 : size / 3 + 1) || distance >= strlen(candidate)) {
        return;
    }
    if (suggestion->best == NULL || distance < suggestion->distance) {
        suggestion->best = candidate;
        suggestion->distance = distance;
    }
}
