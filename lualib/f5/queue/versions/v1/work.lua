-- Version 1 of the queue's schema: functions for workers.
--
-- All rules that hold across workers are here: one job for each device at a time, waves, the
-- failure budget, leases, results exactly once. A function runs with the rights of the owner of the
-- schema, so a worker can change nothing but by these functions.
--
-- Order of locks, in every function: the row of a run, then jobs, then devices by their key. A
-- function that locks devices does so for one run (`take`: for one lot), or no order would be
-- enough. `take` shares the lock of the run with other takes; what counts results has it alone.
--
-- Rows are found by their keys, `= ANY (…)` or one by one. A scan of a part of an index would
-- meet all that was there: as long as somebody has a transaction open, a backup for example,
-- PostgreSQL removes nothing. So these statements do not mention the state of a job, which would
-- allow an index of jobs in this state, and order by an expression, which no index offers.

return [[
-- Stops a run: what was not started gets this state. A job whose worker was lost may have changed
-- its device: it is set aside. The caller has the lock of the run.
CREATE FUNCTION stop_run(the_run bigint, job_state text, why text) RETURNS void
LANGUAGE plpgsql @owner AS $f$
DECLARE
  aside_here integer;
BEGIN
  WITH ended AS (
    UPDATE jobs SET ended_at = clock_timestamp(),
        state = CASE WHEN lost_leases = 0 THEN job_state ELSE 'set_aside' END,
        reason = CASE WHEN lost_leases = 0 THEN why
          ELSE 'its worker was lost, then the run stopped: look at the device' END
      WHERE run = the_run AND state = 'waiting'
    RETURNING state
  )
  SELECT count(*) FILTER (WHERE state = 'set_aside') INTO aside_here FROM ended;
  UPDATE runs SET state = 'stopping', reason = why, aside = aside + aside_here,
      left_in_wave = (SELECT count(*) FROM jobs WHERE run = the_run AND state = 'running')
    WHERE id = the_run;
END $f$;

-- Opens the next wave, or ends the run, if it is time. The caller has the lock of the run.
CREATE FUNCTION settle(the_run bigint) RETURNS void
LANGUAGE plpgsql @owner AS $f$
DECLARE
  r runs;
  bad boolean;
BEGIN
  SELECT * INTO STRICT r FROM runs WHERE id = the_run;
  IF r.state = 'running' THEN
    bad := r.failures + r.aside > 0;
    IF r.failures > r.allowed THEN
      PERFORM stop_run(the_run, 'unreached',
        format('%s failed, %s allowed', r.failures, coalesce(r.options ->> 'max_failures', '0')));
    ELSIF r.left_in_wave = 0 AND r.wave = 0 AND r.canaries > 0 AND bad AND r.waves > 1 THEN
      PERFORM stop_run(the_run, 'unreached', 'a canary failed');
    ELSIF r.left_in_wave = 0 AND r.wave + 1 < r.waves THEN
      UPDATE runs SET wave = r.wave + 1, left_in_wave =
          (SELECT sum(jobs) FROM lots WHERE run = the_run AND lots.wave = r.wave + 1)
        WHERE id = the_run;
    ELSIF r.left_in_wave = 0 THEN
      UPDATE runs SET state = CASE WHEN bad THEN 'failed' ELSE 'done' END,
          ended_at = clock_timestamp() WHERE id = the_run;
    END IF;
    SELECT * INTO STRICT r FROM runs WHERE id = the_run;
  END IF;
  IF r.state = 'stopping' AND r.left_in_wave = 0 THEN
    UPDATE runs SET ended_at = clock_timestamp(),
        state = CASE WHEN cancelled_by IS NULL THEN 'stopped' ELSE 'cancelled' END
      WHERE id = the_run;
  END IF;
END $f$;

-- Raises if a worker is not that of the role that has logged in: workers with roles of their own
-- cannot act for each other.
CREATE FUNCTION check_worker(me uuid) RETURNS boolean
LANGUAGE plpgsql STABLE @owner AS $f$
BEGIN
  IF EXISTS (SELECT FROM workers WHERE id = me AND role <> session_user) THEN
    RAISE EXCEPTION 'permission denied: worker % is not one of %', me, session_user
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN true;
END $f$;

-- Which server this is: the number of the cluster, and of its timeline, which grows when a standby
-- is promoted. Some services do not tell.
CREATE FUNCTION this_server() RETURNS text
LANGUAGE plpgsql @owner AS $f$
BEGIN
  RETURN (SELECT system_identifier FROM pg_control_system()) || '/'
    || left(pg_walfile_name(pg_current_wal_lsn()), 8);
EXCEPTION WHEN OTHERS THEN
  RETURN 'unknown';
END $f$;
INSERT INTO server (identity, since) VALUES (this_server(), '-infinity');

-- Since when the queue is on this server. A standby that was promoted may lack what the primary
-- did last, such as leases.
CREATE FUNCTION here_since() RETURNS timestamptz
LANGUAGE plpgsql @owner AS $f$
DECLARE
  here text := this_server();
  answer timestamptz;
BEGIN
  SELECT since INTO answer FROM server WHERE one = 1 AND identity = here;
  IF NOT FOUND THEN
    UPDATE server SET identity = here, since = clock_timestamp()
      WHERE one = 1 AND identity <> here;
    SELECT since INTO STRICT answer FROM server WHERE one = 1;
  END IF;
  RETURN answer;
END $f$;

-- A worker says who it is, and which jobs it has: [{ run, position, attempt }, …]. Others that stand
-- in its name end now: the answer of `take` did not arrive, or the result is not known here.
CREATE FUNCTION hello(me uuid, its_host text, its_pid integer, its_tags text[],
  its_capacity integer, its_f5lua text, its_jobs jsonb) RETURNS void
LANGUAGE plpgsql @owner AS $f$
BEGIN
  PERFORM check_worker(me);
  INSERT INTO workers (id, host, pid, tags, capacity, f5lua)
    VALUES (me, its_host, its_pid, its_tags, its_capacity, its_f5lua)
  ON CONFLICT (id) DO UPDATE SET seen_at = clock_timestamp(), ended_at = NULL;
  PERFORM FROM jobs WHERE worker = me AND state = 'running' ORDER BY run, position FOR UPDATE;
  UPDATE jobs j SET lease_until = least(j.lease_until, clock_timestamp())
    WHERE j.worker = me AND j.state = 'running' AND NOT EXISTS (
      SELECT FROM jsonb_to_recordset(its_jobs) AS g (run bigint, position integer, attempt integer)
        WHERE g.run = j.run AND g.position = j.position AND g.attempt = j.attempt);
END $f$;

CREATE FUNCTION bye(me uuid) RETURNS void
LANGUAGE sql @owner AS $f$
  UPDATE workers SET ended_at = clock_timestamp() WHERE id = me AND check_worker(me);
$f$;

-- Positions of jobs of a lot that may start, at most `many`, from behind a position on.
CREATE FUNCTION free_jobs(the_lot bigint, behind integer, many integer, at timestamptz)
RETURNS integer[]
LANGUAGE sql @owner AS $f$
  SELECT ARRAY(
    SELECT j.position FROM jobs j
      WHERE j.lot = the_lot AND j.state = 'waiting' AND j.position > behind AND NOT EXISTS (
        SELECT FROM devices d WHERE d.device_key = j.device_key AND d.held_until > at)
      ORDER BY j.position LIMIT many FOR UPDATE OF j SKIP LOCKED);
$f$;

CREATE FUNCTION check_lease(lease interval) RETURNS void
LANGUAGE plpgsql @owner AS $f$
BEGIN
  IF lease > '0' AND lease <= '1 day' THEN RETURN; END IF;
  RAISE EXCEPTION 'a lease is a time of at most a day' USING ERRCODE = 'invalid_parameter_value';
END $f$;

-- Gives a worker at most `many` jobs that it may do, all of one lot, and locks their devices. It may
-- have to ask again for more. `without`: runs that it does not want; `behind`: of each lot the
-- position up to which it has taken jobs: what is behind it comes first. The lease counts from now;
-- the worker counts it from before it asked. On a new primary no job starts for the time in which a
-- request may be under way: of a worker whose lease this server does not know.
CREATE FUNCTION take(me uuid, my_tags text[], many integer, lease interval,
  without bigint[] DEFAULT '{}', behind jsonb DEFAULT '{}') RETURNS SETOF jobs
LANGUAGE plpgsql @owner AS $f$
DECLARE
  began timestamptz := clock_timestamp();
  here timestamptz := here_since();
  last integer;
  free integer[];
  l record;
BEGIN
  PERFORM check_worker(me);
  PERFORM check_lease(lease);
  UPDATE workers SET seen_at = began WHERE id = me;
  FOR l IN
    SELECT lots.id AS lot, lots.run, lots.wave, runs.state, runs.grace
      FROM runs JOIN lots ON lots.run = runs.id AND lots.wave = runs.wave
      WHERE runs.state IN ('waiting', 'running') AND lots.tags <@ my_tags
        AND lots.run <> ALL (without) AND here + runs.grace <= began
      ORDER BY lots.run, lots.id
  LOOP
    last := coalesce((behind ->> l.lot::text)::integer, 0);
    CONTINUE WHEN NOT (
      EXISTS (SELECT FROM jobs WHERE lot = l.lot AND state = 'waiting' AND position > last)
      OR EXISTS (SELECT FROM jobs WHERE lot = l.lot AND state = 'waiting' AND position <= last));
    IF l.state = 'waiting' THEN
      UPDATE runs SET state = 'running', started_at = began
        WHERE id = l.run AND state = 'waiting';
    END IF;
    PERFORM FROM runs WHERE id = l.run AND state = 'running' AND wave = l.wave FOR SHARE;
    CONTINUE WHEN NOT FOUND;
    free := free_jobs(l.lot, last, many, began);
    IF cardinality(free) = 0 AND last > 0 THEN
      free := free_jobs(l.lot, 0, many, began);
    END IF;
    CONTINUE WHEN cardinality(free) = 0;
    RETURN QUERY
      WITH locked AS (
        INSERT INTO devices AS d (device_key, run, position, worker, held_until)
          SELECT DISTINCT ON (j.device_key) j.device_key, l.run, j.position, me,
              began + lease + l.grace
            FROM jobs j WHERE j.run = l.run AND j.position = ANY (free)
            ORDER BY j.device_key, j.position
        ON CONFLICT (device_key) DO UPDATE SET run = excluded.run, position = excluded.position,
            worker = excluded.worker, held_until = excluded.held_until
          WHERE d.held_until <= began
        RETURNING d.position
      ), taken AS (
        UPDATE jobs j SET state = 'running', worker = me, lease_until = began + lease,
            attempt = j.attempt + 1, started_at = coalesce(j.started_at, began)
          FROM locked WHERE j.run = l.run AND j.position = ANY (free)
            AND j.position = locked.position
        RETURNING j.*
      ), noted AS (
        INSERT INTO attempts (run, position, attempt, worker, started_at)
          SELECT t.run, t.position, t.attempt, me, began FROM taken t
      )
      SELECT * FROM taken ORDER BY taken.position;
    EXIT;
  END LOOP;
END $f$;

-- Says how attempts of a run ended: [{ position, attempt }, …].
CREATE FUNCTION end_attempts(the_run bigint, given jsonb, how text) RETURNS void
LANGUAGE plpgsql @owner AS $f$
DECLARE
  g record;
BEGIN
  FOR g IN SELECT * FROM jsonb_to_recordset(given) AS r (position integer, attempt integer) LOOP
    UPDATE attempts SET ended_at = clock_timestamp(), outcome = how
      WHERE run = the_run AND position = g.position AND attempt = g.attempt;
  END LOOP;
END $f$;

-- Locks jobs of a run, [{ position, attempt }, …]. Returns the positions of those that the worker
-- has.
CREATE FUNCTION lock_jobs(me uuid, the_run bigint, given jsonb) RETURNS integer[]
LANGUAGE plpgsql @owner AS $f$
DECLARE
  positions integer[] :=
    ARRAY(SELECT (x ->> 'position')::integer FROM jsonb_array_elements(given) x);
BEGIN
  RETURN ARRAY(
    WITH found AS MATERIALIZED (
      SELECT position, attempt, state, worker FROM jobs
        WHERE run = the_run AND position = ANY (positions) ORDER BY position + 0 FOR UPDATE
    )
    SELECT f.position FROM found f
      JOIN jsonb_to_recordset(given) AS g (position integer, attempt integer)
        ON g.position = f.position AND g.attempt = f.attempt
      WHERE f.state = 'running' AND f.worker = me);
END $f$;

-- Locks the devices of jobs, and returns their keys.
CREATE FUNCTION lock_devices(the_run bigint, positions integer[]) RETURNS text[]
LANGUAGE plpgsql @owner AS $f$
DECLARE
  keys text[] :=
    ARRAY(SELECT device_key FROM jobs WHERE run = the_run AND position = ANY (positions));
BEGIN
  PERFORM FROM devices WHERE device_key = ANY (keys) ORDER BY device_key || '' FOR UPDATE;
  RETURN keys;
END $f$;

-- Makes the leases of these jobs longer, [{ run, position, attempt }, …], and returns those that the
-- worker still has. What it does not name, it does not know, and nobody waits for its result.
CREATE FUNCTION renew(me uuid, lease interval, given jsonb)
RETURNS TABLE (held_run bigint, held_position integer, held_attempt integer, is_stopping boolean)
LANGUAGE plpgsql @owner AS $f$
DECLARE
  began timestamptz := clock_timestamp();
  r record;
  held integer[];
  keys text[] := '{}';
BEGIN
  PERFORM check_worker(me);
  PERFORM check_lease(lease);
  UPDATE workers SET seen_at = began WHERE id = me;
  FOR r IN
    SELECT runs.id, runs.state, g.jobs FROM runs JOIN (
        SELECT (x ->> 'run')::bigint AS run, jsonb_agg(x) AS jobs
          FROM jsonb_array_elements(given) x GROUP BY 1
      ) g ON g.run = runs.id ORDER BY runs.id
  LOOP
    held := lock_jobs(me, r.id, r.jobs);
    FOR held_run, held_position, held_attempt, is_stopping IN
      UPDATE jobs SET lease_until = began + lease
        WHERE run = r.id AND position = ANY (held) AND lease_until > began
      RETURNING run, position, attempt, r.state = 'stopping'
    LOOP
      RETURN NEXT;
    END LOOP;
    keys := keys || ARRAY(SELECT device_key FROM jobs
      WHERE run = r.id AND position = ANY (held) AND lease_until = began + lease);
  END LOOP;
  PERFORM FROM devices WHERE device_key = ANY (keys) ORDER BY device_key || '' FOR UPDATE;
  UPDATE devices d
    SET held_until = began + lease + (SELECT grace FROM runs WHERE runs.id = d.run)
    WHERE d.device_key = ANY (keys) AND d.worker = me;
END $f$;

-- Stores results of a run: [{ position, attempt, state, changed, calls, bytes, duration, result,
-- error, reason }, …]. Returns the positions that counted, now or when this was asked before: a job
-- that was given to another worker since keeps the result of that one.
CREATE FUNCTION finish(me uuid, the_run bigint, results jsonb) RETURNS SETOF integer
LANGUAGE plpgsql @owner AS $f$
DECLARE
  mine integer[];
  counted integer[];
  keys text[];
  bad integer;
  one record;
BEGIN
  PERFORM check_worker(me);
  PERFORM FROM runs WHERE id = the_run FOR NO KEY UPDATE;
  mine := lock_jobs(me, the_run, results);
  keys := lock_devices(the_run, mine);
  WITH given AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(results) AS g (position integer, attempt integer,
      state text, changed boolean, calls bigint, bytes bigint, duration double precision,
      result jsonb, error jsonb, reason text)
  ), ended AS (
    UPDATE jobs j SET state = g.state, worker = NULL, lease_until = NULL, changed = g.changed,
        calls = g.calls, bytes = g.bytes, duration = g.duration, result = g.result,
        error = g.error, reason = g.reason, ended_at = clock_timestamp()
      FROM given g
      WHERE j.run = the_run AND j.position = ANY (mine) AND j.position = g.position
        AND j.attempt = g.attempt AND g.state IN ('done', 'failed', 'skipped')
    RETURNING j.position, j.attempt, j.state
  )
  SELECT array_agg(e.position), count(*) FILTER (WHERE e.state = 'failed')
    INTO counted, bad FROM ended e;
  IF counted IS NOT NULL THEN
    DELETE FROM devices d WHERE d.device_key = ANY (keys) AND d.run = the_run
      AND d.position = ANY (counted) AND d.worker = me;
    UPDATE runs SET left_in_wave = left_in_wave - cardinality(counted), failures = failures + bad
      WHERE id = the_run;
    PERFORM settle(the_run);
  END IF;
  FOR one IN
    SELECT r.position, r.attempt, r.state, r.position = ANY (counted) AS is_new
      FROM jsonb_to_recordset(results) AS r (position integer, attempt integer, state text)
  LOOP
    UPDATE attempts SET ended_at = clock_timestamp(), outcome = one.state
      WHERE run = the_run AND position = one.position AND attempt = one.attempt AND one.is_new;
    IF EXISTS (SELECT FROM attempts WHERE run = the_run AND position = one.position
        AND attempt = one.attempt AND worker = me AND outcome IN ('done', 'failed', 'skipped')) THEN
      RETURN NEXT one.position;
    END IF;
  END LOOP;
END $f$;

-- Gives jobs of a run back that were not begun: [{ position, attempt }, …]. Returns how many.
CREATE FUNCTION hand_back(me uuid, the_run bigint, given jsonb) RETURNS integer
LANGUAGE plpgsql @owner AS $f$
DECLARE
  r runs;
  mine integer[];
  keys text[];
BEGIN
  PERFORM check_worker(me);
  SELECT * INTO r FROM runs WHERE id = the_run FOR NO KEY UPDATE;
  mine := lock_jobs(me, the_run, given);
  IF cardinality(mine) = 0 THEN RETURN 0; END IF;
  keys := lock_devices(the_run, mine);
  WITH returned AS (
    UPDATE jobs SET worker = NULL, lease_until = NULL, state = 'waiting'
      WHERE run = the_run AND position = ANY (mine)
    RETURNING position, attempt
  )
  SELECT jsonb_agg(to_jsonb(returned)) INTO given FROM returned;
  PERFORM end_attempts(the_run, given, 'handed back');
  DELETE FROM devices d WHERE d.device_key = ANY (keys) AND d.run = the_run
    AND d.position = ANY (mine) AND d.worker = me;
  -- A run that stops meanwhile starts nothing any more.
  IF r.state = 'stopping' THEN
    PERFORM stop_run(the_run,
      CASE WHEN r.cancelled_by IS NULL THEN 'unreached' ELSE 'cancelled' END, r.reason);
    PERFORM settle(the_run);
  END IF;
  PERFORM pg_notify(current_schema()::text, 'work');
  RETURN cardinality(mine);
END $f$;

-- Takes jobs of dead workers back, those of one run: their lease ended, and after it the time that
-- a request may still have been under way. The third lost lease sets a job aside. Returns how many
-- leases were lost; ask again until there are none.
CREATE FUNCTION reap() RETURNS integer
LANGUAGE plpgsql @owner AS $f$
DECLARE
  r record;
  lost integer[];
  keys text[];
  aside_here integer;
BEGIN
  FOR r IN
    SELECT DISTINCT runs.id FROM jobs j JOIN runs ON runs.id = j.run
      WHERE j.state = 'running' AND j.lease_until + runs.grace < clock_timestamp() ORDER BY 1
  LOOP
    PERFORM FROM runs WHERE id = r.id FOR NO KEY UPDATE SKIP LOCKED;
    CONTINUE WHEN NOT FOUND; -- another worker is there
    lost := ARRAY(
      SELECT j.position FROM jobs j JOIN runs ON runs.id = j.run
        WHERE j.run = r.id AND j.state = 'running'
          AND j.lease_until + runs.grace < clock_timestamp()
        ORDER BY j.position FOR UPDATE OF j);
    CONTINUE WHEN cardinality(lost) = 0;
    keys := lock_devices(r.id, lost);
    DELETE FROM devices WHERE device_key = ANY (keys) AND run = r.id AND position = ANY (lost);
    PERFORM end_attempts(r.id, (
      SELECT jsonb_agg(jsonb_build_object('position', position, 'attempt', attempt)) FROM jobs
        WHERE run = r.id AND position = ANY (lost)), 'lease lost');
    WITH changed AS (
      UPDATE jobs j SET worker = NULL, lease_until = NULL, lost_leases = j.lost_leases + 1,
          state = CASE WHEN runs.state = 'running' AND j.lost_leases < 2
            THEN 'waiting' ELSE 'set_aside' END,
          reason = CASE WHEN runs.state <> 'running'
              THEN 'its worker was lost, then the run stopped: look at the device'
            WHEN j.lost_leases >= 2
              THEN 'three workers were lost with it: look at the device and the playbook' END,
          ended_at = CASE WHEN runs.state = 'running' AND j.lost_leases < 2
            THEN NULL ELSE clock_timestamp() END
        FROM runs WHERE runs.id = r.id AND j.run = r.id AND j.position = ANY (lost)
      RETURNING j.state
    )
    SELECT count(*) FILTER (WHERE c.state = 'set_aside') INTO aside_here FROM changed c;
    IF aside_here > 0 THEN
      UPDATE runs SET left_in_wave = left_in_wave - aside_here, aside = aside + aside_here
        WHERE id = r.id;
      PERFORM settle(r.id);
    END IF;
    PERFORM pg_notify(current_schema()::text, 'work');
    RETURN cardinality(lost);
  END LOOP;
  RETURN 0;
END $f$;

-- Whether a worker still has the lease of a job.
CREATE FUNCTION holds(me uuid, the_run bigint, the_position integer, the_attempt integer)
RETURNS boolean
LANGUAGE sql STABLE @owner AS $f$
  SELECT coalesce((SELECT attempt = the_attempt AND worker = me AND state = 'running'
      AND lease_until > clock_timestamp()
    FROM jobs WHERE run = the_run AND position = the_position), false);
$f$;

-- Keeps lines that a job printed: from the n-th on.
CREATE FUNCTION say(me uuid, the_run bigint, the_position integer, the_attempt integer,
  first integer, lines text[]) RETURNS void
LANGUAGE sql @owner AS $f$
  INSERT INTO output (run, position, attempt, n, line)
    SELECT the_run, the_position, the_attempt, first + o - 1, l
      FROM unnest(lines) WITH ORDINALITY AS u (l, o)
      WHERE check_worker(me) AND EXISTS (SELECT FROM attempts WHERE run = the_run
        AND position = the_position AND attempt = the_attempt AND worker = me)
  ON CONFLICT DO NOTHING;
$f$;

-- Keeps lines of change records: [{ run, position, attempt, first, lines }, …]; first: the number of
-- the first line. One answer for each, in their order: whether the worker still has the lease. If
-- not, nothing may be written to the device; the lines are stored anyway.
CREATE FUNCTION add_records(me uuid, given jsonb) RETURNS SETOF boolean
LANGUAGE sql @owner AS $f$
  WITH entries AS MATERIALIZED (
    SELECT o, (x ->> 'run')::bigint AS run, (x ->> 'position')::integer AS position,
        (x ->> 'attempt')::integer AS attempt, (x ->> 'first')::integer AS first,
        x -> 'lines' AS lines
      FROM jsonb_array_elements(given) WITH ORDINALITY AS u (x, o)
  ), stored AS (
    INSERT INTO change_records (run, position, attempt, n, line)
      SELECT e.run, e.position, e.attempt, e.first + l.n - 1, l.line
        FROM entries e
        JOIN attempts a ON a.run = e.run AND a.position = e.position AND a.attempt = e.attempt
          AND a.worker = me AND check_worker(me),
        jsonb_array_elements_text(e.lines) WITH ORDINALITY AS l (line, n)
    ON CONFLICT DO NOTHING
  )
  SELECT holds(me, e.run, e.position, e.attempt) FROM entries e ORDER BY e.o;
$f$;

CREATE FUNCTION save_plan(me uuid, the_run bigint, the_position integer, the_attempt integer,
  the_plan text) RETURNS boolean
LANGUAGE plpgsql @owner AS $f$
BEGIN
  PERFORM check_worker(me);
  IF NOT holds(me, the_run, the_position, the_attempt) THEN RETURN false; END IF;
  INSERT INTO plans (run, position, plan) VALUES (the_run, the_position, the_plan)
  ON CONFLICT (run, position) DO UPDATE SET plan = excluded.plan;
  RETURN true;
END $f$;

-- A worker that lost a lease says how far it came.
CREATE FUNCTION note_attempt(me uuid, the_run bigint, the_position integer, the_attempt integer,
  the_note text) RETURNS void
LANGUAGE sql @owner AS $f$
  UPDATE attempts SET note = the_note WHERE run = the_run AND position = the_position
    AND attempt = the_attempt AND worker = me AND check_worker(me);
$f$;
]]
