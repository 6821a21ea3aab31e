/* What src/store may use: base and SQLite. */
#include <errno.h>

#include <sqlite3.h>

#include "base/base.h"

#include "base/poison.h"
