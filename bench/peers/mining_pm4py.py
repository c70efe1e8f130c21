#!/usr/bin/env python3
"""Mine the same log with pm4py and with Omote, on this machine, side by side.

    python3 -m venv venv && venv/bin/pip install pm4py
    venv/bin/python bench/peers/mining_pm4py.py --omote ./omote --log BPI_Challenge_2012.xes.gz

Compares the map (edges and transitions), the variants and eventually-follows:
first that the counts are equal, then the time of each. Reading the file is timed
for both. Prints one JSON object.
"""
import argparse
import json
import subprocess
import time

import pm4py
from pm4py.statistics.eventually_follows.log import get as efg


def timed(f):
    start = time.perf_counter()
    out = f()
    return out, round(time.perf_counter() - start, 3)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--omote", required=True)
    p.add_argument("--log", required=True)
    a = p.parse_args()

    log, read = timed(lambda: pm4py.read_xes(a.log))
    dfg, dfg_s = timed(lambda: pm4py.discover_dfg(log)[0])
    variants, variants_s = timed(lambda: pm4py.get_variants(log))
    events = pm4py.convert_to_event_log(log)
    follows, follows_s = timed(lambda: efg.apply(events))

    start = time.perf_counter()
    report = json.loads(subprocess.run([a.omote, "mine", a.log, "--json"], check=True, capture_output=True).stdout)
    omote_s = round(time.perf_counter() - start, 3)

    print(json.dumps({
        "pm4py": {"version": pm4py.__version__, "read_s": read, "map_s": dfg_s, "variants_s": variants_s, "eventually_follows_s": follows_s},
        "omote": {"read_and_report_s": omote_s},
        "equal": {
            "edges": len(dfg) == report["dfg_edges"],
            "transitions": sum(dfg.values()) == report["dfg_edge_total"],
            "variants": len(variants) == report["variants"],
            "each_edge": all(dfg.get((e["source"], e["target"])) == e["count"] for e in report["dfg_all"]),
        },
        "eventually_follows_pairs": len(follows),
    }, indent=2))


if __name__ == "__main__":
    main()
