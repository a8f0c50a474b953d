//! Easy rows first (Bengio et al. 2009), easy being what the teacher is sure of.
//!
//! *Confidence*: a share of the rows that grows in a straight line (the competence of Platanios et al. 2019, arXiv 1903.09848, its root
//! with p = 1), from a quarter to all at half of the steps. *Description length* (one of the published study's agents): the surer half
//! for two fifths of the steps, whose labels are the cheaper ones to describe, then all rows at half the rate, from where that ended.

use crate::recipe::Curriculum;

/// A stretch of training with a schedule of its own.
pub struct Phase {
    /// Steps.
    pub steps: usize,
    /// Factor on the peak learning rate.
    pub rate: f32,
    /// Share of the rows, easiest first, when `progress` of the phase is done.
    pub share: fn(progress: f32) -> f32,
}

/// The phases of `steps` steps.
pub fn phases(curriculum: Curriculum, steps: usize) -> Vec<Phase> {
    match curriculum {
        Curriculum::None => vec![Phase { steps, rate: 1.0, share: |_| 1.0 }],
        Curriculum::Confidence => {
            vec![Phase { steps, rate: 1.0, share: |progress| (0.25 + 1.5 * progress).min(1.0) }]
        }
        Curriculum::DescriptionLength => {
            let first = steps * 2 / 5;
            vec![
                Phase { steps: first, rate: 1.0, share: |_| 0.5 },
                Phase { steps: steps - first, rate: 0.5, share: |_| 1.0 },
            ]
        }
    }
}

/// Rows from the surest to the most doubtful, from both ends of `weak [rows]` in turn, so that both labels are there at all times.
pub fn easiest_first(weak: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..weak.len()).collect();
    order.sort_by(|&a, &b| weak[a].total_cmp(&weak[b]));
    let (low, high) = order.split_at(order.len() / 2);
    let mut low = low.iter();
    let mut ranked = Vec::with_capacity(order.len());
    for &sure in high.iter().rev() {
        ranked.push(sure);
        ranked.extend(low.next());
    }
    ranked
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objective::batch::Draw;
    use crate::pool::sigmoid;

    /// Logistic regression on one feature by the curriculum's batches, as a decoder's training goes through them.
    fn slope(curriculum: Curriculum, features: &[f32], labels: &[f32], weak: &[f32]) -> f32 {
        let (mut weight, mut draw, ranked) = (0.0f32, Draw::new(labels.len(), 3), easiest_first(weak));
        for phase in phases(curriculum, 300) {
            for step in 0..phase.steps {
                let progress = step as f32 / phase.steps as f32;
                let kept = ((phase.share)(progress) * ranked.len() as f32) as usize;
                let rate = phase.rate * (1.0 - progress) * 0.05;
                for (i, _) in draw.among(&ranked[..kept], 16, false) {
                    weight -= rate / 16.0 * (sigmoid(weight * features[i]) - labels[i]) * features[i];
                }
            }
        }
        weight
    }

    /// The teacher is right where it is sure (four rows in ten) and nearly always wrong where it is not: on the whole it is
    /// wrong, and plain training learns that. Who starts with the easy rows learns the truth first, and what comes later comes at
    /// a lower rate.
    #[test]
    fn the_sure_rows_set_the_direction() {
        let truth = |i: usize| (i % 2) as f32;
        let sure = |i: usize| i % 10 < 4;
        let right = |i: usize| sure(i) || i.is_multiple_of(9);
        let labels: Vec<f32> = (0..1000).map(|i| if right(i) { truth(i) } else { 1.0 - truth(i) }).collect();
        let weak: Vec<f32> = (0..1000).map(|i| 0.5 + (labels[i] - 0.5) * if sure(i) { 0.9 } else { 0.2 }).collect();
        let features: Vec<f32> = (0..1000).map(|i| 2.0 * truth(i) - 1.0).collect();
        let of = |curriculum| slope(curriculum, &features, &labels, &weak);
        assert!(of(Curriculum::None) < 0.0, "plain {}", of(Curriculum::None));
        assert!(of(Curriculum::Confidence) > 0.15, "confidence {}", of(Curriculum::Confidence));
        assert!(of(Curriculum::DescriptionLength) > 0.15, "description length {}", of(Curriculum::DescriptionLength));
    }

    #[test]
    fn both_labels_are_among_the_first() {
        assert_eq!(easiest_first(&[0.5, 0.9, 0.1, 0.6, 0.95, 0.05]), [4, 5, 1, 2, 3, 0]);
    }
}
