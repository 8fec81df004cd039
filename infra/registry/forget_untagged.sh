#!/bin/sh
# Lets go of what the collector then frees: each repository's tags but for the newest KEEP_TAGS (empty: all stay), by the
# time of their last push, and the manifests that no tag leads to. A tagged index leads to its parts, such as signatures,
# which have no tag of their own. What was pushed in the last day stays: its tag may be still to come.
# Reads REPOSITORIES, the registry's own folder. Needs nothing but busybox; tags have no blanks.
set -eu
: "${KEEP_TAGS?}" "${REPOSITORIES:?}"
[ -d "$REPOSITORIES" ] || exit 0
find "$REPOSITORIES" -type d -name _manifests | while read -r manifests; do
    repository=${manifests#"$REPOSITORIES"/}
    repository=${repository%/_manifests}
    cd "$manifests"
    if [ -n "$KEEP_TAGS" ]; then
        ls -t tags/*/current/link 2>/dev/null | tail -n "+$((KEEP_TAGS + 1))" | cut -d/ -f2 | while read -r tag; do
            echo "$repository:$tag"
            rm -r "./tags/$tag"
        done
    fi
    needed=$(cat tags/*/current/link 2>/dev/null | grep -o '[0-9a-f]\{64\}' | while read -r digest; do
        echo "$digest"
        grep -o 'sha256:[0-9a-f]\{64\}' "${REPOSITORIES%/*}/blobs/sha256/$(echo "$digest" | cut -c 1-2)/$digest/data"
    done)
    find revisions/sha256 -name link -mtime +0 2>/dev/null | cut -d/ -f3 | while read -r digest; do
        case $needed in *"$digest"*) continue ;; esac
        echo "$repository@sha256:$digest"
        rm -r "./revisions/sha256/$digest"
    done
done
