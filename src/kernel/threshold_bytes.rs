//! A fitted threshold as bytes, so that it can travel in a column of a query.
//!
//! Rule, link, flags, reference chunks, whether there were any without a value, and seven numbers, 0 where absent.
use super::KernelError;
use super::codec::{Reader, Writer};
use super::link::Link;
use super::threshold_model::{Rule, ThresholdModel};
use super::variance_model::VarianceModel;

const MAGIC: [u8; 4] = *b"MWTH";
const LAYOUT: u8 = 2;
const NUMBERS: usize = 7;

const WANTS_LOWER: u8 = 1;
const WANTS_UPPER: u8 = 2;
const TOTAL: u8 = 4;
const DOMAIN_LOWER: u8 = 8;
const DOMAIN_UPPER: u8 = 16;
const FIXED_LOWER: u8 = 32;
const FIXED_UPPER: u8 = 64;

impl ThresholdModel {
    /// Versioned, checksummed bytes; equal models give equal bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let (rule, link, rule_flags, [a, b, c, d, e]) = rule_fields(&self.rule);
        let flags = rule_flags
            | flag(self.wants_lower, WANTS_LOWER)
            | flag(self.wants_upper, WANTS_UPPER)
            | flag(self.lower.is_some(), DOMAIN_LOWER)
            | flag(self.upper.is_some(), DOMAIN_UPPER);
        let (lower, upper) = (self.lower.unwrap_or(0.0), self.upper.unwrap_or(0.0));
        let mut w = Writer::new(MAGIC, LAYOUT);
        for code in [rule, link, flags] {
            w.uint(u64::from(code));
        }
        w.uint(u64::from(self.chunks));
        w.uint(u64::from(self.has_reference));
        for number in [lower, upper, a, b, c, d, e] {
            w.float(number);
        }
        w.finish()
    }

    /// The model that [`Self::to_bytes`] wrote.
    /// Errors: [`KernelError::Unreadable`] for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KernelError> {
        let mut r = Reader::new(bytes, MAGIC, LAYOUT, "threshold")?;
        let mut code =
            || u8::try_from(r.uint()?).or_else(|_| unreadable("a threshold of unknown kind"));
        let (rule, link, flags) = (code()?, code()?, code()?);
        let chunks =
            u32::try_from(r.uint()?).or_else(|_| unreadable("a threshold of too many chunks"))?;
        let has_reference = r.uint()? == 1;
        let mut numbers = [0.0; NUMBERS];
        for number in &mut numbers {
            *number = r.float()?;
        }
        r.finish()?;
        if numbers.iter().any(|x| !x.is_finite()) {
            return unreadable("a threshold holds a number that is not finite");
        }
        let [lower, upper, ref rest @ ..] = numbers;
        let read = Self {
            rule: rule_of(rule, link, flags, rest)?,
            wants_lower: flags & WANTS_LOWER != 0,
            wants_upper: flags & WANTS_UPPER != 0,
            lower: (flags & DOMAIN_LOWER != 0).then_some(lower),
            upper: (flags & DOMAIN_UPPER != 0).then_some(upper),
            chunks,
            has_reference,
        };
        if read.to_bytes() == bytes {
            Ok(read)
        } else {
            unreadable("the threshold is not in its canonical form")
        }
    }
}

fn flag(set: bool, bit: u8) -> u8 {
    if set { bit } else { 0 }
}

/// Code of the rule, code of its link, its flags, its numbers.
fn rule_fields(rule: &Rule) -> (u8, u8, u8, [f64; 5]) {
    match rule {
        Rule::Constant { lower, upper } | Rule::Scatter { lower, upper } => {
            let flags = flag(lower.is_some(), FIXED_LOWER) | flag(upper.is_some(), FIXED_UPPER);
            let numbers = [lower.unwrap_or(0.0), upper.unwrap_or(0.0), 0.0, 0.0, 0.0];
            let code = if matches!(rule, Rule::Constant { .. }) {
                0
            } else {
                2
            };
            (code, 0, flags, numbers)
        }
        Rule::Variance { model, link, total } => {
            let numbers = [
                model.z,
                model.centre,
                model.centre_variance,
                model.between,
                model.row_variance,
            ];
            (1, link_code(*link), flag(*total, TOTAL), numbers)
        }
    }
}

