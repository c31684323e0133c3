# slurm.sh DIRECTORY sbatch|squeue|scancel ...
directory=$1
verb=$2
shift 2
cd "$directory" || exit 1

# One fault at most: "KIND VERB TIMES SECONDS".
broken=""
if read -r kind what times seconds 2>/dev/null < fault; then
    case $verb in
    $what)
        if [ "$times" -gt 0 ]; then
            broken=$kind
            [ "$times" -ge 100000 ] || echo "$kind $what $((times - 1)) $seconds" > fault
            : > hit
        fi
        ;;
    esac
fi

case $broken in
unreachable | unavailable)
    echo "slurm_load_jobs error: Unable to contact slurm controller (connect failure)" >&2
    exit 1
    ;;
throttled)
    echo "slurm_load_jobs error: Socket timed out on send/recv operation" >&2
    exit 1
    ;;
error)
    echo "$verb: error: Zero Bytes were transmitted or received" >&2
    exit 1
    ;;
rejected)
    echo "sbatch: error: QOSMaxSubmitJobPerUserLimit" >&2
    echo "sbatch: error: Batch job submission failed: Job violates accounting/QOS policy" >&2
    exit 1
    ;;
esac

case $verb in
sbatch)
    script=$(mktemp "$directory/script.XXXXXX")
    cat > "$script"
    job=1$(date +%N)$$
    # The job writes its own number before it becomes the script.
    setsid /bin/sh -c 'echo $$ > "$0.new"; mv "$0.new" "$1"; exec /bin/bash "$2"' \
        "$directory/number.$job" "$directory/jobs/$job" "$script" \
        > /dev/null 2>&1 < /dev/null &
    while [ ! -e "jobs/$job" ]; do sleep 0.01; done
    [ "$broken" != late ] || sleep "$seconds"
    [ "$broken" != lost ] || { echo "sbatch: error: Socket timed out" >&2; exit 1; }
    echo "$job"
    ;;
squeue)
    while [ $# -gt 0 ]; do [ "$1" != -j ] || job=$2; shift; done
    # One that has ended may wait for its parent.
    if pid=$(cat "jobs/$job" 2>/dev/null) && grep -q "^State:.[^ZX]" "/proc/$pid/status" 2>/dev/null
    then
        echo "RUNNING 127.0.0.1"
    else
        echo "slurm_load_jobs error: Invalid job id specified" >&2
        exit 1
    fi
    ;;
scancel)
    if pid=$(cat "jobs/$1" 2>/dev/null) && kill -TERM -- "-$pid" 2>/dev/null; then
        setsid /bin/bash -c 'sleep 1; kill -KILL -- "-$0"' "$pid" > /dev/null 2>&1 < /dev/null &
    else
        echo "scancel: error: Kill job error on job id $1: Invalid job id specified" >&2
    fi
    ;;
esac
