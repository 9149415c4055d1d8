#!/usr/bin/env bash
# Peak memory of estimate_performance: memory.sh [DIR]
#
# 20,000 groups of 500 rows on either side under --memory-limit 1GB, on rows that the program makes up itself; then, where
# DIR holds the tables of throughput.sh, those with their rows shuffled in time. Fails when 20,000 groups take more
# than 60 s or twice the limit, or the shuffled rows 800 MB. Under the limit the query may also be refused, with the error printed.
set -euo pipefail
cd "$(dirname "$0")/.."
program=${CARGO_TARGET_DIR:-target}/release/modelwatch
[[ -x $program ]] || cargo build --release
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# runs the program with arguments, then prints seconds and peak megabytes
run() {
    local start=$SECONDS peak=0 now pid status=0
    "$program" "$@" > /dev/null 2> "$scratch/errors" &
    pid=$!
    while kill -0 "$pid" 2>/dev/null; do
        now=$(awk '/VmHWM/ {print $2}' "/proc/$pid/status" 2>/dev/null || true)
        ((${now:-0} > peak)) && peak=$now
        sleep 0.02
    done
    wait "$pid" || status=$?
    # 3 says that a result has an alert
    [[ $status == 0 || $status == 3 ]] || cat "$scratch/errors" >&2
    echo "$((SECONDS - start)) $((peak / 1024))"
}

bar() {
    local what=$1 most_seconds=$2 most_mb=$3 seconds mb
    read -r seconds mb
    printf '%-28s %3s s  %5s MB peak (bar %s s, %s MB)\n' "$what" "$seconds" "$mb" "$most_seconds" "$most_mb"
    ((seconds <= most_seconds && mb <= most_mb)) || missed=1
}

missed=0
for table in reference analysis; do
    [[ $table == reference ]] && first=0 || first=15724800
    run -c "COPY (SELECT to_timestamp(1704067200 + $first + i % 2419200) AS timestamp, i * 7919 % 20000 AS g, s AS y_pred_proba,
                  s >= 0.5 AS y_pred, (i * 48271 % 2147483647) / 2147483647.0 < s AS y_true
                  FROM (SELECT i, (i * 16807 % 2147483647) / 2147483647.0 AS s FROM generate_series(1, 10000000) AS t(i)))
            TO '$scratch/$table.parquet' STORED AS PARQUET" > /dev/null
done
tables() { echo "--register reference=$1/reference.parquet --register analysis=$1/analysis.parquet"; }
# shellcheck disable=SC2046
bar "20,000 groups, limit 1 GB" 60 2048 < <(run --memory-limit 1GB $(tables "$scratch") --format csv \
    -c "SELECT * FROM estimate_performance(reference, analysis, by => g, chunk => INTERVAL '1 month')")

if [[ $# -gt 0 ]]; then
    for table in reference analysis; do
        run --register "t=$1/$table.parquet" -c "COPY (SELECT timestamp, y_pred_proba, y_pred, y_true FROM t
            ORDER BY (y_pred_proba * 1000003) % 1) TO '$scratch/$table.parquet' STORED AS PARQUET" > /dev/null
    done
    # shellcheck disable=SC2046
    bar "rows shuffled in time" 60 800 < <(run $(tables "$scratch") --format csv \
        -c "SELECT * FROM estimate_performance(reference, analysis, chunk => INTERVAL '1 month', value_matrix => [0, -10, -50, 100])")
fi
exit "$missed"
