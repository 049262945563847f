#!/usr/bin/env bash
# A SLURM cluster of one node on this machine, without systemd: Debian's slurm-wlm and munge, started by hand.
#   cluster.sh start FOLDER    cluster.sh stop FOLDER
# Needs root. Everything it makes is in FOLDER; `stop` ends the processes that `start` began, and no other.
set -euo pipefail
command=$1
mkdir -p "$2"
folder=$(cd "$2" && pwd)

end() { # PIDFILE
  [ -s "$1" ] || return 0
  local pid
  pid=$(cat "$1")
  kill "$pid" 2>/dev/null || return 0
  for _ in $(seq 50); do kill -0 "$pid" 2>/dev/null || return 0; sleep 0.1; done
  kill -9 "$pid" 2>/dev/null || true
}

jobs() { SLURM_CONF=$folder/slurm.conf timeout 5 squeue --noheader "$@"; }

stop() {
  # A job's own process outlives the daemons if they go first.
  if [ -s "$folder/slurmctld.pid" ] && [ -n "$(jobs)" ]; then
    SLURM_CONF=$folder/slurm.conf timeout 5 scancel --user="$(id -un)" || true
    for _ in $(seq 100); do [ -z "$(jobs)" ] && break; sleep 0.2; done
  fi
  end "$folder/slurmd.pid"
  end "$folder/slurmctld.pid"
  end "$folder/munged.pid"
}

case $command in
start)
  trap 'stop' ERR
  host=$(hostname -s)
  read -r controller node <<<"$(python3 -c '
import socket
a, b = socket.socket(), socket.socket()
a.bind(("127.0.0.1", 0)); b.bind(("127.0.0.1", 0))
print(a.getsockname()[1], b.getsockname()[1])')"
  mkdir -p "$folder"/{munge,state,spool}
  chmod 755 "$folder"
  head -c 128 /dev/urandom >"$folder/munge/key"
  chmod 700 "$folder/munge"
  chmod 600 "$folder/munge/key"
  munged --force --key-file="$folder/munge/key" --socket="$folder/munge.socket" --pid-file="$folder/munged.pid" \
    --log-file="$folder/munge/log" --seed-file="$folder/munge/seed"
  cat >"$folder/slurm.conf" <<CONF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
SlurmctldPort=$controller
SlurmdPort=$node
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MpiDefault=none
ReturnToService=2
JobRequeue=1
KillWait=30
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc --all) State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
  export SLURM_CONF=$folder/slurm.conf
  slurmctld -c
  slurmd
  for _ in $(seq 100); do
    [ "$(sinfo --noheader --format=%T 2>/dev/null)" = idle ] && exit 0
    sleep 0.2
  done
  echo "the node did not come up; see $folder/slurmctld.log and $folder/slurmd.log" >&2
  stop
  exit 1
  ;;
stop)
  stop
  ;;
*)
  echo "usage: $0 start|stop FOLDER" >&2
  exit 2
  ;;
esac
