//! The nearest valid name, for errors.
use datafusion::common::utils::datafusion_strsim::levenshtein;

/// "Did you mean ...? Expected one of: ..."; the question only where a name is near enough to be meant.
pub fn expected_one_of(given: &str, names: &[&str]) -> String {
    let list = names.join(", ");
    match nearest(given, names) {
        Some(name) => format!("Did you mean '{name}'? Expected one of: {list}"),
        None => format!("Expected one of: {list}"),
    }
}

/// The name that was probably meant; `None` when none is near enough.
pub fn nearest<'a>(given: &str, names: &[&'a str]) -> Option<&'a str> {
    let distance =
        |name: &&&str| levenshtein(&given.to_ascii_lowercase(), &name.to_ascii_lowercase());
    let near = names.iter().min_by_key(distance)?;
    // a short name is near to nothing
    (!given.is_empty() && distance(&near) <= 2.max(given.len() / 3)).then_some(*near)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_name_is_offered_and_a_far_one_is_not() {
        let names = ["reference", "analysis", "chunk"];
        assert_eq!(
            expected_one_of("referense", &names),
            "Did you mean 'reference'? Expected one of: reference, analysis, chunk"
        );
        assert_eq!(
            expected_one_of("zzz", &names),
            "Expected one of: reference, analysis, chunk"
        );
    }
}
