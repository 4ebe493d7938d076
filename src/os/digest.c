#include "os/digest.h"

#include <openssl/evp.h>
#include <sys/random.h>

void digest(const struct span *pieces, size_t piece_count, uint8_t ret_digest[DIGEST_SIZE])
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1;

    for (size_t index = 0; good && index < piece_count; index++) {
        good = EVP_DigestUpdate(context, pieces[index].at, pieces[index].size) == 1;
    }
    good = good && EVP_DigestFinal_ex(context, ret_digest, NULL) == 1;
    EVP_MD_CTX_free(context);
    must(good);
}

void digest_random(void *into, size_t size)
{
    must(size <= 256); /* Then the call is never cut short. */
    ssize_t count = getrandom(into, size, 0);
    must(count == (ssize_t)size);
}
