/* wall: escape as=src/wire/sample.c expect=macro
 * A way round the compiler's refusals. */
#undef ADIT_ASSERT
