/* SPDX-License-Identifier: MIT */
#include "log/postgresql_schema.h"

#include "record/postgresql.h"

/* The comments stand in the database, too, where `\d+ record` of psql shows them. */
const char postgresql_schema[] =
	"CREATE TABLE record (\n"
	"  id bigint GENERATED ALWAYS AS IDENTITY,\n"
	"  time timestamptz NOT NULL,\n"
	"  server text NOT NULL,\n"
	"  level text NOT NULL,\n"
	"  event text NOT NULL,\n"
	"  peer text NOT NULL,\n"
	"  certificate text,\n"
	"  sender text,\n"
	"  number bigint,\n"
	"  bytes bytea NOT NULL,\n"
	"  PRIMARY KEY (id, time)\n"
	") PARTITION BY RANGE (time);\n"
	"COMMENT ON TABLE record IS 'log of ackline';\n"
	"COMMENT ON COLUMN record.id IS 'in the order of each connection and sender, not of "
	"commits';\n"
	"COMMENT ON COLUMN record.server IS 'run of a server: its name and a random number';\n"
	"COMMENT ON COLUMN record.level IS 'INFO or WARNING';\n"
	"COMMENT ON COLUMN record.event IS 'received, sent, ignored or note';\n"
	"COMMENT ON COLUMN record.peer IS 'ADDRESS:PORT, or server for its own notes';\n"
	"COMMENT ON COLUMN record.certificate IS 'name in the certificate of the peer';\n"
	"COMMENT ON COLUMN record.sender IS 'of a numbered line';\n"
	"COMMENT ON COLUMN record.bytes IS 'the line as it came, the answer, or the words of a "
	"note';\n"
	"CREATE TABLE record_default PARTITION OF record DEFAULT;\n"
	"\n"
	"-- makes the partitions of today and so many days behind it, by UTC\n"
	"CREATE FUNCTION record_partitions(days integer) RETURNS void LANGUAGE plpgsql AS $$\n"
	"DECLARE\n"
	"  first timestamptz := date_trunc('day', now(), 'UTC');\n"
	"  name text;\n"
	"BEGIN\n"
	"  FOR i IN 0 .. days LOOP\n"
	"    name := 'record_' || to_char((first + i * interval '24 hours') AT TIME ZONE 'UTC', "
	"'YYYYMMDD');\n"
	"    IF to_regclass(name) IS NULL THEN\n"
	"      EXECUTE format('CREATE TABLE %I PARTITION OF record FOR VALUES FROM (%L) TO (%L)', "
	"name,\n"
	"        first + i * interval '24 hours', first + (i + 1) * interval '24 hours');\n"
	"    END IF;\n"
	"  END LOOP;\n"
	"END $$;\n"
	"SELECT record_partitions(31);\n"
	"\n"
	"CREATE TABLE sender (\n"
	"  name text COLLATE \"C\" PRIMARY KEY,\n"
	"  prev bigint NOT NULL,\n"
	"  last bigint NOT NULL,\n"
	"  hash bigint NOT NULL\n"
	") WITH (fillfactor = 50);\n"
	"COMMENT ON TABLE sender IS 'senders of the service once: up to which number record has "
	"their lines';\n"
	"COMMENT ON COLUMN sender.prev IS 'last, before the batch that was stored last';\n"
	"COMMENT ON COLUMN sender.hash IS 'FNV-1a of the line with the number last';\n"
	"\n"
	"CREATE TABLE batch (\n"
	"  server text PRIMARY KEY,\n"
	"  prev bigint NOT NULL,\n"
	"  last bigint NOT NULL,\n"
	"  time timestamptz NOT NULL\n"
	") WITH (fillfactor = 50);\n"
	"COMMENT ON TABLE batch IS 'number of the batch that each run of a server has stored "
	"last';\n"
	"\n"
	"DO $$ BEGIN\n"
	"  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'ackline_writer') THEN\n"
	"    CREATE ROLE ackline_writer NOLOGIN;\n"
	"  END IF;\n"
	"END $$;\n"
	"GRANT INSERT ON record TO ackline_writer;\n"
	"GRANT SELECT, INSERT, UPDATE ON sender, batch TO ackline_writer;\n";

