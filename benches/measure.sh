# What the scripts beside this measure a statement with; they set `program` and `scratch`. To be sourced.

# seconds of CPU, seconds, peak resident megabytes of one statement over reference.parquet and analysis.parquet of a folder
measure() {
    local peak=0 now pid status=0 start=$EPOCHREALTIME
    TIMEFORMAT='%U %S'
    { time "$program" --register "reference=$1/reference.parquet" --register "analysis=$1/analysis.parquet" --format csv \
        -c "$2" > /dev/null 2> "$scratch/errors"; } 2> "$scratch/time" &
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
    awk -v peak="$peak" -v start="$start" -v end="$EPOCHREALTIME" \
        '{printf "%.2f %.1f %.0f\n", $1 + $2, end - start, peak / 1024}' "$scratch/time"
}

median() { sort -n | awk '{x[NR] = $1} END {print x[int((NR + 1) / 2)]}'; }
