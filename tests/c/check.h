/* Checks for the C tests: a failed one prints where and what, and the program
 * ends with 1. */
#ifndef WSEMBED_TESTS_CHECK_H
#define WSEMBED_TESTS_CHECK_H

#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition)                                                                 \
    do {                                                                                 \
        if (!(condition)) {                                                              \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);      \
            exit(1);                                                                     \
        }                                                                                \
    } while (0)

#define CHECK_EQUAL(left, right)                                                         \
    do {                                                                                 \
        long long left_ = (long long)(left), right_ = (long long)(right);                \
        if (left_ != right_) {                                                           \
            fprintf(stderr, "%s:%d: failed: %s is %lld, not %s (%lld)\n", __FILE__,      \
                    __LINE__, #left, left_, #right, right_);                             \
            exit(1);                                                                     \
        }                                                                                \
    } while (0)

#endif
