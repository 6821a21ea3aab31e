/* src/base is the one folder without poison: it wraps what the others may not name. */
