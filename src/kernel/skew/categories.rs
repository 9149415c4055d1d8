//! Categories that training does not have: other spellings of its own, or new ones.
use std::collections::{BTreeMap, HashMap};

use super::super::values::{CategoryGroup, CategoryGroups};
use super::check::{Effects, SkewCheck};
use super::reading::SkewReading;
use super::shares::{Counted, upper_tail};
use super::spike::{Rows, Value};

const FORMAT: &str = "Trim, case and cast the column alike on both sides; the model takes these categories for unknown ones.";
const UNSEEN: &str = "Find out where the new categories come from; train on them, or map them to ones that the model knows.";

/// Both readings, `category_format` and `unseen_category`, and the categories that both sides spell alike or one side alone has.
pub(super) struct Categories {
    pub format: SkewReading,
    pub unseen: SkewReading,
    /// Frequent values of either side without respelt ones.
    pub values: Vec<Value>,
}

/// Compares the categories of two profiles.
///
/// Not run where a profile does not know its categories one by one. p-values: of the most frequent category that training does
/// not have (of one of its spellings), Fisher's law times the number of categories.
pub(super) fn categories(
    training: &CategoryGroups,
    serving: &CategoryGroups,
    effects: &Effects,
) -> Categories {
    let not_run = |why: &str| Categories {
        format: SkewReading::not_run(SkewCheck::CategoryFormat, effects, why),
        unseen: SkewReading::not_run(SkewCheck::UnseenCategory, effects, why),
        values: vec![],
    };
    if training.rows() == 0 || serving.rows() == 0 {
        return not_run("A side has no categories.");
    }
    let (Some(known), Some(served)) = (texts(training), texts(serving)) else {
        return not_run("The column has more categories than max_bins keeps apart.");
    };
    let forms: HashMap<String, &str> = known.keys().map(|text| (normal(text), *text)).collect();
    let new = served.iter().filter(|(text, _)| !known.contains_key(*text));
    let (respelt, unseen): (Vec<Served>, Vec<Served>) = new
        .map(|(text, rows)| (*text, *rows, forms.get(&normal(text)).copied()))
        .partition(|(.., known)| known.is_some());
    let rows = Rows::of_categories(serving).all;
    let among = (known.len() + served.len()) as f64;
    let side = Sides {
        training: Rows::of_categories(training).all,
        serving: rows,
        among,
    };
    let respelt_texts: Vec<&str> = respelt
        .iter()
        .flat_map(|(text, _, known)| [Some(*text), *known])
        .flatten()
        .collect();
    Categories {
        values: values(&known, &served, &respelt_texts),
        format: side.reading(SkewCheck::CategoryFormat, &respelt, effects),
        unseen: side.reading(SkewCheck::UnseenCategory, &unseen, effects),
    }
}

/// A category that training does not have, its rows, and the category that it is another spelling of.
type Served<'a> = (&'a str, u64, Option<&'a str>);

struct Sides {
    training: u64,
    serving: u64,
    among: f64,
}

impl Sides {
    fn reading(&self, check: SkewCheck, found: &[Served], effects: &Effects) -> SkewReading {
        let count: u64 = found.iter().map(|(_, rows, _)| rows).sum();
        let of = |count: u64| Counted {
            count,
            rows: self.serving,
        };
        // the most frequent; of equal ones the first in order
        let most = found.iter().max_by(|a, b| a.1.cmp(&b.1).then(b.0.cmp(a.0)));
        let none = Counted {
            count: 0,
            rows: self.training,
        };
        let p = most.map(|(_, rows, _)| upper_tail(of(*rows), none) * self.among);
        let reading = SkewReading::new(check, effects, of(count).share(), Some(p.unwrap_or(1.0)));
        let example = most.map_or_else(String::new, |(text, rows, known)| {
            let share = of(*rows).told();
            match known {
                Some(known) => format!(" '{text}' ({share}) is '{known}' in training."),
                None => format!(" The most frequent is '{text}' ({share})."),
            }
        });
        let (what, suggestion) = match check {
            SkewCheck::CategoryFormat => ("other spellings of categories of training", FORMAT),
            _ => ("categories that training does not have", UNSEEN),
        };
        let evidence = format!(
            "{} of the rows in serving hold {what}.{example}",
            of(count).told()
        );
        reading.told("share", evidence, suggestion)
    }
}

/// Rows by category; `None` where a group is not one category.
fn texts(groups: &CategoryGroups) -> Option<BTreeMap<&str, u64>> {
    let text = |group: &'_ CategoryGroup| group.count;
    let pairs = groups
        .groups
        .iter()
        .map(|group| Some((group.category.as_deref()?, text(group))));
    pairs.collect()
}

/// Categories with their rows on both sides, without those that are spelt in several ways.
fn values(
    known: &BTreeMap<&str, u64>,
    served: &BTreeMap<&str, u64>,
    respelt: &[&str],
) -> Vec<Value> {
    let all = known
        .keys()
        .chain(served.keys().filter(|text| !known.contains_key(*text)));
    let plain = all.filter(|text| !respelt.contains(text));
    let value = plain.map(|text| Value {
        text: format!("'{text}'"),
        training: known.get(text).copied().unwrap_or(0),
        serving: served.get(text).copied().unwrap_or(0),
    });
    value.collect()
}

/// What two spellings of a category have in common: letters in lower case, numbers and truth values by what they mean, spaces,
/// hyphens and underscores as one space, none at the ends.
fn normal(text: &str) -> String {
    let apart = |c: char| c.is_whitespace() || c == '-' || c == '_' || c == '"' || c == '\'';
    let lower = text.to_lowercase();
    if let Ok(number) = lower.trim().parse::<f64>()
        && number.is_finite()
    {
        return format!("{number}");
    }
    let words: Vec<&str> = lower.split(apart).filter(|word| !word.is_empty()).collect();
    match words.as_slice() {
        ["true"] => "1".into(),
        ["false"] => "0".into(),
        words => words.join(" "),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::categories as of;
    use super::*;

    #[test]
    fn spellings_have_one_form() {
        for (a, b) in [
            (" BE", "be"),
            ("1.0", "1"),
            ("007", "7"),
            ("True", "1"),
            ("New-York", "new york"),
            ("'pro'", "pro"),
        ] {
            assert_eq!(normal(a), normal(b));
        }
        assert_ne!(normal("BE"), normal("NL"));
        assert_eq!(normal("nan"), "nan");
    }

    #[test]
    fn spellings_and_new_categories_are_told_apart() {
        let training = of(["BE", "NL", "FR"].into_iter().cycle().take(900));
        let served = ["BE", "nl ", "FR", "LU"].into_iter().cycle().take(800);
        let found = categories(&training, &of(served), &Effects::default());
        assert!(found.format.is_finding(1e-6) && found.unseen.is_finding(1e-6));
        assert_eq!(
            found.format.evidence,
            "25.0 % of the rows in serving hold other spellings of categories of training. 'nl ' (25.0 %) is 'NL' in training."
        );
        assert_eq!(
            found.unseen.evidence,
            "25.0 % of the rows in serving hold categories that training does not have. The most frequent is 'LU' (25.0 %)."
        );
    }

    #[test]
    fn names_of_rows_are_no_finding() {
        let names: Vec<String> = (0..400).map(|i| format!("id {i}")).collect();
        let (training, served) = names.split_at(200);
        let side = |names: &[String]| of(names.iter().map(String::as_str));
        let found = categories(&side(training), &side(served), &Effects::default());
        assert_eq!(found.unseen.value, Some(1.0));
        assert!(!found.unseen.is_finding(0.05), "{:?}", found.unseen);
    }
}
