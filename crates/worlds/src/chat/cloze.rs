//! Asking the untouched student for each fact by completing its statement, and looking for the answer in the replies.

use super::World;
use crate::error::WorldError;
use crate::subject::Recall;
use aar_domain::item::Item;

/// How much likelier the first reply's value is than the second's, `[items]`.
pub fn margins(world: &World, student: &Recall<'_>, items: &[Item]) -> Result<Vec<f32>, WorldError> {
    let fillers = world.fillers();
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
