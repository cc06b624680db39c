--- The tables of a queue, version 1.
--
-- A run is one playbook for many devices. Each device is a job. Jobs with the same tags in the same
-- wave are a lot: a worker looks for lots that it may take, not through all jobs. A row of
-- `devices` is the lock of a device, over all runs. Clients do not write to these tables; they call
-- the functions of `work.lua` and `runs.lua`, which keep the rules.

return [[
CREATE TABLE meta (
  version integer NOT NULL,
  program text NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE UNIQUE INDEX meta_one_row ON meta ((true));

CREATE TABLE archives (
  sha256 bytea PRIMARY KEY,
  content bytea NOT NULL,
  CONSTRAINT archive_is_whole CHECK (sha256 = sha256(content))
);

CREATE TABLE runs (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  mode text NOT NULL CHECK (mode IN ('run', 'check', 'plan', 'apply', 'undo')),
  playbook text NOT NULL,
  archive bytea NOT NULL REFERENCES archives,
  arguments jsonb NOT NULL,
  options jsonb NOT NULL,
  signed bytea,
  signature bytea,
  of_run bigint REFERENCES runs ON DELETE SET NULL,
  grace interval NOT NULL,
  allowed integer CHECK (allowed >= 0),
  canaries integer NOT NULL DEFAULT 0,
  program text NOT NULL,
  submitted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  submitted_by text NOT NULL DEFAULT session_user,
  submitted_from text,
  state text NOT NULL DEFAULT 'waiting'
    CHECK (state IN ('waiting', 'running', 'stopping', 'done', 'failed', 'stopped', 'cancelled')),
  reason text,
  jobs integer NOT NULL CHECK (jobs > 0),
  waves integer NOT NULL CHECK (waves > 0),
  wave integer NOT NULL DEFAULT 0,
  left_in_wave integer NOT NULL CHECK (left_in_wave >= 0),
  failures integer NOT NULL DEFAULT 0,
  aside integer NOT NULL DEFAULT 0,
  cancelled_by text,
  started_at timestamptz,
  ended_at timestamptz
);
CREATE INDEX runs_open ON runs (id) WHERE state IN ('waiting', 'running', 'stopping');

CREATE TABLE workers (
  id uuid PRIMARY KEY,
  host text NOT NULL,
  pid integer NOT NULL,
  tags text[] NOT NULL,
  capacity integer NOT NULL,
  program text NOT NULL,
  role text NOT NULL DEFAULT session_user,
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  ended_at timestamptz
);

CREATE TABLE lots (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  run bigint NOT NULL REFERENCES runs ON DELETE CASCADE,
  wave integer NOT NULL,
  tags text[] NOT NULL,
  jobs integer NOT NULL,
  UNIQUE (run, wave, tags)
);

CREATE TABLE jobs (
  run bigint NOT NULL REFERENCES runs ON DELETE CASCADE,
  position integer NOT NULL,
  lot bigint NOT NULL REFERENCES lots ON DELETE CASCADE,
  wave integer NOT NULL,
  device text NOT NULL,
  device_key text NOT NULL,
  entry jsonb NOT NULL,
  state text NOT NULL DEFAULT 'queued' CHECK (state IN
    ('queued', 'leased', 'done', 'failed', 'skipped', 'set aside', 'unreached', 'cancelled')),
  worker uuid,
  lease_until timestamptz,
  attempt integer NOT NULL DEFAULT 0,
  lost_leases integer NOT NULL DEFAULT 0,
  changed boolean,
  calls bigint,
  bytes bigint,
  duration double precision,
  result jsonb,
  error jsonb,
  reason text,
  started_at timestamptz,
  ended_at timestamptz,
  PRIMARY KEY (run, position),
  UNIQUE (run, device),
  CONSTRAINT leased_by_a_worker
    CHECK ((state = 'leased') = (worker IS NOT NULL AND lease_until IS NOT NULL))
);
CREATE INDEX jobs_queued ON jobs (lot, position) WHERE state = 'queued';
CREATE INDEX jobs_leased ON jobs (run, lease_until) WHERE state = 'leased';
CREATE INDEX jobs_of_worker ON jobs (worker) WHERE state = 'leased';

CREATE TABLE devices (
  device_key text PRIMARY KEY,
  run bigint NOT NULL,
  position integer NOT NULL,
  worker uuid NOT NULL,
  held_until timestamptz NOT NULL
);
CREATE INDEX devices_of_jobs ON devices (run, position);

CREATE TABLE attempts (
  run bigint NOT NULL,
  position integer NOT NULL,
  attempt integer NOT NULL,
  worker uuid NOT NULL,
  started_at timestamptz NOT NULL,
  ended_at timestamptz,
  outcome text,
  note text,
  PRIMARY KEY (run, position, attempt),
  FOREIGN KEY (run, position) REFERENCES jobs ON DELETE CASCADE
);

CREATE TABLE output (
  run bigint NOT NULL,
  position integer NOT NULL,
  attempt integer NOT NULL,
  n integer NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  line text NOT NULL,
  PRIMARY KEY (run, position, attempt, n),
  FOREIGN KEY (run, position) REFERENCES jobs ON DELETE CASCADE
);

CREATE TABLE records (
  run bigint NOT NULL,
  position integer NOT NULL,
  attempt integer NOT NULL,
  n integer NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  entry text NOT NULL,
  PRIMARY KEY (run, position, attempt, n),
  FOREIGN KEY (run, position) REFERENCES jobs ON DELETE CASCADE
);

CREATE TABLE plans (
  run bigint NOT NULL,
  position integer NOT NULL,
  plan text NOT NULL,
  PRIMARY KEY (run, position),
  FOREIGN KEY (run, position) REFERENCES jobs ON DELETE CASCADE
);
]]
