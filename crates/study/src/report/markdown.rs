//! The report in Markdown: what the page says, without its figures.

use super::{again, elsewhere};
use crate::plan::{ANALYSIS, Plan};
use crate::result::{Row, StudyResult};
use aar_domain::rung::{Kind, Split};
use aar_domain::testbed::TestbedRecord;
use aar_server::Server;
use aar_server::handle::Snapshot;
use std::fmt::Write;

/// The whole of it.
pub fn text(result: &StudyResult, plan: &Plan, testbed: &TestbedRecord, server: &Server) -> String {
    let snapshot = server.snapshot();
    let mut out = format!("# {} on {}\n\n{}\n\n", result.problem, result.testbed, result.verdict);
    let (weak, ceiling) = (result.baselines.weak, result.baselines.ceiling);
    let _ = writeln!(
        out,
        "Weak {:.3} ± {:.3}, ceiling {:.3} ± {:.3} (selection split, {} frozen seeds). `#` is the number of the evaluation behind a row.\n",
        weak.mean, weak.se, ceiling.mean, ceiling.se, weak.seeds
    );
    let (replicated, graded): (Vec<&Row>, Vec<&Row>) = result.leaderboard.iter().partition(|row| row.rung.is_result());
    out.push_str("## Results: replicated on fresh seeds and unseen items\n\n");
    rows(&mut out, &replicated);
    out.push_str("## Announcements: graded on the feedback split\n\n");
    rows(&mut out, &graded);
    if let Some(matrix) = &result.transfer {
        out.push_str("## Elsewhere\n\n");
        out.push_str(&elsewhere::table(matrix));
    }
    result.production.iter().for_each(|trial| out.push_str(&elsewhere::production(trial)));
    failures(&mut out, &snapshot);
    researchers(&mut out, result);
    belief(&mut out, result, testbed, server, &snapshot);
    integrity(&mut out, result);
    settings(&mut out, plan, &snapshot);
    let _ = writeln!(
        out,
        "## Again\n\nFrom the log: `aar report DIR`, and `aar regrade DIR` to compare. From nothing:\n\n```sh\n{}\n```",
        again::run(plan)
    );
    out
}

/// A cell: what others wrote stays one cell, and text.
pub(super) fn cell(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('|', "\\|").replace('<', "&lt;").replace('`', "\\`");
    escaped.replace(['\n', '\r'], " ")
}

fn rows(out: &mut String, rows: &[&Row]) {
    if rows.is_empty() {
        out.push_str("None.\n\n");
        return;
    }
    out.push_str("| rank | method | by | family | PGR [95 %] | p plain | in / out | seeds | # |\n|---|---|---|---|---|---|---|---|---|\n");
    let number = |value: Option<f64>| value.map_or("–".into(), |value| format!("{value:.3}"));
    for row in rows {
        let pgr = match (row.pgr, row.pgr_ci) {
            (Some(pgr), Some([low, high])) => format!("{pgr:.2} [{low:.2}, {high:.2}]"),
            _ => "undefined".into(),
        };
        let p = row.p_plain.map_or("–".into(), |p| if p < 0.001 { "< 0.001".into() } else { format!("{p:.3}") });
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {pgr} | {p} | {} / {} | {} | {} |",
            row.rank.map_or_else(|| row.mark.clone().unwrap_or_default(), |rank| rank.to_string()),
            cell(&row.method),
            if row.kind == Kind::Baseline { "–".into() } else { cell(&row.by) },
            cell(&row.family),
            number(row.id_acc),
            number(row.ood_acc),
            row.seeds,
            row.evaluation
        );
    }
    out.push('\n');
}

fn failures(out: &mut String, snapshot: &Snapshot) {
    out.push_str("## What failed\n\n");
    let failed = snapshot.evaluations.iter().filter_map(|record| Some((record, record.failure.as_ref()?)));
    let lines: String = failed
        .map(|(record, (reason, _))| {
            format!("* #{} {} by {}: {}\n", record.id, cell(&record.asked.name), record.asked.by, cell(reason))
        })
        .collect();
    out.push_str(if lines.is_empty() { "Nothing.\n" } else { &lines });
    out.push('\n');
}

