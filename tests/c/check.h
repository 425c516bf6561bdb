/* Checks for the C tests: a failed one says where and what, and the program
 * goes on; check_done() is its exit code. */
#ifndef WSEMBED_TEST_CHECK_H
#define WSEMBED_TEST_CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int check_failures;

#define CHECK(condition)                                                         \
    do {                                                                         \
        if (!(condition)) {                                                      \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition); \
            check_failures++;                                                    \
        }                                                                        \
    } while (0)

#define CHECK_INT(have, want)                                                    \
    do {                                                                         \
        long long have_ = (long long)(have), want_ = (long long)(want);          \
        if (have_ != want_) {                                                    \
            fprintf(stderr, "%s:%d: %s is %lld, not %lld\n", __FILE__, __LINE__, #have, \
                    have_, want_);                                               \
            check_failures++;                                                    \
        }                                                                        \
    } while (0)

#define CHECK_BYTES(have, want, length)                                          \
    do {                                                                         \
        if (memcmp((have), (want), (length)) != 0) {                             \
            fprintf(stderr, "%s:%d: %s differs from %s\n", __FILE__, __LINE__, #have, #want); \
            check_failures++;                                                    \
        }                                                                        \
    } while (0)

/* Whether to leave out repetitions, where each instruction is dear
 * (scripts/check-valgrind). Every kind of case stays. */
static inline int check_short(void) { return getenv("WSEMBED_TEST_SHORT") != NULL; }

static int check_done(const char *name) {
    if (check_failures != 0) {
        fprintf(stderr, "%s: %d checks failed\n", name, check_failures);
        return 1;
    }
    printf("%s: ok\n", name);
    return 0;
}

#endif
