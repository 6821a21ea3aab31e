/* Does the time of a refusal tell how much of a tag was right? Welch's t over interleaved tries,
 * with a comparison that stops at the first wrong byte as the control that must be caught. Judged
 * where ADIT_TIMING_TRIES says how many tries a class has (./test --long); else only run. */
#include "wire/token.c"

#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "unit.h"

#define CLASSES 3
#define TRIES_DEFAULT 300 /* a class: too few to judge */
#define TRIES_MAX 10000000
#define TRIES_JUDGED 10000   /* from so many on */
#define BATCH 64
#define SAMPLES 4096         /* for the cut: slower tries than most are the machine's */
#define KEPT_OF_100 80
#define ROUNDS 3             /* a leak shows in each */
#define T_SQUARED_MAX 20.25  /* t of 4.5 */
#define NOW 1750000000u

static const size_t right_bytes[CLASSES] = {0, ADIT_TOKEN_TAG_BYTES / 2, ADIT_TOKEN_TAG_BYTES - 1};
static const uint8_t key_bytes[ADIT_TOKEN_KEY_BYTES_MIN] = {1, 2, 3};

static struct adit_status test_mac(struct adit_bytes key, struct adit_bytes first,
                                   struct adit_bytes second, struct adit_span out)
{
    uint8_t memory[512] = {0};
    struct adit_writer input = adit_writer_of(ADIT_SPAN_OF(memory));
    unsigned len = 0;
    ADIT_TRY(adit_write_bytes(&input, first));
    ADIT_TRY(adit_write_bytes(&input, second));
    ADIT_ENSURE(HMAC(EVP_sha256(), key.ptr, (int)key.len, memory, input.len, out.ptr, &len),
                CRYPTO, "HMAC refused");
    return adit_ok();
}

static const struct adit_token_check check = {.key = {.ptr = key_bytes, .len = sizeof key_bytes},
                                              .key_id = 1,
                                              .now_s = NOW,
                                              .mac = test_mac};

/* --- Statistics ------------------------------------------------------------------------------- */

struct sums {
    double count, mean, spread; /* Welford */
};

static void sums_add(struct sums *sums, double value)
{
    double distance = value - sums->mean;
    sums->count += 1;
    sums->mean += distance / sums->count;
    sums->spread += distance * (value - sums->mean);
}

static double variance_of_mean(const struct sums *sums)
{
    return sums->spread / (sums->count - 1) / sums->count;
}

static double t_squared(const struct sums *a, const struct sums *b)
{
    double distance = a->mean - b->mean;
    return distance * distance / (variance_of_mean(a) + variance_of_mean(b));
}

static void the_statistic_is_welch_s(void **state)
{
    (void)state;
    /* t of {1, 2, 3, 4} and {2, 4, 6, 8}: 2.5 / sqrt(5/12 + 5/3), its square 3. */
    struct sums a = {0};
    struct sums b = {0};
    for (int i = 1; i <= 4; i++) {
        sums_add(&a, i);
        sums_add(&b, 2 * i);
    }
    assert_true(t_squared(&a, &b) > 2.999 && t_squared(&a, &b) < 3.001);
}

/* --- Tries ------------------------------------------------------------------------------------ */

/* A token of which the first `right` bytes of the tag are right and the next is wrong. Id and the
 * rest are random, so that no class has texts of its own. Every class is made by the same steps,
 * and nothing here reads the right text: the processor would remember the way through it. */
static void token_bend(size_t right, struct adit_writer *out)
{
    uint8_t memory[ADIT_TOKEN_BYTES_MAX] = {0};
    struct adit_writer bytes = adit_writer_of(ADIT_SPAN_OF(memory));
    struct adit_token_record record = {.kind = ADIT_TOKEN_USER,
                                       .allows = ADIT_TOKEN_ALLOWS_HTTP,
                                       .key_id = 1,
                                       .expiry_s = NOW + 1};
    struct adit_span tag = {0};
    uint8_t random[ADIT_TOKEN_TAG_BYTES] = {0};
    assert_ok(adit_random_fill(ADIT_SPAN_OF(record.id)));
    assert_ok(adit_random_fill(ADIT_SPAN_OF(random)));
    assert_ok(adit_token_account_set(&record, ADIT_BYTES("alice")));
    assert_ok(adit_token_names_set(&record.names, ADIT_BYTES("*")));
    assert_ok(adit_token_record_write(&bytes, &record));
    struct adit_bytes signed_part = adit_writer_bytes(&bytes);
    assert_ok(adit_write_reserve(&bytes, ADIT_TOKEN_TAG_BYTES, &tag));
    assert_ok(test_mac(check.key, record_label, signed_part, tag));
    for (size_t i = 0; i < ADIT_TOKEN_TAG_BYTES; i++) {
        uint8_t mask = (uint8_t)-(i >= right);
        uint8_t wrong = (uint8_t)(ADIT_AT(random, i) | (uint8_t)(i == right));
        ADIT_AT(memory, signed_part.len + i) ^= (uint8_t)(wrong & mask);
    }
    assert_ok(text_write(out, adit_writer_bytes(&bytes)));
}

typedef bool refuse_fn(struct adit_bytes text);

static bool refuse(struct adit_bytes text)
{
    struct adit_token_rights rights = {0};
    return !adit_is_ok(adit_token_verify(text, &check, &rights));
}

