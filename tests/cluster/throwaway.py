"""A SLURM of two nodes on this machine, with pretended GPUs; it lives as long as the tests."""

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ETC = Path("/etc/slurm")
"""Where SLURM looks for its configuration. Inside a job nothing else helps: the executor drops SLURM's variables."""
FILES = ("slurm.conf", "gres.conf", "cgroup.conf")
NODES = {"one": "/dev/null", "two": "/dev/zero"}
"""Each node's pretended GPU."""
PROGRAMS = ("slurmctld", "slurmd", "munged", "squeue", "scontrol", "scancel")


def missing() -> str | None:
    """Return why no SLURM can be started here, or None if it can."""
    absent = [name for name in PROGRAMS if shutil.which(name, path=_path()) is None]
    if absent:
        return f"not installed: {', '.join(absent)} (Debian: slurm-wlm munge)"
    if os.geteuid() != 0:
        return "SLURM's daemons need root"
    return f"a SLURM is configured here: {ETC}/slurm.conf" if (ETC / "slurm.conf").exists() else None


def _path() -> str:
    return f"{os.environ['PATH']}:/usr/sbin:/sbin"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _configuration(folder: Path) -> str:
    host = socket.gethostname().split(".")[0]
    nodes = [
        f"NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={_free_port()} CPUs=1 RealMemory=20000 Gres=gpu:1"
        for name in NODES
    ]
    return "\n".join(
        [
            "ClusterName=throwaway",
            f"SlurmctldHost={host}(127.0.0.1)",
            f"SlurmctldPort={_free_port()}",
            "SlurmUser=root",
            "AuthType=auth/munge",
            "ProctrackType=proctrack/linuxproc",
            "TaskPlugin=task/none",
            "JobAcctGatherType=jobacct_gather/none",
            "AccountingStorageType=accounting_storage/none",
            "SelectType=select/cons_tres",
            "SelectTypeParameters=CR_CPU_Memory",
            "GresTypes=gpu",
            "ReturnToService=2",
            # Finished jobs can be asked about until the tests are over.
            "MinJobAge=3000",
            f"StateSaveLocation={folder}/state",
            f"SlurmdSpoolDir={folder}/spool-%n",
            f"SlurmctldLogFile={folder}/slurmctld.log",
            f"SlurmdLogFile={folder}/slurmd-%n.log",
            f"SlurmctldPidFile={folder}/slurmctld.pid",
            f"SlurmdPidFile={folder}/slurmd-%n.pid",
            *nodes,
            "PartitionName=main Nodes=ALL Default=YES State=UP MaxTime=INFINITE",
            "",
        ]
    )


@dataclass(frozen=True)
class Slurm:
    """A running SLURM; `environment` is what its commands need."""

    environment: dict[str, str]

    def ask(self, *command: str) -> str:
        """Run one of SLURM's commands and return what it printed."""
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=True)
        return done.stdout

    def jobs(self) -> list[dict[str, str]]:
        """Return what SLURM knows of every job so far."""
        lines = self.ask("scontrol", "show", "job", "--oneliner").splitlines()
        return [dict(re.findall(r"(\S+?)=(\S*)", line)) for line in lines if line.startswith("JobId")]

    def running(self, rule: str) -> dict[str, str] | None:
        """Return a running job of a rule, if there is one: its log lies in a folder of the rule's name."""
        running = [job for job in self.jobs() if job["JobState"] == "RUNNING" and f"/rule_{rule}/" in job["StdOut"]]
        return running[0] if running else None

    def wait_for(self, rule: str, *, seconds: float) -> dict[str, str]:
        """Wait until a job of a rule runs.

        Raises:
            TimeoutError: none did.
        """
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            job = self.running(rule)
            if job is not None:
                return job
            time.sleep(0.2)
        raise TimeoutError(f"no job of {rule} ran within {seconds} s")


@contextmanager
def throwaway_slurm(folder: Path) -> Iterator[Slurm]:
    """Start the daemons and yield the cluster; everything is stopped at the end."""
    (folder / "state").mkdir(parents=True)
    (folder / "slurm.conf").write_text(_configuration(folder))
    gpus = [f"NodeName={name} Name=gpu File={GPU}\n" for name, GPU in NODES.items()]
    (folder / "gres.conf").write_text("".join(gpus))
    (folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\nCgroupAutomount=no\n")
    slurm = Slurm({**os.environ, "PATH": _path()})
    munged = _start_munge(slurm.environment)
    ETC.mkdir(exist_ok=True)
    try:
        for name in FILES:
            (ETC / name).symlink_to(folder / name)
        subprocess.run(["slurmctld"], env=slurm.environment, check=True)
        for name in NODES:
            subprocess.run(["slurmd", "-N", name], env=slurm.environment, check=True)
        _wait_for_nodes(slurm)
        yield slurm
    finally:
        subprocess.run(["scontrol", "shutdown"], env=slurm.environment, check=False, capture_output=True)
        for name in FILES:
            (ETC / name).unlink(missing_ok=True)
        if munged is not None:
            munged.terminate()
            munged.wait()


def _start_munge(environment: dict[str, str]) -> "subprocess.Popen[bytes] | None":
    if (
        Path("/run/munge/munge.socket.2").exists()
        and subprocess.run(["pgrep", "-x", "munged"], check=False).returncode == 0
    ):
        return None
    Path("/run/munge").mkdir(exist_ok=True)
    shutil.chown("/run/munge", "munge", "munge")
    return subprocess.Popen(["runuser", "-u", "munge", "--", "munged", "--foreground"], env=environment)


def _wait_for_nodes(slurm: Slurm) -> None:
    for _ in range(100):
        done = subprocess.run(
            ["sinfo", "--noheader", "--Node", "--format=%t"],
            env=slurm.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.stdout.split() == ["idle"] * len(NODES):
            return
        time.sleep(0.2)
    raise TimeoutError(f"the nodes did not come up: {done.stdout} {done.stderr}")
