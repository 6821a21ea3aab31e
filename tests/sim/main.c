/* sim: the deterministic simulator of the mux. Two sessions, virtual time, one seed a world.
 *
 *     sim [--seeds A-B] [--long]    worlds of these seeds, hostile ones too, then the scenes
 *     sim --seed N [--verbose]      one world, with its story
 *     sim --only worlds|hostile|scenes
 *
 * Prints `ok ...` and `not ok ...` lines, and the command that repeats a failure. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "brink.h"
#include "hostile.h"
#include "scenes.h"
#include "world.h"

struct sim_arguments {
    uint64_t first, last;
    bool is_long, is_verbose;
    const char *only;
};

struct sim_totals {
    uint64_t bytes, resets, refused, opened, virtual_us;
};

static bool sim_world_try(const struct sim_options *options, struct sim_world *world,
                          struct sim_totals *totals)
{
    struct adit_status status = sim_world_init(world, options);
    if (adit_is_ok(status)) {
        sim_plan_draw(world, options->is_long);
        sim_tell(world, "%s: %u streams, rtt %.3f ms, %llu B/s", world->plan.style,
                 world->plan.stream_count, (double)world->plan.rtt_us / 1e3,
                 (unsigned long long)world->plan.link[0].bytes_per_second);
        status = sim_world_begin(world);
    }
    if (!adit_is_ok(status)) {
        sim_fail(world, "start: %s", adit_status_what(status));
    } else {
        sim_world_run(world, SIM_NEVER);
        if (!world->has_failed) {
            totals->virtual_us += world->now_us - world->start_us;
            sim_world_finish(world);
        }
    }
    sim_world_deinit(world);
    totals->bytes += world->bytes_total;
    totals->resets += world->resets_total;
    totals->refused += world->refused_total;
    totals->opened += world->opened_total;
    return !world->has_failed;
}

static unsigned sim_worlds(const struct sim_arguments *arguments, const struct sim_pattern *pattern,
                           struct sim_world *world)
{
    struct sim_totals totals = {0};
    unsigned failures = 0;
    for (uint64_t seed = arguments->first; seed <= arguments->last && failures < 10; seed++) {
        struct sim_options options = {.seed = seed, .is_long = arguments->is_long,
                                      .is_verbose = arguments->is_verbose, .pattern = pattern};
        if (!sim_world_try(&options, world, &totals)) {
            failures++;
            printf("not ok sim seed %llu: %s: %s\n", (unsigned long long)seed, world->plan.style,
                   world->reason);
            printf("# again: sim --only worlds --seed %llu%s --verbose\n", (unsigned long long)seed,
                   arguments->is_long ? " --long" : "");
        }
    }
    if (failures == 0) {
        printf("ok sim seeds %llu-%llu # %llu streams, %.1f MiB checked, %llu given up, %llu"
               " refused, %.0f virtual s\n", (unsigned long long)arguments->first,
               (unsigned long long)arguments->last, (unsigned long long)totals.opened,
               (double)totals.bytes / 1048576, (unsigned long long)totals.resets,
               (unsigned long long)totals.refused, (double)totals.virtual_us / 1e6);
    }
    return failures;
}

static unsigned sim_foes(const struct sim_arguments *arguments)
{
    struct sim_hostile_totals totals = {0};
    unsigned failures = 0;
    for (uint64_t seed = arguments->first; seed <= arguments->last && failures < 10; seed++) {
        failures += sim_hostile_run(seed, arguments->is_verbose, &totals) ? 0 : 1;
        failures += sim_brink_run(seed) ? 0 : 1;
    }
    if (failures == 0) {
        printf("ok sim hostile seeds %llu-%llu # %llu frames, %llu streams, %llu of %llu peers"
               " given up\n", (unsigned long long)arguments->first,
               (unsigned long long)arguments->last, (unsigned long long)totals.frames,
               (unsigned long long)totals.streams, (unsigned long long)totals.given_up,
               (unsigned long long)totals.worlds);
    }
    return failures;
}

static bool sim_number(struct adit_bytes text, uint64_t *out_value)
{
    return adit_is_ok(adit_parse_decimal(text, UINT64_MAX - 1, out_value));
}

static bool sim_option(struct sim_arguments *arguments, const char *name, const char *value,
                       bool *out_used_value)
{
    *out_used_value = false;
    if (strcmp(name, "--long") == 0) {
        arguments->is_long = true;
        return true;
    }
    if (strcmp(name, "--verbose") == 0) {
        arguments->is_verbose = true;
        return true;
    }
    if (!value) {
        return false;
    }
    *out_used_value = true;
    struct adit_bytes text = adit_bytes_of_text(value);
    if (strcmp(name, "--only") == 0) {
        arguments->only = value;
        return strcmp(value, "worlds") == 0 || strcmp(value, "hostile") == 0 ||
               strcmp(value, "scenes") == 0;
    }
    if (strcmp(name, "--seed") == 0) {
        bool is_number = sim_number(text, &arguments->first);
        arguments->last = arguments->first;
        return is_number;
    }
    size_t dash = adit_bytes_find(text, '-');
    return strcmp(name, "--seeds") == 0 &&
           sim_number(adit_bytes_first(text, dash), &arguments->first) &&
           sim_number(adit_bytes_from(text, dash + 1), &arguments->last) &&
           arguments->first <= arguments->last;
}

static bool sim_arguments_read(int argc, char **argv, struct sim_arguments *out_arguments)
{
    struct sim_arguments arguments = {.first = 1, .last = 1000, .only = ""};
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? ADIT_SLOT(argv, (size_t)argc, i + 1) : NULL;
        bool has_used_value = false;
        if (!sim_option(&arguments, ADIT_SLOT(argv, (size_t)argc, i), value, &has_used_value)) {
            return false;
        }
        i += has_used_value ? 1 : 0;
    }
    *out_arguments = arguments;
    return true;
}

int main(int argc, char **argv)
{
    struct sim_arguments arguments = {0};
    if (!sim_arguments_read(argc, argv, &arguments)) {
        fprintf(stderr, "usage: sim [--seeds A-B | --seed N] [--long] [--verbose]"
                        " [--only worlds|hostile|scenes]\n");
        return 2;
    }
    struct sim_pattern pattern = {0};
    struct sim_world *world = calloc(1, sizeof *world);
    if (!world || !adit_is_ok(sim_pattern_init(&pattern))) {
        fprintf(stderr, "sim: no memory\n");
        return 2;
    }
    bool is_all = strcmp(arguments.only, "") == 0;
    unsigned failures = 0;
    if (is_all || strcmp(arguments.only, "worlds") == 0) {
        failures += sim_worlds(&arguments, &pattern, world);
    }
    if (is_all || strcmp(arguments.only, "hostile") == 0) {
        failures += sim_foes(&arguments);
    }
    if (is_all || strcmp(arguments.only, "scenes") == 0) {
        failures += sim_scenes_run(world, &(struct sim_options){.is_long = arguments.is_long,
                                       .is_verbose = arguments.is_verbose, .pattern = &pattern});
    }
    sim_pattern_deinit(&pattern);
    free(world);
    return failures == 0 ? 0 : 1;
}
