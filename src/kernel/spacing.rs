//! How far apart the chunks of a series are.

/// The usual distance of times that ascend: the lower one of two middle distances, for gaps make distances larger.
///
/// `None` where no two times differ.
pub fn usual_distance(times: &[i64]) -> Option<i64> {
    let mut distances: Vec<i64> = distances(times).filter(|apart| *apart > 0).collect();
    distances.sort_unstable();
    distances
        .get(distances.len().saturating_sub(1) / 2)
        .copied()
}

/// The place of each time, counted in usual distances from the first one; places that no time has are gaps.
///
/// The distance of months varies, so each is counted from the one before. Equal times have one place.
pub fn places(times: &[i64]) -> Vec<u32> {
    let usual = usual_distance(times).unwrap_or(1);
    let steps = distances(times).map(|apart| match apart {
        0 => 0,
        apart => (apart as f64 / usual as f64).round().max(1.0) as u32,
    });
    summed(steps)
}

/// The sums of steps from 0 on.
pub fn summed(steps: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut place = 0u32;
    let later = steps.map(|step| {
        place = place.saturating_add(step);
        place
    });
    [0].into_iter().chain(later).collect()
}

fn distances(times: &[i64]) -> impl Iterator<Item = i64> {
    times.windows(2).map(|pair| match pair {
        [a, b] => b.saturating_sub(*a),
        _ => 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_one_apart_and_a_missing_one_is_a_gap() {
        let starts = [0, 31, 60, 91, 152];
        assert_eq!(usual_distance(&starts), Some(31));
        assert_eq!(places(&starts), [0, 1, 2, 3, 5]);
    }

    #[test]
    fn one_time_has_no_distance() {
        assert_eq!(usual_distance(&[7, 7]), None);
        assert_eq!(places(&[7, 7]), [0, 0]);
    }
}
