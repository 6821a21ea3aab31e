/* Parse: what a decoder says of a buffer that may not hold the whole message yet. */
#ifndef ADIT_WIRE_PARSE_H
#define ADIT_WIRE_PARSE_H

enum adit_parse {
    ADIT_PARSE_MORE,  /* nothing is wrong so far; call again with more bytes */
    ADIT_PARSE_FOUND, /* a whole message was decoded */
};

#endif
