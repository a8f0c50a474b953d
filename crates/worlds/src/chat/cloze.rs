//! Around a judgement: asking the untouched student for each fact by completing its statement, and looking for the answer in the replies, or counting
//! what weak labels say of values.

use super::World;
use super::words::{PLAIN, POLITE};
use crate::error::WorldError;
use crate::subject::Recall;
use crate::votes::Votes;
use aar_domain::item::Item;

/// How much likelier the first reply's value is than the second's, `[items]`.
pub fn margins(world: &World, student: &Recall<'_>, items: &[Item]) -> Result<Vec<f32>, WorldError> {
    let fillers = world.filler_ids();
    let ask = |prompt: &str, reply: &str| -> Result<f32, WorldError> {
        let mut words = prompt.split(' ');
        let (attribute, entity) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let ids = student.tokenizer.encode(reply)?;
        let logits = student.logits(&format!("{entity} {attribute} is"), &ids)?;
        let values = logits.iter().zip(&ids).filter(|(_, id)| !fillers.contains(id)).map(|(logit, _)| *logit);
        Ok(values.fold(f32::NEG_INFINITY, f32::max))
    };
    let mut margins = Vec::with_capacity(items.len());
    for item in items {
        if let Item::Preference { prompt, first, second, .. } = item {
            margins.push(ask(prompt, first)? - ask(prompt, second)?);
        }
    }
    Ok(margins)
}

/// By how much more weak labels of the pool speak for the first reply's value than for the second's, `[items]`.
pub fn inferred(pool: &[Item], soft: &[f32], items: &[Item]) -> Vec<f32> {
    let fillers = [POLITE, PLAIN].concat();
    let claims = |prompt: &str, reply: &str| -> Vec<String> {
        reply.split(' ').filter(|word| !fillers.contains(word)).map(|word| format!("{prompt} {word}")).collect()
    };
    let mut votes = Votes::default();
    for (item, p) in pool.iter().zip(soft) {
        if let Item::Preference { prompt, first, second, .. } = item {
            votes.add(claims(prompt, first), *p, 1.0);
            votes.add(claims(prompt, second), *p, -1.0);
        }
    }
    let margin = |item: &Item| match item {
        Item::Preference { prompt, first, second, .. } => {
            votes.least(&claims(prompt, first)) - votes.least(&claims(prompt, second))
        }
        Item::Binary { .. } => 0.0,
    };
    items.iter().map(margin).collect()
}