const char postgresql_store[] =
	"WITH key AS (\n"
	"  INSERT INTO batch AS b (server, prev, last, time)\n"
	"  SELECT $1::text, 0, $2::bigint, now() FROM set_config('synchronous_commit', $3::text, "
	"true), " POSTGRESQL_WARNINGS "\n"
	"  ON CONFLICT (server) DO UPDATE\n"
	"    SET prev = b.last, last = greatest(b.last, excluded.last), time = excluded.time\n"
	"  RETURNING prev)"
	", given AS (\n"
	"  INSERT INTO sender AS s (name, prev, last, hash)\n"
	"  SELECT n.name, n.first - 1, n.last, n.hash\n"
	"    FROM key, unnest($12::text[], $13::bigint[], $14::bigint[], $15::bigint[], "
	"$16::boolean[])\n"
	"      WITH ORDINALITY AS n(name, first, last, hash, begins, place)\n"
	"    WHERE key.prev <= $2::bigint\n"
	"      AND (n.begins OR n.first = 1 OR EXISTS (SELECT FROM sender AS k WHERE "
	"k.name = n.name OFFSET 0))\n"
	"    ORDER BY n.place\n"
	"  ON CONFLICT (name) DO UPDATE SET prev = s.last,\n"
	"    last = CASE WHEN s.last BETWEEN excluded.prev AND excluded.last THEN excluded.last "
	"ELSE s.last END,\n"
	"    hash = CASE WHEN s.last BETWEEN excluded.prev AND excluded.last - 1 THEN "
	"excluded.hash ELSE s.hash END\n"
	"  RETURNING name, prev, last)"
	", stored AS (\n"
	"  INSERT INTO record (time, server, level, event, peer, certificate, sender, number, "
	"bytes)\n"
	"  SELECT r.time, $1::text, r.level, r.event, r.peer, r.certificate, r.sender, r.number, "
	"r.bytes\n"
	"    FROM key, unnest($4::timestamptz[], $5::text[], $6::text[], $7::text[], $8::text[],\n"
	"                     $9::text[], $10::bigint[], $11::bytea[]) WITH ORDINALITY\n"
	"      AS r(time, level, event, peer, certificate, sender, number, bytes, place)\n"
	"      LEFT JOIN given ON given.name = r.sender\n"
	"    WHERE r.number > given.prev AND r.number <= given.last\n"
	"      OR r.number IS NULL AND key.prev < $2::bigint ORDER BY r.place)\n"
	"SELECT n.name, coalesce(given.last, 0)\n"
	"  FROM key, unnest($12::text[], $14::bigint[]) AS n(name, last) LEFT JOIN given USING "
	"(name)\n"
	"  WHERE key.prev <= $2::bigint AND coalesce(given.last, 0) < n.last";

/* A plan that is made while there are few senders is kept when they are many: so none reads all of
 * them. */
static const char greeting[] =
	"SELECT set_config('synchronous_commit', $1::text, false),\n"
	"       set_config('default_transaction_isolation', 'read committed', false),\n"
	"       set_config('enable_seqscan', 'off', false),\n"
	"       (SELECT count(set_config(name, '0', false)) FROM pg_settings WHERE name IN\n"
	"         ('statement_timeout', 'lock_timeout', 'transaction_timeout', "
	"'idle_session_timeout')),\n"
	"       current_setting('synchronous_standby_names'), current_setting('fsync'),\n"
	"       current_setting('server_encoding'),\n"
	"       coalesce((SELECT string_agg(application_name, ', ' ORDER BY application_name)\n"
	"         FROM pg_stat_replication), ''),\n"
	"       CASE WHEN current_setting('transaction_read_only')::boolean THEN\n"
	"           'it is read-only, as a standby is; target_session_attrs=read-write finds the "
	"primary'\n"
	"         WHEN NOT (has_table_privilege('record', 'INSERT') AND\n"
	"             (SELECT bool_and(has_table_privilege(t, p)) FROM unnest('{batch, "
	"sender}'::text[]) AS t,\n"
	"               unnest('{SELECT, INSERT, UPDATE}'::text[]) AS p)) THEN\n"
	"           format('the role %s may not add records; GRANT ackline_writer TO it', "
	"current_user)\n"
	"         ELSE '' END";

struct slice postgresql_level(enum log_sync sync)
{
	static const char *const levels[] = {
		[LOG_SYNC_NONE] = "off", [LOG_SYNC_WRITE] = "remote_write", [LOG_SYNC_DISK] = "on"};
	return slice_of(levels[sync]);
}

int postgresql_set_level(struct postgresql *connection, enum log_sync sync, int64_t deadline,
			 struct error *error)
{
	const struct slice level = postgresql_level(sync);
	return postgresql_run(connection, greeting, &level, 1, deadline, error) == POSTGRESQL_DONE
		       ? 0
		       : -1;
}

int postgresql_make_tables(const char *conninfo, int64_t deadline, struct error *error)
{
	struct error words;
	struct postgresql *connection = postgresql_connect(conninfo, deadline, &words);
	bool made = connection && postgresql_script(connection, postgresql_schema, deadline,
						    &words) == POSTGRESQL_DONE;
	postgresql_close(connection);
	return made ? 0 : error_set(error, "cannot make the tables: %.400s", words.message);
}
