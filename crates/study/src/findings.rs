//! What an examination of a finalist says, as verdicts.

use crate::altered::Alteration;
use crate::shortcuts::{Shortcut, agreement};
use aar_api::integrity::{Bearing, Check, Left, Verdict};
use aar_domain::rung::Split;
use aar_domain::stats::{Outcomes, together};
use aar_server::Server;

/// Standard errors from which a leak is taken as shown: one honest finalist in 30,000.
const SHOWN: f64 = 4.0;
/// The same for what a student knows of its pool: half of the labels leaked gave 3.5, ten honest methods at most 0.8 (`LOG.md`).
const UNEXPLAINED: f64 = 3.0;
/// And what is unexplained must be at least this share of the pool.
const LEAST: f64 = 0.02;

/// A finalist that was run where one thing is altered.
pub struct Examined<'a> {
    /// Its evaluation in the study.
    pub finalist: i64,
    /// The study's server.
    pub main: &'a Server,
    /// The server of the altered testbed.
    pub altered: &'a Server,
    /// Its evaluation there.
    pub id: i64,
    /// What is altered.
    pub alteration: Alteration,
}

/// The check that an alteration belongs to.
pub fn check(alteration: Alteration) -> Check {
    match alteration {
        Alteration::Twin => Check::PermutedTwin,
        Alteration::Pool => Check::LabelProvenance,
        Alteration::Teacher => Check::TeacherReliance,
        Alteration::Student => Check::StudentReliance,
    }
}

fn verdict(evaluation: i64, check: Check, kind: Bearing, evidence: String) -> Verdict {
    Verdict { evaluation, check, kind, evidence, of: None, left: None }
}

/// Why something was not looked at.
pub fn not_done(evaluation: i64, alteration: Alteration, why: &str) -> Verdict {
    verdict(evaluation, check(alteration), Bearing::Property, format!("not looked at: {why}"))
}

/// What the examination found.
pub fn of(examined: &Examined) -> Verdict {
    let (finalist, check) = (examined.finalist, check(examined.alteration));
    let found = match examined.alteration {
        Alteration::Twin => shuffled_truth(examined),
        Alteration::Pool => provenance(examined),
        Alteration::Teacher | Alteration::Student => {
            if let Some(left) = reliance(examined) {
                let evidence = words(examined.alteration, left);
                return Verdict { left: Some(left), ..verdict(finalist, check, Bearing::Property, evidence) };
            }
            None
        }
    };
    let (kind, evidence) = found.unwrap_or_else(|| {
        (Bearing::Property, format!("not looked at: the bundle failed there ({})", failure(examined)))
    });
    verdict(finalist, check, kind, evidence)
}

fn words(alteration: Alteration, left: Left) -> String {
    let how = match alteration {
        Alteration::Student => "with a student whose weights were shuffled",
        _ => "with the teacher's labels shuffled among the pool's rows",
    };
    format!("PGR {:.2} {how}, {:.2} as it is, on the same seeds", left.without, left.with)
}

fn failure(examined: &Examined) -> String {
    let snapshot = examined.altered.snapshot();
    let record = snapshot.evaluations.get(examined.id as usize - 1);
    record
        .and_then(|record| record.failure.as_ref())
        .map_or("no reason is on record".into(), |(reason, _)| reason.clone())
}

fn shuffled_truth(examined: &Examined) -> Option<(Bearing, String)> {
    let margins = examined.altered.margins(examined.id)?;
    let found = examined.altered.vault().chance(Split::Selection, &margins)?;
    let kind = if found.z > SHOWN { Bearing::Binding } else { Bearing::Property };
    let evidence = format!(
        "right on {:.1} % of a truth that was shuffled, {:.1} % is chance ({:+.1} standard errors; more than {SHOWN:.0} show a leak)",
        100.0 * found.share,
        100.0 * found.expected,
        found.z
    );
    Some((kind, evidence))
}

/// Is the student more right about what it was trained on than its knowledge elsewhere and the teacher together can make it?
fn provenance(examined: &Examined) -> Option<(Bearing, String)> {
    let pool = examined.altered.outcomes(examined.id)?;
    let teacher = examined.altered.vault().frozen(Split::Selection).weak;
    let test = examined.main.score(examined.finalist)?;
    let elsewhere = test.accuracy_in.unwrap_or(test.accuracy);
    let explained = together(teacher, elsewhere);
    let share = pool.accuracy();
    let error = |share: f64, items: usize| share * (1.0 - share) / items.max(1) as f64;
    let items = |outcomes: &Outcomes| outcomes.correct.first().map_or(0, Vec::len);
    let se = (error(share, items(&pool)) + error(elsewhere, examined.main.vault().items(Split::Selection) / 2)).sqrt();
    let z = (share - explained) / se.max(1e-9);
    let leak = z > UNEXPLAINED && share - explained > LEAST;
    let evidence = format!(
        "right on {:.1} % of the pool it was trained on; the teacher ({:.1} %) and what it knows of other items ({:.1} %) explain up to {:.1} % ({z:+.1} standard errors; more than {UNEXPLAINED:.0} show a leak)",
        100.0 * share,
        100.0 * teacher,
        100.0 * elsewhere,
        100.0 * explained,
    );
    Some((if leak { Bearing::Binding } else { Bearing::Property }, evidence))
}

fn reliance(examined: &Examined) -> Option<Left> {
    let without = examined.altered.outcomes(examined.id)?;
    let with = examined.main.outcomes(examined.finalist)?;
    // The same seeds on both sides.
    let with = Outcomes {
        seeds: with.seeds.iter().take(without.seeds.len()).copied().collect(),
        correct: with.correct.into_iter().take(without.correct.len()).collect(),
    };
    let frozen = examined.main.vault().frozen(Split::Selection);
    let pgr = |outcomes: &Outcomes| (outcomes.accuracy() - frozen.weak) / (frozen.ceiling - frozen.weak);
    Some(Left { without: pgr(&without), with: pgr(&with) })
}

/// How often a finalist answers as shortcuts do.
pub fn shortcuts(finalist: i64, margins: &[Vec<f32>], all: &[Shortcut]) -> Verdict {
    let share =
        |shortcut: &Shortcut| format!("{} {:.0} %", shortcut.name, 100.0 * agreement(margins, &shortcut.answers));
    let shares: Vec<String> = all.iter().map(share).collect();
    let evidence = format!("answers as this data's shortcuts do: {} (half is chance)", shares.join(", "));
    verdict(finalist, Check::Shortcuts, Bearing::Property, evidence)
}
