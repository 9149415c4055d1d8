//! Every metric from single rows, written without the kernel's bins: the yardstick of its bounds.
use super::simulated::Row;
use modelwatch::kernel::bins::Class;
use modelwatch::kernel::calibrator::Calibrator;
use modelwatch::kernel::metric::Metric;

/// A row as metrics see it: score, prediction, probability of a positive label.
#[derive(Clone, Copy)]
struct Seen {
    score: f64,
    prediction: Class,
    c: f64,
}

/// Estimate from all rows.
pub fn expected_by_row(
    rows: &[Row],
    calibrator: &Calibrator,
    metric: Metric,
    matrix: [f64; 4],
) -> Option<f64> {
    let seen: Vec<Seen> = rows
        .iter()
        .map(|row| Seen {
            score: row.score,
            prediction: row.prediction,
            c: calibrator.calibrate(row.score).unwrap(),
        })
        .collect();
    match metric {
        Metric::RocAuc => {
            let value = roc_auc(seen)?;
            let offset = calibrator.roc_auc_offset().at(value - 0.5);
            Some((value - offset.value).clamp(0.0, 1.0))
        }
        Metric::AveragePrecision => {
            let rows = seen.len() as f64;
            let share = seen.iter().map(|row| row.c).sum::<f64>() / rows;
            let value = average_precision(seen)?;
            let untold = share + (1.0 - share) / rows;
            let offset = calibrator.average_precision_offset().at(value - untold);
            Some((value - offset.value).clamp(0.0, 1.0))
        }
        _ => plain(&seen, metric, matrix),
    }
}

/// Realized value from all rows.
pub fn realized_by_row(rows: &[Row], metric: Metric, matrix: [f64; 4]) -> Option<f64> {
    let seen: Vec<Seen> = rows
        .iter()
        .filter(|row| row.label != Class::Unknown)
        .map(|row| Seen {
            score: row.score,
            prediction: row.prediction,
            c: f64::from(u8::from(row.label == Class::Positive)),
        })
        .collect();
    match metric {
        Metric::RocAuc => roc_auc(seen),
        Metric::AveragePrecision => average_precision(seen),
        _ => plain(&seen, metric, matrix),
    }
}

/// Runs of rows that share a score, descending.
fn ties(mut rows: Vec<Seen>) -> Vec<Vec<Seen>> {
    rows.sort_by(|a, b| b.score.total_cmp(&a.score));
    rows.chunk_by(|a, b| a.score == b.score)
        .map(<[Seen]>::to_vec)
        .collect()
}

/// Pairs of different rows, one positive above one negative, over pairs of the two classes.
fn roc_auc(rows: Vec<Seen>) -> Option<f64> {
    let total: f64 = rows.iter().map(|row| row.c).sum();
    let negatives: f64 = rows.iter().map(|row| 1.0 - row.c).sum();
    let own: f64 = rows.iter().map(|row| row.c * (1.0 - row.c)).sum();
    let (mut above, mut ordered) = (0.0, 0.0);
    for tie in ties(rows) {
        let p: f64 = tie.iter().map(|row| row.c).sum();
        let n: f64 = tie.iter().map(|row| 1.0 - row.c).sum();
        let noise: f64 = tie.iter().map(|row| row.c * (1.0 - row.c)).sum();
        ordered += n * above + (p * n - noise) / 2.0;
        above += p;
    }
    let pairs = total * negatives - own;
    (pairs > 1e-12 * total * negatives).then(|| (ordered / pairs).clamp(0.0, 1.0))
}

fn average_precision(rows: Vec<Seen>) -> Option<f64> {
    let total: f64 = rows.iter().map(|row| row.c).sum();
    let (mut above, mut count, mut sum) = (0.0, 0.0, 0.0);
    for tie in ties(rows) {
        let s: f64 = tie.iter().map(|row| row.c).sum();
        let squares: f64 = tie.iter().map(|row| row.c * row.c).sum();
        count += tie.len() as f64;
        // E[Y_i (T + sum_j Y_j)] summed over the tie: own label once, others by product
        sum += (s * above + s + s * s - squares) / count;
        above += s;
    }
    (total > 0.0).then(|| (sum / total).clamp(0.0, 1.0))
}

fn plain(rows: &[Seen], metric: Metric, matrix: [f64; 4]) -> Option<f64> {
    let count = rows.len() as f64;
    let mean =
        |f: &dyn Fn(&Seen) -> f64| (count > 0.0).then(|| rows.iter().map(f).sum::<f64>() / count);
    match metric {
        Metric::BrierScore => {
            mean(&|r| r.c * (1.0 - r.score).powi(2) + (1.0 - r.c) * r.score.powi(2))
        }
        Metric::LogLoss => mean(&|r| {
            let (p, n) = (r.score.clamp(1e-15, 1.0), (1.0 - r.score).clamp(1e-15, 1.0));
            -(r.c * p.ln() + (1.0 - r.c) * n.ln())
        }),
        Metric::CalibrationError => {
            let mut gaps = [0.0; 16];
            for row in rows {
                gaps[((row.score * 16.0) as usize).min(15)] += row.score - row.c;
            }
            (count > 0.0).then(|| gaps.iter().map(|gap: &f64| gap.abs()).sum::<f64>() / count)
        }
        _ => confusion(rows, metric, matrix),
    }
}

fn confusion(rows: &[Seen], metric: Metric, [v_tn, v_fp, v_fn, v_tp]: [f64; 4]) -> Option<f64> {
    let side = |class| {
        let picked = || rows.iter().filter(move |row| row.prediction == class);
        (
            picked().map(|row| row.c).sum::<f64>(),
            picked().map(|row| 1.0 - row.c).sum::<f64>(),
            picked().count(),
        )
    };
    let ((tp, fp, a), (fn_, tn, b)) = (side(Class::Positive), side(Class::Negative));
    let count = (a + b) as f64;
    let total = v_tn * tn + v_fp * fp + v_fn * fn_ + v_tp * tp;
    let value = match metric {
        Metric::Accuracy => (tp + tn) / count,
        Metric::Precision => tp / a as f64,
        Metric::Recall => tp / (tp + fn_),
        Metric::Specificity => tn / (tn + fp),
        Metric::F1 => tp / (tp + (fp + fn_) / 2.0),
        Metric::TruePositive => tp,
        Metric::TrueNegative => tn,
        Metric::FalsePositive => fp,
        Metric::FalseNegative => fn_,
        Metric::BusinessValue => total,
        _ => total / count,
    };
    (count > 0.0 && value.is_finite()).then_some(value)
}
