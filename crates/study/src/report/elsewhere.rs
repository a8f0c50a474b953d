//! What `aar transfer` found, in Markdown: for a study's report, and for a page of results.

use super::markdown::cell;
use aar_domain::transfer::matrix::{Cell, Line, Matrix, Predicts, Target};
use aar_domain::transfer::production::Trial;
use aar_server::pages::transfer::shown;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Where the matrix begins and ends in a page of results.
pub const MATRIX: Marks = ("<!-- aar transfer -->", "<!-- end of aar transfer -->");
/// Where the production trial does.
pub const PRODUCTION: Marks = ("<!-- aar transfer --production -->", "<!-- end of aar transfer --production -->");

type Marks = (&'static str, &'static str);

/// A page's part between its marks. `command` is what makes it again.
pub fn part((begin, end): Marks, command: &str, body: &str) -> String {
    format!("{begin}\n`{command}`\n\n{body}{end}\n")
}

/// Methods × testbeds, and what the testbeds are.
pub fn table(matrix: &Matrix) -> String {
    let Matrix { home, targets, methods, predicts } = matrix;
    let mut out = format!(
        "PGR on the selection split with 95 % intervals over items and seeds, and the share of the PGR at home that is left. *Holds*: that share is clearly above one half; *weaker*: clearly better than plain \
         training; *gone*: not clearly; *harmful*: clearly worse.\n\n| method | by | at home, on {} |",
        cell(home)
    );
    targets.iter().for_each(|target| out.push_str(&format!(" {} |", heading(target))));
    let _ = writeln!(out, " so it |\n|---|---|---|{}---|", "---|".repeat(targets.len()));
    methods.iter().for_each(|line| out.push_str(&row(line)));
    out.push_str("\n| testbed | subject | from | counts for the rule | seeds | plain there | gap (lower bound) |\n|---|---|---|---|---|---|---|\n");
    for target in targets {
        let Target { name, subject, origin, fresh, seeds, gap, gap_low, plain, .. } = target;
        let counts = if *fresh { "yes" } else { "no" };
        let (name, origin, plain) = (cell(name), cell(origin), shown(*plain));
        let _ =
            writeln!(out, "| {name} | {subject} | {origin} | {counts} | {seeds} | {plain} | {gap:.3} ({gap_low:.3}) |");
    }
    if let Some(Predicts { correlation, methods, testbeds }) = predicts {
        let _ = writeln!(
            out,
            "\nHow far PGR at home predicts PGR elsewhere: a rank correlation of {correlation} over {methods} methods, on the {testbeds} testbeds where all of them ran."
        );
    }
    let reasons = reasons(matrix);
    if !reasons.is_empty() {
        let _ = writeln!(out, "\nNot measurable:\n\n{reasons}");
    }
    out + "\n"
}

/// The sentence of a production trial, and what was registered.
pub fn production(trial: &Trial) -> String {
    let Trial { registered, weak, plain, accuracy, ceiling, .. } = trial;
    let accuracy = accuracy.map_or("did not run".into(), |accuracy| format!("{accuracy:.3}"));
    format!(
        "{}\n\nRegistered before it was run: {}, a smallest effect of {:.1} points, {} seeds on “{}”, which find it with a power of {:.2}. \
         Accuracy of the generated verdict: teacher {weak:.3}, plain training {plain:.3}, the method {accuracy}, ceiling {ceiling:.3}.\n\n",
        cell(&trial.sentence()),
        registered.metric,
        100.0 * registered.effect,
        registered.seeds,
        cell(&registered.testbed),
        registered.power
    )
}

/// Testbeds that were minted together may have one name, so the subject stands beside it.
fn heading(target: &Target) -> String {
    format!("{} ({})", cell(&target.name), target.subject)
}

fn row(line: &Line) -> String {
    let mut out = format!("| {} | {} | {} |", cell(&line.method), cell(&line.by), shown(line.home));
    for Cell { pgr, retained, fate, .. } in &line.cells {
        let pgr = pgr.map_or(String::new(), |pgr| format!(": {pgr}"));
        let keeps = retained.map_or(String::new(), |share| format!(", keeps {share}"));
        let _ = write!(out, " {}{pgr}{keeps} |", fate.words());
    }
    out + &format!(" {} |\n", line.follows())
}

/// What did not run, and why: a line for each method and reason.
fn reasons(matrix: &Matrix) -> String {
    let mut found = BTreeMap::<(&str, &str), Vec<String>>::new();
    for line in &matrix.methods {
        for (cell, target) in line.cells.iter().zip(&matrix.targets) {
            let Some(reason) = &cell.failed else { continue };
            found.entry((&line.method, reason)).or_default().push(heading(target));
        }
    }
    let line = |((method, reason), places): ((&str, &str), Vec<String>)| {
        format!("- {} on {}: {}\n", cell(method), places.join(", "), cell(reason))
    };
    found.into_iter().map(line).collect()
}
