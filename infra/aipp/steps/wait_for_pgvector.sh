# Ends once the database lets the service in and has its extension. PGHOST, PGUSER and PGDATABASE are psql's own.
export PGAPPNAME=aipp-wait PGCONNECT_TIMEOUT=5
while true; do
    PGPASSWORD=$(cat "$LOGIN_FILE") && export PGPASSWORD
    answer=$(psql --no-psqlrc -qtAX -c "SELECT count(*) FROM pg_extension WHERE extname = 'vector'" 2>&1)
    [ "$answer" = 1 ] && exit 0
    [ "$answer" = 0 ] && answer="the database lets us in, but has no extension vector yet"
    echo "waiting for $PGHOST: $answer"
    sleep "${PAUSE_SECONDS:-5}"
done
