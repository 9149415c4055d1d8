//! Session-wide defaults of the monitoring functions: `SET monitor.max_bins = 65536`.
//!
//! An argument of a call wins over these. Aggregates cannot see the configuration of a session,
//! so what plans a call reads it here and passes it on as literals.
use std::any::Any;
use std::fmt::Display;
use std::str::FromStr;

use datafusion::common::config::{ConfigEntry, ConfigExtension, ExtensionOptions};
use datafusion::common::{DataFusionError, Result};

use crate::kernel::digest::DigestLimits;
use crate::suggest::expected_one_of;

/// The `monitor.*` settings of a session.
///
/// Insert it when the session is configured, and read it while a statement is planned:
///
/// ```
/// use datafusion::prelude::SessionConfig;
/// use modelwatch::options::MonitorOptions;
///
/// let config = SessionConfig::new().with_option_extension(MonitorOptions::default());
/// let options = config.options().extensions.get::<MonitorOptions>();
/// assert_eq!(options.map(|o| o.max_bins), Some(6_144));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct MonitorOptions {
    /// Most bins that the profile of one chunk may hold before it is coarsened.
    pub max_bins: usize,
    /// The same for the profile of a whole reference relation.
    pub reference_max_bins: usize,
    /// Low bits of every number that profiles drop from the outset; 0 for none.
    pub min_level: u32,
    /// Share of healthy chunks that `false_alarm_rate()` thresholds may flag.
    pub false_alarm_rate: f64,
    /// Share of intervals that hold what they are an interval for.
    pub confidence_level: f64,
}

impl Default for MonitorOptions {
    fn default() -> Self {
        Self {
            max_bins: 6_144,
            reference_max_bins: 12_288,
            min_level: 0,
            false_alarm_rate: 0.0027,
            confidence_level: 0.95,
        }
    }
}

impl ConfigExtension for MonitorOptions {
    const PREFIX: &'static str = "monitor";
}

/// What the session says of one setting.
struct Setting {
    name: &'static str,
    expected: &'static str,
    example: &'static str,
    description: &'static str,
}

const SETTINGS: [Setting; 5] = [
    Setting {
        name: "max_bins",
        expected: "a whole number from 16 to 1048576",
        example: "6144",
        description: "Most bins in the profile of one chunk. A profile is exact while its distinct values fit; above, results carry an approx_error",
    },
    Setting {
        name: "reference_max_bins",
        expected: "a whole number from 16 to 1048576",
        example: "12288",
        description: "Most bins in the profile of a reference relation, from which calibrators and thresholds are fitted",
    },
    Setting {
        name: "min_level",
        expected: "a whole number from 0 to 60",
        example: "42",
        description: "Low bits that profiles drop from every number from the start. 0 keeps exact values, which a stored profile then contains",
    },
    Setting {
        name: "false_alarm_rate",
        expected: "a number above 0 and below 1",
        example: "0.0027",
        description: "Share of healthy chunks that default thresholds may flag",
    },
    Setting {
        name: "confidence_level",
        expected: "a number above 0 and below 1",
        example: "0.95",
        description: "Share of the intervals lower_bound to upper_bound that hold what they promise",
    },
];

impl Setting {
    fn parse<T: FromStr>(&self, text: &str, accepts: impl Fn(&T) -> bool) -> Result<T> {
        text.trim().parse().ok().filter(accepts).ok_or_else(|| {
            let Self {
                name,
                expected,
                example,
                ..
            } = self;
            DataFusionError::Configuration(format!(
                "monitor.{name}: cannot be set to '{text}'. Expected {expected}. \
                 Hint: SET monitor.{name} = {example}"
            ))
        })
    }

    fn entry(&self, value: impl Display) -> ConfigEntry {
        ConfigEntry {
            key: format!("monitor.{}", self.name),
            value: Some(value.to_string()),
            description: self.description,
        }
    }
}

fn unknown(key: &str) -> DataFusionError {
    DataFusionError::Configuration(format!(
        "monitor: there is no setting '{key}'. {}",
        expected_one_of(key, &SETTINGS.map(|s| s.name))
    ))
}

impl ExtensionOptions for MonitorOptions {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn cloned(&self) -> Box<dyn ExtensionOptions> {
        Box::new(self.clone())
    }

