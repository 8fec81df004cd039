#!/bin/sh
# Builds one image from a checkout and pushes it; the builder's container carries this text in $BUILD_IMAGE.
#
# Read from the environment:
#   BUILDER         buildkit or kaniko
#   CONTEXT         folder of the build below the checkout; its Dockerfile is DOCKERFILE (default: Dockerfile)
#   TARGET          stage of the Dockerfile; empty: the last
#   IMAGE, TAGS     repository to push to, and its tags, separated by spaces
#   REVISION        commit, written into the image's label
#   BASE_IMAGE      what the Dockerfile starts from; BUILD_ARGS: further KEY=VALUE, one a line
#   CHECKOUT, CACHE, BUILD_FILES   folders; the last two may be missing
#   REGISTRY, PLAIN_HTTP             host of our registry, and "true" if it speaks plain HTTP
#   SSL_CERT_FILE                    authorities that are trusted, the public ones among them; none: the image's own
#   CACHE_MIB, MEMORY_MIB            sizes of the cache's volume and of this container's memory
# Written: DIGEST_FILE (default: $CHECKOUT/digest) holds sha256:...; the container's last word says what came of it.
set -eu
: "${BUILDER:?}" "${CONTEXT:?}" "${IMAGE:?}" "${TAGS:?}" "${BASE_IMAGE:?}" "${CHECKOUT:=$PWD}"
: "${DOCKERFILE:=Dockerfile}" "${TARGET:=}" "${REVISION:=}" "${BUILD_ARGS:=}" "${CACHE:=}" "${BUILD_FILES:=}"
: "${REGISTRY:=}" "${PLAIN_HTTP:=false}" "${CACHE_MIB:=0}" "${MEMORY_MIB:=}"
: "${DIGEST_FILE:=$CHECKOUT/digest}" "${LAST_WORD:=/dev/termination-log}" "${CGROUP:=/sys/fs/cgroup}"
folder=$CHECKOUT/$CONTEXT
# Whom a build trusts: the public authorities and the stack's, unless a person lends it a list.
if [ -f "$BUILD_FILES/ca.crt" ]; then CA=; else CA=${SSL_CERT_FILE:-}; fi

say() {
    echo "$1"
    echo "$1" 2>/dev/null >"$LAST_WORD" || true
}

killed_for_memory() { # how many processes of this container so far; cgroup version 2, else 1
    sed -n 's/^oom_kill //p' "$CGROUP/memory.events" "$CGROUP/memory/memory.oom_control" 2>/dev/null | tail -n 1
}

write_ahead() { # what stands there if nothing below comes to say more: a kill takes all processes of the container at once
    echo "The build was stopped in the middle: at $MEMORY_MIB MiB of memory (OOMKilled), or at its deadline." \
        "Raise ci.builder.memoryMib or ci.builder.deadlineMinutes, or let it do less at once." 2>/dev/null >"$LAST_WORD" || true
}

shown() { # runs a builder, and keeps what it prints for `cause`; its status is the builder's
    { status=0; "$@" 2>&1 || status=$?; echo "$status" >"$log.status"; } | tee "$log"
    return "$(cat "$log.status")"
}

cause() { # one sentence, where the builder's last lines say that the registry or a volume is at fault
    if tail -n 60 "$log" | grep -q "lookup ${REGISTRY%%:*}.*\(no such host\|server misbehaving\|i/o timeout\)"; then
        echo "The name of the registry, ${REGISTRY%%:*}, does not resolve in this pod: make doctor says which address to give it."
    elif tail -n 60 "$log" | grep -qE "$REGISTRY/.*(: 50[0-9] |no space left on device)"; then
        echo "The registry $REGISTRY could not store the image: its volume is full, or it fails. Make room as in" \
            "docs/operations.md (The registry is full), then build again: nothing of this build was published."
    elif tail -n 60 "$log" | grep -q "no space left on device"; then
        echo "A volume of the build is full: raise ci.builder.workspaceGib or ci.builder.cacheGib."
    elif tail -n 60 "$log" | grep -q "$REGISTRY.*\(connection refused\|i/o timeout\)"; then
        echo "The registry $REGISTRY does not answer: make verify says what is wrong with its pod."
    else
        echo "The build failed; the lines above say why."
    fi
}

peak_mib() { # the container's own measure of what it needed, page cache included
    for file in "$CGROUP/memory.peak" "$CGROUP/memory/memory.max_usage_in_bytes"; do
        if [ -r "$file" ]; then echo $(($(cat "$file") / 1048576)); return; fi
    done
    echo unknown
}

