-- Version 1 of the queue's schema. What has been delivered never changes: a change is a new file.
--
-- The search path is the queue's schema. Times are those of the database. Workers measure leases on
-- their own clock; lease_ends is for others, who wait longer than that.
return [[
create table archives (
  sha256 text primary key check (sha256 ~ '^[0-9a-f]{64}$'),
  contents bytea not null,
  stored_at timestamptz not null default now()
);
comment on table archives is 'playbooks with their modules, in the format of f5lua build';

create table runs (
  id bigint generated always as identity primary key,
  kind text not null default 'run' check (kind in ('run', 'check', 'apply', 'undo')),
  state text not null default 'open'
    check (state in ('open', 'done', 'failed', 'stopped', 'cancelled')),
  playbook text not null,
  archive text not null references archives,
  manifest text not null,
  signature bytea check (length(signature) = 64),
  arguments jsonb not null default '[]' check (jsonb_typeof(arguments) = 'array'),
  options jsonb not null default '{}' check (jsonb_typeof(options) = 'object'),
  f5lua text not null,
  submitted_by text not null default session_user,
  submitted_from text not null,
  submitted_at timestamptz not null default now(),
  undo_of bigint references runs,
  retry_of bigint references runs,
  wave integer not null default 0 check (wave >= 0),
  max_failures integer check (max_failures >= 0),
  failures integer not null default 0 check (failures >= 0),
  reason text,
  cancelled_by text,
  ended_at timestamptz,
  check ((state = 'open') = (ended_at is null)),
  check ((kind = 'undo') = (undo_of is not null)),
  check (state not in ('stopped', 'cancelled') or reason is not null)
);
comment on column runs.manifest is
  'JSON: archive, devices with references to passwords, arguments and options; what is signed';
comment on column runs.wave is 'of its jobs, those that may be taken now';
create index runs_open on runs (id) where state = 'open';

create table waves (
  run bigint not null references runs on delete cascade,
  number integer not null check (number >= 0),
  jobs integer not null check (jobs > 0),
  is_canary boolean not null default false,
  opened_at timestamptz,
  ended_at timestamptz check (ended_at >= opened_at),
  primary key (run, number)
);

create table devices (
  address text primary key check (address = lower(address) and address ~ '.:[0-9]+$'),
  job bigint unique,
  not_before timestamptz
);
comment on table devices is
  'one row for each host:port; job: the one job, of all runs, that works on it';
comment on column devices.not_before is
  'after a lost lease: until then, a write of the worker that was lost may be under way';

create table jobs (
  id bigint generated always as identity primary key,
  run bigint not null references runs on delete cascade,
  position integer not null check (position > 0),
  device text not null,
  address text not null references devices,
  tags text[] not null default '{}' check (array_position(tags, null) is null),
  wave integer not null,
  state text not null default 'waiting' check (state in ('waiting', 'running', 'done', 'failed',
    'skipped', 'unreached', 'set_aside', 'cancelled')),
  attempt bigint,
  attempts integer not null default 0 check (attempts >= 0),
  lost_leases integer not null default 0 check (lost_leases between 0 and attempts),
  lease_ends timestamptz,
  changed boolean not null default false,
  result jsonb,
  error jsonb,
  reason text,
  calls bigint not null default 0,
  bytes bigint not null default 0,
  duration double precision not null default 0,
  started_at timestamptz,
  ended_at timestamptz,
  unique (run, position),
  unique (run, address),
  foreign key (run, wave) references waves,
  check ((state = 'running') = (lease_ends is not null)),
  check ((state = 'running') = (attempt is not null)),
  check ((state in ('waiting', 'running')) = (ended_at is null)),
  check (state <> 'failed' or error is not null),
  check (state not in ('skipped', 'unreached', 'set_aside', 'cancelled') or reason is not null)
);
comment on column jobs.position is 'of the device in the list of the manifest';
comment on column jobs.device is 'its name in the inventory';
comment on column jobs.attempt is 'the attempt that has the lease; only this one may store results';
create index jobs_waiting on jobs (run, wave, position) where state = 'waiting';
create index jobs_leased on jobs (lease_ends) where state = 'running';
alter table devices add foreign key (job) references jobs on delete set null;

create table workers (
  id bigint generated always as identity primary key,
  host text not null,
  pid integer not null,
  role text not null default session_user,
  tags text[] not null default '{}' check (array_position(tags, null) is null),
  f5lua text not null,
  started_at timestamptz not null default now(),
  seen_at timestamptz not null default now(),
  ended_at timestamptz
);

create table attempts (
  id bigint generated always as identity primary key,
  job bigint not null references jobs on delete cascade,
  number integer not null check (number > 0),
  worker bigint not null references workers,
  state text not null default 'running' check (state in ('running', 'done', 'failed', 'skipped',
    'lost', 'handed_back', 'cancelled')),
  started_at timestamptz not null default now(),
  ended_at timestamptz,
  unique (job, number),
  check ((state = 'running') = (ended_at is null))
);
create unique index attempts_running on attempts (job) where state = 'running';
alter table jobs add foreign key (attempt) references attempts;

create table output (
  attempt bigint not null references attempts on delete cascade,
  number integer not null check (number > 0),
  text text not null,
  printed_at timestamptz not null default now(),
  primary key (attempt, number)
);
comment on table output is 'what the playbook printed, without control characters';

create table plans (
  job bigint primary key references jobs on delete cascade,
  plan text not null
);

create table change_records (
  attempt bigint not null references attempts on delete cascade,
  number integer not null check (number > 0),
  line text not null,
  written_at timestamptz not null default now(),
  primary key (attempt, number)
);
comment on table change_records is
  'each line is here before the write that it describes is sent; secrets are encrypted';

create function tell_run() returns trigger language plpgsql as $$
begin
  perform pg_notify(tg_table_schema, new.id::text);
  return null;
end $$;
create trigger runs_new after insert on runs for each row execute function tell_run();
create trigger runs_changed after update on runs for each row
  when (old.state is distinct from new.state or old.wave is distinct from new.wave)
  execute function tell_run();
]]
