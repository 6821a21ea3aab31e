#include "base/clock.h"

#include <time.h>

static uint64_t read_us(clockid_t clock)
{
    struct timespec now = {0};
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * ADIT_SECOND_US + (uint64_t)now.tv_nsec / 1000;
}

uint64_t adit_clock_now_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

uint64_t adit_clock_boot_us(void)
{
    return read_us(CLOCK_BOOTTIME);
}

uint64_t adit_clock_wall_ms(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}
