--- What people do with a queue, version 1: functions of the database that submit, cancel and remove
--- runs.

return [[
-- Stores a run and its jobs: [{ position, device, key, wave, tags }, …]; position: of the device in
-- the manifest; waves are counted from 0. `run`:
-- kind, playbook, arguments, options, undo_of, retry_of, grace (seconds), allowed, canaries, f5lua,
-- from. Returns its number.
CREATE FUNCTION submit(run jsonb, archive bytea, manifest text, signature bytea, its_jobs jsonb)
RETURNS bigint
LANGUAGE plpgsql @owner AS $f$
DECLARE
  the_run bigint;
  the_waves integer;
  first integer;
BEGIN
  IF jsonb_array_length(its_jobs) = 0 THEN
    RAISE EXCEPTION 'a run needs a device' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF (run ->> 'grace')::double precision NOT BETWEEN 0 AND 86400 THEN
    RAISE EXCEPTION 'grace is from 0 to 86400 seconds' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF (run ->> 'kind' = 'undo') <> (run ->> 'undo_of' IS NOT NULL) THEN
    RAISE EXCEPTION 'an undo says of which run' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  SELECT count(DISTINCT (x ->> 'wave')::integer),
      count(*) FILTER (WHERE (x ->> 'wave')::integer = 0)
    INTO the_waves, first FROM jsonb_array_elements(its_jobs) x;
  IF EXISTS (SELECT FROM jsonb_array_elements(its_jobs) x
      WHERE (x ->> 'wave')::integer NOT BETWEEN 0 AND the_waves - 1) THEN
    RAISE EXCEPTION 'waves are counted from 0 without a gap'
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  INSERT INTO archives (sha256, contents)
    VALUES (encode(sha256(submit.archive), 'hex'), submit.archive) ON CONFLICT DO NOTHING;
  INSERT INTO runs (kind, playbook, archive, manifest, signature, arguments, options, undo_of,
      retry_of, grace, allowed, canaries, f5lua, submitted_by, submitted_from, jobs, waves,
      left_in_wave)
    VALUES (run ->> 'kind', run ->> 'playbook', encode(sha256(submit.archive), 'hex'),
      submit.manifest, submit.signature, run -> 'arguments', run -> 'options',
      (run ->> 'undo_of')::bigint, (run ->> 'retry_of')::bigint,
      make_interval(secs => (run ->> 'grace')::double precision), (run ->> 'allowed')::integer,
      coalesce((run ->> 'canaries')::integer, 0), run ->> 'f5lua', session_user, run ->> 'from',
      jsonb_array_length(its_jobs), the_waves, first)
    RETURNING id INTO the_run;
  WITH given AS MATERIALIZED (
    SELECT (x ->> 'position')::integer AS position, x ->> 'device' AS device, x ->> 'key' AS device_key,
        (x ->> 'wave')::integer AS wave,
        ARRAY(SELECT t FROM jsonb_array_elements_text(x -> 'tags') t GROUP BY t ORDER BY t) AS tags
      FROM jsonb_array_elements(its_jobs) x
  ), made AS (
    INSERT INTO lots (run, wave, tags, jobs)
      SELECT the_run, g.wave, g.tags, count(*) FROM given g GROUP BY g.wave, g.tags
        ORDER BY g.wave, min(g.position)
    RETURNING lots.id, lots.wave, lots.tags
  )
  INSERT INTO jobs (run, position, lot, wave, device, device_key)
    SELECT the_run, g.position, m.id, g.wave, g.device, g.device_key
      FROM given g JOIN made m ON m.wave = g.wave AND m.tags = g.tags ORDER BY g.position;
  RETURN the_run;
END $f$;

-- Submits a run that has ended again, for its devices that are not done. Returns the number of the
-- new run; NULL: there is no such run, or no such device.
CREATE FUNCTION retry(the_run bigint, its_from text) RETURNS bigint
LANGUAGE plpgsql @owner AS $f$
DECLARE
  r runs;
  again jsonb;
BEGIN
  SELECT * INTO r FROM runs WHERE id = the_run;
  IF NOT FOUND THEN RETURN NULL; END IF;
  IF r.ended_at IS NULL THEN
    RAISE EXCEPTION 'run % has not ended', the_run
      USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  SELECT jsonb_agg(jsonb_build_object('position', j.position, 'device', j.device,
      'key', j.device_key, 'wave', j.new_wave, 'tags', to_jsonb(lots.tags)) ORDER BY j.position)
    INTO again
    FROM (SELECT jobs.*, dense_rank() OVER (ORDER BY wave) - 1 AS new_wave FROM jobs
      WHERE run = the_run AND state IN ('failed', 'unreached', 'set_aside', 'cancelled')) j
    JOIN lots ON lots.id = j.lot;
  IF again IS NULL THEN RETURN NULL; END IF;
  RETURN submit(jsonb_build_object('kind', r.kind, 'playbook', r.playbook, 'arguments',
      r.arguments, 'options', r.options, 'undo_of', r.undo_of, 'retry_of', the_run,
      'grace', extract(epoch FROM r.grace), 'allowed', r.allowed, 'canaries',
      (SELECT count(*) FROM jobs WHERE run = the_run AND wave = 0 AND r.canaries > 0
        AND state IN ('failed', 'unreached', 'set_aside', 'cancelled')),
      'f5lua', r.f5lua, 'from', its_from),
    (SELECT contents FROM archives WHERE sha256 = r.archive), r.manifest, r.signature, again);
END $f$;

-- No device of the run starts any more; those under way end. Returns the state of the run, NULL if
-- there is none.
CREATE FUNCTION cancel(the_run bigint) RETURNS text
LANGUAGE plpgsql @owner AS $f$
DECLARE
  its_state text;
BEGIN
  SELECT state INTO its_state FROM runs WHERE id = the_run FOR NO KEY UPDATE;
  IF its_state IN ('waiting', 'running') THEN
    UPDATE runs SET cancelled_by = session_user WHERE id = the_run;
    PERFORM stop_run(the_run, 'cancelled', 'cancelled by ' || session_user);
    PERFORM settle(the_run);
    END IF;
  SELECT state INTO its_state FROM runs WHERE id = the_run;
  RETURN its_state;
END $f$;

-- Runs that may be removed: they ended before this time, and no run that is still open takes them
-- back or applies them.
CREATE FUNCTION prunable(before timestamptz) RETURNS SETOF bigint
LANGUAGE sql STABLE @owner AS $f$
  SELECT r.id FROM runs r WHERE r.ended_at < before AND r.id::text NOT IN (
    SELECT about FROM runs o, LATERAL (VALUES (o.undo_of::text), (o.options ->> 'apply_of'))
        AS v (about)
      WHERE o.state IN ('waiting', 'running', 'stopping') AND about IS NOT NULL)
  ORDER BY r.id;
$f$;

-- Removes at most `many` of these runs, with all that belongs to them. Returns how many; ask again
-- until there are none. A run that is submitted meanwhile waits: it may be about one of them, or
-- have the same playbook.
CREATE FUNCTION prune(before timestamptz, many integer) RETURNS integer
LANGUAGE plpgsql @owner AS $f$
DECLARE
  old bigint[];
  theirs text[];
BEGIN
  LOCK TABLE archives IN SHARE ROW EXCLUSIVE MODE;
  old := ARRAY(SELECT id FROM prunable(before) AS p (id) LIMIT many);
  theirs := ARRAY(SELECT DISTINCT archive FROM runs WHERE id = ANY (old));
  -- All rows of a run at once: much faster than what each job takes along.
  DELETE FROM output WHERE run = ANY (old);
  DELETE FROM change_records WHERE run = ANY (old);
  DELETE FROM plans WHERE run = ANY (old);
  DELETE FROM attempts WHERE run = ANY (old);
  DELETE FROM jobs WHERE run = ANY (old);
  DELETE FROM runs WHERE id = ANY (old);
  DELETE FROM archives a WHERE sha256 = ANY (theirs)
    AND NOT EXISTS (SELECT FROM runs WHERE runs.archive = a.sha256);
  DELETE FROM workers WHERE coalesce(ended_at, seen_at) < least(before, now() - interval '1 hour');
  RETURN cardinality(old);
END $f$;
]]
