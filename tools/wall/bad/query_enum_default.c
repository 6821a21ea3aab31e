/* wall: enum-default as=src/wire/sample.c
 * A default in a switch over an enum of ours: a new value would go there in silence. */
int adit_sample(enum adit_log_format format);
int adit_sample(enum adit_log_format format)
{
    switch (format) {
    case ADIT_LOG_TEXT:
    case ADIT_LOG_JSON:
        return 1;
    default:
        return 2;
    }
}
