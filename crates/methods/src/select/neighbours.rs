//! Rows whose label their nearest neighbours share (edited nearest neighbours, Wilson 1972; as a filter of noisy labels
//! in deep features: Bahri, Jiang and Gupta 2020, arXiv 2004.12289). Nearness is the cosine of the student's frozen features, so that
//! what the student holds to be alike must be labelled alike.

use crate::error::MethodError;
use crate::pool::Pool;
use crate::student::Student;
use aar_domain::problem::Task;

/// Neighbours that vote.
const NEIGHBOURS: usize = 15;
/// Rows among which neighbours are looked for, evenly spaced: the cost stays linear in the pool.
const AMONG: usize = 1000;

/// Indices of the rows that most of their neighbours agree with; all rows where that leaves one label only.
pub fn rows(pool: &Pool, student: &dyn Student) -> Result<Vec<usize>, MethodError> {
    let features = student.features(&pool.items)?;
    let hard: Vec<bool> = pool.weak.iter().map(|&p| p > 0.5).collect();
    let kept = agreeing(features.values, features.width, &hard, student.problem().task == Task::Preference);
    let positive = kept.iter().filter(|&&i| hard[i]).count();
    Ok(if positive == 0 || positive == kept.len() { (0..hard.len()).collect() } else { kept })
}

/// `pairs`: features are contrasts, so a row far on the other side is a near one in the other order.
fn agreeing(mut features: Vec<f32>, width: usize, labels: &[bool], pairs: bool) -> Vec<usize> {
    for row in features.chunks_exact_mut(width) {
        let norm = row.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-9);
        row.iter_mut().for_each(|x| *x /= norm);
    }
    let row = |i: usize| &features[i * width..(i + 1) * width];
    let step = labels.len().div_ceil(AMONG).max(1);
    let agrees = |&i: &usize| {
        let mut near: Vec<(f32, bool)> = (0..labels.len())
            .step_by(step)
            .filter(|&other| other != i)
            .map(|other| {
                let cosine: f32 = row(i).iter().zip(row(other)).map(|(a, b)| a * b).sum();
                let turned = pairs && cosine < 0.0;
                (if turned { -cosine } else { cosine }, labels[other] != turned)
            })
            .collect();
        let voters = NEIGHBOURS.min(near.len());
        if voters == 0 {
            return true;
        }
        near.select_nth_unstable_by(voters - 1, |a, b| b.0.total_cmp(&a.0));
        near[..voters].iter().filter(|&&(_, label)| label == labels[i]).count() * 2 >= voters
    };
    (0..labels.len()).filter(agrees).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four bundles of directions, each with one label; three labels in ten are wrong. Plain training keeps them all,
    /// the filter keeps next to none of them, and most of the right ones.
    #[test]
    fn labels_that_neighbours_contradict_go() {
        let truth: Vec<bool> = (0..800).map(|i| i % 4 < 2).collect();
        let angle = |i: usize| (i % 4) as f32 * 1.57 + ((i * 37) % 100) as f32 * 0.005;
        let features: Vec<f32> = (0..800).flat_map(|i| [angle(i).cos(), angle(i).sin()]).collect();
        let wrong = |i: usize| (i * 7919) % 10 < 3;
        let labels: Vec<bool> = (0..800).map(|i| truth[i] != wrong(i / 4)).collect();
        let kept = agreeing(features, 2, &labels, false);
        let (bad, all) = (kept.iter().filter(|&&i| wrong(i / 4)).count(), kept.len());
        assert!(all > 450 && (bad as f64) < 0.12 * all as f64, "{bad} of {all} are wrong, of 30 % before");
    }

    #[test]
    fn a_pair_and_its_swap_are_neighbours_with_opposite_labels() {
        let features: Vec<f32> =
            (0..40).flat_map(|i| if i % 2 == 0 { [1.0, 0.01 * i as f32] } else { [-1.0, -0.01 * i as f32] }).collect();
        let mut labels: Vec<bool> = (0..40).map(|i| i % 2 == 0).collect();
        assert_eq!(agreeing(features.clone(), 2, &labels, true).len(), 40);
        labels[5] = true;
        assert!(!agreeing(features, 2, &labels, true).contains(&5));
    }
}
