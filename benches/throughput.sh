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
source benches/measure.sh

averages="date_trunc('month', timestamp), avg(y_pred_proba), avg(y_pred), avg(y_true)"
scan="SELECT $averages FROM analysis GROUP BY 1 UNION ALL SELECT $averages FROM reference GROUP BY 1"
call="chunk => INTERVAL '1 month', value_matrix => [0, -10, -50, 100]"
profiles="SELECT chunk, row_count, bit_length(chunk), profile IS NULL FROM profiles(analysis, chunk => INTERVAL '1 month')
          UNION ALL SELECT chunk, row_count, bit_length(chunk), profile IS NULL FROM profiles(reference, dataset => 'reference', chunk => INTERVAL '1 month')"
estimate="SELECT * FROM estimate_performance(reference, analysis, $call)"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for ((run = 0; run < runs; run++)); do
    for query in scan profiles estimate; do
        measure "$dir" "${!query}" >> "$scratch/$query"
    done
done
for query in scan profiles estimate; do
    printf '%-9s %6.2f CPU s  %5s MB peak\n' "$query" "$(cut -d' ' -f1 "$scratch/$query" | median)" \
        "$(cut -d' ' -f3 "$scratch/$query" | sort -n | tail -1)"
done
awk -v s="$(cut -d' ' -f1 "$scratch/scan" | median)" -v p="$(cut -d' ' -f1 "$scratch/profiles" | median)" \
    -v e="$(cut -d' ' -f1 "$scratch/estimate" | median)" \
    -v mb="$(cut -d' ' -f3 "$scratch/estimate" | sort -n | tail -1)" \
    'BEGIN {printf "estimate / scan = %.2f   (digest %.2f s, evaluation %.2f s beyond the scan)\n", e / s, p - s, e - p
            exit (e > 1.5 * s || mb > 500)}'
