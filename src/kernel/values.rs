//! The view of a column's profile that statistics read: the numbers of a continuous column in bins, the categories
//! of a categorical one in groups.

/// The rows whose numbers lie in `[lower, upper]`; an exact bin has `lower == upper`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ValueBin {
    /// Smallest number that the bin can hold.
    pub lower: f64,
    /// Largest number that the bin can hold.
    pub upper: f64,
    /// Number of rows, at least 1.
    pub count: u64,
    /// Sum of their numbers; exact up to one rounding where [`ValueBins::sums_exact`].
    pub sum: f64,
}

/// A profile of numbers, read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ValueBins {
    /// Non-empty bins, ascending and disjoint.
    pub bins: Vec<ValueBin>,
    /// Bits that each number's key has lost: two bins of the same level are equal or disjoint, and a bin of a lower
    /// level lies inside of one of a higher level. 0 when the profile is exact.
    pub level: u8,
    /// False when numbers were coarsened on purpose, or a bin may span several binary exponents (level above 52): then only
    /// `lower` and `upper` bound the numbers in it, and `sum` is an approximation.
    pub sums_exact: bool,
    /// Rows that are NULL.
    pub nulls: u64,
    /// Rows that are NaN.
    pub nans: u64,
    /// Rows that are plus infinity.
    pub positive_infinities: u64,
    /// Rows that are minus infinity.
    pub negative_infinities: u64,
}

/// The rows of the categories whose hashes share a prefix.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CategoryGroup {
    /// The prefix, in the low [`CategoryGroups::bits`] bits; groups of one prefix length are equal or disjoint.
    pub prefix: u64,
    /// Number of rows, at least 1.
    pub count: u64,
    /// The category as text where the group holds only one; `None` where several share the prefix.
    pub category: Option<String>,
}

/// A profile of categories, read.
///
/// While a chunk has few distinct categories every group is one category with its exact count. After that the
/// hash of a category keeps only its first `bits`, and categories that agree in these share a group: the count of a group
/// bounds that of each of its categories from above.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CategoryGroups {
    /// Non-empty groups, ascending by prefix; two categories of one hash are two groups of one prefix.
    pub groups: Vec<CategoryGroup>,
    /// Bits of a hash that tell groups apart: 64 when every group is one category.
    pub bits: u8,
    /// Rows that are NULL.
    pub nulls: u64,
    /// Rows that are the empty text; these are in `groups` too.
    pub empty_texts: u64,
}

impl ValueBins {
    /// Rows with a finite number.
    pub fn rows(&self) -> u64 {
        self.bins.iter().map(|bin| bin.count).sum()
    }
}

impl CategoryGroups {
    /// Rows with a category.
    pub fn rows(&self) -> u64 {
        self.groups.iter().map(|group| group.count).sum()
    }

    /// The same rows told apart by fewer bits; itself where it has no more.
    pub fn coarsened(&self, bits: u8) -> Self {
        if bits >= self.bits {
            return self.clone();
        }
        let by = u32::from(self.bits - bits);
        let shift = |prefix: u64| prefix.checked_shr(by).unwrap_or(0);
        let runs = self
            .groups
            .chunk_by(|a, b| shift(a.prefix) == shift(b.prefix));
        let groups = runs.filter_map(|run| {
            let first = run.first()?;
            let category = match run {
                [only] => only.category.clone(),
                _ => None,
            };
            Some(CategoryGroup {
                prefix: shift(first.prefix),
                count: run.iter().map(|group| group.count).sum(),
                category,
            })
        });
        Self {
            groups: groups.collect(),
            bits,
            nulls: self.nulls,
            empty_texts: self.empty_texts,
        }
    }
}
