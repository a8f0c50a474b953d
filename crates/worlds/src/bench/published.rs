//! Published figures, so that they stand beside ours wherever the table has the recipe and the subject.

use super::markdown::interval;
use super::table::{Cell, Row, Table};

/// One figure, in PGR.
struct Published {
    subject: &'static str,
    recipe: &'static str,
    pgr: f64,
    /// Over seeds, of runs that came with the study of nine agents, scored again against its fixed baselines; what that
    /// study's text announces of its agents' methods has none.
    sd: Option<f64>,
}

const fn released(subject: &'static str, recipe: &'static str, pgr: f64, sd: f64) -> Published {
    Published { subject, recipe, pgr, sd: Some(sd) }
}

const fn announced(recipe: &'static str, pgr: f64) -> Published {
    Published { subject: "chat", recipe, pgr, sd: None }
}

const PUBLISHED: &[Published] = &[
    released("chat", "plain", 0.203, 0.102),
    released("math", "plain", 0.338, 0.068),
    released("code", "plain", 0.129, 0.059),
    released("chat", "confident", 0.234, 0.120),
    released("math", "confident", 0.296, 0.117),
    released("code", "confident", 0.192, 0.042),
    released("chat", "critic", -0.038, 0.096),
    released("math", "critic", 0.260, 0.069),
    released("code", "critic", -0.094, 0.170),
    released("chat", "zero-shot", 0.027, 0.046),
    released("math", "zero-shot", 0.586, 0.055),
    released("code", "zero-shot", 0.144, 0.018),
    announced("evolution", 0.93),
    announced("channel", 0.78),
    announced("overlap", 0.75),
    announced("description-length", 0.68),
    announced("epiplexity", 0.62),
];

/// What has to be said before anybody compares.
const DIFFERS: &str = "\
What differs. *Released*: Qwen1.5-0.5B-Chat teaches Qwen3-4B-Base with an adapter of rank 32 for five epochs; five seeds (zero-shot on chat: four; the zero-shot \
files look filled in by hand), 1,263 to 2,567 test items of real sets, gaps of 0.12 to 0.20, where one run's sampling error alone is 0.07 to 0.08 PGR. *Announced*: the \
best of what an agent handed in, after hundreds of submissions to the same test set, not run again on fresh seeds; each adds ensembles, tuning and both orders to \
the idea that our recipe has alone. Ours: made worlds with small students, every mechanism drawn, nothing selected. The same study moved two methods to \
other subjects without changing them: 0.94 and 0.75 on math, 0.47 and below 0 on code. Burns et al. 2023 (arXiv 2312.09390) have the auxiliary confidence loss at about 0.80 where \
plain training has 0.25, from GPT-2 to GPT-4 on 22 sets of text, and little of that at small gaps; their reward models got 0.10 from plain training.";

/// The published figures that the table has something to set beside; empty where there is none.
pub fn render(table: &Table) -> String {
    let lines: String = PUBLISHED.iter().filter_map(|published| line(published, table)).collect();
    if lines.is_empty() {
        return String::new();
    }
    format!(
        "\n### Published figures beside ours\n\n| subject | recipe | published (sd over seeds) | source | ours | testbeds |\n|---|---|---|---|---|---|\n{lines}\n{DIFFERS}\n"
    )
}

fn line(published: &Published, table: &Table) -> Option<String> {
    let part = table.subjects.iter().find(|part| part.subject == published.subject)?;
    let row = part.rows.iter().find(|row| row.recipe == published.recipe)?;
    let sd = published.sd.map_or(String::new(), |sd| format!(" ({sd:.2})"));
    let source = if published.sd.is_some() { "released" } else { "announced" };
    let ours = ours(row)?;
    let (subject, testbeds) = (published.subject, part.testbeds.len());
    Some(format!("| {subject} | {} | {:.2}{sd} | {source} | {ours} | {testbeds} |\n", row.name, published.pgr))
}

/// Over testbeds, or on the only one.
fn ours(row: &Row) -> Option<String> {
    let only = match row.cells[..] {
        [Cell::Scored { pgr, .. }] => pgr,
        _ => None,
    };
    row.over_testbeds.or(only).map(|pgr| interval(&pgr))
}

#[cfg(test)]
mod tests {
    use super::super::table::{Column, SubjectTable};
    use super::*;

    #[test]
    fn every_figure_is_of_a_recipe_that_ships() {
        for published in PUBLISHED {
            assert!(aar_methods::shipped::text(published.recipe).is_some(), "{}", published.recipe);
            assert!(crate::subjects::Subject::named(published.subject).is_some(), "{}", published.subject);
        }
    }

    #[test]
    fn stands_beside_what_was_measured_and_nothing_else() {
        let pgr = aar_domain::stats::Pgr { value: 0.3, low: 0.1, high: 0.5, se: 0.1 };
        let row = |recipe: &str, cells| Row {
            recipe: recipe.into(),
            name: recipe.into(),
            family: "other",
            cells,
            over_testbeds: None,
            operations: None,
            cpu_s: None,
        };
        let scored = Cell::Scored { pgr: Some(pgr), accuracy: 0.7, seeds: 5 };
        let rows =
            vec![row("plain", vec![scored.clone()]), row("critic", vec![Cell::Missing]), row("probe", vec![scored])];
        let column = Column {
            name: "w".into(),
            world: String::new(),
            weak: 0.6,
            ceiling: 0.9,
            items: 10,
            truth_public: false,
            constructed: vec![],
        };
        let part = |subject: &str| SubjectTable {
            subject: subject.into(),
            testbeds: vec![column.clone()],
            rows: rows.clone(),
        };
        let table = |subject| Table { subjects: vec![part(subject)], split: "selection", seeds: 5 };
        let page = render(&table("math"));
        assert!(page.contains("| math | plain | 0.34 (0.07) | released | 0.30 [0.10, 0.50] | 1 |\n"), "{page}");
        assert_eq!(page.matches("\n| math |").count(), 1);
        assert_eq!(render(&table("poetry")), "");
    }
}
