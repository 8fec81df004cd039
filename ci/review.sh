#!/bin/sh
# What a merge request would change, as a report for people: review.sh BASE REVIEW REPORT
#   BASE    checkout of the main branch       REVIEW  checkout of the merge request       REPORT  folder to write
# Ends with 0 where the report could be written; REPORT/failed then names what failed.
set -u
base=$1 review=$2 report=$3
mkdir -p "$report"
rm -f "$report/failed"

part() { # part TITLE FILE COMMAND...: runs it, keeps its output, says in the report how it went
    title=$1 file=$report/$2
    shift 2
    if "$@" >"$file" 2>&1; then
        echo "- $title: passed" >>"$report/summary.md"
    else
        echo "- **$title: failed**, its last lines:" >>"$report/summary.md"
        { echo '  ```'; tail -n 15 "$file" | cut -c 1-300 | sed 's/```/` ` `/g; s/^/  /'; echo '  ```'; } >>"$report/summary.md"
        echo "$title" >>"$report/failed"
    fi
}

: >"$report/summary.md"
cd "$review" || exit 2
python=/tmp/review/bin/python
python3 -m venv /tmp/review &&
    /tmp/review/bin/pip install --quiet --no-cache-dir --require-hashes --requirement requirements-dev.txt || exit 2

part "tests" tests.txt "$python" -m pytest -q -p no:cacheprovider tests/infra tests/stacks
part "policy" policy.txt "$python" -m pytest -q -p no:cacheprovider tests/policy
for file in Pulumi.*.yaml; do
    stack=${file#Pulumi.}
    stack=${stack%.yaml}
    part "preview of $stack" "preview-$stack.txt" "$python" -m ops preview --stack "$stack"
    # The merge request's program reads both sides, so that only what they declare differs.
    if ! "$python" -m ops diff --stack "$stack" --base "$base" >"$report/diff-$stack.md" 2>"$report/diff-$stack.txt"; then
        {
            echo "#### Stack $stack: not compared"
            echo '```'
            tail -n 5 "$report/diff-$stack.txt" | cut -c 1-300 | sed 's/```/` ` `/g'
            echo '```'
        } >"$report/diff-$stack.md"
    fi
done

{
    echo "### What this merge request would change${COMMIT:+ ($COMMIT)}"
    echo
    cat "$report/summary.md"
    echo
    # Whole in the build's artifacts; a comment has its limit, and its last lines may be cut.
    cat "$report"/diff-*.md | head -c 45000
} >"$report/review.md"
