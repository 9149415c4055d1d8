//! Eigenvalues and eigenvectors of a covariance matrix.

/// More sweeps than any matrix was seen to need (a dozen for 500 columns).
const SWEEPS: usize = 60;

/// An eigenvalue with its unit vector.
pub type Eigen = (f64, Vec<f64>);

/// Eigenvalues of a symmetric matrix without negative eigenvalues, largest first, each with a unit vector.
///
/// One-sided Jacobi: pairs of rows are rotated until all are at right angles. What is left of a row is the
/// eigenvector times its eigenvalue, and the rotations gather into the eigenvectors. Vectors of equal eigenvalues are
/// some basis of their space.
///
/// * Shape: `n` rows of `n` numbers.
/// * Source: M. R. Hestenes (1958), J. SIAM 6, 51-90.
pub fn eigen(mut rows: Vec<Vec<f64>>) -> Vec<Eigen> {
    let n = rows.len();
    let unit = |i: usize| (0..n).map(|j| f64::from(u8::from(i == j))).collect();
    let mut vectors: Vec<Vec<f64>> = (0..n).map(unit).collect();
    let largest = rows.iter().map(|row| dot(row, row)).fold(0.0, f64::max);
    for _ in 0..SWEEPS {
        let mut rotated = false;
        for p in 0..n {
            for q in p + 1..n {
                let Ok([a, b]) = rows.get_disjoint_mut([p, q]) else {
                    continue;
                };
                let (aa, bb, ab) = (dot(a, a), dot(b, b), dot(a, b));
                // what is left of a row of eigenvalue 0 is rounding, and at no angle to anything
                let noise = f64::EPSILON * f64::EPSILON * largest;
                if ab.abs() <= f64::EPSILON * (aa * bb).sqrt() || aa <= noise || bb <= noise {
                    continue;
                }
                rotated = true;
                let tau = (bb - aa) / (2.0 * ab);
                let tangent = 1f64.copysign(tau) / (tau.abs() + tau.hypot(1.0));
                let cosine = 1.0 / tangent.hypot(1.0);
                rotate(a, b, cosine, cosine * tangent);
                if let Ok([a, b]) = vectors.get_disjoint_mut([p, q]) {
                    rotate(a, b, cosine, cosine * tangent);
                }
            }
        }
        if !rotated {
            break;
        }
    }
    let values = rows.iter().map(|row| dot(row, row).sqrt());
    let mut found: Vec<Eigen> = values.zip(vectors).collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    found
}

/// Scalar product, in four sums that do not wait for one another.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (fours, rest) = (a.as_chunks::<4>(), b.as_chunks::<4>());
    let mut sums = [0.0; 4];
    for ([a0, a1, a2, a3], [b0, b1, b2, b3]) in fours.0.iter().zip(rest.0) {
        let [s0, s1, s2, s3] = &mut sums;
        *s0 += a0 * b0;
        *s1 += a1 * b1;
        *s2 += a2 * b2;
        *s3 += a3 * b3;
    }
    let last: f64 = fours.1.iter().zip(rest.1).map(|(a, b)| a * b).sum();
    let [s0, s1, s2, s3] = sums;
    (s0 + s1) + (s2 + s3) + last
}

fn rotate(a: &mut [f64], b: &mut [f64], cosine: f64, sine: f64) {
    for (a, b) in a.iter_mut().zip(b) {
        let (x, y) = (*a, *b);
        *a = cosine * x - sine * y;
        *b = sine * x + cosine * y;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_by_two_by_hand() {
        // eigenvalues 3 and 1 along (1, 1) and (1, -1)
        let found = eigen(vec![vec![2.0, 1.0], vec![1.0, 2.0]]);
        let half = 0.5f64.sqrt();
        assert!((found[0].0 - 3.0).abs() < 1e-15 && (found[1].0 - 1.0).abs() < 1e-15);
        for (_, vector) in &found {
            assert!(vector.iter().all(|x| (x.abs() - half).abs() < 1e-15));
        }
        assert!(found[0].1[0] * found[0].1[1] > 0.0 && found[1].1[0] * found[1].1[1] < 0.0);
    }

    #[test]
    fn zero_and_diagonal_matrices_are_left_as_they_are() {
        assert_eq!(eigen(vec![vec![0.0; 2]; 2])[0].0, 0.0);
        let found = eigen(vec![vec![1.0, 0.0], vec![0.0, 4.0]]);
        assert_eq!(found, [(4.0, vec![0.0, 1.0]), (1.0, vec![1.0, 0.0])]);
        assert!(eigen(vec![]).is_empty());
    }

    #[test]
    fn a_matrix_of_low_rank_is_put_together_again() {
        // B times its transpose, 40 columns of rank 7
        let n = 40;
        let b: Vec<Vec<f64>> = (0..n)
            .map(|i| {
                (0..7)
                    .map(|j| ((i * 37 + j * 101) % 53) as f64 / 53.0 - 0.5)
                    .collect()
            })
            .collect();
        let matrix: Vec<Vec<f64>> = b
            .iter()
            .map(|x| b.iter().map(|y| dot(x, y)).collect())
            .collect();
        let found = eigen(matrix.clone());
        for (i, row) in matrix.iter().enumerate() {
            for (j, cell) in row.iter().enumerate() {
                let again: f64 = found.iter().map(|(value, v)| value * v[i] * v[j]).sum();
                assert!((again - cell).abs() < 1e-14, "{again} {cell}");
            }
        }
        for (i, a) in found.iter().enumerate() {
            for (j, b) in found.iter().enumerate() {
                let expected = f64::from(u8::from(i == j));
                assert!((dot(&a.1, &b.1) - expected).abs() < 1e-13);
            }
        }
        assert!(found[7].0 < 1e-14 && found[6].0 > 0.01);
    }
}
