/* wall: escape as=src/wire/sample.c expect=pragma
 * A way round the compiler's refusals. */
#pragma GCC diagnostic ignored "-Wconversion"
