//! Few-shot elicitation with a consistency fix: the untouched student labels the pool after examples in its context (Brown et al. 2020,
//! arXiv 2005.14165, section 2; to label a pool by itself: Wen et al. 2025, arXiv 2506.10139). Nothing is trained on the way: examples only say
//! which of the things it knows is asked for (Xie et al. 2022, arXiv 2111.02080, equation 1: P(y | examples, x) is the mean of
//! P(y | concept, x) by the concept's posterior after the examples).
//!
//! Examples are rows of the teacher's surest labels of either kind, drawn for each row anew, never the row itself, as many positive
//! as negative. A pair is asked in both orders, its examples turned with it, so that p(A>B) = 1 − p(B>A); binary items are
//! centred at the pool's median. A tiny student's context holds few: the earliest are left out first, the question never.
//!
//! *Random labels* are the control (Min et al. 2022, arXiv 2202.12837, section 4): texts, format and balance stay, and what
//! a label says of its text is gone.

use crate::error::MethodError;
use crate::pool::{Pool, sigmoid, standardised};
use crate::recipe::{Label, Shown};
use crate::student::{Example, Student, consistent};
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Share of the pool, from either end of the teacher's labels, that examples are drawn from.
const SURE: f32 = 0.1;

/// An example's row and its label.
pub type Shot = (usize, bool);

/// σ(z), z the consistent margin in units of its spread over the pool, `[items]`.
pub fn soft(label: &Label, pool: &Pool, student: &dyn Student, seed: u64) -> Result<Vec<f32>, MethodError> {
    let shown = |&(row, positive): &Shot| Example { item: pool.items[row].clone(), positive };
    let examples: Vec<Vec<Example>> = examples(&pool.weak, label.shots, label.shown, seed)
        .iter()
        .map(|shots| shots.iter().map(shown).collect())
        .collect();
    let margins = consistent(student, Some(0), &pool.items, &examples)?;
    Ok(standardised(&margins).into_iter().map(sigmoid).collect())
}

/// `shots` examples for every row of `weak [rows]`, in the order they are shown.
pub fn examples(weak: &[f32], shots: usize, shown: Shown, seed: u64) -> Vec<Vec<Shot>> {
    let mut order: Vec<usize> = (0..weak.len()).collect();
    order.sort_by(|&a, &b| weak[a].total_cmp(&weak[b]));
    let end = ((SURE * weak.len() as f32).ceil() as usize).max(shots).min(weak.len() / 2);
    let ends = [&order[..end], &order[weak.len() - end..]];
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut draw = |own: usize| {
        // Of an odd number one label has one more.
        let odd = usize::from(rng.random::<bool>());
        let mut shots: Vec<Shot> = [shots.div_ceil(2), shots / 2]
            .into_iter()
            .enumerate()
            .flat_map(|(at, count)| {
                let kind = at ^ odd;
                // One more than is needed, should the row itself be among them.
                let drawn: Vec<usize> = ends[kind].choose_multiple(&mut rng, count + 1).copied().collect();
                drawn.into_iter().filter(|&row| row != own).take(count).map(|row| (row, kind == 1)).collect::<Vec<_>>()
            })
            .collect();
        if shown == Shown::Random {
            let mut labels: Vec<bool> = shots.iter().map(|&(_, positive)| positive).collect();
            labels.shuffle(&mut rng);
            shots.iter_mut().zip(labels).for_each(|(shot, label)| shot.1 = label);
        }
        shots.shuffle(&mut rng);
        shots
    };
    (0..weak.len()).map(&mut draw).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::readout::Fit;

    /// A student that knows two concepts, takes the wrong one to be meant, and learns in its context as Xie et al. say it does.
    /// The teacher is right where it is sure and follows the wrong concept elsewhere: so does who is trained on its labels.
    /// Examples of what it is sure of tell which concept is meant; with random labels they tell nothing.
    #[test]
    fn examples_say_which_concept_is_meant() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let rows: Vec<[bool; 2]> = (0..1000).map(|_| rng.random()).collect();
        let sure = |i: usize| i.is_multiple_of(4);
        let weak: Vec<f32> = rows
            .iter()
            .enumerate()
            .map(|(i, [truth, cue])| match (sure(i), if sure(i) { *truth } else { *cue }) {
                (true, says) => {
                    if says {
                        0.95
                    } else {
                        0.05
                    }
                }
                (false, says) => {
                    if says {
                        0.6
                    } else {
                        0.4
                    }
                }
            })
            .collect();
        let accuracy = |positive: &dyn Fn(usize) -> bool| {
            (0..rows.len()).filter(|&i| positive(i) == rows[i][0]).count() as f32 / rows.len() as f32
        };
        let features: Vec<f32> = rows.iter().flatten().map(|&x| if x { 1.0 } else { -1.0 }).collect();
        let targets: Vec<f32> = weak.iter().map(|&p| f32::from(u8::from(p > 0.5))).collect();
        let weights = vec![1.0; rows.len()];
        let fit =
            Fit { features: &features, width: 2, targets: &targets, weights: &weights, l2: 1e-2, intercept: true };
        let trained = fit.run().margins(&features);
        // Odds of 3 to 1 for the wrong concept before any example; nine labels in ten follow a concept.
        let asked = |i: usize, shots: &[Shot]| {
            let likely = |concept: usize, row: usize, says: bool| if rows[row][concept] == says { 0.9f32 } else { 0.1 };
            let of =
                |concept: usize, prior: f32| prior * shots.iter().map(|&(r, y)| likely(concept, r, y)).product::<f32>();
            let (right, wrong) = (of(0, 0.25), of(1, 0.75));
            (right * likely(0, i, true) + wrong * likely(1, i, true)) / (right + wrong) > 0.5
        };
        let few = |shown| {
            let shots = examples(&weak, 4, shown, 1);
            accuracy(&|i| asked(i, &shots[i]))
        };
        let (plain, zero) = (accuracy(&|i| trained[i] > 0.0), accuracy(&|i| asked(i, &[])));
        let (few, random) = (few(Shown::Teacher), few(Shown::Random));
        assert!(plain < 0.6 && zero < 0.6, "plain {plain}, zero-shot {zero}");
        assert!(few > 0.9 && random < 0.75, "few-shot {few}, with random labels {random}");
    }

    #[test]
    fn examples_are_sure_balanced_and_never_the_row_itself() {
        let weak: Vec<f32> = (0..60).map(|i| (i * 37 % 60) as f32 / 60.0).collect();
        for shots in 1..=5 {
            for (own, drawn) in examples(&weak, shots, Shown::Teacher, 3).iter().enumerate() {
                let positive = drawn.iter().filter(|(_, positive)| *positive).count();
                assert_eq!(drawn.len(), shots);
                assert!((2 * positive).abs_diff(shots) <= 1, "{positive} of {shots}");
                for &(row, positive) in drawn {
                    assert!(row != own && if positive { weak[row] > 0.85 } else { weak[row] < 0.15 }, "{}", weak[row]);
                }
            }
        }
        let count = |shown| {
            let drawn = examples(&weak, 4, shown, 3);
            drawn.iter().flatten().filter(|&&(row, positive)| (weak[row] > 0.5) != positive).count()
        };
        assert_eq!(count(Shown::Teacher), 0);
        assert!((90..=150).contains(&count(Shown::Random)), "half of 240: {}", count(Shown::Random));
    }
}
