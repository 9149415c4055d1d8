#!/usr/bin/env bash
# CPU and memory of estimate_performance against reading the same columns: throughput.sh DIR [RUNS]
#
# DIR holds reference.parquet and analysis.parquet with columns timestamp, y_pred_proba, y_pred and y_true.
# Prints user + system seconds of the whole process (median of RUNS, default 5), in one run and in turns, so that
# the ratio does not depend on how busy the machine is; the split into scan, digest and evaluation; peak memory.
# Fails when the estimate takes more than 1.5 times the scan, or 500 MB.
set -euo pipefail
dir=$(cd "$1" && pwd)
runs=${2:-5}
cd "$(dirname "$0")/.."
program=${CARGO_TARGET_DIR:-target}/release/modelwatch
[[ -x $program ]] || cargo build --release

tables=(--register "reference=$dir/reference.parquet" --register "analysis=$dir/analysis.parquet")
averages="date_trunc('month', timestamp), avg(y_pred_proba), avg(y_pred), avg(y_true)"
scan="SELECT $averages FROM analysis GROUP BY 1 UNION ALL SELECT $averages FROM reference GROUP BY 1"
call="chunk => INTERVAL '1 month', value_matrix => [0, -10, -50, 100]"
profiles="SELECT chunk, row_count, bit_length(chunk), profile IS NULL FROM profiles(analysis, chunk => INTERVAL '1 month')
          UNION ALL SELECT chunk, row_count, bit_length(chunk), profile IS NULL FROM profiles(reference, dataset => 'reference', chunk => INTERVAL '1 month')"
estimate="SELECT * FROM estimate_performance(reference, analysis, $call)"

# seconds of CPU, then peak resident megabytes, of one statement
measure() {
    local peak=0 now pid status=0
    TIMEFORMAT='%U %S'
    { time "$program" "${tables[@]}" --format csv -c "$1" > /dev/null 2> "$scratch/errors"; } 2> "$scratch/time" &
    pid=$!
    while kill -0 "$pid" 2>/dev/null; do
        for child in $(pgrep -P "$pid" || true); do
            now=$(awk '/VmHWM/ {print $2}' "/proc/$child/status" 2>/dev/null || true)
            ((${now:-0} > peak)) && peak=$now
        done
        sleep 0.02
    done
    wait "$pid" || status=$?
    # 3 says that a result has an alert
    [[ $status == 0 || $status == 3 ]] || { cat "$scratch/errors" >&2; exit 1; }
    awk -v peak="$peak" '{printf "%.2f %.0f\n", $1 + $2, peak / 1024}' "$scratch/time"
}

median() { sort -n | awk '{x[NR] = $1} END {print x[int((NR + 1) / 2)]}'; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for ((run = 0; run < runs; run++)); do
    for query in scan profiles estimate; do
        measure "${!query}" >> "$scratch/$query"
    done
done
for query in scan profiles estimate; do
    printf '%-9s %6.2f CPU s  %5s MB peak\n' "$query" "$(cut -d' ' -f1 "$scratch/$query" | median)" \
        "$(cut -d' ' -f2 "$scratch/$query" | sort -n | tail -1)"
done
awk -v s="$(cut -d' ' -f1 "$scratch/scan" | median)" -v p="$(cut -d' ' -f1 "$scratch/profiles" | median)" \
    -v e="$(cut -d' ' -f1 "$scratch/estimate" | median)" \
    -v mb="$(cut -d' ' -f2 "$scratch/estimate" | sort -n | tail -1)" \
    'BEGIN {printf "estimate / scan = %.2f   (digest %.2f s, evaluation %.2f s beyond the scan)\n", e / s, p - s, e - p
            exit (e > 1.5 * s || mb > 500)}'
