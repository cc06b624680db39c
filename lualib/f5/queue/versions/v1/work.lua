-- Version 1 of the queue's schema: functions for workers.
--
-- All rules that hold across workers are here: one job for each device at a time, waves, the
-- failure budget, leases, results exactly once. A function runs with the rights of the owner of the
-- schema, so a worker can change nothing but by these functions.
--
-- Order of locks, in every function: the row of a run, then jobs, then devices by their key. A
-- function that locks devices does so for one run (`take`: for one lot), or no order would be
-- enough. `take` shares the lock of the run with other takes; what counts results has it alone.

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

-- Gives a worker at most `many` jobs that it may do, all of one lot, and locks their devices. It may
-- have to ask again for more. `without`: runs that it does not want. The lease counts from now; the
-- worker counts it from before it asked. On a new primary no job starts for the time in which a
-- request may be under way: of a worker whose lease this server does not know.
CREATE FUNCTION take(me uuid, my_tags text[], many integer, lease interval,
  without bigint[] DEFAULT '{}') RETURNS SETOF jobs
LANGUAGE plpgsql @owner AS $f$
DECLARE
  began timestamptz := clock_timestamp();
  here timestamptz := here_since();
  free integer[];
  l record;
BEGIN
  PERFORM check_worker(me);
  UPDATE workers SET seen_at = began WHERE id = me;
  FOR l IN
    SELECT lots.id AS lot, lots.run, lots.wave, runs.state, runs.grace
      FROM runs JOIN lots ON lots.run = runs.id AND lots.wave = runs.wave
      WHERE runs.state IN ('waiting', 'running') AND lots.tags <@ my_tags
        AND lots.run <> ALL (without) AND here + runs.grace <= began
      ORDER BY lots.run, lots.id
  LOOP
    CONTINUE WHEN NOT EXISTS (SELECT FROM jobs WHERE lot = l.lot AND state = 'waiting');
    IF l.state = 'waiting' THEN
      UPDATE runs SET state = 'running', started_at = began
        WHERE id = l.run AND state = 'waiting';
    END IF;
    PERFORM FROM runs WHERE id = l.run AND state = 'running' AND wave = l.wave FOR SHARE;
    CONTINUE WHEN NOT FOUND;
    free := ARRAY(
      SELECT j.position FROM jobs j
        WHERE j.lot = l.lot AND j.state = 'waiting' AND NOT EXISTS (
          SELECT FROM devices d WHERE d.device_key = j.device_key AND d.held_until > began)
        ORDER BY j.position LIMIT many FOR UPDATE OF j SKIP LOCKED);
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
          FROM locked WHERE j.run = l.run AND j.position = locked.position
        RETURNING j.*
      ), noted AS (
        INSERT INTO attempts (run, position, attempt, worker, started_at)
          SELECT t.run, t.position, t.attempt, me, began FROM taken t
      )
      SELECT * FROM taken ORDER BY taken.position;
    EXIT;
  END LOOP;
END $f$;

-- Makes the leases of these jobs longer, [{ run, position, attempt }, …], and returns those that the
-- worker still has. What it does not name, it does not know, and nobody waits for its result.
CREATE FUNCTION renew(me uuid, lease interval, given jsonb)
RETURNS TABLE (held_run bigint, held_position integer, held_attempt integer, is_stopping boolean)
LANGUAGE plpgsql @owner AS $f$
DECLARE
  began timestamptz := clock_timestamp();
BEGIN
  PERFORM check_worker(me);
  UPDATE workers SET seen_at = began WHERE id = me;
  PERFORM FROM jobs WHERE worker = me AND state = 'running' ORDER BY run, position FOR UPDATE;
  PERFORM FROM devices WHERE device_key IN
      (SELECT device_key FROM jobs WHERE worker = me AND state = 'running')
    ORDER BY device_key FOR UPDATE;
  RETURN QUERY
    WITH named AS MATERIALIZED (
      SELECT * FROM jsonb_to_recordset(given) AS g (run bigint, position integer, attempt integer)
    ), kept AS (
      UPDATE jobs j SET lease_until = began + lease FROM named n
        WHERE j.run = n.run AND j.position = n.position AND j.attempt = n.attempt
          AND j.worker = me AND j.state = 'running' AND j.lease_until > began
      RETURNING j.run, j.position, j.attempt, j.device_key
    ), longer AS (
      UPDATE devices d SET held_until = began + lease + runs.grace
        FROM kept JOIN runs ON runs.id = kept.run
        WHERE d.device_key = kept.device_key AND d.run = kept.run AND d.position = kept.position
    )
    SELECT kept.run, kept.position, kept.attempt, runs.state = 'stopping'
      FROM kept JOIN runs ON runs.id = kept.run;
END $f$;

-- Locks the devices of jobs that a worker has. The caller has the lock of the run.
CREATE FUNCTION lock_devices(me uuid, the_run bigint, positions integer[]) RETURNS void
LANGUAGE sql @owner AS $f$
  SELECT FROM jobs WHERE run = the_run AND position = ANY (positions) AND worker = me
    ORDER BY position FOR UPDATE;
  SELECT FROM devices WHERE run = the_run AND position = ANY (positions)
    ORDER BY device_key FOR UPDATE;
$f$;

