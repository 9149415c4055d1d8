//! Segments of equal level.
use super::super::diagnosis::Observation;

/// A normal deviate is further from 0 than this with an even chance.
const MEDIAN_DEVIATE: f64 = 0.674_489_750_196_081_7;

/// A stretch of chunks of one level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Segment {
    /// Which observation is its first.
    pub first: usize,
    /// Which is the first after it.
    pub end: usize,
    /// The level, from the chunks weighted by inverse variance.
    pub mean: f64,
    /// Variance of the level.
    pub variance: f64,
}

/// The segments whose sum of squares and price is least: the sum is of standardized residuals, and each change costs `penalty`
/// times the logarithm of the number of chunks.
///
/// How far chunks scatter around their levels is told by the differences of neighbours, which changes hardly touch; errors are
/// made as much larger as those show them to be too small.
pub fn segments(chunks: &[Observation], has_errors: bool, penalty: f64) -> (Vec<Segment>, f64) {
    let scale = scale(chunks, has_errors);
    let sums = Sums::of(chunks, scale);
    let price = penalty * (chunks.len().max(2) as f64).ln();
    let starts = last_starts(&sums, chunks.len(), price);
    let mut found = vec![];
    let mut end = chunks.len();
    while end > 0 {
        let first = starts.get(end).copied().unwrap_or(0);
        let (mean, variance) = sums.level(first, end);
        found.push(Segment {
            first,
            end,
            mean,
            variance,
        });
        end = first;
    }
    found.reverse();
    (found, scale)
}

/// Of so many first chunks each, where their last segment begins.
fn last_starts(sums: &Sums, count: usize, price: f64) -> Vec<usize> {
    // the least cost of what comes before, and where its last segment begins
    let mut least = vec![(-price, 0)];
    let mut starts: Vec<usize> = vec![];
    for end in 1..=count {
        starts.push(end - 1);
        let costs: Vec<(f64, usize)> = starts
            .iter()
            .filter_map(|&start| {
                let (before, _) = least.get(start)?;
                Some((before + sums.cost(start, end), start))
            })
            .collect();
        let first = costs.iter().copied().min_by(|a, b| a.0.total_cmp(&b.0));
        let (cost, start) = first.unwrap_or((0.0, 0));
        least.push((cost + price, start));
        // a start that is worse than a change here will stay so
        starts = costs
            .into_iter()
            .filter(|(kept, _)| *kept <= cost + price)
            .map(|(_, start)| start)
            .collect();
    }
    least.into_iter().map(|(_, start)| start).collect()
}

/// By how much errors are too small; without errors, the standard deviation of a chunk.
fn scale(chunks: &[Observation], has_errors: bool) -> f64 {
    let mut apart: Vec<f64> = chunks
        .windows(2)
        .map(|pair| match pair {
            [a, b] => (b.value - a.value).abs() / a.error.hypot(b.error),
            _ => 0.0,
        })
        .collect();
    apart.sort_by(f64::total_cmp);
    let middle = apart.get(apart.len() / 2).copied().unwrap_or(0.0);
    let scale = match middle > 0.0 {
        true => middle / MEDIAN_DEVIATE,
        // most chunks equal the one before: what the others show
        false => (apart.iter().map(|x| x * x).sum::<f64>() / apart.len().max(1) as f64).sqrt(),
    };
    if has_errors { scale.max(1.0) } else { scale }
}

/// Sums of weights, of weighted values and of their squares before each observation; values from the first one, which keeps digits.
struct Sums {
    origin: f64,
    before: Vec<[f64; 3]>,
}

impl Sums {
    fn of(chunks: &[Observation], scale: f64) -> Self {
        let origin = chunks.first().map_or(0.0, |chunk| chunk.value);
        let mut sum = [0.0; 3];
        let mut before = vec![sum];
        for chunk in chunks {
            let value = chunk.value - origin;
            // a series without scatter has no squares to be weighed
            let weight = match scale > 0.0 {
                true => (chunk.error * scale).powi(-2),
                false => 1.0,
            };
            let [all, values, squares] = sum;
            sum = [
                all + weight,
                values + weight * value,
                squares + weight * value * value,
            ];
            before.push(sum);
        }
        Self { origin, before }
    }

    fn within(&self, start: usize, end: usize) -> [f64; 3] {
        let at = |place: usize| self.before.get(place).copied().unwrap_or_default();
        let (a, b) = (at(start), at(end));
        std::array::from_fn(|sum| match (a.get(sum), b.get(sum)) {
            (Some(a), Some(b)) => b - a,
            _ => 0.0,
        })
    }

    fn cost(&self, start: usize, end: usize) -> f64 {
        let [all, values, squares] = self.within(start, end);
        (squares - values * values / all).max(0.0)
    }

    fn level(&self, start: usize, end: usize) -> (f64, f64) {
        let [all, values, _] = self.within(start, end);
        (self.origin + values / all, all.recip())
    }
}
