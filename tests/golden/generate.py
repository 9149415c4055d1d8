#!/usr/bin/env python3
"""Makes the parity fixtures: two small binary data sets, one of columns, one of classes, one of prices, and NannyML 0.13.1's figures on them.

Layout under --out (default: `fixtures` beside this file), read by `main.rs` beside it:
  data/<dataset>/{reference,analysis,targets}.parquet   rows; labels of the analysis rows in `targets`, by `id`
  golden/<dataset>/<calculator>__<variant>.csv          one row a chunk, columns `<subject>.<field>`, full precision
  golden/<dataset>/<calculator>__<variant>.json         parameters, fitted state, package versions

`distinct`  6,000 + 6,000 rows, overconfident scores with nearly no ties, sorted by time.
`tied`      6,000 + 6,000 rows, scores of two decimals, rows shuffled, missing predictions on both sides, missing labels
            in the analysis rows, and analysis days that are degenerate: one label class, one predicted class, no
            labels, a single row.
`columns`   2,520 + 2,520 rows of numbers, texts and booleans with gaps, values beyond the range of the reference, unseen
            categories, a week without a value in two columns, and `cycle`, whose seven texts are equally frequent in
            every chunk of 252 rows.
`classes`   2,400 + 2,400 rows of three classes, scores without ties that overstate two of them.
`prices`    2,400 + 2,400 rows of a regression whose errors grow in the analysis.
Timestamps never tie, nor do scores of `classes`: NannyML sorts them with an unstable sort, whose order of ties depends on
the processor (`tied.rs`).

Needs Python 3.11 and
  pip install nannyml==0.13.1 numpy==1.26.4 pandas==2.2.3 scikit-learn==1.5.2 scipy==1.14.1 lightgbm==4.5.0 \
      category-encoders==2.6.4 pyarrow==17.0.0 statsmodels
in a virtual environment outside of the repository. Then: python generate.py [--out DIR] [--keep-data] [--columns] [--models]
"""
import argparse
import json
import os
import pathlib
import platform
import warnings

os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"  # no network call
warnings.filterwarnings("ignore")

import nannyml
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import scipy
import sklearn
from nannyml.thresholds import ConstantThreshold, StandardDeviationThreshold

SEED = 20260601
ROWS = 6_000
DAYS = 60
METRICS = ["roc_auc", "f1", "precision", "recall", "specificity", "accuracy", "confusion_matrix",
           "business_value", "average_precision"]
# rows are labels, columns predictions: [[TN, FP], [FN, TP]]
VALUES = [[0, -10], [-50, 100]]


# ---- data -----------------------------------------------------------------------------------------------------

