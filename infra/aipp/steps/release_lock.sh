# Takes back the lock of Liquibase that a killed pod left; ends when there is none.
#
# Whoever migrates holds a connection for as long as it does: PostgreSQL ends it within seconds when the process dies,
# and within a minute when its node does (client_connection_check_interval and tcp_keepalives_* of the server). So the
# lock is stale when every session at this database is known to be somebody else's by its name. A session of no known
# name may be the one: then we wait.
export PGAPPNAME=aipp-release PGCONNECT_TIMEOUT=5
PGPASSWORD=$(cat "$LOGIN_FILE") && export PGPASSWORD

ask() {
    psql --no-psqlrc -qtAX -v ON_ERROR_STOP=1 -v known="$KNOWN_SESSIONS" "$@"
}

while true; do
    if exists=$(ask <<'SQL'
SELECT to_regclass('databasechangeloglock') IS NOT NULL
SQL
    ); then
        [ "$exists" = f ] && echo "no migration has run yet" && exit 0
        # One statement: nobody can take the lock between the look and the release.
        if report=$(ask <<'SQL'
WITH possible AS (
    SELECT application_name, client_addr FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
      -- Of an account that we may not look at these are null: it may be the one.
      AND coalesce(backend_type, 'client backend') = 'client backend'
      AND coalesce(application_name, '') <> ALL (string_to_array(:'known', ','))
), released AS (
    UPDATE databasechangeloglock SET locked = FALSE, lockgranted = NULL, lockedby = NULL
    WHERE locked AND NOT EXISTS (SELECT FROM possible)
    RETURNING id
)
SELECT CASE
    WHEN NOT EXISTS (SELECT FROM databasechangeloglock WHERE locked) THEN 'free'
    WHEN EXISTS (SELECT FROM released) THEN 'released: ' || (
        SELECT string_agg(format('held by %s since %s', lockedby, lockgranted), '; ')
        FROM databasechangeloglock WHERE locked)
    ELSE 'held by ' || (SELECT string_agg(coalesce(lockedby, '?'), ', ') FROM databasechangeloglock WHERE locked)
        || ', who may still migrate: '
        || (SELECT string_agg(format('session %L from %s', application_name, client_addr), ', ') FROM possible)
END
SQL
        ); then
            echo "lock of the migrations: $report"
            case "$report" in
                free | released:*) exit 0 ;;
            esac
        fi
    fi
    sleep "${PAUSE_SECONDS:-5}"
done
