#!/usr/bin/env bash
# CPU and memory by kind of model: kinds_throughput.sh DIR [RUNS]
#
# DIR holds what tables.sh made. Prints user + system seconds of the whole process (median of RUNS, default 5), in turns with
# averaging the same columns by month in the same program, and peak memory: realized metrics of two classes and of a
# regression, the estimate for three classes, and direct loss estimation of a regression from ten columns.
# Fails when realized metrics take more than 1.5 times the averages, the estimate for three classes more than 3 times, the fit
# of one loss on the reference more than 60 s of CPU or 1 GB, or fit and estimate together more than 120 s or 2 GB.
set -euo pipefail
dir=$(cd "$1" && pwd)
runs=${2:-5}
cd "$(dirname "$0")/.."
program=${CARGO_TARGET_DIR:-target}/release/modelwatch
[[ -x $program ]] || cargo build --release
source benches/measure.sh
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
missed=0

# sum or maximum of columns by month, of both tables
scan() {
    local read="date_trunc('month', timestamp)" column
    for column in "$@"; do read+=", $column"; done
    echo "SELECT $read FROM analysis GROUP BY 1 UNION ALL SELECT $read FROM reference GROUP BY 1"
}

figure() { cut -d' ' -f"$2" "$scratch/$1" | median; }

# NAME TABLE BAR SCAN QUERY
ratio() {
    local run query scan=$4 ours=$5
    for ((run = 0; run < runs; run++)); do
        for query in scan ours; do
            measure "$dir/$2" "${!query}" >> "$scratch/$1.$query"
        done
    done
    awk -v name="$1" -v bar="$3" -v s="$(figure "$1.scan" 1)" -v o="$(figure "$1.ours" 1)" -v mb="$(figure "$1.ours" 3)" \
        'BEGIN {printf "%-32s %6.2f CPU s, scan %5.2f, ratio %.2f (bar %s), %d MB peak\n", name, o, s, o / s, bar, mb
                exit (o > bar * s)}' || missed=1
}

# NAME TABLE MOST_SECONDS MOST_MB QUERY
total() {
    local run
    for ((run = 0; run < runs; run++)); do measure "$dir/$2" "$5" >> "$scratch/$1"; done
    awk -v name="$1" -v most="$3" -v room="$4" -v s="$(figure "$1" 1)" -v mb="$(figure "$1" 3)" \
        'BEGIN {printf "%-32s %6.2f CPU s (bar %d), %d MB peak (bar %d)\n", name, s, most, mb, room; exit (s > most || mb > room)}' || missed=1
}

month="chunk => INTERVAL '1 month'"
ratio realized_binary binary 1.5 "$(scan 'avg(y_pred_proba)' 'avg(y_pred)' 'avg(y_true)')" \
    "SELECT * FROM realized_performance(reference, analysis, $month)"
ratio realized_regression regression 1.5 "$(scan 'avg(y_pred)' 'avg(y_true)')" \
    "SELECT * FROM realized_performance(reference, analysis, problem_type => 'regression', $month)"
ratio estimate_three_classes classes 3 "$(scan 'avg(a)' 'avg(b)' 'avg(c)' 'max(y_pred)' 'max(y_true)')" \
    "SELECT * FROM estimate_performance(reference, analysis, score => {'a': a, 'b': b, 'c': c}, $month)"

columns=$(for ((k = 0; k < 10; k++)); do printf 'x%d, ' $k; done)
features=$(for ((k = 0; k < 10; k++)); do printf "'x%d': x%d, " $k $k; done)
total fit_one_loss regression 60 1024 \
    "SELECT describe_gbdt(fit_gbdt(abs(y_true - y_pred), {$features 'y_pred': y_pred})) FROM reference"
# fit and estimate together
total estimate_mae regression 120 2048 \
    "SELECT * FROM estimate_performance(reference, analysis, problem_type => 'regression', metrics => 'mae', columns => [${columns%, }], $month)"
exit "$missed"