-- Stores results of a run: [{ position, attempt, state, changed, calls, bytes, duration, result,
-- error, reason }, …]. Returns the positions that counted, now or when this was asked before: a job
-- that was given to another worker since keeps the result of that one.
CREATE FUNCTION finish(me uuid, the_run bigint, results jsonb) RETURNS SETOF integer
LANGUAGE plpgsql @owner AS $f$
DECLARE
  counted integer[];
  bad integer;
BEGIN
  PERFORM check_worker(me);
  PERFORM FROM runs WHERE id = the_run FOR NO KEY UPDATE;
  PERFORM lock_devices(me, the_run,
    ARRAY(SELECT (x ->> 'position')::integer FROM jsonb_array_elements(results) x));
  WITH given AS (
    SELECT * FROM jsonb_to_recordset(results) AS g (position integer, attempt integer,
      state text, changed boolean, calls bigint, bytes bigint, duration double precision,
      result jsonb, error jsonb, reason text)
  ), ended AS (
    UPDATE jobs j SET state = g.state, worker = NULL, lease_until = NULL, changed = g.changed,
        calls = g.calls, bytes = g.bytes, duration = g.duration, result = g.result,
        error = g.error, reason = g.reason, ended_at = clock_timestamp()
      FROM given g
      WHERE j.run = the_run AND j.position = g.position AND j.attempt = g.attempt
        AND j.worker = me AND j.state = 'running' AND g.state IN ('done', 'failed', 'skipped')
    RETURNING j.position, j.attempt, j.state
  ), freed AS (
    DELETE FROM devices d USING ended e
      WHERE d.run = the_run AND d.position = e.position AND d.worker = me
  ), noted AS (
    UPDATE attempts a SET ended_at = clock_timestamp(), outcome = e.state FROM ended e
      WHERE a.run = the_run AND a.position = e.position AND a.attempt = e.attempt
  )
  SELECT array_agg(e.position), count(*) FILTER (WHERE e.state = 'failed')
    INTO counted, bad FROM ended e;
  IF counted IS NOT NULL THEN
    UPDATE runs SET left_in_wave = left_in_wave - cardinality(counted), failures = failures + bad
      WHERE id = the_run;
    PERFORM settle(the_run);
  END IF;
  RETURN QUERY
    SELECT a.position
      FROM jsonb_to_recordset(results) AS g (position integer, attempt integer)
      JOIN attempts a ON a.run = the_run AND a.position = g.position AND a.attempt = g.attempt
      WHERE a.worker = me AND a.outcome IN ('done', 'failed', 'skipped');
END $f$;

-- Gives jobs of a run back that were not begun: [{ position, attempt }, …]. Returns how many.
CREATE FUNCTION hand_back(me uuid, the_run bigint, given jsonb) RETURNS integer
LANGUAGE plpgsql @owner AS $f$
DECLARE
  r runs;
  back integer;
BEGIN
  PERFORM check_worker(me);
  SELECT * INTO r FROM runs WHERE id = the_run FOR NO KEY UPDATE;
  PERFORM lock_devices(me, the_run,
    ARRAY(SELECT (x ->> 'position')::integer FROM jsonb_array_elements(given) x));
  WITH wanted AS (
    SELECT * FROM jsonb_to_recordset(given) AS g (position integer, attempt integer)
  ), returned AS (
    UPDATE jobs j SET worker = NULL, lease_until = NULL, state = 'waiting'
      FROM wanted w WHERE j.run = the_run AND j.position = w.position AND j.attempt = w.attempt
        AND j.worker = me AND j.state = 'running'
    RETURNING j.position, j.attempt
  ), freed AS (
    DELETE FROM devices d USING returned e
      WHERE d.run = the_run AND d.position = e.position AND d.worker = me
  ), noted AS (
    UPDATE attempts a SET ended_at = clock_timestamp(), outcome = 'handed back' FROM returned e
      WHERE a.run = the_run AND a.position = e.position AND a.attempt = e.attempt
  )
  SELECT count(*) INTO back FROM returned;
  IF back = 0 THEN RETURN 0; END IF;
  -- A run that stops meanwhile starts nothing any more.
  IF r.state = 'stopping' THEN
    PERFORM stop_run(the_run,
      CASE WHEN r.cancelled_by IS NULL THEN 'unreached' ELSE 'cancelled' END, r.reason);
    PERFORM settle(the_run);
  END IF;
  PERFORM pg_notify(current_schema()::text, 'work');
  RETURN back;
END $f$;

-- Takes jobs of dead workers back, those of one run: their lease ended, and after it the time that
-- a request may still have been under way. The third lost lease sets a job aside. Returns how many
-- leases were lost; ask again until there are none.
CREATE FUNCTION reap() RETURNS integer
LANGUAGE plpgsql @owner AS $f$
DECLARE
  r record;
  lost integer[];
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
    PERFORM FROM devices WHERE run = r.id AND position = ANY (lost)
      ORDER BY device_key FOR UPDATE;
    DELETE FROM devices WHERE run = r.id AND position = ANY (lost);
    UPDATE attempts a SET ended_at = clock_timestamp(), outcome = 'lease lost' FROM jobs j
      WHERE j.run = r.id AND j.position = ANY (lost) AND a.run = r.id
        AND a.position = j.position AND a.attempt = j.attempt;
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
  SELECT EXISTS (SELECT FROM jobs WHERE run = the_run AND position = the_position
    AND attempt = the_attempt AND worker = me AND state = 'running'
    AND lease_until > clock_timestamp());
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
