//! Profiles for tests.
use super::super::category_profile::CategoryProfile;
use super::super::value_profile::ValueProfile;
use super::super::values::{CategoryGroups, ValueBins};

pub(super) fn numbers(all: impl IntoIterator<Item = f64>) -> ValueBins {
    let mut profile = ValueProfile::default();
    all.into_iter().for_each(|x| profile.observe(Some(x)));
    profile.bins()
}

pub(super) fn with_nulls(all: impl IntoIterator<Item = f64>, nulls: u64) -> ValueBins {
    ValueBins {
        nulls,
        ..numbers(all)
    }
}

pub(super) fn categories<'a>(all: impl IntoIterator<Item = &'a str>) -> CategoryGroups {
    let mut profile = CategoryProfile::default();
    all.into_iter().for_each(|text| profile.observe(Some(text)));
    profile.groups()
}
