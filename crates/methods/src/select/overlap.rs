//! Overlap density (Shin, Cooper and Sala 2024, arXiv 2412.03881, their overlap detection): a student learns what its teacher can't from rows that hold
//! both an easy pattern, by which the teacher labels them rightly, and a hard one, which the student picks up on the way.
//!
//! Rows below a change point in the teacher's sorted confidence hold hard patterns only. Of the others, those overlap that look most like one
//! of these: the largest |cosine| of the student's states. Theirs draws a second change point; here the `keep` share of the
//! pool is taken, half of either label, so that how many rows are left is the recipe's choice.

use crate::error::MethodError;
use crate::pool::Pool;
use crate::student::Student;

/// Hard rows that others are compared with, evenly spaced: the cost stays linear in the pool.
const AMONG: usize = 500;

/// Indices of the rows kept, ascending.
pub fn rows(pool: &Pool, student: &dyn Student, keep: f32) -> Result<Vec<usize>, MethodError> {
    let features = student.features(&pool.items)?;
    Ok(overlapping(&features.values, features.width, &pool.weak, keep))
}

/// `features [rows, width]`, `weak [rows]`.
pub fn overlapping(features: &[f32], width: usize, weak: &[f32], keep: f32) -> Vec<usize> {
    let confidence: Vec<f32> = weak.iter().map(|p| (p - 0.5).abs()).collect();
    let mut order: Vec<usize> = (0..weak.len()).collect();
    order.sort_by(|&a, &b| confidence[a].total_cmp(&confidence[b]));
    let sorted: Vec<f32> = order.iter().map(|&i| confidence[i]).collect();
    let (hard, easy) = order.split_at(change_point(&sorted));
    let hard: Vec<usize> = hard.iter().copied().step_by(hard.len().div_ceil(AMONG).max(1)).collect();
    let scores = scores(features, width, easy, &hard);
    let mut ranked: Vec<(f32, usize)> = scores.into_iter().zip(easy.iter().copied()).collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let half = ((weak.len() as f32 * keep / 2.0).round() as usize).max(1);
    let of = |positive: bool| {
        ranked.iter().map(|&(_, i)| i).filter(move |&i| (weak[i] > 0.5) == positive).take(half).collect::<Vec<_>>()
    };
    let mut kept = [of(true), of(false)].concat();
    kept.sort_unstable();
    kept
}

/// The place that parts sorted values in two with the least squared distance from the parts' means.
pub fn change_point(sorted: &[f32]) -> usize {
    let total: f64 = sorted.iter().map(|&v| f64::from(v)).sum();
    let (mut sum, mut best, mut place) = (0.0, f64::NEG_INFINITY, sorted.len() / 2);
    for at in 1..sorted.len() {
        sum += f64::from(sorted[at - 1]);
        let (left, right) = (at as f64, (sorted.len() - at) as f64);
        let between = sum * sum / left + (total - sum).powi(2) / right;
        if between > best {
            (best, place) = (between, at);
        }
    }
    place
}

/// Largest |cosine| of each row of `of` with one of `hard`.
pub fn scores(features: &[f32], width: usize, of: &[usize], hard: &[usize]) -> Vec<f32> {
    let unit = |&i: &usize| {
        let row = &features[i * width..(i + 1) * width];
        let norm = row.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-9);
        row.iter().map(|x| x / norm).collect::<Vec<f32>>()
    };
    let hard: Vec<Vec<f32>> = hard.iter().map(unit).collect();
    let near = |row: Vec<f32>| {
        hard.iter().map(|other| row.iter().zip(other).map(|(a, b)| a * b).sum::<f32>().abs()).fold(0.0, f32::max)
    };
    of.iter().map(|i| near(unit(i))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::readout::Fit;

    /// Most rows hold the easy pattern only, one in eight both, one in four the hard one only, which the teacher, unsure, reads
    /// backwards more often than not. Tested on the hard pattern alone: plain training has learnt it backwards, the overlap rightly.
    #[test]
    fn the_hard_pattern_is_learnt_where_both_are() {
        let sign = |i: usize| if i.is_multiple_of(2) { 1.0f32 } else { -1.0 };
        let (mut features, mut weak) = (vec![], vec![]);
        for i in 0..800 {
            let (wobble, other) = (0.1 * ((i * 7) % 11) as f32 / 11.0, 0.1 * ((i * 5) % 13) as f32 / 13.0);
            let (row, says, sure) = match i / 2 % 8 {
                0 => ([sign(i), sign(i)], sign(i), 0.45),
                1 | 2 => ([0.0, sign(i)], if i % 3 == 0 { sign(i) } else { -sign(i) }, 0.1),
                _ => ([sign(i), 0.0], sign(i), 0.45),
            };
            features.extend([row[0] + wobble, row[1] + other]);
            weak.push(0.5 + says * (sure - 0.05 * wobble));
        }
        let learnt = |rows: &[usize]| {
            let values: Vec<f32> = rows.iter().flat_map(|&i| features[2 * i..2 * i + 2].to_vec()).collect();
            let targets: Vec<f32> = rows.iter().map(|&i| f32::from(u8::from(weak[i] > 0.5))).collect();
            let weights = vec![1.0; rows.len()];
            Fit { features: &values, width: 2, targets: &targets, weights: &weights, l2: 1e-2, intercept: true }.run()
        };
        let (all, kept) = ((0..800).collect::<Vec<_>>(), overlapping(&features, 2, &weak, 0.12));
        let (plain, found) = (learnt(&all), learnt(&kept));
        assert!(plain.weight[1] < 0.0 && found.weight[1] > 0.5, "plain {plain:?}, overlap {found:?}");
        let both = kept.iter().filter(|&&i| i / 2 % 8 == 0).count();
        assert!(both * 10 > kept.len() * 9, "{both} of {} hold both patterns", kept.len());
    }

    #[test]
    fn a_change_point_parts_two_levels() {
        assert_eq!(change_point(&[0.1, 0.11, 0.12, 0.4, 0.45, 0.46, 0.47]), 3);
        assert_eq!(change_point(&[0.1, 0.9]), 1);
    }
}
