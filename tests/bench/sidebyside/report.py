"""From rounds to medians, tables, JSON and tests/bench/RESULTS.md."""

import datetime
import json
import shutil
import statistics
import subprocess

from sidebyside import machine


def spread(values):
    """Median, least and greatest."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def summarise(scenario, rounds):
    """What stands in the JSON of one scenario."""
    contenders = {}
    for name in rounds[0]:
        keys = rounds[0][name]
        contenders[name] = {key: spread([figures[name][key] for figures in rounds])
                            for key in keys}
    ratios = {}
    for figures in rounds:
        for ratio in scenario.ratios(figures):
            entry = ratios.setdefault(ratio.title, {"goal": ratio.goal, "digits": ratio.digits,
                                                    "values": []})
            entry["values"].append(ratio.value)
    for entry in ratios.values():
        entry.update(spread(entry.pop("values")))
    return {"about": scenario.about, "rounds": rounds, "contenders": contenders, "ratios": ratios}


def _number(value, digits):
    return f"{value:,.{digits}f}"


def _cell(figure, digits):
    if figure is None:
        return "–"
    middle = _number(figure["median"], digits)
    low, high = _number(figure["min"], digits), _number(figure["max"], digits)
    return middle if low == high else f"{middle} ({low}–{high})"


def _table(head, rows):
    """Markdown that reads well as plain text, too."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    def line(cells):
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths)) + " |"
    return [line(head), "|" + "|".join("-" * (width + 2) for width in widths) + "|",
            *map(line, rows)]


def scenario_lines(scenario, summary):
    lines = [f"### {scenario.name}: {scenario.about}", ""]
    for title, columns in scenario.sections:
        rows = []
        for name, figures in summary["contenders"].items():
            if any(column.key in figures for column in columns):
                rows.append([name, *(_cell(figures.get(column.key), column.digits)
                                     for column in columns)])
        if rows:
            head = [title, *(column.title for column in columns)]
            lines += [*_table(head, rows), ""]
    if summary["ratios"]:
        rows = [[title, _cell(entry, entry["digits"]), entry["goal"]]
                for title, entry in summary["ratios"].items()]
        lines += [*_table(["within each round", "median (min–max)", "goal"], rows), ""]
    return lines


def commit_of(root):
    """The commit, with a mark if files differ from it."""
    if shutil.which("git") is None:
        return "unknown"
    result = subprocess.run(
        ["git", "-C", root, "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
        capture_output=True, text=True, check=False)
    return result.stdout.strip() or "unknown"


def results(options, root, summaries):
    now = datetime.datetime.now(datetime.timezone.utc)
    return {"date": now.strftime("%Y-%m-%d %H:%M UTC"), "commit": commit_of(root),
            "machine": machine.describe(),
            "rounds": options.rounds, "seconds": options.seconds, "scenarios": summaries}


def heading_lines(result):
    facts = result["machine"]
    return [f"## {result['date']}, commit {result['commit']}", "",
            f"{facts['cpu']}, {facts['cores']} cores, {facts['memory_gib']} GiB, "
            f"Linux {facts['kernel']}; load average at the end {facts['load_average']}. "
            f"{result['rounds']} rounds of {result['seconds']:g} s; median (min–max).", ""]


def record(file, result, lines):
    """Appends to RESULTS.md."""
    with file.open("a", encoding="utf-8") as out:
        out.write("\n" + "\n".join([*heading_lines(result), *lines]).rstrip() + "\n")


def write_json(file, result):
    file.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
