//! Zero-shot elicitation by the best of the problem's prompts, chosen without labels: that whose answers share most information with the
//! items (Sorensen et al. 2022, arXiv 2203.11364, section 3), I(X; Y) = H(mean of p) − mean of H(p) over the items. A prompt to which the
//! student always says the same, or nothing decided, has none. A control: what a careful user of the untouched student gets.

use crate::error::MethodError;
use crate::pool::{Pool, sigmoid, standardised};
use crate::student::{Student, consistent};

/// Rows that prompts are compared on, evenly spaced.
const ROWS: usize = 400;

/// σ(z), z the consistent margin under the best prompt in units of its spread over the pool, `[items]`.
pub fn soft(pool: &Pool, student: &dyn Student) -> Result<Vec<f32>, MethodError> {
    let step = pool.items.len().div_ceil(ROWS).max(1);
    let sample = pool.subset(&(0..pool.items.len()).step_by(step).collect::<Vec<_>>()).items;
    let prompts: Vec<Option<usize>> =
        std::iter::once(None).chain((0..student.problem().zero_shot.len()).map(Some)).collect();
    let answers =
        prompts.iter().map(|&prompt| student.asked(prompt, &sample, &[])).collect::<Result<Vec<_>, MethodError>>()?;
    let margins = consistent(student, prompts[best(&answers)], &pool.items, &[])?;
    Ok(standardised(&margins).into_iter().map(sigmoid).collect())
}

/// The prompt with the most informative margins `[prompts][items]`, the first of equals.
pub fn best(margins: &[Vec<f32>]) -> usize {
    let information: Vec<f64> = margins.iter().map(|margins| information(margins)).collect();
    (0..margins.len()).rev().max_by(|&a, &b| information[a].total_cmp(&information[b])).unwrap_or(0)
}

/// I(X; Y) of items and answers, in nats. `margins [items]`.
pub fn information(margins: &[f32]) -> f64 {
    let p: Vec<f64> = margins.iter().map(|&margin| 1.0 / (1.0 + (-f64::from(margin)).exp())).collect();
    let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / p.len().max(1) as f64;
    entropy(mean(&mut p.iter().copied())) - mean(&mut p.iter().map(|&p| entropy(p)))
}

/// H of a coin, in nats.
fn entropy(p: f64) -> f64 {
    let part = |p: f64| if p > 0.0 { -p * p.ln() } else { 0.0 };
    part(p) + part(1.0 - p)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::readout::Fit;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// Under one prompt the student says yes to everything, more or less loudly; under the other it is mostly right. Their mean follows
    /// the loud one, and so does nothing that is trained on a teacher who goes by a cue. The quiet one has the information.
    #[test]
    fn the_prompt_under_which_answers_depend_on_items_is_chosen() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let rows: Vec<[bool; 2]> = (0..1000).map(|_| rng.random()).collect();
        let sign = |yes: bool| if yes { 1.0f32 } else { -1.0 };
        let loud: Vec<f32> = rows.iter().map(|_| 4.0 + 8.0 * rng.random::<f32>()).collect();
        let quiet: Vec<f32> = rows.iter().map(|[truth, _]| sign(*truth == (rng.random::<f32>() < 0.85))).collect();
        let mean: Vec<f32> = loud.iter().zip(&quiet).map(|(a, b)| (a + b) / 2.0).collect();
        let features: Vec<f32> = rows.iter().flatten().map(|&x| sign(x)).collect();
        let by_cue = |[truth, cue]: &[bool; 2], i: usize| if i.is_multiple_of(4) { *truth } else { *cue };
        let weak: Vec<f32> = rows.iter().enumerate().map(|(i, row)| f32::from(u8::from(by_cue(row, i)))).collect();
        let weights = vec![1.0; rows.len()];
        let fit = Fit { features: &features, width: 2, targets: &weak, weights: &weights, l2: 1e-2, intercept: true };
        let accuracy = |margins: &[f32]| {
            let right = margins.iter().zip(&rows).filter(|(m, [truth, _])| (**m > 0.0) == *truth).count();
            right as f32 / rows.len() as f32
        };
        let (plain, averaged) = (accuracy(&fit.run().margins(&features)), accuracy(&crate::student::centred(mean)));
        let answers = [loud, quiet];
        let chosen = accuracy(&crate::student::centred(answers[best(&answers)].clone()));
        assert!(plain < 0.6 && averaged < 0.7 && chosen > 0.8, "plain {plain}, mean {averaged}, chosen {chosen}");
    }

    #[test]
    fn of_equal_prompts_the_first() {
        assert_eq!(best(&[vec![0.0, 0.0], vec![-1.0, 1.0], vec![1.0, -1.0]]), 1);
    }
}
