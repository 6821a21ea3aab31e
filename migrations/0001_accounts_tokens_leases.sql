-- Accounts, their tokens, and the names that are held for them. Times are Unix seconds.
-- A statement ends with a semicolon at the end of a line, and nowhere else.

CREATE TABLE accounts (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 32),
  created_s INTEGER NOT NULL
) STRICT;

-- Never a token: its id, and a hash of its text. expires_s null: never. revoked_s null: it is not.
CREATE TABLE tokens (
  number INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
  parent BLOB CHECK (length(parent) = 16),
  hash BLOB NOT NULL CHECK (length(hash) = 32),
  account INTEGER NOT NULL REFERENCES accounts (id),
  kind INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 4),
  allows INTEGER NOT NULL CHECK (allows BETWEEN 0 AND 255),
  names TEXT NOT NULL CHECK (length(names) BETWEEN 1 AND 64),
  created_s INTEGER NOT NULL,
  expires_s INTEGER,
  revoked_s INTEGER
) STRICT;

CREATE INDEX tokens_account ON tokens (account);

-- Also a second copy of what must not be lost: the check at each start compares the two.
CREATE INDEX tokens_revoked ON tokens (revoked_s, expires_s, id) WHERE revoked_s IS NOT NULL;

-- until_s null: in use.
CREATE TABLE leases (
  name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 63),
  account INTEGER NOT NULL REFERENCES accounts (id),
  first_s INTEGER NOT NULL,
  until_s INTEGER
) STRICT;

CREATE INDEX leases_account ON leases (account);
CREATE INDEX leases_until ON leases (until_s, name, account);

-- The version of the last snapshot.
CREATE TABLE versions (
  name TEXT NOT NULL UNIQUE,
  value INTEGER NOT NULL
) STRICT;

INSERT INTO versions (name, value) VALUES ('snapshot', 0);
