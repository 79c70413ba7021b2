#!/usr/bin/env python3
"""Writes the assignment vectors in core/fixtures from an independent murmur3 (the package mmh3, where there is one
Debian's python3-mmh3) and from its own reading of what is published about assignment. It shares no code with core/.

    python3 scripts/make-assignment-vectors.py

The vectors of hash version 1 never change: running it again must write the same files.
"""

import json
import pathlib

import mmh3

FIXTURES = pathlib.Path(__file__).resolve().parent.parent / "core" / "fixtures"


def hash32(text: str) -> int:
    return mmh3.hash(text.encode("utf-8"), 0, signed=False)


def bucket(salt: str, unit: str) -> int:
    return hash32(f"{salt}:{unit}") % 10000


def share(shares: list[dict], at: int) -> str | None:
    end = 0
    for one in shares:
        end += one["weightBasisPoints"]
        if at < end:
            return one["variant"]
    return None


def assigned(snapshot: dict, flag: dict, unit: str) -> str | None:
    """The variant by the flag's only rule, or None when it does not reach the unit."""
    rule = flag["rules"][0]
    if "split" in rule:
        rollout = rule.get("rolloutBasisPoints", 10000)
        if bucket(flag["salt"] + ":rollout", unit) >= rollout:
            return None
        return share(rule["split"], bucket(flag["salt"], unit))
    running = {one["key"]: one for one in snapshot["experiments"]}
    experiment = running.get(rule["experiment"])
    if experiment is None:
        return None
    for holdout in snapshot["holdouts"]:
        if holdout["layer"] in (None, experiment["layer"]):
            if bucket(holdout["salt"], unit) < holdout["basisPoints"]:
                return None
    layer = bucket(experiment["layerSalt"], unit)
    if not any(start <= layer < end for start, end in experiment["slots"]):
        return None
    return share(experiment["variants"], bucket(experiment["salt"], unit))


def flag_of(key: str, rule: dict) -> dict:
    return {
        "key": key,
        "type": "string",
        "variants": [{"key": name, "value": f"value of {name}"} for name in ("a", "b", "c")],
        "defaultVariant": "a",
        "enabled": True,
        "salt": f"salt of {key}",
        "rules": [rule],
    }


def weights(**basis_points: int) -> list[dict]:
    return [{"variant": key, "weightBasisPoints": points} for key, points in basis_points.items()]


def experiment_of(key: str, shares: list[dict], slots: list, layer: str | None = None) -> dict:
    return {
        "key": key,
        "hashVersion": 1,
        "phase": 1,
        "salt": f"variant salt of {key}",
        "unit": "targetingKey",
        "control": "a",
        "variants": shares,
        "layer": layer,
        "layerSalt": f"layer salt of {layer or key}",
        "slots": slots,
    }


def snapshot_of(flags: list, experiments: list = [], holdouts: list = []) -> dict:
    return {
        "formatVersion": 1,
        "environment": "vectors",
        "version": 1,
        "flags": flags,
        "experiments": experiments,
        "holdouts": holdouts,
        "segments": [],
    }


def of_experiments(experiments: list, holdouts: list = []) -> dict:
    flags = [flag_of(one["key"], {"experiment": one["key"]}) for one in experiments]
    return snapshot_of(flags, experiments, holdouts)


def of_splits(rules: dict) -> dict:
    return snapshot_of([flag_of(key, {"unit": "targetingKey", **rule}) for key, rule in rules.items()])


UNITS = [f"user-{i}" for i in range(44)] + [
    "0190f3d2-7c1a-7e0e-9b1e-3c5d8a6f2b41",
    "someone@example.com",
    "a",
    ":",
    "a:b",
    " ",
    "42",
    "ünïcödé",
    "日本語のユニット",
    "👩‍💻",
    "nul \x00 character",
    "x" * 600,
    "é" * 300,
    "z" * 470,
    "__proto__",
]

EVEN = weights(a=5000, b=5000)


def at_edges(*edges: tuple[str, int]) -> list[str]:
    """For each salt and bucket, the first unit that falls there."""
    tries = [f"edge-{i}" for i in range(200_000)]
    return [next(unit for unit in tries if bucket(salt, unit) == at) for salt, at in edges]


