/* Token layout: the fixed-size record and blocks inside a token, as bytes. For token.c alone.
 *
 *   record, 160 bytes: version u8 = 1 | kind u8 | allows u8 | zero u8 | key id u32 | id 16 |
 *     parent 16 | account 32 | names 64 | not before u64 | expiry u64 | bandwidth u32 |
 *     tunnels u16 | zero u16
 *   block, 90 bytes: version u8 = 1 | allows u8 | tunnels u16 | bandwidth u32 | names 64 |
 *     not before u64 | expiry u64 | zero u16
 *
 * Big-endian. One value has one form: texts are padded with zeros, reserved bytes are zero. */
#ifndef ADIT_WIRE_TOKEN_LAYOUT_H
#define ADIT_WIRE_TOKEN_LAYOUT_H

#include "base/reader.h"
#include "wire/token.h"

/* INVALID unless `bytes` are exactly a record, or a block. */
struct adit_status adit_token_record_read(struct adit_bytes bytes,
                                          struct adit_token_record *out_record);
struct adit_status adit_token_block_read(struct adit_bytes bytes,
                                         struct adit_token_block *out_block);

/* INVALID for what the reader would refuse; LIMIT without room. After a failure the writer holds
 * part of it, and is of no further use. */
struct adit_status adit_token_record_write(struct adit_writer *writer,
                                           const struct adit_token_record *record);
struct adit_status adit_token_block_write(struct adit_writer *writer,
                                          const struct adit_token_block *block);

#endif
