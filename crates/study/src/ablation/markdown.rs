//! What came out, as tables in Markdown.

use super::answers::{Answer, Arm, Ideas};
use super::many::Point;
use super::questions::LONG;
use super::report::{Measured, Report};
use aar_domain::stats::{Estimate, Pooled, holm};
use aar_grader::ledger::Policy;

/// Where it begins and ends in a page.
pub const MARKS: (&str, &str) = ("<!-- aar ablate -->", "<!-- end of aar ablate -->");

/// All of it. `command` is what makes it again.
pub fn render(report: &Report, command: &str) -> String {
    let settings = &report.settings;
    let mut out = format!(
        "{}\n`{command}`: {} study seeds replayed on each table, {:.0} of plain training's evaluations each, counted in operations, trials \
         included; researchers are told {}. Shown is the PGR of what a study announces, on seeds and items nobody was told of. Intervals (95 %) \
         are over study seeds (order of seeds, directions, researchers' own draws) and say nothing of testbeds that were not tabulated. A gain is \
         against the first row, paired by study seed; pooled, tables count alike; Holm's adjustment is over all rows of this page.\n\n",
        MARKS.0,
        settings.studies,
        settings.budget,
        told(settings.policy)
    );
    out.push_str(&tables(&report.tables));
    let raw: Vec<f64> =
        report.answers.iter().flat_map(|answer| &answer.arms).filter_map(|arm| Some(arm.gain?.p)).collect();
    let mut adjusted = holm(&raw).into_iter();
    for answer in &report.answers {
        out.push_str(&comparison(answer, &report.tables, &mut adjusted));
    }
    if !report.ideas.is_empty() {
        out.push_str(&ideas(&report.ideas));
    }
    if !report.many.is_empty() {
        out.push_str(&many(&report.many));
    }
    out + CANNOT + MARKS.1 + "\n"
}

const CANNOT: &str = "\n### What the tables can't answer\n\nCompositions outside them; bundles that are code and ideas that are words (researchers with a language \
model, people); what wall-clock time and a queue do to a team; trials on other rows than those each recipe was tried on once; a real forum's text, of \
which `search` reads only advice against compositions. Those need studies that run.\n";

fn told(policy: Policy) -> String {
    match policy {
        Policy::Exact => "every value exactly".into(),
        Policy::Naive { step } => format!("every value on a grid of {step}"),
        Policy::Ladder { step } => format!("the ladder's steps of {step}"),
    }
}

fn tables(tables: &[Measured]) -> String {
    let mut out = String::from(
        "| table | subject | recipes | of which a search can propose | seeds | failed | plain | the table's best, picked by all of it |\n|---|---|---|---|---|---|---|---|\n",
    );
    for table in tables {
        let Measured { testbed, subject, recipes, compositions, seeds, failed, .. } = table;
        let (plain, best) = (interval(table.plain), interval(table.best));
        out.push_str(&format!(
            "| {testbed} | {subject} | {recipes} | {compositions} | {seeds} | {failed} | {plain} | {best} |\n"
        ));
    }
    out
}

fn comparison(answer: &Answer, tables: &[Measured], adjusted: &mut dyn Iterator<Item = f64>) -> String {
    let columns = |before: &str| tables.iter().map(|table| format!(" {before}{} |", table.testbed)).collect::<String>();
    let rules = "---|".repeat(2 * tables.len() + 5);
    let mut out = format!(
        "\n### {}\n\n| team |{}{} gain pooled | p | p by Holm | submissions |\n|{rules}\n",
        answer.asks,
        columns(""),
        columns("gain ")
    );
    for arm in &answer.arms {
        out.push_str(&row(arm, adjusted));
    }
    out
}

fn row(arm: &Arm, adjusted: &mut dyn Iterator<Item = f64>) -> String {
    let values: String = arm.on.iter().map(|on| format!(" {} |", interval(on.replicated))).collect();
    let gains: String = arm.on.iter().map(|on| format!(" {} |", gain(on.gain))).collect();
    let p = arm.gain.map_or(" – | – |".into(), |gain| {
        format!(" {} | {} |", p_value(gain.p), adjusted.next().map_or("–".into(), p_value))
    });
    let submissions = arm.on.iter().map(|on| format!("{:.0}", on.submissions)).collect::<Vec<_>>().join(", ");
    format!("| {} |{values}{gains} {} |{p} {submissions} |\n", arm.name, gain(arm.gain))
}

fn ideas(ideas: &[Ideas]) -> String {
    let names: String = ideas.iter().map(|team| format!(" {} |", team.name)).collect();
    let mut out = format!(
        "\n### How mixed are nine researchers' ideas, turn by turn?\n\nShannon entropy of families over a turn's submissions, in bits (at most 3.17), at {LONG:.0} times the \
         budget; turns with fewer than five submissions are left out, and turns that less than half of the studies reach.\n\n| turn |{names}\n|---|{}\n",
        "---|".repeat(ideas.len())
    );
    let last = ideas.iter().flat_map(|team| &team.turns).map(|turn| turn.turn).max().unwrap_or(0);
    for turn in 1..=last {
        let of = |team: &Ideas| team.turns.iter().find(|one| one.turn == turn).and_then(|one| one.entropy);
        let cells: String = ideas.iter().map(|team| format!(" {} |", interval(of(team)))).collect();
        out.push_str(&format!("| {turn} |{cells}\n"));
    }
    out
}

fn many(points: &[Point]) -> String {
    let mut out = String::from(
        "\n### The best of many\n\nRecipes of the table handed in blindly, plain training before them. *Off*: every value is told exactly and the best one is announced. *On*: \
         the ladder's.\n\n| table | submissions | announced, ledger off | replicated, off | announced, ledger on | replicated, on |\n|---|---|---|---|---|---|\n",
    );
    for point in points {
        out.push_str(&format!(
            "| {} | {} | {} | {} | {} | {} |\n",
            point.testbed,
            point.submissions,
            interval(point.announced_off),
            interval(point.replicated_off),
            interval(point.announced_on),
            interval(point.replicated_on)
        ));
    }
    out
}

fn interval(estimate: Option<Estimate>) -> String {
    estimate.map_or("–".into(), |estimate| estimate.to_string())
}

fn gain(pooled: Option<Pooled>) -> String {
    pooled.map_or("–".into(), |gain| format!("{:+.3} [{:+.3}, {:+.3}]", gain.value, gain.low, gain.high))
}

fn p_value(p: f64) -> String {
    if p < 0.001 { "< 0.001".into() } else { format!("{p:.3}") }
}
