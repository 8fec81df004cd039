# Ends once Redis lets the service in and has loaded its file.
while true; do
    REDISCLI_AUTH=$(cat "$LOGIN_FILE") && export REDISCLI_AUTH
    answer=$(timeout 5 redis-cli -e -h "$HOST" -p "$PORT" ping 2>&1) && exit 0
    echo "waiting for $HOST: ${answer:-no answer}"
    sleep "${PAUSE_SECONDS:-5}"
done
