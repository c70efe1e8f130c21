#!/usr/bin/env python3
"""Link the same files with Splink and with Omote, on this machine, side by side.

    python3 -m venv venv && venv/bin/pip install splink pandas
    venv/bin/python bench/peers/linkage_splink.py --omote ./omote --data DIR

DIR holds febrl_dataset3.csv and splink_historical_50k.csv. Splink's models are
those of its own examples for these two files (comparisons, blocking rules and
training), at the probability threshold, among ten tried, at which its clusters
score best against the truth: better than a user without truth can choose.
Omote runs with its defaults. Prints one JSON object.
"""
import argparse
import collections
import json
import subprocess
import time

import pandas as pd
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

THRESHOLDS = [0.01, 0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999]


def scores(truth, found):
    """Pairwise and B-cubed precision, recall and F1."""
    both, t, f = collections.Counter(zip(truth, found)), collections.Counter(truth), collections.Counter(found)
    pairs = lambda c: sum(n * (n - 1) / 2 for n in c.values())
    hit, ft, tt = pairs(both), pairs(f), pairs(t)
    p, r = (hit / ft if ft else 1.0), hit / tt
    n = len(truth)
    bp = sum(c * c / f[k[1]] for k, c in both.items()) / n
    br = sum(c * c / t[k[0]] for k, c in both.items()) / n
    f1 = lambda a, b: 2 * a * b / (a + b) if a + b else 0.0
    return {"pairs_f1": f1(p, r), "b3_f1": f1(bp, br)}


def febrl(path):
    df = pd.read_csv(path, skipinitialspace=True, dtype=str)
    df.columns = [c.strip() for c in df.columns]
    df = df.rename(columns={"rec_id": "unique_id"})
    df["cluster"] = df["unique_id"].str.split("-").str[1]
    settings = SettingsCreator(
        link_type="dedupe_only",
        blocking_rules_to_generate_predictions=[
            block_on("soc_sec_id"), block_on("given_name"), block_on("surname"), block_on("date_of_birth"), block_on("postcode")],
        comparisons=[
            cl.NameComparison("given_name"), cl.NameComparison("surname"),
            cl.DamerauLevenshteinAtThresholds("soc_sec_id", [1, 2]), cl.DamerauLevenshteinAtThresholds("date_of_birth", [1, 2]),
            cl.DamerauLevenshteinAtThresholds("postcode", [1, 2]), cl.ExactMatch("street_number").configure(term_frequency_adjustments=True),
            cl.LevenshteinAtThresholds("address_1", [1, 2]), cl.LevenshteinAtThresholds("suburb", [1, 2])],
    )
    training = [block_on("date_of_birth"), block_on("surname"), block_on("postcode")]
    deterministic = ["l.soc_sec_id = r.soc_sec_id", "l.given_name = r.given_name and l.surname = r.surname and l.date_of_birth = r.date_of_birth"]
    return df, settings, training, deterministic


def historical(path):
    df = pd.read_csv(path, dtype=str)
    settings = SettingsCreator(
        link_type="dedupe_only",
        blocking_rules_to_generate_predictions=[
            block_on("substr(first_name,1,3)", "substr(surname,1,4)"), block_on("surname", "dob"), block_on("first_name", "dob"),
            block_on("postcode_fake", "first_name"), block_on("postcode_fake", "surname"), block_on("dob", "birth_place"),
            block_on("substr(postcode_fake,1,3)", "dob"), block_on("substr(postcode_fake,1,3)", "first_name"),
            block_on("substr(postcode_fake,1,3)", "surname"), block_on("substr(first_name,1,2)", "substr(surname,1,2)", "substr(dob,1,4)")],
        comparisons=[
            cl.ForenameSurnameComparison("first_name", "surname", forename_surname_concat_col_name="first_and_surname"),
            cl.DateOfBirthComparison("dob", input_is_string=True, datetime_metrics=["year", "month"], datetime_thresholds=[1, 1]),
            cl.PostcodeComparison("postcode_fake"),
            cl.ExactMatch("birth_place").configure(term_frequency_adjustments=True),
            cl.ExactMatch("occupation").configure(term_frequency_adjustments=True)],
    )
    training = [block_on("first_name", "surname"), block_on("dob")]
    deterministic = ["l.first_name = r.first_name and l.surname = r.surname and l.dob = r.dob",
                     "substr(l.first_name,1,2) = substr(r.first_name,1,2) and l.surname = r.surname and substr(l.postcode_fake,1,2) = substr(r.postcode_fake,1,2)",
                     "l.dob = r.dob and l.postcode_fake = r.postcode_fake"]
    return df, settings, training, deterministic


def run_splink(df, settings, training, deterministic):
    start = time.time()
    db = DuckDBAPI()
    linker = Linker(db.register(df.drop(columns=["cluster"])), settings)
    linker.training.estimate_probability_two_random_records_match(deterministic, recall=0.7)
    linker.training.estimate_u_using_random_sampling(max_pairs=5e6, seed=1)
    for rule in training:
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
    predictions = linker.inference.predict(threshold_match_probability=min(THRESHOLDS))
    seconds, best = time.time() - start, None
    truth = dict(zip(df["unique_id"], df["cluster"]))
    for t in THRESHOLDS:
        at = time.time()
        out = linker.clustering.cluster_pairwise_predictions_at_threshold(predictions, t).as_pandas_dataframe()
        took = time.time() - at
        s = scores([truth[i] for i in out["unique_id"]], list(out["cluster_id"]))
        if best is None or s["pairs_f1"] > best["pairs_f1"]:
            best = {**s, "threshold": t, "seconds": seconds + took}
    return best


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--omote", default="./omote")
    a.add_argument("--data", required=True)
    a = a.parse_args()
    result = {}
    for name, load, ident, truth in [("febrl_dataset3", febrl, "rec_id", "rec_id"), ("splink_historical_50k", historical, "unique_id", "cluster")]:
        path = f"{a.data}/{name}.csv"
        theirs = run_splink(*load(path))
        out = json.loads(subprocess.run([a.omote, "link", path, "--id", ident, "--truth", truth, "--json"], check=True, capture_output=True, text=True).stdout)
        ours = {"pairs_f1": out["pairs"]["f1"], "b3_f1": out["b3"]["f1"], "threshold": out["threshold"], "seconds": out["seconds"]}
        result[name] = {"splink": theirs, "omote": ours, "seconds_splink_over_omote": theirs["seconds"] / ours["seconds"],
                        "pair_errors_splink_over_omote": (1 - theirs["pairs_f1"]) / (1 - ours["pairs_f1"]) if ours["pairs_f1"] < 1 else None}
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
