//! Read board and forum as they were before a turn.

use aar_api::bundle::Bundle;
use aar_api::client::{Client, ClientError};
use aar_api::evaluation::BoardRow;
use aar_api::forum::{Finding, FindingType};
use aar_api::paths;
use aar_methods::search::policy::{History, Seen};
use aar_methods::search::space::{self, Genome};
use std::collections::BTreeMap;

/// Opens the block of a finding that names a composition others need not try.
pub const AVOID_FENCE: &str = "```toml avoid";

/// What is worth remembering between turns: bundles never change.
#[derive(Default)]
pub struct Library {
    genomes: BTreeMap<String, Option<Genome>>,
}

impl Library {
    /// The genome of a bundle's recipe; `None` for bundles that are code, or whose recipe can't be read.
    fn genome(&mut self, client: &Client, bundle: &str) -> Result<Option<Genome>, ClientError> {
        if let Some(genome) = self.genomes.get(bundle) {
            return Ok(genome.clone());
        }
        let contents: Bundle = client.get(&paths::BUNDLE.replace("{id}", bundle))?;
        let is_code = contents.files.iter().any(|file| file.path == "train");
        let recipe = contents.files.iter().find(|file| file.path == "recipe.toml" && !is_code);
        let genome = recipe
            .and_then(|file| hex::decode(&file.hex).ok())
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .and_then(|text| space::read(&text));
        self.genomes.insert(bundle.to_owned(), genome.clone());
        Ok(genome)
    }

    /// Board and forum before `turn`.
    pub fn before(
        &mut self,
        client: &Client,
        turn: u32,
    ) -> Result<(History, Vec<BoardRow>, Vec<Finding>), ClientError> {
        let board: Vec<BoardRow> = client.get(&format!("{}?before={turn}", paths::LEADERBOARD))?;
        let findings: Vec<Finding> = client.get(&format!("{}?before={turn}", paths::FINDINGS))?;
        let mut history = History { turn, ..History::default() };
        for row in &board {
            if let Some(genome) = self.genome(client, &row.bundle)? {
                history.rows.push(Seen { genome, bundle: Some(row.bundle.clone()), pgr: row.feedback.pgr });
            }
        }
        let advice =
            findings.iter().filter(|finding| matches!(finding.kind, FindingType::Error | FindingType::Insight));
        history.avoid.extend(advice.flat_map(|finding| avoided(&finding.body)));
        Ok((history, board, findings))
    }
}

/// Compositions that a finding advises against. Other text of the finding is never acted upon.
fn avoided(body: &str) -> impl Iterator<Item = Genome> + '_ {
    body.split(AVOID_FENCE).skip(1).filter_map(|rest| space::read(rest.split("```").next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_fenced_recipes_are_read() {
        let body = format!("inference.orders = \"both\" is bad\n{AVOID_FENCE}\n[label]\nform = \"soft\"\n```\nbye");
        let found: Vec<String> = avoided(&body).map(|genome| space::describe(&genome)).collect();
        assert_eq!(found, ["soft labels"]);
    }
}
