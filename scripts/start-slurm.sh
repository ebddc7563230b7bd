#!/usr/bin/env bash
# Starts a Slurm of one node on this machine for tests: scripts/start-slurm.sh FOLDER. Needs Debian's slurm-wlm and munge.
# All its files are in FOLDER; `export SLURM_CONF=FOLDER/slurm.conf` makes Slurm's commands use it. `kill $(cat
# FOLDER/*.pid)` stops it.
set -euo pipefail
folder="$(mkdir -p "$1" && cd "$1" && pwd)"
host="$(hostname -s)"
user="$(id -un)"
mkdir -p "$folder/state" "$folder/spool"
# munged requires that other users cannot write to its files.
chmod 755 "$folder"
(umask 077 && head -c 1024 /dev/urandom >"$folder/munge.key")
munged --force --key-file="$folder/munge.key" --socket="$folder/munge.socket" --pid-file="$folder/munged.pid" \
  --log-file="$folder/munged.log" --seed-file="$folder/munged.seed"
# Ports that are free now, so that several instances can run.
read -r control daemon < <(node -e '
  const net = require("node:net");
  const servers = [net.createServer(), net.createServer()];
  Promise.all(servers.map((server) => new Promise((done) => server.listen(0, () => done(server.address().port))))).then(
    (ports) => { console.log(...ports); servers.forEach((server) => server.close()); });')
cat >"$folder/slurm.conf" <<CONF
ClusterName=test
SlurmctldHost=$host
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_min_interval=0,batch_sched_delay=0
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
SlurmctldPort=$control
SlurmdPort=$daemon
KillWait=5
ReturnToService=2
MpiDefault=none
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
NodeName=$host CPUs=$(nproc) State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
export SLURM_CONF="$folder/slurm.conf"
slurmctld
slurmd
for _ in $(seq 60); do
  [ "$(sinfo --noheader --format=%t 2>/dev/null)" = idle ] && exit 0
  sleep 0.5
done
echo "Slurm did not come up; see $folder/slurmctld.log and slurmd.log" >&2
exit 1
