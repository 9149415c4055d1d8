//! Canonical bytes of profiles and fitted values: magic, version, body, checksum.
//!
//! Whole numbers are LEB128 varints, floats their little-endian bits, and the last four bytes are the
//! CRC-32 of all before them.
use super::error::KernelError;

/// Bytes of checksum at the end.
const CHECKSUM: usize = 4;

/// Writes a value.
#[derive(Debug)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// Starts with the four bytes that name the kind of value and the version of its layout.
    pub fn new(magic: [u8; 4], version: u8) -> Self {
        let mut bytes = magic.to_vec();
        bytes.push(version);
        Self(bytes)
    }

    /// Room for `bytes` more.
    pub fn reserve(&mut self, bytes: usize) {
        self.0.reserve(bytes);
    }

    /// A whole number.
    #[inline]
    pub fn uint(&mut self, mut n: u64) {
        while n >= 0x80 {
            self.0.push(n as u8 | 0x80);
            n >>= 7;
        }
        self.0.push(n as u8);
    }

    /// A wide whole number.
    #[inline]
    pub fn wide(&mut self, mut n: u128) {
        while n > u128::from(u64::MAX) {
            self.0.push(n as u8 | 0x80);
            n >>= 7;
        }
        self.uint(n as u64);
    }

    /// A signed number, small magnitudes short.
    pub fn int(&mut self, n: i64) {
        self.uint((n << 1 ^ n >> 63) as u64);
    }

    /// A float, bit by bit.
    pub fn float(&mut self, x: f64) {
        self.0.extend_from_slice(&x.to_bits().to_le_bytes());
    }

    /// Bytes with their length.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.uint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    /// Appends the checksum.
    pub fn finish(mut self) -> Vec<u8> {
        let checksum = crc32fast::hash(&self.0);
        self.0.extend_from_slice(&checksum.to_le_bytes());
        self.0
    }
}

/// Reads what [`Writer`] wrote; every method fails on bytes that it did not write.
#[derive(Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    what: &'static str,
}

impl<'a> Reader<'a> {
    /// Checks kind, version and checksum. `what` names the value in errors.
    pub fn new(
        bytes: &'a [u8],
        magic: [u8; 4],
        version: u8,
        what: &'static str,
    ) -> Result<Self, KernelError> {
        let unreadable = |why: String| Err(KernelError::Unreadable(why));
        let Some((body, checksum)) = bytes.split_last_chunk::<CHECKSUM>() else {
            return unreadable(format!("{} bytes are too few for a {what}", bytes.len()));
        };
        let Some(rest) = body.strip_prefix(&magic) else {
            return unreadable(format!("these {} bytes are not a {what}", bytes.len()));
        };
        if crc32fast::hash(body).to_le_bytes() != *checksum {
            return unreadable(format!(
                "the checksum of the {what} does not match: it was cut or changed"
            ));
        }
        match rest.split_first() {
            Some((&found, rest)) if found == version => Ok(Self { rest, what }),
            found => unreadable(format!(
                "{what} of layout {}, this program reads layout {version}",
                found.map_or(0, |(v, _)| *v)
            )),
        }
    }

    fn fail<T>(&self) -> Result<T, KernelError> {
        Err(KernelError::Unreadable(format!(
            "the {} ends early or holds a number out of range",
            self.what
        )))
    }

    fn byte(&mut self) -> Result<u8, KernelError> {
        match self.rest.split_first() {
            Some((&byte, rest)) => {
                self.rest = rest;
                Ok(byte)
            }
            None => self.fail(),
        }
    }

    /// A whole number.
    #[inline]
    pub fn uint(&mut self) -> Result<u64, KernelError> {
        // most numbers in a profile fit one byte
        if let Some((&byte, rest)) = self.rest.split_first()
            && byte < 0x80
        {
            self.rest = rest;
            return Ok(u64::from(byte));
        }
        let n = self.wide()?;
        u64::try_from(n).or_else(|_| self.fail())
    }

