//! The distances between a column's reference and a chunk of it: one table, from which names and domains follow.
use std::fmt;

/// How far a chunk's distribution lies from the reference's. Names are those of the SQL surface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DriftMetric {
    /// Square root of the Jensen-Shannon divergence to base 2.
    JensenShannon,
    /// Hellinger distance.
    Hellinger,
    /// Largest difference of the distribution functions.
    KolmogorovSmirnov,
    /// Area between the distribution functions, in the unit of the column.
    Wasserstein,
    /// The same without extremes, in interquartile ranges of the reference.
    WassersteinRobust,
    /// Population stability index.
    Psi,
    /// Largest difference of the share of a category.
    LInfinity,
    /// Pearson's statistic of the table of categories.
    Chi2,
}

/// What is known of a distance.
struct Spec {
    metric: DriftMetric,
    name: &'static str,
    description: &'static str,
    continuous: bool,
    categorical: bool,
    most: Option<f64>,
}

const TABLE: [Spec; 8] = [
    Spec {
        metric: DriftMetric::JensenShannon,
        name: "jensen_shannon",
        description: "Square root of the Jensen-Shannon divergence to base 2, over Doane's bins or the categories of the reference.",
        continuous: true,
        categorical: true,
        most: Some(1.0),
    },
    Spec {
        metric: DriftMetric::Hellinger,
        name: "hellinger",
        description: "Hellinger distance, over the same bins as jensen_shannon.",
        continuous: true,
        categorical: true,
        most: Some(1.0),
    },
    Spec {
        metric: DriftMetric::KolmogorovSmirnov,
        name: "kolmogorov_smirnov",
        description: "Largest difference between the two distribution functions.",
        continuous: true,
        categorical: false,
        most: Some(1.0),
    },
    Spec {
        metric: DriftMetric::Wasserstein,
        name: "wasserstein",
        description: "Area between the two distribution functions, in the unit of the column.",
        continuous: true,
        categorical: false,
        most: None,
    },
    Spec {
        metric: DriftMetric::WassersteinRobust,
        name: "wasserstein_robust",
        description: "Wasserstein distance in interquartile ranges of the reference, of numbers clipped three of them beyond its range.",
        continuous: true,
        categorical: false,
        most: None,
    },
    Spec {
        metric: DriftMetric::Psi,
        name: "psi",
        description: "Population stability index of smoothed shares, over the reference's deciles or its categories and one bin of unseen ones.",
        continuous: true,
        categorical: true,
        most: None,
    },
    Spec {
        metric: DriftMetric::LInfinity,
        name: "l_infinity",
        description: "Largest difference of the share of any category.",
        continuous: false,
        categorical: true,
        most: Some(1.0),
    },
    Spec {
        metric: DriftMetric::Chi2,
        name: "chi2",
        description: "Pearson's chi-square statistic of categories against reference and chunk, corrected by Yates for two categories.",
        continuous: false,
        categorical: true,
        most: None,
    },
];

impl DriftMetric {
    /// Every distance, in the order in which results list them.
    pub const ALL: [Self; 8] = [
        Self::JensenShannon,
        Self::Hellinger,
        Self::KolmogorovSmirnov,
        Self::Wasserstein,
        Self::WassersteinRobust,
        Self::Psi,
        Self::LInfinity,
        Self::Chi2,
    ];

    fn spec(self) -> &'static Spec {
        let [first, rest @ ..] = &TABLE;
        rest.iter()
            .find(|spec| spec.metric == self)
            .unwrap_or(first)
    }

    /// Name in SQL.
    pub fn name(self) -> &'static str {
        self.spec().name
    }

    /// What it is, in a sentence.
    pub fn description(self) -> &'static str {
        self.spec().description
    }

    /// The distance of a name; `None` for any other text.
    ///
    /// ```
    /// use modelwatch::kernel::drift::DriftMetric;
    /// assert_eq!(DriftMetric::parse("psi"), Some(DriftMetric::Psi));
    /// assert_eq!(DriftMetric::parse("PSI"), None);
    /// ```
    pub fn parse(name: &str) -> Option<Self> {
        TABLE
            .iter()
            .find(|spec| spec.name == name)
            .map(|spec| spec.metric)
    }

    /// Whether it compares columns of numbers.
    pub fn applies_to_continuous(self) -> bool {
        self.spec().continuous
    }

    /// Whether it compares columns of categories.
    pub fn applies_to_categorical(self) -> bool {
        self.spec().categorical
    }

    /// Least and greatest value; `None` where it has no end.
    pub fn domain(self) -> (Option<f64>, Option<f64>) {
        (Some(0.0), self.spec().most)
    }
}

impl fmt::Display for DriftMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_back_in_the_order_of_the_table() {
        for (metric, spec) in DriftMetric::ALL.into_iter().zip(&TABLE) {
            assert_eq!(metric, spec.metric);
            assert_eq!(DriftMetric::parse(metric.name()), Some(metric));
            assert!(metric.applies_to_continuous() || metric.applies_to_categorical());
            assert!(metric.description().ends_with('.'), "{metric}");
        }
        assert_eq!(DriftMetric::parse("ks"), None);
    }
}