    fn set(&mut self, key: &str, value: &str) -> Result<()> {
        let setting = SETTINGS
            .iter()
            .find(|setting| setting.name == key)
            .ok_or_else(|| unknown(key))?;
        let bins = |bins: &usize| {
            let (fewest, most) = (DigestLimits::FEWEST_BINS, DigestLimits::MOST_BINS);
            (fewest as usize..=most as usize).contains(bins)
        };
        let level = |level: &u32| *level <= u32::from(DigestLimits::HIGHEST_LEVEL);
        let share = |share: &f64| *share > 0.0 && *share < 1.0;
        match key {
            "max_bins" => self.max_bins = setting.parse(value, bins)?,
            "reference_max_bins" => self.reference_max_bins = setting.parse(value, bins)?,
            "min_level" => self.min_level = setting.parse(value, level)?,
            "false_alarm_rate" => self.false_alarm_rate = setting.parse(value, share)?,
            "confidence_level" => self.confidence_level = setting.parse(value, share)?,
            _ => return Err(unknown(key)),
        }
        Ok(())
    }

    // SHOW and information_schema print the key as it stands here, so it carries the prefix
    fn entries(&self) -> Vec<ConfigEntry> {
        let [
            max_bins,
            reference_max_bins,
            min_level,
            false_alarm_rate,
            confidence_level,
        ] = &SETTINGS;
        vec![
            max_bins.entry(self.max_bins),
            reference_max_bins.entry(self.reference_max_bins),
            min_level.entry(self.min_level),
            false_alarm_rate.entry(self.false_alarm_rate),
            confidence_level.entry(self.confidence_level),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_follow_what_was_set() {
        let mut options = MonitorOptions::default();
        for (key, value) in [
            ("max_bins", "64"),
            ("reference_max_bins", " 128 "),
            ("min_level", "60"),
            ("false_alarm_rate", "0.01"),
            ("confidence_level", "0.9"),
        ] {
            options.set(key, value).unwrap();
        }
        let shown: Vec<_> = options
            .entries()
            .into_iter()
            .map(|e| (e.key, e.value.unwrap()))
            .collect();
        let expected = [
            ("monitor.max_bins", "64"),
            ("monitor.reference_max_bins", "128"),
            ("monitor.min_level", "60"),
            ("monitor.false_alarm_rate", "0.01"),
            ("monitor.confidence_level", "0.9"),
        ];
        assert_eq!(shown, expected.map(|(k, v)| (k.to_owned(), v.to_owned())));
    }

    #[test]
    fn a_value_out_of_range_changes_nothing() {
        for (key, value) in [
            ("max_bins", "1"),
            ("max_bins", "-5"),
            ("max_bins", "16384.5"),
            ("reference_max_bins", "16777217"),
            ("min_level", "64"),
            ("false_alarm_rate", "0"),
            ("false_alarm_rate", "NaN"),
            ("confidence_level", "1"),
            ("confidence_level", "inf"),
            ("confidence_level", ""),
        ] {
            let mut options = MonitorOptions::default();
            let message = options.set(key, value).unwrap_err().to_string();
            assert!(
                message.contains(&format!("cannot be set to '{value}'")),
                "{message}"
            );
            assert!(
                message.contains(&format!("Hint: SET monitor.{key} = ")),
                "{message}"
            );
            assert_eq!(options, MonitorOptions::default());
        }
    }

    #[test]
    fn every_example_is_accepted_and_every_default_is_in_range() {
        let mut options = MonitorOptions::default();
        for setting in &SETTINGS {
            options.set(setting.name, setting.example).unwrap();
        }
        for entry in MonitorOptions::default().entries() {
            let key = entry.key.strip_prefix("monitor.").unwrap();
            options.set(key, &entry.value.unwrap()).unwrap();
        }
        assert_eq!(options, MonitorOptions::default());
    }

    #[test]
    fn a_misspelt_setting_names_the_nearest() {
        let message = MonitorOptions::default()
            .set("max_bin", "64")
            .unwrap_err()
            .to_string();
        assert!(message.contains("Did you mean 'max_bins'?"), "{message}");
    }
}
