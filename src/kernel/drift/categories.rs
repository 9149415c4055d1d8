//! Categories of a reference and of a chunk side by side, also where one profile tells fewer of them apart.
use super::super::values::{CategoryGroup, CategoryGroups};
use super::cells::{Cell, Table};
use super::divergence::Bounded;
use super::partition::Tally;

/// Pairs of groups beyond which categories of one prefix are not matched one by one.
const MOST_PAIRS: usize = 64;

/// Groups of both sides whose hashes share a prefix of the common length.
struct Run<'a> {
    reference: &'a [CategoryGroup],
    chunk: &'a [CategoryGroup],
    /// Whether each group is a category that can be told from the others.
    told: bool,
}

/// Calls `visit` for every prefix of the common length that either side has, ascending.
fn runs<'a>(
    reference: &'a CategoryGroups,
    chunk: &'a CategoryGroups,
    mut visit: impl FnMut(&Run<'a>),
) {
    let bits = reference.bits.min(chunk.bits);
    let (mut left, mut right) = (reference.groups.as_slice(), chunk.groups.as_slice());
    let of = |group: Option<&CategoryGroup>, side: &CategoryGroups| {
        group.map(|group| shortened(group.prefix, side.bits, bits))
    };
    while let Some(prefix) = match (of(left.first(), reference), of(right.first(), chunk)) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    } {
        let (a, rest) = split(left, |g| {
            shortened(g.prefix, reference.bits, bits) == prefix
        });
        left = rest;
        let (b, rest) = split(right, |g| shortened(g.prefix, chunk.bits, bits) == prefix);
        right = rest;
        let run = Run {
            reference: a,
            chunk: b,
            told: is_told(a, reference.bits, b, chunk.bits),
        };
        visit(&run);
    }
}

fn split(
    groups: &[CategoryGroup],
    belongs: impl Fn(&CategoryGroup) -> bool,
) -> (&[CategoryGroup], &[CategoryGroup]) {
    let count = groups.iter().take_while(|group| belongs(group)).count();
    groups.split_at_checked(count).unwrap_or((groups, &[]))
}

fn shortened(prefix: u64, from: u8, to: u8) -> u64 {
    prefix
        .checked_shr(u32::from(from.saturating_sub(to)))
        .unwrap_or(0)
}

fn is_told(a: &[CategoryGroup], a_bits: u8, b: &[CategoryGroup], b_bits: u8) -> bool {
    let single = |bits: u8| move |group: &CategoryGroup| bits == 64 || group.category.is_some();
    if !(a.iter().all(single(a_bits)) && b.iter().all(single(b_bits))) {
        return false;
    }
    let comparable = a.is_empty()
        || b.is_empty()
        || (a_bits == 64 && b_bits == 64)
        || a.iter().chain(b).all(|group| group.category.is_some());
    comparable && a.len().max(1) * b.len().max(1) <= MOST_PAIRS
}

/// Whether two groups of a told run are one category.
fn is_same(a: &CategoryGroup, b: &CategoryGroup) -> bool {
    match (&a.category, &b.category) {
        (Some(a), Some(b)) => a == b,
        _ => a.prefix == b.prefix,
    }
}

