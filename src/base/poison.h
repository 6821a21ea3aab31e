/* Poison: names that no folder but src/base may write. A folder's prelude includes the system and
 * library headers that the folder is allowed, then this. Poison is by token, so it also refuses a
 * struct member of that name; names that are macros are undefined first. */
#ifndef ADIT_BASE_POISON_H
#define ADIT_BASE_POISON_H

#ifndef ADIT_TEST /* tests and fuzzers obey the warnings, not this list */

#undef alloca
#undef strcpy
#undef strncpy
#undef strcat
#undef strncat
#undef stpcpy
#undef sprintf
#undef snprintf
#undef vsprintf
#undef vsnprintf
#undef printf
#undef fprintf
#undef dprintf
#undef vprintf
#undef vfprintf
#undef vdprintf
#undef memcpy
#undef memmove
#undef memset
#undef mempcpy
#undef strdup
#undef strndup
#undef assert

/* Memory comes from base. */
#pragma GCC poison malloc calloc realloc reallocarray free alloca strdup strndup asprintf vasprintf
#pragma GCC poison posix_memalign aligned_alloc mmap munmap brk sbrk
/* Bytes are copied, compared and searched through base. */
#pragma GCC poison memcpy memmove memset mempcpy bcopy bzero explicit_bzero memcmp bcmp
#pragma GCC poison memchr memmem
#pragma GCC poison strcpy strncpy strcat strncat stpcpy stpncpy strlcpy strlcat
#pragma GCC poison strlen strnlen strcmp strncmp strcasecmp strncasecmp strchr strrchr strstr strtok
/* Text is built with writers and read with parsers. */
#pragma GCC poison sprintf snprintf vsprintf vsnprintf printf fprintf dprintf vprintf
#pragma GCC poison vfprintf vdprintf
#pragma GCC poison puts fputs putchar fputc gets fgets scanf fscanf sscanf perror strerror
#pragma GCC poison atoi atol atoll strtol strtoul strtoll strtoull strtod
/* Nobody dies on the way; main returns a number. */
#pragma GCC poison abort exit _exit quick_exit raise assert atexit longjmp setjmp
/* No shell, no second thread, no hidden state. */
#pragma GCC poison system popen rand srand random srandom pthread_create setenv putenv

#endif
#endif
