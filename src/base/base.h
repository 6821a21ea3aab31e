/* Base: everything of src/base at once. Each folder's prelude includes it before the poison. */
#ifndef ADIT_BASE_BASE_H
#define ADIT_BASE_BASE_H

#include "base/assert.h"
#include "base/bytes.h"
#include "base/checked.h"
#include "base/clock.h"
#include "base/endian.h"
#include "base/field.h"
#include "base/file.h"
#include "base/find.h"
#include "base/index.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/pool.h"
#include "base/queue.h"
#include "base/random.h"
#include "base/raw.h"
#include "base/reader.h"
#include "base/siphash.h"
#include "base/status.h"
#include "base/table.h"
#include "base/text.h"
#include "base/writer.h"

#endif
