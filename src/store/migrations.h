/* Migrations: the numbered texts of migrations/, embedded by the build. Constant. */
#ifndef ADIT_STORE_MIGRATIONS_H
#define ADIT_STORE_MIGRATIONS_H

#include "base/bytes.h"

extern const struct adit_bytes adit_migration_0001;

#endif
