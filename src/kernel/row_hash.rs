//! A number that equal rows share.
use xxhash_rust::xxh3::Xxh3;

use super::pca::Cell;

/// Hash of the cells of a row, in order: rows of one hash are equal, but for one pair in 2^64 (XXH3).
///
/// NULL equals NULL and NaN, 0 equals -0; a number never equals a text.
///
/// ```
/// use modelwatch::kernel::pca::Cell;
/// use modelwatch::kernel::row_hash::row_hash;
/// let row = |x: f64| row_hash([Cell::number(x), Cell::Text("BE")].into_iter());
/// assert_eq!(row(0.0), row(-0.0));
/// assert_ne!(row(0.0), row(1.0));
/// ```
pub fn row_hash<'a>(cells: impl Iterator<Item = Cell<'a>>) -> u64 {
    let mut hasher = Xxh3::new();
    for cell in cells {
        match cell {
            Cell::Missing => hasher.update(&[0]),
            Cell::Number(x) => {
                hasher.update(&[1]);
                // the sum makes -0 a 0
                hasher.update(&(x + 0.0).to_bits().to_le_bytes());
            }
            Cell::Text(text) => {
                hasher.update(&[2]);
                hasher.update(&(text.len() as u64).to_le_bytes());
                hasher.update(text.as_bytes());
            }
        }
    }
    hasher.digest()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_told_apart_by_kind_and_place() {
        let of = |cells: &[Cell]| row_hash(cells.iter().copied());
        let different = [
            of(&[]),
            of(&[Cell::Missing]),
            of(&[Cell::Text("")]),
            of(&[Cell::Number(1.0)]),
            of(&[Cell::Text("1")]),
            of(&[Cell::Text("a"), Cell::Text("b")]),
            of(&[Cell::Text("ab"), Cell::Text("")]),
            of(&[Cell::Missing, Cell::Number(1.0)]),
            of(&[Cell::Number(1.0), Cell::Missing]),
        ];
        for (i, a) in different.iter().enumerate() {
            assert!(different.iter().skip(i + 1).all(|b| a != b));
        }
        assert_eq!(of(&[Cell::number(f64::NAN)]), of(&[Cell::Missing]));
    }
}
