"""What rows find, the bars that it is held against, and the table."""
import statistics

NOISE_CORES = 0.25
# A target's name in the table; ours is "zkcli".
NAMES = {
    "floor": "the floor", "hand-over": "the floor with a thread for each log", "disk": "bare writes of a log",
    "null": "a server that does nothing",
    "log": "a server that only logs", "kept": "reading and keeping it in C", "learn": "learning it in C",
    "apache": "Apache", "etcd": "etcd", "redis": "Redis", "payload": "names and data", "small": "with 1,000 znodes",
    "without": "without it", "asked": "what is asked for", "before": "before it", "fixed": ""}


class Figure:
    """One quantity of a row: samples of ours and of whatever it is compared with.

    A sample is (value, cores that others used meanwhile). `absent` says of a target why it has none.
    """

    def __init__(self, key, work, unit, higher_is_better=False):
        self.key, self.work, self.unit, self.higher_is_better = key, work, unit, higher_is_better
        self.samples, self.absent = {}, {}

    def add(self, target, value, other_cores=0.0):
        self.samples.setdefault(target, []).append((float(value), float(other_cores)))

    def value(self, target):
        """The median of the quiet samples, or of the three least disturbed, and whether they are quiet."""
        samples = self.samples.get(target)
        if not samples:
            return None, True
        quiet = [value for value, other in samples if other <= NOISE_CORES]
        chosen = quiet or [value for value, _ in sorted(samples, key=lambda sample: sample[1])[:3]]
        return statistics.median(chosen), bool(quiet)


def read_bars(path):
    """The bars by the figure's key: lists of (target, relation, limit). See bars.txt for the format."""
    bars = {}
    with open(path) as lines:
        for number, line in enumerate(lines, 1):
            words = line.split("#")[0].split()
            if not words:
                continue
            if len(words) != 4 or words[2] not in ("<=", ">="):
                raise SystemExit(f"{path}:{number}: not FIGURE TARGET <=|>= LIMIT")
            top, _, bottom = words[3].partition("/")
            bars.setdefault(words[0], []).append((words[1], words[2], float(top) / float(bottom or 1)))
    return bars


def number(value):
    """Three digits that mean something, and thousands with commas."""
    if value is None:
        return "-"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}"


def judge(figure, bars, counts):
    """A line of the table for each target, as a dictionary; `counts` is whether the figures are meant to count."""
    ours, is_quiet = figure.value("zkcli")
    lines = []
    listed = {target: (relation, limit) for target, relation, limit in bars}
    targets = [target for target in [*figure.samples, *figure.absent] if target != "zkcli"]
    targets += [target for target in listed if target not in targets]
    for target in targets or [None]:
        base, is_base_quiet = (1.0, True) if target == "fixed" else figure.value(target)
        ratio = ours / base if ours is not None and base else None
        relation, limit = listed.get(target, (None, None))
        verdict = ""
        if target in figure.absent:
            verdict = figure.absent[target]
        elif ratio is None:
            verdict = "no figure" if target else ""
        elif limit is not None:
            holds = ratio <= limit if relation == "<=" else ratio >= limit
            verdict = "ok" if holds else "MISSED"
            if not counts:
                verdict = f"({verdict})"
            elif not (is_quiet and is_base_quiet):
                verdict += " (busy)"
        lines.append({
            "figure": figure.key, "target": target, "base": base if target != "fixed" else None, "ratio": ratio,
            "relation": relation, "limit": limit, "verdict": verdict})
    return ours, lines


def print_table(figures, bars, counts):
    """Prints the table; returns its lines, and whether a bar that counts is missed."""
    rows, everything, missed = [], [], False
    for figure in figures:
        ours, lines = judge(figure, bars.get(figure.key, []), counts)
        everything += lines
        for index, line in enumerate(lines):
            missed = missed or line["verdict"].startswith("MISSED")
            limit = ""
            if line["limit"] is not None:
                limit = f"{line['relation']} {number(line['limit'])}"
                limit += f" {figure.unit}" if line["target"] == "fixed" else " x"
            base = NAMES.get(line["target"], line["target"] or "")
            if line["base"] is not None:
                base += f" {number(line['base'])}"
            ratio = "" if line["ratio"] is None or line["target"] == "fixed" else f"{number(line['ratio'])} x"
            first = index == 0
            rows.append((
                figure.work if first else "", f"{number(ours)} {figure.unit}" if first else "",
                " ".join(filter(None, (limit, base))), ratio, line["verdict"]))
    head = ("work", "measured", "bar", "ratio", "verdict")
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    for row in [head, tuple("-" * width for width in widths), *rows]:
        print(" | ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip())
    return everything, missed
