/* Fuzz: the entry of every fuzzer, and a source of choices from the fuzzer's input. */
#ifndef ADIT_TESTS_FUZZ_H
#define ADIT_TESTS_FUZZ_H

#include "base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One byte of the input, or 0 when it is used up. */
static inline uint8_t fuzz_byte(struct adit_reader *input)
{
    uint8_t byte = 0;
    adit_status_ignore(adit_read_u8(input, &byte), "0 at the end");
    return byte;
}

#endif
