//! Numbers that look random, as a function of another.

/// What the state of the generator grows by; the golden ratio.
pub(crate) const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// The number that the generator gives in this state: every bit of it depends on every bit of the state.
///
/// * Source: Steele, Lea and Flood (2014), "Fast splittable pseudorandom number generators", OOPSLA, figure 16.
#[inline]
pub(crate) fn splitmix64(state: u64) -> u64 {
    let z = state.wrapping_add(STEP);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_numbers_are_those_of_the_published_generator() {
        // seed 1234567, as java.util.SplittableRandom gives them
        assert_eq!(splitmix64(1_234_567), 6_457_827_717_110_365_317);
        assert_eq!(
            splitmix64(1_234_567_u64.wrapping_add(STEP)),
            3_203_168_211_198_807_973
        );
    }
}