impl Run<'_> {
    fn rows(groups: &[CategoryGroup]) -> u64 {
        groups.iter().map(|group| group.count).sum()
    }

    /// Cells of the union of the categories: one each where they are told apart, else one of all.
    fn union(&self, cells: &mut Vec<Cell>) {
        if !self.told {
            cells.push(Cell {
                reference: Self::rows(self.reference),
                chunk: Tally::exactly(Self::rows(self.chunk)),
                mixed: true,
            });
            return;
        }
        let cell = |reference, chunk| Cell {
            reference,
            chunk: Tally::exactly(chunk),
            mixed: false,
        };
        for group in self.reference {
            let twin = self.chunk.iter().find(|other| is_same(group, other));
            cells.push(cell(group.count, twin.map_or(0, |twin| twin.count)));
        }
        for group in self.chunk {
            if !self.reference.iter().any(|other| is_same(other, group)) {
                cells.push(cell(0, group.count));
            }
        }
    }

    /// The cells of the reference's groups, and the rows of the chunk outside of them.
    fn of_reference(&self, chunk_is_finer: bool, cells: &mut Vec<Cell>, unseen: &mut Tally) {
        let rows = Self::rows(self.chunk);
        if self.told && !chunk_is_finer {
            return self.told_of_reference(cells, unseen);
        }
        match self.reference {
            [] => *unseen = unseen.plus(Tally::exactly(rows)),
            [only] if chunk_is_finer => cells.push(Cell {
                reference: only.count,
                chunk: Tally::exactly(rows),
                mixed: false,
            }),
            many => {
                let total = Self::rows(many) as f64;
                cells.extend(many.iter().map(|group| Cell {
                    reference: group.count,
                    chunk: Tally {
                        sure: 0,
                        maybe: rows,
                        likely: rows as f64 * group.count as f64 / total,
                    },
                    mixed: false,
                }));
                unseen.maybe += rows;
            }
        }
    }

    fn told_of_reference(&self, cells: &mut Vec<Cell>, unseen: &mut Tally) {
        for group in self.reference {
            let twin = self.chunk.iter().find(|other| is_same(group, other));
            cells.push(Cell {
                reference: group.count,
                chunk: Tally::exactly(twin.map_or(0, |twin| twin.count)),
                mixed: false,
            });
        }
        let known = |group: &&CategoryGroup| !self.reference.iter().any(|r| is_same(r, group));
        let rows = self.chunk.iter().filter(known).map(|group| group.count);
        *unseen = unseen.plus(Tally::exactly(rows.sum()));
    }
}

/// Categories of either side, each on its own; groups of several are one mixed cell.
pub(super) fn union(reference: &CategoryGroups, chunk: &CategoryGroups) -> Table {
    let mut cells = Vec::with_capacity(reference.groups.len().max(chunk.groups.len()));
    runs(reference, chunk, |run| run.union(&mut cells));
    Table {
        cells,
        reference: reference.rows(),
        chunk: chunk.rows(),
        doubtful: 0,
    }
}

/// The groups of the reference and, last, one cell of everything else in the chunk.
///
/// The groups of an overflowed reference are cells as they stand, whatever categories they hold: a chunk whose
/// profile is as fine is counted exactly.
pub(super) fn by_reference(reference: &CategoryGroups, chunk: &CategoryGroups) -> Table {
    let mut cells = Vec::with_capacity(reference.groups.len() + 1);
    let mut unseen = Tally::default();
    let chunk_is_finer = reference.bits < 64 && chunk.bits >= reference.bits;
    runs(reference, chunk, |run| {
        run.of_reference(chunk_is_finer, &mut cells, &mut unseen);
    });
    let doubtful = cells.iter().map(|cell: &Cell| cell.chunk.maybe).sum();
    cells.push(Cell {
        reference: 0,
        chunk: unseen,
        mixed: false,
    });
    Table {
        cells,
        reference: reference.rows(),
        chunk: chunk.rows(),
        doubtful,
    }
}

/// What a cell of [`by_reference`] is.
pub(super) enum Label<'a> {
    Group(&'a CategoryGroup),
    Unseen,
}

/// [`by_reference`] with what each cell is.
pub(super) fn by_reference_labelled<'a>(
    reference: &'a CategoryGroups,
    chunk: &CategoryGroups,
) -> (Table, Vec<Label<'a>>) {
    // cells follow the groups of the reference, which a walk by prefix does not reorder
    let groups = reference.groups.iter().map(Label::Group);
    let labels = groups.chain(std::iter::once(Label::Unseen)).collect();
    (by_reference(reference, chunk), labels)
}

/// Largest difference of the share of a category. `part`: the chunk is taken out of the reference.
pub(super) fn l_infinity(
    reference: &CategoryGroups,
    chunk: &CategoryGroups,
    part: bool,
) -> Bounded {
    let rows = (reference.rows() as f64, chunk.rows() as f64);
    let mut most = Bounded::default();
    runs(reference, chunk, |run| {
        let found = if run.told {
            told_difference(run, rows)
        } else {
            mixed_difference(run, rows)
        };
        most = Bounded {
            value: most.value.max(found.value),
            low: most.low.max(found.low),
            high: most.high.max(found.high),
        };
    });
    if part {
        // the shares of the rest differ from the chunk's by N / (N - n) times those of the whole
        let stretch = rows.0 / (rows.0 - rows.1);
        return most.map(|x| (x * stretch).min(1.0));
    }
    most
}

