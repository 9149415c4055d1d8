#!/usr/bin/env bash
# CPU and memory of univariate_drift against reading the same columns: drift_throughput.sh DIR [RUNS]
#
# DIR holds reference.parquet and analysis.parquet with columns timestamp, the numbers age, income, utilisation, tenure and
# amount, and the texts region, channel, product, device and merchant. Prints user + system seconds of the whole
# process (median of RUNS, default 5), in turns, and peak memory; then a table of 200 columns and a million rows that
# the program makes up. Fails when drift takes more than twice the scan or 1.5 GB, or the 200 columns more than one scan of
# either table, 60 s or 4 GB.
set -euo pipefail
dir=$(cd "$1" && pwd)
runs=${2:-5}
cd "$(dirname "$0")/.."
program=${CARGO_TARGET_DIR:-target}/release/modelwatch
[[ -x $program ]] || cargo build --release
source benches/measure.sh
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

numbers=(age income utilisation tenure amount)
texts=(region channel product device merchant)
list() { local IFS=,; echo "$*"; }
reads="date_trunc('month', timestamp)"
for name in "${numbers[@]}"; do reads+=", avg($name)"; done
for name in "${texts[@]}"; do reads+=", max($name)"; done
scan="SELECT $reads FROM analysis GROUP BY 1 UNION ALL SELECT $reads FROM reference GROUP BY 1"
drift="SELECT * FROM univariate_drift(reference, analysis, columns => [$(list "${numbers[@]}" "${texts[@]}")], metrics => 'jensen_shannon', chunk => INTERVAL '1 month')"

for ((run = 0; run < runs; run++)); do
    for query in scan drift; do
        measure "$dir" "${!query}" >> "$scratch/$query"
    done
done
for query in scan drift; do
    printf '%-6s %6.2f CPU s  %5s MB peak\n' "$query" "$(cut -d' ' -f1 "$scratch/$query" | median)" \
        "$(cut -d' ' -f3 "$scratch/$query" | sort -n | tail -1)"
done
missed=0
awk -v s="$(cut -d' ' -f1 "$scratch/scan" | median)" -v d="$(cut -d' ' -f1 "$scratch/drift" | median)" \
    -v mb="$(cut -d' ' -f3 "$scratch/drift" | sort -n | tail -1)" \
    'BEGIN {printf "drift / scan = %.2f\n", d / s; exit (d > 2 * s || mb > 1536)}' || missed=1

# 150 columns of numbers and 50 of texts; the analysis is a million rows, the reference a quarter of it
mkdir "$scratch/wide"
columns=$(for ((i = 0; i < 150; i++)); do echo ", sin(i * $((i + 3)) * 0.7) * $((i + 1)) AS x$i"; done
          for ((i = 0; i < 50; i++)); do echo ", 'k' || (i * $((i + 7919)) % $((i + 5))) AS c$i"; done)
for table in reference:250000:0 analysis:1000000:7948800; do
    IFS=: read -r name rows first <<< "$table"
    "$program" -c "COPY (SELECT to_timestamp(1704067200 + $first + CAST(i AS BIGINT) * 7948800 / $rows) AS timestamp $columns
        FROM generate_series(1, $rows) AS t(i)) TO '$scratch/wide/$name.parquet' STORED AS PARQUET" > /dev/null
done
wide="SELECT * FROM univariate_drift(reference, analysis, chunk => INTERVAL '1 month')"
scans=$("$program" --register "reference=$scratch/wide/reference.parquet" --register "analysis=$scratch/wide/analysis.parquet" \
    --format tsv -c "EXPLAIN FORMAT INDENT $wide" | grep -c 'DataSourceExec' || true)
read -r cpu seconds mb < <(measure "$scratch/wide" "$wide")
echo "200 columns, 1,250,000 rows: $scans scans of two tables, $seconds s ($cpu CPU s), $mb MB peak (bar 2 scans, 60 s, 4096 MB)"
awk -v scans="$scans" -v s="$seconds" -v mb="$mb" 'BEGIN {exit (scans > 2 || s > 60 || mb > 4096)}' || missed=1
exit "$missed"