    /// A number of two to eight bytes, in the arithmetic of one machine word; `None` leaves it unread.
    #[inline]
    fn word(&mut self) -> Option<u128> {
        let mut n = 0u64;
        for (place, byte) in self.rest.iter().enumerate().take(8) {
            n |= u64::from(byte & 0x7f) << (7 * place);
            if *byte < 0x80 {
                if *byte == 0 && place > 0 {
                    return None;
                }
                self.rest = self.rest.get(place + 1..)?;
                return Some(u128::from(n));
            }
        }
        None
    }

    /// A wide whole number.
    pub fn wide(&mut self) -> Result<u128, KernelError> {
        if let Some(n) = self.word() {
            return Ok(n);
        }
        let (mut n, mut shift) = (0u128, 0);
        loop {
            let byte = self.byte()?;
            let part = u128::from(byte & 0x7f);
            if shift >= 128 || part << shift >> shift != part {
                return self.fail();
            }
            n |= part << shift;
            // one number has one spelling
            if byte == 0 && shift > 0 {
                return self.fail();
            }
            if byte < 0x80 {
                return Ok(n);
            }
            shift += 7;
        }
    }

    /// A signed number.
    pub fn int(&mut self) -> Result<i64, KernelError> {
        let n = self.uint()?;
        Ok((n >> 1) as i64 ^ -((n & 1) as i64))
    }

    /// A float.
    pub fn float(&mut self) -> Result<f64, KernelError> {
        let Some((bits, rest)) = self.rest.split_first_chunk::<8>() else {
            return self.fail();
        };
        self.rest = rest;
        Ok(f64::from_bits(u64::from_le_bytes(*bits)))
    }

    /// Bytes with their length.
    pub fn bytes(&mut self) -> Result<&'a [u8], KernelError> {
        let length = self.uint()?;
        let split = usize::try_from(length)
            .ok()
            .and_then(|n| self.rest.split_at_checked(n));
        match split {
            Some((bytes, rest)) => {
                self.rest = rest;
                Ok(bytes)
            }
            None => self.fail(),
        }
    }

    /// A length of a list whose elements take at least `bytes_each`: refuses more than the rest can hold,
    /// so that nothing is reserved for elements that cannot come.
    pub fn length(&mut self, bytes_each: usize) -> Result<usize, KernelError> {
        let n = self.uint()?;
        match usize::try_from(n) {
            Ok(n) if n.saturating_mul(bytes_each) <= self.rest.len() => Ok(n),
            _ => self.fail(),
        }
    }

    /// Fails unless everything was read.
    pub fn finish(self) -> Result<(), KernelError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            self.fail()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        let mut w = Writer::new(*b"TEST", 1);
        w.uint(u64::MAX);
        w.wide(u128::MAX);
        w.int(i64::MIN);
        w.float(-0.1);
        w.bytes(b"abc");
        let bytes = w.finish();
        let mut r = Reader::new(&bytes, *b"TEST", 1, "test").unwrap();
        assert_eq!(r.uint(), Ok(u64::MAX));
        assert_eq!(r.wide(), Ok(u128::MAX));
        assert_eq!(r.int(), Ok(i64::MIN));
        assert_eq!(r.float(), Ok(-0.1));
        assert_eq!(r.bytes(), Ok(b"abc".as_slice()));
        assert_eq!(r.finish(), Ok(()));
    }

    #[test]
    fn every_changed_byte_and_every_cut_is_noticed() {
        let mut w = Writer::new(*b"TEST", 1);
        w.uint(300);
        let bytes = w.finish();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(
                Reader::new(&changed, *b"TEST", 1, "test").is_err(),
                "byte {at}"
            );
            assert!(
                Reader::new(&bytes[..at], *b"TEST", 1, "test").is_err(),
                "cut at {at}"
            );
        }
    }
}
