#!/bin/sh
# Takes the tags of each repository away but for the newest KEEP_TAGS, by the time of their last push. Reads REPOSITORIES,
# the registry's own folder. What only they named is then garbage. Needs nothing but busybox; tags have no blanks.
set -eu
: "${KEEP_TAGS:?}" "${REPOSITORIES:?}"
[ -d "$REPOSITORIES" ] || exit 0
find "$REPOSITORIES" -type d -path '*/_manifests/tags' | while read -r tags; do
    cd "$tags"
    ls -t */current/link 2>/dev/null | tail -n "+$((KEEP_TAGS + 1))" | cut -d/ -f1 | while read -r tag; do
        repository=${tags#"$REPOSITORIES"/}
        echo "${repository%/_manifests/tags}:$tag"
        rm -r "./$tag"
    done
done
