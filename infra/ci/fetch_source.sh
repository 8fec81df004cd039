#!/bin/sh
# Fetches one commit into CHECKOUT. Reads GIT_URL, GIT_REVISION and, where a login is needed, the folder GIT_LOGIN with
# the files `username` and `password`. Jenkins does the same with its Git plugin.
set -eu
: "${CHECKOUT:?}" "${GIT_URL:?}" "${GIT_REVISION:?}" "${GIT_LOGIN:=}" "${LAST_WORD:=/dev/termination-log}"
export GIT_TERMINAL_PROMPT=0 HOME="${HOME:-/tmp}"
# The volume belongs to root and lets our group write; Git trusts a folder that is not its user's only when told to.
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0="$CHECKOUT"
log=$(mktemp)

git_with_login() {
    if [ -n "$GIT_LOGIN" ]; then
        git -C "$CHECKOUT" -c credential.helper= -c credential.helper='!login() {
            echo "username=$(cat "$GIT_LOGIN/username")"; echo "password=$(cat "$GIT_LOGIN/password")"; }; login' "$@"
    else
        git -C "$CHECKOUT" "$@"
    fi
}

git init --quiet "$CHECKOUT"
# A server that does not hand out single commits hands out all of them.
if ! git_with_login fetch --quiet --depth 1 "$GIT_URL" "$GIT_REVISION" 2>"$log" &&
    ! git_with_login fetch --quiet "$GIT_URL" '+refs/heads/*:refs/remotes/origin/*' 2>"$log"; then
    cat "$log"
    if grep -qiE 'authentication failed|could not read username|HTTP.* 40[13]|access denied' "$log"; then
        said="The Git server refused the login: renew the token and set it again (docs/ci.md, Git token)."
    else
        said="The source could not be fetched from $GIT_URL; the lines above say why."
    fi
    echo "$said"
    echo "$said" 2>/dev/null >"$LAST_WORD" || true
    exit 1
fi
git -C "$CHECKOUT" -c advice.detachedHead=false checkout --quiet "$GIT_REVISION" 2>/dev/null ||
    git -C "$CHECKOUT" -c advice.detachedHead=false checkout --quiet FETCH_HEAD
git -C "$CHECKOUT" log -1 --format='Fetched %h %s'
