#!/bin/sh
# What infra/data/pgvector.py counts on in the image of pgvector: a volume that is empty gets a database, its account with
# the password of a file, and the scripts of /docker-entrypoint-initdb.d; then the server starts.
set -eu
sockets=/var/run/postgresql
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    mkdir -p "$PGDATA"
    # initdb asks who it runs as. The image of pgvector tells it, and nobody else (nss_wrapper).
    echo "postgres:x:$(id -u):$(id -g)::/:/bin/sh" >$sockets/passwd
    initdb --pgdata="$PGDATA" --username="$POSTGRES_USER" --pwfile="$POSTGRES_PASSWORD_FILE" --encoding=UTF8 \
        --locale=C.UTF-8 --auth-local=trust --auth-host=scram-sha-256
    rm $sockets/passwd
    echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
    # At the socket only: nobody is let in before the database is whole.
    pg_ctl --pgdata="$PGDATA" --wait --options="-c listen_addresses='' -k $sockets" start
    export PGHOST=$sockets PGUSER="$POSTGRES_USER"
    psql -qX -v ON_ERROR_STOP=1 -d postgres -c "CREATE DATABASE \"$POSTGRES_DB\""
    for script in /docker-entrypoint-initdb.d/*.sql; do
        psql -qX -v ON_ERROR_STOP=1 -d "$POSTGRES_DB" -f "$script"
    done
    pg_ctl --pgdata="$PGDATA" --mode=fast --wait stop
fi
exec "$@" -k $sockets
