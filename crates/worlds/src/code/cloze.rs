//! Asking the untouched student to run each program, one instruction after the other.

use super::programs::World;
use crate::error::WorldError;
use crate::subject::Recall;
use aar_domain::item::Item;

/// By how much an item's output is likelier than any other after the student's own first step, `[items]`.
pub fn margins(world: &World, student: &Recall<'_>, items: &[Item]) -> Result<Vec<f32>, WorldError> {
    let digits: Vec<u32> = (0..world.settings.values).map(|value| world.value(value)).collect();
    items.iter().map(|item| one(world, student, &digits, item)).collect()
}

fn one(world: &World, student: &Recall<'_>, digits: &[u32], item: &Item) -> Result<f32, WorldError> {
    let Item::Binary { question, choice, .. } = item else { return Ok(0.0) };
    // `in x op op` and `[fillers] out v [fillers]`.
    let words: Vec<&str> = question.split(' ').collect();
    let claimed = choice.split(' ').skip_while(|word| *word != "out").nth(1);
    let (&[_, start, a, b], Some(claimed)) = (words.as_slice(), claimed) else { return Ok(0.0) };
    let logits = student.logits(&format!("{start} {a} ->"), digits)?;
    let best = (0..digits.len()).max_by(|&i, &j| logits[i].total_cmp(&logits[j])).unwrap_or(0);
    let logits = student.logits(&format!("{best} {b} ->"), digits)?;
    let of = |same: bool| {
        let all = logits.iter().enumerate().filter(|(value, _)| (value.to_string() == claimed) == same);
        all.map(|(_, logit)| *logit).fold(f32::NEG_INFINITY, f32::max)
    };
    debug_assert_eq!(digits.len(), world.settings.values);
    Ok(of(true) - of(false))
}