fn researchers(out: &mut String, result: &StudyResult) {
    out.push_str(
        "## Researchers\n\n| name | started from | evaluations | findings | seconds at work | decoys touched | not ranked |\n|---|---|---|---|---|---|---|\n",
    );
    for row in &result.researchers {
        let direction = row.direction.as_deref().map_or("–".into(), cell);
        let _ = writeln!(
            out,
            "| {} | {direction} | {} | {} | {:.0} | {} | {} |",
            row.name, row.evaluations, row.findings, row.wall_s, row.cheating.decoys, row.cheating.marked
        );
    }
    out.push('\n');
}

fn belief(out: &mut String, result: &StudyResult, testbed: &TestbedRecord, server: &Server, snapshot: &Snapshot) {
    let isolation = snapshot.notes.iter().rfind(|note| note.kind == "isolation");
    let head = server.receipt();
    let _ = writeln!(
        out,
        "## Belief\n\n* Isolation: {}.\n* Bits that answers may have given away: {:.0}{}.\n* The log has {} events; its head is `{}`.\n* Cost: {:.0} s on the wall, {:.0} CPU-s.{}\n",
        isolation.and_then(|note| note.body["isolation"].as_str()).unwrap_or("not on record"),
        result.bits.0,
        result.bits.1.map_or(String::new(), |limit| format!(" of {limit:.0}")),
        head.height,
        head.head,
        result.wall_s,
        result.cpu_s,
        if testbed.truth_public { "\n* Demonstration: this world's truth is public." } else { "" },
    );
}

fn integrity(out: &mut String, result: &StudyResult) {
    out.push_str("## Integrity\n\n");
    for view in &result.integrity.verdicts {
        let verdict = &view.verdict;
        let of = verdict.of.map_or(String::new(), |of| format!(" of #{of}"));
        let appeal = view.appeal.as_ref().map_or(String::new(), |appeal| {
            format!(" ({}: {})", if appeal.overturned { "overturned" } else { "upheld" }, cell(&appeal.reason))
        });
        let (kind, check, evidence) = (verdict.kind.name(), verdict.check.name(), cell(&verdict.evidence));
        let _ = writeln!(out, "* #{}: {kind}, {check}{of}: {evidence}{appeal}", verdict.evaluation);
    }
    for word in &result.integrity.signatures {
        let said = if word.signed_off { "signed off" } else { "refused" };
        let _ = writeln!(out, "* #{} {said} by the operator: {}", word.evaluation, cell(&word.reason));
    }
    for touch in &result.integrity.touches {
        let _ =
            writeln!(out, "* {} looked for labels at {} ({} times)", cell(&touch.by), cell(&touch.what), touch.times);
    }
    for pair in &result.pairs {
        let _ =
            writeln!(out, "* #{} against #{}: {:.2} PGR, p = {:.3}", pair.better, pair.other, pair.difference, pair.p);
    }
    out.push('\n');
}

fn settings(out: &mut String, plan: &Plan, snapshot: &Snapshot) {
    let _ = writeln!(out, "## Settings and seeds\n\n* Plan `{}`; {ANALYSIS}.", plan.hash());
    if let Some(opening) = &snapshot.opening {
        let _ = writeln!(out, "* Key committed to at the start: `{}`.", opening.key_commitment);
        for split in Split::ALL {
            let seeds = opening.seeds.get(&split).into_iter().flatten();
            let seeds: Vec<String> = seeds.map(|seed| format!("{} (teacher {})", seed.seed, seed.teacher)).collect();
            let _ = writeln!(out, "* Seeds, {}: {}.", split.name(), seeds.join(", "));
        }
    }
    out.push('\n');
}
