//! Asking the untouched student for each step by completing its cell.

use super::tables::World;
use crate::error::WorldError;
use crate::subject::Recall;
use aar_domain::item::Item;

/// By how much the less likely of an item's two steps is likelier than any other value there, `[items]`.
pub fn margins(world: &World, student: &Recall<'_>, items: &[Item]) -> Result<Vec<f32>, WorldError> {
    let digits: Vec<u32> = (0..world.settings.values).map(|value| world.value(value)).collect();
    items.iter().map(|item| one(world, student, &digits, item)).collect()
}

fn one(world: &World, student: &Recall<'_>, digits: &[u32], item: &Item) -> Result<f32, WorldError> {
    let Item::Binary { question, choice, .. } = item else { return Ok(0.0) };
    let text = format!("{question} {choice}");
    let words: Vec<&str> = text.split(' ').collect();
    let mut worst = f32::INFINITY;
    for place in words.iter().enumerate().filter(|(_, word)| **word == "=").map(|(place, _)| place) {
        // A step is `F x = v`.
        let (Some(from), Some(claimed)) = (place.checked_sub(2), words.get(place + 1)) else { continue };
        let logits = student.logits(&words[from..=place].join(" "), digits)?;
        let claimed = world.words.iter().position(|word| word == claimed).unwrap_or(0) as u32;
        let of = |same: bool| {
            let all = logits.iter().zip(digits).filter(|(_, digit)| (**digit == claimed) == same);
            all.map(|(logit, _)| *logit).fold(f32::NEG_INFINITY, f32::max)
        };
        worst = worst.min(of(true) - of(false));
    }
    Ok(worst)
}
