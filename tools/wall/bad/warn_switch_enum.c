/* wall: compiler as=src/wire/sample.c expect=switch-enum
 * A switch that forgets a value, although it has a default. */
int adit_sample(enum adit_log_level level);
int adit_sample(enum adit_log_level level)
{
    switch (level) {
    case ADIT_LOG_DEBUG:
        return 1;
    default:
        return 2;
    }
}
