/* Scenes: worlds built by hand to show one property each, with numbers. */
#ifndef ADIT_TESTS_SIM_SCENES_H
#define ADIT_TESTS_SIM_SCENES_H

#include "world.h"

/* Plays all of them; prints a line each; returns how many failed. */
unsigned sim_scenes_run(struct sim_world *world, const struct sim_options *options);

#endif
