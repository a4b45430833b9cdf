#!/bin/bash
# A run on the nodes of a Slurm job: docs/cluster.md, "Slurm". What follows the script's name goes to `housemates run`:
#   sbatch --nodes=4 deploy/slurm.sh --agents 32 --llm openai:MODEL --base-url http://MODELS:8000/v1
# To go on with a run that was cut short (time limit, a lost node):
#   sbatch --nodes=4 --export=ALL,RESUME=runs/slurm-1234 deploy/slurm.sh
# It takes nodes for itself: when it ends, `ray stop` ends every Ray of this user there.
#SBATCH --job-name=housemates
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --exclusive
#SBATCH --time=04:00:00
#SBATCH --signal=TERM@60
set -euo pipefail

# Everybody on the network could use a Ray without a token. The home is shared by the nodes.
export RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH="$HOME/.ray/auth_token"
[ -s "$RAY_AUTH_TOKEN_PATH" ] || { echo "make a token first: ray get-auth-token --generate" >&2; exit 2; }
chmod 600 "$RAY_AUTH_TOKEN_PATH"
export RAY_USAGE_STATS_ENABLED=0 RAY_SYMMETRIC_RUN_CLUSTER_WAIT_TIMEOUT=300

head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
address=$(srun --nodes=1 --ntasks=1 --nodelist="$head" hostname --ip-address | awk '{ print $1 }')
address="$address:$((20000 + SLURM_JOB_ID % 10000))"

if [ -n "${RESUME:-}" ]; then
    command=(housemates resume "$RESUME" --address "$address")
else
    command=(housemates run --out "runs/slurm-$SLURM_JOB_ID" --address "$address" "$@")
fi

# Starts Ray on every node, waits until all are there, and runs the command on the first.
srun --nodes="$SLURM_JOB_NUM_NODES" --ntasks-per-node=1 \
    ray symmetric-run --address "$address" --min-nodes "$SLURM_JOB_NUM_NODES" -- "${command[@]}"