fn rule_of(rule: u8, link: u8, flags: u8, numbers: &[f64; 5]) -> Result<Rule, KernelError> {
    let &[first, second, centre_variance, between, row_variance] = numbers;
    let (lower, upper) = (
        (flags & FIXED_LOWER != 0).then_some(first),
        (flags & FIXED_UPPER != 0).then_some(second),
    );
    match rule {
        0 => Ok(Rule::Constant { lower, upper }),
        2 => Ok(Rule::Scatter { lower, upper }),
        1 if centre_variance < 0.0 || between < 0.0 || row_variance < 0.0 => {
            unreadable("a threshold with a negative variance")
        }
        1 => Ok(Rule::Variance {
            model: VarianceModel {
                z: first,
                centre: second,
                centre_variance,
                between,
                row_variance,
            },
            link: link_of(link)?,
            total: flags & TOTAL != 0,
        }),
        _ => unreadable(&format!("threshold of unknown rule {rule}")),
    }
}

fn unreadable<T>(why: &str) -> Result<T, KernelError> {
    Err(KernelError::Unreadable(why.into()))
}

fn link_code(link: Link) -> u8 {
    match link {
        Link::Identity => 0,
        Link::Log => 1,
        Link::Arcsine => 2,
    }
}

fn link_of(code: u8) -> Result<Link, KernelError> {
    match code {
        0 => Ok(Link::Identity),
        1 => Ok(Link::Log),
        2 => Ok(Link::Arcsine),
        _ => unreadable(&format!("threshold of unknown scale {code}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::limits::ChunkPoint;
    use crate::kernel::metric::Metric;
    use crate::kernel::threshold::{Direction, MetricScale, Threshold};

    fn models() -> Vec<ThresholdModel> {
        let metrics = [
            Metric::Accuracy,
            Metric::BusinessValue,
            Metric::LogLoss,
            Metric::TruePositive,
        ];
        let point = |value| ChunkPoint {
            value: Some(value),
            sampling_error: Some(0.1),
            used_count: 50,
        };
        let reference = [0.5, 0.6, 0.65].map(point);
        let mut models = vec![];
        for metric in metrics.map(MetricScale::of) {
            for threshold in [
                Threshold::default(),
                Threshold::StandardDeviation {
                    lower: Some(3.0),
                    upper: None,
                },
                Threshold::Constant {
                    lower: None,
                    upper: Some(0.5),
                },
            ] {
                for direction in [Direction::Both, Direction::Worse] {
                    models.push(
                        ThresholdModel::fit(threshold, direction, metric, &reference).unwrap(),
                    );
                }
            }
            models.push(
                ThresholdModel::fit(Threshold::default(), Direction::Both, metric, &[]).unwrap(),
            );
        }
        models
    }

    #[test]
    fn bytes_give_the_model_back() {
        for model in models() {
            let bytes = model.to_bytes();
            assert_eq!(ThresholdModel::from_bytes(&bytes), Ok(model));
        }
    }

    #[test]
    fn damaged_bytes_are_refused() {
        let bytes = models()[0].to_bytes();
        for i in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[i] ^= 1;
            assert!(ThresholdModel::from_bytes(&damaged).is_err(), "byte {i}");
            assert!(
                ThresholdModel::from_bytes(&bytes[..i]).is_err(),
                "length {i}"
            );
        }
    }

    /// Bytes of a variance model with one field replaced and the checksum right.
    fn replaced(place: usize, field: &[u8]) -> String {
        let mut bytes = models()[0].to_bytes();
        bytes[place..place + field.len()].copy_from_slice(field);
        let end = bytes.len() - 4;
        let sum = crc32fast::hash(&bytes[..end]).to_le_bytes();
        bytes[end..].copy_from_slice(&sum);
        ThresholdModel::from_bytes(&bytes).unwrap_err().to_string()
    }

    #[test]
    fn another_version_says_so() {
        assert!(replaced(4, &[9]).contains("layout 9"));
    }

    #[test]
    fn impossible_contents_are_refused() {
        assert!(replaced(5, &[9]).contains("unknown rule 9"));
        assert!(replaced(6, &[9]).contains("unknown scale 9"));
        assert!(replaced(9, &[2]).contains("canonical"));
        assert!(replaced(10, &f64::NAN.to_le_bytes()).contains("not finite"));
        let row_variance = 10 + 6 * 8;
        assert!(replaced(row_variance, &(-1.0_f64).to_le_bytes()).contains("negative variance"));
    }
}
