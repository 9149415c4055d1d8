//! The digest's promise: the same rows give the same bytes, however they are split, ordered or merged.
use modelwatch::kernel::digest::DigestLimits;
use modelwatch::kernel::key::LARGEST_SCORE;
use modelwatch::kernel::score_profile::{CLASSES, ScoreProfile};
use proptest::prelude::*;

type Row = (u8, Option<f64>);

fn score() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => 0.0..=1.0,
        2 => (0u32..=100).prop_map(|hundredths| f64::from(hundredths) / 100.0),
        2 => (-40.0..0.0).prop_map(f64::exp),
        1 => any::<f64>(),
        1 => Just(-0.0),
    ]
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let row = (0..CLASSES as u8, prop::option::weighted(0.95, score()));
    prop::collection::vec(row, 0..1500)
}

fn limits() -> impl Strategy<Value = DigestLimits> {
    (
        prop_oneof![Just(16), Just(64), Just(1024)],
        prop_oneof![3 => Just(0), 1 => Just(35)],
    )
        .prop_map(|(max_bins, min_level)| DigestLimits {
            max_bins,
            min_level,
        })
}

fn profile(rows: &[Row], limits: DigestLimits) -> ScoreProfile {
    let mut profile = ScoreProfile::new(limits);
    for &(class, score) in rows {
        profile.observe(class, score);
    }
    profile
}

/// Rows enough to leave the pending buffer, so that the table of dense bins is in use.
fn many(seed: u64, n: u64) -> Vec<Row> {
    (0..n)
        .map(|i| {
            let mixed = (seed + i).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let uniform = (mixed >> 11) as f64 / (1u64 << 53) as f64;
            let spread = if i % 3 == 0 { uniform.powi(9) } else { uniform };
            ((mixed % CLASSES as u64) as u8, Some(spread))
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn merging_in_any_tree_gives_the_bytes_of_one_pass(
        rows in rows(), limits in limits(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        pick in any::<u64>(),
    ) {
        let whole = profile(&rows, limits).to_bytes();
        let mut at: Vec<usize> = cuts.iter().map(|c| c.index(rows.len() + 1)).collect();
        at.extend([0, rows.len()]);
        at.sort_unstable();
        let mut parts: Vec<ScoreProfile> = at.windows(2).map(|w| profile(&rows[w[0]..w[1]], limits)).collect();
        // merge random pairs until one is left; every other merge goes through bytes
        let mut turn = pick;
        while parts.len() > 1 {
            let mut other = parts.swap_remove(turn as usize % parts.len());
            let to = turn as usize / 7 % parts.len();
            if turn & 1 == 0 {
                parts[to].merge(&mut other).unwrap();
            } else {
                parts[to].merge_bytes(&other.to_bytes()).unwrap();
            }
            turn = turn.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(1);
        }
        prop_assert_eq!(parts.remove(0).to_bytes(), whole);
    }

    #[test]
    fn taking_a_part_out_leaves_the_counts_of_the_rest(rows in rows(), limits in limits(), cut in any::<prop::sample::Index>()) {
        let at = cut.index(rows.len() + 1);
        let (part, rest) = rows.split_at(at);
        let mut whole = profile(&rows, limits);
        let left = whole.without(&mut profile(part, limits)).bins();
        // the rest, brought to the level of the whole by merging it with the whole and taking that out
        let mut both = profile(rest, limits);
        both.merge(&mut whole).unwrap();
        let want = both.without(&mut whole).bins();
        let counts = |bins: &modelwatch::kernel::bins::ScoreBins| {
            bins.bins.iter().map(|b| (b.lower.to_bits(), b.cells.map(|row| row.map(|c| (c.count, c.sum.to_bits()))))).collect::<Vec<_>>()
        };
        prop_assert_eq!(counts(&left), counts(&want));
    }

    #[test]
    fn order_does_not_matter(rows in rows(), limits in limits(), turn in any::<prop::sample::Index>()) {
        let mut other = rows.clone();
        other.rotate_left(turn.index(rows.len().max(1)));
        other.reverse();
        prop_assert_eq!(profile(&other, limits).to_bytes(), profile(&rows, limits).to_bytes());
    }

    #[test]
    fn bytes_come_back_and_damage_is_noticed(rows in rows(), limits in limits(), at in any::<prop::sample::Index>(), bit in 0..8u8) {
        let bytes = profile(&rows, limits).to_bytes();
        prop_assert_eq!(&ScoreProfile::from_bytes(&bytes).unwrap().to_bytes(), &bytes);
        let mut damaged = bytes.clone();
        let at = at.index(bytes.len());
        damaged[at] ^= 1u8 << bit;
        prop_assert!(ScoreProfile::from_bytes(&damaged).is_err());
        prop_assert!(ScoreProfile::from_bytes(&bytes[..at]).is_err());
    }

    #[test]
    fn bins_hold_every_row_between_their_bounds(rows in rows(), limits in limits()) {
        let bins = profile(&rows, limits).bins();
        prop_assert!(bins.bins.len() <= limits.max_bins as usize);
        for pair in bins.bins.windows(2) {
            prop_assert!(pair[0].upper < pair[1].lower);
        }
        let scores = rows.iter().filter_map(|r| r.1);
        let finite: Vec<f64> = scores.filter(|s| (f64::MIN..=LARGEST_SCORE).contains(s)).collect();
        let counted: u64 = bins.bins.iter().flat_map(|b| b.cells.as_flattened()).map(|c| c.count).sum();
        prop_assert_eq!(counted, finite.len() as u64);
        for bin in &bins.bins {
            let inside: Vec<f64> = finite.iter().copied().filter(|s| (bin.lower..=bin.upper).contains(s)).collect();
            let count: u64 = bin.cells.as_flattened().iter().map(|c| c.count).sum();
            prop_assert_eq!(count, inside.len() as u64);
            if bins.sums_exact && bin.lower.abs().max(bin.upper.abs()) < 1e300 {
                let sum: f64 = bin.cells.as_flattened().iter().map(|c| c.sum).sum();
                let scale: f64 = inside.iter().map(|s| s.abs()).sum();
                prop_assert!((sum - inside.iter().sum::<f64>()).abs() <= 1e-12 * scale);
            }
        }
    }
}

#[test]
fn the_dense_table_changes_no_byte() {
    for limits in [16, 1024, 16_384].map(|max_bins| DigestLimits {
        max_bins,
        min_level: 0,
    }) {
        let rows = many(7, 400_000);
        let whole = profile(&rows, limits).to_bytes();
        let mut small = ScoreProfile::new(limits);
        for part in rows.chunks(4_999).rev() {
            small.merge(&mut profile(part, limits)).unwrap();
        }
        assert_eq!(small.to_bytes(), whole, "{limits:?}");
        let mut reversed = rows.clone();
        reversed.reverse();
        assert_eq!(profile(&reversed, limits).to_bytes(), whole, "{limits:?}");
    }
}

#[test]
fn the_level_is_the_smallest_that_fits() {
    // 17 neighbouring keys do not fit 16 bins; dropping one bit leaves 9
    let limits = DigestLimits {
        max_bins: 16,
        min_level: 0,
    };
    let mut x = 0.25;
    let mut profile = ScoreProfile::new(limits);
    for _ in 0..17 {
        profile.observe(0, Some(x));
        x = f64::from_bits(x.to_bits() + 1);
    }
    assert_eq!(profile.level(), 1);
    assert_eq!(profile.bins().bins.len(), 9);
}

#[test]
fn an_empty_digest_owns_no_memory() {
    assert_eq!(ScoreProfile::default().heap_size(), 0);
}
