#!/usr/bin/env python3
"""Mine the same log with pm4py and with Omote, on this machine, side by side.

    bench/peers/mining_pm4py.py --omote ./omote --log BPI_Challenge_2012.xes.gz [--map MAP] [--align 20]

Compares the map (edges and transitions), the variants and eventually-follows:
first that the counts are equal, then the time of each. With --map, a designed
journey of the loan log in the form of "omote journey align", cases are aligned
too: all of them by Omote, a sample of --align by pm4py to a model of the same
steps. Seconds of the processor stand beside seconds of the clock, because a busy
machine stretches only the latter. Prints one JSON object.

pm4py is installed from PyPI into a virtual environment beside this file's cache
(--venv) when it is not there yet.
"""
import argparse
import json
import os
import subprocess
import sys
import time


def within(venv):
    """Runs this script again under an environment that has pm4py."""
    python = os.path.join(venv, "bin", "python")
    if not os.path.exists(python):
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "pm4py"], check=True)
    os.execv(python, [python] + sys.argv)


try:
    import pm4py
    from pm4py.statistics.eventually_follows.log import get as efg
except ImportError:
    pm4py = None


def timed(f):
    start, cpu = time.perf_counter(), time.process_time()
    out = f()
    return out, {"clock_s": round(time.perf_counter() - start, 3), "processor_s": round(time.process_time() - cpu, 3)}


def run(*command):
    """Runs Omote and gives its JSON with both times."""
    before, start = os.times(), time.perf_counter()
    out = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return out, {"clock_s": round(time.perf_counter() - start, 3), "processor_s": round(cpu, 3)}


def loan_tree():
    """The map bpic2012_loan.yaml as a process tree."""
    return pm4py.objects.process_tree.utils.generic.parse(
        "->( 'A_SUBMITTED', 'A_PARTLYSUBMITTED', 'A_PREACCEPTED', *( 'W_Completeren aanvraag', tau ), 'A_ACCEPTED', "
        "+( 'A_FINALIZED', ->( 'O_SELECTED', 'O_CREATED', 'O_SENT' ) ), *( 'W_Nabellen offertes', tau ), 'O_SENT_BACK', "
        "X( 'O_ACCEPTED', 'O_DECLINED' ) )")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--omote", required=True)
    p.add_argument("--log", required=True)
    p.add_argument("--map", help="a designed journey of the log")
    p.add_argument("--align", type=int, default=20, help="cases that pm4py aligns")
    p.add_argument("--venv", default=os.path.join(os.path.expanduser("~"), ".cache", "omote-peers"))
    a = p.parse_args()
    if pm4py is None:
        within(a.venv)

    log, read = timed(lambda: pm4py.read_xes(a.log))
    dfg, dfg_s = timed(lambda: pm4py.discover_dfg(log)[0])
    variants, variants_s = timed(lambda: pm4py.get_variants(log))
    events = pm4py.convert_to_event_log(log)
    follows, follows_s = timed(lambda: efg.apply(events))
    report, omote = run(a.omote, "mine", a.log, "--json")
    out = {
        "pm4py": {"version": pm4py.__version__, "read": read, "map": dfg_s, "variants": variants_s, "eventually_follows": follows_s},
        "omote": {"read_and_report": omote},
        "equal": {
            "edges": len(dfg) == report["dfg_edges"],
            "transitions": sum(dfg.values()) == report["dfg_edge_total"],
            "variants": len(variants) == report["variants"],
            "each_edge": all(dfg.get((e["source"], e["target"])) == e["count"] for e in report["dfg_all"]),
        },
        "eventually_follows_pairs": len(follows),
    }
    if a.map:
        found, omote_align = run(a.omote, "journey", "align", a.log, a.map, "--json")
        net, start, end = pm4py.convert_to_petri_net(loan_tree())
        every = max(1, len(events) // a.align)  # cases of all kinds, not the first ones alone
        sample = pm4py.objects.log.obj.EventLog(list(events)[::every][: a.align])
        _, pm4py_align = timed(lambda: pm4py.conformance_diagnostics_alignments(sample, net, start, end))
        out["align"] = {"omote": {**omote_align, "cases": found["cases"], "align_s": found["seconds"]}, "pm4py": {**pm4py_align, "cases": len(sample)},
                        "cases_per_processor_second": {"omote": round(found["cases"] / max(omote_align["processor_s"], 1e-9)), "pm4py": round(len(sample) / max(pm4py_align["processor_s"], 1e-9), 2)}}
    print(json.dumps(out, indent=2))


if __name__ == "__main__":
    main()
