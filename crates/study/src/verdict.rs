//! The verdict, in words that say no more than was measured.

use crate::plan::Plan;
use crate::result::{Row, StudyResult};
use aar_domain::rung::{Kind, Rung};
use aar_domain::transfer::Fate;

/// Fewer fresh seeds than this decide nothing.
const SEEDS: usize = 5;

/// What may be said.
pub fn of(result: &StudyResult, plan: &Plan, closed: bool) -> String {
    let mut text = judge(result, plan, closed);
    if closed {
        text.push_str(&words(result, plan));
    }
    if let Some(trial) = &result.production {
        text.push_str(&format!(" {}", trial.sentence()));
    }
    if result.budgets_changed {
        text.push_str(" The operator granted evaluations while the study ran, so budgets were not equal.");
    }
    if result.demonstration {
        text.push_str(" Demonstration: this world's truth is public, so nothing here counts as a discovery.");
    }
    text
}

/// Which finalists are not ranked, and what the operator said about those that are.
fn words(result: &StudyResult, plan: &Plan) -> String {
    let mut text = String::new();
    let replicated = result.leaderboard.iter().filter(|row| row.rung.is_result() && row.kind != Kind::Baseline);
    for row in replicated {
        if let Some(mark) = &row.mark {
            text.push_str(&format!(" “{}” is shown and not ranked (“{mark}”).", row.method));
            continue;
        }
        match result.integrity.signatures.iter().find(|word| word.bundle == row.bundle && word.signed_off) {
            Some(word) => {
                text.push_str(&format!(" “{}” was signed off by the operator: “{}”.", row.method, word.reason))
            }
            None if plan.close.sign_off => text.push_str(&format!(
                " “{}” is not signed off, which this study demands, so it is no result yet (aar sign off).",
                row.method
            )),
            None => {}
        }
    }
    text
}

fn judge(result: &StudyResult, plan: &Plan, closed: bool) -> String {
    if !closed {
        return "The study is not closed; graded rows are announcements, not results.".into();
    }
    let (finalists, marked): (Vec<&Row>, Vec<&Row>) = result
        .leaderboard
        .iter()
        .filter(|row| row.rung.is_result() && row.kind != Kind::Baseline)
        .partition(|row| row.mark.is_none());
    let Some(best) = finalists.first() else {
        let nothing = if marked.is_empty() {
            "No submission was graded, so there was"
        } else {
            "No finalist may be ranked, so there is"
        };
        return format!("{nothing} nothing to replicate.");
    };
    let (Some(pgr), Some([low, high])) = (best.pgr, best.pgr_ci) else {
        let gap = result.baselines.ceiling.mean - result.baselines.weak.mean;
        return format!("PGR is undefined here: the gap of {gap:.3} between weak and ceiling is not clearly positive.");
    };
    let value = format!("{pgr:.2} [{low:.2}, {high:.2}]");
    if plan.close.seeds < SEEDS {
        return format!(
            "No verdict at this size: {} re-runs of “{}” gave {value}; {SEEDS} seeds are the least for a verdict.",
            plan.close.seeds, best.method
        );
    }
    let announced = best
        .announced
        .map_or(String::new(), |announced| format!("; it was announced at {announced:.2} before replication"));
    let p = best.p_plain.unwrap_or(1.0);
    let mut text = if p < 0.05 && plain(result).is_none_or(|plain| best.transfer_acc > plain.transfer_acc) {
        format!(
            "“{}” by {} recovers {value} of the gap on fresh seeds and unseen items{announced}. {}",
            best.method,
            best.by,
            against_plain(result, p)
        )
    } else {
        format!(
            "No finalist is clearly better than plain training: the best, “{}” by {}, recovers {value}{announced}. {}",
            best.method,
            best.by,
            against_plain(result, p)
        )
    };
    if finalists.len() > 1 && finalists[1].rank == best.rank {
        let tied = finalists.iter().filter(|row| row.rank == best.rank).count();
        text.push_str(&format!(" The first {tied} can't be told apart at this size."));
    }
    if let Some(control) = finalists.iter().find(|row| row.kind == Kind::Random) {
        let relation = if control.rank == best.rank { "is not clearly behind" } else { "is behind" };
        text.push_str(&format!(" The random control's best {relation}."));
    }
    text.push_str(&elsewhere(result, &best.bundle));
    text
}

/// What became of it on other testbeds.
fn elsewhere(result: &StudyResult, bundle: &str) -> String {
    let line = result.transfer.as_ref().and_then(|matrix| matrix.methods.iter().find(|line| line.bundle == *bundle));
    let Some(line) = line else {
        return " Whether it holds elsewhere was not tried.".into();
    };
    let count = |fate: Fate| line.cells.iter().filter(|cell| cell.fate == fate).count();
    let said: Vec<String> = [Fate::Holds, Fate::Weaker, Fate::Gone, Fate::Harmful, Fate::NotMeasurable]
        .into_iter()
        .filter(|fate| count(*fate) > 0)
        .map(|fate| format!("{} on {}", fate.words(), count(fate)))
        .collect();
    let follows = match line.rung {
        Rung::Transferred => "by the rule, it transferred",
        Rung::NotTransferred => "by the rule, it did not transfer",
        _ => "the rule needs five freshly minted worlds",
    };
    format!(" Tried on {} other testbeds: {}; {follows}.", line.cells.len(), said.join(", "))
}

fn plain(result: &StudyResult) -> Option<&Row> {
    result.leaderboard.iter().find(|row| row.rung.is_result() && row.kind == Kind::Baseline)
}

fn against_plain(result: &StudyResult, p: f64) -> String {
    let value = plain(result).and_then(|plain| plain.pgr).map_or("-".into(), |pgr| format!("{pgr:.2}"));
    let p = if p < 0.001 { "p < 0.001".into() } else { format!("p = {p:.3}") };
    format!("Plain training on the same seeds: {value} ({p}).")
}