with_buildkit() {
    runtime=$(mktemp -d)
    {
        if [ "$PLAIN_HTTP" = true ]; then printf '[registry."%s"]\n  http = true\n' "$REGISTRY"; fi
        if [ "$CACHE_MIB" -gt 0 ]; then
            printf '[worker.oci]\n  gc = true\n  maxUsedSpace = "%sMB"\n' "$((CACHE_MIB * 8 / 10))"
        fi
    } >"$runtime/buildkitd.toml"
    # No process sandbox: a pod's /proc is masked, so that BuildKit may mount no other (its docs/rootless.md).
    export BUILDKITD_FLAGS="--oci-worker-no-process-sandbox --config=$runtime/buildkitd.toml ${CACHE:+--root=$CACHE/buildkit}"
    export BUILDCTL_CONNECT_RETRIES_MAX=100
    names=
    for tag in $TAGS; do names=$names${names:+,}$IMAGE:$tag; done
    set -- build --frontend dockerfile.v0 --progress plain \
        --local "context=$folder" --local "dockerfile=$folder" --opt "filename=$DOCKERFILE" \
        --opt "build-arg:BASE_IMAGE=$BASE_IMAGE" \
        --output "type=image,\"name=$names\",push=true,oci-mediatypes=true" --metadata-file "$runtime/metadata.json"
    if [ -n "$TARGET" ]; then set -- "$@" --opt "target=$TARGET"; fi
    if [ -n "$REVISION" ]; then set -- "$@" --opt "label:org.opencontainers.image.revision=$REVISION"; fi
    # An image from the cache would keep its old date, and Image Updater takes the newest: a revert would never roll out.
    date=$(git -C "$CHECKOUT" log -1 --format=%ct 2>/dev/null || true)
    if [ -n "$date" ]; then set -- "$@" --opt "build-arg:SOURCE_DATE_EPOCH=$date"; fi
    while read -r argument; do
        if [ -n "$argument" ]; then set -- "$@" --opt "build-arg:$argument"; fi
    done <<END
$BUILD_ARGS
END
    for secret in ${BUILD_FILES:+"$BUILD_FILES"/*}; do
        if [ -f "$secret" ]; then set -- "$@" --secret "id=${secret##*/},src=$secret"; fi
    done
    if [ -n "$CA" ]; then set -- "$@" --secret "id=ca.crt,src=$CA"; fi
    # Two daemons cannot share one cache: the second waits here.
    if [ -n "$CACHE" ]; then exec 9>"$CACHE/lock"; flock 9; fi
    shown buildctl-daemonless.sh "$@" || return 1
    sed -n 's/.*"containerimage.digest": *"\(sha256:[0-9a-f]*\)".*/\1/p' "$runtime/metadata.json" >"$DIGEST_FILE"
}

with_kaniko() {
    set -- --context "dir://$folder" --dockerfile "$folder/$DOCKERFILE" --build-arg "BASE_IMAGE=$BASE_IMAGE" \
        --digest-file "$DIGEST_FILE" --push-retry 3 --ignore-path "$CHECKOUT"
    for tag in $TAGS; do set -- "$@" --destination "$IMAGE:$tag"; done
    if [ -n "$TARGET" ]; then set -- "$@" --target "$TARGET"; fi
    if [ -n "$REVISION" ]; then set -- "$@" --label "org.opencontainers.image.revision=$REVISION"; fi
    if [ "$PLAIN_HTTP" = true ]; then set -- "$@" --insecure-registry "$REGISTRY"; fi
    # Layers in the cache stay as they are: compressing them is what takes Kaniko's memory.
    if [ -n "$CACHE" ]; then set -- "$@" --cache=true --cache-repo "oci:$CACHE/kaniko" --compressed-caching=false; fi
    while read -r argument; do
        if [ -n "$argument" ]; then set -- "$@" --build-arg "$argument"; fi
    done <<END
$BUILD_ARGS
END
    for secret in ${BUILD_FILES:+"$BUILD_FILES"/*}; do
        if [ -f "$secret" ]; then set -- "$@" --secret "id=${secret##*/},src=$secret"; fi
    done
    if [ -n "$CA" ]; then set -- "$@" --secret "id=ca.crt,src=$CA"; fi
    shown /kaniko/executor "$@"
}

if [ ! -f "$folder/$DOCKERFILE" ]; then say "There is no $CONTEXT/$DOCKERFILE at this commit."; exit 2; fi
log=$(mktemp)
write_ahead
before=$(killed_for_memory)
status=0
"with_$BUILDER" || status=$?
echo "Peak memory of the build: $(peak_mib) MiB of ${MEMORY_MIB:-unlimited} MiB (files it read included)."
if [ "$status" = 0 ]; then
    say "Pushed $IMAGE@$(cat "$DIGEST_FILE") ($TAGS)"
elif [ "$(killed_for_memory)" != "$before" ]; then
    say "The build ran out of memory: it may use $MEMORY_MIB MiB. Raise ci.builder.memoryMib, or let it do less at once."
    exit 137
else
    say "$(cause)"
    exit "$status"
fi
