//! A fitted threshold as bytes, so that it can travel in a column of a query.
//!
//! Little-endian: magic, version, rule, link, flags (a byte each), reference chunks (u32),
//! seven numbers (f64, 0 where absent), CRC-32 of all that.
use super::KernelError;
use super::link::Link;
use super::threshold_model::{Rule, ThresholdModel};
use super::variance_model::VarianceModel;

const MAGIC: [u8; 4] = *b"MWTH";
const VERSION: u8 = 1;
const NUMBERS: usize = 7;
const LENGTH: usize = 12 + 8 * NUMBERS + 4;

const WANTS_LOWER: u8 = 1;
const WANTS_UPPER: u8 = 2;
const TOTAL: u8 = 4;
const DOMAIN_LOWER: u8 = 8;
const DOMAIN_UPPER: u8 = 16;
const FIXED_LOWER: u8 = 32;
const FIXED_UPPER: u8 = 64;

impl ThresholdModel {
    /// The model in 72 bytes; equal models give equal bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        let (mut rule, mut scale, mut flags) = (0, 0, 0);
        let mut numbers = [0.0; NUMBERS];
        numbers[0] = self.lower.unwrap_or(0.0);
        numbers[1] = self.upper.unwrap_or(0.0);
        match &self.rule {
            Rule::Fixed { lower, upper } => {
                numbers[2] = lower.unwrap_or(0.0);
                numbers[3] = upper.unwrap_or(0.0);
                flags |= flag(lower.is_some(), FIXED_LOWER) | flag(upper.is_some(), FIXED_UPPER);
            }
            Rule::Variance { model, link, total } => {
                rule = 1;
                scale = link_code(*link);
                flags |= flag(*total, TOTAL);
                numbers[2] = model.z;
                numbers[3] = model.centre;
                numbers[4] = model.centre_variance;
                numbers[5] = model.between;
                numbers[6] = model.row_variance;
            }
        }
        flags |= flag(self.wants_lower, WANTS_LOWER) | flag(self.wants_upper, WANTS_UPPER);
        flags |=
            flag(self.lower.is_some(), DOMAIN_LOWER) | flag(self.upper.is_some(), DOMAIN_UPPER);

        let mut bytes = Vec::with_capacity(LENGTH);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&[VERSION, rule, scale, flags]);
        bytes.extend_from_slice(&self.chunks.to_le_bytes());
        numbers
            .iter()
            .for_each(|x| bytes.extend_from_slice(&x.to_le_bytes()));
        let checksum = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// The model that [`Self::to_bytes`] wrote.
    /// Errors: [`KernelError::Unreadable`] for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KernelError> {
        let body = checked_body(bytes)?;
        let (head, tail) = body.split_at(12);
        let &[_, _, _, _, version, rule, scale, flags, a, b, c, d] = head else {
            return unreadable("a threshold has a head of 12 bytes");
        };
        if version != VERSION {
            return unreadable(&format!(
                "threshold of version {version}, this program reads {VERSION}"
            ));
        }
        let mut numbers = [0.0; NUMBERS];
        for (number, field) in numbers.iter_mut().zip(tail.as_chunks::<8>().0) {
            *number = f64::from_le_bytes(*field);
        }
        if numbers.iter().any(|x| !x.is_finite()) {
            return unreadable("a threshold holds a number that is not finite");
        }
        let [lower, upper, first, second, third, fourth, fifth] = numbers;
        let given = |bit: u8, x: f64| (flags & bit != 0).then_some(x);
        let impossible = [third, fourth, fifth]
            .iter()
            .any(|variance| *variance < 0.0);
        let rule = match rule {
            _ if impossible => return unreadable("a threshold with a negative variance"),
            0 => Rule::Fixed {
                lower: given(FIXED_LOWER, first),
                upper: given(FIXED_UPPER, second),
            },
            1 => Rule::Variance {
                model: VarianceModel {
                    z: first,
                    centre: second,
                    centre_variance: third,
                    between: fourth,
                    row_variance: fifth,
                },
                link: link_of(scale)?,
                total: flags & TOTAL != 0,
            },
            _ => return unreadable(&format!("threshold of unknown rule {rule}")),
        };
        Ok(Self {
            rule,
            wants_lower: flags & WANTS_LOWER != 0,
            wants_upper: flags & WANTS_UPPER != 0,
            lower: given(DOMAIN_LOWER, lower),
            upper: given(DOMAIN_UPPER, upper),
            chunks: u32::from_le_bytes([a, b, c, d]),
        })
    }
}

fn checked_body(bytes: &[u8]) -> Result<&[u8], KernelError> {
    if bytes.len() != LENGTH || !bytes.starts_with(&MAGIC) {
        return unreadable("not a threshold");
    }
    match bytes.split_last_chunk::<4>() {
        Some((body, sum)) if crc32fast::hash(body) == u32::from_le_bytes(*sum) => Ok(body),
        _ => unreadable("a threshold whose checksum is wrong"),
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
            assert_eq!(bytes.len(), LENGTH);
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

    #[test]
    fn another_version_says_so() {
        let mut bytes = models()[0].to_bytes();
        bytes[4] = 2;
        let end = LENGTH - 4;
        let sum = crc32fast::hash(&bytes[..end]).to_le_bytes();
        bytes[end..].copy_from_slice(&sum);
        let error = ThresholdModel::from_bytes(&bytes).unwrap_err().to_string();
        assert!(error.contains("version 2"), "{error}");
    }
}
