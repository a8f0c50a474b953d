//! Confident learning (Northcutt, Jiang and Chuang 2021, arXiv 1911.00068): estimate how often each label stands for the other, and leave
//! out as many rows as that says are wrong.
//!
//! With out-of-sample probabilities p̂ and thresholds t_j, the mean p̂_j of the rows labelled j, the confident joint C_{ij} counts the rows
//! labelled i whose likeliest label among those with p̂_j ≥ t_j is j (their equation 1); calibrated to the labels' counts it is
//! the joint distribution of given and true labels (equation 3). Pruned by noise rate (their method 4): of the rows labelled i, the n Q̂_{ij} with the largest
//! p̂_j − p̂_i. Thresholds are the labels' own, so a teacher that says one of them too rarely is seen through.

use crate::crossfit;
use crate::error::MethodError;
use crate::pool::{Pool, sigmoid};
use crate::student::Student;
use aar_domain::problem::Task;

/// Indices of the rows that are not counted among the wrong ones; all rows where that leaves one label only.
pub fn rows(pool: &Pool, student: &dyn Student, seed: u64) -> Result<Vec<usize>, MethodError> {
    let features = student.features(&pool.items)?;
    let labels: Vec<bool> = pool.weak.iter().map(|&p| p > 0.5).collect();
    let hard: Vec<f32> = labels.iter().map(|&label| f32::from(u8::from(label))).collect();
    let intercept = student.problem().task == Task::Binary;
    let margins = crossfit::margins(&features.values, features.width, &hard, intercept, seed);
    let p: Vec<f32> = margins.into_iter().map(sigmoid).collect();
    let kept = prune(&labels, &p);
    let positive = kept.iter().filter(|&&i| labels[i]).count();
    Ok(if positive == 0 || positive == kept.len() { (0..labels.len()).collect() } else { kept })
}

/// Q̂ `[given][true]`, false first: the joint distribution of given and true labels. `p [rows]`: P(positive), out of sample.
pub fn joint(labels: &[bool], p: &[f32]) -> [[f64; 2]; 2] {
    let of = |label: bool, p: f32| f64::from(if label { p } else { 1.0 - p });
    let counts = [false, true].map(|label| labels.iter().filter(|&&given| given == label).count() as f64);
    let thresholds = [false, true].map(|label| {
        let own = labels.iter().zip(p).filter(|(given, _)| **given == label);
        own.map(|(_, &p)| of(label, p)).sum::<f64>() / counts[usize::from(label)].max(1.0)
    });
    let mut confident = [[0.0; 2]; 2];
    for (&given, &p) in labels.iter().zip(p) {
        let above = [false, true].map(|label| of(label, p) >= thresholds[usize::from(label)]);
        let counted = match above {
            [true, true] => Some(p > 0.5),
            [false, true] => Some(true),
            [true, false] => Some(false),
            [false, false] => None,
        };
        if let Some(truth) = counted {
            confident[usize::from(given)][usize::from(truth)] += 1.0;
        }
    }
    let rows = labels.len().max(1) as f64;
    [0, 1].map(|given| {
        let sum: f64 = confident[given].iter().sum();
        confident[given].map(|count| if sum > 0.0 { count / sum * counts[given] / rows } else { 0.0 })
    })
}

/// Indices of the rows that stay, ascending.
pub fn prune(labels: &[bool], p: &[f32]) -> Vec<usize> {
    let joint = joint(labels, p);
    let mut stays = vec![true; labels.len()];
    for given in [false, true] {
        let wrong = (joint[usize::from(given)][usize::from(!given)] * labels.len() as f64).round() as usize;
        let mut own: Vec<usize> = (0..labels.len()).filter(|&i| labels[i] == given).collect();
        // The surest of the other label first.
        own.sort_by(|&a, &b| if given { p[a].total_cmp(&p[b]) } else { p[b].total_cmp(&p[a]) });
        own.into_iter().take(wrong).for_each(|i| stays[i] = false);
    }
    (0..labels.len()).filter(|&i| stays[i]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::readout::Fit;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// Of the positive rows six in ten are labelled negative, of the negative none positive: what is likelier than not is hardly ever
    /// positive, so plain training nearly always answers "no". Against each label's own mean the positive rows stand out.
    #[test]
    fn a_label_that_is_given_too_rarely_is_seen_through() {
        let mut rng = ChaCha8Rng::seed_from_u64(9);
        let truth: Vec<bool> = (0..800).map(|i| i % 2 == 0).collect();
        let features: Vec<f32> =
            truth.iter().map(|&t| if t { 1.0 } else { -1.0 } + rng.random::<f32>() - 0.5).collect();
        let labels: Vec<bool> = truth.iter().map(|&t| t && rng.random::<f32>() > 0.6).collect();
        let accuracy = |rows: &[usize]| {
            let values: Vec<f32> = rows.iter().map(|&i| features[i]).collect();
            let targets: Vec<f32> = rows.iter().map(|&i| f32::from(u8::from(labels[i]))).collect();
            let weights = vec![1.0; rows.len()];
            let fit =
                Fit { features: &values, width: 1, targets: &targets, weights: &weights, l2: 1e-3, intercept: true };
            let answers = fit.run().margins(&features);
            answers.iter().zip(&truth).filter(|(m, t)| (**m > 0.0) == **t).count() as f32 / truth.len() as f32
        };
        let hard: Vec<f32> = labels.iter().map(|&label| f32::from(u8::from(label))).collect();
        let p: Vec<f32> = crossfit::margins(&features, 1, &hard, true, 1).into_iter().map(sigmoid).collect();
        let kept = prune(&labels, &p);
        let (plain, pruned) = (accuracy(&(0..800).collect::<Vec<_>>()), accuracy(&kept));
        assert!(plain < 0.68 && pruned > 0.8, "plain {plain}, pruned {pruned}, {} rows kept", kept.len());
        let joint = joint(&labels, &p);
        assert!(joint[0][1] > 0.12 && joint[1][0] < 0.02, "{joint:?}");
    }
}