def times(rng, start):
    """ROWS distinct microsecond instants over DAYS days, ascending."""
    span = DAYS * 86_400_000_000
    offsets = np.sort(rng.choice(span // 1_000, size=ROWS, replace=False)) * 1_000
    return pd.Timestamp(start) + pd.to_timedelta(offsets, unit="us")


def period(rng, start, first_id, mean, slope):
    """One period: a latent logit per row, a score that overstates it, a label drawn from the truth."""
    logit = rng.normal(mean, 1.4, ROWS)
    truth = 1.0 / (1.0 + np.exp(-logit))
    score = 1.0 / (1.0 + np.exp(-slope * logit - 0.2))
    return pd.DataFrame({
        "id": np.arange(first_id, first_id + ROWS),
        "timestamp": times(rng, start),
        "y_pred_proba": score,
        "y_true": (rng.random(ROWS) < truth).astype("int64"),
    })


def distinct(rng):
    reference = period(rng, "2024-01-01", 0, -0.9, 1.7)
    analysis = period(rng, "2024-03-01", ROWS, -0.3, 1.7)
    for rows in (reference, analysis):
        rows["y_pred"] = (rows["y_pred_proba"] >= 0.5).astype("int64")
    return reference, analysis, set()


def tied(rng):
    reference = period(rng, "2023-02-06", 0, -0.4, 0.6)
    analysis = period(rng, "2023-04-07 00:00:00", ROWS, -0.8, 0.6)
    for rows in (reference, analysis):
        rows["y_pred_proba"] = rows["y_pred_proba"].round(2)
        rows["y_pred"] = (rows["y_pred_proba"] >= 0.4).astype("float64")
        rows.loc[rng.random(ROWS) < 0.02, "y_pred"] = np.nan
    day = analysis["timestamp"].dt.strftime("%Y-%m-%d")
    analysis.loc[day == "2023-04-12", "y_true"] = 0
    analysis.loc[day == "2023-04-13", "y_true"] = 1
    analysis.loc[day == "2023-04-14", "y_pred"] = 0.0
    analysis.loc[day == "2023-04-15", "y_pred"] = 1.0
    lone = analysis.index[day == "2023-04-17"][1:]
    analysis = analysis.drop(lone)
    # labels that have not come: a share everywhere, all of one day
    missing = (rng.random(len(analysis)) < 0.1) | (analysis["timestamp"].dt.strftime("%Y-%m-%d") == "2023-04-20")
    unknown = set(analysis.loc[missing, "id"])
    order = lambda rows: rows.sample(frac=1.0, random_state=SEED).reset_index(drop=True)
    return order(reference), order(analysis), unknown


def features(rng, start, drift):
    """Columns of every type that NannyML tells apart; `drift` moves the analysis."""
    rows = 2_520
    days = np.sort(rng.choice(DAYS * 86_400_000, size=rows, replace=False))
    table = pd.DataFrame({
        "timestamp": pd.Timestamp(start) + pd.to_timedelta(days, unit="ms"),
        "amount": rng.lognormal(3.0 + 0.2 * drift, 0.6 + 0.3 * drift, rows).round(2),
        "score": rng.normal(0.1 * drift, 1.0, rows).round(2),
        "age": rng.integers(18, 70 + 5 * drift, rows),
        "segment": rng.choice(list("abcde") + ["f", "g"][:2 * drift], rows),
        "flag": rng.random(rows) < 0.3 + 0.1 * drift,
        "code": rng.integers(1, 5 + drift, rows),
        "cycle": pd.Series(np.arange(rows) % 7).map("day {}".format),
    })
    table.loc[rng.random(rows) < 0.04, "amount"] = None
    if drift:
        table.loc[rng.random(rows) < 0.04, "segment"] = None  # the reference has no gaps here
        week = table["timestamp"].between("2024-04-15", "2024-04-22", inclusive="left")
        table.loc[week, ["amount", "segment"]] = None
    return table


def classes(rng, start, first_id, noise):
    """Three classes: a latent strength of each, scores that overstate them, a label drawn from the truth."""
    rows = 2_400
    strength = rng.normal([0.3, 0.0, -0.3], noise, (rows, 3))
    share = lambda x: np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
    truth, score = share(strength), share(1.6 * strength)
    names = np.array(["basic", "plus", "pro"])
    label = (rng.random((rows, 1)) > truth.cumsum(axis=1)).sum(axis=1).clip(max=2)
    moments = np.sort(rng.choice(DAYS * 86_400_000, size=rows, replace=False))
    return pd.DataFrame({
        "id": np.arange(first_id, first_id + rows),
        "timestamp": pd.Timestamp(start) + pd.to_timedelta(moments, unit="ms"),
        **{f"p_{name}": score[:, k] for k, name in enumerate(names)},
        "y_pred": names[score.argmax(axis=1)],
        "y_true": names[label],
    })


def prices(rng, start, first_id, spread):
    """A regression with errors in proportion to the price."""
    rows = 2_400
    price = rng.lognormal(9.0, 0.5, rows).round(2)
    moments = np.sort(rng.choice(DAYS * 86_400_000, size=rows, replace=False))
    return pd.DataFrame({
        "id": np.arange(first_id, first_id + rows),
        "timestamp": pd.Timestamp(start) + pd.to_timedelta(moments, unit="ms"),
        "y_pred": (price * rng.lognormal(0.0, spread, rows)).round(2),
        "y_true": price,
    })


def write_models(out):
    for number, (make, levels) in enumerate(((classes, (1.2, 0.8)), (prices, (0.15, 0.25)))):
        rng = np.random.default_rng(SEED + 10 + number)
        reference = make(rng, "2024-01-01", 0, levels[0])
        analysis = make(rng, "2024-03-01", len(reference), levels[1])
        write_tables(out, make.__name__, {"reference": reference, "analysis": analysis.drop(columns="y_true"),
                                          "targets": analysis[["id", "y_true"]]})


def write_tables(out, dataset, tables):
    folder = out / "data" / dataset
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        table = pa.Table.from_pandas(rows, preserve_index=False).replace_schema_metadata(None)
        types = [pa.field(f.name, pa.timestamp("us")) if pa.types.is_timestamp(f.type) else f for f in table.schema]
        pq.write_table(table.cast(pa.schema(types)), folder / f"{name}.parquet", compression="zstd")


def write_data(out):
    for number, make in enumerate((distinct, tied)):
        reference, analysis, unknown = make(np.random.default_rng(SEED + number))
        targets = analysis.loc[~analysis["id"].isin(unknown), ["id", "y_true"]].reset_index(drop=True)
        write_tables(out, make.__name__, {"reference": reference, "analysis": analysis.drop(columns="y_true"),
                                          "targets": targets})
    rng = np.random.default_rng(SEED + 2)
    write_tables(out, "columns", {"reference": features(rng, "2024-01-01", 0),
                                  "analysis": features(rng, "2024-03-01", 1)})


def read_rows(out, dataset):
    """What the golden figures are computed from: the files, as any other reader sees them."""
    parts = [pd.read_parquet(out / "data" / dataset / f"{name}.parquet") for name in ("reference", "analysis")]
    for rows in parts:
        rows["timestamp"] = rows["timestamp"].astype("datetime64[ns]")
    return parts


def read_data(out, dataset):
    reference, analysis = read_rows(out, dataset)
    targets = pd.read_parquet(out / "data" / dataset / "targets.parquet")
    return reference, analysis, analysis.merge(targets, on="id", how="left", sort=False)


# ---- figures --------------------------------------------------------------------------------------------------

def variants(dataset):
    """Yield (variant, keyword arguments, thresholds or None, calculators)."""
    timed = {"timestamp_column_name": "timestamp"}
    every = {"metrics": METRICS, "business_value_matrix": VALUES}
    both = ("cbpe", "realized")
    yield "default", {**every, **timed}, None, both
    yield "size1000", {**every, **timed, "chunk_size": 1000}, None, both
    yield "size777", {**every, **timed, "chunk_size": 777}, None, both
    yield "number5", {**every, **timed, "chunk_number": 5}, None, both
    # a remainder of twenty rows: a reference chunk with one class would move NannyML's thresholds
    yield "number23", {**every, **timed, "chunk_number": 23}, None, both
    for alias in "DWM":
        yield f"period{alias}", {**every, **timed, "chunk_period": alias}, None, both
    if dataset == "distinct":  # without a timestamp chunks follow the order of the file
        yield "nots_size1000", {**every, "chunk_size": 1000}, None, both
    two = {"metrics": ["roc_auc", "f1"], **timed, "chunk_size": 1000}
    yield "size1000_thr_constant", two, {"roc_auc": ["const", 0.7, 0.84], "f1": ["const", None, 0.62]}, ("cbpe",)
    yield "size1000_thr_std2_1", two, {"roc_auc": ["std", 2, 1], "f1": ["std", None, 1.5]}, ("cbpe",)
    for name in ("all", "true", "pred"):
        yield (f"size1000_cmnorm_{name}", {"metrics": ["confusion_matrix"], **timed, "chunk_size": 1000,
               "normalize_confusion_matrix": name}, None, both)
    yield ("size1000_bvnorm", {"metrics": ["business_value"], "business_value_matrix": VALUES, **timed,
           "chunk_size": 1000, "normalize_business_value": "per_prediction"}, None, both)


def threshold(kind, lower, upper):
    if kind == "const":
        return ConstantThreshold(lower=lower, upper=upper)
    return StandardDeviationThreshold(std_lower_multiplier=lower, std_upper_multiplier=upper)


def fitted(calculator):
    state = {"metric_thresholds": {m.display_name: [m.lower_threshold_value, m.upper_threshold_value]
                                   for m in calculator.metrics}}
    if hasattr(calculator, "needs_calibration"):
        state["needs_calibration"] = bool(calculator.needs_calibration)
        if calculator.needs_calibration:
            knots = calculator.calibrator._regressor
            state["calibrator"] = {"kind": "isotonic", "x": knots.X_thresholds_.tolist(),
                                   "y": knots.y_thresholds_.tolist()}
    return state


def run(out, dataset, variant, arguments, thresholds, name):
    np.random.seed(SEED)  # NannyML draws its sampling error of average precision from the global generator
    reference, analysis, labelled = read_data(out, dataset)
    arguments = {"problem_type": "classification_binary", "y_pred_proba": "y_pred_proba", "y_pred": "y_pred",
                 "y_true": "y_true", **arguments}
    extra = {"thresholds": {k: threshold(*v) for k, v in thresholds.items()}} if thresholds else {}
    made = {"cbpe": nannyml.CBPE, "realized": nannyml.PerformanceCalculator}[name](**arguments, **extra)
    made.fit(reference.copy())
    result = made.estimate(analysis.copy()) if name == "cbpe" else made.calculate(labelled.copy())
    parameters = {**arguments, **({"thresholds": thresholds} if thresholds else {})}
    write_figures(out, dataset, variant, name, made, result, parameters, fitted(made))


def model_variants():
    """Yield (dataset, calculator, variant, keyword arguments)."""
    shared = {"y_pred": "y_pred", "y_true": "y_true", "timestamp_column_name": "timestamp"}
    values = [[1, -1, -2], [-1, 2, -1], [-3, -1, 4]]
    several = {**shared, "problem_type": "classification_multiclass", "metrics": METRICS,
               "y_pred_proba": {name: f"p_{name}" for name in ("basic", "plus", "pro")},
               "business_value_matrix": values}
    number = {**shared, "problem_type": "regression", "metrics": ["mae", "mape", "mse", "msle", "rmse", "rmsle"]}
    for variant, chunk in (("size400", {"chunk_size": 400}), ("periodW", {"chunk_period": "W"})):
        for name in ("cbpe", "realized"):
            yield "classes", name, variant, {**several, **chunk}
        yield "prices", "realized", variant, {**number, **chunk}


def fitted_classes(calculator):
    state = {}
    for name, calibrator in getattr(calculator, "_calibrators", {}).items():
        knots = getattr(calibrator, "_regressor", None)
        state[name] = {"kind": "isotonic", "x": knots.X_thresholds_.tolist(), "y": knots.y_thresholds_.tolist()} \
            if knots is not None else {"kind": type(calibrator).__name__}
    return {"calibrators": state}


def run_models(out, dataset, name, variant, arguments):
    np.random.seed(SEED)
    reference, analysis, labelled = read_data(out, dataset)
    made = {"cbpe": nannyml.CBPE, "realized": nannyml.PerformanceCalculator}[name](**arguments)
    made.fit(reference.copy())
    result = made.estimate(analysis.copy()) if name == "cbpe" else made.calculate(labelled.copy())
    write_figures(out, dataset, variant, name, made, result, arguments, fitted_classes(made))


def write_figures(out, dataset, variant, name, made, result, parameters, state):
    table = result.filter(period="all").to_df()
    table.columns = [".".join(part for part in map(str, column) if part) for column in table.columns]
    folder = out / "golden" / dataset
    folder.mkdir(parents=True, exist_ok=True)
    table.to_csv(folder / f"{name}__{variant}.csv", index=False)
    record = {
        "dataset": dataset, "calculator": name, "variant": variant, "class": type(made).__name__,
        "parameters": parameters, "fitted": state, "rows": len(table),
        "versions": {"python": platform.python_version(), "nannyml": nannyml.__version__, "numpy": np.__version__,
                     "pandas": pd.__version__, "scipy": scipy.__version__, "scikit-learn": sklearn.__version__,
                     "pyarrow": pa.__version__},
    }
    plain = lambda value: value.item() if hasattr(value, "item") else str(value)
    text = json.dumps(record, default=plain)
    (folder / f"{name}__{variant}.json").write_text(text + "\n")
    print(f"{dataset}/{name}__{variant}", flush=True)


CONTINUOUS = ["amount", "score", "age"]
TEXTS = ["segment", "cycle"]
METHODS = {"continuous_methods": ["jensen_shannon", "kolmogorov_smirnov", "wasserstein", "hellinger"],
           "categorical_methods": ["jensen_shannon", "chi2", "l_infinity", "hellinger"]}


def column_variants():
    """Yield (dataset, calculator, variant, class, keyword arguments)."""
    drift = nannyml.UnivariateDriftCalculator
    every = {"column_names": [*CONTINUOUS, *TEXTS, "flag", "code"], "treat_as_categorical": ["code"], **METHODS}
    for variant, chunk in (("default", {}), ("periodW", {"chunk_period": "W"})):
        yield "columns", "univariate", variant, drift, {**every, **chunk}
    # NannyML reads calculation_method beside the names of the methods, not below them
    estimated = {"kolmogorov_smirnov": {}, "wasserstein": {}, "calculation_method": "estimated"}
    yield "columns", "univariate", "size252_estimated", drift, {
        "column_names": CONTINUOUS, "continuous_methods": ["kolmogorov_smirnov", "wasserstein"],
        "computation_params": estimated, "chunk_size": 252}
    scores = {"column_names": ["y_pred_proba", "y_pred"], "treat_as_categorical": ["y_pred"], **METHODS}
    yield "distinct", "univariate", "size777", drift, {**scores, "chunk_size": 777}
    yield "tied", "univariate", "periodW", drift, {**scores, "chunk_period": "W"}
    yield from quality_variants()


def quality_variants():
    of = {"missing": (nannyml.MissingValuesCalculator, [*CONTINUOUS, *TEXTS, "flag"]),
          "unseen": (nannyml.UnseenValuesCalculator, TEXTS),
          "range": (nannyml.NumericalRangeCalculator, CONTINUOUS)}
    for variant, chunk in (("size500", {"chunk_size": 500}), ("periodW", {"chunk_period": "W"})):
        for name, (made, columns) in of.items():
            for normalize in (True, False):
                arguments = {"column_names": columns, "normalize": normalize, **chunk}
                yield "columns", name, variant + ("" if normalize else "_counts"), made, arguments
        for name in ("Avg", "Sum", "Std", "Median"):
            made = getattr(nannyml, f"SummaryStats{name}Calculator")
            yield "columns", f"stats_{name.lower()}", variant, made, {"column_names": CONTINUOUS, **chunk}
        yield "columns", "stats_row_count", variant, nannyml.SummaryStatsRowCountCalculator, chunk
    yield "columns", "stats_row_count", "default", nannyml.SummaryStatsRowCountCalculator, {}  # equal chunks


def run_columns(out, dataset, name, variant, made, arguments):
    reference, analysis = read_rows(out, dataset)
    arguments = {**arguments, "timestamp_column_name": "timestamp"}
    made = made(**arguments)
    made.fit(reference.copy())
    write_figures(out, dataset, variant, name, made, made.calculate(analysis.copy()), arguments, {})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent / "fixtures")
    parser.add_argument("--keep-data", action="store_true", help="use the Parquet files that are there")
    parser.add_argument("--columns", action="store_true", help="only the figures of columns, not those of classifiers")
    parser.add_argument("--models", action="store_true", help="only the data and figures of classes and prices")
    chosen = parser.parse_args()
    if not chosen.keep_data:
        write_models(chosen.out)
    for job in model_variants():
        run_models(chosen.out, *job)
    if chosen.models:
        return
    if not chosen.keep_data:
        write_data(chosen.out)
    for dataset in () if chosen.columns else ("distinct", "tied"):
        for variant, arguments, thresholds, calculators in variants(dataset):
            for name in calculators:
                run(chosen.out, dataset, variant, arguments, thresholds, name)
    for job in column_variants():
        run_columns(chosen.out, *job)


if __name__ == "__main__":
    main()
