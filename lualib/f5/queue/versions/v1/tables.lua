-- Version 1 of the queue's schema: its tables. The search path is the queue's schema; times are
-- those of the database.
--
-- A run is one playbook for many devices. Each device is a job. Jobs with the same tags in the same
-- wave are a lot: a worker looks for lots that it may take, not through all jobs. A row of
-- `devices` is the lock of a device, over all runs. Clients do not write to these tables; they call
-- the functions of `work.lua` and `runs.lua`, which keep the rules.

return [[
CREATE TABLE archives (
  sha256 text PRIMARY KEY,
  contents bytea NOT NULL,
  stored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT archive_is_whole CHECK (sha256 = encode(sha256(contents), 'hex'))
);
COMMENT ON TABLE archives IS 'playbooks with their modules, in the format of f5lua build';

CREATE TABLE runs (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('run', 'check', 'apply', 'undo')),
  playbook text NOT NULL,
  archive text NOT NULL REFERENCES archives,
  manifest text NOT NULL,
  signature bytea CHECK (length(signature) = 64),
  arguments jsonb NOT NULL CHECK (jsonb_typeof(arguments) = 'array'),
  options jsonb NOT NULL CHECK (jsonb_typeof(options) = 'object'),
  undo_of bigint REFERENCES runs ON DELETE SET NULL,
  retry_of bigint REFERENCES runs ON DELETE SET NULL,
  grace interval NOT NULL,
  allowed integer CHECK (allowed >= 0),
  canaries integer NOT NULL DEFAULT 0,
  f5lua text NOT NULL,
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
  failures integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
  aside integer NOT NULL DEFAULT 0,
  cancelled_by text,
  started_at timestamptz,
  ended_at timestamptz,
  CONSTRAINT ended_with_a_time
    CHECK ((state IN ('waiting', 'running', 'stopping')) = (ended_at IS NULL)),
  CONSTRAINT stopped_with_a_reason
    CHECK (state NOT IN ('stopping', 'stopped', 'cancelled') OR reason IS NOT NULL)
);
COMMENT ON COLUMN runs.manifest IS
  'JSON: archive, devices with references to passwords, arguments and options; what is signed';
COMMENT ON COLUMN runs.grace IS
  'after a lease that ended: as long as this, a request of its worker may be under way';
COMMENT ON COLUMN runs.allowed IS 'failures; NULL: any number';
COMMENT ON COLUMN runs.wave IS 'of its jobs, those that may be taken now';
CREATE INDEX runs_open ON runs (id) WHERE state IN ('waiting', 'running', 'stopping');

CREATE TABLE workers (
  id uuid PRIMARY KEY,
  host text NOT NULL,
  pid integer NOT NULL,
  tags text[] NOT NULL,
  capacity integer NOT NULL,
  f5lua text NOT NULL,
  role text NOT NULL DEFAULT session_user,
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  ended_at timestamptz
);

CREATE TABLE server (
  one integer PRIMARY KEY DEFAULT 1 CHECK (one = 1),
  identity text NOT NULL,
  since timestamptz NOT NULL
);
COMMENT ON TABLE server IS 'where this queue is: one row';

CREATE TABLE lots (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  run bigint NOT NULL REFERENCES runs ON DELETE CASCADE,
  wave integer NOT NULL,
  tags text[] NOT NULL CHECK (array_position(tags, NULL) IS NULL),
  jobs integer NOT NULL,
  UNIQUE (run, wave, tags),
  UNIQUE (run, id)
);

CREATE TABLE jobs (
  run bigint NOT NULL REFERENCES runs ON DELETE CASCADE,
  position integer NOT NULL,
  lot bigint NOT NULL,
  wave integer NOT NULL,
  device text NOT NULL,
  device_key text NOT NULL CHECK (device_key = lower(device_key) AND device_key ~ '.:[0-9]+$'),
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN
    ('waiting', 'running', 'done', 'failed', 'skipped', 'set_aside', 'unreached', 'cancelled')),
  worker uuid,
  lease_until timestamptz,
  attempt integer NOT NULL DEFAULT 0,
  lost_leases integer NOT NULL DEFAULT 0 CHECK (lost_leases BETWEEN 0 AND attempt),
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
  FOREIGN KEY (run, lot) REFERENCES lots (run, id) ON DELETE CASCADE,
  UNIQUE (run, device),
  CONSTRAINT running_on_a_worker
    CHECK ((state = 'running') = (worker IS NOT NULL AND lease_until IS NOT NULL)),
  CONSTRAINT ended_with_a_time CHECK ((state IN ('waiting', 'running')) = (ended_at IS NULL)),
  CONSTRAINT failed_with_an_error CHECK (state <> 'failed' OR error IS NOT NULL),
  CONSTRAINT not_done_with_a_reason CHECK
    (state NOT IN ('skipped', 'unreached', 'set_aside', 'cancelled') OR reason IS NOT NULL)
);
COMMENT ON COLUMN jobs.position IS 'of the device in the list of the manifest';
CREATE INDEX jobs_waiting ON jobs (lot, position) WHERE state = 'waiting';
CREATE INDEX jobs_running ON jobs (run, lease_until) WHERE state = 'running';

CREATE TABLE devices (
  device_key text PRIMARY KEY,
  run bigint NOT NULL,
  position integer NOT NULL,
  worker uuid NOT NULL,
  held_until timestamptz NOT NULL
);

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

CREATE TABLE change_records (
  run bigint NOT NULL,
  position integer NOT NULL,
  attempt integer NOT NULL,
  n integer NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  line text NOT NULL,
  PRIMARY KEY (run, position, attempt, n),
  FOREIGN KEY (run, position) REFERENCES jobs ON DELETE CASCADE
);

COMMENT ON TABLE change_records IS
  'each line is here before the write that it describes is sent; secrets are encrypted';

CREATE TABLE plans (
  run bigint NOT NULL,
  position integer NOT NULL,
  plan text NOT NULL,
  PRIMARY KEY (run, position),
  FOREIGN KEY (run, position) REFERENCES jobs ON DELETE CASCADE
);

-- Workers look for work, and watchers look at the run.
CREATE FUNCTION tell_run() RETURNS trigger LANGUAGE plpgsql @owner AS $f$
BEGIN
  PERFORM pg_notify(tg_table_schema, new.id::text);
  RETURN NULL;
END $f$;
CREATE TRIGGER runs_new AFTER INSERT ON runs FOR EACH ROW EXECUTE FUNCTION tell_run();
CREATE TRIGGER runs_changed AFTER UPDATE ON runs FOR EACH ROW
  WHEN (old.state IS DISTINCT FROM new.state OR old.wave IS DISTINCT FROM new.wave)
  EXECUTE FUNCTION tell_run();
]]
