/* Clock: the time. Monotonic microseconds drive everything; wall time is for people, tokens and
 * certificates. Pure code takes the time as an argument instead. */
#ifndef ADIT_BASE_CLOCK_H
#define ADIT_BASE_CLOCK_H

#include <stdint.h>

#define ADIT_MS_US 1000u        /* microseconds of a millisecond */
#define ADIT_SECOND_US 1000000u /* microseconds of a second */

/* Monotonic microseconds since an arbitrary start. */
uint64_t adit_clock_now_us(void);

/* The same, and it goes on while the machine sleeps: to see that it did. */
uint64_t adit_clock_boot_us(void);

/* Milliseconds since 1970-01-01T00:00:00Z. */
uint64_t adit_clock_wall_ms(void);

#endif
