//! Around a judgement: asking the untouched student for each step by completing its cell, or counting what weak labels say of steps.

use super::tables::World;
use crate::error::WorldError;
use crate::subject::Recall;
use crate::votes::Votes;
use aar_domain::item::Item;

/// By how much the less likely of an item's two steps is likelier than any other value there, `[items]`.
pub fn margins(world: &World, student: &Recall<'_>, items: &[Item]) -> Result<Vec<f32>, WorldError> {
    let digits: Vec<u32> = (0..world.settings.values).map(|value| world.value(value)).collect();
    items.iter().map(|item| one(world, student, &digits, item)).collect()
}

fn one(world: &World, student: &Recall<'_>, digits: &[u32], item: &Item) -> Result<f32, WorldError> {
    let mut worst = f32::INFINITY;
    for step in steps(item) {
        let Some((asked, claimed)) = step.rsplit_once(' ') else { continue };
        let logits = student.logits(asked, digits)?;
        let claimed = world.words.iter().position(|word| word == claimed).unwrap_or(0) as u32;
        let of = |same: bool| {
            let all = logits.iter().zip(digits).filter(|(_, digit)| (**digit == claimed) == same);
            all.map(|(logit, _)| *logit).fold(f32::NEG_INFINITY, f32::max)
        };
        worst = worst.min(of(true) - of(false));
    }
    Ok(worst)
}

/// The steps `F x = v` of an item's solution.
fn steps(item: &Item) -> Vec<String> {
    let Item::Binary { question, choice, .. } = item else { return vec![] };
    let text = format!("{question} {choice}");
    let words: Vec<&str> = text.split(' ').collect();
    words.windows(4).filter(|step| step[2] == "=").map(|step| step.join(" ")).collect()
}

/// By how much weak labels of the pool speak for the step of an item that they speak least for, `[items]`.
pub fn inferred(pool: &[Item], soft: &[f32], items: &[Item]) -> Vec<f32> {
    let mut votes = Votes::default();
    pool.iter().zip(soft).for_each(|(item, p)| votes.add(steps(item), *p, 1.0));
    items.iter().map(|item| votes.least(&steps(item))).collect()
}