/* What must not be: the same work, and a comparison that stops. */
static bool refuse_leaking(struct adit_bytes text)
{
    struct raw raw = {0};
    struct adit_token token = {0};
    uint8_t tag[ADIT_TOKEN_TAG_BYTES] = {0};
    if (!adit_is_ok(raw_read(text, &raw)) || !adit_is_ok(token_of(&raw, &token)) ||
        !adit_is_ok(chain(&raw, &check, ADIT_SPAN_OF(tag)))) {
        return true;
    }
    for (size_t i = 0; i < ADIT_TOKEN_TAG_BYTES; i++) {
        if (adit_bytes_at(raw.tag, i) != ADIT_AT(tag, i)) {
            return true;
        }
    }
    return false;
}

static uint64_t now_ns(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static size_t random_class(void)
{
    uint8_t byte[1] = {0};
    do {
        assert_ok(adit_random_fill(ADIT_SPAN_OF(byte)));
    } while (ADIT_AT(byte, 0) == UINT8_MAX); /* 255 = 3 * 85 */
    return ADIT_AT(byte, 0) % CLASSES;
}

/* Tries that were made ready before the first of them is timed. */
struct batch {
    size_t kinds[BATCH], lens[BATCH];
    uint64_t took[BATCH];
    uint8_t texts[BATCH][ADIT_TOKEN_TEXT_MAX];
};

static void batch_play(struct batch *batch, refuse_fn *how)
{
    bool is_refused = true;
    for (size_t i = 0; i < BATCH; i++) {
        struct adit_writer text = adit_writer_of(ADIT_SPAN_OF(ADIT_AT(batch->texts, i)));
        ADIT_AT(batch->kinds, i) = random_class();
        token_bend(ADIT_AT(right_bytes, ADIT_AT(batch->kinds, i)), &text);
        ADIT_AT(batch->lens, i) = text.len;
    }
    for (size_t i = 0; i < BATCH; i++) {
        struct adit_bytes text = adit_bytes_first(ADIT_BYTES_OF(ADIT_AT(batch->texts, i)),
                                                  ADIT_AT(batch->lens, i));
        uint64_t begin = now_ns();
        is_refused &= how(text);
        ADIT_AT(batch->took, i) = now_ns() - begin;
    }
    assert_true(is_refused);
}

static int order(const void *a, const void *b)
{
    const uint64_t *left = a;
    const uint64_t *right = b;
    return (*left > *right) - (*left < *right);
}

/* What most tries take at most, of all classes together. */
static uint64_t cut_of(struct batch *batch, refuse_fn *how)
{
    static uint64_t samples[SAMPLES];
    for (size_t i = 0; i < SAMPLES; i++) {
        if (i % BATCH == 0) {
            batch_play(batch, how);
        }
        ADIT_AT(samples, i) = ADIT_AT(batch->took, i % BATCH);
    }
    qsort(samples, SAMPLES, sizeof samples[0], order);
    return ADIT_AT(samples, SAMPLES * KEPT_OF_100 / 100);
}

/* The greatest t^2 of two classes. */
static double worst_of(refuse_fn *how, uint64_t tries)
{
    static struct batch batch;
    struct sums sums[CLASSES] = {0};
    uint64_t cut = cut_of(&batch, how);
    for (uint64_t i = 0; i < CLASSES * tries; i++) {
        size_t at = i % BATCH;
        if (at == 0) {
            batch_play(&batch, how);
        }
        if (ADIT_AT(batch.took, at) <= cut) {
            sums_add(&ADIT_AT(sums, ADIT_AT(batch.kinds, at)), (double)ADIT_AT(batch.took, at));
        }
    }
    double worst = 0;
    for (size_t i = 0; i < CLASSES; i++) {
        double t = t_squared(&ADIT_AT(sums, i), &ADIT_AT(sums, (i + 1) % CLASSES));
        worst = t > worst ? t : worst;
        printf("# %zu bytes right: %.2f ns, %.0f tries kept\n", ADIT_AT(right_bytes, i),
               ADIT_AT(sums, i).mean, ADIT_AT(sums, i).count);
    }
    printf("# greatest t^2: %.2f (%.2f are too much)\n", worst, T_SQUARED_MAX);
    return worst;
}

static uint64_t tries_wanted(void)
{
    uint64_t tries = TRIES_DEFAULT;
    const char *wanted = getenv("ADIT_TIMING_TRIES");
    if (wanted) {
        assert_ok(adit_parse_decimal(adit_bytes_of_text(wanted), TRIES_MAX, &tries));
    }
    return tries;
}

/* Chance and the machine show a difference now and then, but not in every round. */
static void a_refusal_tells_nothing(void **state)
{
    (void)state;
    uint64_t tries = tries_wanted();
    bool is_leaking = true;
    for (size_t i = 0; i < ROUNDS && is_leaking; i++) {
        is_leaking = worst_of(refuse, tries) >= T_SQUARED_MAX;
    }
    assert_true(!is_leaking || tries < TRIES_JUDGED);
}

static void a_comparison_that_stops_would_be_caught(void **state)
{
    (void)state;
    uint64_t tries = tries_wanted();
    bool is_leaking = true;
    for (size_t i = 0; i < ROUNDS && is_leaking; i++) {
        is_leaking = worst_of(refuse_leaking, tries) >= T_SQUARED_MAX;
    }
    assert_true(is_leaking || tries < TRIES_JUDGED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_statistic_is_welch_s),
        cmocka_unit_test(a_refusal_tells_nothing),
        cmocka_unit_test(a_comparison_that_stops_would_be_caught),
    };
    return cmocka_run_group_tests_name("wire/token_timing", tests, NULL, NULL);
}
