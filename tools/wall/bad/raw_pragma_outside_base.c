/* wall: raw-outside-base as=src/net/sample.h
 * The pragma itself, in a macro of another folder. */
#define ADIT_SAMPLE _Pragma("clang unsafe_buffer_usage begin")
