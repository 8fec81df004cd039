# Watches the lock of Liquibase beside the backend: a container that is killed is started again in its pod, and no step
# runs before it then. It would wait for its own dead predecessor's lock for ever.
#
# When the lock is first seen held, its holder's session is one of those that are there. Once none of these is left and
# the lock is still the same, nobody can give it back. The restarted backend's own session came later: it counts only if
# it was there at that first look, and then it ends with Liquibase's patience (5 minutes), before the next look.
export PGAPPNAME=aipp-release PGCONNECT_TIMEOUT=5
trap 'exit 0' TERM

ask() {
    psql --no-psqlrc -qtAX -v ON_ERROR_STOP=1 -v known="$KNOWN_SESSIONS" -v held="$held" -v there="$there" "$@"
}

held='' there=''
while true; do
    # In the background: a shell takes no signal while it waits for a program in front.
    sleep "${PAUSE_SECONDS:-5}" & wait $!
    PGPASSWORD=$(cat "$LOGIN_FILE") && export PGPASSWORD
    # No table yet, no database: the next look is soon.
    now=$(ask 2>/dev/null <<'SQL'
SELECT string_agg(format('held by %s since %s', lockedby, lockgranted), '; ') FROM databasechangeloglock WHERE locked
SQL
    ) || continue
    if [ "$now" != "$held" ]; then
        held=$now
        there=$(ask <<'SQL'
SELECT string_agg(format('%s@%s', pid, extract(epoch FROM backend_start)), ',') FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
  AND coalesce(backend_type, 'client backend') = 'client backend'
  AND coalesce(application_name, '') <> ALL (string_to_array(:'known', ','))
SQL
        ) || held=''
        continue
    fi
    [ -z "$held" ] && continue
    released=$(ask <<'SQL'
UPDATE databasechangeloglock SET locked = FALSE, lockgranted = NULL, lockedby = NULL
WHERE locked AND format('held by %s since %s', lockedby, lockgranted) = :'held' AND NOT EXISTS (
    SELECT FROM pg_stat_activity
    WHERE format('%s@%s', pid, extract(epoch FROM backend_start)) = ANY (string_to_array(:'there', ',')))
RETURNING id
SQL
    ) && [ -n "$released" ] && echo "lock of the migrations: released, $held"
done