fn told_difference(run: &Run, rows: (f64, f64)) -> Bounded {
    let mut cells = Vec::new();
    let difference = |p: u64, q: u64| (p as f64 / rows.0 - q as f64 / rows.1).abs();
    let largest = match (run.reference, run.chunk) {
        ([a], [b]) if is_same(a, b) => difference(a.count, b.count),
        _ => {
            run.union(&mut cells);
            let each = cells
                .iter()
                .map(|cell| difference(cell.reference, cell.chunk.sure));
            each.fold(0.0, f64::max)
        }
    };
    Bounded::exactly(largest)
}

fn mixed_difference(run: &Run, rows: (f64, f64)) -> Bounded {
    let share = |groups: &[CategoryGroup], rows: f64| {
        let largest = groups.iter().map(|group| group.count).max().unwrap_or(0);
        let single = groups.iter().filter(|group| group.category.is_some());
        let single = single.map(|group| group.count).max().unwrap_or(0);
        let all = Run::rows(groups);
        (
            largest as f64 / rows,
            single as f64 / rows,
            all as f64 / rows,
        )
    };
    let (p_most, p_single, p_all) = share(run.reference, rows.0);
    let (q_most, q_single, q_all) = share(run.chunk, rows.1);
    let high = p_most.max(q_most);
    let low = (p_single - q_all).max(q_single - p_all).max(0.0);
    Bounded {
        value: (p_all - q_all).abs().clamp(low, high),
        low,
        high,
    }
}

#[cfg(test)]
mod tests {
    use super::super::divergence::Divergence;
    use super::*;

    fn groups(bits: u8, counts: &[(u64, u64, Option<&str>)]) -> CategoryGroups {
        CategoryGroups {
            groups: counts
                .iter()
                .map(|&(prefix, count, category)| CategoryGroup {
                    prefix,
                    count,
                    category: category.map(str::to_string),
                })
                .collect(),
            bits,
            ..CategoryGroups::default()
        }
    }

    fn counts(table: &Table) -> Vec<(u64, u64)> {
        let pair = |cell: &Cell| (cell.reference, cell.chunk.sure);
        table.cells.iter().map(pair).collect()
    }

    #[test]
    fn categories_are_matched_by_hash_and_text() {
        let a = groups(
            64,
            &[(1, 5, Some("a")), (7, 3, Some("b")), (7, 2, Some("c"))],
        );
        let b = groups(64, &[(7, 4, Some("c")), (9, 1, Some("d"))]);
        let table = union(&a, &b);
        assert_eq!(counts(&table), [(5, 0), (3, 0), (2, 4), (0, 1)]);
        assert_eq!(
            counts(&by_reference(&a, &b)),
            [(5, 0), (3, 0), (2, 4), (0, 1)]
        );
        // c: 2/10 - 4/5
        assert!((l_infinity(&a, &b, false).value - 0.6).abs() < 1e-15);
    }

    #[test]
    fn coarse_profiles_bound_the_exact_distance() {
        let exact = groups(
            64,
            &[
                (1 << 62, 6, Some("a")),
                ((1 << 62) + 1, 4, Some("b")),
                (3 << 62, 10, Some("c")),
            ],
        );
        let chunk = groups(
            64,
            &[
                ((1 << 62) + 1, 5, Some("b")),
                ((1 << 62) + 2, 1, Some("e")),
                (3 << 62, 4, Some("c")),
            ],
        );
        let coarse = chunk.coarsened(2);
        for divergence in [
            Divergence::JensenShannon,
            Divergence::Hellinger,
            Divergence::Chi2,
        ] {
            let truth = divergence.of(&union(&exact, &chunk)).value;
            let found = divergence.of(&union(&exact, &coarse));
            assert!(
                found.low <= truth && truth <= found.high,
                "{divergence:?} {found:?} {truth}"
            );
        }
        let truth = l_infinity(&exact, &chunk, false).value;
        let found = l_infinity(&exact, &coarse, false);
        assert!(
            found.low <= truth && truth <= found.high,
            "{found:?} {truth}"
        );
        let psi = Divergence::Psi { cells: 4 };
        let truth = psi.of(&by_reference(&exact, &chunk)).value;
        let found = psi.of(&by_reference(&exact, &coarse));
        assert!(
            found.low <= truth && truth <= found.high,
            "{found:?} {truth}"
        );
        // a finer chunk is counted exactly in the groups of a coarse reference
        assert_eq!(
            counts(&by_reference(&exact.coarsened(2), &chunk)),
            [(10, 6), (10, 4), (0, 0)]
        );
    }
}
