/* Replay: runs a fuzzer over the files named on the command line, where libFuzzer is not there. */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

static int replay(const char *path)
{
    static uint8_t memory[1 << 20];
    struct adit_writer writer = adit_writer_of(ADIT_SPAN_OF(memory));
    if (!adit_is_ok(adit_file_read(path, &writer))) {
        fprintf(stderr, "%s: cannot be read, or is over 1 MiB\n", path);
        return 1;
    }
    struct adit_bytes input = adit_writer_bytes(&writer);
    uint8_t *exact = malloc(input.len + 1); /* its own block, so that a sanitizer sees the end */
    if (!exact || !adit_is_ok(adit_span_copy((struct adit_span){exact, input.len}, input))) {
        free(exact);
        return 1;
    }
    (void)LLVMFuzzerTestOneInput(exact, input.len);
    free(exact);
    return 0;
}

int main(int argc, char **argv)
{
    int failed = 0;
    for (int i = 1; i < argc; i++) {
        failed |= replay(ADIT_SLOT(argv, (size_t)argc, i));
    }
    return failed;
}
