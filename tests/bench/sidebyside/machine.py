"""What the kernel tells about this machine and about a process."""

import dataclasses
import os
import pathlib
import platform
import time

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclasses.dataclass(frozen=True)
class Cpu:
    """CPU seconds."""

    user: float = 0.0
    system: float = 0.0
    total: float = 0.0

    def __sub__(self, other):
        return Cpu(self.user - other.user, self.system - other.system, self.total - other.total)

    def micros_per(self, count):
        """User, system and total microseconds for each of `count`. The total is exact; the kernel
        samples the two parts, so they are scaled to it."""
        parts = self.user + self.system
        share = self.user / parts if parts else 0.5
        total = 1e6 * self.total / max(1, count)
        return share * total, (1 - share) * total, total


def cpu_of(pid):
    """CPU time of all threads of a process so far."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return Cpu(int(fields[11]) / _TICKS, int(fields[12]) / _TICKS, total / 1e9)


def status_of(pid, field):
    """A number of /proc/PID/status, of memory in bytes: VmRSS, VmHWM."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            words = value.split()
            return int(words[0]) * (1024 if words[-1] == "kB" else 1)
    raise KeyError(field)


def voluntary_switches_of(pid):
    """Voluntary context switches of all threads of a process so far."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        for line in (task / "status").read_text().splitlines():
            if line.startswith("voluntary_ctxt_switches:"):
                total += int(line.split()[1])
    return total


def busy_seconds(core):
    """How long a core was not idle so far, whoever used it, or took it away (a hypervisor)."""
    for line in pathlib.Path("/proc/stat").read_text().splitlines():
        words = line.split()
        if words[0] == f"cpu{core}":
            user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, words[1:9])
            return (user + nice + system + irq + softirq + steal) / _TICKS
    raise KeyError(core)


def cores():
    """The core of the contender and that of load and sink; None if there are not two."""
    allowed = sorted(os.sched_getaffinity(0))
    return (allowed[0], allowed[1]) if len(allowed) >= 2 else None


def wait_quiet(some_cores, seconds_max):
    """Waits, though not for ever, until others leave these cores alone."""
    deadline = time.monotonic() + seconds_max
    while time.monotonic() < deadline:
        before = [busy_seconds(core) for core in some_cores]
        time.sleep(0.5)
        busy = [busy_seconds(core) - past for core, past in zip(some_cores, before)]
        if max(busy) <= 0.05:
            return


def describe():
    """The machine as it stands in results."""
    model = "unknown"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"cpu": model, "cores": len(os.sched_getaffinity(0)), "kernel": platform.release(),
            "memory_gib": round(memory / 2**30, 1), "load_average": round(os.getloadavg()[0], 2)}