EDGES = at_edges(
    *[("layer salt of traffic_5000", at) for at in (0, 4999, 5000, 9999)],
    *[("layer salt of traffic_9999", at) for at in (9998, 9999)],
    *[("layer salt of traffic_1", at) for at in (0, 1)],
    *[("layer salt of grown", at) for at in (999, 1000, 3999, 4000, 4999, 5000, 8999, 9000, 9499, 9500)],
    *[("variant salt of even", at) for at in (0, 4999, 5000, 9999)],
    *[("variant salt of uneven", at) for at in (0, 1, 9998, 9999)],
    *[("variant salt of empty_share", at) for at in (0, 1)],
    *[("salt of tenth:rollout", at) for at in (0, 999, 1000, 9999)],
    *[("salt of none:rollout", at) for at in (0,)],
    *[("salt of part", at) for at in (0, 2499, 2500)],
    *[("layer salt of checkout", at) for at in (2999, 3000, 5999, 6000, 8999, 9000)],
    *[("g", at) for at in (0, 1499, 1500)],
    *[("c", at) for at in (2499, 2500)],
)

THEMES = {
    "traffic": of_experiments(
        [experiment_of(f"traffic_{points}", EVEN, [[0, points]]) for points in (0, 1, 5000, 9999, 10000)]
        + [experiment_of("grown", EVEN, [[0, 1000], [4000, 5000], [9000, 9500]])]
    ),
    "variant": of_experiments(
        [
            experiment_of("even", EVEN, [[0, 10000]]),
            experiment_of("uneven", weights(a=1, b=9998, c=1), [[0, 10000]]),
            experiment_of("thirds", weights(a=3333, b=3333, c=3334), [[0, 10000]]),
            experiment_of("reversed", weights(b=5000, a=5000), [[0, 10000]]),
            experiment_of("empty_share", weights(a=0, b=10000), [[0, 10000]]),
        ]
    ),
    "rollout": of_splits(
        {
            "all": {"split": EVEN},
            "tenth": {"rolloutBasisPoints": 1000, "split": EVEN},
            "half": {"rolloutBasisPoints": 5000, "split": weights(b=10000)},
            "none": {"rolloutBasisPoints": 0, "split": EVEN},
            "part": {"split": weights(b=2500)},
            "part_of_half": {"rolloutBasisPoints": 5000, "split": weights(b=2500, c=2500)},
        }
    ),
    "layers": of_experiments(
        [
            experiment_of("first", EVEN, [[0, 3000]], "checkout"),
            experiment_of("second", EVEN, [[3000, 6000], [9000, 10000]], "checkout"),
            experiment_of("third", weights(a=2000, b=3000, c=5000), [[6000, 9000]], "checkout"),
            experiment_of("elsewhere", EVEN, [[0, 3000]], "search"),
        ]
    ),
    "holdouts": of_experiments(
        [
            experiment_of("in_layer", EVEN, [[0, 10000]], "checkout"),
            experiment_of("other_layer", EVEN, [[0, 10000]], "search"),
            experiment_of("no_layer", EVEN, [[0, 10000]]),
        ],
        [
            {"key": "global", "salt": "g", "unit": "targetingKey", "basisPoints": 1500, "layer": None},
            {"key": "checkout", "salt": "c", "unit": "targetingKey", "basisPoints": 2500, "layer": "checkout"},
        ],
    ),
}

TEXTS = ["", "a", "ab", "abc", "abcd", "abcde", "salt:unit", ":", "\x7f", "\x80", "ÿ", "€", "🙂"] + [
    "0123456789" * (length // 10) + "0123456789"[: length % 10] for length in (15, 16, 17, 31, 63, 511, 512, 513, 5000)
]

SALTS = ["", "s", "salt", "a:b", "sält", "0190f3d27c1a7e0e9b1e3c5d8a6f2b41"]


def write(name: str, value: object) -> None:
    (FIXTURES / f"{name}.json").write_text(json.dumps(value, indent=2) + "\n")


def main() -> None:
    write("hash", [{"text": text, "hash": hash32(text)} for text in TEXTS])
    pairs = [(salt, unit) for salt in SALTS for unit in UNITS[40:]]
    pairs += [(salt, "u" * (size - len(salt))) for salt in ("", "s" * 36) for size in range(507, 516)]
    write("bucket", [{"salt": salt, "unit": unit, "bucket": bucket(salt, unit)} for salt, unit in pairs])
    for theme, snapshot in THEMES.items():
        served = {flag["key"]: [assigned(snapshot, flag, unit) for unit in UNITS + EDGES] for flag in snapshot["flags"]}
        write(theme, {"snapshot": snapshot, "units": UNITS + EDGES, "served": served})


if __name__ == "__main__":
    main()
