#!/usr/bin/env bash
# Tables for kinds_throughput.sh: tables.sh DIR [ROWS]
#
# Writes binary/, classes/ and regression/ under DIR, each with analysis.parquet of ROWS rows (default 10 million) over 24 months
# and reference.parquet of a tenth of them over the 6 months before. The program makes the rows itself, from two steps of a
# congruential generator for each column, so that they are the same wherever it runs.
set -euo pipefail
mkdir -p "$1"
dir=$(cd "$1" && pwd)
rows=${2:-10000000}
cd "$(dirname "$0")/.."
program=${CARGO_TARGET_DIR:-target}/release/modelwatch
[[ -x $program ]] || cargo build --release

# uniform in (0, 1), of the K-th column
uniform() { echo "(((i * $((16807 + 2 * $1)) % 2147483647) * $((48271 + 4 * $1)) % 2147483647 + 0.5) / 2147483647.0)"; }
# about normal, with mean 0 and variance 1, from four uniforms
normal() { echo "(($(uniform $((4 * $1))) + $(uniform $((4 * $1 + 1))) + $(uniform $((4 * $1 + 2))) + $(uniform $((4 * $1 + 3))) - 2) * 1.732)"; }

# TABLE SELECTION: both tables of a kind; time runs with the rows
table() {
    mkdir -p "$dir/$1"
    for part in "reference $((rows / 10)) 0 15638400 0" "analysis $rows 15724800 63158400 $rows"; do
        read -r name count first seconds offset <<< "$part"
        "$program" -c "COPY (SELECT to_timestamp(1688169600 + $first + (i - $offset) * $seconds / $count) AS timestamp, $2
            FROM (SELECT $3, i FROM (SELECT CAST(value AS BIGINT) AS i FROM generate_series(1 + $offset, $count + $offset))))
            TO '$dir/$1/$name.parquet' STORED AS PARQUET" > /dev/null
    done
}

table binary "s AS y_pred_proba, CAST(s >= 0.5 AS BIGINT) AS y_pred, CAST(u < s AS BIGINT) AS y_true" \
    "1 / (1 + exp(-1.5 * $(normal 1))) AS s, $(uniform 9) AS u"
table classes "a / (a + b + c) AS a, b / (a + b + c) AS b, c / (a + b + c) AS c,
    CASE WHEN a >= b AND a >= c THEN 'a' WHEN b >= c THEN 'b' ELSE 'c' END AS y_pred,
    CASE WHEN u < a / (a + b + c) THEN 'a' WHEN u < (a + b) / (a + b + c) THEN 'b' ELSE 'c' END AS y_true" \
    "exp(1.5 * $(normal 1)) AS a, exp(1.5 * $(normal 2)) AS b, exp(1.5 * $(normal 3)) AS c, $(uniform 17) AS u"
columns=$(for ((k = 0; k < 10; k++)); do echo "$(normal $((k + 5))) AS x$k,"; done)
table regression "x0, x1, x2, x3, x4, x5, x6, x7, x8, x9, f AS y_pred, f + (2 + x0 + sin(3 * x1)) * e AS y_true" \
    "$columns 100 + 10 * $(normal 1) AS f, $(normal 2) AS e"
